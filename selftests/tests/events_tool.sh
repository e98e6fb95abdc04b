#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I7: "kcoloctl events" that is stopped while events come says that it lost some,
# what there is now, and then misses nothing. Numbers have no gap without a loss.
. "$(dirname "$0")/life_lib.sh"

$CTL session add e1 secondary --listen 127.0.0.1:7001 --insecure \
	>"$LOGS/events-e1.log" 2>&1 &
holder=$!
until_true 5 grep -q "session e1" "$LOGS/events-e1.log"

check() {	# NAME
	verdict "$1" python3 - "/tmp/$1.json" "$2" <<-END
	import json, sys
	lines = [json.loads(l) for l in open(sys.argv[1])]
	everything = [l for l in lines if l["object"] == "-"]
	loss = {"action": "change", "object": "-", "event": "lost"}
	whole = {"action": "exists", "object": "-"}
	lost = sum(l == loss for l in everything)
	assert everything == [whole] + [loss, whole] * lost, everything
	last = None
	for l in lines:
	    if l == loss:
	        last = None
	    elif (l["action"], l["object"]) == ("exists", "session"):
	        assert last is None, "what there is came twice"
	        last = l["seq"]
	    elif l["action"] == "change":
	        assert l["event"] == "session-set", l
	        assert l["seq"] == last + 1, (l, last)
	        last = l["seq"]
	assert lost == int(sys.argv[2]), "%d losses" % lost
	assert last, "nothing came"
	want = int(open(sys.argv[1] + ".seq").read())
	assert last == want, "the last was %d, not %d" % (last, want)
	END
}
caught_up() { grep -Eq "\"seq\": ?$(cat "/tmp/$1.json.seq")[,}]" "/tmp/$1.json"; }
last_seq() { $CTL get event-seq -s e1 >"/tmp/$1.json.seq"; }

# Each is a program that starts: few.
follow events-gapless e1
i=0
while [ $i -lt 20 ]; do
	i=$((i + 1))
	$CTL set threshold ${i}M -s e1
done
last_seq events-gapless
until_true 2 caught_up events-gapless
kill $events
check events-gapless 0

for all in "" e1; do
	name=events-lost${all:+-one}
	# shellcheck disable=SC2086
	follow "$name" $all
	kill -STOP $events
	$NLCLIENT --slow "$SLOW" --session e1 set-many >"$LOGS/$name.log" 2>&1
	kill -CONT $events
	sleep 2
	$CTL set threshold 1M -s e1
	last_seq $name
	until_true 2 caught_up $name
	kill $events
	check $name 1
done
# As the VMM's own way to do without them.
pair no-events "--interval 20 --count 5 --verify-each 1 --no-events" "--no-events" \
	"--ram $RAM_SMALL"
verdict no-events both_good
kill $holder
wait $holder || true
