# SPDX-License-Identifier: GPL-2.0
"""What dies or is cut off: COLO ends, and one guest runs on; the other does not."""

import contextlib
import os
import pathlib
import random
import re
import signal
import subprocess
import time

import pair
from colo import Failed, same_ram
from pair import CTL, IN_B, SESSION_NAME, Pair, tool

SWITCHES = int(os.environ.get('QEMU_FAILOVERS') or 6)


def expect(condition, text):
    if not condition:
        raise Failed(text)


def protected(name, count=2, **kw):
    p = Pair(name, 'kcolo', delay=300, **{'colo-migrate-ram-threshold': 64 << 10, **kw})
    p.protect()
    p.checkpoints(count)
    return p


def exited(s, reasons=('error',)):
    event = s.qmp.event('COLO_EXIT', 60 * pair.slow())
    expect(event and event['reason'] in reasons, f'{s.name}: COLO_EXIT {event}')


def primary_goes_on(p):
    """Before management says anything, and after that."""
    exited(p.a)
    p.goes_on(p.a)
    p.a.qmp('x-colo-lost-heartbeat')
    p.a.wait_status('completed', 60 * pair.slow())
    p.goes_on(p.a)


def secondary_stands_still(p):
    """The primary has ended the session: the guest is there."""
    exited(p.b)
    p.until(lambda: 'ended on purpose' in str(p.b.qmp.ask('cont')), 60,
            'the secondary has not heard of it')
    refusal = p.b.qmp.refused('x-colo-lost-heartbeat')
    expect('ended on purpose' in refusal, refusal)
    p.b.qmp('system_reset')
    p.stands_still(p.b)


def test_failure_secondary_killed():
    p = protected('gone')
    p.b.kill()
    lost = p.a.qmp.event('COLO_PEER_LOST', 60 * pair.slow())
    expect(lost and not lost['fenced'], f'COLO_PEER_LOST: {lost}')
    primary_goes_on(p)


def end_session(where=()):
    subprocess.run([*where, CTL, 'session', 'del', SESSION_NAME], check=True)


def test_failure_session_ended():
    """By the administrator."""
    p = protected('ended')
    end_session()
    primary_goes_on(p)
    secondary_stands_still(p)


def test_failure_session_ended_secondary():
    """The same on the secondary's host."""
    p = protected('ended-b')
    end_session(IN_B)
    primary_goes_on(p)
    secondary_stands_still(p)


def test_failure_link_cut():
    """Frames are lost without a word."""
    p = protected('cut', session=('--peer-timeout', '3000'))
    subprocess.run(['ip', 'link', 'set', 'va', 'down'], check=True)
    try:
        lost = p.a.qmp.event('COLO_PEER_LOST', 60 * pair.slow())
        expect(lost and not lost['fenced'], f'COLO_PEER_LOST: {lost}')
        primary_goes_on(p)
        exited(p.b)
    finally:
        subprocess.run(['ip', 'link', 'set', 'va', 'up'], check=True)


def link(*words):
    subprocess.run(words, check=True)


WMEM = pathlib.Path('/proc/sys/net/ipv4/tcp_wmem')


@contextlib.contextmanager
def small_buffers():
    """Of sockets that are made now: what is not on the wire yet is not sent yet."""
    before = WMEM.read_text()
    try:
        WMEM.write_text('4096 16384 65536')
        yield
    finally:
        WMEM.write_text(before)


@contextlib.contextmanager
def slow_link(rate='20mbit'):
    """A checkpoint takes seconds."""
    link('tc', 'qdisc', 'add', 'dev', 'va', 'root', 'tbf', 'rate', rate, 'burst', '64k',
         'latency', '100ms')
    try:
        yield
    finally:
        link('tc', 'qdisc', 'del', 'dev', 'va', 'root')
        link('ip', 'link', 'set', 'va', 'up')


def test_failure_cut_while_loading():
    """The primary falls silent in the midst of the RAM that it sends."""
    p = Pair('silent', 'off', delay=300, load='64,32,200', memory='192M')
    p.protect()
    p.checkpoints(1)

    def begun():
        return p.b.text('trace').count("Receive 'vmstate-send'")

    with slow_link():
        before = begun()
        p.until(lambda: begun() > before, 60, 'there is no checkpoint')
        time.sleep(0.5)
        link('ip', 'link', 'set', 'va', 'down')
        p.b.qmp('x-colo-lost-heartbeat')
        p.goes_on(p.b)


