// SPDX-License-Identifier: GPL-2.0
/*
 * What a primary does with an epoch that is not to be, and with a link that is no
 * more. All of it runs in the session's worker.
 */
#include "abort.h"
#include "await.h"
#include "link.h"
#include "mutate.h"
#include "session.h"
#include "trace.h"

/**
 * kcolo_abort_epoch_over - forget what belongs to an epoch that has ended
 * @s: primary; its lock is held
 */
void kcolo_abort_epoch_over(struct kcolo_session *s)
{
	lockdep_assert_held(&s->lock);
	kcolo_devstate_put(s->devstate);
	s->devstate = NULL;
	s->ready_time = 0;
	clear_bit(KCOLO_REQ_FLUSH, &s->req);
	clear_bit(KCOLO_REQ_COMMIT, &s->req);
	clear_bit(KCOLO_REQ_ABORT, &s->req);
}

static void tell_link_lost(struct kcolo_session *s)
{
	bool fenced = s->link_reason == KCOLO_ABORT_REASON_FENCED;

	lockdep_assert_held(&s->lock);
	s->abort_reason = s->link_reason;
	kcolo_session_set_error(s, s->link_error);
	/* An end that was asked for here is no loss: session-del says it. */
	if (fenced || !s->orderly)
		kcolo_session_notify(s, &(struct kcolo_notice) {
			.type = fenced ? KCOLO_EVENT_TYPE_FENCED :
					 KCOLO_EVENT_TYPE_PEER_LOST,
			.abort_reason = s->link_reason,
			.error = s->link_error });
}

/* A link is lost once; that the peer has taken over may come after it. */
static void link_lost(struct kcolo_session *s)
{
	bool fenced = s->link_reason == KCOLO_ABORT_REASON_FENCED;

	lockdep_assert_held(&s->lock);
	if (s->state == KCOLO_STATE_FENCED ||
	    (!fenced && (s->state == KCOLO_STATE_LOST ||
			 s->state == KCOLO_STATE_DOUBT)))
		return;
	kcolo_state_set(s, fenced ? KCOLO_STATE_FENCED : KCOLO_STATE_LOST);
	tell_link_lost(s);
}

/* For what is sent when nothing is left to abort: only what ends the session. */
static int away_for_good(void *session)
{
	const struct kcolo_session *s = session;

	if (READ_ONCE(s->req) & (BIT(KCOLO_REQ_STOP) | BIT(KCOLO_REQ_LINK) |
				 BIT(KCOLO_REQ_VM_GONE)) ||
	    atomic_read(&s->ended))
		return -ECANCELED;
	return 0;
}

/* What the worker was called away from is done, and the peer is told. */
static void tell_given_up(struct kcolo_session *s, u64 epoch,
			  enum kcolo_abort_reason reason)
{
	struct kcolo_wire_hdr hdr = {
		.type = KCOLO_WIRE_ABORT,
		.arg = reason,
		.epoch = epoch,
	};
	int err = kcolo_conn_finish(&s->data, away_for_good, s);

	if (err == -ETIMEDOUT)
		kcolo_session_link_failed(s, KCOLO_ABORT_REASON_PEER_TIMEOUT,
					  "the peer takes no more pages");
	else if (err && !kcolo_called_away(err))
		kcolo_session_link_failed(s, KCOLO_ABORT_REASON_PEER_LOST,
					  "the data connection is lost");
	kcolo_link_send(s, &hdr, NULL, away_for_good);
}

/* Of what was sent nothing can be said but that it has to be sent again. */
static void unacked_again(struct kcolo_session *s)
{
	if (kcolo_mutant(forget_on_loss) &&
	    s->link_reason != KCOLO_ABORT_REASON_NONE)
		kcolo_dirty_committed(&s->tracker);
	else
		kcolo_dirty_aborted(&s->tracker);
}

/*
 * Give the epoch up: the guest goes on, and what was sent is dirty again. The
 * VMM is told before the peer, for whom it may have to be waited.
 */
