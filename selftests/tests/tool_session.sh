#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kcoloctl against the module: sessions are added, shown, set, read and deleted;
# its JSON is JSON, its exit codes are as kcoloctl(8) has them, and what the
# kernel refuses is said in the kernel's words.
. "$(dirname "$0")/life_lib.sh"

# says CODE PATTERN ARGUMENTS...: exit code, and what is on stderr
says() {
	want=$1
	pattern=$2
	shift 2
	$CTL "$@" >"$LOGS/tool.out" 2>"$LOGS/tool.err"
	code=$?
	[ $code = "$want" ] && grep -q -- "$pattern" "$LOGS/tool.err" && return
	echo "# kcoloctl $*: $code, $(cat "$LOGS/tool.err")"
	return 1
}
# prints TEXT ARGUMENTS...: on stdout, and nothing on stderr
prints() {
	want=$1
	shift
	got=$($CTL "$@" 2>"$LOGS/tool.err") && [ "$got" = "$want" ] && [ ! -s "$LOGS/tool.err" ] && return
	echo "# kcoloctl $*: $got, $(cat "$LOGS/tool.err")"
	return 1
}
# field NAME VALUE: of session t1
field() {
	[ "$($CTL get "$1" -s t1)" = "$2" ] && return
	echo "# $1 is $($CTL get "$1" -s t1), not $2"
	return 1
}
# json EXPRESSION ARGUMENTS...: of what is printed, as j
json() {
	e=$1
	shift
	$CTL --json "$@" >"$LOGS/tool.json" &&
		python3 -c "import json, sys
j = json.load(open(sys.argv[1]))
assert $e, j" "$LOGS/tool.json"
}
add() {	# NAME OPTIONS
	# shellcheck disable=SC2086
	$CTL session add $1 --insecure >"$LOGS/tool-add.log" 2>&1 &
	holder=$!
	until_true 5 grep -q "session" "$LOGS/tool-add.log"
}

verdict tool-no-session says 4 "there is no session here" get state
verdict tool-show-none prints "" show
verdict tool-dump-none prints "" dump
verdict tool-unknown says 4 "no such session in this network namespace" session show -s nobody
verdict tool-empty-list json "j == []" session list
verdict tool-empty-stats json "j == []" stats --all

verdict tool-usage says 2 "usage" session add t1 primary
verdict tool-insecure says 2 "say --insecure" session add t1 primary --connect 10.1.0.2:7000
for addr in 10.1.0.2 10.1.0.2:0 host:7000 10.1.0.2:70000 fd77::1:7000 "[fd77::1]" ""; do
	verdict "tool-address-${addr:-none}" says 2 "ADDR:PORT" session add t1 primary --connect "$addr" --insecure
done
verdict tool-refused-name says 1 "printable ASCII without spaces and slashes" session add a/b secondary --listen 127.0.0.1:7000 --insecure -- true
verdict tool-refused-listen says 1 "cannot listen: the local address is not this host's" session add t1 secondary --listen 10.99.0.1:7000 --insecure -- true
verdict tool-refused-range says 1 "(min-gain)" session add t1 secondary --listen 127.0.0.1:7000 --insecure --min-gain 101 -- true

add "t1 secondary --listen 127.0.0.1:7000 --threshold 64M --max-iterations 3 --min-gain 20 --peer-timeout 5s --pause-limit 0 --checksum off"
verdict tool-only-one json "[(s['name'], s['role']) for s in j] == [('t1', 'secondary')]" session show
verdict tool-params json "(j['threshold'], j['max-iterations'], j['min-gain'], j['peer-timeout'], j['pause-limit'], j['checksum']) == (64 << 20, 3, 20, 5000, 0, False)" session show t1
verdict tool-list json "[s['name'] for s in j] == ['t1']" session list
verdict tool-unset json "j['uuid'] is None and j['peer'] is None and j['error'] is None and j['regions'] == []" session show t1

