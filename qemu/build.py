#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""QEMU as a client of kcolo: Debian 12's source package, patched and built.

  build.py                  make ready, print the directory of the result
  build.py --unpatched      the same source without patches and client
  build.py --mutant FILE    with one more patch, that breaks it for a test
  build.py --qtest          with QEMU's own test of migration
  build.py --update         look for a newer source package first
  build.py --tree DIR       only lay out the patched source in DIR, to work on it

What is there afterwards: bin/qemu-system-x86_64, bin/vhost-user-blk, which is
QEMU's own example of a vhost-user backend, for a test, and source-version.
Progress goes to stderr.

The source package is fetched by apt with lists and sources of its own: the
machine's configuration is not touched.  Everything is kept in
${XDG_CACHE_HOME:-~/.cache}/kcolo/qemu.  A result is keyed by all that goes into
it; the tree it is built in stays, so that a changed patch builds what it changes.
"""

import argparse
import contextlib
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import namedtuple
from urllib.parse import unquote

sys.dont_write_bytecode = True

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(TOP, 'selftests/host'))

import cache                                            # noqa: E402
from cache import Failed, in_making, locked, output, say    # noqa: E402

cache.SPEAKER = 'qemu'
PACKAGE = 'qemu'
VERSION = '7.2'                 # what the patches are made for
KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
NICE = ('nice', '-n', '5')
TARGET = 'qemu-system-x86_64'
FIRMWARE = '/usr/share/qemu:/usr/share/seabios:/usr/lib/ipxe/qemu'
CONFIGURE = ('--target-list=x86_64-softmmu', '--without-default-features',
             '--enable-kvm', '--enable-tcg', '--enable-replication',
             '--enable-vhost-net', '--enable-vhost-kernel', '--enable-vhost-user',
             '--disable-werror', '--disable-docs', '--disable-debug-info',
             '--enable-tools',
             '--enable-trace-backends=log',
             '--prefix=/usr', f'--firmwarepath={FIRMWARE}')
RECIPE = 2              # to be raised when what is done here makes a difference
MIGRATION_TEST = 'tests/qtest/migration-test'
VHOST_USER = 'contrib/vhost-user-blk/vhost-user-blk'

# What is to be built: with patches and client, with one more patch, for qtest.
What = namedtuple('What', 'patched mutant qtest', defaults=(True, None, False))


def patches():
    return sorted(glob.glob(os.path.join(HERE, 'patches', '*.patch')))


def client():
    return sorted(glob.glob(os.path.join(HERE, 'client', '*')))


def library():
    """What libkcolo.a is made of."""
    return sorted(glob.glob(os.path.join(TOP, 'tools/lib/*.[ch]')) +
                  [os.path.join(TOP, 'tools/Makefile'),
                   os.path.join(TOP, 'include/uapi/linux/kcolo.h')])


def top_dir():
    path = os.path.join(cache.cache_dir(), 'qemu')
    os.makedirs(path, exist_ok=True)
    return path


# The source package

def sources():
    """deb-src lines for the Debian archives that the machine itself uses."""
    fmt = '$(REPO_URI) $(RELEASE) $(COMPONENT)'
    text = output('apt-get', 'indextargets', '--format', fmt,
                  'Created-By: Packages', 'Origin: Debian')
    lines = sorted({f'deb-src [signed-by={KEYRING}] {line}\n'
                    for line in text.splitlines() if line})
    if not lines:
        raise Failed('apt knows no archive of Debian: run apt-get update')
    return ''.join(lines)


def apt(state, *args, cwd=None):
    opts = {'Dir::Etc::SourceList': f'{state}/sources.list',
            'Dir::Etc::SourceParts': '/dev/null',
            'Dir::State::Lists': f'{state}/lists',
            'Dir::Cache': f'{state}/cache',
            'APT::Sandbox::User': 'root'}
    flags = [word for k, v in opts.items() for word in ('-o', f'{k}={v}')]
    return output('apt-get', '-q', *flags, *args, cwd=cwd)


def fetch(top):
    """Fetch and unpack the newest source package, unless it is here."""
    with tempfile.TemporaryDirectory(dir=top) as state:
        for d in ('lists/partial', 'cache/archives/partial'):
            os.makedirs(os.path.join(state, d))
        with open(os.path.join(state, 'sources.list'), 'w') as f:
            f.write(sources())
        say('reading the lists of source packages')
        apt(state, 'update')
        uris = apt(state, '--print-uris', 'source', PACKAGE)
        version = unquote(re.search(r'/qemu_([^/\s]+)\.dsc', uris)[1])
        if not version.startswith(VERSION + '+'):
            raise Failed(f'apt offers QEMU {version}: this wants Debian 12, '
                         f'with {VERSION}')
        target = os.path.join(top, f'source-{version}')
        if os.path.isdir(target):
            return target
        say(f'{version}: downloading')
        apt(state, '--download-only', 'source', PACKAGE, cwd=state)
        say(f'{version}: unpacking')
        with in_making(target) as tmp:
            os.rmdir(tmp)
            output('dpkg-source', '--no-check', '-x',
                   os.path.join(state, f'qemu_{version}.dsc'), tmp, cwd=state)
            # Debian's own patches, once more.
            shutil.rmtree(os.path.join(tmp, '.pc'), ignore_errors=True)
    return target


def source(update):
    """The directory with the unpacked source package."""
    top = top_dir()
    have = sorted(glob.glob(os.path.join(top, 'source-*')), key=os.path.getmtime)
    if have and not update:
        return have[-1]
    try:
        return fetch(top)
    except Failed as e:
        if not have:
            raise Failed(f'{e} (is there a network?)')
        say(f'keeping to the source that is here: {e}')
        return have[-1]


# The tree

def touched(patch):
    """The files that PATCH changes or makes."""
    with open(patch, errors='replace') as f:
        return set(re.findall(r'^(?:\+\+\+ b|--- a)/(\S+)', f.read(), re.M))


def apply_patch(patch, tree):
    p = subprocess.run(['patch', '-p1', '-s', '-N', '--no-backup-if-mismatch', '-F0',
                        '-i', os.path.realpath(patch)], cwd=tree,
                       capture_output=True, text=True)
    if p.returncode:
        raise Failed(f'{os.path.basename(patch)} does not apply:\n{p.stdout}')


def overlay(src, out, mutant):
    """What differs from SRC, in OUT: patched files and the client's."""
    for patch in patches():
        for name in touched(patch):
            there, here = os.path.join(src, name), os.path.join(out, name)
            if os.path.exists(there) and not os.path.exists(here):
                os.makedirs(os.path.dirname(here), exist_ok=True)
                shutil.copy2(there, here)
    for patch in patches():
        apply_patch(patch, out)
    os.makedirs(os.path.join(out, 'migration'), exist_ok=True)
    for path in client():
        shutil.copy(path, os.path.join(out, 'migration'))
    if mutant:
        apply_patch(mutant, out)


