// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a checkpoint on the primary, from the request to the commit or
 * the abort. All of it runs in the session's worker. Each step returns why the
 * checkpoint is to be given up, or KCOLO_ABORT_REASON_NONE to go on.
 */
#include <linux/slab.h>
#include "abort.h"
#include "await.h"
#include "checkpoint.h"
#include "gfp.h"
#include "link.h"
#include "session.h"
#include "stream.h"
#include "trace.h"
#include "verify.h"

/*
 * Passes over RAM in a pause in which memslots change under our hands, before
 * the guest is let go again.
 */
#define PAUSE_PASSES	8

/* Why a call into the tracker or the stream failed. */
static enum kcolo_abort_reason guest_failed(struct kcolo_session *s, int err)
{
	switch (err) {
	case 0:
		return KCOLO_ABORT_REASON_NONE;
	case -ECANCELED:
		return kcolo_interruption(s);
	case -ETIMEDOUT:
		kcolo_session_link_failed(s, KCOLO_ABORT_REASON_PEER_TIMEOUT,
					  "the peer takes no pages");
		return kcolo_interruption(s);
	case -EPIPE:
		kcolo_session_link_failed(s, KCOLO_ABORT_REASON_PEER_LOST,
					  "the data connection is lost");
		return kcolo_interruption(s);
	case -ESRCH:
		return kcolo_because(s, KCOLO_ABORT_REASON_VM_GONE,
				     "no VM is attached or the VMM has died");
	case -EBADFD:
		return kcolo_because(s, KCOLO_ABORT_REASON_SCRATCH,
				     "the scratch area is not mapped: mmap offset 0 of the session fd");
	case -EOPNOTSUPP:
		return kcolo_because(s, KCOLO_ABORT_REASON_DIRTY_LOG,
				     "a memslot over a region lacks KVM_MEM_LOG_DIRTY_PAGES or has private memory");
	case -ESTALE:
		return kcolo_because(s, KCOLO_ABORT_REASON_DIRTY_LOG,
				     KCOLO_LARGE_UNLOGGED);
	case -EFAULT:
		return kcolo_because(s, KCOLO_ABORT_REASON_GUEST_MEMORY,
				     "a page of a region could not be read");
	case -ETIME:
		return kcolo_because(s, KCOLO_ABORT_REASON_PAUSE_LIMIT,
				     KCOLO_PAUSE_OVER);
	case -ENOMEM:
		return kcolo_because(s, KCOLO_ABORT_REASON_NO_MEMORY,
				     "no memory on this host");
	default:
		return kcolo_because(s, KCOLO_ABORT_REASON_DIRTY_LOG,
				     "KVM's dirty log could not be used");
	}
}

static enum kcolo_abort_reason said(struct kcolo_session *s, int err)
{
	if (err == -ETIME)
		return kcolo_because(s, KCOLO_ABORT_REASON_PAUSE_LIMIT,
				     KCOLO_PAUSE_OVER);
	return err ? kcolo_interruption(s) : KCOLO_ABORT_REASON_NONE;
}

static void put_regions(const struct kcolo_session *s, u8 *body)
{
	struct kcolo_wire_region wr = {};
	struct kcolo_region *r;
	unsigned int i, nr = 0;

	kcolo_wire_put_base(body, s->committed);
	body += KCOLO_WIRE_REGIONS_HEAD;
	for (i = 0; (r = kcolo_next_region(s, &i)); i++) {
		r->wire = nr++;
		wr.size = r->nr_pages << PAGE_SHIFT;
		wr.flags = r->based ? 0 : KCOLO_WIRE_WHOLE;
		strscpy(wr.name, r->name, sizeof(wr.name));
		kcolo_wire_put_region(body, &wr);
		body += KCOLO_WIRE_REGION;
	}
}

static enum kcolo_abort_reason agree_regions(struct kcolo_session *s)
{
	u32 len = KCOLO_WIRE_REGIONS_HEAD +
		  kcolo_session_nr_regions(s) * KCOLO_WIRE_REGION;
	u8 *body = kmalloc(len, KCOLO_GFP);
	int err;

	if (!body)
		return kcolo_because(s, KCOLO_ABORT_REASON_NO_MEMORY,
				     "no memory on this host");
	put_regions(s, body);
	err = kcolo_link_say(s, KCOLO_WIRE_REGIONS, s->epoch, 0, body, len);
	kfree(body);
	return err ? said(s, err) : kcolo_await_agreement(s);
}

/* What the peer has nothing of to build upon is pending as a whole. */
static void mark_whole(struct kcolo_session *s)
{
	struct kcolo_region *r;
	unsigned int i;

	for (i = 0; (r = kcolo_next_region(s, &i)); i++)
		if (!r->based)
			kcolo_dirty_mark_region(&s->tracker, r);
}

