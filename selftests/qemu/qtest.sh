#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# QEMU's own tests of migration, on the patched tree and on the unpatched: what is
# good on that has to be good on this; under TCG, as there may be no KVM here. And what
# the two send when they do the same (stream.py), in an emulated host. KTAP;
# build/qemu/qtest-*.log has what the tests said.
cd "$(dirname "$0")/../.." || exit 1
mkdir -p build/qemu

# Each test in a process of its own: QEMU's library ends with the first assertion that
# does not hold, and would have run none of those that follow.
results() {	# name, directory of its build
	test=$2/bin/migration-test
	export QTEST_QEMU_BINARY="$2/bin/qemu-system-x86_64"
	: >"build/qemu/qtest-$1.log"
	for path in $("$test" -l | grep '^/'); do
		rc=ok
		timeout -k 10 300 "$test" --tap -p "$path" >build/qemu/qtest.tap 2>&1 &&
			grep -q "^ok .*$path" build/qemu/qtest.tap || rc="not ok"
		cat build/qemu/qtest.tap >>"build/qemu/qtest-$1.log"
		echo "# $1: $path: $rc" >&2
		echo "$path $rc"
	done >"build/qemu/qtest-$1"
	[ -s "build/qemu/qtest-$1" ] && return
	echo "not ok the $1 tree ran no test"
	return 1
}

unpatched=$(qemu/build.py --qtest --unpatched) || exit 1
patched=$(qemu/build.py --qtest) || exit 1
bad=0
selftests/host/khost --kernel 6.12 --cpus 1 --mem 2G --timeout 900 \
	--append "nohz=off highres=off" --out "$(mktemp -d build/qemu/stream-XXXX)" \
	-- "modprobe kvm_amd; selftests/qemu/stream.py $unpatched $patched" || bad=1
results unpatched "$unpatched" || exit 1
results patched "$patched" || exit 1
while read -r test rest; do
	if [ "$rest" = ok ] && ! grep -qxF "$test ok" build/qemu/qtest-patched; then
		echo "not ok $test"
		bad=1
	else
		echo "ok $test # unpatched: $rest"
	fi
done <build/qemu/qtest-unpatched
exit $bad
