// SPDX-License-Identifier: GPL-2.0
/*
 * How an epoch ends on a secondary. Whole it is once all that its end counts is
 * there. Committed it is in one place only, kcolo_commit_decide(), under both
 * locks: at once when the session carries the device state, by apply when the
 * VMMs do, and then it is prepared in between. Then it is put in place.
 */
#include "apply.h"
#include "commit.h"
#include "link.h"
#include "mutate.h"
#include "session.h"
#include "trace.h"
#include "verify.h"

/**
 * kcolo_commit_forget - take no more pages of an epoch, and drop what is staged
 * @s: secondary; not under its lock, since who has staging_lock may be waiting
 *	for the VMM's memory
 * @epoch: that is given up; nothing happens when another one has opened
 */
void kcolo_commit_forget(struct kcolo_session *s, u64 epoch)
{
	mutex_lock(&s->staging_lock);
	if (s->rx_epoch == epoch) {
		s->take_pages = false;
		kcolo_staging_drop(&s->staging);
	}
	mutex_unlock(&s->staging_lock);
}

/* Whether all pages of the epoch are there: 1, not yet 0, or never -EPROTO. */
static int epoch_whole(struct kcolo_session *s)
{
	u64 messages;
	int whole;

	if (kcolo_mutant(end_no_wait))
		return 1;
	/* In a wait's condition: no lock. Pages are counted before messages. */
	messages = smp_load_acquire(&s->got.messages);
	if (messages < s->expect.messages)
		whole = 0;
	else if (messages == s->expect.messages &&
		 READ_ONCE(s->got.pages) == s->expect.pages)
		whole = 1;
	else
		whole = -EPROTO;
	return whole;
}

#define COMMIT_INTERRUPTS	(BIT(KCOLO_REQ_STOP) | BIT(KCOLO_REQ_LINK) | \
				 BIT(KCOLO_REQ_PROMOTE) | BIT(KCOLO_REQ_DROP) | \
				 BIT(KCOLO_REQ_OVER) | BIT(KCOLO_REQ_VM_GONE))

/**
 * kcolo_commit_decide - commit the epoch that is whole
 * @s: secondary, committing or prepared; its lock is held, and no pages are
 *	taken any more
 *
 * Afterwards the epoch is committed, whatever becomes of the primary.
 */
void kcolo_commit_decide(struct kcolo_session *s)
{
	struct kcolo_region *r;
	unsigned int i;

	lockdep_assert_held(&s->lock);
	if (!kcolo_state_set(s, KCOLO_STATE_APPLYING))
		return;
	s->committed = s->epoch;
	for (i = 0; (r = kcolo_next_region(s, &i)); i++)
		r->based = false;
	for (i = 0; i < s->nr_peer_regions; i++)
		s->peer_region[i]->based = true;
	s->compare = 0;
	s->too_small = 0;
	kcolo_devstate_put(s->saved);
	s->saved = s->devstate;
	s->devstate = NULL;
	KCOLO_STAT(s, CHECKPOINTS)++;
	KCOLO_STAT(s, CHECKPOINTS_URGENT) += s->kind == KCOLO_KIND_URGENT;
}

/* What is there now is the epoch; false if more came than its end counts. */
static bool take_no_more(struct kcolo_session *s)
{
	bool whole;

	mutex_lock(&s->staging_lock);
	s->take_pages = false;
	whole = epoch_whole(s) == 1;
	mutex_unlock(&s->staging_lock);
	return whole;
}

/* Nothing of it is committed before the VMM says apply. */
static void prepare(struct kcolo_session *s)
{
	if (kcolo_state_set(s, KCOLO_STATE_PREPARED))
		kcolo_session_notify(s, &(struct kcolo_notice) {
			.type = KCOLO_EVENT_TYPE_CHECKPOINT_PREPARED,
			.epoch = s->epoch });
}

static void applied(struct kcolo_session *s, int err)
{
	mutex_lock(&s->lock);
	if (err) {
		kcolo_session_set_error(s, "a committed epoch could not be put in place");
		s->abort_reason = err == -ESRCH ? KCOLO_ABORT_REASON_VM_GONE :
						  KCOLO_ABORT_REASON_GUEST_MEMORY;
		kcolo_state_set(s, KCOLO_STATE_BROKEN);
	} else {
		kcolo_state_set(s, KCOLO_STATE_IDLE);
	}
	trace_kcolo_apply(s->name, s->committed, KCOLO_STAT(s, APPLY_PAGES));
	kcolo_session_notify(s, &(struct kcolo_notice) {
		.type = err ? KCOLO_EVENT_TYPE_BROKEN :
			      KCOLO_EVENT_TYPE_CHECKPOINT_COMMITTED,
		.abort_reason = err ? s->abort_reason : 0,
		.error = err ? s->error : NULL });
	mutex_unlock(&s->lock);
}

