/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What happens to the session, as kcolo's events tell it, or, with --no-events,
 * as the session's state does.
 */
#ifndef KVMM_WATCH_H
#define KVMM_WATCH_H

#include <kcolo.h>

#include "kvmm.h"

/**
 * struct watch - what is known of the session
 * @k: the handle
 * @reread: events that were lost, or not wanted, and made of the state
 */
struct watch {
	struct kcolo *k;
	u64 reread;
	void *extra_mem;	/* of a region that the peer lacks */
	struct kcolo_region extra;
};

void watch_open(struct watch *w, enum kcolo_role role);
void watch_regions(struct watch *w, struct vm *vm,
		   struct kcolo_region region[MAX_REGIONS]);
/* A region that the other end does not have, and its end. */
void watch_extra_add(struct watch *w);
void watch_extra_del(struct watch *w);
void watch_subscribe(struct watch *w);
/* 1 and an event, or 0 when @timeout_ms have passed. */
int watch_next(struct watch *w, struct kcolo_event *ev, int timeout_ms);
/* Like kcolo_session_get() without its regions; ends the process if it fails. */
void watch_info(struct watch *w, struct kcolo_session_info *info);
/* A counter of the session, KCOLO_A_STATS_*. */
u64 watch_stat(struct watch *w, u32 attr);
void watch_report_stats(struct watch *w, const char *prefix);

#endif /* KVMM_WATCH_H */
