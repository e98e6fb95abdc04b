// SPDX-License-Identifier: GPL-2.0
/*
 * The primary: one worker thread that connects, and then does what it is
 * asked, a checkpoint at a time (checkpoint.c); one thread that receives on
 * the control connection and leaves what came for the worker to see.
 */
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include "abort.h"
#include "checkpoint.h"
#include "link.h"
#include "primary.h"
#include "resync.h"
#include "session.h"
#include "stream.h"
#include "verify.h"

/* Between two tries to connect, at first and at most. */
#define RETRY_MS	500
#define RETRY_MAX_MS	8000

/* Believed before the end was sent it would commit what was never whole. */
static bool too_early(struct kcolo_session *s, const struct kcolo_wire_hdr *hdr)
{
	bool early;

	mutex_lock(&s->lock);
	early = hdr->epoch == s->epoch &&
		(hdr->type == KCOLO_WIRE_VMSTATE_RECEIVED ? !s->end_sent :
		 !test_bit(KCOLO_WIRE_VMSTATE_RECEIVED, &s->rx));
	mutex_unlock(&s->lock);
	return early;
}

/* Of a secondary's reasons one is a reason here, too: what to do is said by it. */
static enum kcolo_abort_reason refusal(u32 reason)
{
	return reason == KCOLO_ABORT_REASON_STAGING_LIMIT ?
	       KCOLO_ABORT_REASON_STAGING_LIMIT :
	       KCOLO_ABORT_REASON_PEER_REFUSED;
}

static const char *primary_message(struct kcolo_session *s,
				   const struct kcolo_wire_hdr *hdr,
				   const u8 *body)
{
	switch (hdr->type) {
	case KCOLO_WIRE_CHECKPOINT_READY:
	case KCOLO_WIRE_CHECKPOINT_REPLY:
		break;
	case KCOLO_WIRE_VMSTATE_RECEIVED:
	case KCOLO_WIRE_VMSTATE_LOADED:
		if (too_early(s, hdr))
			return "the secondary answered what it was not asked yet";
		break;
	case KCOLO_WIRE_ABORT:
		mutex_lock(&s->lock);
		if (hdr->epoch == s->epoch)
			s->peer_reason = refusal(hdr->arg);
		kcolo_link_quote(s->peer_error, sizeof(s->peer_error), body,
				 hdr->length);
		mutex_unlock(&s->lock);
		break;
	case KCOLO_WIRE_VERIFIED:
		return kcolo_verify_result(s, hdr, body);
	case KCOLO_WIRE_FENCED:
		kcolo_session_link_failed(s, KCOLO_ABORT_REASON_FENCED,
					  "the secondary has taken over");
		return NULL;
	default:
		return "the secondary sent a message that is not its to send";
	}
	/* What belongs to an epoch that was given up comes too late. */
	mutex_lock(&s->lock);
	if (hdr->epoch == s->epoch)
		set_bit(hdr->type, &s->rx);
	mutex_unlock(&s->lock);
	wake_up_all(&s->wq);
	return NULL;
}

static int primary_receiver(void *arg)
{
	struct kcolo_session *s = arg;

	while (kcolo_link_await(s, KCOLO_WIRE_CONTROL)) {
		kcolo_link_receive(s, primary_message);
		kcolo_link_leave(s, KCOLO_WIRE_CONTROL);
	}
	return 0;
}

/* Whether there is no peer, and one is to be looked for. */
static bool peer_is_wanted(const struct kcolo_session *s)
{
	/* The secondary hangs up when it is told of the end. */
	if (test_bit(KCOLO_REQ_LINKED, &s->req) || READ_ONCE(s->guest.gone) ||
	    atomic_read(&s->ended) || (s->sockets && !kcolo_link_handed(s)))
		return false;
	switch (READ_ONCE(s->state)) {
	case KCOLO_STATE_CONNECTING:
		return true;
	case KCOLO_STATE_LOST:
	case KCOLO_STATE_DOUBT:
		return s->sockets || READ_ONCE(s->reconnect);
	default:
		return false;
	}
}

