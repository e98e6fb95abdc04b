#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I2: the primary dies at a random point and in every state. The base image is
# the last committed epoch, byte for byte, the restored guest runs on from it,
# and what it wrote is what it would have written.
. "$(dirname "$0")/test_lib.sh"

promote="--promote lost --run-on 500 --verify"

died() { [ "$primary" = 137 ] && [ "$secondary" = 0 ] && base_compared "$1"; }

states="precopy ready flushing flushed committing received committed"
# Once for each way in which the secondary's end differs.
[ "$KCOLO_KERNEL" != debug ] || states="precopy committing received"
for state in $states; do
	pair die-$state "--interval 20 --count 0 --verify-each 1
		--threshold 512K --die-at $state:3" "$promote" "--ram $RAM_SMALL"
	verdict die-$state died die-$state
done
i=${FIRST:-0}
last=$((i + ${KILLS:-10}))
while [ "$i" -lt $last ]; do
	i=$((i + 1))
	pair die-random-$i "--interval 20 --count 0 --verify-each 1
		--threshold 512K --die-at rand:4" "$promote" "--ram $RAM_SMALL --seed $i"
	verdict die-random-$i died die-random-$i
done
