#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Four pairs at once, each with a guest that runs: RAM is equal on both ends of
# each after every checkpoint, and none sees anything of another.
. "$(dirname "$0")/life_lib.sh"

PAIRS="1 2 3 4"
# Not as fast as they can: the tool, too, is to have its turn.
OPTIONS="--ram 4M --ram1 2M --vram 1M --rate 512K/1s"

for i in $PAIRS; do
	# shellcheck disable=SC2086
	$IN_B timeout $((300 * SLOW)) $KVMM secondary --name many$i \
		--listen $B:700$i --side $B:710$i $COMMON $OPTIONS --seed "$i" \
		--json "$LOGS/many$i-b.json" >"$LOGS/many$i-b.log" 2>&1 &
	eval "b$i=$!"
done
sleep 1
for i in $PAIRS; do
	# shellcheck disable=SC2086
	timeout $((300 * SLOW)) $KVMM primary --name many$i --connect $B:700$i \
		--side $B:710$i $COMMON $PRIMARY $OPTIONS --seed "$i" \
		--interval 700 --count 0 --verify-each 1 --verify \
		--json "$LOGS/many$i-a.json" >"$LOGS/many$i-a.log" 2>&1 &
	eval "a$i=$!"
done

four() {	# [COMMAND that runs the tool elsewhere]
	"$@" $CTL -j session list >"$LOGS/many.json" &&
		python3 - "$LOGS/many.json" <<-END
		import json, sys
		s = json.load(open(sys.argv[1]))
		assert sorted(x["name"] for x in s) == ["many%d" % i for i in (1, 2, 3, 4)], s
		assert len({x["id"] for x in s}) == 4, s
		assert len({x["uuid"] for x in s}) == 4, s
		END
}
connected() {
	for i in $PAIRS; do
		"$@" $CTL get uuid -s "many$i" 2>/dev/null | grep -q . || return 1
	done
}
until_true 20 connected
until_true 20 connected $IN_B
verdict many-here four
verdict many-there four $IN_B
taken() {
	! $CTL session add many1 primary --connect $B:7999 --insecure -- true \
		2>"$LOGS/many-taken.log" &&
		grep -q "a session of this name exists" "$LOGS/many-taken.log"
}
verdict many-name-taken taken
which() {
	$CTL checkpoint 2>"$LOGS/many-which.log"
	code=$?
	sed "s/^/# exit code $code: /" "$LOGS/many-which.log"
	[ $code = 4 ] || return 1
	for i in $PAIRS; do
		grep -q "which session? There are .*many$i" "$LOGS/many-which.log" ||
			return 1
	done
}
verdict many-which which
committed() {
	for i in $PAIRS; do
		[ "$($CTL get committed -s "many$i" 2>/dev/null || echo 0)" -ge 3 ] ||
			return 1
	done
}
verdict many-committed until_true 20 committed
# shellcheck disable=SC2154
kill -TERM $a1 $a2 $a3 $a4
for i in $PAIRS; do
	eval "wait \$a$i"
	primary=$?
	eval "wait \$b$i"
	secondary=$?
	verdict "many$i" both_good
done
verdict many-gone until_true 3 no_sessions
