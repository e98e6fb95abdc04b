#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I5: memory that cannot be had. One in so many allocations on kcolo's behalf
# fails: a request is refused, a checkpoint aborted or a link given up; never is
# a page lost, and nothing hangs. Needs the debug kernel's fault injection.
. "$(dirname "$0")/test_lib.sh"

F=/sys/kernel/debug
mountpoint -q $F || mount -t debugfs none $F
if [ ! -d $F/failslab ]; then
	echo "not ok nomem (this kernel cannot inject faults: run it on debug)"
	exit 0
fi

range() {	# first and last address of the module's code
	python3 - <<-'END'
	start = int(open('/sys/module/kcolo/sections/.text').read(), 16)
	size = next(int(l.split()[1]) for l in open('/proc/modules') if l.startswith('kcolo '))
	print(hex(start), hex(start + size))
	END
}

inject() {	# one in how many; 0: none
	range >/run/kcolo-range
	read -r first last </run/kcolo-range
	for f in failslab fail_page_alloc; do
		[ "$1" = 0 ] || {
			echo "$first" >$F/$f/require-start
			echo "$last" >$F/$f/require-end
			echo 0 >$F/$f/verbose
			echo N >$F/$f/ignore-gfp-wait
			echo "$1" >$F/$f/interval
			echo 100000 >$F/$f/times
		}
		[ "$1" = 0 ] && echo 0 >$F/$f/probability || echo 100 >$F/$f/probability
	done
	echo 0 >$F/fail_page_alloc/min-order
}

injected() { echo $((200000 - $(cat $F/failslab/times) - $(cat $F/fail_page_alloc/times))); }

# 1 is a page that differs, 124 and 137 are hangs.
survived() {
	for code in $primary $secondary; do
		case $code in
		1|124|137) return 1 ;;
		esac
	done
}

for one_in in 400 200 100 50 25; do
	inject $one_in
	pair nomem-$one_in "--interval 20 --count 5 --verify-each 1 --threshold 512K
		--exit-on-lost --connect-timeout 20000" \
		"--connect-timeout 20000" "--ram $RAM_SMALL --peer-timeout 10000"
	inject 0
	echo "# nomem-$one_in: $(injected) failed, exit codes $primary $secondary"
	verdict nomem-$one_in survived
done
verdict nomem-injected [ "$(injected)" -gt 0 ]
pair nomem-after "--interval 20 --count 3 --verify-each 1" "" "--ram $RAM_SMALL"
verdict nomem-after both_good
