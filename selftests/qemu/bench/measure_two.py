#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""measure_two.py ROUNDS CHECKPOINTS LOAD...: in each of two emulated hosts.

The same as measure.py with the QEMUs on a host each.  Host a writes result.json, and
host b what its own side took, in the same order, to result-b.json.
"""

import os
import subprocess
import sys

sys.dont_write_bytecode = True

import turn
from turn import LOADS, pair

A, B = '10.77.0.1', '10.77.0.2'
BOOT_S = 60
# As when time is up: bench.py has both hosts begin anew.
STOOD_STILL = 124


def together(what, name):
    subprocess.run(['hostctl', 'barrier', f'{what}-{name}'], check=True)


def side(role, name, load, backend, **kw):
    options = turn.guest(load)
    prefix = pair.launcher(role, secondary=B) if backend == 'kcolo' else ()
    s = pair.side(name, prefix, **options, **kw)
    pair.configure(s, backend, LOADS[load].interval_ms, **turn.PARAMETERS)
    return s


def primary(name, load, backend, count):
    a = side('primary', f'{name}-a', load, backend)
    pair.copy_at_once(a)
    a.wait_guest(BOOT_S)
    together('up', name)
    a.qmp('migrate', uri=f'tcp:{B}:{pair.STREAM}')
    a.wait_status('colo')
    pair.colo.checkpoints(a, turn.WARM_UP, 600)
    together('begin', name)
    written, cpu = a.written(), turn.cpu(a)
    taken = turn.taken_while_it_writes(a, load, count)
    found = {'checkpoints': taken, 'written': a.written() - written,
             'cpu_s': turn.cpu(a) - cpu, 'ram': turn.MEMORY << 20}
    together('end', name)
    turn.tell(load, backend, taken)
    return found


def secondary(name, load, backend, _):
    b = side('secondary', f'{name}-b', load, backend, incoming=f'tcp:{B}:{pair.STREAM}')
    together('up', name)
    together('begin', name)
    cpu = turn.cpu(b)
    together('end', name)
    return {'cpu_s': turn.cpu(b) - cpu, 'resident': turn.resident(b, backend)}


def main():
    rounds, count, *names = sys.argv[1:]
    subprocess.run(['sh', os.path.join(turn.HERE, '../two/prepare.sh')], check=True)
    is_a = os.environ['KCOLO_HOST'] == 'a'
    one = primary if is_a else secondary
    found = []
    try:
        for name, load, backend in turn.turns(int(rounds), names):
            r = one(name, load, backend, int(count))
            found.append({'backend': backend, 'load': load, **r})
            pair.clean_up()
    except pair.colo.Still as e:
        print(e, flush=True)
        return STOOD_STILL
    finally:
        pair.clean_up()
    turn.write('result.json' if is_a else 'result-b.json', found)
    return 0


if __name__ == '__main__':
    sys.exit(main())