static void give_up(struct kcolo_session *s, enum kcolo_abort_reason reason)
{
	u64 epoch = s->epoch;
	bool link;

	unacked_again(s);
	mutex_lock(&s->lock);
	link = s->link_reason == KCOLO_ABORT_REASON_NONE &&
	       !test_bit(KCOLO_REQ_VM_GONE, &s->req);
	/* All of RAM is pending again: not in a pause. */
	if (!kcolo_session_all_based(s))
		s->synced = false;
	s->abort_reason = reason;
	kcolo_session_count_abort(s, reason);
	if (link)
		kcolo_state_set(s, KCOLO_STATE_IDLE);
	trace_kcolo_abort(s->name, s->epoch, reason);
	kcolo_session_notify(s, &(struct kcolo_notice) {
		.type = KCOLO_EVENT_TYPE_CHECKPOINT_ABORTED,
		.abort_reason = reason,
		.error = s->error });
	kcolo_abort_epoch_over(s);
	/* Whoever reads the state sees no epoch that was given up as open. */
	if (s->link_reason != KCOLO_ABORT_REASON_NONE)
		link_lost(s);
	mutex_unlock(&s->lock);
	if (link)
		tell_given_up(s, epoch, reason);
}

/*
 * The end was sent and no answer came: both to go on and to start again would
 * be a guess. The link is given up, and the state says so. The peer decides, when
 * it is there again (resync.c).
 */
static void in_doubt(struct kcolo_session *s, enum kcolo_abort_reason reason)
{
	if (!test_bit(KCOLO_REQ_LINK, &s->req))
		kcolo_session_link_failed(s, reason, "no answer to the end of an epoch");
	mutex_lock(&s->lock);
	if (s->link_reason != KCOLO_ABORT_REASON_FENCED &&
	    kcolo_state_set(s, KCOLO_STATE_DOUBT)) {
		kcolo_session_notify(s, &(struct kcolo_notice) {
			.type = KCOLO_EVENT_TYPE_CHECKPOINT_DOUBT,
			.abort_reason = reason,
			.error = s->error });
		tell_link_lost(s);
	} else {
		link_lost(s);
	}
	kcolo_abort_epoch_over(s);
	mutex_unlock(&s->lock);
}

/*
 * Whether an epoch whose end was sent may yet be committed. A peer that ended
 * its session commits nothing any more; nor does one that has dropped an epoch
 * before its VMM said apply, or since it did not fit.
 */
static bool may_commit(struct kcolo_session *s)
{
	if (!s->end_sent || s->link_reason == KCOLO_ABORT_REASON_CLOSED)
		return false;
	return !(test_bit(KCOLO_WIRE_ABORT, &s->rx) &&
		 (s->external ||
		  s->peer_reason == KCOLO_ABORT_REASON_STAGING_LIMIT));
}

/**
 * kcolo_abort_epoch - deal with an epoch that is given up
 * @s: primary with an open epoch; called by its worker
 * @reason: why
 *
 * Afterwards the session is idle again, or lost, fenced, or in doubt.
 */
void kcolo_abort_epoch(struct kcolo_session *s, enum kcolo_abort_reason reason)
{
	if (may_commit(s))
		in_doubt(s, reason);
	else
		give_up(s, reason);
}

/**
 * kcolo_abort_link_lost - deal with a link that has failed
 * @s: primary without an open epoch; called by its worker
 */
void kcolo_abort_link_lost(struct kcolo_session *s)
{
	mutex_lock(&s->lock);
	link_lost(s);
	mutex_unlock(&s->lock);
}

/**
 * kcolo_abort_doubt - give an epoch up that is in doubt, if that is wanted
 * @s: primary; called by its worker
 *
 * Somebody knows that the secondary is off. Should it be there again with that
 * epoch all the same, it is not what was committed last, and all is sent anew.
 */
void kcolo_abort_doubt(struct kcolo_session *s)
{
	mutex_lock(&s->lock);
	if (s->state != KCOLO_STATE_DOUBT ||
	    !test_and_clear_bit(KCOLO_REQ_ABORT, &s->req))
		goto out;
	kcolo_dirty_aborted(&s->tracker);
	s->end_sent = false;
	kcolo_session_count_abort(s, KCOLO_ABORT_REASON_REQUESTED);
	kcolo_state_set(s, KCOLO_STATE_LOST);
	kcolo_session_notify(s, &(struct kcolo_notice) {
		.type = KCOLO_EVENT_TYPE_CHECKPOINT_ABORTED,
		.abort_reason = KCOLO_ABORT_REASON_REQUESTED });
out:
	mutex_unlock(&s->lock);
}
