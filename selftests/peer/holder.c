// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "holder.h"

/* What the holder's memory is before anything came, and no page ever sent. */
#define UNTOUCHED	0x5a5a

void holder_up(struct holder *h, u32 peer_timeout)
{
	struct kcolo_session_config config = {
		.name = opt.name,
		.role = KCOLO_ROLE_SECONDARY,
		.local = opt.addr,
		.insecure = true,
		.device_state = opt.external ? KCOLO_DEVICE_STATE_EXTERNAL :
				KCOLO_DEVICE_STATE_SESSION,
		.params = { .mask = KCOLO_PARAM_PEER_TIMEOUT |
				    KCOLO_PARAM_RECONNECT,
			    .peer_timeout = peer_timeout,
			    .reconnect = opt.reconnect },
	};
	struct kcolo_region region;
	u32 i;

	if (!h->ram.region[0]) {
		ram_alloc(&h->ram);
		ram_alloc(&h->should);
	}
	ram_fill(&h->ram, UNTOUCHED);
	ram_copy(&h->should, &h->ram);
	h->committed = 0;
	h->state_len = 0;
	if (kcolo_open(&h->k))
		fail("kcolo: %s: is the module loaded?", strerror(errno));
	if (kcolo_session_new(h->k, &config))
		fail("a secondary: %s", kcolo_error(h->k));
	for (i = 0; i < NR_REGIONS; i++)
		if (kcolo_region_add(h->k, regions[i].name, h->ram.region[i],
				     regions[i].pages * PAGE, &region))
			fail("region %s: %s", regions[i].name,
			     kcolo_error(h->k));
}

void holder_info(struct holder *h, struct kcolo_session_info *info)
{
	memset(info, 0, sizeof(*info));
	if (kcolo_session_get(h->k, info))
		fail("the session cannot be read: %s", kcolo_error(h->k));
	kcolo_session_info_free(info);
}

int holder_wait(struct holder *h, enum kcolo_state state, u32 ms,
		struct kcolo_session_info *info)
{
	u64 end = now_ms() + ms;

	for (;;) {
		holder_info(h, info);
		if (info->state == state)
			return 0;
		if (now_ms() > end)
			return -1;
		sleep_ms(2);
	}
}

void holder_must(struct holder *h, enum kcolo_state state, const char *when)
{
	struct kcolo_session_info info;

	if (holder_wait(h, state, SOON_MS, &info))
		fail("%s: the session is %s and not %s (%s)", when,
		     kcolo_state_name(info.state), kcolo_state_name(state),
		     info.error);
}

void holder_check(struct holder *h, const char *when)
{
	struct kcolo_session_info info;

	holder_info(h, &info);
	if (info.committed != h->committed)
		fail("%s: epoch %llu is committed and not %llu", when,
		     (u64)info.committed,
		     h->committed);
	if (!ram_equal(&h->ram, &h->should, when))
		fail("%s: RAM is not that of epoch %llu", when,
		     h->committed);
}

void holder_lost(struct holder *h, enum kcolo_abort_reason reason,
		 const char *error)
{
	struct kcolo_session_info info;

	if (holder_wait(h, KCOLO_STATE_LOST, SOON_MS, &info))
		fail("the session is %s and not lost",
		     kcolo_state_name(info.state));
	holder_check(h, "when the link was lost");
	session_says(&info, reason, error);
}

void holder_promote(struct holder *h)
{
	void *state = NULL;
	size_t len = 0;

	if (kcolo_promote(h->k))
		fail("promotion: %s", kcolo_error(h->k));
	holder_must(h, KCOLO_STATE_PROMOTED, "promotion");
	holder_check(h, "after the promotion");
	if (opt.external)
		return;
	if (kcolo_devstate_read(h->k, &state, &len))
		fail("device state: %s", kcolo_error(h->k));
	if (len != h->state_len || memcmp(state, h->state, len))
		fail("the device state is not that of epoch %llu",
		     h->committed);
	free(state);
}

void holder_apply(struct holder *h, u64 epoch)
{
	if (kcolo_apply(h->k, epoch))
		fail("apply of epoch %llu: %s", epoch, kcolo_error(h->k));
}

void holder_down(struct holder *h)
{
	kcolo_close(h->k);
	h->k = NULL;
	session_gone(opt.name, GONE_MS);
}

u64 holder_stat(struct holder *h, unsigned int which)
{
	struct kcolo_stats stats;

	if (kcolo_stats_get(h->k, &stats))
		fail("statistics: %s", kcolo_error(h->k));
	return stats.value[which];
}

void session_says(const struct kcolo_session_info *info,
		  enum kcolo_abort_reason reason, const char *error)
{
	if (error && strcmp(info->error, error))
		fail("the error is \"%s\" and not \"%s\"", info->error, error);
	if (reason && info->abort_reason != reason)
		fail("the reason is %s and not %s",
		     kcolo_abort_reason_name(info->abort_reason),
		     kcolo_abort_reason_name(reason));
}

void session_gone(const char *name, u32 ms)
{
	u64 end = now_ms() + ms;
	struct kcolo_session_info info;
	struct kcolo *k;
	int err;

	if (kcolo_open(&k))
		fail("kcolo: %s", strerror(errno));
	kcolo_session_use_name(k, name);
	for (;;) {
		err = kcolo_session_get(k, &info);
		if (err == -ENOENT)
			break;
		if (err)
			fail("the session cannot be read: %s", kcolo_error(k));
		kcolo_session_info_free(&info);
		if (now_ms() > end)
			fail("the session has not ended after %u ms", ms);
		sleep_ms(2);
	}
	kcolo_close(k);
}
