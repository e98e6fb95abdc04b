#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# prepare.sh KERNEL: all that run.py needs on an emulated host with this kernel,
# in build/: QEMU, its guests, the module, kcoloctl.
#
# A guest boots the kernel of the host; on the debug kernel, which has no disks, 6.12.
set -e
cd "$(dirname "$0")/../.."
kernel=${1:?which kernel?}
guest=$kernel
[ "$guest" != debug ] || guest=6.12
mkdir -p build/qemu
qemu=$(qemu/build.py)
cmp -s "$qemu/bin/qemu-system-x86_64" build/qemu/bin/qemu-system-x86_64 ||
	cp -a "$qemu"/* build/qemu/
selftests/qemu/guest/make.py build/qemu "$guest"
eval "$(selftests/host/kernels.py prepare "$guest")"
# shellcheck disable=SC2154
cmp -s "$image" "build/qemu/vmlinux-$guest" || cp "$image" "build/qemu/vmlinux-$guest"
make --no-print-directory -C tools >/dev/null
make --no-print-directory -C selftests/vmm >/dev/null
selftests/host/build-module.sh "$kernel" >/dev/null
[ -s build/qemu/disk.qcow2 ] || {
	truncate -s 64M build/qemu/disk.raw
	PATH=$PATH:/usr/sbin mkfs.ext4 -q -F build/qemu/disk.raw
	qemu-img convert -O qcow2 build/qemu/disk.raw build/qemu/disk.qcow2
	rm build/qemu/disk.raw
}
