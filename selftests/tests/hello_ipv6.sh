#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A pair over IPv6, and how the tool writes its addresses.
. "$(dirname "$0")/life_lib.sh"

A6=fd77:7::1
B6=fd77:7::2
ip addr add $A6/64 dev va nodad
ip -n b addr add $B6/64 dev vb nodad

# shellcheck disable=SC2086
$IN_B timeout -k 10 $((60 * SLOW)) $KVMM secondary --name t6 \
	--listen [$B6]:7000 --side $B:7100 $COMMON --ram $RAM_SMALL \
	--json "$LOGS/ipv6-b.json" >"$LOGS/ipv6-b.log" 2>&1 &
second=$!
sleep 0.5
# shellcheck disable=SC2086
timeout -k 10 $((60 * SLOW)) $KVMM primary --name t6 --connect [$B6]:7000 \
	--side $B:7100 $COMMON $PRIMARY --ram $RAM_SMALL --interval 20 --count 8 \
	--verify-each 1 --threshold 512K \
	--json "$LOGS/ipv6-a.json" >"$LOGS/ipv6-a.log" 2>&1
primary=$?
wait $second
secondary=$?
verdict ipv6 both_good

# The tool: addresses in, and out again.
shown() {
	$CTL get "$1" -s v6 2>/dev/null
}

$CTL session add v6 primary --connect "[$B6]:7000" \
	--bind "[$A6]" --insecure >"$LOGS/ipv6-ctl.log" 2>&1 &
holder=$!
until_true 5 shown peer >"$LOGS/ipv6-peer.log"
verdict ipv6-peer [ "$(shown peer)" = "[$B6]:7000" ]
verdict ipv6-local [ "$(shown local)" = "[$A6]:0" ]
kill $holder
wait $holder || true
