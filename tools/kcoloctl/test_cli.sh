#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kcoloctl against a kernel of its own (../lib/test_kernel.c), and the real tool
# against the kernel there is. KTAP.
#
# usage: test_cli.sh TEST_CLI KCOLOCTL

cli=$1
real=$2
. "${0%/*}/test_lib.sh"
out=$(mktemp)
err=$(mktemp)
trap 'rm -f "$out" "$err"' EXIT
unset KCOLO_FD KCOLO_SESSION

why() {
	sed 's/^/out: /' "$out"
	sed 's/^/err: /' "$err"
}

# until_signal SIGNAL COMMAND...: which has it once it has printed something
until_signal() {
	signal=$1
	shift
	: >"$out"
	"$@" >"$out" 2>"$err" &
	pid=$!
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ -s "$out" ] && break
		sleep 0.2
	done
	kill -"$signal" $pid
	wait $pid
}

matches() {	# PATTERN FILE, "" is nothing at all
	if [ -n "$1" ]; then
		grep -q -e "$1" "$2"
	else
		[ ! -s "$2" ]
	fi
}

# WHAT CODE STDOUT STDERR ARGS...
t() {
	what=$1 code=$2 so=$3 se=$4
	shift 4
	timeout 20 "$cli" "$@" >"$out" 2>"$err"
	got=$?
	[ $got = "$code" ] || echo "# exit code $got, not $code" >>"$err"
	[ $got = "$code" ] && matches "$so" "$out" && matches "$se" "$err"
	ok "$what" $?
}

json() {	# WHAT PYTHON-EXPRESSION-OF-o ARGS...
	what=$1 expr=$2
	shift 2
	timeout 20 "$cli" --json "$@" >"$out" 2>"$err" &&
		python3 -c "import json, sys
o = [json.loads(l) for l in open('$out')] if $lines else json.load(open('$out'))
sys.exit(not ($expr))" 2>>"$err"
	ok "$what" $?
}
lines=False

echo "KTAP version 1"

# The tool itself
t "no subcommand" 2 "" "usage:"
t "help" 0 "^usage: kcoloctl" "" --help
t "version" 0 "^kcoloctl [0-9]" "" --version
t "wrong subcommand" 2 "" 'there is no subcommand "frob"' frob
t "wrong session subcommand" 2 "" "add, del, show or list" session frob
t "wrong option" 2 "" "unrecognized option" stats --frob
for c in "session add" "session del" "session show" "session list" set get \
	 checkpoint abort apply drop promote events stats show dump wait; do
	# shellcheck disable=SC2086
	t "help of $c" 0 "^usage: kcoloctl $c" "" $c --help
done
t "help tells the signals" 0 "SIGINT, SIGTERM or SIGHUP comes" "" \
	session add --help
FAKE_NO_MODULE=1 t "no module" 3 "" \
	"^kcoloctl: the kcolo module is not loaded: modprobe kcolo$" stats

# Which session
t "the only session" 0 "^idle$" "" get state
t "by name" 0 "^session: vm1$" "" session show vm1
t "by -s" 0 "^session: vm1$" "" session show -s vm1
t "by --session before" 0 "^session: vm1$" "" --session vm1 session show
t "by --name" 0 "^session: vm1$" "" session show --name=vm1
t "twice" 2 "" "one session too many" session show -s vm1 vm1
t "too much" 2 "" "one argument too many" session show vm1 vm2
t "no such session" 4 "" "^kcoloctl: there is no such session$" \
	session show other
t "a name too long" 2 "" "1 to 63 characters" session show \
	0123456789012345678901234567890123456789012345678901234567890123