/* Its regions are others now: they are compared again before the next epoch. */
static void disagree(struct kcolo_session *s)
{
	mutex_lock(&s->lock);
	s->regions_agreed = false;
	mutex_unlock(&s->lock);
}

/* Step 1: the epoch opens on both ends, and the guest is looked at. */
static enum kcolo_abort_reason open_epoch(struct kcolo_session *s)
{
	struct kcolo_tracker *t = &s->tracker;
	enum kcolo_abort_reason reason;

	memset(&s->sent, 0, sizeof(s->sent));
	KCOLO_STAT(s, LAST_PRECOPY_PAGES) = 0;
	KCOLO_STAT(s, LAST_PAUSE_PAGES) = 0;
	if (!s->regions_agreed) {
		mark_whole(s);
		reason = agree_regions(s);
		if (reason)
			return reason;
	}
	reason = said(s, kcolo_link_say(s, KCOLO_WIRE_CHECKPOINT_REQUEST,
					s->epoch, READ_ONCE(s->kind), NULL, 0));
	if (!reason)
		reason = kcolo_await_peer(s, KCOLO_WIRE_CHECKPOINT_REPLY);
	if (reason == KCOLO_ABORT_REASON_PEER_REFUSED)
		disagree(s);
	if (!reason)
		reason = guest_failed(s, kcolo_dirty_begin(t));
	return reason;
}

static enum kcolo_abort_reason run_round(struct kcolo_session *s, u32 round,
					 enum kcolo_phase phase, u64 *sent)
{
	struct kcolo_wire_hdr hdr = {
		.type = KCOLO_WIRE_MIGRATE_RAM,
		.arg = round,
		.epoch = s->epoch,
	};
	enum kcolo_abort_reason reason;

	reason = said(s, kcolo_link_send(s, &hdr, NULL,
					 phase == KCOLO_PHASE_PAUSE ?
					 kcolo_away_from_pause :
					 kcolo_away_from_round));
	if (reason)
		return reason;
	return guest_failed(s, kcolo_stream_pass(s, round, phase, sent));
}

static void count_stop(struct kcolo_session *s, enum kcolo_stop_reason stop)
{
	KCOLO_STAT(s, STOP_DISABLED) += stop == KCOLO_STOP_REASON_DISABLED;
	KCOLO_STAT(s, STOP_THRESHOLD) += stop == KCOLO_STOP_REASON_THRESHOLD;
	KCOLO_STAT(s, STOP_ITERATIONS) += stop == KCOLO_STOP_REASON_ITERATIONS;
	KCOLO_STAT(s, STOP_GAIN) += stop == KCOLO_STOP_REASON_GAIN;
	KCOLO_STAT(s, STOP_URGENT) += stop == KCOLO_STOP_REASON_URGENT;
}

/*
 * A full sync: the initial one, and when the peer has nothing to build upon;
 * whatever the policy says, since a pause for all of RAM is what nobody wants.
 * Afterwards it is round 0 of its epoch.
 */
static enum kcolo_abort_reason full_sync(struct kcolo_session *s)
{
	enum kcolo_abort_reason reason;
	u64 sent;

	reason = run_round(s, 0, KCOLO_PHASE_SYNC, &sent);
	if (reason)
		return reason;
	mutex_lock(&s->lock);
	s->synced = true;
	mutex_unlock(&s->lock);
	return KCOLO_ABORT_REASON_NONE;
}

static void read_policy(struct kcolo_session *s, struct kcolo_policy *policy)
{
	mutex_lock(&s->lock);
	*policy = s->policy;
	mutex_unlock(&s->lock);
}

/* Step 1, the rounds: until the policy says stop. */
static enum kcolo_abort_reason precopy(struct kcolo_session *s)
{
	struct kcolo_round last = {};
	struct kcolo_policy policy;
	enum kcolo_stop_reason stop;
	enum kcolo_abort_reason reason = KCOLO_ABORT_REASON_NONE;
	u64 pending, sent;

