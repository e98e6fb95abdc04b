#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A VMM that hangs in the pause: pause-limit ends the checkpoint, with that for a
# reason, and the next one is whole. Sends that block are in blocked.sh.
. "$(dirname "$0")/test_lib.sh"

# Long enough for every other checkpoint.
limit=$((SLOW > 1 ? 20000 : 3000))

over() {	# NAME
	all_verified "$1" 3 &&
		[ "$(grep -c '"outcome":"aborted","abort_reason":"pause-limit"' "$LOGS/$1-a.json")" = 1 ] &&
		grep -q '"n":2,.*"error":"the guest was paused for longer than pause-limit"' "$LOGS/$1-a.json" &&
		grep -q '"guest_good":true' "$LOGS/$1-a.json"
}

# Never flushed, never committed.
for state in ready flushed; do
	name=pause-limit-$state
	pair $name "--interval 20 --count 3 --verify-each 1 --threshold 512K --verify
		--pause-limit $limit --stall-at $state:2" "" "--ram $RAM_SMALL"
	verdict $name over $name
done
