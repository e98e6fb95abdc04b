#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I5: an administrator ends a secondary's session in each state of a primary's
# checkpoint. The primary is told that it was meant, and its guest goes on.
. "$(dirname "$0")/life_lib.sh"

TIME=60
# A word, since pair() splits its options.
DEL=/tmp/life-del-secondary
printf '#!/bin/sh\n%s\n' "$IN_B $CTL session del t" >$DEL
chmod +x $DEL

lost_closed() {	# exit codes: 5 is a session that has ended, 4 a peer lost
	[ "$primary" = 4 ] && [ "$secondary" = 5 ] &&
		grep -q '"guest_good":true' "$LOGS/$name-a.json" &&
		grep -q '"event":"peer-lost".*"abort-reason":"closed"' \
			"/tmp/$name-events.json"
}

for state in precopy ready flushing flushed committing received committed; do
	name=del-secondary-$state
	follow "$name-events" --type peer-lost --count 1 --timeout 60s
	pair $name "--interval 20 --count 0 --threshold 512K --verify
		--lost-wait 200 --run-at $state:3 --run $DEL" "" "--ram $RAM_SMALL"
	wait $events
	verdict $name lost_closed
done