	if (!s->synced) {
		reason = full_sync(s);
		if (reason)
			return reason;
	}
	for (;;) {
		/* An urgent one is for output that waits. */
		if (READ_ONCE(s->kind) != KCOLO_KIND_URGENT)
			reason = kcolo_await_log(s);
		if (!reason)
			reason = guest_failed(s, kcolo_dirty_harvest(&s->tracker));
		if (reason)
			return reason;
		if (kcolo_interrupted(s))
			return kcolo_interruption(s);
		pending = s->tracker.pending << PAGE_SHIFT;
		read_policy(s, &policy);
		trace_kcolo_migrate_pending(s->name, s->epoch, s->rounds,
					    pending, policy.threshold);
		stop = kcolo_policy_decide(&policy, READ_ONCE(s->kind), pending,
					   s->rounds, &last);
		if (stop != KCOLO_STOP_REASON_NONE)
			break;
		last.before = pending;
		s->rounds++;
		KCOLO_STAT(s, ROUNDS)++;
		reason = run_round(s, s->rounds, KCOLO_PHASE_PRECOPY, &sent);
		if (reason)
			return reason;
		last.sent = sent << PAGE_SHIFT;
		trace_kcolo_round(s->name, s->epoch, s->rounds, last.before,
				  last.sent);
	}
	if (stop == KCOLO_STOP_REASON_THRESHOLD)
		trace_kcolo_migration_low_pending(s->name, s->epoch, pending);
	count_stop(s, stop);
	mutex_lock(&s->lock);
	s->stop_reason = stop;
	mutex_unlock(&s->lock);
	return KCOLO_ABORT_REASON_NONE;
}

/* Step 2: the VMM pauses the guest. */
static enum kcolo_abort_reason ready(struct kcolo_session *s, ktime_t begun)
{
	KCOLO_STAT(s, LAST_ROUNDS) = s->rounds;
	mutex_lock(&s->lock);
	s->ready_time = ktime_get();
	KCOLO_STAT(s, LAST_PRECOPY_US) = ktime_us_delta(s->ready_time, begun);
	if (kcolo_state_set(s, KCOLO_STATE_READY))
		kcolo_session_notify(s, &(struct kcolo_notice) {
			.type = KCOLO_EVENT_TYPE_CHECKPOINT_READY,
			.stop_reason = s->stop_reason,
			.pending = s->tracker.pending << PAGE_SHIFT });
	mutex_unlock(&s->lock);
	return kcolo_await_vmm(s, KCOLO_REQ_FLUSH);
}

static void set_state(struct kcolo_session *s, enum kcolo_state state)
{
	mutex_lock(&s->lock);
	kcolo_state_set(s, state);
	mutex_unlock(&s->lock);
	wake_up_all(&s->wq);
}

/* Step 3: the last harvest, and what it leaves to send. */
static enum kcolo_abort_reason flush(struct kcolo_session *s)
{
	ktime_t begun = ktime_get(), harvested;
	unsigned int pass = 0;
	enum kcolo_abort_reason reason;
	u64 sent;

	KCOLO_STAT(s, LAST_STOP_US) = ktime_us_delta(begun, s->ready_time);
	reason = guest_failed(s, kcolo_dirty_harvest(&s->tracker));
	harvested = ktime_get();
	KCOLO_STAT(s, LAST_HARVEST_US) = ktime_us_delta(harvested, begun);
	while (!reason && s->tracker.pending) {
		if (pass++ == PAUSE_PASSES)
			return kcolo_because(s, KCOLO_ABORT_REASON_MEMSLOTS,
					     "the memslots did not stop changing in the pause");
		reason = run_round(s, s->rounds + pass, KCOLO_PHASE_PAUSE,
				   &sent);
	}
	if (!reason)
		reason = guest_failed(s, kcolo_verify_send(s));
	if (reason)
		return reason;
	KCOLO_STAT(s, LAST_FLUSH_US) = ktime_us_delta(ktime_get(), harvested);
	set_state(s, KCOLO_STATE_FLUSHED);
	return kcolo_await_vmm(s, KCOLO_REQ_COMMIT);
}

static enum kcolo_abort_reason send_devstate(struct kcolo_session *s)
{
	/* No longer written to: the commit was asked for. */
	struct kcolo_devstate *ds = s->devstate;
	struct kcolo_wire_hdr hdr = {
		.type = KCOLO_WIRE_VMSTATE_SIZE,
		.length = KCOLO_WIRE_SIZE,
		.epoch = s->epoch,
	};
	u8 size[KCOLO_WIRE_SIZE];
	size_t at;
	int err;

	kcolo_wire_put_size(size, ds->len);
	err = kcolo_link_send(s, &hdr, size, kcolo_away_from_pause);
	hdr.type = KCOLO_WIRE_VMSTATE_SEND;
	for (at = 0; !err && at < ds->len; at += hdr.length) {
		err = kcolo_away_from_pause(s);
		if (err)
			break;
		hdr.length = min_t(size_t, ds->len - at, KCOLO_WIRE_VMSTATE_MAX);
		err = kcolo_link_send(s, &hdr, ds->data + at,
				      kcolo_away_from_pause);
	}
	return said(s, err);
}

