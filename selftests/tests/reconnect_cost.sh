#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What a cut costs: a second without a link, while 8 MiB of 256 MiB are dirtied. What
# is sent from then on until the guest is protected again is what was written since
# the last commit, and no more than a tenth beyond.
. "$(dirname "$0")/test_lib.sh"

command=/run/cut-second
cat >$command <<'END'
#!/bin/sh
# Each fourth checkpoint.
n=$(($(cat /run/cuts 2>/dev/null || echo 0) + 1))
echo $n >/run/cuts
[ $((n % 4)) = 0 ] || exit 0
ip link set va down
{ sleep 1; ip link set va up; } >/dev/null 2>&1 &
END
chmod +x $command

# Of each commit after a loss: pages sent since the record before it, and how many
# were written since the commit before. Not of the
# initial sync, which a busy machine may be too slow for at first.
figures() {
	tr -d '{}"' <"$1" | awk -F, '{
		split("", v)
		for (i = 1; i <= NF; i++) { split($i, kv, ":"); v[kv[1]] = kv[2] }
		if (v["type"] != "checkpoint") next
		sent = v["pages_raw"] + v["pages_zero"]
		if (v["outcome"] == "committed" && lost)
			print sent - before, v["dirtied_pages"]
		based = based || v["outcome"] == "committed"
		lost = based && v["outcome"] != "committed"
		before = sent
	}'
}

few_sent() {	# MOMENT
	both_good && figures "$LOGS/cost-$1-a.json" >"$LOGS/cost-$1.txt" &&
		[ "$(wc -l <"$LOGS/cost-$1.txt")" -ge 2 ] &&
		awk '{ printf "# sent %d of %d dirtied: %.2f\n", $1, $2, $1 / $2
			if ($1 > 1.1 * $2 || $2 < 1500) bad = 1
		} END { exit bad }' "$LOGS/cost-$1.txt"
}

for moment in precopy flushed; do
	rm -f /run/cuts
	pair cost-$moment "--interval 300 --count 12 --verify-each 1 --verify-late
		--run-at $moment:0 --run $command --rate 8M/1s --lost-wait 60000" \
		"--promote command" \
		"--ram 256M --ram1 0 --vram 0 --reconnect --peer-timeout $((500 * SLOW))"
	verdict cost-$moment few_sent $moment
done
