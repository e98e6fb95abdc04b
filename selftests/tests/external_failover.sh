#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I2 with device state that goes another way: the primary dies in every state, and
# between the end of an epoch and its apply above all. RAM is that of the last epoch
# that was applied, and so is the device state: the guest runs on from both.
. "$(dirname "$0")/test_lib.sh"

died() { [ "$primary" = 137 ] && [ "$secondary" = 0 ] && base_compared "$1"; }

dies() {	# name, options of the primary, of the secondary, of both
	pair "$1" "--interval 20 --count 0 --verify-each 1 --threshold 512K $2" \
		"--promote lost --run-on 500 --verify $3" \
		"--ram $RAM_SMALL --device-state external $4"
	verdict "$1" died "$1"
}

states="precopy ready flushing flushed committing received committed"
[ "$SLOW" = 1 ] || states="flushed received"
for state in $states; do
	dies external-die-$state "--die-at $state:3"
done
# It is prepared when the primary dies, and then not applied.
dies external-die-prepared "--die-at committing:3" "--apply-delay 500"
not_applied() { grep -q "promoted with epoch 2:" "$LOGS/external-die-prepared-b.log"; }
verdict external-die-prepared-epoch not_applied
i=0
while [ $i -lt "${KILLS:-5}" ]; do
	i=$((i + 1))
	dies external-die-random-$i "--die-at rand:4" "--apply-delay 20" "--seed $i"
done
