#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Host b of the demo with QEMU: the secondary, a client of the guest's redis, and the
one who kills host a."""

import json
import random
import sys
import time

sys.dont_write_bytecode = True

import load
import phases
from phases import host, tell

import client                                               # noqa: E402
from colo import Qmp, hashes_of, same_hashes                # noqa: E402


def record(**what):
    print(json.dumps(what), flush=True)


def fail_over(phase, writer):
    qmp = Qmp(host.SOCKET)
    trace = host.path('trace', phase.nr)
    host.until(lambda: len(hashes_of(host.read(trace))) > load.COMPARED_MIN, 300,
               'there are no checkpoints')
    host.until(lambda: writer.acknowledged >= 20, 300, 'redis does not answer')
    time.sleep(random.random() * load.HASHED_INTERVAL_MS / 1000)
    acknowledged = writer.acknowledged
    host.hostctl('kill', 'a')
    killed = time.monotonic()
    record(type='killed', acknowledged=acknowledged)
    lost = qmp.event('COLO_PEER_LOST', 60)
    if not lost:
        raise host.colo.Failed('host b does not notice that host a is dead')
    tell(f'host a is lost ({lost["desc"]}): x-colo-lost-heartbeat')
    host.say_with(qmp, 'failover-secondary')
    before = host.written(phase.nr)
    host.until(lambda: host.written(phase.nr) > before, 60, 'the guest stands still')
    tell('the guest runs on here')
    host.until(lambda: writer.acknowledged > acknowledged + 20, 120,
               'no write is acknowledged any more')
    seconds = time.monotonic() - killed
    writer.stop()
    missing = writer.lost()
    compared = same_hashes(host.read(f'{host.OUT}/{host.NAME}-{phase.nr}-a.trace'),
                           host.read(trace))
    record(type='failed-over', seconds=round(seconds, 2), compared=compared,
           acknowledged=writer.acknowledged, lost=len(missing),
           connections=writer.connections)


def show(phase):
    """The secondary of a phase, and the client."""
    phases.set_up(phase)
    qemu = host.start(phase.nr)
    host.say('1-secondary')
    host.hostctl('barrier', f'secondary-{phase.nr}')
    host.hostctl('barrier', f'protected-{phase.nr}')
    writer = client.Writer((host.GUEST, host.REDIS), 60)
    writer.start()
    if phase.last:
        fail_over(phase, writer)
    else:
        host.hostctl('barrier', f'end-{phase.nr}')
        writer.stopped = True
    qemu.kill()
    qemu.wait()


def main():
    return 0 if phases.play(show) else 1


if __name__ == '__main__':
    sys.exit(main())
