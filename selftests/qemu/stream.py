#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""stream.py UNPATCHED PATCHED: what COLO sends is what it sent before.

Each is a directory of qemu/build.py --qtest.  An unpatched QEMU, a patched one with
the backend `off`, and one with `qemu` and threshold 0, are the primary and the
secondary of the other, and what goes over their connection is recorded, both ways:
the first copy of RAM and three checkpoints.  It is the same, byte for byte; but for
clocks, which differ each time: where two runs of the unpatched QEMU have not the
same byte, and next to it, nothing is compared.  The backend `qemu` with a threshold
sends something else, and has to be found out.

In an emulated host: COLO of QEMU 7.2 does not work without KVM (its thread waits for
itself when it has asked for the dirty log).  KTAP.
"""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True

from colo import Failed, Qmp                            # noqa: E402

CHECKPOINTS = 3
RUNS = 6                        # of the unpatched QEMU: where its clocks are
WORD = 8                        # bytes; a clock's upper ones seldom change
# colo_message of the secondary, four bytes each: it is ready; then for each
# checkpoint a reply, received, loaded.
ANSWERS = 4 * (1 + 3 * CHECKPOINTS)
TIMEOUT_S = 60
FIRMWARE_BYTES = 64 << 10
# In real mode: counts in four pages, for ever.
GUEST = bytes.fromhex('fa b8 00 10 8e d8'       # cli; mov ax, 0x1000; mov ds, ax
                      '66 ff 06 00 00'          # inc dword [0]
                      '66 ff 06 00 10'          # inc dword [0x1000]
                      '66 ff 06 00 20'          # inc dword [0x2000]
                      '66 ff 06 00 30'          # inc dword [0x3000]
                      'eb ea')                  # jmp to the first of them
RESET = bytes.fromhex('ea 00 00 00 f0')         # jmp f000:0000


def firmware(path):
    image = bytearray(FIRMWARE_BYTES)
    image[:len(GUEST)] = GUEST
    image[-16:-16 + len(RESET)] = RESET
    with open(path, 'wb') as f:
        f.write(image)


class Record:
    """Hands on what goes between two sockets, and has it."""

    def __init__(self, path, to):
        self.sent = [bytearray(), bytearray()]  # by the primary, by the secondary
        self.enough = threading.Event()
        self.cut = None
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        threading.Thread(target=self.accept, args=(to,), daemon=True).start()

    def accept(self, to):
        primary, _ = self.listener.accept()
        secondary = socket.socket(socket.AF_UNIX)
        secondary.connect(to)
        for way, pair in enumerate(((primary, secondary), (secondary, primary))):
            threading.Thread(target=self.pump, args=(way, *pair), daemon=True).start()

    def pump(self, way, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                self.sent[way] += data
                # Before it is handed on, or the next checkpoint might begin.
                if len(self.sent[1]) >= ANSWERS and not self.enough.is_set():
                    self.cut = bytes(self.sent[0]), bytes(self.sent[1][:ANSWERS])
                    self.enough.set()
                sink.sendall(data)


def qemu(prefix, where, name, *options):
    args = [f'{prefix}/bin/qemu-system-x86_64', '-accel', 'kvm', '-cpu', 'host',
            '-machine', 'pc', '-global', 'apic-common.vapic=off', '-nodefaults',
            '-no-user-config', '-display', 'none', '-m', '4M',
            '-bios', f'{where}/firmware', '-rtc', 'base=2020-01-01,clock=vm',
            '-qmp', f'unix:{where}/{name}.qmp,server=on,wait=off', *options]
    with open(f'{where}/{name}.log', 'w') as log:
        return subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def set_up(qmp, parameters):
    qmp('migrate-set-capabilities',
        capabilities=[{'capability': 'x-colo', 'state': True}])
    qmp('migrate-set-parameters', **{'x-checkpoint-delay': 200,
                                     'max-bandwidth': 10 << 30, **parameters})


def run(primary, secondary):
    """What both have sent; each is a directory and parameters."""
    with tempfile.TemporaryDirectory() as where, contextlib.ExitStack() as stack:
        firmware(f'{where}/firmware')
        record = Record(f'{where}/primary', f'{where}/secondary')
        for (prefix, parameters), name, options in (
                (secondary, 'b', ('-incoming', f'unix:{where}/secondary')),
                (primary, 'a', ('-S',))):
            stack.callback(qemu(prefix, where, name, *options).kill)
            qmp = Qmp(f'{where}/{name}.qmp')
            set_up(qmp, parameters)
        qmp('migrate', uri=f'unix:{where}/primary')
        end = time.monotonic() + TIMEOUT_S
        while not record.enough.wait(1):
            status = qmp('query-migrate')
            if time.monotonic() > end or status.get('status') == 'failed':
                raise Failed(f'no three checkpoints: {status}')
        return record.cut


def clocks(records):
    """Where the records, of one length each way, are not the same, and next to it."""
    mask = [bytearray(len(way)) for way in records[0]]
    for r in records[1:]:
        for way, m in enumerate(mask):
            if len(r[way]) != len(m):
                raise Failed(f'the unpatched QEMU sent {len(m)} and {len(r[way])} bytes')
            for i in differ(records[0][way], r[way]):
                first = max(0, i - WORD + 1)
                m[first:i + WORD] = bytes(b'\1' * len(m[first:i + WORD]))
    return mask


def differ(a, b):
    """Where two of one length differ; by and by, for most of it does not."""
    for at in range(0, len(a), 4096):
        x, y = a[at:at + 4096], b[at:at + 4096]
        if x != y:
            yield from (at + i for i in range(len(x)) if x[i] != y[i])


def same(record, like, mask):
    """Why RECORD is not LIKE; None."""
    for way, who in enumerate(('primary', 'secondary')):
        if len(record[way]) != len(like[way]):
            return f'the {who} sent {len(record[way])} bytes and not {len(like[way])}'
        for i in differ(record[way], like[way]):
            if not mask[way][i]:
                return f'byte {i} of the {who} is {record[way][i]}, not {like[way][i]}'
    return None


def verdict(name, good, text=''):
    print(f'{"ok" if good else "not ok"} stream-{name}{" # " if text else ""}{text}',
          flush=True)
    return good


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    old = (sys.argv[1], {})
    off = (sys.argv[2], {'x-colo-migrate-ram-backend': 'off'})
    ram = {'x-colo-migrate-ram-backend': 'qemu', 'x-colo-migrate-ram-threshold': 0}
    none = (sys.argv[2], ram)
    rounds = (sys.argv[2], {**ram, 'x-colo-migrate-ram-threshold': 4096})
    try:
        records = [run(old, old) for _ in range(RUNS)]
        mask = clocks(records)
        seen = sum(mask[0])
        good = verdict('compared', seen < len(mask[0]) / 20 and not any(mask[1]),
                       f'{len(mask[0])} and {len(mask[1])} bytes, {seen} of them clocks')
        for name, primary, secondary in (
                ('off-to-unpatched', off, old), ('unpatched-to-off', old, off),
                ('off', off, off), ('threshold-0-to-unpatched', none, old),
                ('threshold-0', none, none)):
            why = same(run(primary, secondary), records[0], mask)
            good &= verdict(name, not why, why or '')
        why = same(run(rounds, rounds), records[0], mask)
        good &= verdict('rounds-differ', bool(why), why or 'and was not found out')
    except (Failed, OSError) as e:
        return not verdict('run', False, str(e))
    return not good


if __name__ == '__main__':
    sys.exit(main())
