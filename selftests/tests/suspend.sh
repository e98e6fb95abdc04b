#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A host that is suspended: it is not refused, also while a guest is protected, and the
# session survives. The kernel's own test of the first part of it, pm_test: user space
# is frozen, and the CPU waits, so that no thread runs: for less than peer-timeout,
# which nobody notices; and for longer, when the link is lost and made again.
. "$(dirname "$0")/life_lib.sh"

[ -w /sys/power/pm_test ] || lacks "/sys/power/pm_test (CONFIG_PM_DEBUG)" 6.1 6.12
all="--name t $COMMON --ram $RAM_SMALL --rate 1M/1s --reconnect --lost-wait 60000"
# shellcheck disable=SC2086
$IN_B $KVMM secondary $all --listen $B:7000 --side $B:7100 --promote command \
	--json "$LOGS/suspend-b.json" >"$LOGS/suspend-b.log" 2>&1 &
b=$!
sleep 0.5
# shellcheck disable=SC2086
$KVMM primary $all $PRIMARY --connect $B:7000 --side $B:7100 --interval 100 --count 0 \
	--verify-each 1 --verify --json "$LOGS/suspend-a.json" >"$LOGS/suspend-a.log" 2>&1 &
a=$!

field() { $CTL get "$1" -s t 2>/dev/null || echo 0; }
past() { [ "$(field committed)" -gt "$1" ]; }
verdict suspend-protected until_true 30 past 2

echo freezer >/sys/power/pm_test
echo 3 >/sys/module/suspend/parameters/pm_test_delay
granted() {	# freeze or mem
	before=$(field committed)
	echo "$1" >/sys/power/state || return 1
	until_true 20 past $((before + 3)) || return 1
	echo "# $1: epoch $before, then $(field committed), link number $(field links)"
}
unnoticed() { granted "$1" && [ "$(field links)" = 1 ]; }
verdict suspend-freeze unnoticed freeze
verdict suspend-mem unnoticed mem
late() {
	$CTL set peer-timeout 1s t && $IN_B $CTL set peer-timeout 1s t && granted mem
}
verdict suspend-late late
echo none >/sys/power/pm_test

kill -TERM $a
wait $a
primary=$?
wait $b
secondary=$?
equal() { both_good && ! grep -q '"mismatch":true' "$LOGS/suspend-a.json"; }
verdict suspend-equal equal
