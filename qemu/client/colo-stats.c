/*
 * What COLO's checkpoints took, for query-migrate and the event COLO_CHECKPOINT
 *
 * This work is licensed under the terms of the GNU GPL, version 2 or
 * later.  See the COPYING file in the top-level directory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/thread.h"
#include "qemu/lockable.h"
#include "qapi/clone-visitor.h"
#include "qapi/qapi-events-migration.h"
#include "qapi/qapi-visit-migration.h"
#include "colo-stats.h"

static QemuMutex lock;
static COLOStats stats;
static COLOCheckpoint last;
static uint64_t pause_sum;

static void __attribute__((constructor)) colo_stats_init(void)
{
    qemu_mutex_init(&lock);
    stats.last = &last;
}

void colo_stats_reset(void)
{
    QEMU_LOCK_GUARD(&lock);

    memset(&stats, 0, sizeof(stats));
    memset(&last, 0, sizeof(last));
    stats.last = &last;
    pause_sum = 0;
}

static void count(const COLOCheckpoint *c)
{
    QEMU_LOCK_GUARD(&lock);

    stats.timer += c->trigger == COLO_TRIGGER_TIMER;
    stats.packet += c->trigger == COLO_TRIGGER_PACKET;
    stats.demand += c->trigger == COLO_TRIGGER_DEMAND;
    stats.rounds += c->rounds;
    stats.pages_before += c->pages_before;
    stats.pages_in_pause += c->pages_in_pause;
    stats.bytes_before += c->bytes_before;
    stats.bytes_in_pause += c->bytes_in_pause;
    stats.pause_longest = MAX(stats.pause_longest, c->pause);
    pause_sum += c->pause;
    stats.pause_mean = pause_sum / (stats.timer + stats.packet + stats.demand);
    last = *c;
}

void colo_stats_add(COLOCheckpoint *c)
{
    count(c);
    qapi_event_send_colo_checkpoint(c);
}

COLOStats *colo_stats_get(void)
{
    QEMU_LOCK_GUARD(&lock);

    return QAPI_CLONE(COLOStats, &stats);
}
