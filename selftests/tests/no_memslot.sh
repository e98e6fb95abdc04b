#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A region over which there is no memslot at all, as a ROM or a disabled BAR: what
# the VMM writes to it is in the user log, and that is enough.
. "$(dirname "$0")/test_lib.sh"

both="--ram $RAM_SMALL --vram 4M --bare-vram --dma-rate 2000"
# Fewer on a kernel that is ten times as slow.
[ "$SLOW" = 1 ] && n=20 || n=5
all="--interval 20 --count $n --verify-each 1 --verify --threshold 256K"

pair no-memslot "$all" "" "$both"
verdict no-memslot both_good
pair no-memslot-churn "$all" "" "$both --ram1 4M --churn 50"
verdict no-memslot-churn both_good
pair no-memslot-failover "--interval 20 --count 0 --verify-each 1 --die-at committed:3" \
	"--promote lost --run-on 500 --verify" "$both"
died() { [ "$primary" = 137 ] && [ "$secondary" = 0 ] && base_compared no-memslot-failover; }
verdict no-memslot-failover died
# A check that cannot fail is none.
missed() { [ "$primary" = 1 ] || [ "$secondary" = 1 ]; }
pair no-memslot-unlogged "$all --no-log" "" "$both --pattern none"
verdict no-memslot-unlogged missed
