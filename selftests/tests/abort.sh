#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I3: a checkpoint aborted in any state loses nothing: the next one commits, and
# all RAM is equal after it.
. "$(dirname "$0")/test_lib.sh"

# The second, fourth and sixth: four commits are three aborts.
aborted() {	# NAME
	all_verified "$1" 4 && grep -q '"aborted":3,' "$LOGS/$1-a.json" &&
		[ "$(grep -c '"outcome":"aborted","abort_reason":"requested"' "$LOGS/$1-a.json")" = 3 ]
}

# The device state is large: its sending has not ended when the abort comes.
for state in precopy ready flushing flushed committing; do
	pair abort-$state "--interval 20 --count 4 --verify-each 1 --threshold 512K
		--abort-at $state --abort-each 2 --state-pad 1M" "" "--ram $RAM_SMALL"
	verdict abort-$state aborted abort-$state
done
