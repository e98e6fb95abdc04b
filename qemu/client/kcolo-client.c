/*
 * A session of the kcolo kernel module, as COLO uses it
 *
 * This work is licensed under the terms of the GNU GPL, version 2 or
 * later.  See the COPYING file in the top-level directory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include <poll.h>
#include "qapi/error.h"
#include "qemu/cutils.h"
#include "qemu/event_notifier.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "kcolo-client.h"

#define S(name) (1u << KCOLO_STATE_##name)

#define WATCH_AGAIN_MS 1000
#define BEGUN_MS 30000          /* both streams begin a checkpoint at a time */
#define PROMOTED_MS 10000       /* the module does it at once */
#define APPLIED_TRIES 10

struct KColoClient {
    struct kcolo *drive;
    struct kcolo *watch;
    const KColoClientOps *ops;
    void *opaque;
    GPtrArray *regions;
    EventNotifier kick;
    QEMUTimer *watch_again;
    bool lost;                  /* events, of those that are watched */
    bool cancelled;             /* accessed atomically, as the next */
    bool hurry;
    bool in_rounds;
    uint64_t epoch;
    KColoOutcome outcome;
    uint64_t bytes_at_start;
    uint64_t bytes_at_pause;
};

/* Turns a result of libkcolo into one of ours. */
static bool check(struct kcolo *k, int ret, Error **errp)
{
    if (ret < 0) {
        error_setg(errp, "kcolo: %s", kcolo_error(k));
    }
    return ret >= 0;
}

int kcolo_client_session_fd(Error **errp)
{
    const char *text = getenv("KCOLO_FD");
    int fd;

    if (!text) {
        error_setg(errp, "kcolo: no session: start QEMU by 'kcoloctl session "
                   "add', which leaves its fd in KCOLO_FD, or hand the fd to "
                   "this monitor as 'kcolo' (getfd)");
        return -1;
    }
    if (qemu_strtoi(text, NULL, 10, &fd) || fd < 0) {
        error_setg(errp, "kcolo: KCOLO_FD is '%s', which is no fd", text);
        return -1;
    }
    return fd;
}

static struct kcolo *open_handle(int fd, Error **errp)
{
    struct kcolo *k;
    int own;

    if (kcolo_open(&k)) {
        error_setg(errp, errno == EPROTONOSUPPORT ?
                   "kcolo: the module is not loaded: modprobe kcolo" :
                   "kcolo: cannot talk to the module: %s", strerror(errno));
        return NULL;
    }
    own = qemu_dup(fd);
    if (own < 0) {
        error_setg_errno(errp, errno, "kcolo: fd %d", fd);
    } else if (check(k, kcolo_session_use_fd(k, own), errp)) {
        return k;
    } else {
        close(own);
    }
    kcolo_close(k);
    return NULL;
}

static bool get(struct kcolo *k, struct kcolo_session_info *info, Error **errp)
{
    if (!check(k, kcolo_session_get(k, info), errp)) {
        return false;
    }
    kcolo_session_info_free(info);
    return true;
}

static bool open_session(KColoClient *c, int fd, enum kcolo_role role,
                         Error **errp)
{
    struct kcolo_session_info info;

    c->drive = open_handle(fd, errp);
    if (!c->drive) {
        return false;
    }
    c->watch = open_handle(fd, errp);
    if (!c->watch || !get(c->drive, &info, errp)) {
        return false;
    }
    if (info.role != role) {
        error_setg(errp, "kcolo: session %s is a %s, not a %s", info.name,
                   kcolo_role_name(info.role), kcolo_role_name(role));
        return false;
    }
    return check(c->drive, kcolo_subscribe(c->drive), errp);
}

