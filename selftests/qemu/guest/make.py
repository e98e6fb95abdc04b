#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""make.py DIR KERNEL: the protected guests' initramfs.

DIR/guest.cpio          static busybox, init and the walker; needs no module
DIR/server-KERNEL.cpio  and redis, with the modules of KERNEL for its network
                        and its disk
"""

import os
import subprocess
import sys

sys.dont_write_bytecode = True

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, '../../host'))
sys.path.insert(0, HERE)

import kernels                                              # noqa: E402
import redis                                                # noqa: E402
from cache import Failed                                    # noqa: E402

MODULES = ('e1000', 'virtio_pci', 'virtio_net', 'virtio_blk',
           'virtio_balloon', 'ext4')


def content(path):
    with open(path, 'rb') as f:
        return f.read()


def walker(out):
    path = os.path.join(out, 'walker')
    subprocess.run(['gcc', '-O2', '-static', '-std=gnu11', '-Wall', '-Wextra',
                    '-Werror', '-D_GNU_SOURCE', '-o', path,
                    os.path.join(HERE, 'walker.c')], check=True)
    return content(path)


def write(path, entries):
    """What is there already is left alone: a guest may be booting from it."""
    new = kernels.cpio(entries)
    if not os.path.exists(path) or content(path) != new:
        with open(path, 'wb') as f:
            f.write(new)


def main():
    out, kernel = sys.argv[1:]
    entries = [(d, 0o40755, b'') for d in ('bin', 'data', 'dev', 'mod', 'proc')]
    entries += [('bin/busybox', 0o100755, content(kernels.BUSYBOX)),
                ('init', 0o100755, content(os.path.join(HERE, 'init'))),
                ('walker', 0o100755, walker(out))]
    write(os.path.join(out, 'guest.cpio'), entries)
    modules = kernels.prepare(kernel).modules
    write(os.path.join(out, f'server-{kernel}.cpio'),
          entries + kernels.module_entries(modules, MODULES) + redis.entries())
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (Failed, OSError, subprocess.CalledProcessError) as e:
        print(f'guest: {e}', file=sys.stderr)
        sys.exit(1)
