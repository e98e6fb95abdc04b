#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# An epoch that the secondary's VMM drops, or the primary's aborts after its end, is
# nowhere: the base image stays, and what was sent comes again with the next one.
. "$(dirname "$0")/life_lib.sh"

both="--ram $RAM_SMALL --device-state external"
all="--interval 20 --verify-each 1 --threshold 512K --verify"

# Fewer on a kernel that is ten times as slow.
[ "$SLOW" = 1 ] && n=10 || n=5
pair external-drop "$all --count $n" "--drop-each 3" "$both"
dropped() {
	both_good && python3 - "$LOGS/external-drop-a.json" "$LOGS/external-drop-b.json" <<-'END'
	import json, sys
	a, b = ([json.loads(line) for line in open(f)] for f in sys.argv[1:])
	gone = [c for c in a if c['type'] == 'checkpoint' and c['outcome'] == 'aborted']
	assert gone and all(c['abort_reason'] == 'peer-refused' and
			    c['error'] == 'the epoch was dropped on the secondary' for c in gone), gone
	assert a[-1]['aborted'] == len(gone) == b[-1]['dropped'] == b[-1]['aborts'], b[-1]
	END
}
verdict external-drop dropped

# In the last of them the end may be sent already: then the apply decides.
for state in ready flushed committing; do
	pair external-abort-$state "$all --count $((n / 2 + 1)) --abort-at $state --abort-each 2" \
		"--apply-delay 50" "$both"
	verdict external-abort-$state both_good
done
# By hand, with the tool: dropped once, and then applied.
of_epoch() { [ "$(in_b $CTL get epoch -s t 2>/dev/null)" = "$1" ] && in_state prepared t in_b; }
tool() {
	until_true 30 of_epoch 1
	in_b $CTL apply --epoch 99 t 2>"$LOGS/external-tool.log"
	in_b $CTL drop t
	until_true 30 of_epoch 2
	in_b $CTL apply t
}
tool &
tool=$!
pair external-tool "--interval 20 --count 1 --verify-each 1" "--no-apply" "$both"
wait $tool
verdict external-tool both_good
verdict external-tool-refused grep -q "epoch 1 is open, and not 99\|see event checkpoint-prepared" "$LOGS/external-tool.log"
# Where the region is a cache, pages of it are there, and come again.
client external-in-place