/* What events that were lost, or came before, would have said. */
static bool tell_state(KColoClient *c)
{
    static const enum kcolo_event_type missed[] = {
        [KCOLO_STATE_LOST] = KCOLO_EVENT_TYPE_PEER_LOST,
        [KCOLO_STATE_PROMOTED] = KCOLO_EVENT_TYPE_PROMOTED,
        [KCOLO_STATE_DOUBT] = KCOLO_EVENT_TYPE_CHECKPOINT_DOUBT,
        [KCOLO_STATE_FENCED] = KCOLO_EVENT_TYPE_FENCED,
        [KCOLO_STATE_BROKEN] = KCOLO_EVENT_TYPE_BROKEN,
        [KCOLO_STATE_CLOSED] = KCOLO_EVENT_TYPE_SESSION_DEL,
    };
    struct kcolo_event event = { .type = KCOLO_EVENT_TYPE_SESSION_SET };
    struct kcolo_session_info info;

    if (!get(c->watch, &info, NULL)) {
        return false;
    }
    c->ops->event(c->opaque, &event);
    if (info.state == KCOLO_STATE_IDLE && info.epoch > info.committed) {
        event.type = KCOLO_EVENT_TYPE_CHECKPOINT_ABORTED;
        c->ops->event(c->opaque, &event);
    }
    if (info.state < ARRAY_SIZE(missed) && missed[info.state]) {
        event.type = missed[info.state];
        event.state = info.state;
        event.abort_reason = info.abort_reason;
        pstrcpy(event.error, sizeof(event.error), info.error);
        c->ops->event(c->opaque, &event);
    }
    return true;
}

static void watch_events(void *opaque)
{
    KColoClient *c = opaque;
    struct kcolo_event event;
    int ret = 0;

    if (c->lost) {
        c->lost = !tell_state(c);
    }
    while (!c->lost && (ret = kcolo_event_next_raw(c->watch, &event, 0))) {
        if (ret == 1) {
            c->ops->event(c->opaque, &event);
        } else {
            c->lost = ret != -EINTR;
        }
    }
    if (c->lost) {
        /* Not at once, if the reason is that there is no memory. */
        qemu_set_fd_handler(kcolo_event_fd(c->watch), NULL, NULL, NULL);
        timer_mod(c->watch_again, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) +
                  (ret == -ENOBUFS ? 0 : WATCH_AGAIN_MS));
    }
}

static void watch_on(void *opaque)
{
    KColoClient *c = opaque;

    qemu_set_fd_handler(kcolo_event_fd(c->watch), watch_events, NULL, c);
    watch_events(c);
}

KColoClient *kcolo_client_new(int fd, enum kcolo_role role,
                              const KColoClientOps *ops, void *opaque,
                              Error **errp)
{
    KColoClient *c = g_new0(KColoClient, 1);

    c->ops = ops;
    c->opaque = opaque;
    c->watch_again = timer_new_ms(QEMU_CLOCK_REALTIME, watch_on, c);
    c->regions = g_ptr_array_new_with_free_func(g_free);
    if (event_notifier_init(&c->kick, false) < 0) {
        abort();
    }
    if (open_session(c, fd, role, errp)) {
        return c;
    }
    kcolo_client_free(c);
    return NULL;
}

void kcolo_client_free(KColoClient *c)
{
    if (!c) {
        return;
    }
    if (c->watch) {
        qemu_set_fd_handler(kcolo_event_fd(c->watch), NULL, NULL, NULL);
        kcolo_close(c->watch);
    }
    if (c->drive) {
        kcolo_close(c->drive);
    }
    timer_free(c->watch_again);
    event_notifier_cleanup(&c->kick);
    g_ptr_array_free(c->regions, true);
    g_free(c);
}

bool kcolo_client_attach_vm(KColoClient *c, int vm_fd, Error **errp)
{
    return check(c->drive, kcolo_vm_attach(c->drive, vm_fd), errp);
}

