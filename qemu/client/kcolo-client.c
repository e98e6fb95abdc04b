/*
 * A session of the kcolo kernel module: its handles, and what is heard of it
 *
 * This work is licensed under the terms of the GNU GPL, version 2 or
 * later.  See the COPYING file in the top-level directory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/cutils.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "kcolo-client-internal.h"

#define WATCH_AGAIN_MS 1000
#define PROMOTED_MS 10000       /* the module does it at once */

bool kcolo_client_check(struct kcolo *k, int ret, Error **errp)
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
    } else if (kcolo_client_check(k, kcolo_session_use_fd(k, own), errp)) {
        return k;
    } else {
        close(own);
    }
    kcolo_close(k);
    return NULL;
}

bool kcolo_client_read(struct kcolo *k, struct kcolo_session_info *info,
                       Error **errp)
{
    if (!kcolo_client_check(k, kcolo_session_get(k, info), errp)) {
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
    if (!c->watch || !kcolo_client_read(c->drive, &info, errp)) {
        return false;
    }
    if (info.role != role) {
        error_setg(errp, "kcolo: session %s is a %s, not a %s", info.name,
                   kcolo_role_name(info.role), kcolo_role_name(role));
        return false;
    }
    return kcolo_client_check(c->drive, kcolo_subscribe(c->drive), errp);
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

    if (!kcolo_client_read(c->watch, &info, NULL)) {
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
    return kcolo_client_check(c->drive, kcolo_vm_attach(c->drive, vm_fd), errp);
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
    if (!kcolo_client_check(c->drive, ret, errp)) {
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
    return kcolo_client_check(c->drive, kcolo_clean(c->drive), errp);
}

bool kcolo_client_wait_peer(KColoClient *c, int timeout_ms, Error **errp)
{
    int ret = kcolo_wait_connected(c->drive, timeout_ms);

    if (ret == -ETIMEDOUT) {
        error_setg(errp, "kcolo: the other side has not connected within %d "
                   "ms: does it use kcolo, too?", timeout_ms);
        return false;
    }
    return kcolo_client_check(c->drive, ret, errp);
}

bool kcolo_client_set(KColoClient *c, const struct kcolo_params *params,
                      Error **errp)
{
    return kcolo_client_check(c->watch, kcolo_session_set(c->watch, params),
                              errp);
}

bool kcolo_client_get(KColoClient *c, struct kcolo_session_info *info,
                      Error **errp)
{
    return kcolo_client_read(c->watch, info, errp);
}

bool kcolo_client_watch(KColoClient *c, Error **errp)
{
    if (!kcolo_client_check(c->watch, kcolo_subscribe(c->watch), errp)) {
        return false;
    }
    c->lost = true;
    watch_on(c);
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
            return kcolo_client_check(c->watch, ret, errp);
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
    return kcolo_client_check(c->watch, kcolo_promote(c->watch), errp) &&
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
