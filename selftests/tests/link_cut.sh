#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I2: the link is cut, for ever. Both ends notice within
# peer-timeout: the secondary takes over with the last committed epoch, the
# primary says that it is lost, or in doubt, and commits nothing any more.
. "$(dirname "$0")/test_lib.sh"

command=/run/cut-link
printf '#!/bin/sh\nip link set va down\n' >$command
chmod +x $command

cut() { [ "$primary" = 4 ] && [ "$secondary" = 0 ] && base_compared "$1"; }

states="precopy flushing committing received"
# The secondary's end differs between these; the rest takes as long as it is slow.
[ "$SLOW" = 1 ] || states="precopy committing"
for state in $states; do
	ip link set va up
	pair cut-$state "--interval 20 --count 0 --verify-each 1 --threshold 512K
		--exit-on-lost --run-at $state:3 --run $command" \
		"--promote lost --run-on 300 --verify" \
		"--ram $RAM_SMALL --peer-timeout $((SLOW > 1 ? 15000 : 5000))"
	verdict cut-$state cut cut-$state
done
ip link set va up
