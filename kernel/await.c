// SPDX-License-Identifier: GPL-2.0
/*
 * What a primary's worker waits for in a checkpoint: the peer, its own VMM; and
 * why it stops waiting. Each wait is bounded, or ends with the link.
 */
#include <linux/jiffies.h>
#include "await.h"
#include "link.h"
#include "mutate.h"

#define INTERRUPTS	(BIT(KCOLO_REQ_ABORT) | BIT(KCOLO_REQ_STOP) | \
			 BIT(KCOLO_REQ_LINK) | BIT(KCOLO_REQ_VM_GONE))

/**
 * kcolo_interrupted - whether the checkpoint is to be given up
 * @s: primary in a checkpoint
 *
 * Return: true when somebody wants that.
 */
bool kcolo_interrupted(const struct kcolo_session *s)
{
	return READ_ONCE(s->req) & INTERRUPTS ||
	       test_bit(KCOLO_WIRE_ABORT, &s->rx);
}

/**
 * kcolo_interruption - why the checkpoint is to be given up
 * @s: primary in a checkpoint
 *
 * Return: the reason, whose words are the session's error; NONE when it is not.
 */
enum kcolo_abort_reason kcolo_interruption(struct kcolo_session *s)
{
	enum kcolo_abort_reason reason = KCOLO_ABORT_REASON_NONE;

	if (test_bit(KCOLO_REQ_STOP, &s->req) || atomic_read(&s->ended))
		return KCOLO_ABORT_REASON_CLOSED;
	if (test_bit(KCOLO_REQ_LINK, &s->req)) {
		mutex_lock(&s->lock);
		reason = s->link_reason;
		kcolo_session_set_error(s, s->link_error);
		mutex_unlock(&s->lock);
		return reason;
	}
	if (test_bit(KCOLO_REQ_VM_GONE, &s->req))
		return KCOLO_ABORT_REASON_VM_GONE;
	if (test_bit(KCOLO_WIRE_ABORT, &s->rx)) {
		mutex_lock(&s->lock);
		kcolo_session_set_error(s, s->peer_error);
		mutex_unlock(&s->lock);
		return KCOLO_ABORT_REASON_PEER_REFUSED;
	}
	if (test_bit(KCOLO_REQ_ABORT, &s->req))
		return KCOLO_ABORT_REASON_REQUESTED;
	return reason;
}

/**
 * kcolo_because - give a reason its words
 * @s: session
 * @reason: why
 * @why: in words, the session's error from now on
 *
 * Return: @reason.
 */
enum kcolo_abort_reason kcolo_because(struct kcolo_session *s,
				      enum kcolo_abort_reason reason,
				      const char *why)
{
	mutex_lock(&s->lock);
	kcolo_session_set_error(s, why);
	mutex_unlock(&s->lock);
	return reason;
}

/*
 * Wait for an answer of the peer or a request of the VMM. @ms of 0 waits for
 * ever; a peer that dies is noticed by the link.
 */
static enum kcolo_abort_reason await(struct kcolo_session *s,
				     unsigned long *word, unsigned int bit,
				     unsigned int ms,
				     enum kcolo_abort_reason late)
{
	unsigned long left = msecs_to_jiffies(ms);
	bool there;

	if (ms) {
		left = wait_event_idle_timeout(s->wq, test_bit(bit, word) ||
					       kcolo_interrupted(s), left);
		there = left > 0;
	} else {
		wait_event_idle(s->wq, test_bit(bit, word) ||
				kcolo_interrupted(s));
		there = true;
	}
	if (!there)
		return kcolo_because(s, late,
				     late == KCOLO_ABORT_REASON_PAUSE_LIMIT ?
				     KCOLO_PAUSE_OVER :
				     "the peer has not answered within peer-timeout");
	if (kcolo_interrupted(s))
		return kcolo_interruption(s);
	return KCOLO_ABORT_REASON_NONE;
}

static enum kcolo_abort_reason await_answer(struct kcolo_session *s,
					    enum kcolo_wire_type type, u32 ms)
{
	enum kcolo_abort_reason reason;

	reason = await(s, &s->rx, type, ms, KCOLO_ABORT_REASON_PEER_TIMEOUT);
	/* What came counts, whatever came after it: RECEIVED is a commit. */
	return test_bit(type, &s->rx) ? KCOLO_ABORT_REASON_NONE : reason;
}

/**
 * kcolo_await_peer - wait for an answer of the peer
 * @s: primary in a checkpoint
 * @type: of the answer
 *
 * Return: NONE when it came, or why not.
 */
enum kcolo_abort_reason kcolo_await_peer(struct kcolo_session *s,
					 enum kcolo_wire_type type)
{
	return await_answer(s, type, READ_ONCE(s->peer_timeout));
}