/**
 * kcolo_commit_apply - put an epoch in place that is committed
 * @s: secondary, applying; called by its worker
 */
void kcolo_commit_apply(struct kcolo_session *s)
{
	u64 epoch = s->committed;
	int err;

	kcolo_link_say(s, KCOLO_WIRE_VMSTATE_RECEIVED, epoch, 0, NULL, 0);
	err = kcolo_apply_staged(s);
	if (!err)
		kcolo_verify_compare(s);
	applied(s, err);
	if (err)
		kcolo_link_say(s, KCOLO_WIRE_ABORT, epoch,
			       KCOLO_ABORT_REASON_PEER_REFUSED, s->error,
			       strnlen(s->error, KCOLO_WIRE_TEXT_MAX));
	else
		kcolo_link_say(s, KCOLO_WIRE_VMSTATE_LOADED, epoch, 0, NULL, 0);
}

/* A promotion or a drop that was asked for before goes first; so does a limit. */
static bool is_wanted(struct kcolo_session *s)
{
	return s->state == KCOLO_STATE_COMMITTING &&
	       !(READ_ONCE(s->req) & (BIT(KCOLO_REQ_PROMOTE) |
				      BIT(KCOLO_REQ_DROP) |
				      BIT(KCOLO_REQ_OVER)));
}

/**
 * kcolo_commit_end - deal with the end of an epoch
 * @s: secondary, committing; called by its worker
 *
 * Waits for the pages that the end counts, and commits or prepares the epoch.
 * The link is given up when the peer is silent: this wait ends.
 */
void kcolo_commit_end(struct kcolo_session *s)
{
	bool decided = false, wanted;
	int whole = 0;

	/* It may have been dropped, or lost, between its end and here. */
	wait_event_idle(s->wq, READ_ONCE(s->state) != KCOLO_STATE_COMMITTING ||
			(whole = epoch_whole(s)) ||
			READ_ONCE(s->req) & COMMIT_INTERRUPTS);
	if (!whole)
		return;
	mutex_lock(&s->lock);
	wanted = is_wanted(s);
	if (wanted && !take_no_more(s)) {
		whole = -EPROTO;
	} else if (wanted && s->external) {
		prepare(s);
	} else if (wanted) {
		kcolo_commit_decide(s);
		decided = s->state == KCOLO_STATE_APPLYING;
	}
	mutex_unlock(&s->lock);
	if (whole < 0)
		kcolo_session_link_failed(s, KCOLO_ABORT_REASON_PROTOCOL,
					  "an epoch has more pages than its end says");
	if (s->external && kcolo_mutant(apply_before_apply))
		kcolo_apply_staged(s);
	if (decided)
		kcolo_commit_apply(s);
}

/*
 * Whether the drop that was asked for can be done. When not it is forgotten, and
 * an epoch whose end was put off for it goes its way.
 */
static bool may_drop(struct kcolo_session *s)
{
	lockdep_assert_held(&s->lock);
	if (s->epoch == s->drop_epoch && kcolo_state_allows(s, KCOLO_CMD_DROP))
		return true;
	clear_bit(KCOLO_REQ_DROP, &s->req);
	if (s->state == KCOLO_STATE_COMMITTING)
		set_bit(KCOLO_REQ_END, &s->req);
	return false;
}

/* Under s->lock. What still comes of the epoch is ignored. */
static void discarded(struct kcolo_session *s, u64 epoch,
		      enum kcolo_abort_reason reason, const char *why)
{
	lockdep_assert_held(&s->lock);
	s->dropped = epoch;
	s->abort_reason = reason;
	if (why)
		kcolo_session_set_error(s, why);
	kcolo_session_count_abort(s, reason);
	kcolo_devstate_put(s->devstate);
	s->devstate = NULL;
	kcolo_state_set(s, KCOLO_STATE_IDLE);
	trace_kcolo_abort(s->name, epoch, reason);
	kcolo_session_notify(s, &(struct kcolo_notice) {
		.type = KCOLO_EVENT_TYPE_CHECKPOINT_ABORTED,
		.abort_reason = reason,
		.epoch = epoch,
		.error = why });
}

