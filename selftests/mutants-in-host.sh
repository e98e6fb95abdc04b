#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Each mutant is a module with one bug built in: a test has to fail on it.
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

prepare
network
try skip_page "" "" "--ram $RAM"
try lose_user_log "" "" "--ram $RAM_SMALL"
try forget_unacked "--abort-at flushed --abort-each 2" "" "--ram $RAM_SMALL"
exit 0
