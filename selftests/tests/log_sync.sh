#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A VMM that logs its writes elsewhere first is asked for them before each look at
# the dirty sources while the guest runs; one that does not answer is not waited for
# longer than log-sync-timeout; and nothing is lost in either case.
. "$(dirname "$0")/test_lib.sh"

both="--ram $RAM_SMALL"
# Only the device writes: what it has logged is all there is to be found.
device="--pattern none --dma-rate 4000"
all="--interval 200 --count 6 --verify-each 1 --verify --threshold 64K --log-sync"

counts() {	# NAME EXPRESSION of the summary, as a
	python3 - "$LOGS/$1-a.json" "$2" <<-'END'
	import json, sys
	a = [json.loads(line) for line in open(sys.argv[1])][-1]
	print("# " + ", ".join(f"{k} {a[k]}" for k in
	      ('log_syncs', 'log_sync_late', 'harvests', 'pages_precopy', 'pages_pause')))
	assert eval(sys.argv[2]), a
	END
}

pair log-sync "$all --log-sync-timeout 5000" "" "$both $device"
verdict log-sync both_good
verdict log-sync-found counts log-sync "a['log_syncs'] >= 6 and a['log_sync_late'] == 0 and a['pages_precopy'] > 0"

pair log-sync-deaf "$all --deaf --log-sync-timeout 50" "" "$both $device"
verdict log-sync-deaf both_good
verdict log-sync-late counts log-sync-deaf "a['log_syncs'] == a['log_sync_late'] >= 6 and a['pages_precopy'] < a['pages_pause']"

# An urgent checkpoint is not kept waiting.
pair log-sync-urgent "--interval 50 --count 6 --verify-each 1 --log-sync --deaf --log-sync-timeout 5000 --kind urgent" "" "$both"
verdict log-sync-urgent both_good
verdict log-sync-unasked counts log-sync-urgent "a['log_syncs'] == 0"

# Fewer on a kernel that is ten times as slow.
[ "$SLOW" = 1 ] && n=20 || n=5
pair log-sync-busy "--interval 20 --count $n --verify-each 1 --verify --threshold 512K --log-sync" "" "$both --vcpus 2 --dma-rate 2000"
verdict log-sync-busy both_good
