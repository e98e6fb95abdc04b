#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The tests of QEMU as a client of kcolo alone. The last line counts them. What a
# job printed is in build/check-qemu/JOB.log.
#
#	KERNELS="6.1 6.12"	whose hosts; debug is one, too
#	TESTS			names of tests on one host, or what they begin with
#	QEMU_KILLS, QEMU_CHECKPOINTS, QEMU_FAILOVERS	see jobs.sh
cd "$(dirname "$0")/../.." || exit 1
. selftests/jobs.sh
. selftests/qemu/jobs.sh
jobs_begin build/check-qemu
at_once=$(nproc)

kernels=${KERNELS:-6.1 6.12}
# All of it before a host looks at any.
for k in $kernels; do
	job "qemu-$k" built "QEMU for $k" selftests/qemu/prepare.sh "$k"
done
stock=$(echo "$kernels" | tr ' ' '\n' | grep -v debug | tail -n 1)
mutants=
if [ -n "$stock" ] && [ -z "${TESTS:-}" ]; then
	job mutants-built built "mutants of QEMU" selftests/qemu/mutants.sh prepare
	mutants=1
fi
for k in $kernels; do
	start "one-$k" qemu_one "$k" "${TESTS:-}"
	start "two-$k" qemu_two "$k"
done
if [ -n "$mutants" ]; then
	start mutants qemu_mutants "$stock"
	start vfio qemu_vfio "$stock"
	start whole qemu_one "$stock" again_whole
fi
jobs_end
