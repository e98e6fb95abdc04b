#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A page that was not written again is not sent again: with pre-copy off, what a
# checkpoint sends is what was written since the one before, pages that are
# mapped twice included.
. "$(dirname "$0")/test_lib.sh"

# The first checkpoint is the full sync; in the next the guest has hardly begun.
sent_once() {
	both_good && python3 - "$LOGS/once-a.json" <<-'END'
	import json, sys
	rows = [json.loads(line) for line in open(sys.argv[1])]
	rows = [r for r in rows if r['type'] == 'checkpoint'][4:]
	sent = sum(r['last_pause_pages'] for r in rows)
	dirtied = sum(r['dirtied_pages'] for r in rows)
	print(f'# {len(rows)} checkpoints, {dirtied} pages dirtied, {sent} sent')
	# A few more are: the boot area, the page a paused vCPU is in the middle of.
	sys.exit(not rows or not dirtied or sent > 1.5 * dirtied)
	END
}

pair once "--interval 50 --count 40 --verify-each 1 --threshold 0" "" \
	"--ram 4M --ram1 2M --vram 0 --rate 512K/1s"
verdict once sent_once
