#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I5: an administrator ends a primary's session in each state of a checkpoint.
# Its guest goes on and is good; the secondary ends with it, and does not take
# the end for a death: it does not take over.
. "$(dirname "$0")/life_lib.sh"

TIME=60
# A word, since pair() splits its options.
DEL=/tmp/life-del-primary
printf '#!/bin/sh\n%s\n' "$CTL session del t" >$DEL
chmod +x $DEL

ended_both() {	# exit codes: 5 is a session that has ended
	[ "$primary" = 5 ] && [ "$secondary" = 5 ] &&
		grep -q '"guest_good":true' "$LOGS/$name-a.json" &&
		! grep -q '"promoted":true' "$LOGS/$name-b.json"
}

for state in precopy ready flushing flushed committing received committed; do
	name=del-primary-$state
	pair $name "--interval 20 --count 0 --threshold 512K --verify
		--run-at $state:3 --run $DEL" "--promote lost --run-on 100" "--ram $RAM_SMALL"
	verdict $name ended_both
done
