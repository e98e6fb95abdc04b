#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What a guest writes between two checkpoints does not fit into the secondary's
# staging-limit: each checkpoint is given up for that reason, the guest goes on, and
# after the first nothing is sent for nothing. When the limit is raised the guest is
# protected, on the same link, and all RAM is equal.
. "$(dirname "$0")/peer_lib.sh"
. "$(dirname "$0")/life_lib.sh"

peer connect limit
peer listen limited

# Two pages at each step of the DMA alone, whatever the vCPU gets done in 200 ms.
all="--name t $COMMON --ram $RAM --rate 4M/1s --dma-rate 20 --side $B:7100"
# shellcheck disable=SC2086
$IN_B timeout $((200 * SLOW)) $KVMM secondary $all --listen $B:7000 --staging-limit 4K \
	--json "$LOGS/limit-b.json" >"$LOGS/limit-b.log" 2>&1 &
b=$!
sleep 0.5
# shellcheck disable=SC2086
timeout $((200 * SLOW)) $KVMM primary $all $PRIMARY --connect $B:7000 --interval 200 \
	--count 5 --verify-each 1 --verify --json "$LOGS/limit-a.json" \
	>"$LOGS/limit-a.log" 2>&1 &
a=$!

field() { $1 $CTL get "$2" -s t 2>/dev/null; }	# WHERE FIELD
counter() { $1 $CTL --json stats t | grep "\"$2\":" | tr -dc 0-9; }	# WHERE COUNTER
aborted() {	# TIMES: for the limit, on both ends, and for nothing else
	[ "$(counter "" aborts-staging-limit)" -ge "$1" ] &&
		[ "$(counter "$IN_B" aborts-staging-limit)" -ge "$1" ]
}
# One answer of the kernel's, for what was given up is forgotten when a checkpoint begins.
says_so() {	# WHERE
	said=$($1 $CTL --json show t 2>/dev/null) || return
	error=$(echo "$said" | grep '"error": ')
	for what in '"committed": 1,' '"links": 1,' '"abort-reason": "staging-limit",' \
		"do not fit into 4096 bytes: set the secondary's staging-limit to more"; do
		case $said in *"$what"*) ;; *) return 1 ;; esac
	done
}
given_up() {
	until_true 60 aborted 1 && until_true 60 says_so "" && ours=$error &&
		until_true 60 says_so "$IN_B" && [ "$error" = "$ours" ]
}
verdict limit-given-up given_up

sent() { echo $(($(counter "" pages-raw) + $(counter "" pages-zero))); }
not_again() {
	until_true 60 aborted 2 || return 1
	before=$(sent)
	until_true 60 aborted 8 && after=$(sent) &&
		echo "# $before pages were sent up to the 2nd, $after up to the 8th" &&
		[ "$before" = "$after" ] && [ "$(field "" committed)" = 1 ] &&
		[ "$(counter "$IN_B" staging-peak-bytes)" = 4096 ]
}
verdict limit-not-again not_again

protected() {
	$IN_B $CTL set staging-limit 0 t && wait $a && wait $b &&
		grep -q '"committed":5,"verified":5,' "$LOGS/limit-a.json" &&
		grep -q '"commits":5,"verified":5,' "$LOGS/limit-b.json" &&
		grep -q '"guest_good":true' "$LOGS/limit-a.json" &&
		! grep '"type":"checkpoint"' "$LOGS/limit-a.json" |
			grep -v '"outcome":"committed"\|"abort_reason":"staging-limit"'
}
verdict limit-raised protected