def reset_and_kill(p):
    p.a.qmp('system_reset')
    p.b.kill()


def boots_and_goes_on(p):
    """A reset that is asked for while the VM is paused is done when it goes on."""
    exited(p.a)
    expect(p.a.qmp.event('RESET', 60 * pair.slow()), 'there is no RESET')

    def begun_anew():
        said = [int(n) for n in re.findall(r'walker: good (\d+) ', p.a.text('serial'))]
        return any(later < earlier for earlier, later in zip(said, said[1:]))

    p.until(begun_anew, 60, 'the guest does not boot')


def is_long_in_the_pause(p):
    """A look at it takes a while; the pause may be over then."""
    if tool('get', 'state') != 'flushing' or 'error' not in (answer := p.a.qmp.ask('cont')):
        return False
    refusal = answer['error']['desc']
    expect('checkpoint is being taken' in refusal, refusal)
    return tool('get', 'state') == 'flushing'


def in_the_pause(name, break_it, then=primary_goes_on):
    """In the midst of the RAM that kcolo sends in the pause.  All of it: no rounds."""
    with small_buffers():
        p = protected(name, 1, load='64,32,200', memory='192M',
                      session=('--peer-timeout', '3000'),
                      **{'colo-migrate-ram-threshold': 0})
    with slow_link('6mbit'):
        p.until(lambda: is_long_in_the_pause(p), 120, 'there is no long checkpoint')
        break_it(p)
        then(p)
    pair.clean_up()


def committing(p):
    """Everything is said, and the secondary is waited for."""
    phases = re.findall(r'colo_checkpoint_(\w+) ', p.a.text('trace'))
    return phases[-1] == 'sent'


def abort(p):
    """What the module does itself when it runs out of memory."""
    p.until(lambda: committing(p), 60, 'the state of the devices is not sent')
    tool('abort')


def both_end(p):
    exited(p.b)
    primary_goes_on(p)


def test_failure_in_the_pause():
    in_the_pause('pause-killed', lambda p: p.b.kill())
    in_the_pause('pause-ended', lambda p: end_session())
    in_the_pause('pause-reset', reset_and_kill, boots_and_goes_on)
    in_the_pause('pause-cut', lambda p: link('ip', 'link', 'set', 'va', 'down'))


def test_failure_aborted():
    """The module gives up the checkpoint, and the link stands."""
    in_the_pause('pause-aborted', abort, both_end)


def test_failure_loading():
    """The secondary has lost a device, and cannot load the state of it: it has RAM
    of a checkpoint, and devices of none."""
    p = protected('half', options=['-device', 'qemu-xhci', '-device', 'usb-tablet,id=t'])
    p.b.qmp('device_del', id='t')
    exited(p.b)
    refusal = p.b.qmp.refused('x-colo-lost-heartbeat')
    expect('not loaded as a whole' in refusal, refusal)
    expect('x-colo-lost-heartbeat' in p.b.qmp.refused('cont'), 'cont is not refused')
    p.stands_still(p.b)
    primary_goes_on(p)
    p.stands_still(p.b)


def test_failure_auto_failover():
    p = protected('auto', **{'colo-auto-failover': True})
    p.a.kill()
    # QEMU's own stream may have been faster to end.
    exited(p.b, ('request', 'error'))
    p.b.wait_status('completed', 60 * pair.slow())
    p.goes_on(p.b)


def test_failure_auto_failover_primary():
    p = protected('auto-a', **{'colo-auto-failover': True})
    p.b.kill()
    exited(p.a, ('request', 'error'))
    p.a.wait_status('completed', 60 * pair.slow())
    p.goes_on(p.a)


def fenced(p):
    """The old primary is told, stops, and does not start again."""
    while True:
        event = p.a.qmp.event('COLO_PEER_LOST', 60 * pair.slow())
        expect(event, 'the old primary is not told')
        if event['fenced']:
            break
    p.stands_still(p.a)
    never_runs(p)


def never_runs(p):
    refusal = p.a.qmp.refused('cont')
    expect('has taken over' in refusal, refusal)
    p.stands_still(p.a, 1)


