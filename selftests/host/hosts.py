# SPDX-License-Identifier: GPL-2.0
"""Emulated hosts: one QEMU each, and the wire between two of them.

Whatever a QEMU needs is handed to it as an open file descriptor, so nothing is
left in the file system and nothing clashes when several runners run at once.

The wire is a pair of UDP sockets on the loopback, one frame a datagram, owned
by the runner: a host may die and come back without its peer's end noticing
anything but silence, as on a real wire.  (QEMU's listen/connect pair ends with
the first of the two, and pushes back on a peer that hangs, which no wire does.)
"""

import contextlib
import ctypes
import os
import shlex
import signal
import socket
import struct
import subprocess
import time

PR_SET_PDEATHSIG = 1
SO_RCVBUFFORCE = 33
WIRE_BUFFER = 4 << 20

APPEND = ('console=ttyS0 loglevel=5 panic=-1 oops=panic tsc=reliable nokaslr '
          'mitigations=off audit=0 8250.nr_uarts=1 '
          'rcupdate.rcu_cpu_stall_timeout=60 '
          # On a busy machine no tick may come while the kernel looks for some.
          'no_timer_check')

# rep movsb is emulated a byte at a time: let nobody use it.  Nor cmpxchg16b, which takes
# operands for flags (emulator_fault() in verdict.py); Linux goes without.
CPU = 'max,-erms,-fsrm,-cx16'
# The crc32 of SSE4.2 is emulated a bit at a time, and each level of a page table is
# walked again after each switch between host and guest: without, a host's test of kcolo
# takes a sixth less.  Not where instructions are counted, of which crc32 is one.
SLOW_TO_EMULATE = ',-sse4.2,-la57'

_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Wire:
    """Two ends of a cable.  Ends are numbered by host: 0 is a's, 1 is b's."""

    # A socket filter that accepts zero bytes: `BPF_RET | BPF_K, 0`.
    DROP = struct.pack('HBBI', 0x06, 0, 0, 0)

    def __init__(self):
        self.ends = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in 'ab']
        for s in self.ends:
            s.bind(('127.0.0.1', 0))
            try:
                s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, WIRE_BUFFER)
            except PermissionError:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WIRE_BUFFER)
        for s, peer in zip(self.ends, reversed(self.ends)):
            s.connect(peer.getsockname())

    def drain(self, end):
        """Forget what a dead host has not received."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.ends[end].recv(65536, socket.MSG_DONTWAIT)

    def set_link(self, up):
        """Let frames through, or lose them all silently."""
        for s in self.ends:
            if up:
                with contextlib.suppress(OSError):      # was up already
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_DETACH_FILTER
                                 if hasattr(socket, 'SO_DETACH_FILTER') else 27, 0)
            else:
                code = ctypes.create_string_buffer(self.DROP)
                prog = struct.pack('HP', 1, ctypes.addressof(code))
                s.setsockopt(socket.SOL_SOCKET, 26, prog)   # SO_ATTACH_FILTER

    def close(self):
        for s in self.ends:
            s.close()


class Port:
    """The runner's end of a virtio-serial port, read by the line."""

    def __init__(self):
        self.ours, self.theirs = socket.socketpair()
        self.ours.setblocking(False)
        self.rest = b''

    def fileno(self):
        return self.ours.fileno()

    def lines(self):
        """The lines that have come in; None once the other end is gone."""
        try:
            data = self.ours.recv(65536)
        except BlockingIOError:
            return []
        except ConnectionError:
            return None
        if not data:
            return None
        *lines, self.rest = (self.rest + data).split(b'\n')
        return [line.decode(errors='replace') for line in lines]

    def say(self, text):
        with contextlib.suppress(OSError):
            self.ours.send(text.encode() + b'\n')

    def close(self):
        self.ours.close()
        self.theirs.close()


