#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What record.sh runs in an emulated host: sessions are made, and what kcoloctl says
# to the kernel and hears from it goes to $KCOLO_OUT/recorded/NAME.nl, a file for each
# call. Both ends are on this host, one of them in network namespace b.
. selftests/tests/lib.sh

CTL=build/tools/kcoloctl
REC=build/tools/test_record
DIR=/tmp/recorded	# on 9p one who has read a file does not see what comes later
mkdir $DIR
NLCLIENT=build/nlclient/nlclient

fail() {
	echo "record: $*"
	exit 1
}

# rec NAME CODE ARGUMENTS...: where $at says
rec() {
	to=$1 want=$2
	shift 2
	KCOLO_RECORD=$DIR/$to.nl $at timeout 30 $REC "$@" >"$DIR/$to.out" 2>&1
	code=$?
	echo "$to: kcoloctl $* said, and ended with $code:"
	cat "$DIR/$to.out"
	[ $code = "$want" ] || fail "$to ended with $code, not $want"
}
at=

# What follows happens while it listens.
beside() {	# NAME ARGUMENTS...
	to=$1
	shift
	KCOLO_RECORD=$DIR/$to.nl $REC "$@" >"$DIR/$to.out" 2>&1 &
	beside=$!
	# It waits when it has read the session for the last time.
	until_true 10 subscribed "$DIR/$to.nl"
	sleep 0.5
}
subscribed() { grep -qs '^< 1$\|^join' "$1"; }
ended() {
	wait $beside || fail "$to ended with $?"
	cat "$DIR/$to.out"
}

until_true() {	# SECONDS COMMAND...
	end=$(($(date +%s) + $1))
	shift
	until "$@"; do
		[ "$(date +%s)" -le $end ] || fail "not in time: $*"
		sleep 0.05
	done
}
in_state() { [ "$($at $CTL get state "$2" 2>/dev/null)" = "$1" ]; }
committed() { [ "$($CTL get committed vm1)" -ge "$1" ] && in_state idle vm1; }
checkpoint() {	# NUMBER it gets
	$CTL checkpoint vm1 >/dev/null
	until_true 10 committed "$1"
}

prepare
rec no-module 3 session list
insmod "$MODULE" || fail "kcolo.ko cannot be loaded"
network
rec empty 0 session list
rec no-such 4 get state nobody

# Sessions without a VMM.
rec add-command 0 session add vm1 primary --connect 10.1.0.2:7000 --bind 10.1.0.1 \
	--insecure --threshold 64M --max-iterations 5 --min-gain 20 \
	--peer-timeout 5s --pause-limit 1500ms --checksum off --log-sync on \
	--log-sync-timeout 50ms --device-state external -- true
rec add-refused 1 session add vm1 secondary --listen 10.99.0.1:7000 --insecure -- true
rec add-ipv6 0 session add vm1 secondary --listen '[::1]:7000' --insecure -- true
beside events-all events --count 2
$CTL session add vm1 secondary --listen 127.0.0.1:7000 --insecure -- true
ended
KCOLO_RECORD=$DIR/add-hold.nl $REC session add vm1 secondary --listen 127.0.0.1:7000 \
	--insecure >"$DIR/add-hold.out" &
beside=$!
until_true 5 in_state connecting vm1
# As what COMMAND inherits: by the fd. It is the number that replays have.
KCOLO_RECORD=$DIR/fd-get.nl $CTL session add vm2 secondary --listen 127.0.0.1:7001 \
	--insecure -- sh -c "exec 7<&\$KCOLO_FD; KCOLO_FD=7 $REC get state" || fail fd-get
rec wrong-role 1 checkpoint vm1
rec timeout 5 wait idle --timeout 200ms vm1
rec del 0 session del vm1
ended

