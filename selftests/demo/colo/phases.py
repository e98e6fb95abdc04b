# SPDX-License-Identifier: GPL-2.0
"""What is shown, one after the other: COLO with all RAM in the pause and with kcolo, in
turns, and then the death of host a.  Both hosts know it."""

import collections
import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, '../../qemu/two'))

import host                                                 # noqa: E402

# In the last one all RAM is hashed at each checkpoint, which is no time to measure.
Phase = collections.namedtuple('Phase', 'nr backend last')
COUNT = int(os.environ.get('CHECKPOINTS') or 4)
PHASES = [Phase(1, 'off', False), Phase(2, 'kcolo', False), Phase(3, 'off', False),
          Phase(4, 'kcolo', False), Phase(5, 'kcolo', True)]
# 32 MiB of distinct random pages over 256 MiB every 2 s.
WALKER, INTERVAL_MS, THRESHOLD, MEMORY = '256,32,2000', 2000, '4M', '400M'


def set_up(phase):
    host.set_up(phase.nr, phase.backend, MEMORY, WALKER, INTERVAL_MS, THRESHOLD,
                'colo_*' if phase.last else 'colo_checkpoint_*')


def tell(text):
    print(f'@ {text}', flush=True)
