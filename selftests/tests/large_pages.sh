#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I1: memslots that begin to log when KVM has mapped large pages already. It splits
# them then, or, under INITIALLY_SET, when their bits are cleared for the first time;
# never, when that is switched off in between: then nothing is committed any more.
. "$(dirname "$0")/test_lib.sh"

[ -e /sys/kernel/mm/transparent_hugepage ] || lacks "large pages" 6.1 6.12 debug
D=/sys/kernel/debug
mountpoint -q $D || mount -t debugfs none $D

both="--ram 32M --no-device"
all="--interval 20 --verify-each 1 --threshold 512K --late-log"

# run NAME OPTIONS: $large is the most large pages that there were at a time
run() {
	while :; do
		cat $D/kvm/pages_2m
		sleep 0.05
	done >/tmp/large &
	looks=$!
	pair "$1" "$all $2" "" "$both"
	kill $looks
	large=$(sort -n /tmp/large | tail -n 1)
	echo "# $1: $large large pages"
}

equal() { all_verified "$1" 10 && [ "$large" -gt 4 ]; }
for manual in initial plain off; do
	run large-$manual "--manual $manual --count 10"
	verdict large-$manual equal large-$manual
done

# Until the time is up, and perhaps not at once. The secondary's is up first: that may
# end one more checkpoint.
stopped() {
	[ "$large" -gt 4 ] && ! grep -q '"mismatch":true' "$LOGS/$1-a.json" "$LOGS/$1-b.json" &&
		grep '"type":"checkpoint"' "$LOGS/$1-a.json" |
		sed '${/"abort_reason":"closed"/d}' | tail -n 1 |
		grep -q '"abort_reason":"dirty-log","error":"KVM_DIRTY_LOG_INITIALLY_SET was switched off'
}
TIME=6
run large-toggled "--manual initial --count 0 --toggle-log 20"
verdict large-toggled stopped large-toggled
