#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The whole story of kcolo with QEMU, on two emulated hosts, told while it happens.

A Linux guest that serves clients (redis) runs in QEMU on host a and is protected by
COLO, its RAM by kcolo: pre-copy off and on, in turns.  Host a dies; the guest goes on
on host b; no write is lost that a client was told of.  It ends with a table and with
build/demo.json (see selftests/demo/README.md).

Exit status: 0 only if all of that held and the targets are met, 1 if not, 2 if it
could not be run.
"""

import os
import sys

sys.dont_write_bytecode = True

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.append(os.path.join(HERE, '..'))

import figures                                              # noqa: E402
import load                                                 # noqa: E402
import stage                                                # noqa: E402
from story import Story                                     # noqa: E402

TIMEOUT = 1800
LOAD = {'walker': load.WALKER, 'memory': load.MEMORY, 'threshold': load.THRESHOLD,
        'interval_ms': load.INTERVAL_MS}


def build(tell, kernel):
    stage.progress(tell, "QEMU with kcolo: Debian 12's source, patched (minutes, the "
                   'first time)', 'selftests/qemu/prepare.sh', kernel)


def khost(kernel):
    return stage.khost(kernel, TIMEOUT, '--mem', '3G', '--append',
                       'nohz=off highres=off',      # why: see selftests/qemu/jobs.sh
                       '--b', 'selftests/demo/colo/b.py', '--',
                       'selftests/demo/colo/a.py')


def main():
    opts = stage.parser(__doc__).parse_args()
    story, status = stage.told(Story, lambda tell: build(tell, opts.kernel),
                               khost(opts.kernel))
    result = stage.results(figures.evaluate(story), opts.kernel, LOAD, status,
                           story.tell)
    return stage.finish(result, figures.table(result), story.tell)


if __name__ == '__main__':
    sys.exit(main())
