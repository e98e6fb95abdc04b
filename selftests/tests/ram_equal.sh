#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I1: after each commit all RAM of both ends is equal, whatever is written how,
# by vCPUs, through an alias, in both address spaces, and by the device thread.
. "$(dirname "$0")/test_lib.sh"

n=${CHECKPOINTS:-300}
each=$(((n + 6) / 7))
all="--interval 20 --count $each --verify-each 1 --seed ${SEED:-1}"

# Seconds for each of the seven, on a machine that is busy.
TIME=${TIME:-600}

# A guest that was never in SMM wrote nothing in the second address space.
smm() { ! grep -q '"smis":0,' "$LOGS/$1-a.json"; }

# Nor have memslots changed that were to.
churned() {
	case $1 in
	*churn*) ! grep -q '"churns":0,' "$LOGS/$1-a.json" ;;
	esac
}

all_equal() { all_verified "$1" "$each" && smm "$1" && churned "$1"; }

equal() {	# name, options of both, options of the primary
	pair "$1" "$all --threshold 512K $3" "" "--ram $RAM $2"
	verdict "$1" all_equal "$1"
}

equal equal-uniform "--pattern uniform --vcpus 2" ""
equal equal-pages "--pattern uniform --content pages --memfd" "--kind mixed"
equal equal-hot "--pattern hot --content pages --vcpus 4" "--checksum off"
equal equal-seq "--pattern seq --zero-every 7" "--max-iterations 2 --lock-step"
equal equal-sparse "--pattern sparse --manual plain --vcpus 3" ""
equal equal-churn "--pattern uniform --ram $RAM_SMALL --ram1 4M --churn 50" "--threshold 0"
# Memslots also change between a harvest and a clear of the same round.
equal equal-churn-precopy "--ram $RAM_SMALL --ram1 4M --churn 20 --vcpus 2" "--max-iterations 3"
