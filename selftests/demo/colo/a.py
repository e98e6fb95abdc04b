#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Host a of the demo with QEMU: the guest runs here, until the host is killed."""

import json
import os
import sys

sys.dont_write_bytecode = True

import load
import phases
from phases import host, tell


def checkpoint(phase, qmp, turn, **more):
    """The next one, as a line of JSON."""
    event = qmp.event('COLO_CHECKPOINT', 60)
    if event is None:
        raise host.colo.Failed('there are no more checkpoints')
    print(json.dumps({'type': 'checkpoint', 'precopy': turn, **more,
                      'written': host.written(phase.nr), **event}), flush=True)
    os.sync()                   # 9p keeps it for seconds, and the host is to die


def take_turns(phase, qmp):
    for nr, turn in enumerate(load.TURNS):
        threshold = load.THRESHOLD if turn == 'on' else 0
        tell(f'pre-copy {turn}: x-colo-migrate-ram-threshold {threshold}')
        qmp('migrate-set-parameters', x_colo_migrate_ram_threshold=threshold)
        for i in range(load.COUNT + 1):
            checkpoint(phase, qmp, turn, nr=nr, measured=i > 0)


def show(phase):
    phases.set_up(phase)
    host.hostctl('barrier', f'secondary-{phase.nr}')
    tell('QEMU starts, as an ordinary user; its guest, Linux with a redis, boots')
    qemu = host.start(phase.nr)
    qmp = host.protect(phase.nr)
    tell('the guest is protected: COLO, its RAM by kcolo')
    host.hostctl('barrier', f'protected-{phase.nr}')
    if not phase.last:
        take_turns(phase, qmp)
    while phase.last:           # until the power is cut
        checkpoint(phase, qmp, 'on', nr=len(load.TURNS), measured=False)
    qemu.kill()
    qemu.wait()
    host.hostctl('barrier', f'end-{phase.nr}')


def main():
    phases.play(show)
    return 1                # it was to be killed


if __name__ == '__main__':
    sys.exit(main())
