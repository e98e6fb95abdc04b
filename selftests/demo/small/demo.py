#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The whole story of kcolo with a small VMM, on two emulated hosts, told while it
happens.

A KVM guest runs on host a and is protected by kcolo; checkpoints are taken with
pre-copy off and on in turns; host a dies in one of them; the guest goes on on
host b, and every byte of its RAM is right.  It ends with a table and with
build/demo.json (see selftests/demo/README.md).

Exit status: 0 only if all of that held and the targets are met, 1 if not, 2 if
it could not be run.
"""

import os
import sys

sys.dont_write_bytecode = True

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.append(os.path.join(HERE, '..'))

import figures                                              # noqa: E402
import stage                                                # noqa: E402
from story import Story                                     # noqa: E402

# The load: 32 MiB of distinct random pages over 256 MiB of RAM every 2 s.
GUEST = ('--ram 256M --ram1 0 --vram 0 --no-device --pattern uniform '
         '--content pages --zero-every 0 --rate 32M/2s')
THRESHOLD = '4M'
INTERVAL_MS = 2000
RUN_ON_MS = 5000
PEER_TIMEOUT = '10s'
KILL_WITHIN_MS = 1500
TIMEOUT = 420
LOAD = {'guest': GUEST, 'interval_ms': INTERVAL_MS, 'threshold': THRESHOLD,
        'peer_timeout': PEER_TIMEOUT, 'run_on_ms': RUN_ON_MS,
        'kill_within_ms': KILL_WITHIN_MS}


def build(tell, kernel):
    stage.progress(tell, f"Debian's kernel {kernel} (downloaded the first time)",
                   'python3', 'selftests/host/kernels.py', 'prepare', kernel)
    stage.step(tell, f'building kcolo.ko for {kernel}', 'build-module.log',
               'selftests/host/build-module.sh', kernel)
    stage.step(tell, 'building libkcolo and kcoloctl', 'build-tools.log', 'make',
               'tools')
    stage.step(tell, 'building kvmm, a small VMM', 'build-vmm.log',
               'make', '-C', 'selftests/vmm')


def khost(opts):
    env = {'GUEST': GUEST, 'PEER_TIMEOUT': PEER_TIMEOUT, 'PAIRS': str(opts.pairs),
           'INTERVAL': str(INTERVAL_MS), 'THRESHOLD': THRESHOLD,
           'RUN_ON': str(RUN_ON_MS), 'KILL_WITHIN': str(KILL_WITHIN_MS)}
    cmd = stage.khost(opts.kernel, TIMEOUT, '--b', 'sh selftests/demo/small/host-b.sh')
    for key, value in env.items():
        cmd += ['--env', f'{key}={value}']
    return [*cmd, '--', 'sh selftests/demo/small/host-a.sh']


def parse():
    ap = stage.parser(__doc__)
    ap.add_argument('--pairs', type=int, default=6, metavar='N',
                    help='checkpoints without and with pre-copy, each (default 6; '
                         f'{figures.EACH_MIN} are the least that count)')
    return ap.parse_args()


def main():
    opts = parse()
    story, status = stage.told(Story, lambda tell: build(tell, opts.kernel),
                               khost(opts))
    result = stage.results(figures.evaluate(story), opts.kernel, LOAD, status,
                           story.tell)
    return stage.finish(result, figures.table(result), story.tell)


if __name__ == '__main__':
    sys.exit(main())
