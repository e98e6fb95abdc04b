#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I3: the connections are cut at random points of checkpoints, and between them, and
# the two ends find each other again. What was in doubt is decided, the guest is
# protected anew without a full sync, and after each commit all RAM is equal.
. "$(dirname "$0")/test_lib.sh"

command=/run/cut-link
printf '#!/bin/sh\nss -HKt dst %s dport = :7000 >/dev/null\n' "$B" >$command
chmod +x $command

# The last that the report of NAME says of KEY.
value() { grep -o "\"$2\":[0-9]*" "$LOGS/$1.json" | tail -n 1 | cut -d: -f2; }

# All commits were compared, and only what was new was sent after a cut.
protected_again() {
	all_verified "$1" "$(value "$1-a" committed)" &&
		[ "$(value "$1-a" resyncs_full)" = 0 ] &&
		[ "$(value "$1-a" resyncs_delta)" -ge "$(value "$1-a" relinks)" ]
}

cut_each() {	# NAME CUTS MOMENT OPTIONS
	# The first start of it takes longer than a checkpoint.
	$command
	TIME=${TIME:-$((240 + 2 * $2))} pair "$1" "--interval 20 --count 5 --relinks $2
		--verify-each 1 --threshold 512K --run-at $3:0 --run $command
		--rand-max 100" "--promote command" "--ram $RAM_SMALL --reconnect $4"
	verdict "$1" protected_again "$1"
	echo "# $(value "$1-a" relinks) times there again, $(value "$1-a" committed) epochs committed"
}

cut_each reconnect-random "${RECONNECTS:-40}" rand ""
