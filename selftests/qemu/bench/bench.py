#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Measure COLO with each backend, in turns, and write build/bench-colo.json.

Two emulated hosts, one after the other, each with both QEMUs: one whose clock
counts instructions (1 ms is 1 M), unshaped, and one by the wall clock on a link of
300 Mbit/s.  README.md says what the fields mean.  build/bench-colo.svg has the
pause by dirty rate.

Exit status: 0 all was measured and every target met, 1 a target was missed,
2 something could not be measured.
"""

import argparse
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.realpath(os.path.join(HERE, '../../..'))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import chart                                                # noqa: E402
import figures                                              # noqa: E402
from loads import LOADS                                     # noqa: E402

HOSTS = {
    'icount': {'options': ['--icount'], 'link': 'unshaped', 'seconds': 3600,
               'loads': ['idle', 'uniform-32M', 'uniform-128M', 'hot-16M',
                         'overload']},
    # Timers: see selftests/qemu/jobs.sh. One CPU: several are made to take turns, and
    # that is one of the moments of which README.md speaks.
    'wall': {'options': ['--cpus', '1', '--append', 'nohz=off highres=off'],
             'link': '300M', 'seconds': 1200,
             'loads': ['uniform-32M-2s']},
}
# What a hang looks like; anything else would come again.
HANGS = (124, 125)


class Failed(Exception):
    pass


def say(text):
    print(f'bench-colo: {text}', flush=True)


def run(clock, opts):
    h = HOSTS[clock]
    out = f'build/bench-colo/{clock}'
    result = os.path.join(TOP, out, 'result.json')
    loads = [n for n in h['loads'] if not opts.load or n in opts.load]
    argv = ['selftests/host/khost', '--kernel', opts.kernel, *h['options'],
            '--mem', '6G', '--timeout', str(h['seconds']), '--out', out, '--',
            f'selftests/qemu/bench/measure.py {clock} {h["link"]} {opts.rounds} '
            f'{opts.checkpoints} {" ".join(loads)}']
    if not loads:
        return []
    for attempt in (1, 2):
        if os.path.exists(result):
            os.unlink(result)
        code = subprocess.run(argv, cwd=TOP).returncode
        if code not in HANGS or attempt == 2:
            break
        say(f'{clock}: the host hung or died ({code}): trying once more')
    if code:
        raise Failed(f'{clock}: khost ended with {code}: see {out}')
    with open(result) as f:
        return json.load(f)


def parse():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--kernel', default='6.12', choices=('6.1', '6.12'))
    ap.add_argument('--clock', action='append', choices=HOSTS)
    ap.add_argument('--load', action='append', choices=LOADS)
    ap.add_argument('--rounds', type=int, default=2,
                    help='how often each combination has its turn')
    ap.add_argument('--checkpoints', type=int, default=12, help='in each turn')
    ap.add_argument('--json', default='build/bench-colo.json', metavar='FILE')
    return ap.parse_args()


def write(opts, runs, ratios):
    with open(os.path.join(TOP, opts.json), 'w') as f:
        json.dump({'runs': runs, 'ratios': ratios}, f, indent=2)
        f.write('\n')
    svg = chart.draw(runs, LOADS)
    if svg:
        with open(os.path.join(TOP, opts.json.removesuffix('.json') + '.svg'),
                  'w') as f:
            f.write(svg)


def main():
    opts = parse()
    samples, missing = [], False
    if subprocess.run(['selftests/qemu/prepare.sh', opts.kernel], cwd=TOP).returncode:
        say('QEMU or its guest could not be made ready')
        return 2
    for clock in opts.clock or HOSTS:
        try:
            samples += run(clock, opts)
        except Failed as e:
            say(str(e))
            missing = True
    runs = figures.runs_of(samples)
    ratios = figures.ratios(runs)
    write(opts, runs, ratios)
    print('\n'.join(['', *figures.table(runs), '', *figures.verdicts(ratios)]))
    say(f'results in {opts.json}')
    if missing:
        return 2
    return 0 if all(r['met'] for r in ratios) else 1


if __name__ == '__main__':
    sys.exit(main())
