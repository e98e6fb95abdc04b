/*
 * A session of the kcolo kernel module, as COLO uses it
 *
 * kcolo sends RAM to the secondary side over connections of its own, ahead of
 * a checkpoint and in it.  COLO keeps the state of the devices, and decides
 * when a checkpoint is taken and when it is applied.
 *
 * A client has two handles to its session.  One drives it: it belongs to the
 * thread that takes checkpoints, and all functions use it that do not say
 * otherwise.  The other watches it from the main loop; functions that use it
 * are called with the iothread lock held.
 *
 * Functions that have an errp return whether they succeeded.
 *
 * This work is licensed under the terms of the GNU GPL, version 2 or
 * later.  See the COPYING file in the top-level directory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_KCOLO_CLIENT_H
#define MIGRATION_KCOLO_CLIENT_H

#include <kcolo.h>

typedef struct KColoClient KColoClient;

/**
 * KColoClientOps: what a client needs from its user
 *
 * @harvest: the module is about to look for dirty pages: bring all writes of
 *           QEMU's own to the logs of the regions.  In the driving thread.
 *           NULL on the secondary, which is never asked.
 * @event: something happened to the session.  In the main loop.
 */
typedef struct KColoClientOps {
    void (*harvest)(void *opaque);
    void (*event)(void *opaque, const struct kcolo_event *event);
} KColoClientOps;

/**
 * KColoOutcome: what a checkpoint took
 *
 * @reason: why no more rounds were sent
 * @rounds: sent while the VM ran
 * @pending: bytes that were dirty after them
 */
typedef struct KColoOutcome {
    enum kcolo_stop_reason reason;
    uint64_t rounds;
    uint64_t pending;
    uint64_t pages_before;
    uint64_t pages_in_pause;
    uint64_t bytes_before;
    uint64_t bytes_in_pause;
} KColoOutcome;

/**
 * kcolo_client_session_fd: the session fd that a launcher has left us
 *
 * Returns: the fd; -1 and an error when there is none.
 */
int kcolo_client_session_fd(Error **errp);

/**
 * kcolo_client_new: open the session behind @fd
 *
 * Fails when the module is missing, when @fd is no session, and when the
 * session has another role.  @fd itself is left alone.
 */
KColoClient *kcolo_client_new(int fd, enum kcolo_role role,
                              const KColoClientOps *ops, void *opaque,
                              Error **errp);

/**
 * kcolo_client_free: close the session
 *
 * If no other process has it, it ends.  With the iothread lock held, when
 * the driving thread does not use the client any more.
 */
void kcolo_client_free(KColoClient *c);

bool kcolo_client_attach_vm(KColoClient *c, int vm_fd, Error **errp);

/**
 * kcolo_client_add_region: add RAM that the session carries
 *
 * @cache: on the secondary, it is not what the VM runs on: the module may put
 *         pages in it whenever they come
 *
 * Returns: the region's log, a bit a page: on the primary of QEMU's own
 * writes, set after the write; on the secondary of pages that were put in
 * place, set by the module.  Both are to be accessed atomically.
 */
unsigned long *kcolo_client_add_region(KColoClient *c, const char *name,
                                       void *host, uint64_t size, bool cache,
                                       Error **errp);

/**
 * kcolo_client_clean: both sides have the same in all regions
 *
 * No vCPU may run, on the primary.
 */
bool kcolo_client_clean(KColoClient *c, Error **errp);

/**
 * kcolo_client_wait_peer: wait for the other side
 */
bool kcolo_client_wait_peer(KColoClient *c, int timeout_ms, Error **errp);

/**
 * kcolo_client_set: change parameters; with the iothread lock held
 */
bool kcolo_client_set(KColoClient *c, const struct kcolo_params *params,
                      Error **errp);

/**
 * kcolo_client_get: read parameters and state; with the iothread lock held
 *
 * @info: kcolo_session_info_free() has been called on it
 */
bool kcolo_client_get(KColoClient *c, struct kcolo_session_info *info,
                      Error **errp);

/**
 * kcolo_client_watch: begin to report events; with the iothread lock held
 *
 * Also, at once, what has happened to the session before.
 */
bool kcolo_client_watch(KColoClient *c, Error **errp);

/*
 * A checkpoint on the primary.  When one of these fails the checkpoint is to
 * be given up with kcolo_client_abort().
 *
 * kcolo_client_precopy() sends RAM until the VM is to be paused, and says in
 * @o what that took;
 * kcolo_client_flush() begins to send what is left: the VM is paused, its
 * devices are saved and @harvest is not called any more;
 * kcolo_client_commit() ends the epoch when all of it is sent, and waits for
 * nothing; kcolo_client_wait_committed() waits until it is in place.
 */
bool kcolo_client_precopy(KColoClient *c, bool urgent, KColoOutcome *o,
                          Error **errp);
bool kcolo_client_flush(KColoClient *c, Error **errp);
bool kcolo_client_commit(KColoClient *c, Error **errp);
bool kcolo_client_wait_committed(KColoClient *c, Error **errp);
void kcolo_client_abort(KColoClient *c);

/**
 * kcolo_client_outcome: what the last checkpoint took
 */
void kcolo_client_outcome(KColoClient *c, KColoOutcome *o);

/*
 * A checkpoint on the secondary.  kcolo_client_wait_prepared() waits until
 * all of the epoch has come; kcolo_client_apply() commits it, from which there
 * is no way back; kcolo_client_wait_applied() waits until it is in the regions.
 */
bool kcolo_client_wait_prepared(KColoClient *c, Error **errp);
bool kcolo_client_apply(KColoClient *c, Error **errp);
bool kcolo_client_wait_applied(KColoClient *c, Error **errp);

/**
 * kcolo_client_promote: take over
 *
 * Afterwards nothing of the primary is put in a region any more.  Waits for
 * that.  With the iothread lock held.
 */
bool kcolo_client_promote(KColoClient *c, Error **errp);

/**
 * kcolo_client_hurry: end the rounds of pre-copy; any thread
 */
void kcolo_client_hurry(KColoClient *c);

/**
 * kcolo_client_cancel: let all that waits, and will, fail; any thread
 *
 * An apply that has begun is waited for nevertheless.
 */
void kcolo_client_cancel(KColoClient *c);

/**
 * kcolo_client_end: the same, and the session ends in good order, on both
 * hosts: nobody takes this one for lost.  With the iothread lock held.
 */
void kcolo_client_end(KColoClient *c);

#endif