def secondary_takes_over(nr, rng):
    """Both are alive, and management says that the secondary is to go on."""
    p = protected(f'switch-{nr}', 1)
    time.sleep(rng.random() * pair.slow())
    p.b.qmp('x-colo-lost-heartbeat')
    p.b.wait_status('completed', 60 * pair.slow())
    p.goes_on(p.b)
    fenced(p)
    p.a.qmp('x-colo-lost-heartbeat')
    p.stands_still(p.a)
    p.a.qmp('system_reset')
    never_runs(p)
    pair.clean_up()


def test_failure_switch_secondary():
    """At random moments of a checkpoint, and between two."""
    rng = random.Random(int(os.environ.get('SEED') or 1))
    for nr in range(SWITCHES):
        secondary_takes_over(nr, rng)


def test_failure_switch_primary():
    """Both are alive, and management says that the primary is to go on."""
    rng = random.Random(int(os.environ.get('SEED') or 1))
    for nr in range(max(2, SWITCHES // 3)):
        p = protected(f'keep-{nr}', 1)
        time.sleep(rng.random() * pair.slow())
        p.a.qmp('x-colo-lost-heartbeat')
        p.a.wait_status('completed', 60 * pair.slow())
        p.goes_on(p.a)
        secondary_stands_still(p)
        p.goes_on(p.a)
        pair.clean_up()


def test_failure_promoted_by_tool():
    """Somebody promotes the session: the primary is fenced."""
    p = protected('tool')
    subprocess.run([*IN_B, CTL, 'promote', SESSION_NAME], check=True)
    fenced(p)
    p.b.qmp('x-colo-lost-heartbeat')
    p.b.wait_status('completed', 60 * pair.slow())
    p.goes_on(p.b)


SHORT = '2000'              # ms
LONG_S = 5


def hold(s):
    s.proc.send_signal(signal.SIGSTOP)


def let_go(s):
    s.proc.send_signal(signal.SIGCONT)


def loses_nobody(p):
    """They go on as if nothing had been."""
    p.checkpoints(2)
    expect(same_ram(p.a, p.b) >= 4, 'too few checkpoints were compared')
    for s in (p.a, p.b):
        expect(not s.qmp.event('COLO_PEER_LOST', 0), f'{s.name} has lost its peer')


def may_be_silent(where, milliseconds):
    link(*where, CTL, 'set', 'peer-timeout', milliseconds, '-s', SESSION_NAME)


def test_failure_stopped_primary():
    """QEMU is stopped for longer than peer-timeout, and the module is not: COLO goes
    on.  Unless the secondary was told to take over: then QEMU is fenced."""
    p = protected('held')
    may_be_silent(IN_B, SHORT)
    hold(p.a)
    time.sleep(LONG_S * pair.slow())
    let_go(p.a)
    loses_nobody(p)
    hold(p.a)
    p.b.qmp('x-colo-lost-heartbeat')
    p.b.wait_status('completed', 60 * pair.slow())
    p.goes_on(p.b)
    let_go(p.a)
    fenced(p)


def is_in_the_pause(p):
    return p.a.qmp('query-status')['status'] == 'colo'


def hold_in_the_pause(p):
    """The secondary, so that the primary waits for it with its VM paused."""
    for _ in range(20):
        p.until(lambda: is_in_the_pause(p), 60, 'there is no checkpoint')
        hold(p.b)
        time.sleep(1)
        if is_in_the_pause(p):
            return
        let_go(p.b)
        p.checkpoints(1)
    raise Failed('the secondary is never stopped in a pause')


def test_failure_stopped_secondary():
    """The same: the primary waits, its guest paused where it was in the pause of a
    checkpoint, and goes on alone if it is told to."""
    p = protected('held-b', session=('--peer-timeout', SHORT))
    hold_in_the_pause(p)
    time.sleep(LONG_S * pair.slow())
    p.stands_still(p.a)
    let_go(p.b)
    loses_nobody(p)
    hold_in_the_pause(p)
    p.a.qmp('x-colo-lost-heartbeat')
    p.a.wait_status('completed', 60 * pair.slow())
    p.goes_on(p.a)
    let_go(p.b)
    secondary_stands_still(p)
