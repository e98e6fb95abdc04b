/*
 * Which VMs kcolo can protect
 *
 * This work is licensed under the terms of the GNU GPL, version 2 or
 * later.  See the COPYING file in the top-level directory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qom/object.h"
#include "colo-kcolo-qemu.h"
#include "colo-kcolo.h"

static int find_unfit_device(Object *obj, void *opaque)
{
    const char *type = object_get_typename(obj);
    Error **errp = opaque;

    if (g_str_has_prefix(type, "vfio-")) {
        error_setg(errp, "kcolo: %s writes to RAM without a trace", type);
    } else if (!strcmp(type, "virtio-mem")) {
        error_setg(errp, "kcolo: %s has RAM that must not be read", type);
    } else {
        return 0;
    }
    return 1;
}

bool colo_kcolo_check_vm(Error **errp)
{
    if (!colo_vm_uses_kvm()) {
        error_setg(errp, "kcolo: this VM does not use KVM");
        return false;
    }
    if (colo_dirty_ring_is_used()) {
        error_setg(errp, "kcolo: KVM has to use dirty bitmaps: start QEMU "
                   "without dirty-ring-size");
        return false;
    }
    if (!colo_pages_are_the_hosts()) {
        error_setg(errp, "kcolo: the VM's pages are not those of the host");
        return false;
    }
    if (colo_dirty_rate_is_measured()) {
        error_setg(errp, "kcolo: a dirty rate is being measured");
        return false;
    }
    return !object_child_foreach_recursive(object_get_root(),
                                           find_unfit_device, errp);
}
