/*
 * QEMU without kcolo
 *
 * This work is licensed under the terms of the GNU GPL, version 2 or
 * later.  See the COPYING file in the top-level directory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "colo-kcolo.h"

bool colo_kcolo_check(Error **errp)
{
    error_setg(errp, "QEMU was built without kcolo");
    return false;
}

bool colo_kcolo_start(Error **errp)
{
    return colo_kcolo_check(errp);
}

bool colo_kcolo_precopy(COLOCheckpoint *c, bool urgent, Error **errp)
{
    return colo_kcolo_check(errp);
}

bool colo_kcolo_flush(Error **errp)
{
    return colo_kcolo_check(errp);
}

bool colo_kcolo_commit(Error **errp)
{
    return colo_kcolo_check(errp);
}

bool colo_kcolo_finish(COLOCheckpoint *c, Error **errp)
{
    return colo_kcolo_check(errp);
}

void colo_kcolo_abort(void)
{
}

void colo_kcolo_stop(void)
{
}

bool colo_kcolo_incoming_start(Error **errp)
{
    return colo_kcolo_check(errp);
}

bool colo_kcolo_wait_prepared(Error **errp)
{
    return colo_kcolo_check(errp);
}

bool colo_kcolo_apply(Error **errp)
{
    return colo_kcolo_check(errp);
}

bool colo_kcolo_wait_applied(Error **errp)
{
    return colo_kcolo_check(errp);
}

void colo_kcolo_import(void)
{
}

void colo_kcolo_promote(void)
{
}

void colo_kcolo_cancel(void)
{
}

void colo_kcolo_end(void)
{
}

void colo_kcolo_hurry(void)
{
}

bool colo_kcolo_set(uint64_t threshold, uint32_t iterations, Error **errp)
{
    return true;
}

bool colo_kcolo_has_cache(void)
{
    return false;
}

bool colo_kcolo_fenced(Error **errp)
{
    return false;
}

void colo_kcolo_force(void)
{
}
