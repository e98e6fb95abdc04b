#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Measure COLO with each backend, in turns, and write build/bench-colo.json.

First both QEMUs in one emulated host whose clock counts instructions (1 ms is 1 M),
unshaped; then one each in two, by the wall clock, on a link of 300 Mbit/s.  README.md says what the fields mean.  build/bench-colo.svg has the
pause by dirty rate.

Exit status: 0 all was measured and every target met, 1 a target was missed,
2 something could not be measured.
"""

import argparse
import contextlib
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
    'icount': {'options': ['--icount', '--mem', '6G'], 'measure': 'measure.py',
               'link': 'unshaped', 'seconds': 3600,
               'loads': ['idle', 'uniform-32M', 'uniform-128M', 'hot-16M',
                         'overload']},
    # A host for each side: one CPU does not get the load done beside both. Timers: see
    # selftests/qemu/jobs.sh.
    'wall': {'options': ['--hosts', '2', '--rate', '300mbit', '--mem', '3G',
                         '--append', 'nohz=off highres=off'],
             'measure': 'measure_two.py', 'link': '300M', 'seconds': 1200,
             'loads': ['uniform-32M-2s']},
}
# What a hang looks like; anything else would come again.
HANGS = (124, 125)
RESULTS = ('result.json', 'result-b.json')


class Failed(Exception):
    pass


def say(text):
    print(f'bench-colo: {text}', flush=True)


def read(out, name):
    with open(os.path.join(out, name)) as f:
        return json.load(f)


def samples_of(clock, out):
    """What was measured, each turn in one piece."""
    found = read(out, 'result.json')
    others = read(out, 'result-b.json') if clock == 'wall' else []
    for s, other in zip(found, others):
        s['cpu_s'] += other['cpu_s']
        s['resident'] = other['resident']
    return [{'clock': clock, 'link': HOSTS[clock]['link'], **s} for s in found]


def run(clock, opts):
    h = HOSTS[clock]
    out = os.path.join(TOP, 'build/bench-colo', clock)
    loads = [n for n in h['loads'] if not opts.load or n in opts.load]
    argv = ['selftests/host/khost', '--kernel', opts.kernel, *h['options'],
            '--timeout', str(h['seconds']), '--out', out, '--',
            f'selftests/qemu/bench/{h["measure"]} {opts.rounds} {opts.checkpoints} '
            f'{" ".join(loads)}']
    if not loads:
        return []
    for attempt in (1, 2):
        for name in RESULTS:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(out, name))
        code = subprocess.run(argv, cwd=TOP).returncode
        if code not in HANGS or attempt == 2:
            break
        say(f'{clock}: the host hung or died ({code}): trying once more')
    if code:
        raise Failed(f'{clock}: khost ended with {code}: see {out}')
    return samples_of(clock, out)


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
