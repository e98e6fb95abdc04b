#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I1, I5: copies to and from the VMM's memory that fail in the primary's worker. A
# dirty log that cannot be read leaves its whole memslot dirty; one that cannot be
# cleared, and a page that cannot be read, end the checkpoint. Never is a page lost.
# Needs the debug kernel's fault injection.
. "$(dirname "$0")/fault_lib.sh"

inject() {	# one in how many, how often
	inject_begin
	inject_worker
	inject_every fail_usercopy "$1" "$2" Y
}

all_failed() { [ "$(cat $F/fail_usercopy/times)" = 0 ]; }
aborts() { grep -c "\"abort_reason\":\"$2\"" "$LOGS/$1-a.json"; }

run() {	# NAME MOMENT [OPTIONS OF BOTH]
	pair "$1" "--interval 20 --count 8 --verify-each 1 --threshold 512K
		--run-at $2 --run $INJECT" "" "--ram 4M --ram1 2M $3"
	echo 0 >$F/fail_usercopy/probability
}

# What the worker does next is the last harvest: two logs are not read.
inject 1 2
run nocopy-log ready:3
marked() { all_verified "$1" 8 && all_failed && grep -q '"aborted":0[,}]' "$LOGS/$1-a.json"; }
verdict nocopy-log marked nocopy-log

# One that reading clears is clear when it cannot be copied out, the second of the two
# copies of a call: in the last harvest, and in the first, while the guest runs.
inject 2 6
run nocopy-legacy ready:3 "--manual off --no-device --join"
verdict nocopy-legacy marked nocopy-legacy
inject 2 6
run nocopy-legacy-round committed:2 "--manual off --no-device --join"
verdict nocopy-legacy-round marked nocopy-legacy-round

given_up() { all_verified "$1" 8 && all_failed && [ "$(aborts "$1" "$2")" -gt 0 ]; }

# None of them is read, and then one is not cleared.
inject 1 30
run nocopy-clear ready:3
verdict nocopy-clear given_up nocopy-clear scratch

# Most copies are of pages.
inject 41 12
run nocopy-page committed:2
verdict nocopy-page given_up nocopy-page guest-memory
