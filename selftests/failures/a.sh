#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Host a: a primary, to which something happens. Begins at the case given, since
# a host that was killed is booted again for the next one.
. selftests/failures/cases.sh

# Seconds from a case to the primary's end, at most.
TIME=$((100 * SLOW))

# A primary that lives is told that it was replaced, or sees that it is alone.
# Never does it go on as if nothing had happened.
fenced_or_lost() { [ "$code" = 3 ] || [ "$code" = 4 ]; }

load_module
i=${1:-$FIRST}
while [ "$i" -le "$FAILURES" ]; do
	case_of "$i"
	hostctl barrier "case-$i" || exit 1
	case $how in
	kill) command="hostctl kill a" ;;
	freeze) command="hostctl freeze a" ;;
	link) command="hostctl link down" ;;
	esac
	# shellcheck disable=SC2086
	timeout -k 10 $TIME $KVMM primary $both $PRIMARY --connect 10.77.0.2:7000 \
		--seed "$i" --interval 20 --count 0 --threshold 512K --exit-on-lost \
		--run-at "$moment:$((i % 3 + 3))" --run "$command" \
		>"$LOGS/failure-$i-a.log" 2>&1
	code=$?
	[ "$how" != kill ] || exit 1		# it was to be dead
	verdict "failure-$i-$how-$moment-primary" fenced_or_lost
	hostctl barrier "end-$i" || exit 1
	i=$((i + 1))
done
sleep 1
verdict failures-rmmod-a rmmod kcolo
