# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What kcolo has counted, against what kvmm has seen happen to its checkpoints.

# counted NAME [EXPRESSION]: of the primary of pair NAME; EXPRESSION has its
# checkpoints as each and the summary as end
counted() {
	python3 - "$LOGS/$1-a.json" "${2:-True}" <<-'END'
	import collections, json, sys
	*each, end = [json.loads(line) for line in open(sys.argv[1])]
	ended, reasons, stops = (collections.Counter(c[key] for c in each)
	                         for key in ('outcome', 'abort_reason', 'stop_reason'))
	committed = [c for c in each if c['outcome'] == 'committed']
	total = lambda key: sum(c[key] for c in each)
	wrong = []

	seen = {
	    'checkpoints': ended['committed'],
	    'checkpoints_urgent': sum(c['kind'] == 'urgent' for c in committed),
	    'aborts': ended['aborted'],
	    'aborts_requested': reasons['requested'],
	    'pages_precopy': total('last_precopy_pages'),
	    'pages_pause': total('last_pause_pages'),
	    'pages_raw': end['pages_sync'] + end['pages_precopy'] + end['pages_pause'] -
	                 end['pages_zero'],
	}
	for reason in 'disabled', 'threshold', 'iterations', 'gain', 'urgent':
	    seen['stop_' + reason] = stops[reason]
	# Of pre-copy that was aborted nobody says how many there were.
	if not ended['aborted']:
	    seen['rounds'] = total('rounds')
	wrong += [f'{key} is {end[key]} and not {n}' for key, n in seen.items() if end[key] != n]

	for c in committed:
	    if c['last_rounds'] != c['rounds']:
	        wrong.append(f"#{c['n']}: last_rounds is {c['last_rounds']} and not {c['rounds']}")
	    if c['last_pause_pages'] * 4096 < c['pending']:
	        wrong.append(f"#{c['n']}: {c['pending']} bytes were left, {c['last_pause_pages']} pages sent")
	    # The parts of the pause that the kernel times, in the pause as it times it,
	    # and those that come once the guest stands still, in kvmm's.
	    parts = c['last_harvest_us'] + c['last_flush_us'] + c['last_received_us']
	    if parts + c['last_stop_us'] > c['last_pause_us'] or parts > c['pause_us']:
	        wrong.append(f"#{c['n']}: a pause of {c['last_pause_us']} or {c['pause_us']} us"
	                     f" has {c['last_stop_us']} and {parts} in it")
	if not eval(sys.argv[2]):
	    wrong.append('not so: ' + sys.argv[2])
	print('\n'.join('# ' + w for w in wrong), end='\n' if wrong else '')
	sys.exit(bool(wrong))
	END
}