def lay_out(src, tree, patched, mutant=None):
    """Make TREE what SRC with the patches is, touching only what differs."""
    os.makedirs(tree, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(tree)) as over:
        if patched:
            overlay(src, over, mutant)
        mine = {os.path.relpath(os.path.join(d, f), over)
                for d, _, files in os.walk(over) for f in files}
        with tempfile.NamedTemporaryFile('w', suffix='.skip') as skip:
            skip.write(''.join(f'/{name}\n' for name in sorted(mine)))
            skip.flush()
            output('rsync', '-a', '--delete', '--checksum', '--exclude=/build',
                   f'--exclude-from={skip.name}', f'{src}/', f'{tree}/')
        output('rsync', '-rlp', '--checksum', f'{over}/', f'{tree}/')


# Building

def run(cmd, cwd, log, steps=None):
    """Run CMD, with a line every so often on how far it is."""
    start = shown = time.monotonic()
    with open(log, 'a') as f:
        p = subprocess.Popen(cmd, cwd=cwd, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, errors='replace')
        for line in p.stdout:
            f.write(line)
            at = re.match(r'\[(\d+)/(\d+)\]', line)
            now = time.monotonic()
            if at and now - shown >= 15:
                shown = now
                say(f'{at[1]} of {at[2]} steps built, {int(now - start)} s')
    if p.wait():
        with open(log, errors='replace') as again:
            bad = again.read().splitlines()[-30:]
        raise Failed(f'{cmd[0]} failed, log in {log}:\n' + '\n'.join(bad))


