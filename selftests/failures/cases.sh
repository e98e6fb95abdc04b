# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What both hosts know of the cases: "HOW MOMENT" is what becomes of host a and
# of the link, when. Case 1 is the first line.
. selftests/tests/lib.sh

SELF=selftests/failures

cases() {
	cat <<-END
	kill committing
	freeze received
	link committing
	kill received
	freeze rand
	link rand
	kill flushing
	freeze committing
	link flushed
	kill rand
	link received
	kill committed
	freeze flushing
	link precopy
	kill ready
	freeze precopy
	link ready
	freeze ready
	kill precopy
	link flushing
	freeze flushed
	kill flushed
	link committed
	freeze committed
	END
}

NR=$(cases | wc -l)
# The first and the last of them.
FIRST=${FIRST:-1}
FAILURES=${FAILURES:-$NR}

# Sets $how and $moment. After the last line it begins anew, at random moments.
case_of() {
	line=$(cases | sed -n "$((($1 - 1) % NR + 1))p")
	how=${line% *}
	moment=${line#* }
	[ "$1" -le "$NR" ] || moment=rand
}

# A host that is emulated and shares its CPU may be silent for a while.
both="--name t --side 10.77.0.2:7100 --peer-timeout 6000 --ram $RAM_SMALL
	--verify-each 1"

load_module() {
	prepare
	insmod "$MODULE" || { echo "not ok insmod"; exit 1; }
}
