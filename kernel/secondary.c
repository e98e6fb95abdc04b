// SPDX-License-Identifier: GPL-2.0
/*
 * The secondary: one thread that listens (listen.c), one that receives on the
 * control connection, one that receives pages (apply.c), and a worker that
 * commits, puts in place (commit.c), and promotes.
 */
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include "agree.h"
#include "apply.h"
#include "commit.h"
#include "end.h"
#include "link.h"
#include "listen.h"
#include "mutate.h"
#include "secondary.h"
#include "session.h"
#include "trace.h"
#include "verify.h"

/* Not the peer's fault: the link ends, and not for what it has sent. */
static const char *no_memory(struct kcolo_session *s, const char *what)
{
	kcolo_session_link_failed(s, KCOLO_ABORT_REASON_NO_MEMORY, what);
	return NULL;
}

/* What was agreed is no more: the primary is told, and says REGIONS again. */
static bool refuse_epoch(struct kcolo_session *s,
			 const struct kcolo_wire_hdr *hdr)
{
	static const char why[] = "a region of the secondary was removed";
	bool gone;

	mutex_lock(&s->lock);
	gone = s->regions_gone && s->state == KCOLO_STATE_IDLE;
	mutex_unlock(&s->lock);
	if (gone)
		kcolo_link_say(s, KCOLO_WIRE_ABORT, hdr->epoch,
			       KCOLO_ABORT_REASON_PEER_REFUSED, why,
			       strlen(why));
	return gone;
}

static const char *open_epoch(struct kcolo_session *s,
			      const struct kcolo_wire_hdr *hdr)
{
	struct kcolo_devstate *ds;
	const char *bad = NULL;

	if (refuse_epoch(s, hdr) || kcolo_commit_wont_fit(s, hdr->epoch))
		return NULL;
	ds = kcolo_devstate_new();
	if (!ds)
		return no_memory(s, "no memory for an epoch");
	mutex_lock(&s->lock);
	if (!s->regions_agreed || s->state != KCOLO_STATE_IDLE)
		bad = "CHECKPOINT_REQUEST came when no epoch can open";
	else if (hdr->epoch <= s->epoch)
		bad = "CHECKPOINT_REQUEST has an epoch that was used";
	if (bad) {
		mutex_unlock(&s->lock);
		kcolo_devstate_put(ds);
		return bad;
	}
	s->epoch = hdr->epoch;
	s->kind = hdr->arg == KCOLO_KIND_URGENT;
	s->devstate = ds;
	mutex_lock(&s->staging_lock);
	s->rx_epoch = hdr->epoch;
	memset(&s->got, 0, sizeof(s->got));
	s->take_pages = true;
	mutex_unlock(&s->staging_lock);
	kcolo_state_set(s, KCOLO_STATE_RECEIVING);
	mutex_unlock(&s->lock);
	kcolo_link_say(s, KCOLO_WIRE_CHECKPOINT_REPLY, hdr->epoch, 0, NULL, 0);
	return NULL;
}

/* Whether an epoch was open, which then is open no more. */
static bool close_epoch(struct kcolo_session *s, enum kcolo_abort_reason reason)
{
	lockdep_assert_held(&s->lock);
	if (s->state != KCOLO_STATE_RECEIVING &&
	    s->state != KCOLO_STATE_COMMITTING &&
	    s->state != KCOLO_STATE_PREPARED)
		return false;
	kcolo_session_count_abort(s, reason);
	trace_kcolo_abort(s->name, s->epoch, reason);
	kcolo_devstate_put(s->devstate);
	s->devstate = NULL;
	return true;
}

/* What a peer says need not be a reason that is known here. */
static enum kcolo_abort_reason peer_reason(u32 reason)
{
	if (reason < KCOLO_ABORT_REASON_REQUESTED ||
	    reason > KCOLO_ABORT_REASON_STAGING_LIMIT)
		return KCOLO_ABORT_REASON_PEER_REFUSED;
	return reason;
}

static const char *abort_epoch(struct kcolo_session *s,
			       enum kcolo_abort_reason reason)
{
	u64 epoch;