FAKE_SESSIONS=0 t "none" 4 "" "there is no session" abort
FAKE_SESSIONS=3 t "which" 4 "" "which session? There are vm1, vm2, vm3" abort
FAKE_SESSIONS=40 t "which of many" 4 "" "vm16, \.\.\.\. Say" abort
KCOLO_FD=99 t "an inherited fd that is closed" 4 "" "KCOLO_FD=99" abort
KCOLO_FD=x t "an inherited fd that is none" 4 "" "KCOLO_FD=x" abort
KCOLO_FD=3 t "an inherited fd" 0 "^session: vm1$" "" session show 3</dev/null
KCOLO_FD=3 t "dump of an inherited fd" 0 "^vm1	3	primary	" "" dump 3</dev/null

# Reading
t "list" 0 "^vm1 .*primary .*idle .*41 .*10.0.0.2:7000" "" session list
t "list takes no name" 2 "" "lists all" session list vm1
t "stats" 0 "aborts  *1007" "" stats
t "show is session show" 0 "^session: vm1$" "" show
FAKE_SESSIONS=0 t "show of none" 0 "" "" show
FAKE_SESSIONS=0 t "dump of none" 0 "" "" dump
FAKE_NO_STATS=1 t "show, it has ended meanwhile" 0 "^    ram: 1 GiB at" "" show
FAKE_NO_STATS=1 t "stats, it has ended" 4 "" "no such session" stats
json "show of all in JSON" "[s['name'] for s in o] == ['vm1']" show
json "show in JSON" "o['name'] == 'vm1' and o['peer'] == '10.0.0.2:7000' and
o['local'] is None and o['pending'] == 2**64 - 1 and o['synced'] is True and
o['abort-reason'] == 'unknown-99' and o['uuid'] ==
'30313233-3435-3637-3839-616263646566' and o['regions'][1]['size'] == 1 << 24
and o['error'] == 'the \"last\" error' and o['clean'] is True and
o['device-state'] == 'external' and o['log-sync-timeout'] == 150 and
o['staging-limit'] == 5 << 20" session show vm1
json "list in JSON" "[s['name'] for s in o] == ['vm1']" session list
json "stats in JSON" "o['session-name'] == 'vm1' and len(o) == 61 and
o['log-errors'] == 1042" stats vm1
FAKE_SESSIONS=2 json "stats of all in JSON" \
	"[s['session-id'] for s in o] == [3, 4]" stats --all
t "get" 0 "^67108864$" "" get threshold
t "get of a session" 0 "^67108864$" "" get threshold vm1
t "get a field" 0 "^idle$" "" get state
t "get all" 0 "^pause-limit 2500$" "" get
t "get all of a session" 0 "^checksum true$" "" get vm1
t "get what is not" 2 "" 'no parameter "frob"' get frob vm1
json "get in JSON" "o == {'min-gain': 10}" get min-gain

# Names and words that are no text: none of it gets to a terminal, or into JSON.
raw='\\x1b\[2J\\xe9'
quoted='"vm1\\x1b\[2J\\xe9"'
export FAKE_RAW=1
t "show, no text" 0 "^session: vm1$raw$" "" session show vm1
t "show, an error that is no text" 0 "^  error: the \"last\" error$raw$" "" \
	session show vm1
t "show, a region that is no text" 0 "^    ram$raw: 1 GiB at 0x7f" "" \
	session show vm1
t "dump, no text" 0 "^vm1$raw	3	.*	the \"last\" error$raw	2	" "" dump
t "list, no text" 0 "^vm1$raw  " "" session list
t "stats, no text" 0 "^session vm1$raw$" "" stats
t "get, no text" 0 "^vm1$raw$" "" get name
FAKE_SESSIONS=2 t "which, no text" 4 "" "There are vm1$raw, vm2$raw\." abort
t "refused, no text" 1 "" "^kcoloctl: a primary$raw$" promote
FAKE_LATE=3 t "events, no text" 0 \
	"^change session name:$quoted id:3 event:checkpoint-ready .* error:$quoted$" \
	"" events -n 1 vm1
t "what there is, no text" 0 \
	'^exists session name:'"$quoted"' .* error:"the \\"last\\" error'"$raw"'"$' \
	"" events --now vm1
