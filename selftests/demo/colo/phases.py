# SPDX-License-Identifier: GPL-2.0
"""What is shown: first one guest whose RAM is sent in the pause and ahead of it, in
turns; then one whose host dies.  Both hosts know it."""

import collections
import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, '../../qemu/two'))

import host                                                 # noqa: E402

# In the last one all RAM is hashed at each checkpoint, which is no time to measure.
Phase = collections.namedtuple('Phase', 'nr last')
PHASES = [Phase(1, False), Phase(2, True)]
# Checkpoints of a turn, beside its first one: that has what the turn before left.
COUNT = int(os.environ.get('CHECKPOINTS') or 3)
TURNS = ['off', 'on', 'off', 'on']
# 32 MiB of distinct random pages over 256 MiB every 4 s, one MiB at a time: more would
# take all of an emulated CPU, which has COLO to do as well.
WALKER, THRESHOLD, MEMORY = '256,1,125,8', 1 << 20, '400M'


def set_up(phase):
    host.set_up(phase.nr, 'kcolo', MEMORY, WALKER, 2000 if phase.last else 4000,
                str(THRESHOLD), 'colo_*' if phase.last else 'colo_checkpoint_*')


def tell(text):
    print(f'@ {text}', flush=True)
