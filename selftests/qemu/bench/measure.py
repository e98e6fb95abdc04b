#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""measure.py ROUNDS CHECKPOINTS LOAD...: in an emulated host, with both QEMUs.

Runs COLO with each backend under each LOAD, in turns, ROUNDS times, and writes
what CHECKPOINTS checkpoints took to $KCOLO_OUT/result.json.  A line on stdout for
each says how far it is.  bench.py starts it.
"""

import os
import subprocess
import sys

sys.dont_write_bytecode = True

import turn
from turn import LOADS, pair

# A guest is up in three seconds by the clock of instructions, whose seconds are long.
BOOT_S = 8


def one(name, load, backend, count):
    """COUNT checkpoints of one pair."""
    try:
        p = pair.Pair(name, backend, delay=LOADS[load].interval_ms, boot=BOOT_S,
                      **turn.guest(load), **turn.PARAMETERS)
        p.protect()
        p.checkpoints(turn.WARM_UP, 600)
        written, cpu = p.a.written(), turn.cpu(p.a, p.b)
        taken = turn.taken_while_it_writes(p.a, load, count)
        return {'checkpoints': taken, 'written': p.a.written() - written,
                'cpu_s': turn.cpu(p.a, p.b) - cpu,
                'resident': turn.resident(p.b, backend, pair.IN_B),
                'ram': turn.MEMORY << 20}
    finally:
        pair.clean_up()


def measured(name, *args):
    """The same, once more where the emulator has stopped the guest (README.md): it
    has measured nothing."""
    try:
        return one(name, *args)
    except pair.colo.Still as e:
        print(f'{name}: {e}: once more', flush=True)
        return one(f'{name}-again', *args)


def main():
    rounds, count, *names = sys.argv[1:]
    subprocess.run(['sh', os.path.join(turn.HERE, '../host.sh')], check=True)
    found = []
    for name, load, backend in turn.turns(int(rounds), names):
        r = measured(name, load, backend, int(count))
        found.append({'backend': backend, 'load': load, **r})
        turn.tell(load, backend, r['checkpoints'])
    turn.write('result.json', found)
    return 0


if __name__ == '__main__':
    sys.exit(main())