t "its regions, no text" 0 \
	'^exists region session:'"$quoted"' session-id:3 name:"ram'"$raw"'" id:0 size:1073741824 in-place:no$' \
	"" events --now vm1
FAKE_HANG_UP=1 t "add, no text" 0 "^session vm1$raw id 3$" "" \
	session add vm1 primary --insecure --connect 10.0.0.2:7000
json "JSON, no text" "o[0]['name'] == 'vm1\\x1b[2J\\\\xe9' and
o[0]['regions'][0]['name'] == 'ram\\x1b[2J\\\\xe9'" session show
unset FAKE_RAW

# Setting
t "set" 0 "" "" set threshold 64M
t "set of a session" 0 "" "" set threshold 64M min-gain 5 vm1
t "set log-sync" 0 "" "" set log-sync on log-sync-timeout 50ms vm1
t "set staging-limit" 0 "" "" set staging-limit 64M vm1
t "show staging-limit" 0 "^    staging-limit: 5 MiB$" "" session show
t "set off" 0 "" "" set checksum off peer-timeout 2s
t "set nothing" 2 "" "which parameter" set
t "set without a value" 2 "" "which parameter" set threshold
t "set garbage" 2 "" 'threshold is a size, as 64M or 1G, not "64X"' \
	set threshold 64X
t "set overflow" 2 "" "max-iterations is a number" \
	set max-iterations 4294967296
t "set what is not" 2 "" 'no parameter "frob"' set frob 1
t "set out of range" 1 "" "^kcoloctl: integer out of range (min-gain)$" \
	set min-gain 101

# Checkpoints
t "checkpoint" 0 "^43$" "" checkpoint --urgent vm1
json "checkpoint in JSON" "o == {'epoch': 43}" checkpoint
t "abort" 0 "" "" abort
t "apply" 0 "" "" apply
t "apply this one" 0 "" "" apply --epoch 42 vm1
t "apply another" 1 "" "^kcoloctl: epoch 42 is open$" apply -e 41 vm1
t "apply no epoch" 2 "" 'epoch is a number, not "0"' apply -e 0
t "drop" 0 "" "" drop vm1
t "drop another" 1 "" "^kcoloctl: epoch 42 is open$" drop --epoch 43
t "promote" 1 "" "^kcoloctl: a primary cannot be promoted$" promote

# Events: what the snapshot has said is not said again, so the third is the first.
FAKE_EARLY=2 FAKE_LATE=2 t "events" 0 \
	"^change session name:vm1 id:3 event:checkpoint-ready seq:3 state:ready epoch:42 kind:periodic stop-reason:gain pending:4096 rounds:2 pause-us:1234$" \
	"" events --count 2 vm1
t "what there is" 0 \
	'^exists session name:vm1 id:3 role:primary device-state:external peer:10.0.0.2:7000 seq:2 state:idle epoch:42 committed:41 pending:18446744073709551615 synced:yes stop-reason:threshold abort-reason:unknown-99 error:"the \\"last\\" error"$' \
	"" events --now vm1
lines=True
json "what there is, in JSON" \
	"[(e['action'], e['object']) for e in o] == [('exists', 'session'),
('exists', 'region'), ('exists', 'region'), ('exists', '-')] and
o[0]['error'] == 'the \"last\" error' and o[0]['local'] is None and
o[2]['name'] == 'vram' and o[2]['session'] == 'vm1'" events --now
FAKE_EARLY=2 FAKE_LATE=3 json "events in JSON, after what there is" \
	"[e.get('event', e['action']) for e in o] == ['exists'] * 4 +
['checkpoint-ready', 'checkpoint-ready', 'checkpoint-aborted'] and
o[4]['seq'] == 3 and o[6]['error'] is None" events --count 3 vm1
json "both say the same" "len(o) == 4 and [set(l for l in o[0] if o[0][l] is not
None)] == [set(w.split(':')[0] for w in __import__('shlex').split(
__import__('subprocess').run(['$cli', 'events', '--now'], stdout=-1,
text=True).stdout.splitlines()[0])[2:]) | {'action', 'object'}]" events --now
json "statistics" "o[0]['aborts'] == 1007 and o[0]['last-pause-us'] == 1034 and
'aborts' not in o[1]" events --now --statistics
FAKE_LATE=3 json "statistics of an event" "o[-1]['aborts'] == 1007" \
	events --statistics --count 1 vm1
