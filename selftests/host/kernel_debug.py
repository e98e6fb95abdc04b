# SPDX-License-Identifier: GPL-2.0
"""The debug kernel: built from Debian's linux-source-6.12 and debug.config.

No kernel that Debian ships has KASAN, lockdep, kmemleak or fault injection.
Building one takes some ten minutes, so it is kept, keyed by everything that
goes into it: the source package's version, the configuration, the compiler and
RECIPE.  Of the built tree only what building modules takes is kept.
"""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time

from cache import Failed, cache_dir, in_making, locked, output, say

HERE = os.path.dirname(os.path.realpath(__file__))
PACKAGE = 'linux-source-6.12'
TARBALL = 'linux-source-6.12.tar.xz'
CONFIG = os.path.join(HERE, 'debug.config')
NICE = ('nice', '-n', '5')
RECIPE = 2              # to be raised when what is done here makes a difference
STEPS = 1900            # lines that make prints in a whole build, about


def source_version():
    """The version of the source package and whether it is installed."""
    p = subprocess.run(['dpkg-query', '-W', '-f', '${db:Status-Status} ${Version}',
                        PACKAGE], capture_output=True, text=True)
    status, _, version = p.stdout.partition(' ')
    if status == 'installed' and os.path.exists(f'/usr/src/{TARBALL}'):
        return version, True
    text = output('apt-cache', 'show', '--no-all-versions', PACKAGE)
    return re.search(r'^Version: (.*)$', text, re.M)[1], False


def unpack(tmp, version, installed):
    tarball = f'/usr/src/{TARBALL}'
    with tempfile.TemporaryDirectory(dir=tmp) as deb:
        if not installed:
            say('debug: downloading the source')
            output('apt-get', 'download', f'{PACKAGE}={version}', cwd=deb)
            output('dpkg', '-x', os.path.join(deb, os.listdir(deb)[0]), deb)
            tarball = os.path.join(deb, 'usr/src', TARBALL)
        say('debug: unpacking the source')
        src = os.path.join(tmp, 'src')
        os.mkdir(src)
        output(*NICE, 'tar', '-xf', tarball, '-C', src, '--strip-components=1')
    return src


def configure(src, make):
    output(*make, 'allnoconfig', f'KCONFIG_ALLCONFIG={CONFIG}', cwd=src)
    with open(os.path.join(src, '.config')) as f:
        have = set(f.read().splitlines())
    with open(CONFIG) as f:
        want = [line.strip() for line in f
                if line.startswith('CONFIG_') or line.endswith('is not set\n')]
    lost = [w for w in want if w not in have
            and not (w.endswith('is not set') and not any(
                h.startswith(w.split()[1] + '=') for h in have))]
    if lost:
        raise Failed('debug.config: these took no effect: ' + ', '.join(lost))


def build(src, make, log):
    """make, with a line every so often on how far it is."""
    start = shown = time.monotonic()
    done = 0
    with open(log, 'w') as f:
        p = subprocess.Popen([*make, f'-j{os.cpu_count()}', 'vmlinux', 'modules'],
                             cwd=src, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, errors='replace')
        try:
            for line in p.stdout:
                f.write(line)
                done += 1
                now = time.monotonic()
                if now - shown >= 15:
                    shown = now
                    say(f'debug: about {min(99, 100 * done // STEPS)} % built '
                        f'({done} steps, {int(now - start)} s)')
        finally:
            if p.poll() is None and p.stdout and not p.stdout.closed:
                p.stdout.close()
            if p.wait():
                with open(log, errors='replace') as again:
                    bad = again.read().splitlines()[-20:]
                raise Failed('the debug kernel does not build:\n' + '\n'.join(bad))
    say(f'debug: built in {int(time.monotonic() - start)} s ({done} steps)')


def prepare():
    """The directory with the debug kernel.

    There: vmlinux, System.map, config, lib/modules, and build, to build
    modules against.
    """
    version, installed = source_version()
    h = hashlib.sha256(f'{RECIPE} {output("gcc", "-dumpfullversion")}'.encode())
    with open(CONFIG, 'rb') as f:
        h.update(f.read())
    top = os.path.join(cache_dir(), 'debug')
    os.makedirs(top, exist_ok=True)
    root = os.path.join(top, f'{version}-{h.hexdigest()[:12]}'.replace('~', '_'))

    if not os.path.isdir(root):
        with locked('debug'):
            if not os.path.isdir(root):
                make_kernel(root, version, installed)
    return root


def make_kernel(root, version, installed):
    log = root + '.log'
    for var in ('MAKEFLAGS', 'MFLAGS', 'MAKELEVEL'):    # of a make that called us
        os.environ.pop(var, None)
    make = [*NICE, 'make', 'KBUILD_BUILD_USER=kcolo', 'KBUILD_BUILD_HOST=kcolo',
            'ARCH=x86_64']
    with in_making(root) as tmp:
        src = unpack(tmp, version, installed)
        configure(src, make)
        say(f'debug: building, some ten minutes on two cores; log in {log}')
        build(src, make, log)
        release = output(*make, '-s', 'kernelrelease', cwd=src).strip()
        say('debug: keeping what is needed')
        output(*make, f'INSTALL_MOD_PATH={tmp}', 'modules_install', cwd=src)
        for link in ('build', 'source'):
            path = os.path.join(tmp, 'lib/modules', release, link)
            if os.path.islink(path):
                os.unlink(path)
        for name, to in (('vmlinux', 'vmlinux'), ('System.map', 'System.map'),
                         ('.config', 'config')):
            shutil.copy2(os.path.join(src, name), os.path.join(tmp, to))
        # What linux-headers packages are made by.
        output(*make, 'run-command', 'KBUILD_RUN_COMMAND=$(srctree)/scripts/package/'
               f'install-extmod-build {os.path.join(tmp, "build")}', cwd=src)
        shutil.rmtree(src)
    say(f'debug: {release} ready')
