/* SPDX-License-Identifier: GPL-2.0 */
/* "stats --watch". */
#ifndef KCOLOCTL_WATCH_H
#define KCOLOCTL_WATCH_H

#include <json-c/json.h>
#include "kcoloctl.h"

#define WATCH_MAX_MS	86400000

/**
 * struct watch - how to watch
 * @cli: call
 * @interval_ms: from one look to the next, 0 is once and for all
 * @count: looks to go, 0 is no limit
 */
struct watch {
	struct cli *cli;
	uint64_t interval_ms;
	uint64_t count;
};

/* stats.c */
struct json_object *stats_json(const struct kcolo_stats *stats);

int watch(const struct watch *w, struct kcolo *k, bool all);

#endif
