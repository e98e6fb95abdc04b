#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# I1, I3 with legacy dirty logs, which are cleared when they are read: what was found
# is known to kcolo alone. Also when manual protect is switched off and on meanwhile,
# of which no generation tells; and a memslot over two regions is read once.
. "$(dirname "$0")/test_lib.sh"

n=${CHECKPOINTS:-65}
each=$(((n + 12) / 13))
all="--interval 20 --verify-each 1 --verify --threshold 512K --seed ${SEED:-1}"

# Seconds for each of the thirteen, on a machine that is busy.
TIME=${TIME:-600}

never() { grep -q "\"$2\":0," "$LOGS/$1-a.json"; }

# What was to happen meanwhile has: SMIs, changes of memslots, of the log, aborts.
happened() {	# NAME
	! never "$1" smis || return 1
	case $1 in *churn*) ! never "$1" churns || return 1 ;; esac
	case $1 in *toggle*) ! never "$1" toggles || return 1 ;; esac
	case $1 in *abort*) ! never "$1" aborted || return 1 ;; esac
}

all_equal() { all_verified "$1" "$each" && happened "$1"; }

equal() {	# name, options of both, options of the primary
	pair "$1" "$all --count $each $3" "" "--ram $RAM_SMALL $2"
	verdict "$1" all_equal "$1"
}

equal legacy-uniform "--manual off --vcpus 2 --ram $RAM" ""
equal legacy-pages "--manual off --content pages --memfd" "--kind mixed"
equal legacy-join "--manual off --join --ram1 4M --vcpus 2" ""
equal legacy-join-churn "--manual off --join --ram1 4M --churn 50" "--max-iterations 3"
equal legacy-external "--manual off --device-state external --join" ""
equal legacy-clean "--manual off --clean --ram1 2M --vcpus 2" ""

# Given up with pages found that are not sent yet: in a round, and after the last one.
equal legacy-abort-precopy "--manual off --no-device" \
	"--abort-at precopy --abort-each 2"
equal legacy-abort-ready "--manual off --vcpus 2" "--abort-at ready --abort-each 2"
# Whenever it comes, unless a program takes a second to start. Four times as many: on
# a machine that is busy most come too late.
ABORT=/run/kcolo-abort
printf '#!/bin/sh\nexec %s abort -s t\n' "$CTL" >$ABORT
chmod +x $ABORT
if [ "$SLOW" = 1 ]; then
	few=$each each=$((4 * each))
	equal legacy-abort-rand "--manual off --vcpus 2" \
		"--run-at rand:0 --run $ABORT --rand-max 100"
	each=$few
fi

equal toggle-plain "--manual plain --join --vcpus 2" "--toggle-log 20"
equal toggle-legacy-churn "--manual off --join --churn 50" "--toggle-log 10 --max-iterations 3"
equal toggle-initial "--manual initial --vcpus 2" "--toggle-log 20"
equal toggle-abort "--manual plain --vcpus 2" \
	"--toggle-log 5 --abort-at flushing --abort-each 3"
