// SPDX-License-Identifier: GPL-2.0
/*
 * A primary and its secondary are connected, perhaps again: what became of an
 * epoch that was in doubt, and how much has to be sent until the guest is
 * protected. Both follow from what the two say in HELLO: whose image it is that
 * the secondary has (uuid), and which epoch it is (committed). An epoch's number
 * is sent to one secondary, once; so one that has the last committed epoch has
 * that very image.
 */
#include <linux/string.h>
#include "mutate.h"
#include "resync.h"
#include "session.h"

static bool has_image_of(const struct kcolo_session *s,
			 const struct kcolo_wire_hello *peer)
{
	return !memcmp(peer->uuid, s->uuid, sizeof(s->uuid));
}

/* Whether what is dirty or unacked is all that it takes to build upon it. */
static bool has_base(const struct kcolo_session *s,
		     const struct kcolo_wire_hello *peer)
{
	if (kcolo_mutant(trust_epoch) && s->committed)
		return true;
	/* What is clean, and was never committed, both ends have said: REGIONS. */
	if (!s->committed && !s->links)
		return s->clean;
	return has_image_of(s, peer) && peer->committed == s->committed &&
	       (s->committed || s->clean);
}

/*
 * What the secondary has nothing of is sent whole. A region that was added since
 * the last commit is that anyway.
 */
static void choose(struct kcolo_session *s, const struct kcolo_wire_hello *peer)
{
	bool base = has_base(s, peer);
	struct kcolo_region *r;
	unsigned int i;

	s->resync = base ? KCOLO_RESYNC_DELTA : KCOLO_RESYNC_FULL;
	if (s->links) {
		KCOLO_STAT(s, RESYNCS_DELTA) += base;
		KCOLO_STAT(s, RESYNCS_FULL) += !base;
	}
	if (base)
		return;
	for (i = 0; (r = kcolo_next_region(s, &i)); i++)
		r->based = false;
	/* In a round of its own, and not in a pause. */
	s->synced = false;
}

static void tell_received(struct kcolo_session *s)
{
	kcolo_session_notify(s, &(struct kcolo_notice) {
		.type = KCOLO_EVENT_TYPE_CHECKPOINT_RECEIVED,
		.stop_reason = s->stop_reason });
}

/* One that has it in place takes a link, one that has not yet does not. */
static void tell_committed(struct kcolo_session *s)
{
	kcolo_session_notify(s, &(struct kcolo_notice) {
		.type = KCOLO_EVENT_TYPE_CHECKPOINT_COMMITTED,
		.stop_reason = s->stop_reason });
}

static void tell_aborted(struct kcolo_session *s)
{
	kcolo_session_count_abort(s, s->abort_reason);
	kcolo_session_notify(s, &(struct kcolo_notice) {
		.type = KCOLO_EVENT_TYPE_CHECKPOINT_ABORTED,
		.abort_reason = s->abort_reason });
}

/* Before the state says that it is decided: the tracker is the worker's. */
static void settle(struct kcolo_session *s, bool committed)
{
	if (committed) {
		kcolo_session_committed(s);
		kcolo_dirty_committed(&s->tracker);
	} else {
		s->end_sent = false;
		kcolo_dirty_aborted(&s->tracker);
	}
}

/**
 * kcolo_resync_connected - a secondary is there, for the first time or again
 * @s: primary without a link, whose connections stand; called by its worker
 * @peer: what the secondary says of itself; it fits
 *
 * Afterwards there is a link, and nothing is in doubt: the VMM is told first what
 * became of the last epoch, and then that there is a peer.
 */
void kcolo_resync_connected(struct kcolo_session *s,
			    const struct kcolo_wire_hello *peer)
{
	bool doubt, committed;

	mutex_lock(&s->lock);
	doubt = s->state == KCOLO_STATE_DOUBT;
	committed = has_image_of(s, peer) && peer->committed == s->epoch;
	if (doubt)
		settle(s, committed);
	choose(s, peer);
	kcolo_link_begin(s);
	if (kcolo_state_set(s, KCOLO_STATE_IDLE)) {
		if (doubt && committed)
			tell_received(s);
		else if (doubt)
			tell_aborted(s);
		if (s->applying && has_image_of(s, peer) &&
		    peer->committed == s->committed)
			tell_committed(s);
		kcolo_session_notify(s, &(struct kcolo_notice) {
				.type = KCOLO_EVENT_TYPE_PEER_CONNECTED });
	}
	s->applying = false;
	mutex_unlock(&s->lock);
}