json "timestamps in JSON" "all(__import__('datetime').datetime.fromisoformat(
e['time']).utcoffset() is not None and list(e)[0] == 'time' for e in o)" \
	events --now --timestamps
FAKE_LATE=40 json "events that were lost" \
	"[e['event'] for e in o if 'event' in e] == ['checkpoint-aborted'] * 2" \
	events -T checkpoint-aborted -n 2 vm1
FAKE_EARLY=40 json "events that did not fit" \
	"o[-5] == {'action': 'change', 'object': '-', 'event': 'lost'} and
[e['action'] for e in o[-4:]] == ['exists'] * 4 and
o[-1] == {'action': 'exists', 'object': '-'}" events -t 200ms vm1
FAKE_EARLY=40 FAKE_ENDS=1 KCOLO_FD=3 json "the end was lost" \
	"o[-6]['event'] == 'lost' and o[-2]['object'] == '-' and
o[-1]['action'] == 'destroy' and o[-5]['state'] == o[-1]['state'] == 'closed'" \
	events 3</dev/null
FAKE_EARLY=40 FAKE_ENDS=2 json "the end was lost, and the session is gone" \
	"o[-2] == {'action': 'exists', 'object': '-'} and
(o[-1]['action'], o[-1]['event'], o[-1]['seq'], o[-1]['id'], o[-1]['name']) ==
('destroy', 'session-del', 32, 3, 'vm1')" events vm1
FAKE_EARLY=40 FAKE_ENDS=3 json "its name is another's" \
	"[e['action'] for e in o[-2:]] == ['exists', 'destroy'] and o[-1]['id'] == 3" \
	events vm1
lines=False
FAKE_EARLY=40 t "events that were lost, in text" 0 "^change - event:lost$" "" \
	events -t 200ms vm1
t "timestamps" 0 \
	'^20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]\{6\}[+-][0-9][0-9]:[0-9][0-9] exists -$' \
	"" events --now --timestamps
FAKE_STATE=15 KCOLO_FD=3 t "events of a session that has ended" 0 \
	'^destroy session name:vm1 id:3 event:session-del seq:2 state:closed abort-reason:unknown-99 error:"the \\"last\\" error"$' \
	"" events 3</dev/null
FAKE_ENDS=2 t "it ends while it is subscribed to" 0 \
	"^destroy session name:vm1 id:3 event:session-del seq:2" "" events vm1
FAKE_EARLY=40 FAKE_ENDS=2 t "its end is the event that is waited for" 0 \
	"^destroy session name:vm1" "" events -T session-del -n 1 vm1
FAKE_EARLY=40 FAKE_ENDS=2 t "its end is not" 1 "^exists -$" "" \
	events -T promoted -n 1 vm1
t "events of no session" 4 "" "^kcoloctl: there is no such session$" \
	events other
t "too few events" 1 "^exists -$" "" events --count 1 --timeout 100ms vm1
t "a timeout" 0 "^exists -$" "" events --timeout 100ms vm1
t "wrong count" 2 "" "count is a number" events -n 0
t "wrong timeout" 2 "" "timeout is a time" events -t 1m
t "wrong type" 2 "" 'no event "frob"' events -T frob

# Waiting
t "wait, it is so" 0 "^idle$" "" wait idle vm1
t "wait for one of several" 0 "^idle$" "" wait lost,idle,fenced
json "wait in JSON" "o == {'state': 'idle'}" wait idle
FAKE_LATE=3 t "wait for an event" 0 "^ready$" "" wait ready vm1
FAKE_EARLY=2 t "wait, what is read is newer" 5 "" "vm1 is still idle$" \
	wait ready --timeout 100ms vm1
