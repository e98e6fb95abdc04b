# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# The jobs of QEMU as a client of kcolo, in emulated hosts; for jobs.sh.
#
#	QEMU_KILLS		deaths of the first of two hosts
#	QEMU_CHECKPOINTS	of each test that compares RAM
#	QEMU_FAILOVERS		to a secondary whose primary is there

# QEMU 7.2 emulates VMRUN without its lock: where KVM waits to inject an interrupt
# (V_IRQ), one of the host's own may get lost. A timer set for one shot is then
# silent until something else interrupts; a periodic one has lost a tick.
QEMU_CLOCK=(--append "nohz=off highres=off")
# A whole COLO set-up, whose first host is killed.
QEMU_TWO=(--mem 3G --b selftests/qemu/two/b.py -- selftests/qemu/two/a.py)

# With an IOMMU, and a device for a guest.
QEMU_VFIO=(--append "intel_iommu=on nohz=off highres=off"
	--device intel-iommu,intremap=off --device pci-testdev)

qemu_host() {	# kernel, seconds, options and command of khost
	local kernel=$1 seconds=$2 name
	shift 2
	name=$(basename "$(mktemp -d "$out/qemu-$kernel-XXXX")")
	chmod 755 "$out/$name"		# QEMU is an ordinary user's
	selftests/host/khost --kernel "$kernel" --cpus 1 --timeout "$seconds" \
		"${QEMU_CLOCK[@]}" --out "$out/$name" \
		--env "QEMU_KILLS=${QEMU_KILLS:-}" --env "QEMU_CHECKPOINTS=${QEMU_CHECKPOINTS:-}" \
		--env "QEMU_FAILOVERS=${QEMU_FAILOVERS:-}" "$@"
}

qemu_one() {	# kernel, tests...: both QEMUs on one host
	local kernel=$1
	shift
	qemu_host "$kernel" 5400 --mem 4G -- "selftests/qemu/run.py $*"
}

qemu_vfio() {	# kernel
	qemu_host "$1" 900 "${QEMU_VFIO[@]}" -- selftests/qemu/run.py vfio
}

qemu_two() {	# kernel
	qemu_host "$1" 3600 "${QEMU_TWO[@]}"
}

qemu_mutants() {	# kernel
	qemu_host "$1" 3600 --mem 4G -- selftests/qemu/mutants.sh
}