/**
 * kcolo_commit_drop - discard an epoch that the VMM does not want
 * @s: secondary with KCOLO_REQ_DROP; called by its worker
 *
 * It is forgotten before the state says so: no other epoch opens meanwhile,
 * unless the primary has given this one up itself. The request stands until it
 * is done, and nothing that it forbids is let in.
 */
void kcolo_commit_drop(struct kcolo_session *s)
{
	static const char why[] = "the epoch was dropped on the secondary";
	u64 epoch;
	bool may;

	mutex_lock(&s->lock);
	epoch = s->drop_epoch;
	may = may_drop(s);
	mutex_unlock(&s->lock);
	if (!may)
		return;
	kcolo_commit_forget(s, epoch);
	mutex_lock(&s->lock);
	if (s->drop_epoch != epoch || !may_drop(s)) {
		mutex_unlock(&s->lock);
		return;
	}
	clear_bit(KCOLO_REQ_DROP, &s->req);
	discarded(s, epoch, KCOLO_ABORT_REASON_REQUESTED, NULL);
	mutex_unlock(&s->lock);
	kcolo_link_say(s, KCOLO_WIRE_ABORT, epoch,
		       KCOLO_ABORT_REASON_PEER_REFUSED, why, strlen(why));
}

/* Under s->lock: the words go to the primary, too. */
static void refuse_size(struct kcolo_session *s, u64 epoch, char *why, size_t len)
{
	snprintf(why, len,
		 "the pages of an epoch do not fit into %llu bytes: set the secondary's staging-limit to more (checkpoints that come more often need less)",
		 s->too_small);
	discarded(s, epoch, KCOLO_ABORT_REASON_STAGING_LIMIT, why);
}

static void say_refused(struct kcolo_session *s, u64 epoch, const char *why)
{
	kcolo_link_say(s, KCOLO_WIRE_ABORT, epoch,
		       KCOLO_ABORT_REASON_STAGING_LIMIT, why, strlen(why));
}

/**
 * kcolo_commit_over - give up an epoch that does not fit under staging-limit
 * @s: secondary with KCOLO_REQ_OVER; called by its worker
 *
 * The link stands. As kcolo_commit_drop(), it is forgotten before the state says
 * so.
 */
void kcolo_commit_over(struct kcolo_session *s)
{
	char why[KCOLO_WIRE_TEXT_MAX];
	u64 epoch, limit;
	bool open;

	mutex_lock(&s->staging_lock);
	clear_bit(KCOLO_REQ_OVER, &s->req);
	epoch = s->over_epoch;
	limit = s->over_limit;
	mutex_unlock(&s->staging_lock);
	kcolo_commit_forget(s, epoch);
	mutex_lock(&s->lock);
	s->too_small = max(s->too_small, limit);
	/* It may have ended in another way. */
	open = s->epoch == epoch && (s->state == KCOLO_STATE_RECEIVING ||
				     s->state == KCOLO_STATE_COMMITTING);
	if (open)
		refuse_size(s, epoch, why, sizeof(why));
	mutex_unlock(&s->lock);
	if (open)
		say_refused(s, epoch, why);
}

/**
 * kcolo_commit_wont_fit - refuse an epoch that cannot fit under staging-limit
 * @s: secondary, idle; called by the thread that receives on control
 * @epoch: that is to open
 *
 * What an epoch has brought that did not fit comes again with the next one, and
 * more with it. So none is taken before the limit is another: it would be sent for
 * nothing, each time.
 *
 * Return: whether it was refused; the primary is told.
 */
bool kcolo_commit_wont_fit(struct kcolo_session *s, u64 epoch)
{
	u64 limit = READ_ONCE(s->staging.limit);
	char why[KCOLO_WIRE_TEXT_MAX];
	bool refused;

	mutex_lock(&s->lock);
	refused = s->regions_agreed && s->state == KCOLO_STATE_IDLE &&
		  epoch > s->epoch && limit && limit <= s->too_small &&
		  !kcolo_mutant(resync_forever);
	if (refused) {
		s->epoch = epoch;
		refuse_size(s, epoch, why, sizeof(why));
	}
	mutex_unlock(&s->lock);
	if (refused)
		say_refused(s, epoch, why);
	return refused;
}
