#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Another secondary for a primary that lost its own, and the VMM does not know; the
# first one again, whose image is older by then: a full resync, in which what is
# equal is not staged; then the host dies, and the guest goes on there, and is
# protected again, in a new pair. All that it ever wrote is looked at in the end.
. "$(dirname "$0")/reconnect_lib.sh"

C=10.2.0.2
ip netns add c
ip link add vc type veth peer name vd netns c
ip addr add 10.2.0.1/24 dev vc
ip link set vc up
ip -n c addr add $C/24 dev vd
ip -n c link set vd up
ip -n c link set lo up
IN_C="nsenter -n/run/netns/c"
# So little is written that images stay nearly equal.
all="$all --rate 8K/1s --batch 2 --dma-rate 2"
standby other-b "$IN_B" --listen $B:7000 --reprotect $C:7001 --reprotect-side $C:7101 \
	--run-on 300 --verify --count 5 --interval 200 --verify-each 1
b=$!
standby other-c "$IN_C" --listen $C:7000
c=$!
sleep 0.5
primary other-a $B:7000 --interval 200
a=$!

first() { until_so is "" state idle && more ""; }
verdict other-first first

# To the other: all of RAM goes there, and more is committed.
second() {
	lose_peer $B && [ "$(field "" links)" = 1 ] && $CTL set peer $C:7000 reconnect on t && until_so is "" state idle &&
		[ "$(field "" resync)" = full ] && more "" 3 && until_so is "$IN_C" state idle
}
verdict other-second second
old=$(field "$IN_B" committed)

# And back: of what is equal nothing is staged, 1 % of RAM is more than what differs.
third() {
	lose_peer $C && $CTL set peer $B:7000 reconnect on t &&
		until_so committed_past "$IN_B" "$old" && [ "$(field "" resync)" = full ]
}
verdict other-third third
ram=$(field "" regions | grep -o '"size": *[0-9]*' | tr -dc '0-9\n' |
	awk '{ n += $1 } END { print n / 4096 }')
equal=$(counter "$IN_B" pages-equal)
peak=$(($(counter "$IN_B" staging-peak-bytes) / 4096))
echo "# $ram pages of RAM, $equal were equal, $peak were staged at most"
few_staged() { [ "$equal" -gt $((ram * 9 / 10)) ] && [ $((peak * 100)) -le "$ram" ]; }
verdict other-staged few_staged

# The host dies; the guest goes on, and is protected anew.
kill -9 $a
kill -9 $c
standby other-d "$IN_C" --name t-2 --listen $C:7001 --side $C:7101 --verify-each 1
d=$!
until_so is "$IN_B" state lost
again() {
	$IN_B $CTL promote t && wait $b && wait $d &&
		grep -q '"commits":5,"verified":5,' "$LOGS/other-d.json"
}
ip -n b route add 10.2.0.0/24 via 10.1.0.1 2>/dev/null
ip -n c route add 10.1.0.0/24 via 10.2.0.1 2>/dev/null
echo 1 >/proc/sys/net/ipv4/ip_forward
verdict other-again again