FAKE_EARLY=40 t "wait, events were lost" 0 "^ready$" "" wait ready vm1
t "wait for too long" 5 "" "^kcoloctl: session vm1 is still idle$" \
	wait lost --timeout 100ms
t "wait for what a primary never is" 6 "" "vm1, a primary, is idle, and that is not to come any more: the \"last\"" \
	wait promoted vm1
FAKE_STATE=11 t "wait for what it was once" 6 "" "vm1, a primary, is lost, and" \
	wait idle vm1
FAKE_STATE=11 t "wait for what may still come" 5 "" "is still lost" \
	wait fenced -t 100ms vm1
FAKE_STATE=99 t "wait in a state of a newer kernel" 5 "" "is still unknown-99" \
	wait idle -t 100ms vm1
FAKE_ENDS=2 t "wait, and it ends" 6 "" "vm1, a primary, is closed" wait lost vm1
FAKE_ENDS=2 t "wait for the end" 0 "^closed$" "" wait closed vm1
t "wait for no session" 4 "" "there is no such session" wait idle other
t "wait for nothing" 2 "" "which state" wait
t "wait for no state" 2 "" 'no state "frob"' wait idle,frob vm1
t "wait for what no event tells" 2 "" '"precopy" passes without an event' \
	wait precopy vm1
t "wrong time to wait" 2 "" "timeout is a time" wait idle -t 1m

# Watching: what is of now or of the last checkpoint has no rate.
t "watch" 0 "^  aborts  *1007  *0.0/s$" "" stats --watch=10ms --count 2
t "watch a time of its own" 0 "^  last-pause-us  *1034$" "" \
	stats --watch 10ms --count 2 vm1
lines=True
json "watch in JSON" "len(o) == 3 and o[0]['per-second'] is None and
o[2]['per-second']['aborts'] == 0 and o[2]['aborts'] == 1007 and
not any(k.startswith('last-') or k == 'pending' for k in o[2]['per-second'])" \
	stats -w 10ms -n 3
FAKE_SESSIONS=2 json "watch all" "[s['session-id'] for s in o] == [3, 4] * 2" \
	stats --all --watch=10ms --count 2
lines=False
t "wrong interval" 2 "" 'a time up to a day, as 500ms or 2s, not "0"' \
	stats --watch=0
t "count without watch" 2 "" "goes with --watch" stats --count 2
for s in INT TERM HUP; do
	until_signal $s "$cli" stats --watch=10ms && [ ! -s "$err" ]
	ok "watch until SIG$s" $?
done

# Colours
esc=$(printf '\033')
t "no colour in a file" 0 "^session: vm1$" "" show vm1
t "colour, always" 0 "^$esc\[1msession:$esc\[0m $esc\[32mvm1$esc\[0m$" "" \
	show --color always
t "colour before the subcommand" 0 "^$esc\[1mexists$esc\[0m -$" "" \
	--color=always events --now
t "wrong colour" 2 "" 'auto, always or never, not "red"' show --color red
t "wrong colour before" 2 "" 'auto, always or never, not "red"' --color red show
# On a terminal, which Python makes.
tty() {	# WHAT PATTERN [VARIABLE=VALUE...] ARGS...
	what=$1 pattern=$2
	shift 2
	python3 -c 'import os, pty, sys
pty.spawn(sys.argv[1:])' env -u NO_COLOR TERM=xterm "$@" </dev/null >"$out" 2>"$err"
	grep -q "$pattern" "$out"
	ok "$what" $?
}
cr=$(printf '\r')
tty "colour on a terminal" "^$esc\[1msession:$esc\[0m " "$cli" show
tty "NO_COLOR" "^session: vm1$cr$" NO_COLOR=1 "$cli" show
tty "an empty NO_COLOR is none" "^$esc\[1msession:" NO_COLOR= "$cli" show
tty "NO_COLOR, but asked for" "^$esc\[1msession:" NO_COLOR=1 "$cli" show --color always
tty "a terminal without colours" "^session: vm1$cr$" TERM=dumb "$cli" show
tty "no colour, asked for" "^session: vm1$cr$" "$cli" show --color never
tty "watch on a terminal begins anew" "$esc\[H$esc\[1msession vm1$esc\[0m$esc\[K" \
	"$cli" stats --watch=10ms --count 2
