#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A region that the secondary lacks is refused by name; when it is removed, the
# next checkpoints are whole and know nothing of it.
. "$(dirname "$0")/test_lib.sh"

refused_first() {
	both_good && grep -q "the secondary has no region 'extra'" "$LOGS/region-del-a.json" &&
		grep -q '"aborted": *1,' "$LOGS/region-del-a.json"
}

pair region-del "--interval 20 --count 4 --verify-each 1 --extra-region" "" \
	"--ram $RAM_SMALL"
verdict region-del refused_first
