#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Kernels for the emulated hosts: fetch or build them once, keep them cached.

  kernels.py prepare 6.1|6.12|debug   make ready, print what there is
  kernels.py kdir    6.1|6.12|debug   only the directory to build modules against

What is printed are KEY='VALUE' lines for a shell: release, image, modules,
initramfs, kdir.  Progress goes to stderr.

Debian's kernels are downloaded and unpacked, not installed: a test must not
change which kernel the machine boots next, and 6.12's headers, if installed,
would pull in the image.  Image and headers come from one source version, so
that a module made for it loads; the build tools are those that the headers ask
for, which the archive may have newer than them.  The debug kernel is built from
Debian's kernel source package (see kernel_debug.py).

All of it is kept in ${XDG_CACHE_HOME:-~/.cache}/kcolo, keyed by exact version.
"""

import argparse
import contextlib
import hashlib
import lzma
import os
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections import namedtuple

sys.dont_write_bytecode = True

import kernel_debug                                     # noqa: E402
from cache import (Failed, cache_dir, in_making, locked, output,    # noqa: E402
                   say)

HERE = os.path.dirname(os.path.realpath(__file__))
KERNELS = ('6.1', '6.12', 'debug')
META = {'6.1': 'linux-headers-amd64', '6.12': 'linux-headers-6.12-amd64'}
# What stage one needs before it sees any file system but its own.
BOOT_MODULES = ('virtio_pci', 'virtio_console', 'virtio_net',
                '9pnet_virtio', '9p', 'overlay')
APPLETS = ('cat', 'cp', 'hostname', 'insmod', 'ip', 'ln', 'mkdir', 'mount',
           'poweroff', 'sh', 'switch_root', 'uname')
BUSYBOX = '/bin/busybox'
APT_LISTS = '/var/lib/apt/lists'

Kernel = namedtuple('Kernel', 'name release image modules initramfs kdir')


# Stock kernels

def depends(package):
    """{name: version or None} of what PACKAGE depends on, and its own version."""
    text = output('apt-cache', 'show', '--no-all-versions', package)
    fields = dict(re.findall(r'^(\S+): (.*)$', text, re.M))
    deps = re.findall(r'([a-z0-9][a-z0-9.+-]*)(?: \(= ([^)]+)\))?',
                      fields.get('Depends', ''))
    return dict(deps), fields['Version']


def stock_candidate(name):
    """The release and package version that apt offers for kernel NAME."""
    deps, _ = depends(META[name])
    for dep, version in deps.items():
        m = re.fullmatch(r'linux-headers-(' + re.escape(name) + r'\.\S+-amd64)', dep)
        if m:
            return m[1], version
    raise Failed(f'apt offers no {name} kernel ({META[name]}): this wants '
                 'Debian 12 with its security suite')


def stock_fetch(release, version, root):
    """Download and unpack what belongs to the kernel RELEASE into ROOT."""
    headers = f'linux-headers-{release}'
    deps, _ = depends(headers)
    wanted = [f'{headers}={version}']
    for name, exact in deps.items():
        if re.match(r'linux-(headers-.*-common|kbuild-)', name):
            wanted.append(f'{name}={exact}' if exact else name)
    with tempfile.TemporaryDirectory(dir=root) as debs:
        say(f'{release}: downloading')
        output('apt-get', 'download', *wanted, cwd=debs)
        try:
            output('apt-get', 'download',
                   f'linux-image-{release}-unsigned={version}', cwd=debs)
        except Failed:
            output('apt-get', 'download', f'linux-image-{release}={version}',
                   cwd=debs)
        say(f'{release}: unpacking')
        for deb in sorted(os.listdir(debs)):
            output('dpkg', '-x', os.path.join(debs, deb), root)
    for junk in ('usr/share', 'etc', 'lib/modules/%s/build' % release,
                 'lib/modules/%s/source' % release):
        path = os.path.join(root, junk)
        if os.path.islink(path):
            os.unlink(path)
        else:
            shutil.rmtree(path, ignore_errors=True)


def release_in(root):
    return os.listdir(os.path.join(root, 'lib/modules'))[0]


def unwrap(bzimage):
    """The vmlinux in a BZIMAGE (for its header see the kernel's x86/boot.rst).

    QEMU starts it directly (PVH): to have the guest decompress itself takes
    the emulator as long as all the rest of the boot.
    """
    with open(bzimage, 'rb') as f:
        data = f.read()
    offset, length = struct.unpack_from('<II', data, 0x248)
    start = (data[0x1f1] + 1) * 512 + offset
    payload = data[start:start + length - 4]    # its size comes last
    if payload.startswith(b'\xfd7zXZ'):
        return lzma.LZMADecompressor().decompress(payload)
    if payload.startswith(b'\x28\xb5\x2f\xfd'):
        return subprocess.run(['zstd', '-dc'], input=payload, check=True,
                              stdout=subprocess.PIPE).stdout
    raise Failed(f'{bzimage}: compressed in a way not known here')


def make_stock(name, release, version, root):
    with in_making(root) as tmp:
        stock_fetch(release, version, tmp)
        # The one absolute path in Debian's headers.
        makefile = os.path.join(tmp, 'usr/src', f'linux-headers-{release}', 'Makefile')
        with open(makefile) as f:
            text = f.read()
        with open(makefile, 'w') as f:
            f.write(text.replace('include /usr/', f'include {root}/usr/'))
        output('depmod', '-b', tmp, release)
        with open(os.path.join(tmp, 'vmlinux'), 'wb') as f:
            f.write(unwrap(os.path.join(tmp, 'boot', f'vmlinuz-{release}')))
    say(f'{name}: {release} ready')


def stock(name):
    """The directory with Debian's kernel NAME.

    It is what the link NAME leads to, unless apt's lists are newer than that
    and name another version; if that cannot be had, what is there will do.
    """
    top = os.path.join(cache_dir(), 'stock')
    os.makedirs(top, exist_ok=True)
    current = os.path.join(top, name)
    have = os.path.isdir(current)
    with contextlib.suppress(FileNotFoundError):
        if have and os.lstat(current).st_mtime > os.stat(APT_LISTS).st_mtime:
            return os.path.realpath(current)
    with locked(f'stock-{name}'):
        try:
            release, version = stock_candidate(name)
            root = os.path.join(top, f'{release}_{version}'.replace('~', '_'))
            if not os.path.isdir(root):
                make_stock(name, release, version, root)
        except Failed as e:
            if not have:
                raise Failed(f'{e} (is there a network? try apt-get update)')
            say(f'{name}: keeping to the one that is here: {e}')
            return os.path.realpath(current)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f'{current}.new')
        os.symlink(os.path.basename(root), f'{current}.new')
        os.rename(f'{current}.new', current)
    return root


# The initramfs

def cpio(entries):
    """A newc archive of ENTRIES, (path, mode, bytes), all owned by root."""
    out = bytearray()
    for ino, (path, mode, data) in enumerate([*entries, ('TRAILER!!!', 0, b'')], 1):
        name = path.encode() + b'\0'
        head = [ino, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0]
        out += b'070701' + b''.join(b'%08x' % h for h in head) + name
        out += bytes(-len(out) % 4)
        out += data
        out += bytes(-len(out) % 4)
    return bytes(out)


def in_order(moddir, wanted):
    """The files under MODDIR to insert, each after what it depends on."""
    def name(path):
        return os.path.basename(path).split('.ko')[0].replace('-', '_')

    deps, order = {}, []
    with open(os.path.join(moddir, 'modules.dep')) as f:
        for line in f:
            path, needs = line.split(':')
            deps[name(path)] = (path, needs.split())
    with open(os.path.join(moddir, 'modules.builtin')) as f:
        builtin = {name(line.strip()) for line in f}

    def add(mod):
        if mod not in deps:
            if mod in builtin:
                return
            raise Failed(f'{moddir}: no module {mod}')
        path, needs = deps[mod]
        for need in needs:
            add(name(need))
        if path not in order:
            order.append(path)

    for mod in wanted:
        add(mod)
    return order


def module_entries(moddir, wanted):
    """Entries of a cpio archive: mod/NAME.ko for each, and mod/order."""
    names, entries = [], []
    for path in in_order(moddir, wanted):
        with open(os.path.join(moddir, path), 'rb') as f:
            data = f.read()
        if path.endswith('.xz'):
            data = lzma.decompress(data)
        elif not path.endswith('.ko'):
            raise Failed(f'{path}: compressed in a way not known here')
        names.append(os.path.basename(path).split('.ko')[0] + '.ko')
        entries.append((f'mod/{names[-1]}', 0o100644, data))
    entries.append(('mod/order', 0o100644, '\n'.join(names + ['']).encode()))
    return entries


def initramfs(root, moddir):
    """The initramfs for the modules in MODDIR, kept in ROOT."""
    if not os.path.exists(BUSYBOX):
        raise Failed(f'no {BUSYBOX}: run selftests/host/deps.sh')
    entries = [(d, 0o40755, b'') for d in
               ('bin', 'dev', 'proc', 'sys', 'mod', 'rw', 'new', 'lower')]
    entries += [(f'bin/{a}', 0o120777, b'busybox') for a in APPLETS]
    with open(BUSYBOX, 'rb') as f:
        entries.append(('bin/busybox', 0o100755, f.read()))
    for script in ('init', 'init2', 'hostctl'):
        with open(os.path.join(HERE, script), 'rb') as f:
            entries.append((script, 0o100755, f.read()))
    data = cpio(entries + module_entries(moddir, BOOT_MODULES))

    digest = hashlib.sha256(data).hexdigest()[:16]
    path = os.path.join(root, f'initramfs-{digest}.cpio')
    if os.path.exists(path):
        os.utime(path)
        return path
    fd, tmp = tempfile.mkstemp(dir=root)
    with os.fdopen(fd, 'wb') as f:
        f.write(data)
    os.chmod(tmp, 0o644)
    os.rename(tmp, path)
    for old in os.listdir(root):        # of earlier versions of the scripts
        full = os.path.join(root, old)
        if old.startswith('initramfs-') and time.time() - os.stat(full).st_mtime > 86400:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(full)
    return path


def prepare(name):
    """Make kernel NAME ready and say where everything is.  Raises Failed."""
    if name == 'debug':
        root = kernel_debug.prepare()
        release = release_in(root)
        kdir = 'build'
    else:
        root = stock(name)
        release = release_in(root)
        kdir = f'usr/src/linux-headers-{release}'
    moddir = os.path.join(root, 'lib/modules', release)
    return Kernel(name, release, os.path.join(root, 'vmlinux'), moddir,
                  initramfs(root, moddir), os.path.join(root, kdir))


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('what', choices=('prepare', 'kdir'))
    ap.add_argument('kernel', choices=KERNELS)
    args = ap.parse_args()
    try:
        kernel = prepare(args.kernel)
    except (Failed, OSError) as e:
        say(str(e))
        return 1
    if args.what == 'kdir':
        print(kernel.kdir)
    else:
        for key in ('release', 'image', 'modules', 'initramfs', 'kdir'):
            print(f'{key}={shlex.quote(getattr(kernel, key))}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
