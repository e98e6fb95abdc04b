#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I5: memory that cannot be had. In a session that commits, one in so many
# allocations on kcolo's behalf fails: a checkpoint is aborted, or the link given
# up; never is a page lost, and nothing hangs. Needs the debug kernel's fault injection.
. "$(dirname "$0")/test_lib.sh"

F=/sys/kernel/debug
mountpoint -q $F || mount -t debugfs none $F
if [ ! -d $F/failslab ]; then
	# There it has to be.
	[ "$KCOLO_KERNEL" = debug ] && echo "not ok nomem (this kernel cannot inject faults)" ||
		echo "skip this kernel cannot inject faults"
	exit 0
fi

# First and last address of the module's code.
python3 - >/run/kcolo-range <<-'END'
start = int(open('/sys/module/kcolo/sections/.text').read(), 16)
size = next(int(l.split()[1]) for l in open('/proc/modules') if l.startswith('kcolo '))
print(hex(start), hex(start + size))
END
read -r first last </run/kcolo-range

# What a VMM can run, since pair() splits its options: one word.
inject() {	# one in how many
	printf '#!/bin/sh\n' >/run/kcolo-inject
	for f in failslab fail_page_alloc; do
		cat >>/run/kcolo-inject <<-END
		echo $first >$F/$f/require-start
		echo $last >$F/$f/require-end
		echo 0 >$F/$f/verbose
		echo N >$F/$f/ignore-gfp-wait
		echo $1 >$F/$f/interval
		echo 100000 >$F/$f/times
		echo 100 >$F/$f/probability
		END
	done
	echo "echo 0 >$F/fail_page_alloc/min-order" >>/run/kcolo-inject
	chmod +x /run/kcolo-inject
}

no_more() {
	echo 0 >$F/failslab/probability
	echo 0 >$F/fail_page_alloc/probability
}

injected() { echo $((200000 - $(cat $F/failslab/times) - $(cat $F/fail_page_alloc/times))); }

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

total=0
given_up=0
went_on=0
for one_in in ${NOMEM:-1600 800 400 200 100}; do
	name=nomem-$one_in
	inject "$one_in"
	pair $name "--interval 20 --count 10 --verify-each 1 --threshold 512K
		--exit-on-lost --run-at committed:2 --run /run/kcolo-inject" \
		"" "--ram $RAM_SMALL --peer-timeout 10000"
	no_more
	tell $name
	verdict $name survived $name
	total=$((total + $(injected)))
	given_up=$((given_up + $(aborts $name)))
	[ "$(commits $name)" -le 2 ] || went_on=$((went_on + $(aborts $name)))
done
verdict nomem-injected [ $total -gt 0 ]
echo "# $given_up checkpoints were given up, after $went_on of them others were whole"

pair nomem-after "--interval 20 --count 3 --verify-each 1" "" "--ram $RAM_SMALL"
verdict nomem-after all_verified nomem-after 3
