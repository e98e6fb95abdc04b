#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The tests of QEMU as a client of kcolo, in emulated hosts. The last line counts
# them. What a job printed is in build/check-qemu/JOB.log.
#
#	KERNELS="6.1 6.12"	whose hosts; debug is one, too
#	QEMU_KILLS=5		deaths of the first of two hosts
#	QEMU_CHECKPOINTS	of each test that compares RAM
#	TESTS			names of tests on one host, or what they begin with
cd "$(dirname "$0")/../.." || exit 1
. selftests/results.sh
out=build/check-qemu
rm -rf $out
mkdir -p $out

job() {	# name, command...
	local name=$1 tap=$out/$1.tap rc
	shift
	echo "== $name"
	"$@" 2>&1 | tee "$out/$name.log" | results | tee "$tap" | sed -u "s/^/$name: /"
	rc=${PIPESTATUS[0]}
	settle "$name" "$tap" "$out/$name.log" "$rc"
}

host() {	# name, kernel, options and command of khost
	local name=$1 kernel=$2
	shift 2
	# QEMU 7.2 emulates VMRUN without its lock: where KVM waits to inject an interrupt
	# (V_IRQ), one of the host's own may get lost. A timer set for one shot is then
	# silent until something else interrupts; a periodic one has lost a tick.
	selftests/host/khost --kernel "$kernel" --cpus 1 --out "$out/$name" \
		--append "nohz=off highres=off" \
		--env "QEMU_KILLS=${QEMU_KILLS:-}" --env "QEMU_CHECKPOINTS=${QEMU_CHECKPOINTS:-}" "$@"
}

one_host() {	# kernel, command
	host "one-$1" "$1" --mem 4G --timeout 5400 -- "$2"
}

two_hosts() {	# kernel
	host "two-$1" "$1" --mem 3G --timeout 3600 --b selftests/qemu/two/b.py \
		-- selftests/qemu/two/a.py
}

for k in ${KERNELS:-6.1 6.12}; do
	selftests/qemu/prepare.sh "$k" || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
	job "one-$k" one_host "$k" "selftests/qemu/run.py ${TESTS:-}" &
	[ "$k" = debug ] || job "two-$k" two_hosts "$k"
	wait
done
cat $out/*.tap >$out/all
failed=$(grep -c '^not ok' $out/all)
grep '^not ok' $out/all
# None of them skips.
echo "$(grep -c '^ok' $out/all) passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
