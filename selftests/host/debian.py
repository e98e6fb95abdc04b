#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A fresh Debian 12 in a directory, to install packages in.

  debian.py       make it, once, and print where it and a place for packages are

It has what is essential, apt and systemd; its sources are those of Debian that
this machine's apt has. To be copied, not to be used: it is kept in
${XDG_CACHE_HOME:-~/.cache}/kcolo, keyed by the point release and by how it is made.
As root.
"""

import hashlib
import os
import re
import shutil
import sys

sys.dont_write_bytecode = True

import cache                                            # noqa: E402
from cache import Failed, cache_dir, in_making, locked, output, say     # noqa: E402

SUITE = 'bookworm'
INCLUDE = 'systemd'
MIRROR = 'http://deb.debian.org'
DEFAULT = [f'deb {MIRROR}/debian {SUITE} main',
           f'deb {MIRROR}/debian {SUITE}-updates main',
           f'deb {MIRROR}/debian-security {SUITE}-security main']


def sources():
    """Lines of sources.list: of this machine's, those of Debian 12."""
    lines = []
    text = output('apt-get', 'indextargets', '--format',
                  '$(LABEL)|deb $(REPO_URI) $(RELEASE) main', 'Created-By: Packages',
                  'Component: main')
    for line in text.splitlines():
        label, _, entry = line.partition('|')
        if label in ('Debian', 'Debian-Security') and f' {SUITE}' in entry:
            lines.append(entry)
    return lines or DEFAULT


def proxies():
    """What this machine's apt has been told of proxies."""
    text = output('apt-config', 'dump')
    return re.findall(r'^Acquire::\S*[Pp]roxy\S* ".+";$', text, re.M)


def point_release():
    """The version of base-files, which each point release has anew."""
    text = output('apt-cache', 'show', '--no-all-versions', 'base-files')
    return re.search(r'^Version: (\S+)$', text, re.M)[1]


def make(root, lines):
    """Make it in ROOT; what lists of packages it has are of today."""
    say('Debian 12: fetching')
    output('mmdebstrap', '--quiet', '--mode=root', '--variant=minbase',
           f'--include={INCLUDE}', '--skip=cleanup/apt/lists', SUITE, root, *lines)
    with open(os.path.join(root, 'etc/apt/apt.conf.d/99proxies'), 'w') as f:
        f.write('\n'.join(proxies() + ['']))


def prepare():
    """The directory; not to be changed.  Raises Failed."""
    if not shutil.which('mmdebstrap'):
        raise Failed('no mmdebstrap: run selftests/host/deps.sh deb')
    if os.geteuid() != 0:
        raise Failed('run me as root')
    lines = sources()
    digest = hashlib.sha256('\n'.join([SUITE, INCLUDE, *lines]).encode()).hexdigest()[:8]
    top = os.path.join(cache_dir(), 'debian')
    os.makedirs(os.path.join(top, 'packages'), exist_ok=True)
    root = os.path.join(top, f'{point_release()}-{digest}')
    with locked('debian'):
        if not os.path.isdir(root):
            with in_making(root) as tmp:
                make(tmp, lines)
    return root, os.path.join(top, 'packages')


def main():
    cache.SPEAKER = 'debian'
    if len(sys.argv) > 1:
        print(__doc__)
        return 0 if sys.argv[1] in ('-h', '--help') else 2
    try:
        print('\n'.join(prepare()))
    except (Failed, OSError) as e:
        say(str(e))
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
