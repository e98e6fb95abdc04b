#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Each mutant is a module with one bug built in: what is named beside it has to
# find it. It has to find nothing in the good module: a pair of VMMs is run on that
# as well (control-...), a test is, by make check, on the same kernel.
# With --list the names of the mutants, to be built.
if [ "${1:-}" = --list ]; then
	sed -n 's/^\ttry\(_test\)\? \([a-z_]*\) .*/\2/p' "$0"
	exit 0
fi
. selftests/tests/lib.sh

GOOD=$MODULE
all="--interval 20 --count 20 --verify-each 1 --threshold 512K"

# What a pair of kvmm can find.
# ram: a verdict was bad. An exit code of 1 alone may also be a guest that failed
ram() { grep -q '"mismatch":true' "$LOGS/$1-a.json" "$LOGS/$1-b.json"; }
# base: on promotion the base image is not its epoch
base() { grep -q '"base_known":true,"base_equal":false' "$LOGS/$1-b.json"; }

found_nothing() {	# NAME FINDING
	[ "$secondary" = 0 ] || return 1
	case $2 in
	ram) [ "$primary" = 0 ] ;;
	base) [ "$primary" = 137 ] && base_compared "$1" ;;
	esac
}

try() {	# mutant, what is found, options of the primary, of the secondary, of both
	[ -z "$only" ] || [ "$only" = "$1" ] || return
	pair "$pass-$1" "$all $3" "$4" "$5"
	if [ $pass = mutant ]; then
		verdict "mutant-$1" "$2" "mutant-$1"
	else
		verdict "control-$1" found_nothing "control-$1" "$2"
	fi
}

# A mutant that a subtest of a test finds.
try_test() {	# mutant, test, subtest
	[ "$only" = "$1" ] || return
	said=$LOGS/mutant-$1.said
	sh "selftests/tests/$2.sh" >"$said" 2>&1
	verdict "mutant-$1" grep -q "^not ok [0-9]* $3\$" "$said" ||
		grep -v log: "$said" | sed "s/^/# said: /"
}

mutants() {
	try skip_page ram "" "" "--ram $RAM"
	try lose_user_log ram "" "" "--ram $RAM_SMALL"
	try forget_unacked ram "--abort-at flushed --abort-each 2" "" "--ram $RAM_SMALL"
	try read_before_clear ram "--count 30" "" "--ram 8M --vcpus 2 --pattern hot"
	try apply_before_end base "--count 0 --die-at flushed:4" "--promote lost --run-on 500 --verify" "--ram $RAM_SMALL"
	try end_no_wait ram "--kind urgent" "" "--ram $RAM_SMALL --content pages"
	try stale_slot ram "--count 30 --threshold 0" "" "--ram 4M --churn 20 --vcpus 2"
	try apply_before_apply ram "" "" "--ram $RAM_SMALL --device-state external"
	try applied_bit_missing ram "" "" "--ram $RAM_SMALL --device-state external"
	try clean_direct base "--count 0 --die-at flushed:1" "--promote lost --run-on 500 --verify" "--ram 4M --ram1 2M --clean"
	try one_space ram "" "" "--ram $RAM_SMALL"
	try_test one_alias once once
	try_test clean_keeps_log clean clean-sends
	try_test clean_running clean clean-running
	try_test log_sync_no_wait log_sync log-sync-found
	try_test old_round_wins malformed_epochs old-round
	try_test no_fence malformed_epochs end-never-promote
	try_test overlap_ok refusals_guest regions-primary
	try_test seq_stuck events_subscribers flood-one
	# The last one: what it keeps is a module that does not go any more.
	try_test keep_mm life_vm_gone gone-primary
}

loaded() {	# module
	insmod "$1" || return
	mutants
	# Ends of sessions are asynchronous.
	sleep 1
	[ "$only" = keep_mm ] || rmmod kcolo
}

run() {
	prepare
	network
	pass=control
	only=
	loaded "$GOOD" || echo "not ok control"
	pass=mutant
	for only in $("$0" --list); do
		loaded "build/$KCOLO_KERNEL-$only/kcolo.ko" || echo "not ok mutant-$only"
	done
}

{ run; echo "exit $?"; } | ktap mutants
