#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kcoloctl against a kernel of its own (../lib/test_kernel.c), and the real tool
# against the kernel there is. KTAP.
#
# usage: test_cli.sh TEST_CLI KCOLOCTL

cli=$1
real=$2
nr=0
failed=0
out=$(mktemp)
err=$(mktemp)
trap 'rm -f "$out" "$err"' EXIT
unset KCOLO_FD KCOLO_SESSION

ok() {	# what, status of the test
	nr=$((nr + 1))
	if [ "$2" = 0 ]; then
		echo "ok $nr $1"
	else
		failed=$((failed + 1))
		echo "not ok $nr $1"
		sed 's/^/# out: /' "$out"
		sed 's/^/# err: /' "$err"
	fi
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
	 checkpoint abort apply drop promote events stats; do
	# shellcheck disable=SC2086
	t "help of $c" 0 "^usage: kcoloctl $c" "" $c --help
done
t "help tells the signals" 0 "SIGINT, SIGTERM or SIGHUP comes" "" \
	session add --help
FAKE_NO_MODULE=1 t "no module" 3 "" \
	"^kcoloctl: the kcolo module is not loaded: modprobe kcolo$" stats

# Which session
t "the only session" 0 "name: vm1\|session vm1" "" session show
t "by name" 0 "session vm1" "" session show vm1
t "by -s" 0 "session vm1" "" session show -s vm1
t "by --session before" 0 "session vm1" "" --session vm1 session show
t "by --name" 0 "session vm1" "" session show --name=vm1
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
KCOLO_FD=3 t "an inherited fd" 0 "session vm1" "" session show 3</dev/null

# Reading
t "list" 0 "^vm1 .*primary .*idle .*41 .*10.0.0.2:7000" "" session list
t "list takes no name" 2 "" "lists all" session list vm1
t "stats" 0 "aborts  *1007" "" stats
json "show in JSON" "o['name'] == 'vm1' and o['peer'] == '10.0.0.2:7000' and
o['local'] is None and o['pending'] == 2**64 - 1 and o['synced'] is True and
o['abort-reason'] == 'unknown-99' and o['uuid'] ==
'30313233-3435-3637-3839-616263646566' and o['regions'][1]['size'] == 1 << 24
and o['error'] == 'the \"last\" error' and o['clean'] is True and
o['device-state'] == 'external' and o['log-sync-timeout'] == 150 and
o['staging-limit'] == 5 << 20" session show
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
export FAKE_RAW=1
t "show, no text" 0 "^session vm1$raw$" "" session show
t "show, an error that is no text" 0 "^  error: the \"last\" error$raw$" "" \
	session show
t "show, a region that is no text" 0 "^  region ram$raw: 1G" "" session show
t "list, no text" 0 "^vm1$raw  " "" session list
t "stats, no text" 0 "^session vm1$raw$" "" stats
t "get, no text" 0 "^vm1$raw$" "" get name
FAKE_SESSIONS=2 t "which, no text" 4 "" "There are vm1$raw, vm2$raw\." abort
t "refused, no text" 1 "" "^kcoloctl: a primary$raw$" promote
FAKE_LATE=1 t "events, no text" 0 "^vm1$raw checkpoint-ready .*error=\"vm1$raw\"$" \
	"" events -n 1 vm1
t "a snapshot, no text" 0 "^vm1$raw exists" "" events -S -t 1ms vm1
FAKE_HANG_UP=1 t "add, no text" 0 "^session vm1$raw id 3$" "" \
	session add vm1 primary --insecure --connect 10.0.0.2:7000
json "JSON, no text" "o['name'] == 'vm1\\x1b[2J\\\\xe9' and
o['regions'][0]['name'] == 'ram\\x1b[2J\\\\xe9'" session show
unset FAKE_RAW

# Setting
t "set" 0 "" "" set threshold 64M
t "set of a session" 0 "" "" set threshold 64M min-gain 5 vm1
t "set log-sync" 0 "" "" set log-sync on log-sync-timeout 50ms vm1
t "set staging-limit" 0 "" "" set staging-limit 64M vm1
t "show staging-limit" 0 "^  staging-limit: 5M$" "" session show
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

# Events
FAKE_EARLY=2 FAKE_LATE=2 t "events" 0 \
	"^vm1 checkpoint-ready seq=3 state=ready epoch=42 kind=periodic stop-reason=gain pending=4096 rounds=2 pause-us=1234$" \
	"" events --count 4 vm1
lines=True
FAKE_EARLY=2 FAKE_LATE=3 json "events in JSON, with a snapshot" \
	"[e['type'] for e in o] == ['exists', 'exists-end',
'checkpoint-ready', 'checkpoint-ready', 'checkpoint-aborted'] and
o[2]['seq'] == 3 and o[4]['error'] is None" \
	events --snapshot --count 3 vm1
