#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# RAM that the VMMs have copied themselves: no full sync, what is written after it is
# sent and nothing else, and the secondary can take over before anything is committed.
. "$(dirname "$0")/life_lib.sh"

both="--ram 4M --ram1 2M --clean"
# Fewer on a kernel that is ten times as slow.
[ "$SLOW" = 1 ] && n=20 || n=5
all="--interval 20 --count $n --verify-each 1 --verify"

pair clean-equal "$all" "" "$both --vcpus 2"
verdict clean-equal both_good
pair clean-external "$all" "" "$both --device-state external --churn 50"
verdict clean-external both_good

# Not all of RAM, in the first checkpoint.
few() {
	python3 - "$LOGS/clean-few-a.json" "$LOGS/clean-few-b.json" <<-'END'
	import json, sys
	a, b = ([json.loads(line) for line in open(f)][-1] for f in sys.argv[1:])
	print(f"# {a['pages_precopy']} and {a['pages_pause']} pages were sent, {a['pages_sync']} in a sync")
	assert a['pages_sync'] == 0 and a['pages_precopy'] + a['pages_pause'] < 200, a
	assert b['apply_pages'] == a['pages_raw'] + a['pages_zero'], b
	END
}
pair clean-few "--interval 20 --count 1 --verify-each 1 --threshold 0" "" "$both --rate 64K/1s --no-device"
verdict clean-few-equal both_good
verdict clean-few few

# The primary dies in the first epoch: the guest goes on from what was copied.
died() { [ "$primary" = 137 ] && [ "$secondary" = 0 ] && base_compared "$1" &&
	grep -q "promoted with epoch 0:" "$LOGS/$1-b.log"; }
for state in precopy flushed; do
	for device_state in session external; do
		name=clean-die-$state-$device_state
		pair $name "--interval 20 --count 0 --verify-each 1 --die-at $state:1" \
			"--promote lost --run-on 500 --verify" "$both --device-state $device_state"
		verdict $name died $name
	done
done
