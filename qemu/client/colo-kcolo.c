/*
 * COLO's RAM carried by the kcolo kernel module
 *
 * This work is licensed under the terms of the GNU GPL, version 2 or
 * later.  See the COPYING file in the top-level directory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-events-migration.h"
#include "qemu/error-report.h"
#include "qemu/lockable.h"
#include "qemu/thread.h"
#include "migration/colo.h"
#include "migration/failover.h"
#include "monitor/monitor.h"
#include "colo-kcolo-qemu.h"
#include "kcolo-client.h"
#include "colo-kcolo.h"

#define PEER_TIMEOUT_MS 10000

/* A block that the module has, and what it shares with us for it. */
typedef struct Carried {
    RAMBlock *block;
    unsigned long *log;
} Carried;

static QemuMutex lock;          /* around where @client leads, for any thread */
static KColoClient *client;
static GArray *carried;
static int session_fd = -1;     /* of @client */
static int handed_fd = -1;      /* that came over the monitor */
static bool fenced;
static bool promoted;
static bool ended;              /* on purpose, while we are the secondary */
static bool cache_in_use;
static bool started;            /* as the primary */

static void __attribute__((constructor)) colo_kcolo_init(void)
{
    qemu_mutex_init(&lock);
    carried = g_array_new(false, false, sizeof(Carried));
}

/*
 * The session's fd: the last that management has handed to this monitor as
 * 'kcolo' (getfd), or else the one that a launcher has left us.
 */
static int find_session_fd(Error **errp)
{
    Monitor *mon = monitor_cur();
    int fd = mon ? monitor_get_fd(mon, "kcolo", NULL) : -1;

    if (fd >= 0) {
        if (handed_fd >= 0 && handed_fd != session_fd) {
            close(handed_fd);
        }
        handed_fd = fd;
    }
    return handed_fd >= 0 ? handed_fd : kcolo_client_session_fd(errp);
}

static enum kcolo_role own_role(void)
{
    return colo_vm_is_incoming() ? KCOLO_ROLE_SECONDARY : KCOLO_ROLE_PRIMARY;
}

bool colo_kcolo_check(Error **errp)
{
    KColoClient *c;
    int fd;

    if (!colo_kcolo_check_vm(errp)) {
        return false;
    }
    fd = find_session_fd(errp);
    if (fd < 0) {
        return false;
    }
    c = kcolo_client_new(fd, own_role(), NULL, NULL, errp);
    kcolo_client_free(c);
    return c;
}

/* Which blocks it carries */

/*
 * What is small, is replaced as a whole or has a log that the display consumes
 * stays on the migration stream.  Both sides come to the same result.
 */
static bool is_wanted(RAMBlock *block)
{
    return block->mr && memory_region_is_ram(block->mr) &&
           !memory_region_is_rom(block->mr) &&
           !memory_region_is_ram_device(block->mr) &&
           !memory_region_is_logging(block->mr, DIRTY_MEMORY_VGA) &&
           block->used_length == block->max_length &&
           QEMU_IS_ALIGNED(block->used_length, qemu_real_host_page_size());
}

typedef struct Carry {
    bool cache;
    Error **errp;
} Carry;

static int carry_block(RAMBlock *block, void *opaque)
{
    Carry *carry = opaque;
    Carried one = { .block = block };

    if (!is_wanted(block)) {
        return 0;
    }
    one.log = kcolo_client_add_region(client, block->idstr,
                                      carry->cache ? block->colo_cache :
                                                     block->host,
                                      block->used_length, carry->cache,
                                      carry->errp);
    if (!one.log) {
        return -1;
    }
    g_array_append_val(carried, one);
    return 0;
}

static bool carry_blocks(bool cache, Error **errp)
{
    Carry carry = { .cache = cache, .errp = errp };

    g_array_set_size(carried, 0);
    return !foreach_not_ignored_block(carry_block, &carry);
}

static void set_external(bool on)
{
    guint i;

    for (i = 0; i < carried->len; i++) {
        Carried *one = &g_array_index(carried, Carried, i);

        one->block->external_log = on ? one->log : NULL;
    }
}

