#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Measure, in emulated hosts, and write build/bench.json.

  stream   the rate at which dirty pages get staged, against iperf3's
  idle     a checkpoint of a guest that does nothing, with 256 MiB and 4 GiB
  staging  the memory that staging takes, against what is staged

Each is a host of its own, on a clock that counts instructions (1 ms is 1 M);
such a host hangs once in many runs, so each is bounded and tried once more.
README.md says what is timed and what the fields mean.

Exit status: 0 all was measured and every target met, 1 a target was missed,
2 something could not be measured.
"""

import argparse
import datetime
import json
import os
import shlex
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.realpath(os.path.join(HERE, '../..'))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import figures                                              # noqa: E402

# Both ends are on one host: twice the guest, and what is staged.
PHASES = {
    'stream': {'mem': '3G', 'seconds': 1800},
    'idle': {'mem': '12G', 'seconds': 2400},
    'staging': {'mem': '4G', 'seconds': 1800},
}
# What a hang looks like; anything else would come again.
HANGS = (124, 125)


class Failed(Exception):
    pass


def say(text):
    print(f'bench: {text}', flush=True)


def build(kernel):
    """Quick when nothing has changed."""
    log = os.path.join(TOP, 'build/bench/build.log')
    with open(log, 'w') as f:
        for what, argv in (
                (f'the module for {kernel}',
                 ['selftests/host/build-module.sh', kernel]),
                ('kvmm', ['make', '--no-print-directory', '-C', 'selftests/vmm']),
                ('kcoloctl', ['make', '--no-print-directory', 'tools'])):
            say(f'building {what}')
            if subprocess.run(argv, cwd=TOP, stdout=f, stderr=f).returncode:
                raise Failed(f'{what} does not build: see {log}')


def command(phase, opts):
    p = PHASES[phase]
    argv = ['selftests/host/khost', '--kernel', opts.kernel, '--icount',
            '--mem', p['mem'], '--timeout', str(p['seconds']),
            '--out', f'build/bench/{phase}']
    for name in ('ROUNDS', 'IDLE', 'STAGING'):
        if os.environ.get(name):
            argv += ['--env', f'{name}={os.environ[name]}']
    return argv + ['--', f'python3 selftests/bench/{phase}.py']


def run(phase, opts):
    """One phase: what it found, with how it was run."""
    argv = command(phase, opts)
    out = os.path.join(TOP, 'build/bench', phase, 'result.json')
    retries = 0
    began = time.monotonic()
    say(f'{phase}: {shlex.join(argv)}')
    while True:
        if os.path.exists(out):
            os.unlink(out)
        code = subprocess.run(argv, cwd=TOP).returncode
        if code not in HANGS or retries:
            break
        retries += 1
        say(f'{phase}: the host hung or died ({code}): trying once more')
    if code:
        raise Failed(f'{phase}: khost ended with {code}: see build/bench/{phase}')
    with open(out) as f:
        found = json.load(f)
    with open(os.path.join(TOP, 'build/bench', phase, 'result')) as f:
        host = dict(line.rstrip().split(' ', 1) for line in f if ' ' in line)
    return {'command': shlex.join(argv), 'retries': retries,
            'kernel': host.get('kernel'),
            'seconds': round(time.monotonic() - began), **found}


def text_of(*argv):
    try:
        r = subprocess.run(argv, cwd=TOP, capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return r.stdout.strip().splitlines()[0] if r.returncode == 0 and r.stdout else None


def machine():
    return {'commit': text_of('git', 'describe', '--always', '--dirty'),
            'emulator': text_of('qemu-system-x86_64', '--version'),
            'iperf3': text_of('iperf3', '--version')}


def parse():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--kernel', default='6.12', choices=('6.1', '6.12'))
    ap.add_argument('--json', default='build/bench.json', metavar='FILE')
    ap.add_argument('phase', nargs='*', metavar='PHASE',
                    help='stream, idle, staging (default: all)')
    opts = ap.parse_args()
    for phase in opts.phase:
        if phase not in PHASES:
            ap.error(f'{phase} is none of: {", ".join(PHASES)}')
    return opts


def main():
    opts = parse()
    phases, found, failed = opts.phase or list(PHASES), [], []
    runs = {}
    os.makedirs(os.path.join(TOP, 'build/bench'), exist_ok=True)
    try:
        build(opts.kernel)
    except Failed as e:
        say(str(e))
        return 2
    for phase in phases:
        try:
            runs[phase] = run(phase, opts)
            found += figures.OF[phase](runs[phase]['samples'])
        except (Failed, OSError, KeyError) as e:
            say(str(e))
            failed.append(phase)
    report = {'date': datetime.datetime.now(datetime.timezone.utc)
              .isoformat(timespec='seconds'),
              'kernel': opts.kernel, **machine(), 'failed': failed,
              'figures': found, 'runs': runs}
    with open(os.path.join(TOP, opts.json), 'w') as f:
        json.dump(report, f, indent=1)
        f.write('\n')
    print('\n'.join(figures.table(found)))
    missed = [f['name'] for f in found if f['verdict'] == figures.MISSED]
    retries = sum(r['retries'] for r in runs.values())
    say(f"{opts.json} written; {len(missed)} targets missed, {retries} runs tried "
        f"again" + (f"; not measured: {', '.join(failed)}" if failed else ''))
    return 2 if failed else 1 if missed else 0


if __name__ == '__main__':
    sys.exit(main())
