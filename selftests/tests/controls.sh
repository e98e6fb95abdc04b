#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The checks themselves: each of them is given what it has to find.
. "$(dirname "$0")/test_lib.sh"

all="--interval 20 --count 6 --verify-each 1 --threshold 512K"

differs() {	# NAME
	[ "$primary" = 1 ] && [ "$secondary" = 1 ] &&
		grep -q '"mismatch":true' "$LOGS/$1-a.json" &&
		grep -q '"mismatch":true' "$LOGS/$1-b.json"
}

pair control-corrupt "$all" "--corrupt" "--ram $RAM_SMALL"
verdict control-corrupt differs control-corrupt
pair control-no-log "$all --no-log" "" "--ram $RAM_SMALL"
verdict control-no-log differs control-no-log

# What was not compared is not equal.
no_verdict() { [ "$primary" = 1 ] && grep -q '"unverified":2,' "$LOGS/control-mute-a.json"; }
pair control-mute "$all" "--mute" "--ram $RAM_SMALL"
verdict control-mute no_verdict
not_told() { [ "$secondary" = 1 ] && grep -q '"unverified":2,' "$LOGS/control-untold-b.json"; }
pair control-untold "$all --count 2 --verify-each 0" "" "--ram $RAM_SMALL"
verdict control-untold not_told

# kvmm by itself, without kcolo.
run() {	# OPTIONS
	timeout -k 10 $((60 * SLOW)) $KVMM run --seconds 1 --interval 50 --ram $RAM_SMALL \
		--vcpus 2 --verify "$@" >"$LOGS/control-run-a.log" 2>&1
}
damaged() {
	run --corrupt
	[ $? = 1 ] && grep -q "replay: 1 pages differ" "$LOGS/control-run-a.log"
}
verdict control-run run --churn 20
verdict control-run-corrupt damaged
