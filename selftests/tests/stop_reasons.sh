#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Pre-copy ends for the reason that the parameters give it, also for those that
# are set while it runs; and the statistics have counted it so.
. "$(dirname "$0")/test_lib.sh"
. "$(dirname "$0")/stats_lib.sh"

# Before each harvest the VMM logs a page: whoever else has no turn, pre-copy would
# not end by itself.
busy="--ram 4M --ram1 2M --vram 1M"
again="--log-sync --log-sync-timeout 30000 --log-again"
# And memslots change all the time, which makes all of RAM pending once more.
churn="--churn 1"

# Each checkpoint but the first, which is a full sync, has this in its JSON.
each_has() {	# NAME PATTERN
	both_good && [ "$(grep -c '"type":"checkpoint","n":[23],' "$LOGS/$1-a.json")" = 2 ] &&
		[ "$(grep '"type":"checkpoint","n":[23],' "$LOGS/$1-a.json" | grep -c "$2")" = 2 ]
}

stops() {	# REASON ROUNDS OPTIONS COUNTED [CHURN]
	pair "stop-$1" "--interval 100 --count 3 --verify-each 1 $again $3" "" "$busy $5"
	verdict "stop-$1" each_has "stop-$1" "\"stop_reason\":\"$1\",\"rounds\":$2,"
	verdict "stop-$1-counted" counted "stop-$1" "(end['memslot_changes'] > 0) == bool('$5') and ($4)"
}
# Of an epoch that has no round each page is sent once, but for the full sync's.
once="each[2]['pages_resent'] == each[0]['pages_resent']"

stops disabled 0 "--threshold 0" "$once" "$churn"
stops threshold 0 "--threshold 1G" "$once" "$churn"
stops iterations 2 "--threshold 4K --max-iterations 2 --min-gain 0" True "$churn"
# Less is gained than was sent: a page of it is written again at once. No churn, in
# which chunks are left out, so that less is sent than was pending.
stops gain 1 "--threshold 4K --max-iterations 100 --min-gain 100" True
stops urgent 0 "--threshold 4K --kind urgent" "$once and end['checkpoints_urgent'] == 3" "$churn"

# Pages that are written all the time are sent again: at least those that the guest
# wrote in the full sync.
pair resent "--interval 100 --count 3 --verify-each 1 --threshold 4K" "" \
	"--ram $RAM_SMALL --pattern hot --content pages"
verdict resent all_verified resent 3
verdict resent-counted counted resent "end['pages_resent'] > 0 and end['memslot_changes'] == 0"

# Pre-copy that would go on for ever ends by what is set while it does.
during() {	# NAME PARAMETER VALUE PATTERN
	printf '#!/bin/sh\n{ sleep 1; %s set %s %s -s t; } >%s 2>&1 &\n' \
		"$CTL" "$2" "$3" "$LOGS/$1-set.log" >"/tmp/$1"
	chmod +x "/tmp/$1"
	pair "$1" "--interval 100 --count 2 --verify-each 1 --threshold 4K
		--max-iterations 32767 --min-gain 0 $again --run-at precopy:1 --run /tmp/$1" "" "$busy"
	verdict "$1" stopped "$1" "$4"
	verdict "$1-counted" counted "$1" True
}
stopped() {
	both_good && grep '"type":"checkpoint","n":1,' "$LOGS/$1-a.json" | grep -q "$2" && return
	echo "# exit codes $primary and $secondary, $(cat "$LOGS/$1-set.log")"
	sed 's/^/# /' "$LOGS/$1-a.json"
	return 1
}
during set-threshold threshold 0 '"stop_reason":"disabled","rounds":[1-9]'
during set-iterations max-iterations 1 '"stop_reason":"iterations","rounds":[1-9]'
during set-gain min-gain 100 '"stop_reason":"gain","rounds":[1-9]'
