# SPDX-License-Identifier: GPL-2.0
"""A device of the host's own is refused.  The host has an IOMMU and a device to spare
(jobs.sh)."""

import glob
import os
import subprocess

from colo import Failed
from test_refusals import lone, refused

SPARE = ('0x1b36', '0x0005')        # vendor and device: QEMU's pci-testdev


def read(path):
    with open(path) as f:
        return f.read().strip()


def spare():
    """The address of the device."""
    for path in glob.glob('/sys/bus/pci/devices/*'):
        if (read(f'{path}/vendor'), read(f'{path}/device')) == SPARE:
            return os.path.basename(path)
    raise Failed('this host has no device to spare')


def test_vfio():
    address = spare()
    # This IOMMU cannot tell interrupts of one device from those of another.
    for words in (['vfio_iommu_type1', 'allow_unsafe_interrupts=1'], ['vfio-pci']):
        subprocess.run(['modprobe', *words], check=True)
    with open('/sys/bus/pci/drivers/vfio-pci/new_id', 'w') as f:
        f.write(' '.join(n[2:] for n in SPARE))
    if not os.path.exists(f'/sys/bus/pci/drivers/vfio-pci/{address}'):
        raise Failed(f'{address} is not vfio-pci\'s: has the host an IOMMU?')
    refused(lone('vfio', ['-device', f'vfio-pci,host={address}']), 'vfio-pci')
