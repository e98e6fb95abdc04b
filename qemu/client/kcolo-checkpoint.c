/*
 * A checkpoint, step by step, in the thread that takes it
 *
 * This work is licensed under the terms of the GNU GPL, version 2 or
 * later.  See the COPYING file in the top-level directory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include <poll.h>
#include "qapi/error.h"
#include "qemu/atomic.h"
#include "kcolo-client-internal.h"

#define S(name) (1u << KCOLO_STATE_##name)

#define BEGUN_MS 30000          /* both streams begin a checkpoint at a time */
#define APPLIED_MS 1000
#define APPLIED_TRIES 10

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
            return kcolo_client_check(c->drive, ret, errp);
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
        if (!kcolo_client_read(c->drive, info, errp)) {
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
        if (!kcolo_client_read(c->drive, info, errp)) {
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
    if (!kcolo_client_check(c->drive,
                            kcolo_checkpoint(c->drive, kind, &c->epoch),
                            errp)) {
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
    return kcolo_client_check(c->drive, kcolo_flush(c->drive), errp);
}

bool kcolo_client_commit(KColoClient *c, Error **errp)
{
    return kcolo_client_check(c->drive, kcolo_commit(c->drive), errp);
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
    return kcolo_client_check(c->drive, kcolo_apply(c->drive, c->epoch), errp);
}

/* It is committed: only the module may say that it failed, not ENOMEM. */
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
        g_usleep(APPLIED_MS * 1000 / APPLIED_TRIES);
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