set_get() {	# PARAM VALUE RESULT
	$CTL set "$1" "$2" && field "$1" "$3"
}
verdict tool-set-threshold set_get threshold 64M 67108864
verdict tool-set-threshold-g set_get threshold 2G 2147483648
verdict tool-set-threshold-0 set_get threshold 0 0
verdict tool-set-iterations set_get max-iterations 32767 32767
verdict tool-set-gain set_get min-gain 0 0
verdict tool-set-timeout set_get peer-timeout 100ms 100
verdict tool-set-timeout-s set_get peer-timeout 3600s 3600000
verdict tool-set-limit set_get pause-limit 1500 1500
verdict tool-set-checksum set_get checksum on true
verdict tool-get-json json "j == {'threshold': 0}" get threshold
verdict tool-get-all json "sorted(j) == ['checksum', 'log-sync', 'log-sync-timeout', 'max-iterations', 'min-gain', 'pause-limit', 'peer', 'peer-timeout', 'reconnect', 'staging-limit', 'threshold']" get
verdict tool-set-refused says 1 "out of range (min-gain)" set threshold 7M min-gain 101
verdict tool-set-none field threshold 0
verdict tool-set-hour says 1 "a time is at most an hour (peer-timeout)" set peer-timeout 3601s
verdict tool-set-usage says 2 "threshold is a size" set threshold much
verdict tool-set-unknown says 2 'no parameter "speed"' set speed 1
verdict tool-get-unknown says 2 'no parameter "speed"' get speed -s t1

verdict tool-wrong-role says 1 "" checkpoint
verdict tool-wrong-role-text grep -q "cannot do this\|does not allow this" "$LOGS/tool.err"
verdict tool-abort says 1 "" abort t1
verdict tool-promote says 1 "" promote t1
verdict tool-stats json "j['checkpoints'] == 0 and j['session-name'] == 't1'" stats
verdict tool-stats-all json "[s['session-name'] for s in j] == ['t1']" stats --all

# Every field that kcoloctl(8) has, and none that it has not.
documented() {	# SECTION ARGUMENTS...
	section=$1
	shift
	$CTL --json "$@" >"$LOGS/tool.json" && python3 - "$section" "$LOGS/tool.json" <<-END
	import json, re, sys
	man = open("kcoloctl.8").read()
	text = man.split(".SH JSON")[1].split(".SS " + sys.argv[1])[1]
	text = re.split(r"\n\.S[SH] ", text)[0]
	table = text.split(".TS")[1].split(".TE")[0]
	names = {l.split("|")[0] for l in table.splitlines() if re.match(r"[a-z-]+\|", l)}
	have = set(json.load(open(sys.argv[2])))
	assert names == have, "man page only: %s, tool only: %s" % (names - have, have - names)
	END
}
verdict tool-man-session documented "session show" show t1
verdict tool-man-stats documented stats stats

# For scripts: as many fields as kcoloctl(8) numbers, and what JSON has of them.
dumped() {
	$CTL dump >"$LOGS/tool.dump" && $CTL --json show t1 >"$LOGS/tool.json" &&
		python3 - "$LOGS/tool.dump" "$LOGS/tool.json" <<-END
	import json, sys
	man = open("kcoloctl.8").read().split(".SS dump")[1].split(".TS")[1].split(".TE")[0]
	names = [l.split("|")[1] for l in man.splitlines() if l[:1].isdigit()]
	lines, j = open(sys.argv[1]).read().splitlines(), json.load(open(sys.argv[2]))
	assert len(lines) == 1, lines
	values = lines[0].split("\t")
	assert len(values) == len(names), (names, values)
	j["ram"] = sum(r["size"] for r in j["regions"])
	j["regions"] = len(j["regions"])
	def word(v):
	    return "-" if v is None else ("no", "yes")[v] if isinstance(v, bool) else str(v)
	assert values == [word(j[n]) for n in names], (names, values)
	END
}
verdict tool-dump dumped

