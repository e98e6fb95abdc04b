#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Write what starts a VM under COLO on two hosts: command lines and QMP.

  colo_setup.py --primary 10.0.0.1 --secondary 10.0.0.2 --out DIR [options]

writes into DIR

  primary.sh, secondary.sh    start QEMU (with kcolo: within a session)
  1-secondary.qmp             what QMP has to say, in this order, to the side
  2-primary.qmp               that the name says
  failover-secondary.qmp      when the primary is dead
  failover-primary.qmp        when the secondary is dead
  again-primary.qmp           instead of 2-primary.qmp, where the guest runs on: on
  again-secondary.qmp         a primary that failed over, on a secondary that did

and `qmp.py SOCKET FILE` says it.  Arguments after -- are added to both QEMU
command lines: the machine's CPU, firmware, a console.
"""

import argparse
import json
import os
import shlex
import sys

MIRROR, COMPARE, LOCAL, LOCAL_OUT, NBD, STREAM, SESSION = (
    9003, 9004, 9001, 9005, 9999, 9998, 9997)


def qmp(command, **args):
    message = {'execute': command}
    if args:
        message['arguments'] = {k.replace('_', '-'): v for k, v in args.items()}
    return json.dumps(message)


def inet(host, port):
    return {'type': 'inet', 'data': {'host': host, 'port': str(port)}}


def event(name):
    """A line for qmp.py."""
    return json.dumps({'event': name})


def options(text):
    """What a command line's NAME,KEY=VALUE,... says."""
    name, *rest = text.split(',')
    return name, dict(word.split('=', 1) for word in rest)


def object_add(text, more):
    """What -object TEXT says, for a QEMU that runs."""
    name, properties = options(text)
    return json.dumps({'execute': 'object-add', 'arguments': {
        'qom-type': name, **properties, **more}})


def chardev_add(text):
    """What -chardev socket,id=TEXT says, of which server has its address."""
    name, o = options(text)
    return qmp('chardev-add', id=name, backend={'type': 'socket', 'data': {
        'addr': inet(o['host'], o['port']), 'server': 'server' in o}})


