# SPDX-License-Identifier: GPL-2.0
"""What both emulated hosts of a whole COLO set-up do.

The guest is on bridge br0 of both, which are joined by the wire between the hosts;
its disk is replicated; QEMU runs as an ordinary user.
"""

import json
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, '..'))

import colo                                                 # noqa: E402

OUT = os.environ.get('KCOLO_OUT', '/tmp')
SELF = os.environ['KCOLO_HOST']
ADDRESS = {'a': '10.77.0.1', 'b': '10.77.0.2'}
ROLE = {'a': 'primary', 'b': 'secondary'}[SELF]
GUEST, REDIS = '10.77.0.100', 6379
NAME = 'vm'
USER, GROUP = 'nobody', 'nogroup'
SETUP = '/tmp/setup'
DISK = '/var/tmp/disk.qcow2'
SOCKET = f'/run/{NAME}/{ROLE}.qmp'
BACKEND = os.environ.get('QEMU_BACKEND', 'kcolo')


def sh(*argv, **kw):
    subprocess.run(argv, check=True, **kw)


def hostctl(*argv):
    """What the runner says; raises where it refuses."""
    return subprocess.run(['hostctl', *argv], check=True, capture_output=True,
                          text=True).stdout.strip()


def slow():
    return 10 if os.environ.get('KCOLO_KERNEL') == 'debug' else 1


def bridge():
    """br0 takes over what eth0 is."""
    subprocess.run(['modprobe', '-q', 'bridge'])    # the debug kernel has it built in
    sh('ip', 'link', 'add', 'br0', 'type', 'bridge')
    sh('ip', 'addr', 'flush', 'dev', 'eth0')
    sh('ip', 'link', 'set', 'eth0', 'master', 'br0')
    sh('ip', 'addr', 'add', f'{ADDRESS[SELF]}/24', 'dev', 'br0')
    sh('ip', 'link', 'set', 'br0', 'up')


def prepare():
    sh('sh', os.path.join(HERE, 'prepare.sh'))
    bridge()


def path(what, nr):
    """Where QEMU writes WHAT: what is wanted of a, which dies, at once to the
    outside; else where it can be read while it is written."""
    outside = SELF == 'a' and what != 'serial'
    return os.path.join(OUT if outside else '/tmp', f'{NAME}-{nr}-{SELF}.{what}')


def read(name):
    with open(name, errors='replace') as f:
        return f.read()


def until(condition, seconds, text):
    end = time.monotonic() + seconds * slow()
    while not condition():
        if time.monotonic() > end:
            raise colo.Failed(text)
        time.sleep(0.1)


def writable(*paths):
    for p in paths:
        with open(p, 'w'):
            pass
        os.chmod(p, 0o666)


def set_up(nr, backend=BACKEND, memory='192M', walker='8,1,200', interval=1000,
           threshold='64K', trace='colo_*'):
    """Write the scripts for round NR, and make what they need."""
    shutil.copy(colo.DISK, DISK)
    shutil.chown(DISK, USER, GROUP)
    serial, log = path('serial', nr), path('trace', nr)
    writable(serial, log)
    sh('python3', 'qemu/colo_setup.py', '--primary', ADDRESS['a'], '--secondary',
       ADDRESS['b'], '--out', SETUP, '--name', NAME, '--backend', backend,
       '--memory', memory, '--disk', DISK, '--disk-size', '64M', '--bridge', 'br0',
       '--interval', str(interval * slow()), '--threshold', threshold, '--user', USER,
       '--group', GROUP, '--qemu', colo.QEMU, '--kcoloctl', 'build/tools/kcoloctl',
       '--', '-kernel', colo.KERNEL, '-initrd', colo.SERVER, '-append',
       f'{colo.APPEND} redis net={GUEST}/24 walker={walker}',
       '-serial', f'file:{serial}', '-trace', trace, '-D', log,
       stdout=subprocess.DEVNULL)


def start(nr):
    """QEMU, as its script starts it."""
    with open(path('log', nr), 'w') as log:
        return subprocess.Popen([f'{SETUP}/{ROLE}.sh'], stdin=subprocess.DEVNULL,
                                stdout=log, stderr=log)


def walked(nr):
    """What the guest's load has said last here; None: nothing yet."""
    return colo.walked(SELF, read(path('serial', nr)))


def written(nr):
    """How many pages it says to have written."""
    return (walked(nr) or (0, 0))[0]


def checked(nr):
    """How often it has found all of its pages right."""
    return (walked(nr) or (0, 0))[1]


def goes_on(nr, seconds):
    """The guest makes progress here from now on, and finds all its RAM right."""
    before = checked(nr)            # and a part, which may be from before
    until(lambda: checked(nr) > before + 1, seconds, 'the guest stands still')


def protect(nr):
    """On host a: once the guest is up, until COLO has begun."""
    # Its packets wait for those of a secondary from the start: nobody can ask it.
    until(lambda: walked(nr) is not None, 300, 'the guest does not come up')
    say('2-primary')
    qmp = colo.Qmp(SOCKET)
    until(lambda: qmp('query-migrate').get('status') == 'colo', 200,
          'COLO does not begin')
    return qmp


def say(what):
    sh('python3', 'qemu/qmp.py', SOCKET, f'{SETUP}/{what}.qmp')


def say_with(qmp, what):
    """The same over a connection that there is: QEMU has only one at a time."""
    for line in read(f'{SETUP}/{what}.qmp').splitlines():
        message = json.loads(line)
        qmp(message['execute'], **message.get('arguments', {}))
