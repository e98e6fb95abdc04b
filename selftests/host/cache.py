# SPDX-License-Identifier: GPL-2.0
"""Where what takes long to make is kept, and how it gets there.

A thing is made beside its place and renamed into it, under a lock: concurrent
runs wait for the one that makes it, and an interrupted one leaves nothing half
done behind.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile


class Failed(Exception):
    """Something that the user can do something about; the text says what."""


SPEAKER = 'kernels'     # whose lines these are


def say(text):
    print(f'{SPEAKER}: {text}', file=sys.stderr, flush=True)


def cache_dir():
    base = os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
    path = os.path.join(base, 'kcolo')
    os.makedirs(path, exist_ok=True)
    return path


@contextlib.contextmanager
def locked(name):
    """Only one process at a time makes NAME."""
    with open(os.path.join(cache_dir(), f'.lock-{name}'), 'w') as f:
        try:
            fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f'{name}: waiting for another run that is at it')
            fcntl.flock(f, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def in_making(target):
    """A directory beside TARGET that becomes it when the block succeeds."""
    parent, name = os.path.split(target)
    for old in os.listdir(parent):
        if old.startswith(f'.making-{name}-'):      # we hold the lock
            shutil.rmtree(os.path.join(parent, old), ignore_errors=True)
    tmp = tempfile.mkdtemp(prefix=f'.making-{name}-', dir=parent)
    try:
        os.chmod(tmp, 0o755)
        yield tmp
        os.rename(tmp, target)
    finally:
        shutil.rmtree(tmp, ignore_errors=True)


def output(*cmd, **kw):
    p = subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       text=True, **kw)
    if p.returncode:
        raise Failed(f'{" ".join(cmd)}: {(p.stderr or p.stdout).strip()}')
    return p.stdout
