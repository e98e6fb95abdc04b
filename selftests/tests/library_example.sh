#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The VMM of libkcolo's documentation protects its guest: what the guest and the device
# wrote is there, as of one moment, when it is killed, and the guest goes on from there.
# One that forgets to log what the device writes, or the flush, is found out.
. "$(dirname "$0")/life_lib.sh"

VMM=$(program minimal-vmm example)
STANDBY=$(program minimal-standby example)

begin() {	# NAME VMM
	# What is started becomes the VMM, whose process it is then.
	$IN_B $CTL session add "$1" secondary --listen $B:7000 --insecure \
		--peer-timeout $((20 * SLOW))s -- $STANDBY >"$LOGS/$1-b.log" 2>&1 &
	second=$!
	sleep 0.5
	$CTL session add "$1" primary --connect $B:7000 --insecure \
		--peer-timeout $((20 * SLOW))s --pause-limit 30s -- "$2" >"$LOGS/$1-a.log" 2>&1 &
	first=$!
}

committed() {	# NAME EPOCHS
	[ "$($CTL get committed -s "$1" 2>/dev/null || echo 0)" -ge "$2" ]
}

# The first word of each of the secondary's pages that are written: the device's, and
# the guest's 13.
words() {	# NAME
	at=$(in_b $CTL --json session show "$1" | tr -d ' \n' | sed 's/.*"address":\([0-9]*\).*/\1/')
	dd if="/proc/$second/mem" bs=4096 skip=$((at / 4096 + 0xf1)) count=14 2>/dev/null |
		od -An -v -tu2 -w4096 | awk '{ print $1 }'
}

# Sets $count when all of the guest's are one.
one_moment() {	# WORDS
	count=$(echo "$1" | sed 1d | sort -u)
	[ "$(echo "$1" | wc -l)" = 14 ] && [ "$(echo "$count" | wc -l)" = 1 ] && [ "$count" -gt 0 ]
}

device_too() { one_moment "$1" && [ "$(echo "$1" | head -n 1)" = "$count" ]; }

device_not() { one_moment "$1" && ! device_too "$1"; }

kill_first() {	# NAME
	kill -9 $first
	wait $first 2>/dev/null
	until_true 20 in_state lost "$1" in_b && there=$(words "$1")
}

kill_second() {
	kill -9 $second
	wait $second 2>/dev/null
	until_true 10 no_sessions
}

moved() {	# NAME
	now=$(words "$1" | tail -n 1)
	[ "$now" != "$count" ]
}

# Beyond where it was, and not from the beginning.
went_on() {	# NAME
	until_true 10 moved "$1" && [ "$now" -gt "$count" ] && [ "$now" -lt $((count + 20000)) ]
}

begin example "$VMM"
verdict example-commits until_true 20 committed example 4
verdict example-killed kill_first example
verdict example-one-moment device_too "$there"
verdict example-promoted in_b $CTL promote example
verdict example-goes-on went_on example
kill_second

begin no-log "$VMM-no-log"
verdict no-log-commits until_true 20 committed no-log 4
kill_first no-log
verdict no-log-is-found device_not "$there"
kill_second

aborted() {	# NAME
	[ "$($CTL -j stats "$1" 2>/dev/null | tr -d ' \n' |
		sed 's/.*"aborts":\([0-9]*\).*/\1/')" -ge 2 ] 2>/dev/null
}

begin no-flush "$VMM-no-flush"
verdict no-flush-aborts until_true 20 aborted no-flush
verdict no-flush-is-found [ "$($CTL get committed -s no-flush)" = 0 ]
kill -9 $first
wait $first
kill_second
