# SPDX-License-Identifier: GPL-2.0
"""A guest that has lost one of its sides is protected again: the QEMU that runs it is
not restarted, and gets a new secondary and a new session."""

import json
import os
import re
import shutil
import subprocess
import sys

import pair
from colo import DISK, SERVER, Failed, Qmp, order_path, same_hashes
from pair import A, B, CTL, IN_B, SESSION_NAME, STREAM, Pair, Sides

sys.path.insert(0, 'qemu')
import colo_setup                                           # noqa: E402

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


# With a disk that is replicated and packets that are compared, as colo_setup.py has it.


def set_up(primary, secondary, name):
    """Its files, and what QEMU's command lines have to say."""
    out = f'/tmp/{name}'
    disk = f'{out}/disk.qcow2'
    setup = colo_setup.Setup(colo_setup.parse([
        '--primary', primary, '--secondary', secondary, '--out', out, '--name',
        SESSION_NAME, '--disk', disk, '--disk-size', '64M', '--scratch', out,
        '--bridge', 'br0', '--interval', '500', '--threshold', '64K',
        '--first-pause', '10000']))
    setup.write(out)
    shutil.copy(DISK, disk)
    for what in ('active', 'hidden'):
        subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', setup.scratch(what),
                        '64M'], check=True)
    return setup


def whole_side(name, prefix, options, **kw):
    return pair.side(name, prefix, append='orders net=10.2.0.2/24', initrd=SERVER,
                     memory='192M',
                     options=[*options, '-chardev', 'socket,id=orders,server=on,wait=off,'
                              f'path={order_path(name)}', '-serial', 'chardev:orders'],
                     **kw)


def say(s, lines):
    for message in map(json.loads, lines):
        s.qmp(message['execute'], **message.get('arguments', {}))


def whole_secondary(name, setup, where):
    address = setup.o.secondary
    new = whole_side(name, [*where, *pair.launcher('secondary', secondary=address)],
                     [*setup.secondary_disk(), *setup.secondary_net()],
                     incoming=f'tcp:{address}:{colo_setup.STREAM}')
    say(new, setup.secondary_qmp())
    return new


def tap(where):
    """Of nobody but the guest."""
    name = f'{SESSION_NAME}-net'
    for words in (['tuntap', 'add', 'dev', name, 'mode', 'tap'],
                  ['link', 'set', name, 'up'], ['link', 'set', 'lo', 'up']):
        subprocess.run([*where, 'ip', *words], check=True)


def write(s, name):
    s.order(f'dd if=/dev/urandom of=/data/{name} bs=64k count=8')


def sums(s, names):
    """What the guest of S has in its files now."""
    since = len(s.text('serial'))
    s.order('md5sum ' + ' '.join(f'/data/{n}' for n in names))

    def found():
        text = s.text('serial')[since:]
        return {n: h for h, n in re.findall(r'([0-9a-f]{32})  /data/(\w+)\s', text)}

    Pair.until(lambda: len(found()) == len(names), 60, f'{s.name}: no sums of {names}')
    return found()


def has_on_disk(s, wanted):
    s.order('umount /data')
    s.order('mount -t ext4 /dev/vda /data')
    found = sums(s, list(wanted))
    expect(found == wanted, f'{s.name}: {found} is not {wanted}')


def whole_take_over(p, setup, names):
    """The primary dies, and the secondary has all that it has written."""
    p.checkpoints(2)
    wanted = sums(p.a, names)
    p.checkpoints(2)
    p.a.kill()
    say(p.b, setup.failover_secondary())
    p.b.wait_status('completed', 60 * pair.slow())
    has_on_disk(p.b, wanted)
    p.goes_on(p.b)


def whole_again(running, new, here, setup, which):
    """RUNNING is protected, as the file for it says."""
    p = Sides(running, new, setup.o.secondary)
    since = len(running.text('trace'))
    hand_over(running, here, {'secondary': p.address}, f'{setup.o.out}/{which}.qmp')
    is_protected(p, since)
    return p


def test_again_whole():
    """The secondary dies, then the primary, then who has taken over."""
    for where in ((), IN_B):
        tap(where)
    own, setup = set_up(A, B, 'whole-1'), set_up(A, B, 'whole-2')
    b = whole_secondary('whole-b', setup, IN_B)
    a = whole_side('whole-a', pair.launcher('primary'),
                   [*own.primary_disk(), *own.primary_net()])
    p = Sides(a, b, B)
    a.wait_guest()
    say(a, setup.primary_qmp())
    a.wait_status('colo')
    write(a, 'one')
    p.checkpoints(2)
    loses_secondary(p)
    say(a, setup.failover_primary())
    a.wait_status('completed', 60 * pair.slow())
    write(a, 'two')
    setup = set_up(A, B, 'whole-3')
    p = whole_again(a, whole_secondary('whole-c', setup, IN_B), FIRST, setup,
                    'again-primary')
    write(a, 'three')
    whole_take_over(p, setup, ['one', 'two', 'three'])
    subprocess.run([*IN_B, CTL, 'session', 'del', SESSION_NAME], check=True)
    setup = set_up(B, A, 'whole-4')
    p = whole_again(p.b, whole_secondary('whole-d', setup, ()), SECOND, setup,
                    'again-secondary')
    write(p.a, 'four')
    whole_take_over(p, setup, ['one', 'two', 'three', 'four'])