	mutex_lock(&s->lock);
	epoch = s->epoch;
	/* It may have been dropped here at the same time. */
	if (s->state != KCOLO_STATE_RECEIVING || !close_epoch(s, reason)) {
		mutex_unlock(&s->lock);
		return NULL;
	}
	/* No new epoch opens before this thread reads the next message. */
	s->abort_reason = reason;
	kcolo_state_set(s, KCOLO_STATE_IDLE);
	/* A VMM may be waiting for the rest of it. */
	kcolo_session_notify(s, &(struct kcolo_notice) {
		.type = KCOLO_EVENT_TYPE_CHECKPOINT_ABORTED,
		.abort_reason = reason,
		.epoch = epoch });
	mutex_unlock(&s->lock);
	kcolo_commit_forget(s, epoch);
	return NULL;
}

static const char *got_devstate(struct kcolo_session *s,
				struct kcolo_devstate *ds,
				const struct kcolo_wire_hdr *hdr, const u8 *body)
{
	u64 size;

	if (hdr->type == KCOLO_WIRE_VMSTATE_SIZE) {
		size = kcolo_wire_get_size(body);
		if (ds->size || size > KCOLO_DEVSTATE_MAX)
			return "VMSTATE_SIZE is too large or came twice";
		if (kcolo_devstate_reserve(ds, size))
			return no_memory(s, "no memory for the device state");
		ds->size = size;
		return NULL;
	}
	if (hdr->length > ds->size - ds->len)
		return "there is more device state than was said";
	memcpy(ds->data + ds->len, body, hdr->length);
	ds->len += hdr->length;
	return NULL;
}

static const char *got_end(struct kcolo_session *s,
			   const struct kcolo_devstate *ds, const u8 *body)
{
	bool open;

	if (ds->len != ds->size)
		return "the device state is not whole at CHECKPOINT_END";
	mutex_lock(&s->staging_lock);
	kcolo_wire_get_end(body, &s->expect);
	mutex_unlock(&s->staging_lock);
	mutex_lock(&s->lock);
	/* The worker may have given the link up, or have been promoted. */
	open = s->state == KCOLO_STATE_RECEIVING &&
	       kcolo_state_set(s, KCOLO_STATE_COMMITTING);
	mutex_unlock(&s->lock);
	if (open)
		kcolo_session_request(s, KCOLO_REQ_END);
	return NULL;
}

static const char *epoch_message(struct kcolo_session *s,
				 struct kcolo_devstate *ds,
				 const struct kcolo_wire_hdr *hdr,
				 const u8 *body)
{
	switch (hdr->type) {
	case KCOLO_WIRE_MIGRATE_RAM:
		KCOLO_STAT(s, ROUNDS)++;
		trace_kcolo_round(s->name, hdr->epoch, hdr->arg, 0, 0);
		return NULL;
	case KCOLO_WIRE_VMSTATE_SIZE:
	case KCOLO_WIRE_VMSTATE_SEND:
		if (s->external)
			return "device state came in a session that does not carry it";
		return got_devstate(s, ds, hdr, body);
	case KCOLO_WIRE_HASHES:
		return kcolo_verify_take(s, hdr, body);
	case KCOLO_WIRE_CHECKPOINT_END:
		return got_end(s, ds, body);
	case KCOLO_WIRE_ABORT:
		return abort_epoch(s, peer_reason(hdr->arg));
	default:
		return "the primary sent a message that is not its to send";
	}
}

/* The primary may not know yet that an epoch was refused or dropped. */
static bool comes_late(struct kcolo_session *s, const struct kcolo_wire_hdr *hdr)
{
	bool dropped;

	mutex_lock(&s->lock);
	dropped = hdr->epoch && hdr->epoch == s->dropped;
	mutex_unlock(&s->lock);
	switch (hdr->type) {
	case KCOLO_WIRE_ABORT:
		return true;
	case KCOLO_WIRE_MIGRATE_RAM:
	case KCOLO_WIRE_HASHES:
	case KCOLO_WIRE_CHECKPOINT_END:
		return dropped;
	case KCOLO_WIRE_VMSTATE_SIZE:
	case KCOLO_WIRE_VMSTATE_SEND:
		return dropped && !s->external;
	default:
		return false;
	}
}

/* After the end an ABORT can only ask, and an apply may have been quicker. */
static bool ask_drop(struct kcolo_session *s, const struct kcolo_wire_hdr *hdr)
{
	bool open;

	if (hdr->type != KCOLO_WIRE_ABORT || !s->external)
		return false;
	mutex_lock(&s->lock);
	open = hdr->epoch == s->epoch && (s->state == KCOLO_STATE_COMMITTING ||
					  s->state == KCOLO_STATE_PREPARED);
	if (open) {
		s->drop_epoch = s->epoch;
		kcolo_session_request(s, KCOLO_REQ_DROP);
	}
	mutex_unlock(&s->lock);
	return open;
}

