# SPDX-License-Identifier: GPL-2.0
"""A primary and a secondary QEMU on one emulated host.

The secondary is in network namespace b: a session of kcolo has the same name on
both ends, and a name is unique in a namespace.
"""

import os
import socket
import subprocess
import sys
import time

import colo

A, B = '10.1.0.1', '10.1.0.2'
STREAM, SESSION = 4000, 7000
CTL = 'build/tools/kcoloctl'
IN_B = ('ip', 'netns', 'exec', 'b')
SESSION_NAME = 'vm'

_sides = []


def clean_up():
    while _sides:
        _sides.pop().kill()


def launcher(role, *options, secondary=B, session=SESSION_NAME):
    """The command that makes a session and runs what follows in it."""
    where = (['--connect'] if role == 'primary' else ['--listen'])
    return [CTL, 'session', 'add', session, role, *where,
            f'{secondary}:{SESSION}', '--insecure', '--device-state', 'external',
            *options, '--']


SEND = ("import os, socket; socket.send_fds(socket.socket(fileno={}), [b'x'], "
        "[int(os.environ['KCOLO_FD'])])")


def session_fd(role, where=(), **kw):
    """A session that somebody else makes, as its fd."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        subprocess.run([*where, *launcher(role, **kw), sys.executable, '-c',
                        SEND.format(theirs.fileno())], check=True,
                       pass_fds=[theirs.fileno()])
        return socket.recv_fds(ours, 1, 1)[1][0]


def tool(*words):
    """What kcoloctl says of the primary's session."""
    return subprocess.run([CTL, *words, '-s', SESSION_NAME], check=True,
                          capture_output=True, text=True).stdout.strip()


def side(name, *args, **kw):
    s = colo.Side(name, *args, **kw)
    _sides.append(s)
    return s


def configure(s, backend, delay, **parameters):
    s.setup(**{'checkpoint-delay': delay, 'colo-migrate-ram-backend': backend},
            **parameters)


def copy_at_once(s):
    """RAM is copied once whatever the guest writes meanwhile."""
    s.qmp('migrate-set-parameters', **{'max-bandwidth': 10 << 30,
                                       'downtime-limit': 10000})


class Sides:
    """A primary, and the secondary that listens at an address."""

    def __init__(self, a, b, address):
        self.a, self.b, self.address = a, b, address

    def protect(self):
        self.a.qmp('migrate', uri=f'tcp:{self.address}:{STREAM}')
        self.a.wait_status('colo')
        self.b.wait_status('colo')

    def checkpoints(self, count, timeout=120):
        return colo.checkpoints(self.a, count, timeout * slow())

    def take_over(self):
        """The primary dies; the secondary's guest goes on."""
        self.a.kill()
        self.b.qmp('x-colo-lost-heartbeat')
        self.b.wait_status('completed', 60 * slow())

    @staticmethod
    def until(condition, timeout, text):
        end = time.monotonic() + timeout * slow()
        while not condition():
            if time.monotonic() > end:
                raise colo.Failed(text)
            time.sleep(0.05)

    def goes_on(self, s, timeout=60):
        """The guest of S makes progress from here on, and finds all its RAM right."""
        s.qmp('query-status')
        before = s.checked()        # and a part, which may be from before
        self.until(lambda: s.checked() > before + 1, timeout,
                   f'{s.name}: the guest stands still')

    def stands_still(self, s, seconds=3):
        """The guest of S does not run, and cannot be made to."""
        if s.qmp('query-status')['running']:
            raise colo.Failed(f'{s.name}: the guest runs')
        before = s.written()
        time.sleep(seconds)
        if s.written() != before:
            raise colo.Failed(f'{s.name}: the guest runs on')


class Pair(Sides):
    """Two QEMUs, the guest up on the primary, COLO not yet begun.

    A session is what QEMU is started in, or else HANDED to it."""

    def __init__(self, name, backend, delay=500, secondary_backend=None, session=(),
                 options=(), handed=False, boot=120, **kw):
        parameters = {k: kw.pop(k) for k in list(kw) if k.startswith('colo-')}
        other = secondary_backend or backend
        launched = [launcher('secondary') if other == 'kcolo' and not handed else (),
                    launcher('primary', *session) if backend == 'kcolo' and not handed
                    else ()]
        b = side(f'{name}-b', [*IN_B, *launched[0]], incoming=f'tcp:{B}:{STREAM}',
                 options=[o.replace('@', 'b') for o in options], **kw)
        a = side(f'{name}-a', launched[1],
                 options=[o.replace('@', 'a') for o in options], **kw)
        super().__init__(a, b, B)
        if handed:
            self.b.qmp.hand(session_fd('secondary', IN_B), 'kcolo')
            self.a.qmp.hand(session_fd('primary'), 'kcolo')
        for s, ram in ((self.a, backend), (self.b, other)):
            configure(s, ram, delay, **parameters)
        copy_at_once(self.a)
        self.a.wait_guest(boot)


def slow():
    """A factor for times on a slow kernel."""
    return 10 if os.environ.get('KCOLO_KERNEL') == 'debug' else 1
