#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I3: a checkpoint aborted in any state loses nothing: the next one commits, and
# all RAM is equal after it.
. "$(dirname "$0")/test_lib.sh"

for state in precopy ready flushing flushed committing; do
	pair abort-$state "--interval 20 --count 4 --verify-each 1 --threshold 512K
		--abort-at $state --abort-each 2" "" "--ram $RAM_SMALL"
	verdict abort-$state both_good
done
