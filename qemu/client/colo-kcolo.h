/*
 * COLO's RAM carried by the kcolo kernel module
 *
 * Where QEMU is built without it, colo_kcolo_check() says so and nothing else
 * is called.  Functions that have an errp return whether they succeeded.
 *
 * This work is licensed under the terms of the GNU GPL, version 2 or
 * later.  See the COPYING file in the top-level directory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_COLO_KCOLO_H
#define MIGRATION_COLO_KCOLO_H

#include "qapi/qapi-types-migration.h"

/**
 * colo_kcolo_check: whether this VM can use kcolo on this host
 */
bool colo_kcolo_check(Error **errp);

/**
 * colo_kcolo_check_vm: whether it can protect this VM, whatever the host has
 */
bool colo_kcolo_check_vm(Error **errp);

/*
 * The primary.
 *
 * colo_kcolo_start() takes over the RAM blocks.  The VM is paused, and both
 * sides have the same RAM; the iothread lock is not held.
 *
 * In each checkpoint: colo_kcolo_precopy() while the VM runs, which says in @c
 * how it has ended;
 * colo_kcolo_flush() with the iothread lock held, when the VM is paused and
 * its devices are saved; colo_kcolo_commit() when their state is sent;
 * colo_kcolo_finish() when the secondary has loaded it, which adds to @c what
 * kcolo did; colo_kcolo_abort() when the checkpoint has failed, with the
 * iothread lock held.
 *
 * colo_kcolo_stop() gives the RAM blocks back and ends the session, with the
 * iothread lock held.
 */
bool colo_kcolo_start(Error **errp);
bool colo_kcolo_precopy(COLOCheckpoint *c, bool urgent, Error **errp);
bool colo_kcolo_flush(Error **errp);
bool colo_kcolo_commit(Error **errp);
bool colo_kcolo_finish(COLOCheckpoint *c, Error **errp);
void colo_kcolo_abort(void);
void colo_kcolo_stop(void);

/*
 * The secondary.
 *
 * colo_kcolo_incoming_start() gives the RAM cache to the module, when the
 * cache is what the primary has; the iothread lock is not held.
 *
 * In each checkpoint: colo_kcolo_wait_prepared() when the devices' state has
 * come; colo_kcolo_apply(), from which there is no way back, with the VM
 * paused; colo_kcolo_wait_applied() and colo_kcolo_import() before the RAM
 * cache is flushed, the latter with the iothread lock held.
 *
 * colo_kcolo_promote() takes over: with the iothread lock held.
 */
bool colo_kcolo_incoming_start(Error **errp);
bool colo_kcolo_wait_prepared(Error **errp);
bool colo_kcolo_apply(Error **errp);
bool colo_kcolo_wait_applied(Error **errp);
void colo_kcolo_import(void);
void colo_kcolo_promote(void);

/**
 * colo_kcolo_cancel: let all that waits, and will, fail; any thread
 */
void colo_kcolo_cancel(void);

/**
 * colo_kcolo_end: QEMU ends, as its user or the guest wants it, and the other
 * side must not take over; with the iothread lock held
 */
void colo_kcolo_end(void);

/**
 * colo_kcolo_hurry: a checkpoint is wanted at once; any thread
 */
void colo_kcolo_hurry(void);

/**
 * colo_kcolo_set: pass changed parameters on; with the iothread lock held
 */
bool colo_kcolo_set(uint64_t threshold, uint32_t iterations, Error **errp);

/**
 * colo_kcolo_has_cache: whether the module may still write to a secondary's RAM
 * cache after colo_kcolo_promote(), so that it must not be freed
 */
bool colo_kcolo_has_cache(void);

/**
 * colo_kcolo_fenced: whether the VM must not run here, as the other side has
 * it; then @errp says why.  With the iothread lock held.
 */
bool colo_kcolo_fenced(Error **errp);

/**
 * colo_kcolo_force: let the secondary take over even if its session was ended
 * on purpose; with the iothread lock held
 */
void colo_kcolo_force(void);

#endif
