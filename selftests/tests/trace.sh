#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Tracepoints: each of them is there, fires in a session that commits, aborts and
# pre-copies, and says what is so.
. "$(dirname "$0")/test_lib.sh"

T=/sys/kernel/tracing
mountpoint -q $T || mount -t tracefs none $T
echo >$T/trace
echo 1 >$T/events/kcolo/enable
pair trace "--interval 20 --count 4 --verify-each 1 --threshold 512K
	--abort-at flushed --abort-each 3" "" "--ram $RAM_SMALL"
verdict trace-session both_good
cat $T/trace >"$LOGS/trace.txt"
echo >$T/trace
# More than all of RAM: whatever the guest does, little is pending.
pair trace-low "--interval 20 --count 2 --threshold 1G" "" "--ram $RAM_SMALL"
verdict trace-low both_good
echo 0 >$T/events/kcolo/enable
cat $T/trace >"$LOGS/trace-low.txt"

for event in event state migrate_pending migration_low_pending round commit abort apply; do
	verdict "trace-$event" grep -q " kcolo_$event: t " "$LOGS/trace.txt" "$LOGS/trace-low.txt"
done

# What they say of a session is what kvmm has heard of each of its checkpoints.
values() {	# NAME THRESHOLD
	python3 - "$LOGS/$1" "$2" <<-'END'
	import json, re, sys
	path, threshold = sys.argv[1], int(sys.argv[2])
	*each, end = (json.loads(line) for line in open(path + '-a.json'))
	peer = [json.loads(line) for line in open(path + '-b.json')][-1]
	text = open(path + '.txt').read()
	epochs = lambda what: [c['epoch'] for c in each if what(c)]
	committed = epochs(lambda c: c['outcome'] == 'committed')

	# Its lines in their order, each with its numbers.
	def lines(event):
	    return [{key: int(value) for key, value in re.findall(r'(\w+)=(\d+)', line)}
	            for line in re.findall(rf' kcolo_{event}: t (.*)', text)]
	def of(event, epoch):
	    return [line for line in lines(event) if line['epoch'] == epoch]
	def says(event, expected):
	    said = [(line['epoch'], line['value']) for line in lines(event)]
	    assert said == expected, (event, said, expected)

	for c in each:
	    pending = of('migrate_pending', c['epoch'])
	    # The secondary tells of a round that begins, and of nothing in it.
	    rounds = [r for r in of('round', c['epoch']) if r['before']]
	    assert [p['rounds'] for p in pending] == list(range(c['rounds'] + 1)), (c, pending)
	    assert {p['threshold'] for p in pending} == {threshold}, (c, pending)
	    assert pending[-1]['size'] == c['pending'], (c, pending)
	    assert [r['round'] for r in rounds] == list(range(1, c['rounds'] + 1)), (c, rounds)
	    assert [r['before'] for r in rounds] == [p['size'] for p in pending[:-1]], (pending, rounds)
	    assert sum(r['sent'] for r in rounds) == c['last_precopy_pages'] * 4096, (c, rounds)
	    # checkpoint-ready in state ready, once; checkpoint-received, if it was.
	    events = of('event', c['epoch'])
	    assert [e['state'] for e in events if e['type'] == 6] == [4], (c, events)
	    assert sum(e['type'] == 7 for e in events) == (c['outcome'] == 'committed'), (c, events)

	says('migration_low_pending', [(c['epoch'], c['pending']) for c in each
	                               if c['stop_reason'] == 'threshold'])
	says('commit', [(c['epoch'], c['last_pause_us']) for c in each if c['epoch'] in committed])
	# 1: requested, on the primary at least
	reasons = {(a['epoch'], a['value']) for a in lines('abort') if a['value']}
	assert reasons == {(e, 1) for e in epochs(lambda c: c['outcome'] == 'aborted')}, reasons
	assert [a['epoch'] for a in lines('apply')] == committed, lines('apply')
	assert lines('apply')[-1]['value'] == peer['apply_pages'], (lines('apply'), peer)
	states = re.findall(r' kcolo_state: t (\w+) to (\w+)', text)
	assert states.count(('precopy', 'ready')) == len(each), states
	assert states.count(('flushed', 'committing')) == len(committed), states
	END
}
verdict trace-values values trace 524288
verdict trace-low-values values trace-low 1073741824