class Setup:
    def __init__(self, opts):
        self.o = opts
        self.kcolo = opts.backend == 'kcolo'

    # Command lines

    def directory(self):
        return f'/run/{self.o.name}'

    def socket(self, role):
        return os.path.join(self.directory(), f'{role}.qmp')

    def common(self, role):
        o = self.o
        return [o.qemu, '-name', f'{o.name}-{role}', '-machine', 'pc,accel=kvm',
                '-cpu', 'host', '-m', o.memory, '-smp', str(o.cpus), '-nodefaults',
                '-display', 'none', '-global', 'apic-common.vapic=off', '-qmp',
                f'unix:{self.socket(role)},server=on,wait=off', *o.more]

    def nic(self):
        o = self.o
        return ['-netdev', f'tap,id=hn0,vhost=off,ifname={self.tap()},script=no,'
                'downscript=no', '-device', f'{o.nic},id=e0,netdev=hn0,mac={o.mac}']

    def tap(self):
        return f'{self.o.name[:11]}-net'

    def plug(self):
        """The shell commands that make the guest's end of the bridge."""
        if not self.o.bridge:
            return []
        tap, user = self.tap(), ['user', self.o.user] if self.o.user else []
        return [f'[ -e /sys/class/net/{tap} ] || '
                + shlex.join(['ip', 'tuntap', 'add', 'dev', tap, 'mode', 'tap', *user]),
                ['ip', 'link', 'set', tap, 'master', self.o.bridge, 'up']]

    def compare_chardevs(self):
        server = 'server=on,wait=off'
        return [
            f'mirror0,host={self.o.primary},port={MIRROR},{server}',
            f'compare1,host={self.o.primary},port={COMPARE},{server}',
            f'compare0,host=127.0.0.1,port={LOCAL},{server}',
            f'compare0-0,host=127.0.0.1,port={LOCAL}',
            f'compare_out,host=127.0.0.1,port={LOCAL_OUT},{server}',
            f'compare_out0,host=127.0.0.1,port={LOCAL_OUT}']

    def compare_objects(self):
        return [
            'filter-mirror,id=m0,netdev=hn0,queue=tx,outdev=mirror0',
            'filter-redirector,id=redire0,netdev=hn0,queue=rx,indev=compare_out',
            'filter-redirector,id=redire1,netdev=hn0,queue=rx,outdev=compare0',
            'iothread,id=iothread1',
            'colo-compare,id=comp0,primary_in=compare0-0,secondary_in=compare1,'
            'outdev=compare_out0,iothread=iothread1']

    def primary_net(self):
        if not self.o.bridge:
            return []
        return [*self.nic(), *(w for c in self.compare_chardevs()
                               for w in ('-chardev', f'socket,id={c}')),
                *(w for obj in self.compare_objects() for w in ('-object', obj))]

    def secondary_net(self):
        if not self.o.bridge:
            return []
        chardevs = [f'red0,host={self.o.primary},port={MIRROR},reconnect=1',
                    f'red1,host={self.o.primary},port={COMPARE},reconnect=1']
        objects = ['filter-redirector,id=f1,netdev=hn0,queue=tx,indev=red0',
                   'filter-redirector,id=f2,netdev=hn0,queue=rx,outdev=red1',
                   'filter-rewriter,id=rew0,netdev=hn0,queue=all']
        return [*self.nic(), *(w for c in chardevs
                               for w in ('-chardev', f'socket,id={c}')),
                *(w for obj in objects for w in ('-object', obj))]

    def primary_disk(self):
        if not self.o.disk:
            return []
        return ['-drive', 'if=none,id=colo-disk0,driver=quorum,read-pattern=fifo,'
                f'vote-threshold=1,children.0.file.filename={self.o.disk},'
                'children.0.driver=qcow2',
                '-device', f'{self.o.disk_device},drive=colo-disk0']

    def scratch(self, what):
        return os.path.join(self.o.scratch, f'{self.o.name}-{what}.qcow2')

    def secondary_disk(self):
        if not self.o.disk:
            return []
        return ['-drive', f'if=none,id=parent0,file.filename={self.o.disk},'
                'driver=qcow2',
                '-drive', 'if=none,id=childs0,driver=replication,mode=secondary,'
                'file.driver=qcow2,top-id=colo-disk0,'
                f'file.file.filename={self.scratch("active")},'
                'file.backing.driver=qcow2,'
                f'file.backing.file.filename={self.scratch("hidden")},'
                'file.backing.backing=parent0',
                '-drive', 'if=none,id=colo-disk0,driver=quorum,read-pattern=fifo,'
                'vote-threshold=1,children.0=childs0',
                '-device', f'{self.o.disk_device},drive=colo-disk0']

    def launcher(self, role):
        command = []
        if self.kcolo:
            where = '--connect' if role == 'primary' else '--listen'
            command = [self.o.kcoloctl, 'session', 'add', self.o.name, role, where,
                       f'{self.o.secondary}:{SESSION}', '--insecure',
                       '--device-state', 'external', '--']
        return command + (self.as_user() if self.o.user else [])

    def as_user(self):
        """Without any right of root's."""
        o = self.o
        return ['setpriv', f'--reuid={o.user}', f'--regid={o.group or o.user}',
                '--init-groups', '--inh-caps=-all', '--bounding-set=-all',
                '--no-new-privs', '--']

    def owned(self, *what):
        """The command that gives what root has made to the user."""
        o = self.o
        return [['chown', f'{o.user}:{o.group or o.user}', *what]] if o.user else []

    def script(self, role, *commands):
        # An option a line.
        text = ''.join((' \\\n\t' if word.startswith('-') else ' ') + shlex.quote(word)
                       for word in commands[-1])
        lines = ['#!/bin/sh', f'# COLO, the {role} side of {self.o.name}', 'set -e',
                 *(c if isinstance(c, str) else shlex.join(c)
                   for c in commands[:-1]), 'exec' + text]
        return '\n'.join(lines) + '\n'

    def place(self):
        return [['mkdir', '-p', self.directory()], *self.owned(self.directory()),
                *self.plug()]

    def primary_sh(self):
        return self.script('primary', *self.place(),
                           [*self.launcher('primary'), *self.common('primary'),
                            *self.primary_disk(), *self.primary_net()])

    def secondary_sh(self):
        before = self.place()
        if self.o.disk:
            before += [['qemu-img', 'create', '-q', '-f', 'qcow2',
                        self.scratch(what), self.o.disk_size]
                       for what in ('active', 'hidden')]
            before += self.owned(*(self.scratch(what)
                                   for what in ('active', 'hidden')))
        return self.script('secondary', *before,
                           [*self.launcher('secondary'), *self.common('secondary'),
                            *self.secondary_disk(), *self.secondary_net(),
                            '-incoming', f'tcp:{self.o.secondary}:{STREAM}'])

    # QMP

    def parameters(self):
        o = self.o
        return [qmp('migrate-set-capabilities', capabilities=[
                    {'capability': 'x-colo', 'state': True}]),
                qmp('migrate-set-parameters',
                    x_checkpoint_delay=o.interval,
                    x_colo_migrate_ram_backend=o.backend,
                    x_colo_migrate_ram_threshold=o.threshold,
                    x_colo_migrate_ram_iterations=o.iterations)]

    def secondary_qmp(self):
        lines = self.parameters()
        if self.o.disk:
            lines += [qmp('nbd-server-start', addr=inet(self.o.secondary, NBD)),
                      qmp('nbd-server-add', device='parent0', writable=True)]
        return lines

    def copy_once(self):
        # COLO is entered with a pause. A guest that writes as fast as the link
        # carries would never get to a short one.
        return [*self.parameters(), qmp('migrate-set-parameters',
                                        downtime_limit=self.o.first_pause,
                                        max_bandwidth=10 << 30)]

    def replicate(self):
        if not self.o.disk:
            return []
        drive = ('drive_add -n buddy driver=replication,mode=primary,'
                 f'file.driver=nbd,file.host={self.o.secondary},'
                 f'file.port={NBD},file.export=parent0,node-name=replication0')
        return [qmp('human-monitor-command', command_line=drive),
                qmp('x-blockdev-change', parent='colo-disk0', node='replication0')]

    def migrate(self):
        return [qmp('migrate', uri=f'tcp:{self.o.secondary}:{STREAM}')]

    def primary_qmp(self):
        return [*self.copy_once(), *self.replicate(), *self.migrate()]

    # Protected again

    def resync(self):
        """The new secondary's disk becomes what the guest's is; then the guest waits,
        until COLO begins."""
        if not self.o.disk:
            return []
        return [qmp('drive-mirror', device='colo-disk0', job_id='resync',
                    target=f'nbd://{self.o.secondary}:{NBD}/parent0',
                    mode='existing', format='raw', sync='full'),
                event('BLOCK_JOB_READY'), qmp('stop'),
                qmp('block-job-cancel', device='resync'), event('BLOCK_JOB_COMPLETED')]

    def compare(self, **more):
        if not self.o.bridge:
            return []
        return [object_add(obj, more if obj.startswith('filter-') else {})
                for obj in self.compare_objects()]

    def again_primary(self):
        return [*self.copy_once(), *self.resync(), *self.replicate(), *self.compare(),
                *self.migrate()]

    def again_secondary(self):
        """It compares from now on, before it rewrites what was compared."""
        chardevs = self.compare_chardevs() if self.o.bridge else []
        return [*self.copy_once(), *self.resync(), *self.replicate(),
                *map(chardev_add, chardevs),
                *self.compare(insert='before', position='id=rew0'), *self.migrate()]

    def failover_secondary(self):
        lines = [qmp('nbd-server-stop')] if self.o.disk else []
        lines += [qmp('x-colo-lost-heartbeat')]
        if self.o.bridge:
            lines += [qmp('object-del', id=i) for i in ('f2', 'f1')]
            lines += [qmp('chardev-remove', id=i) for i in ('red1', 'red0')]
            # The switches between still send what is for the guest to the other.
            lines += [qmp('announce-self', initial=50, max=550, rounds=5, step=50)]
        return lines

    def failover_primary(self):
        lines = []
        if self.o.disk:
            lines += [qmp('x-blockdev-change', parent='colo-disk0',
                          child='children.1'),
                      qmp('human-monitor-command',
                          command_line='drive_del replication0')]
        if self.o.bridge:
            lines += [qmp('object-del', id=i)
                      for i in ('comp0', 'iothread1', 'm0', 'redire0', 'redire1')]
        return lines + [qmp('x-colo-lost-heartbeat')]

    def write(self, out):
        os.makedirs(out, exist_ok=True)
        for name, text in (('primary.sh', self.primary_sh()),
                           ('secondary.sh', self.secondary_sh())):
            path = os.path.join(out, name)
            with open(path, 'w') as f:
                f.write(text)
            os.chmod(path, 0o755)
        for name, lines in (('1-secondary.qmp', self.secondary_qmp()),
                            ('2-primary.qmp', self.primary_qmp()),
                            ('failover-secondary.qmp', self.failover_secondary()),
                            ('failover-primary.qmp', self.failover_primary()),
                            ('again-primary.qmp', self.again_primary()),
                            ('again-secondary.qmp', self.again_secondary())):
            with open(os.path.join(out, name), 'w') as f:
                f.write('\n'.join(lines) + '\n')


