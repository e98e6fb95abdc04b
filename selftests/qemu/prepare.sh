#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# prepare.sh KERNEL: all that run.py needs on an emulated host with this kernel,
# in build/: QEMU, its guest, the module, kcoloctl.
#
# The guest boots the kernel of the host.
set -e
cd "$(dirname "$0")/../.."
kernel=${1:?which kernel?}
mkdir -p build/qemu
qemu=$(qemu/build.py)
cmp -s "$qemu/bin/qemu-system-x86_64" build/qemu/bin/qemu-system-x86_64 ||
	cp -a "$qemu"/* build/qemu/
selftests/qemu/guest/make.py build/qemu
eval "$(selftests/host/kernels.py prepare "$kernel")"
# shellcheck disable=SC2154
cmp -s "$image" "build/qemu/vmlinux-$kernel" || cp "$image" "build/qemu/vmlinux-$kernel"
make --no-print-directory -C tools >/dev/null
make --no-print-directory -C selftests/vmm >/dev/null
selftests/host/build-module.sh "$kernel" >/dev/null
