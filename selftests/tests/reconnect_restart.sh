#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A VMM that is stopped for a while, on either side, is no loss. One that dies and is
# replaced, at the same address, is found by the primary, whose guest runs on, and is
# protected by it as by the one before.
. "$(dirname "$0")/reconnect_lib.sh"

stand_up() {
	standby "$1" "$IN_B" --listen $B:7000 --run-on 300 --verify
	b=$!
}

stand_up restart-b1
sleep 0.5
primary restart-a $B:7000 --interval 100
a=$!
first() { until_so is "" state idle && more ""; }
verdict restart-first first

# The kernel answers for a VMM that is stopped, for longer than a peer is waited for.
stopped() {	# PID
	$CTL set peer-timeout 1s t && $IN_B $CTL set peer-timeout 1s t &&
		kill -STOP "$1" && sleep 3 && [ "$(field "" links)" = 1 ] &&
		[ "$(field "$IN_B" links)" = 1 ] && kill -CONT "$1" && more ""
}
verdict restart-primary-stopped stopped $a
# What it put in place it does without its VMM.
verdict restart-secondary-stopped stopped $b

replaced() {
	kill -9 $b
	wait $b
	until_so is "" state lost || return 1
	stand_up restart-b2
	until_so is "" state idle && [ "$(field "" resync)" = full ] &&
		[ "$(field "" links)" = 2 ] && more ""
}
verdict restart-replaced replaced
verdict restart-verified $CTL verify --timeout $((60 * SLOW))s t

# And it takes over as the first would have.
taken() {
	kill -9 $a
	until_so is "$IN_B" state lost && $IN_B $CTL promote t && wait $b
}
verdict restart-taken taken
