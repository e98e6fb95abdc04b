# SPDX-License-Identifier: GPL-2.0
"""What the guest of the benchmark writes."""

import collections

# MiB of pages in which, and of writes, every so many ms; and how often a
# checkpoint is taken.  Every write is a whole page of fresh random data.
Load = collections.namedtuple('Load', 'region write period_ms interval_ms')

LOADS = {
    'idle': Load(1, 0, 500, 500),
    'uniform-32M': Load(256, 32, 500, 500),
    'uniform-128M': Load(256, 128, 2000, 2000),
    'hot-16M': Load(16, 32, 500, 500),
    'overload': Load(256, 128, 500, 500),
    # For a link that is slow.
    'uniform-32M-2s': Load(256, 32, 2000, 2000),
}
