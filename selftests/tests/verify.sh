#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kcoloctl verify: of a VMM that logs its writes every page is equal, and of one that
# does not those are named that it has written.
. "$(dirname "$0")/test_lib.sh"

start() {	# LOG OPTIONS OF THE PRIMARY
	log=$1
	shift
	# shellcheck disable=SC2086
	$IN_B timeout -k 10 $((120 * SLOW)) $KVMM secondary --name t --listen $B:7000 $COMMON \
		--ram ${RAM:-$RAM_SMALL} --promote command --run-on ${RUN_ON:-500} >"$LOGS/$log-b.log" 2>&1 &
	b=$!
	sleep 0.5
	# shellcheck disable=SC2086
	timeout -k 10 $((120 * SLOW)) $KVMM primary --name t --connect $B:7000 $COMMON $PRIMARY \
		--ram ${RAM:-$RAM_SMALL} --interval ${INTERVAL:-100} --count 0 "$@" >"$LOGS/$log-a.log" 2>&1 &
	a=$!
	$CTL wait idle --timeout $((30 * SLOW))s t >/dev/null
}

stop() {
	kill $a $b 2>/dev/null
	wait $a $b
}

# CODE WHERE ARGS...
verify() {
	want=$1 where=$2
	shift 2
	$where $CTL verify "$@" t >"$LOGS/verify.out" 2>"$LOGS/verify.err"
	got=$?
	[ $got = "$want" ] && return
	echo "# exit code $got, not $want"
	sed 's/^/# /' "$LOGS/verify.out" "$LOGS/verify.err"
	return 1
}
t30="--timeout $((60 * SLOW))s"

start verify-good
verdict verify-nothing verify 1 "" --last
# shellcheck disable=SC2086
all_equal() { verify 0 "" $t30 && grep -q '^epoch [0-9]*: [0-9]* pages, all equal$' "$LOGS/verify.out"; }
verdict verify-equal all_equal
again() {
	cp "$LOGS/verify.out" "$LOGS/verify.first"
	verify 0 "$IN_B" --last && cmp -s "$LOGS/verify.out" "$LOGS/verify.first" &&
		all_equal && ! cmp -s "$LOGS/verify.out" "$LOGS/verify.first"
}
verdict verify-again again
verdict verify-secondary verify 1 "$IN_B" --timeout 1s
# With regions of 2 MiB and more: 2048 pages are many messages.
pages() { [ "$(tr -dc '0-9 ' <"$LOGS/verify.first" | awk '{ print $2 }')" -gt 6000 ]; }
verdict verify-pages pages
stop

start verify-not-logged --no-log
# shellcheck disable=SC2086
named() {
	verify 7 "" $t30 && grep -Eq '^(ram0|ram1|vram) page [0-9]+ differs$' "$LOGS/verify.out" &&
		grep -Eq '^epoch [0-9]+: [0-9]+ pages, [0-9]+ differ$' "$LOGS/verify.out"
}
verdict verify-named named
same_there() {
	cp "$LOGS/verify.out" "$LOGS/verify.first"
	verify 7 "$IN_B" --last && cmp -s "$LOGS/verify.out" "$LOGS/verify.first"
}
verdict verify-same-there same_there
json() {
	$CTL --json verify --last t >"$LOGS/verify.json"
	[ $? = 7 ] && tr -d ' \n' <"$LOGS/verify.json" |
		grep -Eq '"different":[1-9][0-9]*,"differences":\[\{"region":"[a-z0-9]*","page":[0-9]+'
}
verdict verify-json json
stop

# With so much RAM to compare it is seen that it does: who takes over does not wait.
# The promoted one stays until it is asked what it has verified.
RAM=192M INTERVAL=2000 RUN_ON=100000 start verify-promote
promoted() {
	# shellcheck disable=SC2086
	$CTL verify $t30 t >/dev/null 2>&1 &
	v=$!
	while kill -0 $v 2>/dev/null && ! $IN_B $CTL dump t | grep -q applying; do :; done
	$IN_B $CTL promote t
	$IN_B $CTL wait promoted --timeout 30s t >/dev/null && verify 1 "$IN_B" --last
	err=$?
	wait $v
	[ $? = 6 ] && return $err
}
verdict verify-promote promoted
stop
