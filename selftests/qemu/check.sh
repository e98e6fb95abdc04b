#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The tests of QEMU as a client of kcolo alone. The last line counts them. What a
# job printed is in build/check-qemu/JOB.log.
#
#	KERNELS="6.1 6.12"	whose hosts; debug is one, too
#	TESTS			names of tests on one host, or what they begin with
#	QEMU_KILLS, QEMU_CHECKPOINTS	see jobs.sh
cd "$(dirname "$0")/../.." || exit 1
. selftests/jobs.sh
. selftests/qemu/jobs.sh
jobs_begin build/check-qemu
at_once=$(nproc)

for k in ${KERNELS:-6.1 6.12}; do
	job "qemu-$k" built "QEMU for $k" selftests/qemu/prepare.sh "$k"
	start "one-$k" qemu_one "$k" "${TESTS:-}"
	[ "$k" = debug ] || start "two-$k" qemu_two "$k"
done
if [ "$k" != debug ] && [ -z "${TESTS:-}" ]; then
	job qemu-mutants-built built "mutants of QEMU" selftests/qemu/mutants.sh prepare
	start mutants qemu_mutants "$k"
fi
jobs_end
