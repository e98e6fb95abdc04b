# SPDX-License-Identifier: GPL-2.0
"""What the guest, or its user, asks of the machine: to boot again, to be off."""

import os
import random
import re
import socket
import time

import pair
from colo import Failed, order_path, same_ram
from pair import Pair

RESETS = 6


def expect(condition, text):
    if not condition:
        raise Failed(text)


def protected(name, *more, **kw):
    # @ is the side.  The display has RAM and a ROM of its own.
    orders = order_path(f'{name}-@')
    p = Pair(name, 'kcolo', append='orders', options=[
        '-chardev', f'socket,id=orders,path={orders},server=on,wait=off',
        '-serial', 'chardev:orders', '-device', 'VGA', '-smp', '2', *more],
        **{'colo-migrate-ram-threshold': 64 << 10, **kw})
    p.protect()
    p.checkpoints(2)
    return p


def no_more_checkpoints(p):
    p.a.set(**{'checkpoint-delay': 3600000})
    while p.a.qmp.event('COLO_CHECKPOINT', 5 * pair.slow()):
        pass                        # setting it asks for one


def event(s, name):
    found = s.qmp.event(name, 60 * pair.slow())
    expect(found, f'{s.name}: there is no {name}')
    return found


def writes(s):
    """The guest of S is up, and writes.  It begins at zero when it has booted."""
    before = s.written()
    Pair.until(lambda: s.written() not in (0, before), 60,
               f'{s.name}: the guest stands still')


def test_guest_reboot():
    """From inside, on the primary and, as it does the same, on the secondary."""
    # A guest that boots is to have more of its time than pauses leave it otherwise.
    p = protected('reboot', delay=1500)
    for _ in range(2):
        p.b.order('reboot -f')
        p.a.order('reboot -f')
        expect(event(p.a, 'RESET')['guest'], 'it was not the guest')
        p.checkpoints(2)
        writes(p.a)
    p.checkpoints(2)
    expect(same_ram(p.a, p.b) >= 6, 'too few checkpoints were compared')
    p.take_over()
    writes(p.b)


def test_guest_reset():
    """By the user, at any moment of a checkpoint and between two; on either side."""
    rng = random.Random(int(os.environ.get('SEED') or 1))
    p = protected('reset')
    for nr in range(RESETS):
        time.sleep(rng.random() * pair.slow())
        (p.b if nr % 3 == 2 else p.a).qmp('system_reset')
        p.checkpoints(1)
    p.checkpoints(2)
    writes(p.a)
    expect(same_ram(p.a, p.b) > RESETS, 'too few checkpoints were compared')
    p.take_over()
    writes(p.b)


TABLES = 0x20000            # The firmware's tables have a block of so many bytes.
WITH_SLOTS = '128M,slots=2,maxmem=1G'