/* What was wrong before stands first: that it is tried again is no news. */
static void not_connected(struct kcolo_session *s, int err, const char *why)
{
	char both[2 * KCOLO_ERROR_MAX + 2];	/* cut when it is kept */

	mutex_lock(&s->lock);
	if (err == -EKEYREVOKED) {
		s->link_reason = KCOLO_ABORT_REASON_FENCED;
		strscpy(s->link_error, why, sizeof(s->link_error));
		set_bit(KCOLO_REQ_LINK, &s->req);
	}
	if (s->link_error[0] && err != -EKEYREVOKED) {
		snprintf(both, sizeof(both), "%s; %s", s->link_error, why);
		why = both;
	}
	kcolo_session_set_error(s, why);
	mutex_unlock(&s->lock);
}

/**
 * struct retry - when to look for the peer
 * @next: jiffies of the next try
 * @ms: between that and the one after it
 */
struct retry {
	unsigned long next;
	unsigned int ms;
};

static void retry_now(struct retry *r)
{
	r->next = jiffies;
	r->ms = RETRY_MS;
}

/* Who was there before is waited for longer and longer. */
static void retry_later(const struct kcolo_session *s, struct retry *r)
{
	r->next = jiffies + msecs_to_jiffies(r->ms);
	if (s->sockets)
		r->next = jiffies;
	else if (s->links)
		r->ms = min_t(unsigned int, 2 * r->ms, RETRY_MAX_MS);
}

static void primary_connect(struct kcolo_session *s, struct retry *r)
{
	struct kcolo_wire_hello hello;
	char why[KCOLO_ERROR_MAX];
	int err;

	err = kcolo_link_connect(s, &hello, why, sizeof(why));
	WRITE_ONCE(s->greeted, false);
	if (err) {
		not_connected(s, err, why);
		retry_later(s, r);
	} else {
		kcolo_resync_connected(s, &hello);
	}
	wake_up_all(&s->wq);
}

#define IDLE_REQS	(BIT(KCOLO_REQ_STOP) | BIT(KCOLO_REQ_LINK) | \
			 BIT(KCOLO_REQ_VM_GONE) | BIT(KCOLO_REQ_CONNECT) | \
			 BIT(KCOLO_REQ_CHECKPOINT))

/* An abort that comes in an epoch is the epoch's. */
static bool has_work(const struct kcolo_session *s)
{
	return READ_ONCE(s->req) & IDLE_REQS || kcolo_link_over(s) ||
	       (test_bit(KCOLO_REQ_ABORT, &s->req) &&
		READ_ONCE(s->state) == KCOLO_STATE_DOUBT);
}

static void wait_for_work(struct kcolo_session *s, const struct retry *r)
{
	long left = r->next - jiffies;

	if (!peer_is_wanted(s))
		wait_event_idle(s->wq, has_work(s) || peer_is_wanted(s));
	else if (left > 0)
		wait_event_idle_timeout(s->wq, has_work(s), left);
}

static void checkpoint(struct kcolo_session *s)
{
	kcolo_session_charge(s);
	kcolo_checkpoint_run(s);
	kcolo_session_charge_end();
}

static int primary_worker(void *arg)
{
	struct kcolo_session *s = arg;
	struct retry retry;

	allow_signal(SIGKILL);		/* see stop_thread() */
	kcolo_session_await_start(s);
	retry_now(&retry);
	while (!kcolo_session_stopping(s)) {
		wait_for_work(s, &retry);
		if (test_and_clear_bit(KCOLO_REQ_VM_GONE, &s->req))
			kcolo_session_vm_gone(s);
		if (test_and_clear_bit(KCOLO_REQ_CHECKPOINT, &s->req))
			checkpoint(s);
		kcolo_abort_doubt(s);
		if (test_and_clear_bit(KCOLO_REQ_LINK, &s->req)) {
			kcolo_abort_link_lost(s);
			retry_now(&retry);
		}
		kcolo_link_reap(s);
		if (test_and_clear_bit(KCOLO_REQ_CONNECT, &s->req))
			retry_now(&retry);
		if (peer_is_wanted(s) && !kcolo_session_stopping(s) &&
		    time_after_eq(jiffies, retry.next))
			primary_connect(s, &retry);
	}
	return 0;
}

/**
 * kcolo_primary_start - start the threads of a primary
 * @s: reserved session
 *
 * Return: 0 or a negative errno; ending the session undoes what was done.
 */
int kcolo_primary_start(struct kcolo_session *s)
{
	int err;

	s->stream = kcolo_stream_new();
	if (!s->stream)
		return -ENOMEM;
	err = kcolo_session_thread(s, &s->ctl, primary_receiver, "ctl");
	if (err)
		return err;
	return kcolo_session_thread(s, &s->worker, primary_worker, "pri");
}