unsigned long *kcolo_client_add_region(KColoClient *c, const char *name,
                                       void *host, uint64_t size, bool cache,
                                       Error **errp)
{
    struct kcolo_region *region = g_new0(struct kcolo_region, 1);
    int ret;

    g_ptr_array_add(c->regions, region);
    if (cache) {
        ret = kcolo_region_add_in_place(c->drive, name, host, size, region);
    } else {
        ret = kcolo_region_add(c->drive, name, host, size, region);
    }
    if (!check(c->drive, ret, errp)) {
        error_prepend(errp, "%s: ", name);
        return NULL;
    }
    if (!region->log) {
        error_setg(errp, "kcolo: the module has no log for %s: is it older "
                   "than this QEMU?", name);
    }
    return region->log;
}

bool kcolo_client_clean(KColoClient *c, Error **errp)
{
    return check(c->drive, kcolo_clean(c->drive), errp);
}

bool kcolo_client_wait_peer(KColoClient *c, int timeout_ms, Error **errp)
{
    int ret = kcolo_wait_connected(c->drive, timeout_ms);

    if (ret == -ETIMEDOUT) {
        error_setg(errp, "kcolo: the other side has not connected within %d "
                   "ms: does it use kcolo, too?", timeout_ms);
        return false;
    }
    return check(c->drive, ret, errp);
}

bool kcolo_client_set(KColoClient *c, const struct kcolo_params *params,
                      Error **errp)
{
    return check(c->watch, kcolo_session_set(c->watch, params), errp);
}

bool kcolo_client_get(KColoClient *c, struct kcolo_session_info *info,
                      Error **errp)
{
    return get(c->watch, info, errp);
}

bool kcolo_client_watch(KColoClient *c, Error **errp)
{
    if (!check(c->watch, kcolo_subscribe(c->watch), errp)) {
        return false;
    }
    c->lost = true;
    watch_on(c);
    return true;
}

static void take_kick(KColoClient *c)
{
    uint64_t epoch;

    event_notifier_test_and_clear(&c->kick);
    /* If it is refused, the rounds have just ended. */
    if (qatomic_xchg(&c->hurry, false) && c->in_rounds &&
        !kcolo_checkpoint(c->drive, KCOLO_KIND_URGENT, &epoch) &&
        epoch != c->epoch) {
        /* Ours was given up just now, and this is another one. */
        kcolo_abort(c->drive);
    }
}

/* Answers what has come, and asks for nothing that did not. */
static bool take_events(KColoClient *c, Error **errp)
{
    struct kcolo_event event;
    int ret;

    while ((ret = kcolo_event_next_raw(c->drive, &event, 0))) {
        if (ret == -EINTR) {
            continue;
        }
        if (ret < 0 && ret != -ENOBUFS) {
            return check(c->drive, ret, errp);
        }
        /* Of lost events one may have wanted this. */
        if (c->ops->harvest &&
            (ret < 0 || event.type == KCOLO_EVENT_TYPE_HARVEST_WANTED)) {
            c->ops->harvest(c->opaque);
            kcolo_log_synced(c->drive);
        }
    }
    return true;
}

/* Until there is one, or @timeout_ms are over if that is not -1. */
static bool wait_event(KColoClient *c, bool may_cancel, int timeout_ms,
                       Error **errp)
{
    struct pollfd fds[] = {
        { .fd = kcolo_event_fd(c->drive), .events = POLLIN },
        { .fd = event_notifier_get_fd(&c->kick), .events = POLLIN },
    };

    if (may_cancel && qatomic_read(&c->cancelled)) {
        error_setg(errp, "kcolo: cancelled");
        return false;
    }
    if (poll(fds, may_cancel ? 2 : 1, timeout_ms) < 0 && errno != EINTR) {
        error_setg_errno(errp, errno, "kcolo: poll");
        return false;
    }
    if (fds[1].revents) {
        take_kick(c);
    }
    return take_events(c, errp);
}

static bool wait_any(KColoClient *c, uint32_t states, bool may_cancel,
                     struct kcolo_session_info *info, Error **errp)
{
    for (;;) {
        if (!get(c->drive, info, errp)) {
            return false;
        }
        if (!(states & 1u << info->state)) {
            return true;
        }
        if (!wait_event(c, may_cancel, -1, errp)) {
            return false;
        }
    }
}