# A pair, whose VMM answers what it is asked.
$NLCLIENT --session vm1 vmm >"$DIR/vmm.log" 2>&1 &
vmm=$!
until_true 10 in_state idle vm1
rec wait-at-once 0 wait idle vm1
beside events-one events --count 3 vm1
rec checkpoint 0 checkpoint vm1
ended
until_true 10 committed 1
beside events-statistics events --statistics --count 3 vm1
rec urgent 0 checkpoint --urgent vm1
ended
until_true 10 committed 2
beside events-aborted events --type checkpoint-aborted --count 1 vm1
kill -USR1 "$(sed -n 's/.* is pid //p' "$DIR/vmm.log")"
beside2=$beside
beside wait-ready wait ready,lost --timeout 10s vm1
$CTL checkpoint vm1
ended
rec busy 1 checkpoint vm1
rec abort 0 abort vm1
wait $beside2 || fail "events-aborted"
rec abort-nothing 1 abort vm1
rec set 0 set threshold 1M min-gain 5 vm1
rec set-refused 1 set min-gain 101 vm1
checkpoint 4
rec show 0 show
rec show-one 0 show vm1
rec list 0 session list
rec get 0 get threshold
rec get-one 0 get threshold vm1
rec dump-one 0 dump vm1
rec stats 0 stats vm1
rec stats-all 0 stats --all
{ sleep 0.4; $CTL checkpoint vm1; } >/dev/null &
rec stats-watch 0 stats --watch=1s --count 3 vm1
until_true 10 committed 5
rec stats-watch-all 0 stats --all --watch=1s --count 2
rec verify-none 1 verify --last vm1
rec verify-timeout 5 verify --timeout 200ms vm1
beside verify verify --timeout 10s vm1
$CTL checkpoint vm1 >/dev/null
ended
until_true 10 in_state idle vm1
rec verify-last 0 verify --last vm1
rec events-now 0 events --now
rec events-now-one 0 events --now --statistics vm1
rec events-late 1 events --timeout 200ms --count 1 vm1
rec promote-primary 1 promote vm1
at=$IN_B
rec show-secondary 0 show
at=

# More than its socket holds, which is small for that: some are lost.
export KCOLO_RECORD_RCVBUF=4096
beside events-lost events --type session-set --count 3 vm1
kill -STOP $beside
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	$CTL set threshold ${i}M vm1
done
kill -CONT $beside
until_true 5 grep -q lost "$DIR/events-lost.out"
sleep 0.5
for i in 1 2 3; do
	$CTL set threshold ${i}M vm1
	sleep 0.2
done
ended
unset KCOLO_RECORD_RCVBUF

# Two of them here, then the end.
$CTL session add vm2 secondary --listen 127.0.0.1:7001 --insecure >/dev/null &
until_true 5 in_state connecting vm2
rec which 4 get state
rec show-two 0 show
rec dump 0 dump
$CTL session del vm2
# What it waits for is among the events that are lost.
export KCOLO_RECORD_RCVBUF=4096
beside wait-fenced wait fenced vm1
unset KCOLO_RECORD_RCVBUF
kill -STOP $beside
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	$CTL set threshold ${i}M vm1
done
at=$IN_B
rec promote 0 promote vm1
at=
until_true 10 in_state fenced vm1
kill -CONT $beside
to=wait-fenced
ended
grep -q '^! 1 105$' $DIR/wait-fenced.nl || fail "no event was lost"
rec wait-never 6 wait idle vm1
beside events-end events vm1
kill "$vmm"
wait $vmm
ended

# A secondary with external device state, whose VMM leaves it to us to apply.
# shellcheck disable=SC2086
$IN_B $KVMM secondary --name vm1 --listen $B:7000 --side $B:7100 --ram $RAM_SMALL \
	--device-state external --no-apply $COMMON >"$DIR/kvmm-b.log" 2>&1 &
second=$!
sleep 0.5
# shellcheck disable=SC2086
$KVMM primary --name vm1 --connect $B:7000 --side $B:7100 --ram $RAM_SMALL \
	--device-state external $COMMON $PRIMARY --interval 20 --threshold 512K \
	>"$DIR/kvmm-a.log" 2>&1 &
first=$!
at=$IN_B
until_true 30 in_state prepared vm1
rec apply-stale 1 apply --epoch 99 vm1
rec drop 0 drop vm1
until_true 30 in_state prepared vm1
rec apply 0 apply vm1
until_true 30 in_state prepared vm1
$at $CTL apply vm1
until_true 30 in_state prepared vm1
rec show-prepared 0 show
rec dump-prepared 0 dump
at=
rec show-committing 0 show
kill -9 $first
wait $first
kill -9 $second
wait $second
rmmod kcolo || fail "kcolo.ko cannot be unloaded"
mkdir "$KCOLO_OUT/recorded"
cp $DIR/*.nl "$KCOLO_OUT/recorded/"