def size(text):
    unit = 'kmgt'.find(text[-1].lower()) + 1
    return int(text[:-1] if unit else text) << 10 * unit


def parse(words=None):
    ap = argparse.ArgumentParser(
        usage='colo_setup.py [options] [-- MORE QEMU ARGUMENTS]',
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = ap.add_argument
    add('--primary', required=True, metavar='ADDR', help='of the first host')
    add('--secondary', required=True, metavar='ADDR', help='of the second host')
    add('--out', required=True, metavar='DIR')
    add('--name', default='colo', help='of the VM and of its session')
    add('--backend', choices=('off', 'qemu', 'kcolo'), default='kcolo')
    add('--memory', default='1G')
    add('--cpus', type=int, default=1)
    add('--disk', metavar='QCOW2', help='the same image, at the same path, on both')
    add('--disk-size', metavar='SIZE', help='as qemu-img info says')
    add('--disk-device', default='virtio-blk-pci')
    add('--scratch', default='/dev/shm', metavar='DIR',
        help='for what the secondary has written since the last checkpoint')
    add('--bridge', metavar='BR', help='the guest is on this bridge, on both hosts')
    add('--nic', default='e1000', metavar='DEVICE')
    add('--mac', default='52:54:00:c0:10:01')
    add('--interval', type=int, default=2000, metavar='MS')
    add('--first-pause', type=int, default=2000, metavar='MS',
        help='of the guest, at most, when COLO is entered')
    add('--threshold', type=size, default='100M', metavar='SIZE')
    add('--iterations', type=int, default=10)
    add('--user', help='QEMU runs as this user (kcolo: only the session needs root)')
    add('--group', help='and as this group; default: of the same name')
    add('--qemu', default='qemu-system-x86_64')
    add('--kcoloctl', default='kcoloctl')
    add('more', nargs='*', help=argparse.SUPPRESS)
    o = ap.parse_args(words)
    if o.disk and not o.disk_size:
        ap.error('--disk wants --disk-size')
    return o


def main():
    opts = parse()
    Setup(opts).write(opts.out)
    print(f'{opts.out}: start secondary.sh and primary.sh, each on its host, then '
          'say 1-secondary.qmp and 2-primary.qmp')
    return 0


if __name__ == '__main__':
    sys.exit(main())