static const char *take_message(struct kcolo_session *s,
				const struct kcolo_wire_hdr *hdr, const u8 *body)
{
	struct kcolo_devstate *ds = NULL;
	const char *bad;

	if (hdr->type == KCOLO_WIRE_REGIONS)
		return kcolo_agree_regions(s, hdr, body);
	if (hdr->type == KCOLO_WIRE_CHECKPOINT_REQUEST)
		return open_epoch(s, hdr);
	if (ask_drop(s, hdr))
		return NULL;

	mutex_lock(&s->lock);
	/* The worker drops its reference when it gives the epoch up. */
	if (s->state == KCOLO_STATE_RECEIVING && hdr->epoch == s->epoch) {
		ds = s->devstate;
		kref_get(&ds->ref);
	}
	mutex_unlock(&s->lock);
	if (!ds)
		return comes_late(s, hdr) ? NULL :
		       "a message came for an epoch that is not open";
	bad = epoch_message(s, ds, hdr, body);
	kcolo_devstate_put(ds);
	return bad;
}

static const char *secondary_message(struct kcolo_session *s,
				     const struct kcolo_wire_hdr *hdr,
				     const u8 *body)
{
	const char *bad = take_message(s, hdr, body);

	/*
	 * What the old primary sent before it could know is no fault of its: the
	 * link has to stand until FENCED is said.
	 */
	return READ_ONCE(s->state) == KCOLO_STATE_PROMOTED ? NULL : bad;
}

static void forget_uuid(struct kcolo_session *s)
{
	lockdep_assert_held(&s->lock);
	memset(s->uuid, 0, sizeof(s->uuid));
	s->uuid_known = false;
	s->epoch = 0;
}

static void link_lost(struct kcolo_session *s)
{
	bool closed;
	u64 epoch;

	mutex_lock(&s->lock);
	/* A primary that has ended its session is not to be replaced. */
	closed = s->link_reason == KCOLO_ABORT_REASON_CLOSED;
	switch (s->state) {
	case KCOLO_STATE_CONNECTING:
	case KCOLO_STATE_IDLE:
	case KCOLO_STATE_RECEIVING:
	case KCOLO_STATE_COMMITTING:
	case KCOLO_STATE_PREPARED:
		break;
	case KCOLO_STATE_LOST:
		/* That it was meant came last. */
		mutex_unlock(&s->lock);
		if (closed)
			kcolo_session_end(s, false);
		return;
	case KCOLO_STATE_APPLYING:
		/* Committed by apply just now: first that. */
		set_bit(KCOLO_REQ_LINK, &s->req);
		fallthrough;
	default:
		mutex_unlock(&s->lock);
		return;
	}
	epoch = s->epoch;
	close_epoch(s, s->link_reason);
	kcolo_state_set(s, KCOLO_STATE_LOST);
	/* One that has nothing of anybody's may become another's. */
	if (!s->committed && !s->clean)
		forget_uuid(s);
	s->abort_reason = s->link_reason;
	kcolo_session_set_error(s, s->link_error);
	if (!closed)
		kcolo_session_notify(s, &(struct kcolo_notice) {
			.type = KCOLO_EVENT_TYPE_PEER_LOST,
			.abort_reason = s->link_reason,
			.error = s->link_error });
	mutex_unlock(&s->lock);
	kcolo_commit_forget(s, epoch);
	if (closed)
		kcolo_session_end(s, false);
}

/*
 * Take over. State first, so that nothing of the old primary is taken from
 * here on; then it is told, if it can be; then the VMM, whose guest runs on.
 */
