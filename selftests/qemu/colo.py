# SPDX-License-Identifier: GPL-2.0
"""Two QEMUs that run COLO, on one emulated host or each on its own.

A Side is one QEMU, driven over QMP.  What it has written is in LOGS/NAME.serial (the
guest's console), NAME.trace and NAME.log when it was killed; before, it is in /tmp:
9p shows zeroes to one who has read a file that is still written.
"""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import time

QEMU = os.environ.get('QEMU', '/run/qemu/bin/qemu-system-x86_64')
# A guest boots the kernel of its host, but for the debug kernel: it has no disks.
GUEST = os.environ.get('KCOLO_KERNEL', '6.12').replace('debug', '6.12')
KERNEL = f'/run/qemu/vmlinux-{GUEST}'
INITRD = '/run/qemu/guest.cpio'
SERVER = f'/run/qemu/server-{GUEST}.cpio'
DISK = 'build/qemu/disk.qcow2'
# It looks for an AGP bridge at each address on each bus, twice, at an exit each: that
# is more than a second.
APPEND = 'console=ttyS0 quiet panic=-1 pci=noearly'
LOGS = os.environ.get('KCOLO_OUT', '/tmp')


class Failed(Exception):
    pass


class Still(Failed):
    """The guest makes no progress."""


class Qmp:
    """A QMP connection; events wait in .events until they are asked for."""

    def __init__(self, path, timeout=30):
        end = time.monotonic() + timeout
        self.sock = socket.socket(socket.AF_UNIX)
        while True:
            try:
                self.sock.connect(path)
                break
            except OSError:
                if time.monotonic() > end:
                    raise Failed(f'{path}: nobody answers')
                time.sleep(0.05)
        self.rest = b''
        self.events = []
        self.read(timeout)
        self('qmp_capabilities')

    def read(self, timeout):
        """The next message; None after TIMEOUT seconds."""
        end = time.monotonic() + timeout
        while b'\n' not in self.rest:
            self.sock.settimeout(max(0.001, end - time.monotonic()))
            try:
                data = self.sock.recv(65536)
            except socket.timeout:
                return None
            except OSError as e:
                raise Failed(f'QMP: {e}')
            if not data:
                raise Failed('QMP: QEMU is gone')
            self.rest += data
        line, self.rest = self.rest.split(b'\n', 1)
        return json.loads(line)

    def ask(self, command, timeout=60, fds=(), **args):
        """The whole answer: {'return': ...} or {'error': ...}.  FDS go with it."""
        message = {'execute': command}
        if args:
            message['arguments'] = {k.replace('_', '-'): v for k, v in args.items()}
        socket.send_fds(self.sock, [json.dumps(message).encode() + b'\n'], fds)
        while True:
            answer = self.read(timeout)
            if answer is None:
                raise Failed(f'{command}: no answer')
            if 'event' not in answer:
                return answer
            self.events.append(answer)

    def __call__(self, command, **args):
        answer = self.ask(command, **args)
        if 'error' in answer:
            raise Failed(f'{command}: {answer["error"]["desc"]}')
        return answer['return']

    def hand(self, fd, name):
        """Give QEMU an open file, and ours away."""
        self('getfd', fds=[fd], fdname=name)
        os.close(fd)

    def refused(self, command, **args):
        """The words in which COMMAND is refused."""
        answer = self.ask(command, **args)
        if 'error' not in answer:
            raise Failed(f'{command} was not refused')
        return answer['error']['desc']

    def event(self, name, timeout):
        """The next event NAME; None after TIMEOUT seconds.  Others are left: which of
        two comes first may be anybody's guess."""
        end = time.monotonic() + timeout
        while True:
            for i, e in enumerate(self.events):
                if e['event'] == name:
                    del self.events[i]
                    return e['data']
            left = end - time.monotonic()
            message = self.read(left) if left > 0 else None
            if message is None:
                return None
            self.events.append(message)


def order_path(name):
    return f'/tmp/{name}.orders'


