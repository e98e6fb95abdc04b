#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What a session holds is charged to the memory cgroup of its VMM: on the secondary
# what is staged, on the primary what is being sent. It is given back when the
# session ends. A cgroup that has too little fails the link with no-memory; nobody is
# killed, and the guest is protected again when there is more.
. "$(dirname "$0")/life_lib.sh"

CG=/run/memcg
cgroups() {
	mkdir -p $CG && { mountpoint -q $CG || mount -t cgroup2 none $CG; } &&
		echo +memory >$CG/cgroup.subtree_control &&
		mkdir -p $CG/a $CG/b
}
cgroups || { echo "not ok memcg-cgroups"; exit; }


# COMMAND...: in group $1, in the process that the shell calls $!
IN_GROUP='echo $$ >"$0/cgroup.procs" && exec "$@"'
kib() { awk -v f=kernel '$1 == f { print int($2 / 1024) }' $CG/"$1"/memory.stat; }	# GROUP
events() { awk -v f="$2" '$1 == f { print $2 }' $CG/"$1"/memory.events; }	# GROUP EVENT
field() { $1 $CTL get "$2" -s t 2>/dev/null; }	# WHERE FIELD
counter() { $1 $CTL --json stats t | grep "\"$2\":" | tr -dc 0-9; }	# WHERE COUNTER
is() { [ "$(field "$1" "$2")" = "$3" ]; }

# Some MiB are written from one checkpoint to the next.
interval=$((SLOW > 1 ? 9000 : 1500))
# On the secondary a shell keeps the session's fd when the VMM has ended.
all="--name t $COMMON --ram $RAM --rate 8M/1s --dma-rate 4 --reconnect --lost-wait 60000"
$IN_B sh -c "$IN_GROUP" $CG/b $CTL session add t secondary --listen $B:7000 --insecure -- \
	sh -c "$KVMM secondary $all --promote command --json $LOGS/memcg-b.json
		echo ended; exec sleep 600" \
	>"$LOGS/memcg-b.log" 2>&1 &
b=$!
until_true 10 is "$IN_B" state connecting
# shellcheck disable=SC2086
sh -c "$IN_GROUP" $CG/a $KVMM primary $all $PRIMARY --connect $B:7000 --interval $interval \
	--count 5 --stall-at flushed:3 --verify --json "$LOGS/memcg-a.json" \
	>"$LOGS/memcg-a.log" 2>&1 &
a=$!

# Nothing but what is staged takes more than a few hundred KiB there.
staged() {
	until_true 60 is "" state flushed || return 1
	bytes=$(counter "$IN_B" staging-bytes)
	held=$(((bytes + $(counter "$IN_B" staging-spare-bytes)) / 1024))
	echo "# $((bytes / 1024)) KiB are staged, $held KiB held, $(kib b) KiB charged;" \
		"$(kib a) KiB on the primary"
	[ "$bytes" -ge 1048576 ] && [ "$(kib b)" -ge $held ] &&
		[ "$(kib b)" -le $((held + 2048)) ]
}
end_all() {
	echo 1 >$CG/a/cgroup.kill
	echo 1 >$CG/b/cgroup.kill
	wait $a $b 2>/dev/null
}
verdict memcg-staged staged || { end_all; exit; }
# What was sent last lies in memory of the primary's own, 16 MiB at most.
sent() {
	[ "$(kib a)" -ge $((bytes / 1024 < 8192 ? bytes / 1024 : 8192)) ] &&
		[ "$(kib a)" -le 20480 ]
}
verdict memcg-sent sent

# The epoch is given up, and the next one is larger.
short() {
	echo $(($(cat $CG/b/memory.current) + 1048576)) >$CG/b/memory.max &&
		$CTL abort t && until_true 60 no_memory &&
		[ "$(events b oom_kill)" = 0 ] && is "" committed 2 &&
		pgrep -f "kvmm secondary" >/dev/null
}
no_memory() { [ "$(counter "$IN_B" aborts-no-memory)" -ge 1 ]; }
verdict memcg-short short
enough() {
	echo max >$CG/b/memory.max && wait $a && until_true 10 grep -q ended "$LOGS/memcg-b.log" &&
		grep -q '"committed":5,' "$LOGS/memcg-a.json" &&
		grep -q '"guest_good":true' "$LOGS/memcg-a.json" &&
		grep -q '"commits":5,' "$LOGS/memcg-b.json" && [ "$(events b oom_kill)" = 0 ]
}
verdict memcg-enough enough

given_back() { [ "$(kib a)" -le 512 ] && [ "$(kib b)" -le 1024 ]; }
back() {
	echo "# $(cat $CG/b/memory.current) bytes are charged on the secondary"
	[ -n "$(cat $CG/b/cgroup.procs)" ] && until_true 10 given_back
}
verdict memcg-given-back back
end_all
gone() { rmdir $CG/a $CG/b 2>/dev/null; }
verdict memcg-gone until_true 10 gone
