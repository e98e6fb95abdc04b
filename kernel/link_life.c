// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a link. It begins when both connections stand. It fails once
 * (kcolo_session_link_failed()); then the threads that receive leave it, the
 * worker deals with the loss, and when all have, it is over: the sockets are
 * released, and there can be another.
 */
#include <linux/file.h>
#include "session.h"

/**
 * kcolo_link_begin - there is a link
 * @s: session without one, whose connections stand; its lock is held
 *
 * The regions have to be agreed anew. Who receives begins.
 */
void kcolo_link_begin(struct kcolo_session *s)
{
	lockdep_assert_held(&s->lock);
	s->links++;
	s->link_reason = KCOLO_ABORT_REASON_NONE;
	s->link_error[0] = 0;
	s->error[0] = 0;
	s->regions_agreed = false;
	clear_bit(KCOLO_REQ_LINK, &s->req);
	set_bit(KCOLO_WIRE_CONTROL, &s->receiving);
	if (s->role == KCOLO_ROLE_SECONDARY)
		set_bit(KCOLO_WIRE_DATA, &s->receiving);
	kcolo_session_request(s, KCOLO_REQ_LINKED);
}

/**
 * kcolo_link_await - wait for a link to receive on
 * @s: session; called by one of its receivers
 * @channel: what that receives on
 *
 * Return: false when the session ends instead.
 */
bool kcolo_link_await(struct kcolo_session *s, enum kcolo_wire_channel channel)
{
	wait_event_idle(s->wq, test_bit(channel, &s->receiving) ||
			kcolo_session_stopping(s));
	return !kcolo_session_stopping(s);
}

/**
 * kcolo_link_leave - receive no more on a link that has failed
 * @s: session; called by the receiver
 * @channel: what it has received on
 */
void kcolo_link_leave(struct kcolo_session *s, enum kcolo_wire_channel channel)
{
	/* What was done on the link is done before its sockets are released. */
	smp_mb__before_atomic();
	clear_bit(channel, &s->receiving);
	wake_up_all(&s->wq);
}

/**
 * kcolo_link_over - whether a link has failed and all have left it
 * @s: session; the loss was dealt with when KCOLO_REQ_LINK is not set
 *
 * Return: true when it is to be reaped.
 */
bool kcolo_link_over(const struct kcolo_session *s)
{
	return test_bit(KCOLO_REQ_LINKED, &s->req) &&
	       !test_bit(KCOLO_REQ_LINK, &s->req) &&
	       READ_ONCE(s->link_reason) != KCOLO_ABORT_REASON_NONE &&
	       !READ_ONCE(s->receiving);
}

/**
 * kcolo_link_reap - release the sockets of a link that is over
 * @s: session; called by its worker
 */
void kcolo_link_reap(struct kcolo_session *s)
{
	if (!kcolo_link_over(s))
		return;
	smp_mb();	/* pairs with kcolo_link_leave() */
	kcolo_conn_release(&s->control);
	kcolo_conn_release(&s->data);
	clear_bit_unlock(KCOLO_REQ_LINKED, &s->req);
	wake_up_all(&s->wq);
}

static void put_files(struct file *file[2])
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (file[i])
			fput(file[i]);
}

/**
 * kcolo_link_hand_in - have two sockets be the session's next link
 * @s: session without a link; its lock is not held
 * @control: file of a connected TCP socket; a reference is taken over; or NULL
 * @data: likewise, both or none
 *
 * Those that were handed in before and were not used are given back.
 */
void kcolo_link_hand_in(struct kcolo_session *s, struct file *control,
			struct file *data)
{
	struct file *old[2];

	mutex_lock(&s->lock);
	memcpy(old, s->handed, sizeof(old));
	s->handed[KCOLO_WIRE_CONTROL] = control;
	s->handed[KCOLO_WIRE_DATA] = data;
	mutex_unlock(&s->lock);
	put_files(old);
	wake_up_all(&s->wq);
}

/**
 * kcolo_link_handed - whether there are sockets for a link
 * @s: session
 *
 * Return: true when there are.
 */
bool kcolo_link_handed(const struct kcolo_session *s)
{
	return READ_ONCE(s->handed[KCOLO_WIRE_DATA]);
}

/**
 * kcolo_link_take - take the sockets that were handed in
 * @s: session
 * @file: theirs, whose references are the caller's; by enum kcolo_wire_channel
 *
 * Return: false when there are none.
 */
bool kcolo_link_take(struct kcolo_session *s, struct file *file[2])
{
	mutex_lock(&s->lock);
	memcpy(file, s->handed, sizeof(s->handed));
	memset(s->handed, 0, sizeof(s->handed));
	mutex_unlock(&s->lock);
	return file[KCOLO_WIRE_DATA];
}