/* From here on only the peer knows whether the epoch is committed. */
static enum kcolo_abort_reason pass_the_end(struct kcolo_session *s)
{
	enum kcolo_abort_reason reason = kcolo_interruption(s);

	mutex_lock(&s->lock);
	if (!reason && test_bit(KCOLO_REQ_ABORT, &s->req))
		reason = KCOLO_ABORT_REASON_REQUESTED;
	if (!reason)
		s->end_sent = true;
	mutex_unlock(&s->lock);
	return reason;
}

/* Steps 4 and 5: device state, the end, and the peer's two answers. */
static enum kcolo_abort_reason commit(struct kcolo_session *s)
{
	ktime_t begun = ktime_get();
	u8 body[KCOLO_WIRE_END];
	enum kcolo_abort_reason reason = KCOLO_ABORT_REASON_NONE;

	set_state(s, KCOLO_STATE_COMMITTING);
	if (!s->external)
		reason = send_devstate(s);
	if (!reason)
		reason = pass_the_end(s);
	if (reason)
		return reason;
	kcolo_wire_put_end(body, &s->sent);
	reason = said(s, kcolo_link_say(s, KCOLO_WIRE_CHECKPOINT_END, s->epoch,
					0, body, sizeof(body)));
	if (!reason)
		reason = kcolo_await_verdict(s);
	if (reason)
		return reason;

	mutex_lock(&s->lock);
	s->received_time = ktime_get();
	kcolo_session_committed(s);
	KCOLO_STAT(s, LAST_RECEIVED_US) = ktime_us_delta(s->received_time, begun);
	KCOLO_STAT(s, LAST_PAUSE_US) = ktime_us_delta(s->received_time,
						      s->ready_time);
	trace_kcolo_commit(s->name, s->epoch, KCOLO_STAT(s, LAST_PAUSE_US));
	if (kcolo_state_set(s, KCOLO_STATE_APPLYING))
		kcolo_session_notify(s, &(struct kcolo_notice) {
			.type = KCOLO_EVENT_TYPE_CHECKPOINT_RECEIVED,
			.stop_reason = s->stop_reason });
	mutex_unlock(&s->lock);
	/* Not in the pause: no epoch opens before this thread is back. */
	kcolo_dirty_committed(&s->tracker);
	return KCOLO_ABORT_REASON_NONE;
}

/*
 * Committed: what happens now changes nothing of that. The worker only waits
 * for the peer to be ready for another epoch.
 */
static void await_applied(struct kcolo_session *s)
{
	wait_event_idle(s->wq, test_bit(KCOLO_WIRE_VMSTATE_LOADED, &s->rx) ||
			test_bit(KCOLO_WIRE_ABORT, &s->rx) ||
			READ_ONCE(s->req) & (BIT(KCOLO_REQ_STOP) |
					     BIT(KCOLO_REQ_LINK) |
					     BIT(KCOLO_REQ_VM_GONE)));
	if (!test_bit(KCOLO_WIRE_VMSTATE_LOADED, &s->rx)) {
		if (test_bit(KCOLO_WIRE_ABORT, &s->rx))
			kcolo_session_link_failed(s, KCOLO_ABORT_REASON_PEER_REFUSED,
						  s->peer_error);
		mutex_lock(&s->lock);
		kcolo_abort_epoch_over(s);
		mutex_unlock(&s->lock);
		return;
	}
	mutex_lock(&s->lock);
	KCOLO_STAT(s, LAST_APPLIED_US) = ktime_us_delta(ktime_get(),
							s->received_time);
	s->applying = false;
	kcolo_state_set(s, KCOLO_STATE_IDLE);
	kcolo_session_notify(s, &(struct kcolo_notice) {
		.type = KCOLO_EVENT_TYPE_CHECKPOINT_COMMITTED,
		.stop_reason = s->stop_reason });
	/* Before the lock is dropped: the next epoch may open at once. */
	kcolo_abort_epoch_over(s);
	mutex_unlock(&s->lock);
}

/**
 * kcolo_checkpoint_run - do a checkpoint
 * @s: primary in state precopy with its epoch numbered; called by its worker
 *
 * Afterwards the session is idle again, or the link is to be given up.
 */
void kcolo_checkpoint_run(struct kcolo_session *s)
{
	ktime_t begun = ktime_get();
	enum kcolo_abort_reason reason;

	reason = open_epoch(s);
	if (!reason)
		reason = precopy(s);
	if (!reason)
		reason = ready(s, begun);
	if (!reason) {
		set_state(s, KCOLO_STATE_FLUSHING);
		reason = flush(s);
	}
	if (!reason)
		reason = commit(s);
	if (reason)
		kcolo_abort_epoch(s, reason);
	else
		await_applied(s);
}
