#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kcoloctl beside a VMM: checkpoint, abort, promote and events of a guest that
# runs. nlclient is the VMM, which answers what it is asked.
. "$(dirname "$0")/life_lib.sh"

$NLCLIENT --slow "$SLOW" --session c1 vmm >"$LOGS/tool-vmm.log" 2>&1 &
vmm=$!
until_true 10 in_state idle c1

event() {	# TYPE COMMAND...: the event comes of the command
	type=$1
	shift
	follow "tool-$type" --type "$type" --count 1 --timeout 30s c1
	"$@" || return 1
	wait $events
}
has() {	# TYPE EXPRESSION of the event, as j
	python3 -c "import json, sys
j = json.loads(open(sys.argv[1]).readlines()[-1])
assert $2, j" "/tmp/tool-$1.json"
}
epoch() { [ "$($CTL "$@")" -gt 0 ]; }

verdict ctl-checkpoint event checkpoint-committed epoch checkpoint c1
verdict ctl-checkpoint-event has checkpoint-committed "j['kind'] == 'periodic' and j['epoch'] == 1 and j['state'] == 'idle'"
wait_ready() {	# which is over soon: only an event tells of it
	$CTL wait ready,lost --timeout 20s c1 >/tmp/tool-wait.txt &
	waiter=$!
	sleep 0.5
	$CTL checkpoint c1 >/dev/null && wait $waiter && [ "$(cat /tmp/tool-wait.txt)" = ready ]
}
verdict ctl-urgent event checkpoint-committed epoch checkpoint --urgent c1
verdict ctl-urgent-event has checkpoint-committed "j['kind'] == 'urgent' and j['stop-reason'] == 'urgent'"
json_epoch() { $CTL --json checkpoint c1 | python3 -c "import json, sys; assert json.load(sys.stdin) == {'epoch': 3}"; }
verdict ctl-checkpoint-json event checkpoint-committed json_epoch
# Each kind of line has the keys that kcoloctl(8) has of it, and no others.
documented() {
	$CTL --json events --now --statistics c1 >/tmp/tool-statistics.json &&
		python3 - /tmp/tool-checkpoint-committed.json /tmp/tool-statistics.json <<-END
	import json, re, sys
	tables = open("kcoloctl.8").read().split(".SS events")[1].split(".TS")[1:]
	keys = [{l.split("|")[0] for l in t.split(".TE")[0].splitlines() if re.match(r"[a-z-]+\|", l)}
	        for t in tables[:4]]
	lines, now = ([json.loads(l) for l in open(f)] for f in sys.argv[1:])
	both = {"action", "object"}
	assert set(lines[0]) == both | keys[0], set(lines[0]) ^ (both | keys[0])
	assert set(lines[1]) == both | keys[1], set(lines[1]) ^ (both | keys[1])
	assert set(lines[-1]) == both | keys[2], set(lines[-1]) ^ (both | keys[2])
	assert set(now[0]) == both | keys[0] | keys[3], set(now[0]) ^ (both | keys[0] | keys[3])
	assert [(l["action"], l["object"]) for l in now] == [
	    ("exists", "session"), ("exists", "region"), ("exists", "-")], now
	END
}
verdict ctl-man-events documented
# Text and JSON of the same say the same.
alike() {
	$CTL events --now c1 >/tmp/tool-now.txt && $CTL --json events --now c1 >/tmp/tool-now.json &&
		python3 - <<-END
	import json, shlex
	words = {True: "yes", False: "no"}
	text = [shlex.split(l) for l in open("/tmp/tool-now.txt")]
	for t, line in zip(text, open("/tmp/tool-now.json"), strict=True):
	    j = json.loads(line)
	    want = {k: words[v] if isinstance(v, bool) else str(v) for k, v in j.items() if v is not None}
	    assert t[:2] == [want.pop("action"), want.pop("object")], t
	    assert dict(w.split(":", 1) for w in t[2:]) == want, (t, want)
	END
}
verdict ctl-events-alike alike
stats() { $CTL --json stats c1 | python3 -c "import json, sys
j = json.load(sys.stdin); assert j['checkpoints'] == 3 and j['checkpoints-urgent'] == 1, j"; }
verdict ctl-stats stats

verdict ctl-wait-ready wait_ready
verdict ctl-wait-idle $CTL wait idle --timeout 20s c1
# The VMM holds the next one at ready.
kill -USR1 "$(sed -n "s/.* is pid //p" "$LOGS/tool-vmm.log")"
verdict ctl-ready event checkpoint-ready epoch checkpoint c1
busy() { ! $CTL checkpoint c1 2>"$LOGS/tool-busy.log" && grep -q "in state ready cannot do this\|does not allow this" "$LOGS/tool-busy.log"; }
verdict ctl-busy busy
verdict ctl-abort event checkpoint-aborted $CTL abort c1
verdict ctl-abort-event has checkpoint-aborted "j['abort-reason'] == 'requested' and j['state'] == 'idle'"
too_early() { $CTL events --count 1 --timeout 300ms c1 >/dev/null; [ $? = 1 ]; }
verdict ctl-events-timeout too_early
$CTL wait fenced --timeout 20s c1 >/tmp/tool-fenced.txt &
waiter=$!
sleep 0.3
verdict ctl-fenced event fenced in_b $CTL promote c1
wait $waiter
verdict ctl-wait-fenced [ $? = 0 ]
wait_never() { $CTL wait idle c1 2>/dev/null; [ $? = 6 ]; }
verdict ctl-wait-never wait_never
verdict ctl-fenced-state in_state fenced c1
verdict ctl-promoted in_state promoted c1 in_b
late() { ! $CTL checkpoint c1 2>"$LOGS/tool-late.log" && grep -q "in state fenced cannot do this\|does not allow this" "$LOGS/tool-late.log"; }
verdict ctl-late late
kill $vmm
wait $vmm
verdict ctl-gone until_true 3 no_sessions
