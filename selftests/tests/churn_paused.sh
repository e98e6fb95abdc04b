#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I1, I3: memslots change in the pause, too. As long as they do not stop the
# checkpoint is given up, in so many words; when they have, the next ones commit,
# and all RAM is equal.
. "$(dirname "$0")/test_lib.sh"

given_up() {
	all_verified churn-paused 5 &&
		grep -q '"abort_reason":"memslots","error":"the memslots did not stop' \
			"$LOGS/churn-paused-a.json"
}

pair churn-paused "--interval 20 --count 5 --verify-each 1 --threshold 512K" "" \
	"--ram 4M --ram1 2M --vram 1M --churn 1 --churn-paused --churns 1500"
verdict churn-paused given_up