[ "$(grep -o "$esc\[2J" "$out" | wc -l)" = 1 ]
ok "watch on a terminal clears it once" $?
tty "watch on a terminal shows what has room" "^([0-9]* more)$esc\[K" \
	"$cli" stats --watch=10ms --count 2

# Creating
p="session add vm1 primary --insecure"
# shellcheck disable=SC2086,SC2016
{
	t "add with a command" 0 "^[0-9][0-9]* vm1$" "" \
		$p --connect 10.0.0.2:7000 --threshold 64M -- \
		sh -c 'echo $KCOLO_FD $KCOLO_SESSION; : <&$KCOLO_FD'
	t "the command's exit code" 7 "" "" \
		$p --connect 10.0.0.2:7000 -- sh -c 'exit 7'
	t "no such command" 1 "" "nosuchcommand: No such file" \
		$p --connect 10.0.0.2:7000 -- nosuchcommand
	t "no command" 2 "" "which command" $p --connect 10.0.0.2:7000 --
	t "a command without --" 2 "" "NAME and primary or secondary" \
		$p --connect 10.0.0.2:7000 true
	FAKE_HANG_UP=1 t "held until deleted" 0 "^session vm1 id 3$" "" \
		$p --connect 10.0.0.2:7000
	t "no address" 2 "" "needs --connect" $p
	t "no port" 2 "" "is ADDR:PORT" $p --connect 10.0.0.2
	t "port 0" 2 "" "is ADDR:PORT" $p --connect 10.0.0.2:0
	t "a host name" 2 "" "is ADDR:PORT" $p --connect host:7000
	t "bind" 0 "" "" $p --connect 10.0.0.2:7000 --bind 10.0.0.1 -- true
	t "bind, IPv6" 0 "" "" $p --connect "[::1]:7000" --bind "[::1]" -- true
	t "wrong bind" 2 "" "bind is ADDR" $p --connect "[::1]:7000" --bind x
	t "a primary that listens" 2 "" "does not listen" \
		$p --listen 10.0.0.2:7000
	t "wrong value" 2 "" "pause-limit is a time" $p --pause-limit x
}
t "a secondary that connects" 2 "" "only listens" \
	session add vm1 secondary --insecure --connect 10.0.0.2:7000
t "external device state" 0 "" "" session add vm1 secondary --insecure \
	--listen '*:7000' --device-state external -- true
t "wrong device state" 2 "" 'session or external, not "none"' \
	session add vm1 secondary --insecure --device-state none
t "a secondary" 0 "" "" \
	session add vm1 secondary --insecure --listen '*:7000' -- true
t "not said to be insecure" 2 "" "insecure" \
	session add vm1 primary --connect 10.0.0.2:7000
t "wrong role" 2 "" 'not "third"' session add vm1 third --insecure

for s in INT TERM HUP; do
	until_signal $s "$cli" --json session add vm1 primary --insecure \
		--connect 10.0.0.2:7000 && grep -q '^{"id":3,"name":"vm1"}$' "$out"
	ok "held until SIG$s" $?
done

"$cli" session list >/dev/full 2>"$err" ||
	grep -q "No space left" "$err"
ok "half an answer is none" $?

# The real tool: its answer depends on the host.
"$real" session list >"$out" 2>"$err"
case $? in
0)	ok "this kernel has the module" 0 ;;
3)	grep -q "^kcoloctl: the kcolo module is not loaded: modprobe kcolo$" \
		"$err"
	ok "this kernel has no module" $? ;;
*)	ok "this kernel has generic netlink" 1 ;;
esac

finish
