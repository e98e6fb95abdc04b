#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# QEMU's own tests of migration, on the patched tree and on the unpatched: what is
# good on that has to be good on this. Under TCG, as there may be no KVM here. KTAP;
# build/qemu/qtest-*.log has what they said.
cd "$(dirname "$0")/../.." || exit 1
mkdir -p build/qemu

results() {	# name, options of build.py
	name=$1
	shift
	dir=$(qemu/build.py --qtest "$@") || exit 1
	echo "# $name: $dir" >&2
	QTEST_QEMU_BINARY=$dir/bin/qemu-system-x86_64 timeout 3000 \
		"$dir/bin/migration-test" --tap -k >"build/qemu/qtest-$name.log" 2>&1
	sed -n 's/^\(ok\|not ok\) [0-9]* \(.*\)/\2 \1/p' "build/qemu/qtest-$name.log" |
		sort >"build/qemu/qtest-$name"
	[ -s "build/qemu/qtest-$name" ]
}

results unpatched --unpatched || { echo "not ok the unpatched tree ran no test"; exit 1; }
results patched || { echo "not ok the patched tree ran no test"; exit 1; }
bad=0
while read -r test rest; do
	if [ "$rest" = ok ] && ! grep -qxF "$test ok" build/qemu/qtest-patched; then
		echo "not ok $test"
		bad=1
	else
		echo "ok $test # unpatched: $rest"
	fi
done <build/qemu/qtest-unpatched
exit $bad
