#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The long run: 10,000 checkpoints after each of which all RAM of both ends is
# compared, 1,000 ends of a primary after each of which the secondary goes on (half
# of them its VMM killed, half its host killed, frozen or cut off), 1,000 cuts after
# which both ends find each other again, and 200 hosts killed under a Linux guest in
# QEMU. Hours. It ends with the first failure; the last
# line is "N passed, N failed, N skipped".
#
# In many runs, each with seeds of its own: where a fault of the emulator ends one, it
# is that one that is begun again.

cd "$(dirname "$0")/.." || exit 1
. selftests/results.sh
. selftests/qemu/jobs.sh
kernel=${KERNEL:-6.12}
checkpoints=${CHECKPOINTS:-10000}
kills=${KILLS:-1000}
qemu_kills=${QEMU_KILLS:-200}
reconnects=${RECONNECTS:-1000}
out=build/soak

# Of a run, at most. What is killed in every state in turn comes on top.
EQUAL=700
ENDS=25
QEMU_ENDS=10
LINKS=100

rm -rf $out
mkdir -p $out
# Each run in a process group of its own, so that all of it can be ended.
set -m
trap 'for p in $(jobs -p); do kill -- -$p; done 2>/dev/null' EXIT

selftests/host/build-module.sh "$kernel" >/dev/null 2>$out/module.log || {
	tail $out/module.log; exit 1; }
make --no-print-directory -C selftests install >/dev/null || exit 1
[ "$qemu_kills" -eq 0 ] || selftests/qemu/prepare.sh "$kernel" || exit 1

run() {	# name, options and command of khost
	local name=$1 line rc
	shift
	selftests/host/khost --kernel "$kernel" --cpus 1 --timeout 7200 --env TEST_TIMEOUT=7000 \
		--out "$out/$name" "$@" |
		results | tee "$out/$name.tap" |
		while IFS= read -r line; do
			echo "$((SECONDS / 60)) min, $name: $line"
		done
	rc=${PIPESTATUS[0]}
	last_attempt "$out/$name.tap"
	[ "$rc" -eq 0 ] && grep -q '^ok' "$out/$name.tap" ||
		echo "not ok soak-$name" >>"$out/$name.tap"
}

failed() { grep -q '^not ok' $out/*.tap 2>/dev/null; }

said=0
tick() {
	sleep 2
	[ $((SECONDS - said)) -ge 60 ] || return
	said=$SECONDS
	echo "$((SECONDS / 60)) min: $(cat $out/*.tap | grep -c '^ok') ok," \
		"$(cat $out/*/equal-*-b.log | grep -c 'RAM equal') checkpoints equal," \
		"$(cat $out/*/die-*-b.log $out/*/failure-*-b.log | grep -c 'promoted with epoch') failovers," \
		"$(cat $out/colo-*.tap | grep -c '^ok .*-kill-') with QEMU"
} 2>/dev/null

# One more at once than there are CPUs, as make check has it.
start() {
	while [ "$(jobs -rp | wc -l)" -gt "$(nproc)" ]; do
		tick
	done
	failed || run "$@" &
}

less() { if [ "$1" -lt "$2" ]; then echo "$1"; else echo "$2"; fi; }

equal() {	# number of the run, checkpoints
	start "equal-$1" --env "CHECKPOINTS=$2" --env "SEED=$1" --env TIME=1800 \
		-- "selftests/run-in-host.sh ram_equal"
}

killed() {	# number of the first, how many
	start "kills-$1" --env "FIRST=$1" --env "KILLS=$2" \
		-- "selftests/run-in-host.sh failover"
}

died() {	# number of the first, how many
	start "hosts-$1" --env "FIRST=$1" --env "FAILURES=$(($1 + $2 - 1))" \
		--b 'sh selftests/failures/b.sh' -- 'sh selftests/failures/a.sh'
}

cut() {	# number of the run, how many
	start "links-$1" --env "RECONNECTS=$2" -- "selftests/run-in-host.sh reconnect"
}

colo() {	# number of the run, how many
	start "colo-$1" --env "SEED=$1" --env "QEMU_KILLS=$2" --env QEMU_CHECKPOINTS=10 \
		"${QEMU_CLOCK[@]}" "${QEMU_TWO[@]}"
}

nr=0
vmms=$((kills / 2))
hosts=$((kills - vmms))
while [ "$checkpoints" -gt 0 ] || [ $vmms -gt 0 ] || [ $hosts -gt 0 ] ||
	[ "$qemu_kills" -gt 0 ] || [ "$reconnects" -gt 0 ]; do
	n=$(less "$checkpoints" $EQUAL)
	[ "$n" -le 0 ] || equal $((nr + 1)) "$n"
	checkpoints=$((checkpoints - n))
	n=$(less $vmms $ENDS)
	[ "$n" -le 0 ] || killed $((nr * ENDS)) "$n"
	vmms=$((vmms - n))
	n=$(less $hosts $ENDS)
	[ "$n" -le 0 ] || died $((nr * ENDS + 1)) "$n"
	hosts=$((hosts - n))
	n=$(less "$qemu_kills" $QEMU_ENDS)
	[ "$n" -le 0 ] || colo $((nr + 1)) "$n"
	qemu_kills=$((qemu_kills - n))
	n=$(less "$reconnects" $LINKS)
	[ "$n" -le 0 ] || cut $((nr + 1)) "$n"
	reconnects=$((reconnects - n))
	nr=$((nr + 1))
	failed && break
done
while [ "$(jobs -rp | wc -l)" -gt 0 ] && ! failed; do
	tick
done
cat $out/*.tap >$out/all
grep -e '^not ok' -e '^# retry' $out/all
echo "$(grep -c '^ok' $out/all) passed, $(grep -c '^not ok' $out/all) failed," \
	"$(grep -c '^ok.*# SKIP' $out/all) skipped"
! failed
