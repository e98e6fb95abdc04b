#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I5: a VMM is killed at random moments, at either end, while checkpoints run in
# a loop. The other end knows within seconds, no session is left, and the
# memory of both is free again.
. "$(dirname "$0")/life_lib.sh"

ROUNDS=${ROUNDS:-3}
# KiB that the kernel may keep for itself; the memory of one guest is more.
SLACK=$((12 * 1024))

start_pair() {
	# shellcheck disable=SC2086
	$IN_B $KVMM secondary --name k --listen $B:7000 --side $B:7100 $COMMON \
		--ram $RAM_SMALL --seed "$1" --promote command >"$LOGS/life-kill-b.log" 2>&1 &
	b=$!
	# shellcheck disable=SC2086
	$KVMM primary --name k --connect $B:7000 --side $B:7100 $COMMON $PRIMARY \
		--ram $RAM_SMALL --seed "$1" --interval 20 --count 0 \
		--threshold 512K --exit-on-lost --lost-wait 500 \
		>"$LOGS/life-kill-a.log" 2>&1 &
	a=$!
}

committed() { [ "$($CTL get committed -s k 2>/dev/null || echo 0)" -ge 1 ]; }
gone() { ! kill -0 "$1" 2>/dev/null; }

lost_there() {
	[ "$(in_b $CTL get abort-reason -s k 2>/dev/null)" = peer-lost ]
}

round() {	# which end, number
	start_pair "$2"
	until_true 20 committed || { echo "# no checkpoint"; return 1; }
	sleep "0.$(od -An -N1 -tu1 /dev/urandom | tr -d ' ')"
	if [ "$1" = a ]; then
		kill -9 $a
		until_true 3 lost_there || { echo "# the secondary knows nothing"; return 1; }
		until_true 3 in_state lost k in_b || return 1
		kill -9 $b
	else
		kill -9 $b
		# It ends when it has lost its peer and the guest was good after it.
		until_true 5 gone $a || { echo "# the primary knows nothing"; return 1; }
		wait $a
		primary=$?
		[ $primary = 4 ] || { echo "# the primary ended with $primary"; return 1; }
	fi
	wait $a $b 2>/dev/null
	until_true 3 no_sessions || { echo "# a session is left"; return 1; }
}

rounds() {
	i=0
	while [ $i -lt "$ROUNDS" ]; do
		i=$((i + 1))
		round "$1" $i || return 1
	done
}

memory_back() {
	until_true 5 held_no_more
	enough=$?
	echo "# $(($(held) - before)) KiB more than before are held"
	return $enough
}
held_no_more() { [ "$(held)" -le $((before + SLACK)) ]; }

# Once to have all that is loaded once and stays.
round a 0
round b 0
sync
before=$(held)
verdict life-kill-primary rounds a
verdict life-kill-secondary rounds b
verdict life-kill-memory memory_back
