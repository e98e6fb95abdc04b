#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""In an emulated host: what a checkpoint costs when nothing was written.

Two guests that stand in HLT, of 256 MiB and of 4 GiB, each protected by a
session of its own; their checkpoints take turns.  Timed is, on the primary,
from the worker that takes the request up to the secondary's word that the
epoch is in place: precopy (the epoch opens, the log is read) + pause (the last
reading, device state, the end, received) + applied.
"""

import os
import sys

sys.dont_write_bytecode = True
import pair                                                 # noqa: E402

COUNT = int(os.environ.get('IDLE') or 15)
GUESTS = {
    'idle-4g': ['--ram', '2G', '--ram1', '2G'],
    'idle-256m': ['--ram', '128M', '--ram1', '128M'],
}
PARTS = {'precopy': 'last_precopy_us', 'pause': 'last_pause_us',
         'applied': 'last_applied_us'}


def sample(c):
    if c['outcome'] != 'committed':
        raise pair.Bad(f"checkpoint {c['n']}: {c['outcome']}")
    parts = {k: c[v] for k, v in PARTS.items()}
    # A few pages at most, of the boot area: or it was not idle.
    pages = c['last_precopy_pages'] + c['last_pause_pages']
    if pages > 16:
        raise pair.Bad(f"checkpoint {c['n']}: {pages} pages were dirty")
    return {'n': c['n'], 'us': sum(parts.values()), 'pages': pages,
            'harvest': c['last_harvest_us'], **parts}


def start(name, ram):
    pair.say(f'{name}: the full sync')
    p = pair.Pair(name, ['--vram', '0', '--pattern', 'none'] + ram,
                  ['--interval', '200'])
    # The second clears what the guest's start has dirtied.
    p.wait_checkpoints(2, 3000)
    return p


def phase():
    pairs = {name: start(name, ram) for name, ram in GUESTS.items()}
    # From here on both are idle; a checkpoint that is under way may not be.
    first = {name: len(p.checkpoints()) + 1 for name, p in pairs.items()}
    pair.say(f'{COUNT} checkpoints of each')
    for name, p in pairs.items():
        p.wait_checkpoints(first[name] + COUNT, 900)
    found = {}
    for name, p in pairs.items():
        checkpoints = p.end()[0][first[name]:][:COUNT]
        found[name] = [sample(c) for c in checkpoints]
        pair.say(f'{name}: ' + ' '.join(str(s['us']) for s in found[name]) + ' us')
    return {'path': pair.path(), 'samples': found}


if __name__ == '__main__':
    sys.exit(pair.main(phase))
