#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Regions come and go while the guest is protected. What is committed is whole: with
# the region until a checkpoint without it is committed, and then without.
. "$(dirname "$0")/test_lib.sh"

plug="--interval 20 --verify-each 1 --threshold 512K --plug-at 4"

pair hotplug "$plug --unplug-at 9 --count 12" "" "--ram $RAM_SMALL"
verdict hotplug all_verified hotplug 12

died() { [ "$primary" = 137 ] && [ "$secondary" = 0 ] && base_compared "$1"; }

# Plugged, and not committed yet; unplugged, and still part of what is committed.
for die in flushed:4 committing:5 ready:8 flushed:8; do
	pair hotplug-die-$die "$plug --unplug-at 8 --count 0 --die-at $die" \
		"--promote lost --run-on 300 --verify" "--ram $RAM_SMALL"
	verdict hotplug-die-$die died hotplug-die-$die
done

command=/run/cut-link
printf '#!/bin/sh\nss -HKt dst %s dport = :7000 >/dev/null\n' "$B" >$command
chmod +x $command
verified() {
	n=$(grep -o '"committed":[0-9]*' "$LOGS/$1-a.json" | tail -n 1 | tr -dc 0-9)
	all_verified "$1" "$n"
}
# The first start of it takes longer than a checkpoint.
$command
pair hotplug-cut "$plug --unplug-at 24 --count 20 --relinks 8 --run-at rand:0 --run $command
	--rand-max 250 --interval 60" "--promote command" "--ram $RAM_SMALL --reconnect"
verdict hotplug-cut verified hotplug-cut
