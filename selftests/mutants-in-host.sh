#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Each mutant is a module with one bug built in: a test has to fail on it.
# With --list the names of the mutants, to be built.
if [ "${1:-}" = --list ]; then
	sed -n 's/^\ttry\(_test\)\? \([a-z_]*\) .*/\2/p' "$0"
	exit 0
fi
. selftests/tests/lib.sh

all="--interval 20 --count 20 --verify-each 1 --threshold 512K"

# kvmm ends with 1 when RAM of the two ends, or of a base image and its epoch,
# or of a guest and what it should have written, is not the same.
found() { [ "$primary" = 1 ] || [ "$secondary" = 1 ]; }

try() {	# mutant, options of the primary, of the secondary, of both
	MODULE=build/$KCOLO_KERNEL-$1/kcolo.ko
	insmod "$MODULE" || { echo "not ok mutant-$1"; return; }
	pair "mutant-$1" "$all $2" "$3" "$4"
	verdict "mutant-$1" found
	sleep 1
	rmmod kcolo
}

# A mutant that a test by the name of its own finds.
try_test() {	# mutant, test
	insmod "build/$KCOLO_KERNEL-$1/kcolo.ko" || { echo "not ok mutant-$1"; return; }
	sh "selftests/tests/$2.sh" >"$LOGS/mutant-$1.tap" 2>&1
	grep -v log: "$LOGS/mutant-$1.tap" | sed "s/^/# said: /"
	verdict "mutant-$1" grep -q "^not ok" "$LOGS/mutant-$1.tap"
	sleep 1
	rmmod kcolo
}

run() {
	prepare
	network
	try skip_page "" "" "--ram $RAM"
	try lose_user_log "" "" "--ram $RAM_SMALL"
	try forget_unacked "--abort-at flushed --abort-each 2" "" "--ram $RAM_SMALL"
	try read_before_clear "--count 60" "" "--ram 8M --vcpus 2 --pattern hot"
	try apply_before_end "--count 0 --die-at flushed:4" "--promote lost --run-on 500 --verify" "--ram $RAM_SMALL"
	try end_no_wait "--kind urgent" "" "--ram $RAM_SMALL --content pages"
	try stale_slot "--count 60 --threshold 0" "" "--ram 4M --churn 20 --vcpus 2"
	try apply_before_apply "" "" "--ram $RAM_SMALL --device-state external"
	try applied_bit_missing "" "" "--ram $RAM_SMALL --device-state external"
	try clean_direct "--count 0 --die-at flushed:1" "--promote lost --run-on 500 --verify" "--ram 4M --ram1 2M --clean"
	try_test one_alias once
	try_test clean_keeps_log clean
	try_test clean_running clean
	try_test log_sync_no_wait log_sync
	try_test old_round_wins malformed_epochs
	try_test no_fence malformed_epochs
	try_test keep_mm life_vm_gone
	try_test overlap_ok refusals_guest
	try_test seq_stuck events_subscribers
}

{ run; echo "exit $?"; } | ktap mutants