/**
 * kcolo_await_agreement - wait for what the peer says of the regions
 * @s: primary that has sent them
 *
 * The secondary agrees to regions once: its answer is waited for even when the
 * checkpoint is not wanted any more.
 *
 * Return: NONE when they are agreed, or why the checkpoint is to be given up.
 */
enum kcolo_abort_reason kcolo_await_agreement(struct kcolo_session *s)
{
	if (!wait_event_idle_timeout(s->wq,
				     test_bit(KCOLO_WIRE_CHECKPOINT_READY, &s->rx) ||
				     test_bit(KCOLO_WIRE_ABORT, &s->rx) ||
				     READ_ONCE(s->req) &
				     (INTERRUPTS & ~BIT(KCOLO_REQ_ABORT)),
				     msecs_to_jiffies(READ_ONCE(s->peer_timeout))))
		kcolo_session_link_failed(s, KCOLO_ABORT_REASON_PEER_TIMEOUT,
					  "the peer has not answered within peer-timeout");
	if (test_bit(KCOLO_WIRE_CHECKPOINT_READY, &s->rx)) {
		mutex_lock(&s->lock);
		s->regions_agreed = true;
		mutex_unlock(&s->lock);
	}
	return kcolo_interrupted(s) ? kcolo_interruption(s) :
				      KCOLO_ABORT_REASON_NONE;
}

/**
 * kcolo_await_verdict - wait for what becomes of an epoch whose end was sent
 * @s: primary
 *
 * With external device state the secondary's VMM decides, and takes the time it
 * takes. An abort can only ask it to drop the epoch.
 *
 * Return: NONE when it is committed, or why that is not known. ABORT in s->rx
 * says that it is not, in an external session.
 */
enum kcolo_abort_reason kcolo_await_verdict(struct kcolo_session *s)
{
	enum kcolo_abort_reason reason;

	if (!s->external)
		return kcolo_await_peer(s, KCOLO_WIRE_VMSTATE_RECEIVED);
	reason = await_answer(s, KCOLO_WIRE_VMSTATE_RECEIVED, 0);
	if (reason != KCOLO_ABORT_REASON_REQUESTED)
		return reason;
	clear_bit(KCOLO_REQ_ABORT, &s->req);
	kcolo_link_say(s, KCOLO_WIRE_ABORT, s->epoch, reason, NULL, 0);
	reason = kcolo_await_peer(s, KCOLO_WIRE_VMSTATE_RECEIVED);
	return reason == KCOLO_ABORT_REASON_PEER_REFUSED ?
	       KCOLO_ABORT_REASON_REQUESTED : reason;
}

/**
 * kcolo_await_vmm - wait for a request of the VMM in the pause
 * @s: primary after checkpoint-ready
 * @req: the request
 *
 * For as long as is left of pause-limit, which counts from checkpoint-ready.
 *
 * Return: NONE when it came, or why not.
 */
enum kcolo_abort_reason kcolo_await_vmm(struct kcolo_session *s,
					enum kcolo_req req)
{
	s64 spent = ktime_ms_delta(ktime_get(), s->ready_time);
	u32 limit = READ_ONCE(s->pause_limit);

	if (limit)
		limit = spent < limit ? limit - spent : 1;
	return await(s, &s->req, req, limit, KCOLO_ABORT_REASON_PAUSE_LIMIT);
}

/**
 * kcolo_await_log - have the VMM bring its own log to the user log
 * @s: primary whose guest runs; no chunk is between clear and send
 *
 * Only if log-sync is on, and not for longer than log-sync-timeout: what comes
 * too late is found by the next harvest, and the last one is the VMM's to
 * prepare.
 *
 * Return: NONE, or why the checkpoint is to be given up.
 */
enum kcolo_abort_reason kcolo_await_log(struct kcolo_session *s)
{
	u32 ms = READ_ONCE(s->log_sync_timeout);

	if (!READ_ONCE(s->log_sync))
		return KCOLO_ABORT_REASON_NONE;
	clear_bit(KCOLO_REQ_LOG_SYNCED, &s->req);
	KCOLO_STAT(s, LOG_SYNCS)++;
	mutex_lock(&s->lock);
	kcolo_session_notify(s, &(struct kcolo_notice) {
				.type = KCOLO_EVENT_TYPE_HARVEST_WANTED });
	mutex_unlock(&s->lock);
	if (!kcolo_mutant(log_sync_no_wait))
		wait_event_idle_timeout(s->wq, kcolo_interrupted(s) ||
					test_bit(KCOLO_REQ_LOG_SYNCED, &s->req),
					msecs_to_jiffies(ms));
	if (kcolo_interrupted(s))
		return kcolo_interruption(s);
	if (!test_bit(KCOLO_REQ_LOG_SYNCED, &s->req))
		KCOLO_STAT(s, LOG_SYNC_LATE)++;
	return KCOLO_ABORT_REASON_NONE;
}
