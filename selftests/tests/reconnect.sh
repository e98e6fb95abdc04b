#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I3: the connections are cut at a random point of each checkpoint, and the two
# ends find each other again. What was in doubt is decided, the guest is protected
# anew without a full sync, and after each commit all RAM is equal.
. "$(dirname "$0")/test_lib.sh"

command=/run/cut-link
printf '#!/bin/sh\nss -HKt dst %s dport = :7000 >/dev/null\n' "$B" >$command
chmod +x $command

# What the reports say of KEY, the sum of it over all checkpoints or the last.
value() { grep -o "\"$2\":[0-9]*" "$LOGS/$1.json" | tail -n 1 | cut -d: -f2; }

# NAME COMMITS: all compared, as many links as cuts or nearly, and no full resync.
protected_again() {
	all_verified "$1" "$2" && [ "$(value "$1-a" relinks)" -ge $(($2 / 2)) ]
}

cut_each() {	# NAME COMMITS MOMENT OPTIONS
	pair "$1" "--interval 20 --count $2 --verify-each 1 --threshold 512K
		--run-at $3:0 --run $command --rand-max 60" "--promote command" \
		"--ram $RAM_SMALL --reconnect --seed $2 $4"
	verdict "$1" protected_again "$1" "$2"
}

cut_each reconnect-random "${RECONNECTS:-40}" rand