static void promote(struct kcolo_session *s)
{
	bool done;
	u64 epoch;

	mutex_lock(&s->lock);
	if (s->state == KCOLO_STATE_APPLYING) {
		/* Committed by apply just now: first that. */
		set_bit(KCOLO_REQ_PROMOTE, &s->req);
		mutex_unlock(&s->lock);
		return;
	}
	/* What its primary ended on purpose runs on there. */
	done = s->state != KCOLO_STATE_BROKEN &&
	       s->state != KCOLO_STATE_PROMOTED &&
	       !READ_ONCE(s->guest.gone) &&
	       s->link_reason != KCOLO_ABORT_REASON_CLOSED;
	epoch = s->epoch;
	if (done) {
		close_epoch(s, KCOLO_ABORT_REASON_FENCED);
		done = kcolo_state_set(s, KCOLO_STATE_PROMOTED);
	}
	mutex_unlock(&s->lock);
	if (!done)
		return;
	if (!kcolo_mutant(no_fence)) {
		kcolo_link_say(s, KCOLO_WIRE_FENCED, 0, 0, NULL, 0);
		kcolo_conn_shutdown(&s->control, SHUT_RDWR);
		kcolo_conn_shutdown(&s->data, SHUT_RDWR);
	}
	kcolo_commit_forget(s, epoch);
	mutex_lock(&s->lock);
	kcolo_session_notify(s, &(struct kcolo_notice) {
				.type = KCOLO_EVENT_TYPE_PROMOTED });
	mutex_unlock(&s->lock);
}

#define WORKER_REQS	(BIT(KCOLO_REQ_STOP) | BIT(KCOLO_REQ_LINK) | \
			 BIT(KCOLO_REQ_END) | BIT(KCOLO_REQ_APPLY) | \
			 BIT(KCOLO_REQ_DROP) | BIT(KCOLO_REQ_OVER) | \
			 BIT(KCOLO_REQ_PROMOTE) | BIT(KCOLO_REQ_VM_GONE))

static int secondary_worker(void *arg)
{
	struct kcolo_session *s = arg;

	while (!kcolo_session_stopping(s)) {
		wait_event_idle(s->wq, READ_ONCE(s->req) & WORKER_REQS ||
				kcolo_link_over(s));
		if (test_and_clear_bit(KCOLO_REQ_END, &s->req))
			kcolo_commit_end(s);
		if (test_and_clear_bit(KCOLO_REQ_APPLY, &s->req))
			kcolo_commit_apply(s);
		if (test_bit(KCOLO_REQ_DROP, &s->req))
			kcolo_commit_drop(s);
		if (test_bit(KCOLO_REQ_OVER, &s->req))
			kcolo_commit_over(s);
		if (test_and_clear_bit(KCOLO_REQ_PROMOTE, &s->req))
			promote(s);
		if (test_and_clear_bit(KCOLO_REQ_LINK, &s->req))
			link_lost(s);
		kcolo_link_reap(s);
		if (test_and_clear_bit(KCOLO_REQ_VM_GONE, &s->req))
			kcolo_session_vm_gone(s);
	}
	/* What was committed is not left half in place. */
	if (test_bit(KCOLO_REQ_APPLY, &s->req))
		kcolo_commit_apply(s);
	return 0;
}

static int secondary_data(void *arg)
{
	struct kcolo_session *s = arg;

	allow_signal(SIGKILL);		/* see stop_thread() */
	while (kcolo_link_await(s, KCOLO_WIRE_DATA)) {
		kcolo_receive_pages(s);
		kcolo_link_leave(s, KCOLO_WIRE_DATA);
	}
	return 0;
}

static int secondary_control(void *arg)
{
	struct kcolo_session *s = arg;

	while (kcolo_link_await(s, KCOLO_WIRE_CONTROL)) {
		kcolo_link_receive(s, secondary_message);
		kcolo_link_leave(s, KCOLO_WIRE_CONTROL);
	}
	return 0;
}

static int secondary_listen(void *arg)
{
	struct kcolo_session *s = arg;

	if (kcolo_session_await_start(s))
		kcolo_listen_serve(s);
	return 0;
}

/**
 * kcolo_secondary_start - listen, if it does, and start the threads of a secondary
 * @s: reserved session
 *
 * Return: 0 or a negative errno; ending the session undoes what was done.
 */
int kcolo_secondary_start(struct kcolo_session *s)
{
	int err = 0;

	if (!s->sockets)
		err = kcolo_conn_listen(&s->listener, s->net, &s->local);
	if (!err)
		err = kcolo_session_thread(s, &s->worker, secondary_worker, "sec");
	if (!err)
		err = kcolo_session_thread(s, &s->rx_data, secondary_data, "data");
	if (!err)
		err = kcolo_session_thread(s, &s->ctl, secondary_control, "ctl");
	if (!err)
		err = kcolo_session_thread(s, &s->listen, secondary_listen, "lsn");
	return err;
}
