# SPDX-License-Identifier: GPL-2.0
"""What a kernel must not say during a test.

The console and the saved log of every host are read line by line, whatever the
command in it returned: a report from one of the kernel's own checks fails a
run that otherwise passed.
"""

import re

REPORT = re.compile('|'.join((
    r'\bBUG[: ]', r'WARNING:', r'\bOops\b', r'Kernel panic',
    r'[Uu]nable to handle', r'general protection fault', r'stack guard page',
    r'KASAN', r'UBSAN', r'KCSAN', r'KFENCE: ',
    r'possible (recursive|circular|irq|deadlock)', r'INFO: .*lock',
    r'inconsistent lock state', r'bad unlock balance', r'held lock freed',
    r'suspicious RCU usage', r'INFO: trying to register non-static key',
    r'Invalid wait context', r'turning off the locking correctness validator',
    r'kmemleak: \d+ new suspected', r'kmemleak: Kernel memory leak detector disabled',
    r'hung task', r'blocked for more than', r'sleeping function called',
    r'scheduling while atomic', r'refcount_t', r'soft lockup', r'hard LOCKUP',
    r'detected stalls', r'self-detected stall', r'rcu.*\bstall\b',
    r'list_(add|del) corruption', r'ODEBUG:', r'Bad page (state|map)',
    r'NETDEV WATCHDOG', r'nobody cared',
    r'khost: cannot',
)))

STAMP = re.compile(r'^\[\s*(\d+\.\d+)\]')


def reports(*paths):
    """The offending lines in the files PATHS, each line once, in order."""
    found = {}
    for path in paths:
        try:
            with open(path, errors='replace') as f:
                for line in f:
                    line = line.strip()
                    if REPORT.search(line):
                        found[line] = True
        except FileNotFoundError:
            pass
    return list(found)


def emulator_fault(console):
    """Whether CONSOLE ends in the fault that is the emulator's own.

    Software emulation, about once in a day of runs, lands in error_entry with
    a stack of another world: a stack guard page is hit there and the clock has
    gone back.  Without a frame of ours in the trace that says nothing about us.
    """
    try:
        with open(console, errors='replace') as f:
            lines = f.readlines()
    except FileNotFoundError:
        return False
    hit = next((i for i, line in enumerate(lines) if 'stack guard page' in line), None)
    if hit is None:
        return False
    trace = ''.join(lines[hit:])
    if 'error_entry' not in trace or re.search(r'\[kcolo\]|\bkcolo_', trace):
        return False
    stamps = [float(m[1]) for m in map(STAMP.match, lines) if m]
    return any(b < a for a, b in zip(stamps, stamps[1:]))
