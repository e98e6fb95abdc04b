#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I1: after each commit all RAM of both ends is equal, whatever is written how,
# by vCPUs, through an alias, in both address spaces, and by the device thread.
. "$(dirname "$0")/test_lib.sh"

n=${CHECKPOINTS:-300}
each=$(((n + 5) / 6))
all="--interval 20 --count $each --verify-each 1 --threshold 512K"

# Seconds for each of the six, on a machine that is busy.
TIME=${TIME:-600}

equal() {	# name, options of both, options of the primary
	pair "$1" "$all $3" "" "--ram $RAM $2"
	verdict "$1" all_verified "$1" $each
}

equal equal-uniform "--pattern uniform --vcpus 2" ""
equal equal-pages "--pattern uniform --content pages" "--kind mixed"
equal equal-hot "--pattern hot --content pages" "--checksum off"
equal equal-seq "--pattern seq --zero-every 7" "--max-iterations 2"
equal equal-sparse "--pattern sparse --manual plain" ""
equal equal-churn "--pattern uniform --ram $RAM_SMALL --ram1 4M --churn 50" "--threshold 0"
