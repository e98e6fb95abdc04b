# SPDX-License-Identifier: GPL-2.0
"""COLO with each way to send RAM: equal RAM, a guest that is right, failover."""

import os
import re

from colo import Failed, same_ram
from pair import Pair

CHECKPOINTS = int(os.environ.get('QEMU_CHECKPOINTS') or 20)
THRESHOLD = 64 << 10


def expect(condition, text):
    if not condition:
        raise Failed(text)


def protected(name, backend, **kw):
    """A pair that has taken checkpoints, and what they took."""
    p = Pair(name, backend, **kw)
    p.protect()
    taken = p.checkpoints(CHECKPOINTS, 300)
    p.a.written()
    return p, taken


PHASES = ('begin', 'stopped', 'saved', 'flushed', 'sent', 'received', 'loaded', 'end')


def traced(p):
    """Each phase of each checkpoint."""
    text = p.a.text('trace')
    for phase in PHASES:
        count = text.count(f'colo_checkpoint_{phase} ')
        expect(count >= CHECKPOINTS, f'{count} colo_checkpoint_{phase}')


def traced_rounds(p, taken):
    """A look at what is pending before each round of QEMU's own, and one after."""
    text = p.a.text('trace')
    found = re.findall(r'colo_migrate_pending pending size (\d+) max (\d+) '
                       r'\(pre = (\d+) compat=(\d+) post=(\d+)\)\n', text)
    expect(all(int(size) == int(pre) + int(compat) + int(post) and
               int(maximum) == THRESHOLD for size, maximum, pre, compat, post in found),
           f'{found}')
    expect(len(found) >= sum(c['rounds'] + 1 for c in taken), f'{len(found)} {taken}')
    low = re.findall(r'colo_migration_low_pending .*?(\d+)\n', text)
    expect(len(low) >= sum(c['reason'] == 'threshold' for c in taken) > 0 and
           all(int(size) < THRESHOLD for size in low), f'{low} {taken}')


def failed_over(p):
    count = same_ram(p.a, p.b)
    expect(count >= CHECKPOINTS, f'only {count} checkpoints were compared')
    p.take_over()
    p.goes_on(p.b)


def test_backend_off():
    p, taken = protected('off', 'off')
    expect(all(c['reason'] == 'disabled' and c['rounds'] == 0 and
               c['pages-before'] == 0 for c in taken), f'rounds in {taken}')
    traced(p)
    failed_over(p)


def test_backend_qemu():
    p, taken = protected('qemu', 'qemu', **{'colo-migrate-ram-threshold': THRESHOLD})
    expect(sum(c['rounds'] for c in taken) >= len(taken), f'no rounds in {taken}')
    expect(sum(c['pages-before'] for c in taken) >
           sum(c['pages-in-pause'] for c in taken), f'most in the pause: {taken}')
    traced(p)
    traced_rounds(p, taken)
    failed_over(p)


def test_backend_kcolo():
    p, taken = protected('kcolo', 'kcolo',
                         **{'colo-migrate-ram-threshold': THRESHOLD})
    expect(sum(c['rounds'] for c in taken) >= len(taken), f'no rounds in {taken}')
    expect(all((c['pending'] < THRESHOLD) == (c['reason'] == 'threshold')
               for c in taken if c['reason'] != 'urgent'), f'{taken}')
    expect(sum(c['pages-before'] for c in taken) >
           sum(c['pages-in-pause'] for c in taken), f'most in the pause: {taken}')
    traced(p)
    failed_over(p)
