// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "watch.h"

static void params_of(struct kcolo_params *p)
{
	memset(p, 0, sizeof(*p));
	p->mask = (opt.has_threshold ? KCOLO_PARAM_THRESHOLD : 0) |
		(opt.has_max_iterations ? KCOLO_PARAM_MAX_ITERATIONS : 0) |
		(opt.has_min_gain ? KCOLO_PARAM_MIN_GAIN : 0) |
		(opt.has_peer_timeout ? KCOLO_PARAM_PEER_TIMEOUT : 0) |
		(opt.has_pause_limit ? KCOLO_PARAM_PAUSE_LIMIT : 0) |
		(opt.log_sync ? KCOLO_PARAM_LOG_SYNC : 0) |
		(opt.has_log_sync_ms ? KCOLO_PARAM_LOG_SYNC_TIMEOUT : 0) |
		(opt.has_checksum ? KCOLO_PARAM_CHECKSUM : 0) |
		(opt.staging_limit ? KCOLO_PARAM_STAGING_LIMIT : 0) |
		KCOLO_PARAM_RECONNECT;
	p->threshold = opt.threshold;
	p->max_iterations = opt.max_iterations;
	p->min_gain = opt.min_gain;
	p->peer_timeout = opt.peer_timeout;
	p->pause_limit = opt.pause_limit;
	p->checksum = opt.checksum;
	p->log_sync = opt.log_sync;
	p->log_sync_timeout = opt.log_sync_ms;
	p->reconnect = opt.reconnect;
	p->staging_limit = opt.staging_limit;
}

static void session_new(struct watch *w, enum kcolo_role role)
{
	struct kcolo_session_config config = {
		.name = opt.name, .role = role, .insecure = true,
	};
	union kcolo_addr addr;

	if (kcolo_addr_parse(opt.address, &addr))
		die(EXIT_USAGE, "%s is not ADDR:PORT", opt.address);
	if (role == KCOLO_ROLE_PRIMARY)
		config.peer = addr;
	else
		config.local = addr;
	if (opt.external)
		config.device_state = KCOLO_DEVICE_STATE_EXTERNAL;
	params_of(&config.params);
	if (kcolo_session_new(w->k, &config))
		die(EXIT_SESSION, "session: %s", kcolo_error(w->k));
}

/* A session of one's own, or the one that a launcher has made. */
void watch_open(struct watch *w, enum kcolo_role role)
{
	const char *fd = getenv("KCOLO_FD");
	struct kcolo_params params;

	memset(w, 0, sizeof(*w));
	if (kcolo_open(&w->k))
		die(EXIT_SESSION, "kcolo: %s",
		    w->k ? kcolo_error(w->k) : strerror(errno));
	if (!fd)
		return session_new(w, role);
	if (kcolo_session_use_fd(w->k, atoi(fd)))
		die(EXIT_SESSION, "KCOLO_FD: %s", kcolo_error(w->k));
	params_of(&params);
	if (params.mask && kcolo_session_set(w->k, &params))
		die(EXIT_SESSION, "parameters: %s", kcolo_error(w->k));
}

void watch_regions(struct watch *w, struct vm *vm,
		   struct kcolo_region region[MAX_REGIONS])
{
	int (*add)(struct kcolo *k, const char *name, void *addr, size_t size,
		   struct kcolo_region *region);
	struct region *r;
	u32 i;

	add = opt.in_place ? kcolo_region_add_in_place : kcolo_region_add;
	for (i = 0; i < vm->nr_regions; i++) {
		r = &vm->region[i];
		if (add(w->k, r->name, r->mem, r->size, &region[i]))
			die(EXIT_SESSION, "region %s: %s", r->name,
			    kcolo_error(w->k));
		if (region[i].log)
			__atomic_store_n(&r->log, &region[i],
					 __ATOMIC_SEQ_CST);
	}
}

void watch_extra_add(struct watch *w)
{
	size_t size = 1 << 20;

	w->extra_mem = aligned_alloc(4096, size);
	if (!w->extra_mem)
		die(EXIT_USAGE, "no memory");
	memset(w->extra_mem, 1, size);
	if (kcolo_region_add(w->k, "extra", w->extra_mem, size, &w->extra))
		die(EXIT_SESSION, "region extra: %s", kcolo_error(w->k));
}

void watch_extra_del(struct watch *w)
{
	if (!w->extra_mem)
		return;
	if (kcolo_region_del(w->k, &w->extra))
		die(EXIT_SESSION, "region extra: %s", kcolo_error(w->k));
	free(w->extra_mem);
	w->extra_mem = NULL;
}

void watch_subscribe(struct watch *w)
{
	if (!opt.no_events && kcolo_subscribe(w->k))
		die(EXIT_SESSION, "subscribe: %s", kcolo_error(w->k));
}

void watch_info(struct watch *w, struct kcolo_session_info *info)
{
	int err;

	memset(info, 0, sizeof(*info));
	err = kcolo_session_get(w->k, info);
	if (err)
		die(EXIT_SESSION, "the session cannot be read: %s",
		    kcolo_error(w->k));
	free(info->regions);
	info->regions = NULL;
	info->nr_regions = 0;
}

/* Without a subscription the library is asked to read the state. */
static int poll_state(struct watch *w, struct kcolo_event *ev, int timeout_ms)
{
	u64 end = now_us() + timeout_ms * 1000ull;
	int ret;

	for (;;) {
		kcolo_event_reread(w->k);
		ret = kcolo_event_next(w->k, ev, 0);
		if (ret || now_us() >= end)
			return ret;
		sleep_ms(1);
	}
}

int watch_next(struct watch *w, struct kcolo_event *ev, int timeout_ms)
{
	int ret = opt.no_events ? poll_state(w, ev, timeout_ms) :
				  kcolo_event_next(w->k, ev, timeout_ms);

	if (ret == -EINTR)
		return 0;
	if (ret < 0)
		die(EXIT_SESSION, "events: %s", kcolo_error(w->k));
	w->reread += ret && ev->reread;
	return ret;
}

u64 watch_stat(struct watch *w, u32 attr)
{
	struct kcolo_stats stats;

	if (kcolo_stats_get(w->k, &stats))
		die(EXIT_SESSION, "the statistics cannot be read: %s",
		    kcolo_error(w->k));
	return stats.value[attr];
}

void watch_report_stats(struct watch *w, const char *prefix)
{
	struct kcolo_stats stats;
	const char *name;
	char key[64], *c;
	u32 i;

	if (!opt.json || kcolo_stats_get(w->k, &stats))
		return;
	for (i = KCOLO_A_STATS_CHECKPOINTS; i <= KCOLO_A_STATS_MAX; i++) {
		name = kcolo_stats_name(i);
		if (!name || strncmp(name, prefix, strlen(prefix)))
			continue;
		snprintf(key, sizeof(key), "%s", name);
		for (c = key; *c; c++)
			if (*c == '-')
				*c = '_';
		report_u64(key, stats.value[i]);
	}
}
