# SPDX-License-Identifier: GPL-2.0
"""A guest that has lost one of its sides is protected again: the QEMU that runs it is
not restarted, and gets a new secondary and a new session."""

import os
import subprocess

import pair
from colo import Failed, Qmp, same_hashes
from pair import A, B, CTL, IN_B, SESSION_NAME, STREAM, Pair, Sides

COUNT = 4
RAM = {'colo-migrate-ram-threshold': 64 << 10}
# How to run something on a host, and where it can be reached.
FIRST, SECOND = ((), A), (IN_B, B)


def expect(condition, text):
    if not condition:
        raise Failed(text)


def hand_over(s, here, how, lines=os.devnull):
    """A session to the QEMU of S, and what it is to do, by the tool for it.  QEMU
    talks to one at a time."""
    s.qmp.sock.close()
    subprocess.run([*here[0], *pair.launcher('primary', **how), 'qemu/qmp.py',
                    '--session', s.qmp_path, lines], check=True, timeout=120 * pair.slow())
    s.qmp = Qmp(s.qmp_path)


def is_protected(p, since):
    """RAM is the same at each checkpoint from SINCE in the primary's trace on."""
    p.a.wait_status('colo')
    p.b.wait_status('colo')
    p.checkpoints(COUNT)
    count = same_hashes(p.a.text('trace')[since:], p.b.text('trace'))
    expect(count >= COUNT, f'only {count} checkpoints were compared')


class Again(Sides):
    """RUNNING on one host, whose COLO is over or about to be, and a new secondary on
    the other."""

    def __init__(self, running, name, here, there, session=SESSION_NAME):
        how = {'secondary': there[1], 'session': session}
        new = pair.side(name, [*there[0], *pair.launcher('secondary', **how)],
                        incoming=f'tcp:{there[1]}:{STREAM}')
        pair.configure(new, 'kcolo', 300, **RAM)
        super().__init__(running, new, there[1])
        pair.copy_at_once(running)
        hand_over(running, here, how)
        self.since = len(running.text('trace'))

    def protect(self):
        super().protect()
        is_protected(self, self.since)


def refused(s, words):
    refusal = s.qmp.refused('migrate', uri=f'tcp:{B}:{STREAM}')
    expect(words in refusal, f'"{refusal}" does not say "{words}"')


def protect_at_once(p):
    """As soon as the COLO that was is over: nothing is taken too early."""
    p.a.qmp('x-colo-lost-heartbeat')
    while 'error' in (answer := p.a.qmp.ask('migrate', uri=f'tcp:{p.address}:{STREAM}')):
        refusal = answer['error']['desc']
        expect('while COLO runs' in refusal or 'has not ended yet' in refusal, refusal)
    is_protected(p, p.since)


def loses_secondary(p):
    p.b.kill()
    event = p.a.qmp.event('COLO_EXIT', 60 * pair.slow())
    expect(event, 'there is no COLO_EXIT')


def test_again_new_secondary():
    """The secondary dies, twice, and then the primary."""
    p = Pair('again', 'kcolo', delay=300, **RAM)
    p.protect()
    p.checkpoints(2)
    loses_secondary(p)
    p = Again(p.a, 'again-2', FIRST, SECOND, 'vm-2')    # vm has not ended yet
    protect_at_once(p)
    loses_secondary(p)
    p.a.qmp('x-colo-lost-heartbeat')
    p.until(lambda: 'has not ended' not in p.a.qmp.refused('migrate', uri='tcp:::9'), 20,
            'COLO does not end')
    refused(p.a, 'no session')
    p = Again(p.a, 'again-3', FIRST, SECOND)
    p.protect()
    p.take_over()
    p.goes_on(p.b)


def test_again_promoted():
    """The secondary takes over, and is the primary of a new one, which takes over."""
    p = Pair('promoted', 'kcolo', delay=300, **RAM)
    p.protect()
    p.checkpoints(2)
    p.take_over()
    refused(p.b, 'is a secondary, not a primary')
    # The old session stands until QEMU has made use of another, or it is deleted.
    p = Again(p.b, 'promoted-2', SECOND, FIRST, 'vm-2')
    p.protect()
    p.take_over()
    p.goes_on(p.b)
    subprocess.run([CTL, 'session', 'del', 'vm-2'], check=True)
    p = Again(p.b, 'promoted-3', FIRST, SECOND, 'vm-2')
    p.protect()
    p.take_over()
    p.goes_on(p.b)
