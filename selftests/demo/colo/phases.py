# SPDX-License-Identifier: GPL-2.0
"""What is shown: first one guest whose RAM is sent in the pause and ahead of it, in
turns; then one whose host dies.  Both hosts know it."""

import collections
import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, '../../qemu/two'))

import host                                                 # noqa: E402
import load                                                 # noqa: E402

# In the last one all RAM is hashed at each checkpoint.
Phase = collections.namedtuple('Phase', 'nr last')
PHASES = [Phase(1, False), Phase(2, True)]


def set_up(phase):
    interval = load.HASHED_INTERVAL_MS if phase.last else load.INTERVAL_MS
    host.set_up(phase.nr, 'kcolo', load.MEMORY, load.WALKER, interval,
                str(load.THRESHOLD), 'colo_*' if phase.last else 'colo_checkpoint_*')


def tell(text):
    print(f'@ {text}', flush=True)


def play(show):
    """SHOW each phase.  Returns whether none has failed."""
    try:
        host.prepare()
        for phase in PHASES:
            show(phase)
    except host.colo.Failed as e:
        tell(f'it failed: {e}')
        return False
    return True
