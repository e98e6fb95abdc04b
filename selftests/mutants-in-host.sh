#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Each mutant is a module with one bug built in: a test has to fail on it.
. selftests/tests/lib.sh

all="--interval 20 --count 20 --verify-each 1 --threshold 512K"

# One that the tests find makes one of the two kvmm say that RAM differs.
found() { grep -q "RAM DIFFERENT" "$LOGS/mutant-$1-a.log" "$LOGS/mutant-$1-b.log"; }

try() {	# mutant, options of the primary, of the secondary, of both
	MODULE=build/$KCOLO_KERNEL-$1/kcolo.ko
	insmod "$MODULE" || { echo "not ok mutant-$1"; return; }
	pair "mutant-$1" "$all $2" "$3" "$4"
	verdict "mutant-$1" found "$1"
	sleep 1
	rmmod kcolo
}

prepare
network
try skip_page "" "" "--ram $RAM"
try lose_user_log "" "" "--ram $RAM_SMALL"
try forget_unacked "--abort-at flushed --abort-each 2" "" "--ram $RAM_SMALL"
try stale_slot "" "" "--ram $RAM_SMALL --churn 20"
exit 0
