#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I5: memory that cannot be had. In a session that commits, one in so many
# allocations on kcolo's behalf fails: a checkpoint is aborted, or the link given
# up; never is a page lost, and nothing hangs. Then the same when a session is made,
# which may be refused. Needs the debug kernel's fault injection.
. "$(dirname "$0")/fault_lib.sh"

# First and last address of the module's code, and of TCP's sending.
python3 - >/run/kcolo-range <<-'END'
start = int(open('/sys/module/kcolo/sections/.text').read(), 16)
size = next(int(l.split()[1]) for l in open('/proc/modules') if l.startswith('kcolo '))
symbols = [l.split()[:3] for l in open('/proc/kallsyms')]
tcp = next(int(a, 16) for a, _, name in symbols if name == 'tcp_sendmsg')
after = min(int(a, 16) for a, _, _ in symbols if int(a, 16) > tcp)
print(hex(start), hex(start + size), hex(tcp), hex(after))
END
read -r first last tcp after_tcp </run/kcolo-range

inject() {	# one in how many, how often, all or worker
	filter=N
	reject="0 0"
	inject_begin
	# By a task filter the primary's worker alone, and what it allocates itself:
	# TCP waits for memory and tries again, which takes long and aborts nothing.
	if [ "$3" = worker ]; then
		filter=Y
		reject="$tcp $after_tcp"
		inject_worker
	fi
	for f in failslab fail_page_alloc; do
		cat >>$INJECT <<-END
		echo $first >$F/$f/require-start
		echo $last >$F/$f/require-end
		echo ${reject% *} >$F/$f/reject-start
		echo ${reject#* } >$F/$f/reject-end
		echo N >$F/$f/ignore-gfp-wait
		END
	done
	echo "echo 0 >$F/fail_page_alloc/min-order" >>$INJECT
	inject_every failslab "$1" "$2" $filter
	inject_every fail_page_alloc "$1" "$2" $filter
}

no_more() {
	echo 0 >$F/failslab/probability
	echo 0 >$F/fail_page_alloc/probability
}

limit=100000
injected() { echo $((2 * limit - $(cat $F/failslab/times) - $(cat $F/fail_page_alloc/times))); }

# What a VMM may end with: good, its peer lost, kcolo refused. Not a page that
# differs (1), a usage error, a signal, or a hang (124, 137).
orderly() {
	for code in $primary $secondary; do
		case $code in
		0|4|5) ;;
		*) return 1 ;;
		esac
	done
}

commits() { grep -c '"type":"committed"' "$LOGS/$1-b.json"; }
aborts() { grep -c '"abort_reason":"no-memory"' "$LOGS/$1-a.json"; }
all_equal() {
	[ "$(commits "$1")" = "$(grep -c '"type":"committed".*"hash_equal":true' "$LOGS/$1-b.json")" ]
}

# The two commits before faults were injected at least, each compared.
survived() { orderly && [ "$(commits "$1")" -ge 2 ] && all_equal "$1"; }

tell() {
	echo "# $1: $(injected) failed, $(commits "$1") commits, $(aborts "$1") aborts," \
		"exit codes $primary $secondary"
}

# The primary's worker has no memory for a while. What its events would take is
# always among that: none is missed for good, or the VMM waits for ever. Whether a
# checkpoint is given up depends on what of its pool it has by then; the next is whole.
went_on() { all_verified nomem-worker 6 && [ "$(injected)" -gt 0 ]; }
limit=50
inject 1 $limit worker
pair nomem-worker "--interval 20 --count 6 --verify-each 1 --threshold 512K
	--run-at committed:2 --run $INJECT" "" "--ram $RAM_SMALL"
no_more
tell nomem-worker
verdict nomem-worker went_on

limit=100000
total=0
given_up=0
after=0
for one_in in ${NOMEM:-1600 400 100}; do
	name=nomem-$one_in
	inject "$one_in" $limit all
	pair $name "--interval 20 --count 10 --verify-each 1 --threshold 512K
		--exit-on-lost --run-at committed:2 --run $INJECT" \
		"" "--ram $RAM_SMALL --peer-timeout 10000"
	no_more
	tell $name
	verdict $name survived $name
	total=$((total + $(injected)))
	given_up=$((given_up + $(aborts $name)))
	[ "$(commits $name)" -le 2 ] || after=$((after + $(aborts $name)))
done
verdict nomem-injected [ $total -gt 0 ]
echo "# $given_up checkpoints were given up, after $after of them others were whole"

# A session is made, or refused for want of memory; in either case it can go. Each
# has a port of its own: the one before may still be ending.
made_or_refused() {
	i=0
	while [ $i -lt 10 ]; do
		i=$((i + 1))
		$INJECT
		timeout 60 $CTL session add nomem secondary --listen 127.0.0.1:$((7000 + i)) \
			--insecure -- true >"$LOGS/nomem-add.log" 2>&1
		code=$?
		no_more
		# A port for which there is no memory is in use, says the kernel.
		[ $code = 0 ] ||
			grep -Eq "Cannot allocate memory|no memory|are in use" "$LOGS/nomem-add.log" || {
			sed 's/^/# /' "$LOGS/nomem-add.log"
			return 1
		}
	done
}
inject 7 $limit all
verdict nomem-add made_or_refused
pair nomem-after "--interval 20 --count 3 --verify-each 1" "" "--ram $RAM_SMALL"
verdict nomem-after all_verified nomem-after 3
