/*
 * What the two parts of the client share: its handles, and its steps
 *
 * This work is licensed under the terms of the GNU GPL, version 2 or
 * later.  See the COPYING file in the top-level directory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_KCOLO_CLIENT_INTERNAL_H
#define MIGRATION_KCOLO_CLIENT_INTERNAL_H

#include "qemu/event_notifier.h"
#include "kcolo-client.h"

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

/**
 * kcolo_client_check: turn a result of libkcolo into one of ours
 */
bool kcolo_client_check(struct kcolo *k, int ret, Error **errp);

/**
 * kcolo_client_read: the session's parameters and state, of either handle
 *
 * @info: kcolo_session_info_free() has been called on it
 */
bool kcolo_client_read(struct kcolo *k, struct kcolo_session_info *info,
                       Error **errp);

#endif
