#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Whether the module's files use each other in a circle.

usage: cycles.py DIRECTORY-OF-OBJECTS

A file uses another when its object needs a symbol that the other defines.
Two things are left out: the table that is generated, which is how netlink calls
into all of it, and tracepoints (__tracepoint_*, __SCT__*), which happen to be
defined in main.o.

Exit status: 0 there is none, 1 there are some, 2 nothing was looked at.
"""

import graphlib
import os
import subprocess
import sys

GENERATED = 'netlink_gen.o'
FEWEST = 20         # files that the module has at least


def symbols(path):
    """What an object defines for others, and what it needs of others."""
    out = subprocess.run(['nm', '-g', path], capture_output=True, text=True,
                         check=True).stdout
    defined, needed = set(), set()
    for line in out.splitlines():
        *_, kind, name = line.split()
        if not name.startswith('__'):
            (needed if kind == 'U' else defined).add(name)
    return defined, needed


def graph(directory):
    """File -> {file it uses: a symbol of that}."""
    objects = {name: symbols(os.path.join(directory, name))
               for name in sorted(os.listdir(directory)) if name.endswith('.o')}
    home = {s: name for name, (defined, _) in objects.items() for s in defined}
    return {name: {home[s]: s for s in sorted(needed) if home.get(s, name) != name}
            for name, (_, needed) in objects.items() if name != GENERATED}


def main():
    uses = graph(sys.argv[1])
    edges = sum(map(len, uses.values()))
    if len(uses) < FEWEST or edges < len(uses):
        print(f'{len(uses)} objects with {edges} uses in {sys.argv[1]}: too few')
        return 2
    try:
        graphlib.TopologicalSorter(uses).prepare()
    except graphlib.CycleError as e:
        circle = e.args[1][::-1]        # each uses the one after it
        for user, used in zip(circle, circle[1:]):
            print(f'{user} uses {uses[user][used]} of {used}')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
