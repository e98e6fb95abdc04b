# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# What the tests of kcoloctl have in common: they print KTAP, and exit by it.

nr=0
failed=0

# A test that says why it has failed has a function of its own.
why() { :; }

ok() {	# what, status of the test
	nr=$((nr + 1))
	if [ "$2" = 0 ]; then
		echo "ok $nr $1"
	else
		failed=$((failed + 1))
		echo "not ok $nr $1"
		why | sed 's/^/# /'
	fi
}

finish() {
	echo "1..$nr"
	echo "# $failed failed"
	[ $failed = 0 ]
}