def tables(size):
    """Options that make the firmware's tables so much larger."""
    with open('/tmp/table', 'wb') as f:
        f.write(bytes(size // 2))
    # One table is less than 64 KiB.
    return ['-machine', 'nvdimm=on',
            *(w for nr in '01' for w in ('-acpitable', f'sig=OEM{nr},data=/tmp/table'))]


def sizes(s):
    """Of the tables, each time that they were made."""
    return [int(n) for n in re.findall(r'ACPI table size (\d+)', s.text('log'))]


def plug(s):
    """What has a table of its own."""
    s.qmp('object-add', qom_type='memory-backend-ram', id='m', size=8 << 20)
    s.qmp('device_add', driver='nvdimm', memdev='m', id='n')


def test_guest_reset_grown():
    """What was plugged in makes the tables larger than their block, when the firmware
    asks for them again: COLO ends, and the guest goes on."""
    size = 110000
    s = pair.side('tables', options=tables(size), memory=WITH_SLOTS)
    s.wait_guest()
    before = sizes(s)[-1]
    plug(s)
    s.qmp('system_reset')
    Pair.until(lambda: sizes(s)[-1] > before, 60, f'{sizes(s)}: not made again')
    after = sizes(s)[-1]
    pair.clean_up()
    p = Pair('grown', 'kcolo', memory=WITH_SLOTS,
             options=tables(size + TABLES - (before + after) // 2))
    plug(p.a)
    plug(p.b)
    p.protect()
    p.checkpoints(2)
    p.a.qmp('system_reset')
    expect(event(p.a, 'COLO_EXIT')['reason'] == 'error', 'COLO goes on')
    expect(sizes(p.a)[-2] <= TABLES < sizes(p.a)[-1], f'{sizes(p.a)}')
    said = p.a.qmp('query-migrate')['error-desc']
    expect('resized' in said, said)
    writes(p.a)


def debugger(name):
    """Stops the VM as a panic or an error of a disk does: not by COLO, nor by stop."""
    s = socket.socket(socket.AF_UNIX)
    s.connect(f'/tmp/{name}.gdb')
    return s


def new_checkpoints(p, count):
    """Of those that begin from now on; there is one under way, perhaps."""
    while p.a.qmp.event('COLO_CHECKPOINT', 0.01):
        pass
    p.checkpoints(count + 1)


def starts(s):
    """By cont, which is refused in a checkpoint.  Few of them while it boots."""
    Pair.until(lambda: 'return' in s.qmp.ask('cont'), 60, f'{s.name}: cont is refused')
    s.set(**{'checkpoint-delay': 20000})
    writes(s)
    s.set(**{'checkpoint-delay': 500})


def is_now(s, status):
    Pair.until(lambda: s.qmp('query-status')['status'] == status, 60,
               f'{s.name} is not {status}')


def test_guest_stopped():
    """A VM that does not run stays so over checkpoints, and over the end of COLO."""
    p = protected('stopped', '-gdb', 'unix:/tmp/stopped-@.gdb,server=on,wait=off')
    gdb = debugger('stopped-a')
    for status, action in (('paused', None), ('prelaunch', 'system_reset')):
        if action:
            p.a.qmp(action)
        new_checkpoints(p, 2)
        is_now(p.a, status)
    starts(p.a)
    new_checkpoints(p, 2)
    expect(same_ram(p.a, p.b) >= 6, 'too few checkpoints were compared')
    gdb.close()
    with debugger('stopped-a'):
        new_checkpoints(p, 1)
        p.b.kill()
        event(p.a, 'COLO_EXIT')
        p.a.qmp('x-colo-lost-heartbeat')
        p.a.wait_status('completed')
        is_now(p.a, 'paused')
        starts(p.a)


def test_guest_secondary_off():
    """What the secondary's guest does may be undone, and it is."""
    p = protected('off-b')
    for _ in range(3):
        p.b.order('poweroff -f')
        p.checkpoints(2)
    writes(p.a)
    expect(same_ram(p.a, p.b) >= 6, 'too few checkpoints were compared')
    p.take_over()
    writes(p.b)


def test_guest_off():
    """QEMU ends with the guest, and so does the session, in good order: nobody takes
    the primary for lost.  A secondary that is told to, and that it must, goes on with
    what it has, and ends when its guest is off."""
    p = protected('off')
    p.b.set(**{'colo-auto-failover': True})
    # The last one is to have nothing of it: then the guest there would be off, too.
    no_more_checkpoints(p)
    p.a.order('poweroff -f')
    expect(event(p.a, 'SHUTDOWN')['guest'], 'it was not the guest')
    p.a.proc.wait(60 * pair.slow())
    expect(event(p.b, 'COLO_EXIT')['reason'] == 'error', 'it was taken for lost')
    expect(not p.b.qmp.event('COLO_PEER_LOST', 2), 'it was taken for lost')
    refusal = p.b.qmp.refused('x-colo-lost-heartbeat')
    expect('ended on purpose' in refusal, refusal)
    p.stands_still(p.b)
    p.b.qmp('x-colo-lost-heartbeat', force=True)
    p.b.wait_status('completed', 60 * pair.slow())
    p.goes_on(p.b)
    p.b.order('poweroff -f')
    expect(event(p.b, 'SHUTDOWN')['guest'], 'it was not the guest')
    p.b.proc.wait(60 * pair.slow())


def test_guest_off_then_failover():
    """The secondary's guest was off when it is told to take over: so is the VM."""
    p = protected('off-late')
    no_more_checkpoints(p)
    p.b.order('poweroff -f')
    p.until(lambda: p.b.qmp('query-status')['status'] == 'shutdown', 60,
            'the guest is not off')
    p.a.kill()
    p.b.qmp('x-colo-lost-heartbeat')
    expect(event(p.b, 'SHUTDOWN')['guest'], 'it was not the guest')
    p.b.proc.wait(60 * pair.slow())