/* The request of the primary's module may be slower than QEMU's stream. */
static bool wait_begun(KColoClient *c, struct kcolo_session_info *info,
                       Error **errp)
{
    int64_t end = g_get_monotonic_time() / 1000 + BEGUN_MS, left;

    for (;;) {
        if (!get(c->drive, info, errp)) {
            return false;
        }
        if (info->state != KCOLO_STATE_IDLE) {
            return true;
        }
        left = end - g_get_monotonic_time() / 1000;
        if (left <= 0) {
            error_setg(errp, "kcolo: the primary's module has begun no "
                       "checkpoint within %d ms: does it use kcolo, too?",
                       BEGUN_MS);
            return false;
        }
        if (!wait_event(c, true, left, errp)) {
            return false;
        }
    }
}

/* Wait while the state is one of @states, and then for @wanted to follow. */
static bool wait_state(KColoClient *c, uint32_t states, uint32_t wanted,
                       struct kcolo_session_info *info, Error **errp)
{
    if (!wait_any(c, states, true, info, errp)) {
        return false;
    }
    if (wanted & 1u << info->state) {
        return true;
    }
    error_setg(errp, "kcolo: session %s is %s (%s)%s%s", info->name,
               kcolo_state_name(info->state),
               kcolo_abort_reason_name(info->abort_reason) ?: "?",
               info->error[0] ? ": " : "", info->error);
    return false;
}

static uint64_t wire_bytes(KColoClient *c, struct kcolo_stats *stats)
{
    if (kcolo_stats_get(c->drive, stats)) {
        memset(stats, 0, sizeof(*stats));
    }
    return stats->value[KCOLO_A_STATS_WIRE_BYTES];
}

bool kcolo_client_precopy(KColoClient *c, bool urgent, KColoOutcome *o,
                          Error **errp)
{
    enum kcolo_kind kind = urgent ? KCOLO_KIND_URGENT : KCOLO_KIND_PERIODIC;
    struct kcolo_session_info info;
    struct kcolo_stats stats;
    bool ready;

    memset(&c->outcome, 0, sizeof(c->outcome));
    c->bytes_at_start = wire_bytes(c, &stats);
    if (!check(c->drive, kcolo_checkpoint(c->drive, kind, &c->epoch), errp)) {
        return false;
    }
    c->in_rounds = true;
    ready = wait_state(c, S(PRECOPY), S(READY), &info, errp);
    c->in_rounds = false;
    if (!ready) {
        return false;
    }
    c->outcome.reason = info.stop_reason;
    c->outcome.pending = info.pending;
    c->bytes_at_pause = wire_bytes(c, &stats);
    c->outcome.rounds = stats.value[KCOLO_A_STATS_LAST_ROUNDS];
    c->outcome.bytes_before = c->bytes_at_pause - c->bytes_at_start;
    *o = c->outcome;
    return true;
}

bool kcolo_client_flush(KColoClient *c, Error **errp)
{
    return check(c->drive, kcolo_flush(c->drive), errp);
}

bool kcolo_client_commit(KColoClient *c, Error **errp)
{
    return check(c->drive, kcolo_commit(c->drive), errp);
}

bool kcolo_client_wait_committed(KColoClient *c, Error **errp)
{
    struct kcolo_session_info info;

    if (!wait_state(c, S(FLUSHING) | S(FLUSHED) | S(COMMITTING) | S(APPLYING),
                    S(IDLE), &info, errp)) {
        return false;
    }
    if (info.committed != c->epoch) {
        error_setg(errp, "kcolo: checkpoint %" PRIu64 " was given up (%s)%s%s",
                   c->epoch, kcolo_abort_reason_name(info.abort_reason) ?: "?",
                   info.error[0] ? ": " : "", info.error);
        return false;
    }
    return true;
}

void kcolo_client_abort(KColoClient *c)
{
    kcolo_abort(c->drive);
}