/* Called with the iothread lock held. */
static void export_dirty(void)
{
    guint i;

    colo_sync_dirty_log();
    for (i = 0; i < carried->len; i++) {
        ramblock_export_dirty(g_array_index(carried, Carried, i).block);
    }
}

static void harvest(void *opaque)
{
    colo_lock_vm();
    export_dirty();
    colo_unlock_vm();
}

/* What happens to the session */

static void take_parameters(void)
{
    MigrationParameters *p = colo_parameters();
    struct kcolo_session_info info;

    if (get_colo_mode() == COLO_MODE_PRIMARY &&
        kcolo_client_get(client, &info, NULL)) {
        p->x_colo_migrate_ram_threshold = info.params.threshold;
        p->x_colo_migrate_ram_iterations = info.params.max_iterations;
    }
}

static void peer_lost(const struct kcolo_event *event)
{
    const char *why = event->error[0] ? event->error :
                      kcolo_abort_reason_name(event->abort_reason) ?: "unknown";

    qapi_event_send_colo_peer_lost(get_colo_mode(), fenced, why);
    if (!fenced && colo_parameters()->x_colo_auto_failover) {
        failover_request_active(NULL);
    } else {
        /* Its stream may not have noticed, and would wait without end. */
        colo_give_up();
    }
}

static void be_fenced(const struct kcolo_event *event)
{
    Error *err = NULL;

    fenced = true;
    colo_kcolo_fenced(&err);
    error_report_err(err);
    /* Whatever it was: one that is suspended could wake up. */
    if (!colo_vm_is_stopped()) {
        colo_stop_vm();
    }
    kcolo_client_cancel(client);
    peer_lost(event);
}

/*
 * By the primary, or by an administrator of either side: what was protected
 * runs on there, or is off.
 */
static void be_ended(void)
{
    Error *err = NULL;

    if (get_colo_mode() == COLO_MODE_SECONDARY && !promoted &&
        failover_get_state() == FAILOVER_STATUS_NONE) {
        ended = true;
        colo_kcolo_fenced(&err);
        error_report_err(err);
        if (colo_vm_runs()) {
            colo_stop_vm();
        }
        kcolo_client_cancel(client);
    }
    colo_give_up();
}

static void on_event(void *opaque, const struct kcolo_event *event)
{
    switch (event->type) {
    case KCOLO_EVENT_TYPE_SESSION_SET:
        take_parameters();
        break;
    case KCOLO_EVENT_TYPE_PEER_LOST:
        peer_lost(event);
        break;
    case KCOLO_EVENT_TYPE_FENCED:
        be_fenced(event);
        break;
    case KCOLO_EVENT_TYPE_SESSION_DEL:
        be_ended();
        break;
    case KCOLO_EVENT_TYPE_CHECKPOINT_ABORTED:
        /* COLO cannot go on after that, and its other side may be waiting. */
        colo_give_up();
        break;
    case KCOLO_EVENT_TYPE_PROMOTED:
        /* By somebody else: a failover is still to follow. */
        promoted = true;
        break;
    default:
        break;
    }
}

static const KColoClientOps client_ops[] = {
    [KCOLO_ROLE_PRIMARY] = { .harvest = harvest, .event = on_event },
    [KCOLO_ROLE_SECONDARY] = { .event = on_event },
};

static void set_client(KColoClient *c)
{
    QEMU_LOCK_GUARD(&lock);

    client = c;
}

static void free_client(void)
{
    KColoClient *c = client;

    /* First: another thread may be about to cancel it. */
    set_client(NULL);
    kcolo_client_free(c);
}

/* Called with the iothread lock held. */
static void end_session(void)
{
    free_client();
    if (session_fd < 0) {
        return;
    }
    if (session_fd == handed_fd) {
        handed_fd = -1;
    } else if (session_fd == kcolo_client_session_fd(NULL)) {
        unsetenv("KCOLO_FD");
    }
    close(session_fd);
    session_fd = -1;
}