class Side:
    """One QEMU."""

    def __init__(self, name, prefix=(), load='8,1,200', memory='128M',
                 incoming=None, options=(), trace='colo_*', env=None, fds=(),
                 accel='kvm', append='', initrd=INITRD):
        self.name = name
        self.qmp_path = f'/tmp/{name}.qmp'
        for path in (self.qmp_path, self.path('serial'), self.path('trace')):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        # kvmvapic is for 32-bit guests of old, and has KVM forget all of the
        # secondary's page tables whenever a checkpoint is loaded.
        if '-accel' not in options:
            options = ['-accel', accel, *options]
        if accel == 'kvm':
            options = ['-cpu', 'host', *options]
        args = [*prefix, QEMU, '-machine', 'pc', '-global', 'apic-common.vapic=off',
                '-m', memory, '-nodefaults', '-no-user-config', '-display', 'none',
                '-kernel', KERNEL, '-initrd', initrd, '-append',
                f'{APPEND} walker={load} {append}',
                '-serial', f'file:{self.path("serial")}',
                '-qmp', f'unix:{self.qmp_path},server=on,wait=off',
                '-trace', trace, '-D', self.path('trace'), *options]
        if incoming:
            args += ['-incoming', incoming]
        with open(self.path('log'), 'w') as log:
            log.write(' '.join(args) + '\n')
            log.flush()
            self.proc = subprocess.Popen(
                args, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **(env or {})}, pass_fds=fds)
        self.qmp = Qmp(self.qmp_path)
        self.line = None

    def path(self, what):
        return f'/tmp/{self.name}.{what}'

    def text(self, what):
        with contextlib.suppress(FileNotFoundError):
            with open(self.path(what), errors='replace') as f:
                return f.read()
        return ''

    def hmp(self, line):
        """What the monitor for people says."""
        return self.qmp('human-monitor-command', command_line=line)

    def order(self, command):
        """Have the guest run a command of busybox; its kernel's command line says
        'orders', and it has a second serial line at order_path()."""
        if not self.line:
            self.line = socket.socket(socket.AF_UNIX)
            self.line.connect(order_path(self.name))
        # It stays open: with the end of it goes what the guest has not read yet.
        self.line.sendall(command.encode() + b'\n')

    def setup(self, **parameters):
        """Switch COLO on and set x-PARAMETERS."""
        self.qmp('migrate-set-capabilities',
                 capabilities=[{'capability': 'x-colo', 'state': True}])
        self.set(**parameters)

    def set(self, **parameters):
        if parameters:
            self.qmp('migrate-set-parameters',
                     **{f'x-{k}': v for k, v in parameters.items()})

    def wait_guest(self, timeout=120):
        """Until the guest's load runs."""
        end = time.monotonic() + timeout
        while self.said() is None:
            if time.monotonic() > end or self.proc.poll() is not None:
                raise Still(f'{self.name}: the guest does not come up')
            time.sleep(0.2)

    def said(self):
        """What the guest's load has said last; None: nothing yet."""
        return walked(self.name, self.text('serial'))

    def written(self):
        """What it says to have written, in pages."""
        return (self.said() or (0, 0))[0]

    def checked(self):
        """How often it has found all of its pages right."""
        return (self.said() or (0, 0))[1]

    def status(self):
        return self.qmp('query-migrate').get('status')

    def wait_status(self, status, timeout=60):
        end = time.monotonic() + timeout
        while self.status() != status:
            if time.monotonic() > end:
                raise Failed(f'{self.name} is {self.status()}, not {status}')
            time.sleep(0.05)

    def hashes(self):
        """RAM at each checkpoint."""
        return hashes_of(self.text('trace'))

    def kill(self):
        if self.proc.poll() is None:
            self.proc.kill()
        self.proc.wait()
        if self.line:
            self.line.close()
        for what in ('serial', 'trace', 'log') if LOGS != '/tmp' else ():
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(self.path(what), LOGS)


def checkpoints(side, count, timeout):
    """The COLO_CHECKPOINT events of COUNT checkpoints."""
    seen = []
    end = time.monotonic() + timeout
    while len(seen) < count:
        event = side.qmp.event('COLO_CHECKPOINT', 1)
        if event:
            seen.append(event)
        elif time.monotonic() > end or side.status() != 'colo':
            raise Failed(f'{len(seen)} checkpoints of {count} after {timeout} s, '
                         f'{side.name} is {side.status()}')
    return seen


def walked(name, serial):
    """What the load of guest NAME has said last on its serial line: how many pages
    it has written, and how often it found all of them right."""
    if 'BAD' in serial:
        raise Failed(f'{name}: the guest finds its RAM wrong')
    if 'ended' in serial:
        raise Failed(f'{name}: the load of the guest has ended')
    found = re.findall(r'walker: good (\d+) all (\d+)\s', serial)
    return tuple(map(int, found[-1])) if found else None


def hashes_of(trace):
    """RAM at each checkpoint: a list of {block: hash}."""
    found, current = [], {}
    for block, value in re.findall(r'colo_ram_hash (\S+) ([0-9a-f]{16})\n', trace):
        if block in current:
            found.append(current)
            current = {}
        current[block] = value
    return found + ([current] if current else [])


def same_hashes(ours, theirs):
    """How many checkpoints of two traces were compared; raises Failed where RAM
    differs.  Of the last one blocks may be missing: its side was killed."""
    pairs = list(zip(hashes_of(ours), hashes_of(theirs)))
    for nr, (x, y) in enumerate(pairs, 1):
        blocks = x.keys() & y.keys() if nr == len(pairs) else x.keys() | y.keys()
        bad = sorted(k for k in blocks if x.get(k) != y.get(k))
        if bad:
            raise Failed(f'checkpoint {nr}: {", ".join(bad)} is not the same')
    return len(pairs)


def same_ram(a, b):
    """The same of two sides."""
    return same_hashes(a.text('trace'), b.text('trace'))
