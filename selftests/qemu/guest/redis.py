# SPDX-License-Identifier: GPL-2.0
"""Debian's redis-server for the guest: fetched once, unpacked, not installed.

Installing it would start one on this machine.
"""

import os
import re
import sys

sys.dont_write_bytecode = True

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, '../../host'))

from cache import Failed, cache_dir, in_making, locked, output, say    # noqa: E402

# What brings redis-server, and the libraries that a machine may lack.
PACKAGES = ('redis-tools', 'libjemalloc2', 'liblua5.1-0', 'liblzf1', 'lua-bitop',
            'lua-cjson')
BINARY = 'usr/bin/redis-check-rdb'      # which is redis-server by another name
LIBRARIES = 'usr/lib/x86_64-linux-gnu'


def version_offered():
    text = output('apt-cache', 'show', '--no-all-versions', PACKAGES[0])
    return re.search(r'^Version: (.*)$', text, re.M)[1]


def fetch():
    """The directory in which the packages are unpacked."""
    with locked('redis'):
        root = os.path.join(cache_dir(), 'redis',
                            re.sub(r'[^\w.+-]', '_', version_offered()))
        if os.path.isdir(root):
            return root
        os.makedirs(os.path.dirname(root), exist_ok=True)
        say('redis: downloading')
        with in_making(root) as tmp:
            debs = os.path.join(tmp, 'debs')
            os.mkdir(debs)
            output('apt-get', 'download', *PACKAGES, cwd=debs)
            for deb in sorted(os.listdir(debs)):
                output('dpkg', '-x', os.path.join(debs, deb), tmp)
    return root


def entries():
    """Entries of a cpio archive: the server and all that it is linked with."""
    root = fetch()
    binary = os.path.join(root, BINARY)
    text = output('env', f'LD_LIBRARY_PATH={root}/{LIBRARIES}', 'ldd', binary)
    if 'not found' in text:
        raise Failed(f'redis: a library is missing:\n{text}')
    found = [('redis-server', binary)]
    for name, path in re.findall(r'(\S+) => (/\S+)', text):
        found.append((f'lib/x86_64-linux-gnu/{name}', path))
    loader = re.search(r'^\s*(/lib64/\S+)', text, re.M)[1]
    found.append((loader[1:], loader))
    result = [(d, 0o40755, b'') for d in ('lib', 'lib/x86_64-linux-gnu', 'lib64')]
    for name, path in found:
        with open(path, 'rb') as f:
            result.append((name, 0o100755, f.read()))
    return result
