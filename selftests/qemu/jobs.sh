# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# The jobs of QEMU as a client of kcolo, in emulated hosts; for jobs.sh.
#
#	QEMU_KILLS		deaths of the first of two hosts
#	QEMU_CHECKPOINTS	of each test that compares RAM

# QEMU 7.2 emulates VMRUN without its lock: where KVM waits to inject an interrupt
# (V_IRQ), one of the host's own may get lost. A timer set for one shot is then
# silent until something else interrupts; a periodic one has lost a tick.
QEMU_CLOCK=(--append "nohz=off highres=off")
# A whole COLO set-up, whose first host is killed.
QEMU_TWO=(--mem 3G --b selftests/qemu/two/b.py -- selftests/qemu/two/a.py)

qemu_host() {	# kernel, seconds, options and command of khost
	local kernel=$1 seconds=$2 name
	shift 2
	name=$(basename "$(mktemp -d "$out/qemu-$kernel-XXXX")")
	chmod 755 "$out/$name"		# QEMU is an ordinary user's
	selftests/host/khost --kernel "$kernel" --cpus 1 --timeout "$seconds" \
		"${QEMU_CLOCK[@]}" --out "$out/$name" \
		--env "QEMU_KILLS=${QEMU_KILLS:-}" --env "QEMU_CHECKPOINTS=${QEMU_CHECKPOINTS:-}" "$@"
}

qemu_one() {	# kernel, tests...: both QEMUs on one host
	local kernel=$1
	shift
	qemu_host "$kernel" 5400 --mem 4G -- "selftests/qemu/run.py $*"
}

qemu_two() {	# kernel
	qemu_host "$1" 3600 "${QEMU_TWO[@]}"
}

qemu_mutants() {	# kernel
	qemu_host "$1" 3600 --mem 4G -- selftests/qemu/mutants.sh
}