def libkcolo(build):
    """libkcolo, installed below BUILD, and what pkg-config has to be told."""
    root = os.path.join(build, 'libkcolo')
    output('make', '-C', os.path.join(TOP, 'tools'), '--no-print-directory',
           f'O={build}/libkcolo-o', f'DESTDIR={root}', 'LIBDIR=/lib', 'PREFIX=',
           'install-lib')
    pc = os.path.join(root, 'lib/pkgconfig/kcolo.pc')
    with open(pc) as f:
        text = f.read()
    with open(pc, 'w') as f:
        f.write(re.sub(r'^(prefix|libdir)=', rf'\1={root}', text, flags=re.M))
    return os.path.dirname(pc)


def configure(tree, build, what, log):
    opts = list(CONFIGURE)
    env = dict(os.environ)
    if what.patched:
        opts.append('--enable-kcolo')
        env['PKG_CONFIG_PATH'] = libkcolo(build)
    line = ' '.join(opts)
    stamp = os.path.join(build, 'configured-with')
    with open(stamp, 'a+') as f:
        f.seek(0)
        if f.read() == line:
            return
    say('configuring')
    env_args = ['env', *(f'{k}={v}' for k, v in env.items()
                         if k == 'PKG_CONFIG_PATH')]
    run([*env_args, f'{tree}/configure', *opts], build, log)
    with open(stamp, 'w') as f:
        f.write(line)


def build(src, key, what):
    work = os.path.join(top_dir(), 'tree' + ('-qtest' if what.qtest else '') +
                        ('' if what.patched else '-unpatched'))
    tree, objects = os.path.join(work, 'qemu'), os.path.join(work, 'build')
    log = os.path.join(work, 'log')
    os.makedirs(objects, exist_ok=True)
    with open(log, 'w'):
        pass
    say('laying out the source')
    lay_out(src, tree, what.patched, what.mutant)
    configure(tree, objects, what, log)
    # Nobody looks whether libkcolo.a is a newer one.
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(objects, TARGET))
    say('building, some five minutes on two cores when nothing is built yet')
    targets = [TARGET, VHOST_USER, *([MIGRATION_TEST] if what.qtest else ())]
    run([*NICE, 'ninja', *targets], objects, log)
    with in_making(key) as tmp:
        os.mkdir(os.path.join(tmp, 'bin'))
        for name in targets:
            shutil.copy2(os.path.join(objects, name), os.path.join(tmp, 'bin'))
        # It looks for its firmware relative to where it is.
        os.symlink('/usr/share', os.path.join(tmp, 'share'))
        os.symlink('/usr/lib', os.path.join(tmp, 'lib'))
        with open(os.path.join(tmp, 'source-version'), 'w') as f:
            f.write(os.path.basename(src).partition('-')[2] + '\n')
    say(f'{os.path.basename(key)} ready')


def result_dir(src, what):
    h = hashlib.sha256(f'{RECIPE} {CONFIGURE} '
                       f'{output("gcc", "-dumpfullversion")}'.encode())
    for path in ([*patches(), *client(), *library(),
                  *([what.mutant] if what.mutant else ())] if what.patched else ()):
        with open(path, 'rb') as f:
            h.update(os.path.basename(path).encode() + b'\0' + f.read())
    version = os.path.basename(src).partition('-')[2]
    name = (f'{version}-{h.hexdigest()[:12]}' + ('-qtest' if what.qtest else '') +
            ('' if what.patched else '-unpatched'))
    return os.path.join(top_dir(), name.replace('~', '_'))


def prepare(what=What(), update=False):
    """The directory with a QEMU that is ready.  Raises Failed."""
    for var in ('MAKEFLAGS', 'MFLAGS', 'MAKELEVEL'):    # of a make that called us
        os.environ.pop(var, None)
    with locked('qemu'):
        src = source(update)
        key = result_dir(src, what)
        if not os.path.isdir(key):
            build(src, key, what)
    return key


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--unpatched', action='store_true')
    ap.add_argument('--update', action='store_true')
    ap.add_argument('--mutant', metavar='FILE')
    ap.add_argument('--qtest', action='store_true')
    ap.add_argument('--tree', metavar='DIR')
    args = ap.parse_args()
    try:
        if args.tree:
            lay_out(source(args.update), os.path.abspath(args.tree),
                    not args.unpatched)
        else:
            print(prepare(What(not args.unpatched, args.mutant, args.qtest),
                          args.update))
    except (Failed, OSError) as e:
        say(str(e))
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
