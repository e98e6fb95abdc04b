#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""In an emulated host: the memory that staging takes, against what is staged.

The epoch after the first is held open between its flush and its commit (the VMM
stops itself there), so that all of it is staged.  Memory is what the kernel of
the host says: free pages, those in the allocator's per-CPU lists included,
less what the two VMMs and the page cache have got in the meantime.
"""

import os
import re
import signal
import sys
import time

sys.dont_write_bytecode = True
import pair                                                 # noqa: E402

# Grown for reasons that are not staging: RAM of the guests and its page tables,
# KVM's, and files.
OTHERS = ('AnonPages', 'PageTables', 'SecPageTables', 'Cached', 'Buffers')
SHOWN = ('Slab', 'VmallocUsed', 'KernelStack')
# The initial sync leaves what one message holds behind for the next epoch, and
# that is used first: it was taken before we looked.
LEFT_BEFORE = 256 << 12

PATTERNS = {
    'uniform': ['--ram', '256M', '--ram1', '0'],
    'sparse': ['--ram', '1G', '--ram1', '1G'],
}
GUEST = ['--vram', '0', '--content', 'pages', '--zero-every', '0',
         '--rate', '64M/1500ms', '--burst']
PRIMARY = ['--threshold', '0', '--interval', '3500', '--stop-at', 'flushed:2']


def meminfo():
    with open('/proc/meminfo') as f:
        return {m[1]: int(m[2]) << 10 for m in
                re.finditer(r'^(\w+)(?:\(.*\))?: +(\d+)', f.read(), re.M)}


def per_cpu_pages():
    with open('/proc/zoneinfo') as f:
        return sum(int(n) for n in re.findall(r'^ +count: +(\d+)', f.read(), re.M))


def nodes():
    """Bytes of the tree that staging finds its pages by."""
    with open('/proc/slabinfo') as f:
        m = re.search(r'^radix_tree_node +(\d+) +(\d+) +(\d+)', f.read(), re.M)
    return int(m[2]) * int(m[3])


def memory():
    now = meminfo()
    found = {k: now.get(k, 0) for k in OTHERS + SHOWN}
    found['free'] = now['MemFree'] + (per_cpu_pages() << 12)
    found['nodes'] = nodes()
    return found


def stopped(pid):
    with open(f'/proc/{pid}/stat') as f:
        return f.read().rpartition(')')[2].split()[0] == 'T'


def wait_held(p):
    """Until the epoch is held open and all of it is there."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        time.sleep(0.2)
        if p.a.poll() is not None:
            p.fail('the primary has ended')
        if not stopped(p.a.pid):
            continue
        staged, sent = p.stats('b'), p.stats('a')
        if staged['staging_pages'] == sent['last_pause_pages'] > 0:
            return staged
    p.fail('the epoch was not staged within 120 s')


def used(before, now):
    """Bytes that went, and are nobody's else."""
    return before['free'] - now['free'] - sum(now[k] - before[k] for k in OTHERS)


def measure(pattern, ram):
    pair.say(f'{pattern}: the full sync')
    p = pair.Pair(pattern, GUEST + ram + ['--pattern', pattern], PRIMARY)
    p.wait_checkpoints(1, 900)
    time.sleep(0.2)
    before = memory()
    staged = wait_held(p)
    peak = memory()
    p.a.send_signal(signal.SIGCONT)
    p.wait_checkpoints(2, 120)
    after = memory()
    p.end()
    took = used(before, peak) + LEFT_BEFORE
    size = staged['staging_bytes']
    result = {
        'staged_bytes': size, 'used_bytes': took,
        'overhead': (took - size) / size,
        'nodes_bytes': peak['nodes'] - before['nodes'],
        'kept_after_bytes': used(before, after) + LEFT_BEFORE,
        'left_before_bytes': LEFT_BEFORE,
        'memory': {'before': before, 'peak': peak, 'after': after},
    }
    pair.say(f"{pattern}: {size >> 20} MiB staged, {took / size - 1:.1%} more used, "
             f"{result['kept_after_bytes'] >> 20} MiB kept")
    return result


def phase():
    # Else a page that is written takes 2 MiB, in steps that hide what we look for.
    with open('/sys/kernel/mm/transparent_hugepage/enabled', 'w') as f:
        f.write('never')
    n = int(os.environ.get('STAGING') or 3)
    return {'samples': {f'staging-{name}': [measure(name, ram) for _ in range(n)]
                        for name, ram in PATTERNS.items()}}


if __name__ == '__main__':
    sys.exit(pair.main(phase))
