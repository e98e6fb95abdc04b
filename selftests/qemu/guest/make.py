#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""make.py DIR: the protected guest's initramfs, as DIR/guest.cpio.

Static busybox, init and the walker; needs no module of the guest's kernel.
"""

import os
import subprocess
import sys

sys.dont_write_bytecode = True

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, '../../host'))

from kernels import BUSYBOX, cpio                           # noqa: E402


def content(path):
    with open(path, 'rb') as f:
        return f.read()


def main():
    out = sys.argv[1]
    walker = os.path.join(out, 'walker')
    subprocess.run(['gcc', '-O2', '-static', '-std=gnu11', '-Wall', '-Wextra',
                    '-Werror', '-D_GNU_SOURCE', '-o', walker,
                    os.path.join(HERE, 'walker.c')], check=True)
    entries = [(d, 0o40755, b'') for d in ('bin', 'dev', 'proc')]
    entries += [('bin/busybox', 0o100755, content(BUSYBOX)),
                ('init', 0o100755, content(os.path.join(HERE, 'init'))),
                ('walker', 0o100755, content(walker))]
    with open(os.path.join(out, 'guest.cpio'), 'wb') as f:
        f.write(cpio(entries))


if __name__ == '__main__':
    main()
