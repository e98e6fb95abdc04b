#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Host b: the guest is protected here, host a is killed, and the guest goes on.

Each round: a client on this host writes to the guest's redis throughout; all RAM was
equal at each checkpoint; the guest finds its own RAM right; no write is lost that
was acknowledged, and more are.  In the last round it is the secondary that dies, and
the guest goes on where it was.
"""

import json
import os
import random
import re
import subprocess
import sys
import time
import traceback

sys.dont_write_bytecode = True

import client
import host
from host import read
from colo import Failed, Qmp, hashes_of, same_hashes

KILLS = int(os.environ.get('QEMU_KILLS') or 5)
CHECKPOINTS = int(os.environ.get('QEMU_CHECKPOINTS') or 50)


def expect(condition, text):
    if not condition:
        raise Failed(text)


# The last ones that a has traced may be lost with it.
LOST_TRACE = 2


def wait_moment(nr, rng):
    """The first round has all its checkpoints; then a is killed at any moment.
    How many there are at least."""
    least = CHECKPOINTS if nr == 1 else rng.randint(2, 8) + LOST_TRACE
    host.until(lambda: len(hashes_of(read(host.path('trace', nr)))) >= least, 600,
               f'there were no {least} checkpoints')
    time.sleep(rng.random() * 2 * host.slow())
    return least


def traced_for_packets(nr):
    """What the trace of a says of pre-copy for a checkpoint that packets asked for."""
    return re.findall(r'colo_checkpoint_begin for packet\n'
                      r'(?:(?!.*colo_checkpoint_precopied).*\n)*'
                      r'.*colo_checkpoint_precopied (.*) rounds,',
                      read(f'{host.OUT}/{host.NAME}-{nr}-a.trace'))


def packets_were_urgent(nr):
    """No round runs for a checkpoint that packets are held back for."""
    taken = [json.loads(line) for line in
             read(f'{host.OUT}/{host.NAME}-{nr}-a.events').splitlines()
             if line.endswith('}')]
    packet = [c for c in taken if c['trigger'] == 'packet']
    print(f'# round {nr}: {len(taken)} checkpoints, {len(packet)} of them since '
          'packets differed')
    bad = [c for c in packet if c['reason'] != 'urgent' or c['rounds']]
    traced = traced_for_packets(nr)
    expect(len(traced) >= len(packet) - 1, f'{len(traced)} of {len(packet)} are traced')
    bad += [line for line in traced if line != 'urgent, 0']
    expect(not bad, f'rounds ran while packets were held back: {bad[:3]}')
    return len(packet)


def take_over(nr, qmp, writer):
    acknowledged = writer.acknowledged
    host.hostctl('kill', 'a')
    lost = qmp.event('COLO_PEER_LOST', 60 * host.slow())
    expect(lost and not lost['fenced'], f'COLO_PEER_LOST: {lost}')
    host.say_with(qmp, 'failover-secondary')
    host.goes_on(nr, 60)
    expect(writer.wait_for(acknowledged + 20, 120 * host.slow()),
           'no write is acknowledged any more')


def stay(nr, qemu, writer):
    """The secondary dies, and not its host, where the client is."""
    acknowledged = writer.acknowledged
    qemu.kill()
    expect(writer.wait_for(acknowledged + 20, 120 * host.slow()),
           'no write is acknowledged any more')


def one_round(nr, rng, keep):
    host.set_up(nr)
    qemu = host.start(nr)
    keep.append(qemu)
    host.say('1-secondary')
    qmp = Qmp(host.SOCKET)
    host.hostctl('barrier', f'secondary-{nr}')
    host.hostctl('barrier', f'protected-{nr}')
    writer = client.Writer((host.GUEST, host.REDIS), 30 * host.slow(), 5)
    writer.start()
    expect(writer.wait_for(10, 200 * host.slow()), 'redis does not answer')
    least = wait_moment(nr, rng)
    if nr > KILLS:
        stay(nr, qemu, writer)
    else:
        take_over(nr, qmp, writer)
    writer.stop()
    lost = writer.lost()
    expect(not lost, f'{len(lost)} of {writer.acknowledged} writes are lost: {lost[:5]}')
    if nr > KILLS:
        host.hostctl('kill', 'a')       # then its trace is whole
    count = same_hashes(read(f'{host.OUT}/{host.NAME}-{nr}-a.trace'),
                        read(host.path('trace', nr)))
    expect(count >= least - LOST_TRACE, f'only {count} checkpoints were compared')
    host.walked(nr)                 # up to now, too
    print(f'# round {nr}: {count} checkpoints compared, {writer.acknowledged} writes '
          f'acknowledged over {writer.connections} connections')
    return packets_were_urgent(nr)


def attempt(nr, rng):
    """How many checkpoints packets have asked for; None: it has failed."""
    keep = []
    try:
        return one_round(nr, rng, keep)
    except Exception:               # whatever it is, it is a failed test
        for line in traceback.format_exc().splitlines():
            print(f'# {line}')
        return None
    finally:
        for qemu in keep:
            qemu.kill()
            qemu.wait()
        for what in ('serial', 'trace', 'log'):
            subprocess.run(['cp', host.path(what, nr), host.OUT])


def main():
    seed = int(os.environ.get('SEED') or 1)
    host.prepare()
    print('KTAP version 1')
    print(f'1..{KILLS + 2}')
    bad = packets = 0
    for nr in range(1, KILLS + 2):
        found = attempt(nr, random.Random(seed * 1000 + nr))
        bad += found is None
        packets += found or 0
        what = 'stay' if nr > KILLS else f'kill-{nr}'
        print(f'{"not ok" if found is None else "ok"} {nr} colo-{host.BACKEND}-{what}',
              flush=True)
        if nr <= KILLS:
            subprocess.run(['hostctl', 'kill', 'a'], stderr=subprocess.DEVNULL)
            host.hostctl('start', 'a', f'python3 selftests/qemu/two/a.py {nr + 1}')
    # Else nothing was seen of what becomes of them.
    print(f'{"ok" if packets else "not ok"} {KILLS + 2} colo-{host.BACKEND}-packets')
    return 1 if bad or not packets else 0


if __name__ == '__main__':
    sys.exit(main())
