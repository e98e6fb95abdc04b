#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A secondary whose regions are caches, as those of QEMU's COLO are: pages are put in
# them as they come. After each commit all RAM is equal, also after epochs that were
# dropped or aborted; the applied log has all that has changed; nothing is staged.
. "$(dirname "$0")/life_lib.sh"

# Fewer on a kernel that is ten times as slow.
[ "$SLOW" = 1 ] && n=12 || n=6
all="--interval 20 --count $n --verify-each 1 --threshold 512K --verify"
both="--ram $RAM_SMALL --device-state external"

unstaged() {
	both_good && python3 - "$LOGS/$1-b.json" <<-'END'
	import json, sys
	last = [json.loads(line) for line in open(sys.argv[1])][-1]
	assert last['staging_peak_bytes'] == 0 == last['apply_pages'], last
	END
}
pair in-place-equal "$all" --in-place "$both --vcpus 2"
verdict in-place-equal unstaged in-place-equal
pair in-place-drop "$all" "--in-place --drop-each 3" "$both"
verdict in-place-drop unstaged in-place-drop
pair in-place-abort "$all --abort-at flushed --abort-each 2" --in-place "$both"
verdict in-place-abort unstaged in-place-abort
