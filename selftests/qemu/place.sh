# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# QEMU and its guests where an emulated host has them at hand: from 9p each start
# reads all of it again.
mkdir -p /run/qemu/bin
cp build/qemu/bin/qemu-system-x86_64 build/qemu/bin/vhost-user-blk /run/qemu/bin/
cp build/qemu/guest.cpio build/qemu/vmlinux-* build/qemu/server-* /run/qemu/
# It looks for its firmware relative to where it is.
ln -sfn /usr/share /run/qemu/share
ln -sfn /usr/lib /run/qemu/lib
