#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Run the tests named, in an emulated host, with the kernel's own runner, and see
# that the module goes. KTAP.
. selftests/tests/lib.sh

# Not on 9p, where each start of a program reads it again.
KSFT=/run/kselftest

tests() {
	MODULE=$(realpath "$MODULE")
	export MODULE
	# The runner cuts a test after the time in tests/settings, unless told another.
	# shellcheck disable=SC2046
	$KSFT/run_kselftest.sh ${TEST_TIMEOUT:+-o "$TEST_TIMEOUT"} \
		$(printf ' -t kcolo:%s.sh' "$@") 2>&1 |
		tee "$LOGS/runner.log" | awk '{ print "  " $0; fflush() }'
}

# The runner's own status says nothing, and one name that it does not know is
# enough for it to run none of them: each file has to have a result.
all_ran() {
	[ $# -gt 0 ] || return 1
	left=0
	for t in "$@"; do
		grep -Eq "^(not )?ok [0-9]+ selftests: kcolo: $t\.sh( |\$)" \
			"$LOGS/runner.log" && continue
		echo "# $t has no result"
		left=$((left + 1))
	done
	[ $left = 0 ]
}

run() {
	prepare
	cp -r build/kselftest $KSFT
	insmod "$MODULE" || { echo "not ok insmod"; return; }
	echo "ok insmod"
	network
	tests "$@"
	verdict all-ran all_ran "$@"
	# Ends of sessions are asynchronous: they hold nothing but memory by now.
	sleep 1
	verdict rmmod rmmod kcolo
}

{ run "$@"; echo "exit $?"; } | ktap run-in-host
