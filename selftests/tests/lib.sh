# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the tests share. They run as root in a VM, with all that they need beside
# them (make -C selftests install), or in the checkout. Both ends of a session
# are on that host, each in a network namespace of its own: the name of a
# session is the same on both ends and unique in a namespace.
#
# A test prints "ok NAME" or "not ok NAME" for each thing it has looked at.

# What an emulated host has, where a dynamically linked program takes long to start.
[ ! -d /run/kcolo/bin ] || PATH=/run/kcolo/bin:$PATH

program() {	# name, where it is built
	if [ -x "./$1" ]; then echo "./$1"; else echo "build/$2/$1"; fi
}

LOGS=${KCOLO_OUT:-/tmp}
KVMM=$(program kvmm vmm)
KPEER=$(program kpeer peer)
NLCLIENT=$(program nlclient nlclient)
CTL=$(program kcoloctl tools)
if [ -z "$MODULE" ]; then
	MODULE=build/$KCOLO_KERNEL/kcolo.ko
	[ -e "$MODULE" ] || MODULE=$(modinfo -n kcolo)
fi
B=10.1.0.2
# As ip netns exec does, which takes longer to start.
IN_B="nsenter -n/run/netns/b"
# The debug kernel is many times slower, and so is what it measures.
if [ "$KCOLO_KERNEL" = debug ]; then
	SLOW=10
	RAM=8M
	RAM_SMALL=4M
	# And guest code is not, beside which it has one CPU: on a machine that is
	# slow itself there was next to nothing of that left for kcolo.
	COMMON="--peer-timeout 60000 --nice 10"
	PRIMARY="--pause-limit 120000"
else
	SLOW=1
	RAM=32M
	RAM_SMALL=8M
	COMMON="--peer-timeout 20000"
	PRIMARY="--pause-limit 30000"
fi

needed_modules() {
	modprobe -q kvm_amd
	modprobe -q crc32c_intel
	modprobe -q libcrc32c
}

# The first VM of a host, and the last one's end, make KVM patch the scheduler,
# which an emulator with several CPUs does not always survive ("Oops: int3" in
# __schedule, seen without kcolo): one VM stays throughout.
prepare() {
	needed_modules
	$KVMM hold >/dev/null 2>&1 &
	sleep 0.5
}

network() {
	ip netns add b
	ip link add va type veth peer name vb netns b
	ip addr add 10.1.0.1/24 dev va
	ip link set va up
	ip -n b addr add $B/24 dev vb
	ip -n b link set vb up
	ip -n b link set lo up
}

# pair NAME PRIMARY-OPTIONS SECONDARY-OPTIONS OPTIONS-OF-BOTH
# Runs a primary and a secondary to their ends: $primary, $secondary are their
# exit codes, $LOGS/NAME-{a,b}.{log,json} what they said.
pair() {
	# shellcheck disable=SC2086
	$IN_B timeout -k 10 $((${TIME:-240} * SLOW)) $KVMM secondary --name t \
		--listen $B:7000 --side $B:7100 $COMMON $4 $3 \
		--json "$LOGS/$1-b.json" >"$LOGS/$1-b.log" 2>&1 &
	second=$!
	sleep 0.5
	# shellcheck disable=SC2086
	timeout -k 10 $((${TIME:-240} * SLOW)) $KVMM primary --name t --connect $B:7000 \
		--side $B:7100 $COMMON $PRIMARY $4 $2 \
		--json "$LOGS/$1-a.json" >"$LOGS/$1-a.log" 2>&1
	primary=$?
	wait $second
	secondary=$?
}

# ktap NAME: numbers the results that come in, as they come, and says how many
# there were. The last line, "exit CODE", is that of NAME, which may have failed
# without saying why. "skip WHY" instead of results is a test that cannot be run
# here. Returns what a kselftest does.
ktap() {
	nr=0
	bad=0
	code=none
	echo "KTAP version 1"
	while IFS= read -r line; do
		case $line in
		"ok "*) nr=$((nr + 1)); line="ok $nr ${line#ok }" ;;
		"not ok "*) nr=$((nr + 1)); bad=1; line="not ok $nr ${line#not ok }" ;;
		"exit "*) code=${line#exit }; continue ;;
		"skip "*) echo "1..0 # SKIP ${line#skip }"; return 4 ;;
		esac
		printf '%s\n' "$line"
	done
	if [ $nr = 0 ] || { [ $bad = 0 ] && [ "$code" != 0 ]; }; then
		nr=$((nr + 1))
		bad=1
		echo "not ok $nr $1 ended with $code after $((nr - 1)) results"
	fi
	echo "1..$nr"
	return $bad
}

# verdict NAME CONDITION...: CONDITION is a command
verdict() {
	name=$1
	shift
	if "$@"; then
		echo "ok $name"
		return 0
	fi
	echo "not ok $name"
	for f in "$LOGS/$name"-a.log "$LOGS/$name"-b.log; do
		[ ! -e "$f" ] || tail -n 15 "$f" | sed "s|^|# $(basename "$f"): |"
	done
	return 1
}

# whole LOG PROGRAM: it said what is ok, and did not die in the midst of it
whole() {
	grep -qE '^(not )?ok ' "$1" && grep -q "^$2 exited with [01]$" "$1"
}

both_good() { [ "$primary" = 0 ] && [ "$secondary" = 0 ]; }

# After each of COUNT commits of pair NAME all RAM was compared, and was equal.
all_verified() {	# NAME COUNT
	both_good && grep -q "\"committed\":$2,\"verified\":$2," "$LOGS/$1-a.json" &&
		grep -q "\"commits\":$2,\"verified\":$2," "$LOGS/$1-b.json"
}

# The base image is what the primary said of its epoch, and that is known.
base_compared() {	# NAME
	grep -q '"base_known":true,"base_equal":true' "$LOGS/$1-b.json"
}
