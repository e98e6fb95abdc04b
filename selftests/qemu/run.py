#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run tests of QEMU as a client of kcolo, in an emulated host.  KTAP.

  run.py [TEST...]          all that begin with one of the names; or all
  run.py --list

A test is a function in a file test_*.py; it raises when it fails.
"""

import glob
import importlib
import os
import subprocess
import sys
import time
import traceback

sys.dont_write_bytecode = True

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)

import pair                                                 # noqa: E402


def tests():
    found = {}
    for path in sorted(glob.glob(os.path.join(HERE, 'test_*.py'))):
        module = importlib.import_module(os.path.basename(path)[:-3])
        for name, thing in vars(module).items():
            if name.startswith('test_'):
                found[name[5:]] = thing
    return found


# One wants a host that has what others have not (see jobs.sh), one takes minutes.
BY_NAME_ONLY = ('vfio', 'again_whole')


def run(number, name, function):
    began = time.monotonic()
    print(f'# {name}', flush=True)
    try:
        function()
        word = 'ok'
    except Exception:               # whatever it is, the next test is run
        word = 'not ok'
        for line in traceback.format_exc().splitlines():
            print(f'# {line}')
    finally:
        pair.clean_up()
    print(f'# {name}: {time.monotonic() - began:.0f} s')
    print(f'{word} {number} {name}', flush=True)
    return word == 'ok'


def main():
    wanted = sys.argv[1:]
    all_tests = tests()
    if wanted == ['--list']:
        print('\n'.join(all_tests))
        return 0
    chosen = {n: f for n, f in all_tests.items()
              if any(n.startswith(w) for w in wanted or ('',)) and
              (n in wanted or n not in BY_NAME_ONLY)}
    if not chosen:
        print('not ok 1 no such test')
        return 1
    print('KTAP version 1')
    print(f'1..{len(chosen)}')
    if not os.path.exists('/run/netns/b'):
        subprocess.run(['sh', os.path.join(HERE, 'host.sh')], check=True)
    good = [run(i, n, f) for i, (n, f) in enumerate(chosen.items(), 1)]
    return 0 if all(good) else 1


if __name__ == '__main__':
    sys.exit(main())