FAKE_LATE=40 json "events that were lost" \
	"[e['type'] for e in o] == ['checkpoint-aborted'] * 2" \
	events -T checkpoint-aborted -n 2 vm1
FAKE_EARLY=40 json "events that did not fit" \
	"[e['type'] for e in o][-3:] == ['lost', 'exists', 'exists-end']" \
	events -t 200ms vm1
FAKE_EARLY=40 FAKE_ENDS=1 KCOLO_FD=3 json "the end was lost" \
	"[e['type'] for e in o][-4:] == ['lost', 'exists', 'exists-end',
'session-del'] and o[-3]['state'] == o[-1]['state'] == 'closed'" \
	events 3</dev/null
FAKE_EARLY=40 FAKE_ENDS=2 json "the end was lost, and the session is gone" \
	"[e['type'] for e in o][-3:] == ['lost', 'exists-end', 'session-del'] and
(o[-1]['seq'], o[-1]['session-id'], o[-1]['session-name']) == (32, 3, 'vm1')" \
	events vm1
FAKE_EARLY=40 FAKE_ENDS=3 json "its name is another's" \
	"[e['type'] for e in o][-3:] == ['lost', 'exists-end', 'session-del'] and
o[-1]['session-id'] == 3" events vm1
lines=False
FAKE_STATE=15 KCOLO_FD=3 t "events of a session that has ended" 0 \
	'^vm1 session-del seq=2 state=closed abort-reason=unknown-99 error="the "last" error"$' \
	"" events 3</dev/null
FAKE_STATE=15 KCOLO_FD=3 t "with a snapshot" 0 "^vm1 session-del" "" \
	events --snapshot 3</dev/null
FAKE_ENDS=2 t "it ends while it is subscribed to" 0 "^vm1 session-del seq=2" "" \
	events vm1
FAKE_EARLY=40 FAKE_ENDS=2 t "its end is the event that is waited for" 0 \
	"^vm1 session-del" "" events -T session-del -n 1 vm1
FAKE_EARLY=40 FAKE_ENDS=2 t "its end is not" 1 "^- exists$" "" \
	events -T promoted -n 1 vm1
t "events of no session" 4 "" "^kcoloctl: there is no such session$" \
	events other
t "too few events" 1 "" "" events --count 1 --timeout 100ms vm1
t "a timeout" 0 "" "" events --timeout 100ms vm1
t "wrong count" 2 "" "count is a number" events -n 0
t "wrong timeout" 2 "" "timeout is a time" events -t 1m
t "wrong type" 2 "" 'no event "frob"' events -T frob

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
	: >"$out"
	"$cli" --json session add vm1 primary --insecure \
		--connect 10.0.0.2:7000 >"$out" 2>"$err" &
	pid=$!
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ -s "$out" ] && break
		sleep 0.2
	done
	kill -$s $pid
	wait $pid && grep -q '^{"id":3,"name":"vm1"}$' "$out"
	ok "held until SIG$s" $?
done

"$cli" session list >/dev/full 2>"$err" ||
	grep -q "No space left" "$err"
ok "half an answer is none" $?

# Completion: bash has a kcoloctl of its own for it.
completes() {	# WHAT CHOICES WORD...
	what=$1 choices=$2
	shift 2
	bash -c 'kcoloctl() { printf "NAME ID\nvm1 3\nvm2 4\n"; }
		. "$0"
		COMP_WORDS=(kcoloctl "$@")
		COMP_CWORD=$#
		_kcoloctl
		echo "${COMPREPLY[*]}"' "${0%/*}/kcoloctl.bash" "$@" >"$out" 2>"$err"
	[ "$(cat "$out")" = "$choices" ] && [ ! -s "$err" ]
	ok "completion of $what" $?
}
completes "a subcommand" "session set stats" s
completes "set" "checksum" set ch
completes "set checksum" "on off" set checksum ""
completes "set log-sync" "on off" set threshold 1M log-sync ""
completes "set log-sync on" "log-sync log-sync-timeout" set log-sync on log
completes "set, a session" "vm1 vm2" set log-sync on vm
completes "get checksum" "vm1 vm2" get checksum ""
completes "get log-sync" "vm1 vm2" get log-sync ""
completes "session add --checksum" "on off" session add vm1 --checksum ""

# The real tool: its answer depends on the host.
"$real" session list >"$out" 2>"$err"
case $? in
0)	ok "this kernel has the module" 0 ;;
3)	grep -q "^kcoloctl: the kcolo module is not loaded: modprobe kcolo$" \
		"$err"
	ok "this kernel has no module" $? ;;
*)	ok "this kernel has generic netlink" 1 ;;
esac

echo "1..$nr"
echo "# $failed failed"
[ $failed = 0 ]
