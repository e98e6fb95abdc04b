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


# Bits that RFLAGS of no CPU has: 3, 5, 15, and all from 22 on.
RESERVED = ~0x3f7fd7


def emulator_fault(console):
    """The fault of the emulator's own that CONSOLE ends in, if it is one we know.

    Only without a frame of ours in the trace: then it says nothing about us.
    Anything else is a failure, whatever else may have been at fault.

    One host in hundreds, without any module of ours, has panicked with a stack
    guard page hit in error_entry and its clock gone back.

    In others RFLAGS had bits that no instruction sets, in the first report already
    and until the panic: the low half of a kernel address.  The emulator keeps flags as
    the operands of what set them, and by which operation.  QEMU 7.2 does not bring the
    latter up to date before cmpxchg16b and cmpxchg8b, which so may take operands for
    flags; branches go wrong from there on.  Linux uses the former in its slab allocator:
    our hosts' CPU has it not (hosts.py).  The latter it hardly uses, but has to have.
    """
    try:
        with open(console, errors='replace') as f:
            lines = f.readlines()
    except FileNotFoundError:
        return None
    hit = next((i for i, line in enumerate(lines) if REPORT.search(line)), None)
    if hit is None:
        return None
    trace = ''.join(lines[hit:])
    if re.search(r'\[kcolo\]|\bkcolo_', trace):
        return None
    stamps = [float(m[1]) for m in map(STAMP.match, lines) if m]
    if 'stack guard page' in trace and 'error_entry' in trace and \
            any(b < a for a, b in zip(stamps, stamps[1:])):
        return 'error_entry, the clock gone back'
    flags = re.search(r'EFLAGS: ([0-9a-f]+)', trace)
    if flags and int(flags[1], 16) & RESERVED:
        return f'RFLAGS {flags[1]}'
    return None
