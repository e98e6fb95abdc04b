// SPDX-License-Identifier: GPL-2.0
/*
 * The primary: one worker thread that connects, and then does what it is
 * asked, a checkpoint at a time (checkpoint.c); one thread that receives on
 * the control connection and leaves what came for the worker to see.
 */
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include "checkpoint.h"
#include "link.h"
#include "primary.h"
#include "session.h"
#include "stream.h"

/* Between two tries to connect. */
#define RETRY_MS	500

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
		kcolo_link_quote(s->peer_error, sizeof(s->peer_error), body,
				 hdr->length);
		mutex_unlock(&s->lock);
		break;
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

	wait_event_idle(s->wq, READ_ONCE(s->req) & (BIT(KCOLO_REQ_CONNECTED) |
						    BIT(KCOLO_REQ_STOP)));
	if (!kcolo_session_stopping(s))
		kcolo_link_receive(s, primary_message);
	return 0;
}

#define CONNECT_REQS	(BIT(KCOLO_REQ_STOP) | BIT(KCOLO_REQ_VM_GONE))

/* Try until the peer is there, the peer is fenced off, or the session ends. */
static void primary_connect(struct kcolo_session *s)
{
	char why[KCOLO_ERROR_MAX];
	int err;

	while (!(READ_ONCE(s->req) & CONNECT_REQS)) {
		err = kcolo_link_connect(s, why, sizeof(why));
		mutex_lock(&s->lock);
		WRITE_ONCE(s->greeted, false);
		if (!err) {
			s->error[0] = 0;
			if (kcolo_state_set(s, KCOLO_STATE_IDLE))
				kcolo_session_notify(s, &(struct kcolo_notice) {
					.type = KCOLO_EVENT_TYPE_PEER_CONNECTED });
		} else {
			kcolo_session_set_error(s, why);
		}
		if (err == -EKEYREVOKED) {
			s->link_reason = KCOLO_ABORT_REASON_FENCED;
			strscpy(s->link_error, why, sizeof(s->link_error));
			set_bit(KCOLO_REQ_LINK, &s->req);
		}
		mutex_unlock(&s->lock);
		wake_up_all(&s->wq);
		if (!err)
			kcolo_session_request(s, KCOLO_REQ_CONNECTED);
		if (!err || err == -EKEYREVOKED)
			return;
		wait_event_idle_timeout(s->wq,
					READ_ONCE(s->req) & CONNECT_REQS,
					msecs_to_jiffies(RETRY_MS));
	}
}

#define IDLE_REQS	(BIT(KCOLO_REQ_STOP) | BIT(KCOLO_REQ_LINK) | \
			 BIT(KCOLO_REQ_VM_GONE) | BIT(KCOLO_REQ_CHECKPOINT))

static int primary_worker(void *arg)
{
	struct kcolo_session *s = arg;

	allow_signal(SIGKILL);		/* see stop_thread() */
	if (kcolo_session_await_start(s))
		primary_connect(s);
	while (!kcolo_session_stopping(s)) {
		wait_event_idle(s->wq, READ_ONCE(s->req) & IDLE_REQS);
		if (test_and_clear_bit(KCOLO_REQ_VM_GONE, &s->req))
			kcolo_session_vm_gone(s);
		if (test_and_clear_bit(KCOLO_REQ_CHECKPOINT, &s->req))
			kcolo_checkpoint_run(s);
		if (test_and_clear_bit(KCOLO_REQ_LINK, &s->req))
			kcolo_checkpoint_link_lost(s);
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
