# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# A test that sources this is a kselftest: it is run once more, by itself, for
# its results to be numbered and its exit status to tell of them.
. "$(dirname "$0")/lib.sh"

# What a runner of many tests has made already.
set_up() {
	if [ ! -d /sys/module/kcolo ]; then
		needed_modules
		insmod "$MODULE" || return
	fi
	[ -e /run/netns/b ] || network
}

# A group of its own for a test and all that it starts: all memory that kcolo takes is
# charged to who asks.
GROUPS_AT=/run/kcolo-groups
GROUP=$GROUPS_AT/$$
own_group() {
	mkdir -p $GROUPS_AT &&
		{ mountpoint -q $GROUPS_AT || mount -t cgroup2 none $GROUPS_AT; } &&
		echo +memory >$GROUPS_AT/cgroup.subtree_control &&
		mkdir $GROUP && echo 0 >$GROUP/cgroup.procs
}

# What a shell has itself, and the kernel for it: it is more on the debug kernel.
PAGES_MAX=$((65536 * (SLOW > 1 ? 2 : 1)))
SLAB_MAX=$((262144 * (SLOW > 1 ? 4 : 1)))

# What a test has left. Each session has threads, of each area that is vmalloc()ed it is
# known who has asked for it, and memory that is of no other kind is pages. With as
# few programs as can be: the debug kernel takes a second to start one.
left_over() {
	for f in /proc/[0-9]*/comm; do
		{ read -r comm <"$f"; } 2>/dev/null || comm=
		case $comm in kcolo-*) echo "thread $comm" ;; esac
	done
	users=0
	[ ! -d /sys/module/kcolo ] || read -r users </sys/module/kcolo/refcnt
	[ "$users" = 0 ] || echo "$users users of the module"
	grep '\[kcolo\]' /proc/vmallocinfo
	pages=0
	# For the counts of all CPUs to be summed up first: memory.stat alone leaves up to 64
	# pages a CPU out, for seconds, or longer where one is idle.
	read -r what bytes <$GROUP/cpu.stat
	while read -r what bytes; do
		case $what in
		kernel) pages=$((pages + bytes)) ;;
		kernel_stack|pagetables|percpu|vmalloc|slab) pages=$((pages - bytes)) ;;
		slab_unreclaimable) [ "$bytes" -le $SLAB_MAX ] || echo "$bytes bytes of objects" ;;
		esac
	done <$GROUP/memory.stat
	[ $pages -le $PAGES_MAX ] || echo "$pages bytes of pages"
}

# A session ends asynchronously, and what it has taken is freed later still.
nothing_left() {
	tries=$((20 * SLOW))
	while left=$(left_over) && [ -n "$left" ]; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || { echo "$left" | sed 's/^/# left: /'; return 1; }
		sleep 0.5
	done
}

# lacks WHAT KERNEL...: a test that cannot be run on a kernel is skipped there, but not on
# those of the emulated hosts that have what it takes.
lacks() {
	what=$1
	shift
	for k in "$@"; do
		[ "$KCOLO_KERNEL" != "$k" ] || { echo "not ok lacks ($what)"; exit 0; }
	done
	echo "skip this kernel has no $what"
	exit 0
}

uptime() { cut -d. -f1 /proc/uptime; }

if [ "$KCOLO_TEST" != "$0" ]; then
	began=$(uptime)
	{
		set_up && own_group && KCOLO_TEST=$0 sh "$0" "$@"
		code=$?
		[ ! -d $GROUP ] || verdict nothing-left nothing_left
		echo "# it took $(($(uptime) - began)) s"
		echo "exit $code"
	} | ktap "$(basename "$0" .sh)"
	code=$?
	# What it has left to run is not to be found by the next one, too.
	[ ! -e $GROUP/cgroup.kill ] || echo 1 >$GROUP/cgroup.kill
	rmdir $GROUP 2>/dev/null
	exit $code
fi
