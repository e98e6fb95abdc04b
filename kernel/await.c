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
		reason = s->peer_reason;
		kcolo_session_set_error(s, s->peer_error);
		mutex_unlock(&s->lock);
		return reason;
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

/**
 * struct wait - what is waited for, and for how long
 * @word: where
 * @bit: the answer of the peer or the request of the VMM
 * @away: bits of s->req that end the wait; so does the peer's ABORT
 * @limit: milliseconds, a parameter of the session that may change meanwhile; 0,
 *	or no @limit, is for ever
 * @since: when it began to count
 */
struct wait {
	const unsigned long *word;
	unsigned int bit;
	unsigned long away;
	const u32 *limit;
	ktime_t since;
};

static bool is_over(const struct kcolo_session *s, const struct wait *w)
{
	return test_bit(w->bit, w->word) || READ_ONCE(s->req) & w->away ||
	       test_bit(KCOLO_WIRE_ABORT, &s->rx);
}

/* Returns false when the time has passed first. Who changes a limit wakes us. */
static bool wait_in_time(struct kcolo_session *s, const struct wait *w)
{
	s64 spent;
	u32 ms;

	while (!is_over(s, w)) {
		ms = w->limit ? READ_ONCE(*w->limit) : 0;
		if (!ms) {
			wait_event_idle(s->wq, is_over(s, w) ||
					(w->limit && READ_ONCE(*w->limit)));
			continue;
		}
		spent = ktime_ms_delta(ktime_get(), w->since);
		if (spent >= ms)
			return false;
		wait_event_idle_timeout(s->wq, is_over(s, w) ||
					READ_ONCE(*w->limit) != ms,
					msecs_to_jiffies(ms - spent) + 1);
	}
	return true;
}

static enum kcolo_abort_reason peer_is_late(struct kcolo_session *s)
{
	return kcolo_because(s, KCOLO_ABORT_REASON_PEER_TIMEOUT,
			     "the peer has not answered within peer-timeout");
}

static enum kcolo_abort_reason await_answer(struct kcolo_session *s,
					    enum kcolo_wire_type type,
					    const u32 *limit, unsigned long away)
{
	const struct wait w = {
		.word = &s->rx,
		.bit = type,
		.away = away,
		.limit = limit,
		.since = ktime_get(),
	};
	bool late = !wait_in_time(s, &w);

	/* What came counts, whatever came after it: RECEIVED is a commit. */
	if (test_bit(type, &s->rx))
		return KCOLO_ABORT_REASON_NONE;
	return late ? peer_is_late(s) : kcolo_interruption(s);
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
	return await_answer(s, type, &s->peer_timeout, INTERRUPTS);
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
	const struct wait w = {
		.word = &s->rx,
		.bit = KCOLO_WIRE_CHECKPOINT_READY,
		.away = INTERRUPTS & ~BIT(KCOLO_REQ_ABORT),
		.limit = &s->peer_timeout,
		.since = ktime_get(),
	};

	if (!wait_in_time(s, &w))
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
	reason = await_answer(s, KCOLO_WIRE_VMSTATE_RECEIVED, NULL, INTERRUPTS);
	if (reason != KCOLO_ABORT_REASON_REQUESTED)
		return reason;
	kcolo_link_say(s, KCOLO_WIRE_ABORT, s->epoch, reason, NULL, 0);
	/* Asked for once more it is the same request. */
	reason = await_answer(s, KCOLO_WIRE_VMSTATE_RECEIVED, &s->peer_timeout,
			      INTERRUPTS & ~BIT(KCOLO_REQ_ABORT));
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
	const struct wait w = {
		.word = &s->req,
		.bit = req,
		.away = INTERRUPTS,
		.limit = &s->pause_limit,
		.since = s->ready_time,
	};

	if (!wait_in_time(s, &w))
		return kcolo_because(s, KCOLO_ABORT_REASON_PAUSE_LIMIT,
				     KCOLO_PAUSE_OVER);
	return kcolo_interruption(s);
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
	struct wait w = {
		.word = &s->req,
		.bit = KCOLO_REQ_LOG_SYNCED,
		.away = INTERRUPTS,
		.limit = &s->log_sync_timeout,
	};

	if (!READ_ONCE(s->log_sync))
		return KCOLO_ABORT_REASON_NONE;
	clear_bit(KCOLO_REQ_LOG_SYNCED, &s->req);
	KCOLO_STAT(s, LOG_SYNCS)++;
	mutex_lock(&s->lock);
	kcolo_session_notify(s, &(struct kcolo_notice) {
				.type = KCOLO_EVENT_TYPE_HARVEST_WANTED });
	mutex_unlock(&s->lock);
	w.since = ktime_get();
	if (!kcolo_mutant(log_sync_no_wait))
		wait_in_time(s, &w);
	if (kcolo_interrupted(s))
		return kcolo_interruption(s);
	if (!test_bit(KCOLO_REQ_LOG_SYNCED, &s->req))
		KCOLO_STAT(s, LOG_SYNC_LATE)++;
	return KCOLO_ABORT_REASON_NONE;
}
