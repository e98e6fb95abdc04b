#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I5: network namespaces are deleted with sessions in them. A session keeps its
# namespace until it ends, and then lets go of it: the devices in it are gone.
. "$(dirname "$0")/life_lib.sh"

ip netns add d
ip link add vc type veth peer name vd netns d
ip addr add 10.2.0.1/24 dev vc
ip link set vc up
ip -n d addr add 10.2.0.2/24 dev vd
ip -n d link set vd up

# It takes checkpoints until it is stopped.
# shellcheck disable=SC2086
ip netns exec d $KVMM secondary --name n --listen 10.2.0.2:7000 \
	--side 10.2.0.2:7100 $COMMON --ram $RAM_SMALL \
	--json "$LOGS/netns-b.json" >"$LOGS/netns-b.log" 2>&1 &
second=$!
sleep 0.5
# shellcheck disable=SC2086
$KVMM primary --name n --connect 10.2.0.2:7000 --side 10.2.0.2:7100 $COMMON \
	$PRIMARY --ram $RAM_SMALL --interval 20 --count 1000000 --verify-each 4 \
	--threshold 512K --json "$LOGS/netns-a.json" >"$LOGS/netns-a.log" 2>&1 &
primary=$!
committed() { [ "$($CTL get committed -s n 2>/dev/null || echo 0)" -ge "$1" ]; }
until_true 20 committed 2
ip netns del d
at=$($CTL get committed -s n)
verdict netns-goes-on until_true 10 committed $((at + 2))
kill -TERM $primary
wait $primary
primary=$?
wait $second
secondary=$?
verdict netns both_good
device_gone() { ! ip link show vc >/dev/null 2>&1; }
verdict netns-freed until_true 10 device_gone

# One that only waits, held by a process that is elsewhere by now.
ip netns add d
ip link add vc type veth peer name vd netns d
ip -n d link set lo up
ip netns exec d $CTL session add w secondary --listen 127.0.0.1:7000 \
	--insecure >"$LOGS/netns-w.log" 2>&1 &
holder=$!
until_true 5 grep -q "session w" "$LOGS/netns-w.log"
ip netns del d
sleep 0.5
held() { ip link show vc >/dev/null; }
verdict netns-held held
kill -9 $holder
verdict netns-held-freed until_true 10 device_gone
