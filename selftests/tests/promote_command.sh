#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The way of README.md: "kcoloctl session add ... -- VMM" on both ends, the
# primary dies, and "kcoloctl promote" has the secondary's VMM, which does not
# promote by itself, go on with the guest. What the guest wrote is replayed.
. "$(dirname "$0")/life_lib.sh"

# standby NAME OPTIONS...: a secondary whose VMM waits
standby() {
	name=$1
	shift
	# shellcheck disable=SC2086
	$IN_B timeout -k 10 $((240 * SLOW)) \
		$CTL session add p secondary --listen $B:7000 --insecure -- \
		$KVMM secondary --side $B:7100 $COMMON --ram $RAM_SMALL \
		--promote command --run-on 300 --verify "$@" \
		--json "$LOGS/$name-b.json" >"$LOGS/$name-b.log" 2>&1 &
	second=$!
	until_true 5 grep -q "waiting for a primary" "$LOGS/$name-b.log"
}

protect() {	# NAME
	# shellcheck disable=SC2086
	$CTL session add p primary --connect $B:7000 --insecure -- \
		$KVMM primary --side $B:7100 $COMMON $PRIMARY --ram $RAM_SMALL \
		--interval 20 --count 0 --verify-each 1 --threshold 512K \
		--lost-wait 500 >"$LOGS/$1-a.log" 2>&1 &
	first=$!
	until_true 20 committed || echo "# $1: nothing is committed"
}

committed() { [ "$($CTL get committed -s p 2>/dev/null || echo 0)" -ge 3 ]; }
waits() { kill -0 $second 2>/dev/null; }
refused() { ! in_b $CTL promote p 2>"$LOGS/promote.err" && grep -q . "$LOGS/promote.err"; }

# The epoch that was committed last is the one the guest goes on from.
went_on() {	# NAME
	wait $second
	[ $? = 0 ] && python3 - "$LOGS/$1-b.json" <<-'END'
	import json, sys
	rows = [json.loads(line) for line in open(sys.argv[1])]
	last = max(r['epoch'] for r in rows if r['type'] == 'committed')
	s = [r for r in rows if r['type'] == 'summary'][0]
	print('# epoch %d, steps %d to %d' % (s['epoch'], s['steps'], s['steps_after']))
	sys.exit(not (s['promoted'] and s['epoch'] == last and s['guest_good'] and
	              s['base_known'] and s['base_equal'] and
	              s['steps_after'] > s['steps'] > 0))
	END
}

dead() {	# NAME OPTIONS...
	standby "$@"
	verdict "$1-nothing-yet" refused
	protect "$1"
	kill -9 $first
	until_true 3 in_state lost p in_b
	sleep 0.5
	verdict "$1-waits" waits
	verdict "$1-command" in_b $CTL promote p
	verdict "$1" went_on "$1"
}

dead promote-dead
# A VMM that reads the session's state instead of events.
dead promote-no-events --no-events

# The old primary is still there: it is told, and its guest stands still.
fenced() {
	wait $first
	[ $? = 3 ]
}
standby promote-fences
protect promote-fences
verdict promote-fences-command in_b $CTL promote p
verdict promote-fences-primary fenced
verdict promote-fences went_on promote-fences
verdict promote-nothing-left until_true 3 no_sessions
