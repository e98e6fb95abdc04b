// SPDX-License-Identifier: GPL-2.0
/* What a session says of itself, as netlink attributes. */
#include <net/netlink.h>
#include "fd.h"
#include "fill.h"
#include "session.h"

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, KCOLO_A_SESSION_PAD);
}

/**
 * kcolo_fill_region - put a region
 * @skb: message
 * @r: region; the session's lock is held
 *
 * Return: 0 or -EMSGSIZE.
 */
int kcolo_fill_region(struct sk_buff *skb, const struct kcolo_region *r)
{
	struct nlattr *nest = nla_nest_start(skb, KCOLO_A_SESSION_REGION);

	BUILD_BUG_ON((int)KCOLO_A_REGION_PAD != (int)KCOLO_A_SESSION_PAD);
	if (!nest ||
	    nla_put_u32(skb, KCOLO_A_REGION_ID, r->id) ||
	    nla_put_string(skb, KCOLO_A_REGION_NAME, r->name) ||
	    put_u64(skb, KCOLO_A_REGION_ADDRESS, r->hva) ||
	    put_u64(skb, KCOLO_A_REGION_SIZE, r->nr_pages << PAGE_SHIFT) ||
	    (r->in_place && nla_put_flag(skb, KCOLO_A_REGION_IN_PLACE)))
		return -EMSGSIZE;
	if (r->log_size &&
	    (put_u64(skb, KCOLO_A_REGION_LOG_OFFSET, KCOLO_LOG_OFFSET(r->id)) ||
	     put_u64(skb, KCOLO_A_REGION_LOG_SIZE, r->log_size)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_addr(struct sk_buff *skb, int attr, const union kcolo_addr *addr)
{
	if (!addr->sa.sa_family)
		return 0;
	return nla_put(skb, attr, kcolo_addr_len(addr), addr);
}

static int fill_identity(struct sk_buff *skb, struct kcolo_session *s)
{
	if (nla_put_u32(skb, KCOLO_A_SESSION_ID, s->id) ||
	    nla_put_string(skb, KCOLO_A_SESSION_NAME, s->name) ||
	    nla_put_u32(skb, KCOLO_A_SESSION_ROLE, s->role) ||
	    nla_put_u32(skb, KCOLO_A_SESSION_STATE, s->state) ||
	    put_addr(skb, KCOLO_A_SESSION_LOCAL, &s->local) ||
	    put_addr(skb, KCOLO_A_SESSION_PEER, &s->peer) ||
	    (s->insecure && nla_put_flag(skb, KCOLO_A_SESSION_INSECURE)) ||
	    (s->sockets && nla_put_flag(skb, KCOLO_A_SESSION_SOCKETS)) ||
	    nla_put_u32(skb, KCOLO_A_SESSION_DEVICE_STATE,
			s->external ? KCOLO_DEVICE_STATE_EXTERNAL :
				      KCOLO_DEVICE_STATE_SESSION))
		return -EMSGSIZE;
	if (s->uuid_known &&
	    nla_put(skb, KCOLO_A_SESSION_UUID, sizeof(s->uuid), s->uuid))
		return -EMSGSIZE;
	return 0;
}

static int fill_params(struct sk_buff *skb, struct kcolo_session *s)
{
	if (put_u64(skb, KCOLO_A_SESSION_THRESHOLD, s->policy.threshold) ||
	    nla_put_u32(skb, KCOLO_A_SESSION_MAX_ITERATIONS,
			s->policy.max_iterations) ||
	    nla_put_u32(skb, KCOLO_A_SESSION_MIN_GAIN, s->policy.min_gain) ||
	    nla_put_u32(skb, KCOLO_A_SESSION_PEER_TIMEOUT, s->peer_timeout) ||
	    nla_put_u32(skb, KCOLO_A_SESSION_PAUSE_LIMIT, s->pause_limit) ||
	    nla_put_u8(skb, KCOLO_A_SESSION_CHECKSUM, s->checksum) ||
	    nla_put_u8(skb, KCOLO_A_SESSION_LOG_SYNC, s->log_sync) ||
	    nla_put_u32(skb, KCOLO_A_SESSION_LOG_SYNC_TIMEOUT,
			s->log_sync_timeout) ||
	    nla_put_u8(skb, KCOLO_A_SESSION_RECONNECT, s->reconnect) ||
	    put_u64(skb, KCOLO_A_SESSION_STAGING_LIMIT, s->staging.limit))
		return -EMSGSIZE;
	return 0;
}

static int fill_progress(struct sk_buff *skb, struct kcolo_session *s)
{
	u64 pending = READ_ONCE(s->tracker.pending) << PAGE_SHIFT;

	if (put_u64(skb, KCOLO_A_SESSION_EPOCH, s->epoch) ||
	    put_u64(skb, KCOLO_A_SESSION_COMMITTED, s->committed) ||
	    put_u64(skb, KCOLO_A_SESSION_PENDING, pending) ||
	    nla_put_u8(skb, KCOLO_A_SESSION_SYNCED, s->synced) ||
	    nla_put_u8(skb, KCOLO_A_SESSION_CLEAN, s->clean) ||
	    put_u64(skb, KCOLO_A_SESSION_LINKS, s->links) ||
	    nla_put_u32(skb, KCOLO_A_SESSION_RESYNC, s->resync) ||
	    nla_put_u32(skb, KCOLO_A_SESSION_STOP_REASON, s->stop_reason) ||
	    nla_put_u32(skb, KCOLO_A_SESSION_ABORT_REASON, s->abort_reason) ||
	    put_u64(skb, KCOLO_A_SESSION_EVENT_SEQ, s->event_seq) ||
	    put_u64(skb, KCOLO_A_SESSION_SCRATCH_SIZE,
		    s->role == KCOLO_ROLE_PRIMARY ? KCOLO_SCRATCH_SIZE : 0) ||
	    (s->error[0] &&
	     nla_put_string(skb, KCOLO_A_SESSION_ERROR, s->error)))
		return -EMSGSIZE;
	return 0;
}

/**
 * kcolo_fill_session - put all that can be read of a session
 * @skb: message
 * @s: session; takes its lock
 *
 * Return: 0 or -EMSGSIZE.
 */
int kcolo_fill_session(struct sk_buff *skb, struct kcolo_session *s)
{
	struct kcolo_region *r;
	unsigned int i;
	int err;

	mutex_lock(&s->lock);
	err = fill_identity(skb, s);
	if (!err)
		err = fill_params(skb, s);
	if (!err)
		err = fill_progress(skb, s);
	for (i = 0; (r = kcolo_next_region(s, &i)); i++)
		if (!err)
			err = kcolo_fill_region(skb, r);
	mutex_unlock(&s->lock);
	return err;
}

/* What is counted elsewhere, brought to where the counters are. */
static void gather(struct kcolo_session *s, u64 *stats)
{
	memcpy(stats, s->stats, sizeof(s->stats));
	stats[KCOLO_A_STATS_BYTES_RAW] =
		stats[KCOLO_A_STATS_PAGES_RAW] << PAGE_SHIFT;
	stats[KCOLO_A_STATS_BYTES_ZERO] =
		stats[KCOLO_A_STATS_PAGES_ZERO] << PAGE_SHIFT;
	stats[KCOLO_A_STATS_PENDING] = READ_ONCE(s->tracker.pending) << PAGE_SHIFT;
	stats[KCOLO_A_STATS_HARVESTS] = READ_ONCE(s->tracker.harvests);
	stats[KCOLO_A_STATS_MEMSLOT_CHANGES] = READ_ONCE(s->tracker.slot_changes);
	stats[KCOLO_A_STATS_LOG_ERRORS] = READ_ONCE(s->tracker.log_errors);
	stats[KCOLO_A_STATS_WIRE_BYTES] =
		READ_ONCE(s->control.tx_bytes) + READ_ONCE(s->control.rx_bytes) +
		READ_ONCE(s->data.tx_bytes) + READ_ONCE(s->data.rx_bytes);
	stats[KCOLO_A_STATS_STAGING_PAGES] = READ_ONCE(s->staging.nr_pages);
	stats[KCOLO_A_STATS_STAGING_BYTES] =
		READ_ONCE(s->staging.nr_raw) << PAGE_SHIFT;
	stats[KCOLO_A_STATS_STAGING_PEAK_BYTES] =
		READ_ONCE(s->staging.peak_raw) << PAGE_SHIFT;
	stats[KCOLO_A_STATS_STAGING_SPARE_BYTES] =
		(u64)READ_ONCE(s->staging.nr_spare) << PAGE_SHIFT;
}

/**
 * kcolo_fill_stats - put a session's counters
 * @skb: message
 * @s: session; takes its lock
 *
 * Each counter is right; together they are of no single moment.
 *
 * Return: 0 or -EMSGSIZE.
 */
int kcolo_fill_stats(struct sk_buff *skb, struct kcolo_session *s)
{
	u64 stats[KCOLO_A_STATS_MAX + 1];
	int i;

	mutex_lock(&s->lock);
	gather(s, stats);
	mutex_unlock(&s->lock);
	if (nla_put_u32(skb, KCOLO_A_STATS_SESSION_ID, s->id) ||
	    nla_put_string(skb, KCOLO_A_STATS_SESSION_NAME, s->name))
		return -EMSGSIZE;
	for (i = KCOLO_A_STATS_CHECKPOINTS; i <= KCOLO_A_STATS_MAX; i++)
		if (nla_put_u64_64bit(skb, i, stats[i], KCOLO_A_STATS_PAD))
			return -EMSGSIZE;
	return 0;
}
