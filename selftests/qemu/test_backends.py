# SPDX-License-Identifier: GPL-2.0
"""COLO with each way to send RAM: equal RAM, a guest that is right, failover."""

import os

from colo import Failed, same_ram
from pair import Pair

CHECKPOINTS = int(os.environ.get('QEMU_CHECKPOINTS') or 20)


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


def failed_over(p):
    count = same_ram(p.a, p.b)
    expect(count >= CHECKPOINTS, f'only {count} checkpoints were compared')
    p.take_over()
    p.b.wait_status('completed')
    p.goes_on(p.b)


def test_backend_off():
    p, taken = protected('off', 'off')
    expect(all(c['reason'] == 'disabled' and c['rounds'] == 0 and
               c['pages-before'] == 0 for c in taken), f'rounds in {taken}')
    failed_over(p)


def test_backend_qemu():
    p, taken = protected('qemu', 'qemu', **{'colo-migrate-ram-threshold': 64 << 10})
    expect(sum(c['rounds'] for c in taken) >= len(taken), f'no rounds in {taken}')
    expect(sum(c['pages-before'] for c in taken) >
           sum(c['pages-in-pause'] for c in taken), f'most in the pause: {taken}')
    failed_over(p)


def test_backend_kcolo():
    p, taken = protected('kcolo', 'kcolo',
                         **{'colo-migrate-ram-threshold': 64 << 10})
    expect(sum(c['rounds'] for c in taken) >= len(taken), f'no rounds in {taken}')
    expect(sum(c['pages-before'] for c in taken) >
           sum(c['pages-in-pause'] for c in taken), f'most in the pause: {taken}')
    failed_over(p)