static bool open_client(enum kcolo_role role, Error **errp)
{
    KColoClient *c;
    int fd;

    fd = find_session_fd(errp);
    if (fd < 0) {
        return false;
    }
    /* That of an earlier COLO, in which this VM was the secondary. */
    if (fd == session_fd) {
        free_client();
    } else {
        end_session();
    }
    c = kcolo_client_new(fd, role, &client_ops[role], NULL, errp);
    if (!c) {
        return false;
    }
    fenced = false;
    promoted = false;
    ended = false;
    session_fd = fd;
    set_client(c);
    return true;
}

/* The primary */

static bool send_parameters(Error **errp)
{
    MigrationParameters *p = colo_parameters();
    struct kcolo_params params = {
        .mask = KCOLO_PARAM_THRESHOLD | KCOLO_PARAM_MAX_ITERATIONS |
                KCOLO_PARAM_LOG_SYNC | KCOLO_PARAM_PAUSE_LIMIT |
                KCOLO_PARAM_RECONNECT,
        .threshold = p->x_colo_migrate_ram_threshold,
        .max_iterations = p->x_colo_migrate_ram_iterations,
        .log_sync = true,
        /* COLO cannot go on after a pause that was given up. */
        .pause_limit = 0,
        /* COLO's own channel is lost then, too, and fails over. */
        .reconnect = false,
    };

    return kcolo_client_set(client, &params, errp);
}

/* The VM is paused, and what it has was sent by the migration. */
static bool take_over_blocks(Error **errp)
{
    /*
     * KVM's log has now only what was written after it was sent.  Clean
     * forgets that; here it is noted before.
     */
    colo_sync_dirty_log();
    if (!carry_blocks(false, errp) || !kcolo_client_clean(client, errp)) {
        return false;
    }
    set_external(true);
    return kcolo_client_watch(client, errp);
}

bool colo_kcolo_start(Error **errp)
{
    bool ok;

    colo_lock_vm();
    started = open_client(KCOLO_ROLE_PRIMARY, errp);
    ok = started && send_parameters(errp) &&
         kcolo_client_attach_vm(client, colo_kvm_vm_fd(), errp);
    colo_unlock_vm();
    if (!ok || !kcolo_client_wait_peer(client, PEER_TIMEOUT_MS, errp)) {
        return false;
    }
    colo_lock_vm();
    ok = take_over_blocks(errp);
    colo_unlock_vm();
    return ok;
}

static COLOPrecopyEnd precopy_end(enum kcolo_stop_reason reason)
{
    switch (reason) {
    case KCOLO_STOP_REASON_THRESHOLD:
        return COLO_PRECOPY_END_THRESHOLD;
    case KCOLO_STOP_REASON_ITERATIONS:
        return COLO_PRECOPY_END_ITERATIONS;
    case KCOLO_STOP_REASON_GAIN:
        return COLO_PRECOPY_END_GAIN;
    case KCOLO_STOP_REASON_URGENT:
        return COLO_PRECOPY_END_URGENT;
    default:
        return COLO_PRECOPY_END_DISABLED;
    }
}

bool colo_kcolo_precopy(COLOCheckpoint *c, bool urgent, Error **errp)
{
    KColoOutcome o;

    if (!kcolo_client_precopy(client, urgent, &o, errp)) {
        return false;
    }
    c->reason = precopy_end(o.reason);
    c->rounds = o.rounds;
    c->pending = o.pending;
    return true;
}

bool colo_kcolo_flush(Error **errp)
{
    export_dirty();
    return kcolo_client_flush(client, errp);
}

bool colo_kcolo_commit(Error **errp)
{
    return kcolo_client_commit(client, errp);
}

bool colo_kcolo_finish(COLOCheckpoint *c, Error **errp)
{
    KColoOutcome o;

    if (!kcolo_client_wait_committed(client, errp)) {
        return false;
    }
    kcolo_client_outcome(client, &o);
    c->pages_before += o.pages_before;
    c->pages_in_pause += o.pages_in_pause;
    c->bytes_before += o.bytes_before;
    c->bytes_in_pause += o.bytes_in_pause;
    return true;
}

