/*
 * What COLO's checkpoints took, for query-migrate and the event COLO_CHECKPOINT
 *
 * This work is licensed under the terms of the GNU GPL, version 2 or
 * later.  See the COPYING file in the top-level directory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_COLO_STATS_H
#define MIGRATION_COLO_STATS_H

#include "qapi/qapi-types-migration.h"

/**
 * colo_stats_reset: forget all checkpoints, as COLO starts anew
 */
void colo_stats_reset(void);

/**
 * colo_stats_add: count a checkpoint and emit its event
 *
 * @c: the checkpoint; it is copied
 */
void colo_stats_add(COLOCheckpoint *c);

/**
 * colo_stats_get: what has been counted
 *
 * Returns: the statistics, to be freed by the caller; any thread may ask.
 */
COLOStats *colo_stats_get(void);

#endif
