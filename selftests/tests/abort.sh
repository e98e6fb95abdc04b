#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I3: a checkpoint aborted in any state loses nothing: the next one commits, and
# all RAM is equal after it.
. "$(dirname "$0")/test_lib.sh"
. "$(dirname "$0")/stats_lib.sh"

# The second, fourth and sixth: four commits are three aborts.
aborted() {	# NAME
	all_verified "$1" 4 && grep -q '"aborted":3,' "$LOGS/$1-a.json" &&
		[ "$(grep -c '"outcome":"aborted","abort_reason":"requested"' "$LOGS/$1-a.json")" = 3 ]
}

# The secondary has heard of each epoch of which anything had come.
told() {	# NAME
	python3 - "$LOGS/$1" <<-'END'
	import json, re, sys
	with open(sys.argv[1] + '-b.json') as f:
	    aborts = json.loads(f.readlines()[-1])['aborts']
	with open(sys.argv[1] + '-b.log') as f:
	    said = re.findall(r'epoch (\d+) aborted: requested', f.read())
	print(f'# aborted: {aborts}, said: {said}')
	sys.exit(not 0 < len(said) == aborts == len(set(said)))
	END
}

# The first two, in the midst of the full sync: some of its pages were sent each
# time, and not as many as when all were.
in_sync() {	# NAME
	all_verified "$1" 4 && grep -q '"aborted":2,' "$LOGS/$1-a.json" &&
		sed -n 's/^{"type":"checkpoint","n":\([0-9]*\),.*"outcome":"\([a-z]*\)".*"pages_sync":\([0-9]*\).*/\1 \2 \3/p' \
			"$LOGS/$1-a.json" | awk '
			{ sent[$1] = $3 - before; before = $3; outcome[$1] = $2 }
			END {
				print "# pages of the sync: " sent[1] ", " sent[2] " aborted, all are " sent[3]
				exit !(outcome[1] == "aborted" && outcome[2] == "aborted" &&
				       sent[1] > 0 && sent[1] < sent[3] &&
				       sent[2] > 0 && sent[2] < sent[3] && sent[4] == 0)
			}'
}
pair abort-sync "--interval 20 --count 4 --verify-each 1 --threshold 512K
	--abort-at precopy --abort-each 0 --abort-first 2" "" "--ram $RAM"
verdict abort-sync in_sync abort-sync
verdict abort-sync-counted counted abort-sync

for state in precopy ready flushing flushed committing; do
	# More than a socket takes at once: its sending has not ended when the abort comes.
	[ $state = committing ] && pad=16M || pad=1M
	pair abort-$state "--interval 20 --count 4 --verify-each 1 --threshold 512K
		--abort-at $state --abort-each 2 --state-pad $pad" "" "--ram $RAM_SMALL"
	verdict abort-$state aborted abort-$state
	verdict abort-$state-counted counted abort-$state
	verdict abort-$state-told told abort-$state
done
