#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I6: what is wrong is refused in words, and changes nothing.
. "$(dirname "$0")/test_lib.sh"

# Nothing is committed ever: the time is up soon.
TIME=6

refused() {	# name, pattern in what the primary says, options of both ends
	pair "$1" "--interval 20 --count 1 --exit-on-lost --lost-wait 100 $3" \
		"$4" "--ram $RAM_SMALL"
	verdict "$1" grep -q "$2" "$LOGS/$1-a.log" "$LOGS/$1-a.json"
}

refused refuse-region-size "region 'ram1' is" "--ram1 8M" "--ram1 4M"
