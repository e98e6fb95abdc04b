#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Tracepoints: each of them is there, and fires in a session that commits, aborts
# and pre-copies.
. "$(dirname "$0")/test_lib.sh"

T=/sys/kernel/tracing
mountpoint -q $T || mount -t tracefs none $T
echo >$T/trace
echo 1 >$T/events/kcolo/enable
pair trace "--interval 20 --count 4 --verify-each 1 --threshold 512K
	--abort-at flushed --abort-each 3" "" "--ram $RAM_SMALL"
verdict trace-session both_good
# More than all of RAM: whatever the guest does, little is pending.
pair trace-low "--interval 20 --count 2 --threshold 1G" "" "--ram $RAM_SMALL"
verdict trace-low both_good
echo 0 >$T/events/kcolo/enable
cat $T/trace >"$LOGS/trace.txt"

for event in event state migrate_pending migration_low_pending round commit abort apply; do
	verdict "trace-$event" grep -q " kcolo_$event: t " "$LOGS/trace.txt"
done
verdict trace-threshold grep -q "kcolo_migrate_pending: t .*threshold=524288" "$LOGS/trace.txt"
verdict trace-states grep -q "kcolo_state: t precopy to ready" "$LOGS/trace.txt"
