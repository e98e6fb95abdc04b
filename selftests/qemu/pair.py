# SPDX-License-Identifier: GPL-2.0
"""A primary and a secondary QEMU on one emulated host.

The secondary is in network namespace b: a session of kcolo has the same name on
both ends, and a name is unique in a namespace.
"""

import os

import colo

A, B = '10.1.0.1', '10.1.0.2'
STREAM, SESSION = 4000, 7000
CTL = 'build/tools/kcoloctl'
SESSION_NAME = 'vm'

_sides = []


def clean_up():
    while _sides:
        _sides.pop().kill()


def launcher(role, *options):
    """The command that makes a session and runs what follows in it."""
    where = (['--connect'] if role == 'primary' else ['--listen'])
    return [CTL, 'session', 'add', SESSION_NAME, role, *where, f'{B}:{SESSION}',
            '--insecure', '--device-state', 'external', *options, '--']


def side(name, *args, **kw):
    s = colo.Side(name, *args, **kw)
    _sides.append(s)
    return s


class Pair:
    """Two QEMUs, the guest up on the primary, COLO not yet begun."""

    def __init__(self, name, backend, delay=500, load='8,1,200', memory='128M',
                 session=(), options=(), trace='colo_*', **parameters):
        kcolo = backend == 'kcolo'
        self.b = side(f'{name}-b', ['ip', 'netns', 'exec', 'b',
                                    *(launcher('secondary') if kcolo else ())],
                      incoming=f'tcp:{B}:{STREAM}', load=load, memory=memory,
                      options=options, trace=trace)
        self.a = side(f'{name}-a', launcher('primary', *session) if kcolo else (),
                      load=load, memory=memory, options=options, trace=trace)
        for s in (self.a, self.b):
            s.setup(**{'checkpoint-delay': delay,
                       'colo-migrate-ram-backend': backend}, **parameters)
        self.a.wait_guest()

    def protect(self):
        self.a.qmp('migrate', uri=f'tcp:{B}:{STREAM}')
        self.a.wait_status('colo')
        self.b.wait_status('colo')

    def checkpoints(self, count, timeout=120):
        return colo.checkpoints(self.a, count, timeout)

    def take_over(self):
        """The primary dies; the secondary's guest goes on."""
        self.a.kill()
        self.b.qmp('x-colo-lost-heartbeat')


def slow():
    """A factor for times on a slow kernel."""
    return 10 if os.environ.get('KCOLO_KERNEL') == 'debug' else 1