class Host:
    """One emulated host.

    state: 'up' from boot on, 'done' when its command has ended (`code` is
    set), 'over' when it has then said its last, 'off' when it has powered off,
    'killed' by request, 'died' of itself.  `frozen` goes with 'up' and 'done'.
    """

    def __init__(self, name, kernel, opts, wire):
        self.name = name
        self.kernel = kernel
        self.opts = opts
        self.wire = wire
        self.proc = None
        self.ports = {}
        self.state = 'off'
        self.frozen = False
        self.code = None
        self.worst = 0          # of the commands of all its lives
        self.boots = 0
        self.boot_time = None
        self.over_at = None
        self.shown = 0
        self.partial = b''

    @property
    def alive(self):
        return self.state in ('up', 'done', 'over')

    def path(self, what, ext='log'):
        return os.path.join(self.opts.out, f'{what}-{self.name}.{ext}')

    def write_command(self, command):
        me, peer = (1, 2) if self.name == 'a' else (2, 1)
        env = {'KCOLO_HOST': self.name, 'KCOLO_HOSTS': str(self.opts.hosts),
               'KCOLO_SELF': f'10.77.0.{me}', 'KCOLO_PEER': f'10.77.0.{peer}',
               'KCOLO_KERNEL': self.kernel.name, 'KCOLO_OUT': '/out',
               **self.opts.env}
        with open(self.path('cmd', 'sh'), 'w') as f:
            for key, value in env.items():
                f.write(f'export {key}={shlex.quote(value)}\n')
            f.write(command + '\n')

    def arguments(self):
        o = self.opts
        append = f'{APPEND} khost.name={self.name}'
        if o.rate:
            append += f' khost.rate={o.rate} khost.burst={o.burst}'
        if o.no_leak_scan:
            append += ' khost.noleak'
        if o.append:
            append += ' ' + o.append
        accel, cpu = ['-accel', 'tcg,thread=single'], CPU
        if o.icount:
            accel += ['-icount', 'shift=0']
        else:
            cpu += SLOW_TO_EMULATE
        args = ['qemu-system-x86_64', '-nodefaults', '-no-user-config',
                '-name', f'khost-{self.name}', '-machine', 'q35', *accel,
                # q35: the interrupt routing of pc is computed in AML, which takes a
                # minute on the debug kernel.
                '-cpu', cpu, '-smp', str(o.cpus), '-m', o.mem,
                '-display', 'none', '-no-reboot',
                '-kernel', self.kernel.image, '-initrd', self.kernel.initramfs,
                '-append', append,
                '-chardev', f'file,id=con,append=on,path={comma(self.path("console"))}',
                '-serial', 'chardev:con', '-device', 'virtio-serial-pci']
        for name, port in self.ports.items():
            args += ['-chardev', f'socket,id={name},fd={port.theirs.fileno()}',
                     '-device', f'virtserialport,chardev={name},name=kcolo.{name}']
        for tag, path, ro in (('root', '/', True), ('tree', o.tree, True),
                              ('modules', self.kernel.modules, True),
                              ('out', o.out, False)):
            args += ['-fsdev', f'local,id={tag},path={comma(path)},'
                     f'security_model=none,multidevs=remap'
                     + (',readonly=on' if ro else ''),
                     '-device', f'virtio-9p-pci,fsdev={tag},mount_tag={tag}']
        for device in o.device:
            args += ['-device', device]
        if self.wire:
            n = 'ab'.index(self.name)
            fd = self.wire.ends[n].fileno()
            args += ['-netdev', f'dgram,id=n,local.type=fd,local.str={fd}',
                     '-device', 'virtio-net-pci,netdev=n,romfile=,'
                     f'mac=52:54:00:77:00:0{n + 1}']
        return args

    def boot(self, command):
        self.write_command(command)
        self.close_ports()
        self.ports = {'exit': Port(), 'ctl': Port()}
        fds = [p.theirs.fileno() for p in self.ports.values()]
        if self.wire:
            n = 'ab'.index(self.name)
            self.wire.drain(n)
            fds.append(self.wire.ends[n].fileno())
        if self.boots:
            for what in ('console', 'out'):
                with open(self.path(what), 'a') as f:
                    f.write(f'khost: boot {self.boots + 1} of {self.name}\n')
        self.boots += 1
        self.code = None
        self.frozen = False
        self.stacks = False         # written, as asked
        self.started = time.monotonic()
        with open(self.path('qemu'), 'a') as err:
            self.proc = subprocess.Popen(
                self.arguments(), stdin=subprocess.DEVNULL, stdout=err, stderr=err,
                pass_fds=fds, start_new_session=True, preexec_fn=_die_with_parent)
        for port in self.ports.values():
            port.theirs.close()         # so that its death is seen
        self.state = 'up'

    def kill(self, state='killed'):
        if self.proc and self.proc.poll() is None:
            self.proc.kill()
            self.proc.wait()
        if self.alive:
            self.state = state
        self.frozen = False

    def freeze(self, on):
        self.proc.send_signal(signal.SIGSTOP if on else signal.SIGCONT)
        self.frozen = on

    def reported(self, line):
        """A line on the port on which init2 tells how it is getting on."""
        what, _, value = line.partition(' ')
        if what == 'ready':
            self.boot_time = time.monotonic() - self.started
        elif what == 'done':
            self.code = int(value)
            self.worst = max(self.worst, self.code)
            self.state = 'done'
        elif what == 'stacks':
            self.stacks = True
        elif what == 'exit':
            self.state = 'over'
            self.over_at = time.monotonic()

    def check(self):
        """Notice that the emulator has ended, or ought to have."""
        if not self.alive:
            return
        if self.state == 'over' and time.monotonic() > self.over_at + 20:
            self.kill('off')            # it hangs in powering off: no matter
        elif self.proc.poll() is not None:
            for line in self.ports['exit'].lines() or []:
                self.reported(line)     # its last words
            self.state = 'off' if self.state == 'over' else 'died'

    def new_output(self):
        """Whole lines that its command has printed since the last call."""
        try:
            with open(self.path('out'), 'rb') as f:
                f.seek(self.shown)
                data = f.read(1 << 20)
        except FileNotFoundError:
            return []
        self.shown += len(data)
        *lines, self.partial = (self.partial + data).split(b'\n')
        return [line.decode(errors='replace') for line in lines]

    def close_ports(self):
        for port in self.ports.values():
            port.close()
        self.ports = {}


def comma(path):
    """PATH as QEMU's option parser wants it."""
    return path.replace(',', ',,')
