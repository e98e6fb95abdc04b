#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Device state that goes another way: an epoch is prepared at its end, and nothing
# of it is in place before apply; after it all RAM is equal, the pages in the
# applied log are those that have changed, and the guest runs on from the device
# state that the VMMs have carried.
. "$(dirname "$0")/peer_lib.sh"
. "$(dirname "$0")/life_lib.sh"

# Fewer on a kernel that is ten times as slow.
[ "$SLOW" = 1 ] && n=20 || n=5
all="--interval 20 --count $n --verify-each 1 --threshold 512K"
both="--ram $RAM_SMALL --device-state external"

pair external-equal "$all --verify" "" "$both --vcpus 2"
verdict external-equal both_good
pair external-churn "$all --kind mixed" "" "$both --ram1 4M --churn 50"
verdict external-churn both_good
pair external-no-events "$all" "--no-events" "$both"
verdict external-no-events both_good

# A page of each epoch at least was applied, and hardly more than were sent.
logged() {
	python3 - "$LOGS/external-equal-a.json" "$LOGS/external-equal-b.json" <<-'END'
	import json, sys
	a, b = ([json.loads(line) for line in open(f)][-1] for f in sys.argv[1:])
	sent = a['pages_raw'] + a['pages_zero']
	print(f"# {b['applied_log_pages']} pages in the log, {b['apply_pages']} staged and applied, {sent} sent")
	assert b['prepared'] == b['commits'] == a['committed'], b
	# The first epoch is not staged.
	assert b['apply_pages'] < b['applied_log_pages'] <= sent
	END
}
verdict external-logged logged
client external
peer connect prepared
peer listen verdict