void colo_kcolo_abort(void)
{
    struct kcolo_session_info info;

    if (!client) {
        return;
    }
    kcolo_client_abort(client);
    /* The event may not have been read yet, and the VM is about to run on. */
    if (kcolo_client_get(client, &info, NULL) &&
        info.state == KCOLO_STATE_FENCED) {
        fenced = true;
    }
}

void colo_kcolo_stop(void)
{
    if (!started) {
        /* It was another backend's.  The session of a promoted VM stays. */
        return;
    }
    started = false;
    set_external(false);
    g_array_set_size(carried, 0);
    end_session();
}

/* The secondary */

/* COLO does not go on with a primary that was lost, whoever comes. */
static bool lose_for_good(Error **errp)
{
    struct kcolo_params params = {
        .mask = KCOLO_PARAM_RECONNECT,
        .reconnect = false,
    };

    return kcolo_client_set(client, &params, errp);
}

bool colo_kcolo_incoming_start(Error **errp)
{
    bool ok;

    colo_lock_vm();
    ok = open_client(KCOLO_ROLE_SECONDARY, errp) && lose_for_good(errp) &&
         carry_blocks(true, errp) &&
         kcolo_client_clean(client, errp) && kcolo_client_watch(client, errp);
    colo_unlock_vm();
    return ok;
}

bool colo_kcolo_wait_prepared(Error **errp)
{
    return kcolo_client_wait_prepared(client, errp);
}

bool colo_kcolo_apply(Error **errp)
{
    return kcolo_client_apply(client, errp);
}

bool colo_kcolo_wait_applied(Error **errp)
{
    return kcolo_client_wait_applied(client, errp);
}

void colo_kcolo_import(void)
{
    guint i;

    for (i = 0; i < carried->len; i++) {
        Carried *one = &g_array_index(carried, Carried, i);

        ramblock_import_cached(one->block, one->log);
    }
}

/*
 * Whether the module puts nothing in the RAM cache any more, though it was not
 * we that took over.  When the primary is lost it may still be doing so.
 */
static bool has_let_go(void)
{
    struct kcolo_session_info info;

    return promoted || (kcolo_client_get(client, &info, NULL) &&
                        info.state == KCOLO_STATE_CLOSED);
}

/* The session stays: the old primary is told by it that it must not run. */
void colo_kcolo_promote(void)
{
    Error *err = NULL;

    if (!client) {
        return;
    }
    kcolo_client_cancel(client);
    if (!kcolo_client_promote(client, &err)) {
        warn_reportf_err(err, "The old primary will not be told: ");
        cache_in_use = !has_let_go();
    }
    g_array_set_size(carried, 0);
}

bool colo_kcolo_has_cache(void)
{
    return cache_in_use;
}

/* Both */

void colo_kcolo_cancel(void)
{
    QEMU_LOCK_GUARD(&lock);

    if (client) {
        kcolo_client_cancel(client);
    }
}

void colo_kcolo_end(void)
{
    QEMU_LOCK_GUARD(&lock);

    if (client) {
        kcolo_client_end(client);
    }
}

void colo_kcolo_hurry(void)
{
    QEMU_LOCK_GUARD(&lock);

    if (client) {
        kcolo_client_hurry(client);
    }
}

bool colo_kcolo_set(uint64_t threshold, uint32_t iterations, Error **errp)
{
    struct kcolo_params params = {
        .mask = KCOLO_PARAM_THRESHOLD | KCOLO_PARAM_MAX_ITERATIONS,
        .threshold = threshold,
        .max_iterations = iterations,
    };

    return !client || kcolo_client_set(client, &params, errp);
}

bool colo_kcolo_fenced(Error **errp)
{
    if (fenced) {
        error_setg(errp, "kcolo: the secondary has taken over: the VM must not "
                   "run here");
    } else if (ended) {
        error_setg(errp, "kcolo: the session was ended on purpose: the VM runs "
                   "on on the primary, or is off; x-colo-lost-heartbeat with "
                   "'force' takes over");
    }
    return fenced || ended;
}

void colo_kcolo_force(void)
{
    ended = false;
}