second() {
	$CTL session add t2 primary --connect "[::1]:7777" --bind "[::1]" --insecure >"$LOGS/tool-2.log" 2>&1 &
	holder2=$!
	until_true 5 grep -q "session t2" "$LOGS/tool-2.log" &&
		json "j['peer'] == '[::1]:7777' and j['local'] == '[::1]:0'" session show t2
}
verdict tool-ipv6 second
verdict tool-show-all json "sorted(s['name'] for s in j) == ['t1', 't2']" show
# They have no peer: it does not come, and a secondary never has a guest.
verdict tool-wait-timeout says 5 "session t1 is still connecting" wait idle --timeout 300ms t1
verdict tool-wait-never says 6 "session t1, a secondary, is connecting, and that is not to come any more" wait fenced t1
verdict tool-wait-now prints connecting wait idle,connecting t1
verdict tool-which says 4 "which session? There are t1, t2" get state
until_true 3 sh -c "$CTL get error -s t2 | grep -q 'cannot connect'"
verdict tool-error grep -q "cannot connect: nobody listens at the peer's address and port" <<END
$($CTL get error -s t2)
END
# The end is waited for by who says so, and is none of what others wait for.
$CTL wait closed t2 >"$LOGS/tool-wait.log" 2>&1 &
closed=$!
$CTL wait idle t2 >"$LOGS/tool-wait-idle.log" 2>&1 &
idle=$!
watch() { $CTL --json stats --watch=100ms t2 >"$LOGS/tool-watch.json" 2>"$LOGS/tool-watch.err"; }
watch &
watch=$!
until_true 5 grep -q '"per-second":{' "$LOGS/tool-watch.json"
verdict tool-del $CTL session del t2
wait $closed
verdict tool-wait-closed [ $? = 0 ]
verdict tool-wait-closed-state grep -qx closed "$LOGS/tool-wait.log"
wait $idle
verdict tool-wait-ended [ $? = 6 ]
verdict tool-wait-ended-text grep -q "session t2, a primary, is closed, and that is not to come" "$LOGS/tool-wait-idle.log"
wait $watch
verdict tool-watch-ended [ $? = 4 ]
verdict tool-watch-ended-text grep -q "no such session" "$LOGS/tool-watch.err"
wait $holder2
verdict tool-del-holder [ $? = 0 ]
kill -TERM $holder
wait $holder
verdict tool-term [ $? = 0 ]
verdict tool-term-gone until_true 3 no_sessions

# The command has the session by its fd, also without any capability.
inherits() {
	$CTL session add t3 secondary --listen 127.0.0.1:7000 --insecure -- \
		setpriv --bounding-set -net_admin --inh-caps -net_admin sh -c \
		"$CTL get state && $CTL set threshold 1M && $CTL get threshold && $CTL stats >/dev/null &&
		 echo \$KCOLO_SESSION && ! $CTL session list && ! $CTL get state -s t3" \
		>"$LOGS/tool-inherits.log" 2>&1
	[ "$(grep -c . "$LOGS/tool-inherits.log")" -ge 5 ] &&
		[ "$(sed -n 1,3p "$LOGS/tool-inherits.log" | tr '\n' ' ')" = "connecting 1048576 t3 " ] &&
		grep -q "a session's name or id needs CAP_NET_ADMIN" "$LOGS/tool-inherits.log" && return
	sed 's/^/# /' "$LOGS/tool-inherits.log"
	return 1
}
verdict tool-inherits inherits
# Named after this run: the log has the sessions of others, too.
warned() {
	$CTL session add "warned-$$" secondary --listen 127.0.0.1:7000 --insecure -- true \
		>"$LOGS/tool-warned.log" 2>&1 &&
		dmesg | grep -q "kcolo: warned-$$: session is insecure: it trusts whoever"
}
verdict tool-insecure-warning warned
command_code() {
	$CTL session add t4 secondary --listen 127.0.0.1:7000 --insecure -- sh -c "exit 7"
	[ $? = 7 ]
}
verdict tool-command-code command_code