void kcolo_client_outcome(KColoClient *c, KColoOutcome *o)
{
    struct kcolo_stats stats;

    c->outcome.bytes_in_pause = wire_bytes(c, &stats) - c->bytes_at_pause;
    c->outcome.pages_before = stats.value[KCOLO_A_STATS_LAST_PRECOPY_PAGES];
    c->outcome.pages_in_pause = stats.value[KCOLO_A_STATS_LAST_PAUSE_PAGES];
    *o = c->outcome;
}

bool kcolo_client_wait_prepared(KColoClient *c, Error **errp)
{
    struct kcolo_session_info info;

    if (!wait_begun(c, &info, errp)) {
        return false;
    }
    /* Both VMs are paused: nothing is asked twice. */
    if (info.state != KCOLO_STATE_PREPARED &&
        !wait_state(c, S(RECEIVING) | S(COMMITTING), S(PREPARED), &info,
                    errp)) {
        return false;
    }
    c->epoch = info.epoch;
    return true;
}

bool kcolo_client_apply(KColoClient *c, Error **errp)
{
    return check(c->drive, kcolo_apply(c->drive, c->epoch), errp);
}

/* It is committed: that it failed only the module may say, not want of memory. */
static bool wait_not_applying(KColoClient *c, struct kcolo_session_info *info,
                              Error **errp)
{
    Error *err = NULL;
    int i;

    for (i = 0; i < APPLIED_TRIES; i++) {
        if (wait_any(c, S(APPLYING), false, info, i ? NULL : &err)) {
            error_free(err);
            return true;
        }
        g_usleep(WATCH_AGAIN_MS * 1000 / APPLIED_TRIES);
    }
    error_propagate(errp, err);
    return false;
}

bool kcolo_client_wait_applied(KColoClient *c, Error **errp)
{
    struct kcolo_session_info info;

    if (!wait_not_applying(c, &info, errp)) {
        return false;
    }
    /* So that they do not pile up.  The primary's VM runs already. */
    take_events(c, NULL);
    if (info.state == KCOLO_STATE_BROKEN || info.committed != c->epoch) {
        error_setg(errp, "kcolo: checkpoint %" PRIu64 " could not be put in "
                   "place: %s", c->epoch, info.error);
        return false;
    }
    return true;
}

/* The event comes when no page of the old primary is put anywhere any more. */
static bool wait_promoted(KColoClient *c, Error **errp)
{
    int64_t end = g_get_monotonic_time() / 1000 + PROMOTED_MS, left;
    struct kcolo_event event;
    int ret;

    while ((left = end - g_get_monotonic_time() / 1000) > 0) {
        ret = kcolo_event_next_raw(c->watch, &event, left);
        if (ret == -EINTR) {
            continue;
        }
        if (ret < 0) {
            return check(c->watch, ret, errp);
        }
        if (ret && event.type == KCOLO_EVENT_TYPE_PROMOTED) {
            return true;
        }
        if (ret && event.type == KCOLO_EVENT_TYPE_SESSION_DEL) {
            error_setg(errp, "kcolo: the primary has ended the session");
            return false;
        }
        if (ret) {
            c->ops->event(c->opaque, &event);
        }
    }
    error_setg(errp, "kcolo: the module has not taken over within %d ms",
               PROMOTED_MS);
    return false;
}

bool kcolo_client_promote(KColoClient *c, Error **errp)
{
    return check(c->watch, kcolo_promote(c->watch), errp) &&
           wait_promoted(c, errp);
}

void kcolo_client_hurry(KColoClient *c)
{
    qatomic_set(&c->hurry, true);
    event_notifier_set(&c->kick);
}

void kcolo_client_cancel(KColoClient *c)
{
    qatomic_set(&c->cancelled, true);
    event_notifier_set(&c->kick);
}

void kcolo_client_end(KColoClient *c)
{
    kcolo_client_cancel(c);
    /* If it is refused, the session has ended before. */
    kcolo_session_del(c->watch);
}
