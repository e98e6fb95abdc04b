#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Three guests that run are protected by one host. One loses its primary, is taken
# over, and runs on there; the other two are protected meanwhile and after it, and
# see nothing of that.
. "$(dirname "$0")/life_lib.sh"

ALL="1 2 3"
OTHERS="1 3"
OPTIONS="--ram 4M --ram1 2M --vram 1M --rate 512K/1s"

for i in $ALL; do
	# shellcheck disable=SC2086
	$IN_B timeout $((300 * SLOW)) $KVMM secondary --name host$i --listen $B:700$i \
		--side $B:710$i $COMMON $OPTIONS --seed "$i" --promote command --verify \
		--run-on $((3000 * SLOW)) --json "$LOGS/host$i-b.json" \
		>"$LOGS/host$i-b.log" 2>&1 &
	eval "b$i=$!"
done
sleep 1
for i in $ALL; do
	# shellcheck disable=SC2086
	$KVMM primary --name host$i --connect $B:700$i \
		--side $B:710$i $COMMON $PRIMARY $OPTIONS --seed "$i" --interval 500 \
		--count 0 --verify-each 1 --verify --json "$LOGS/host$i-a.json" \
		>"$LOGS/host$i-a.log" 2>&1 &
	eval "a$i=$!"
done

committed() { in_b $CTL get committed -s "host$1" 2>/dev/null || echo 0; }
past() {	# EPOCH SESSION...
	epoch=$1
	shift
	for i in "$@"; do
		[ "$(committed "$i")" -gt "$epoch" ] || return 1
	done
}
# shellcheck disable=SC2086
verdict host-protected until_true 30 past 2 $ALL

most=$(($(committed 1) > $(committed 3) ? $(committed 1) : $(committed 3)))
# shellcheck disable=SC2154
kill -KILL $a2
promoted() {
	until_true 20 in_state lost host2 in_b && in_b $CTL promote host2 &&
		until_true 10 in_state promoted host2 in_b
}
verdict host-promoted promoted
go_on() {	# while the guest of the second runs here
	# shellcheck disable=SC2086
	until_true 20 past $((most + 2)) $OTHERS && in_state promoted host2 in_b
}
verdict host-others-go-on go_on
# shellcheck disable=SC2154
wait $b2
taken_over=$?
good() { [ $taken_over = 0 ] && base_compared host2; }
verdict host-taken-over good
most=$(($(committed 1) > $(committed 3) ? $(committed 1) : $(committed 3)))
# shellcheck disable=SC2086
verdict host-others-after until_true 20 past $((most + 1)) $OTHERS

# shellcheck disable=SC2154
kill -TERM $a1 $a3
for i in $OTHERS; do
	eval "wait \$a$i"
	primary=$?
	eval "wait \$b$i"
	secondary=$?
	unhurt() { both_good && ! grep -q '"mismatch":true' "$LOGS/host$i-a.json"; }
	verdict "host$i" unhurt
done
verdict host-gone until_true 3 no_sessions
