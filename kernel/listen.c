// SPDX-License-Identifier: GPL-2.0
/*
 * Who may connect to a secondary: one primary, with a control and a data
 * connection, one after the other. Whoever else comes is told why not.
 */
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/string.h>
#include "listen.h"
#include "session.h"

/* A peer that has connected has to say HELLO within so many milliseconds. */
#define HELLO_MS	2000

/* Take one connection of the pair, which must be of the channel given. */
static int take_channel(struct kcolo_session *s, struct kcolo_conn *conn,
			enum kcolo_wire_channel channel)
{
	struct kcolo_wire_hello hello;
	int err;

	err = kcolo_link_accept(s, conn, &hello);
	if (err)
		return err;
	if (hello.channel != channel ||
	    (channel == KCOLO_WIRE_DATA && hello.incarnation != s->incarnation)) {
		kcolo_link_refuse(conn, KCOLO_WIRE_ABORT,
				  KCOLO_ABORT_REASON_PEER_REFUSED,
				  "the connections of a pair have to come one after the other");
		return -EPROTO;
	}
	mutex_lock(&s->lock);
	s->incarnation = hello.incarnation;
	if (!s->uuid_known) {
		memcpy(s->uuid, hello.uuid, sizeof(s->uuid));
		s->uuid_known = true;
	}
	mutex_unlock(&s->lock);
	return kcolo_link_greet(s, conn, channel);
}

/* One who comes when nobody is wanted any more. */
static void turn_away(struct kcolo_session *s, struct kcolo_conn *conn)
{
	enum kcolo_state state;

	mutex_lock(&s->lock);
	state = s->state;
	mutex_unlock(&s->lock);
	if (state == KCOLO_STATE_PROMOTED)
		kcolo_link_refuse(conn, KCOLO_WIRE_FENCED, 0, NULL);
	else
		kcolo_link_refuse(conn, KCOLO_WIRE_ABORT,
				  KCOLO_ABORT_REASON_PEER_REFUSED,
				  "the secondary has lost its primary and waits to be promoted or deleted");
}

static int accept_until(struct kcolo_session *s, struct kcolo_conn *conn,
			union kcolo_addr *peer, unsigned int ms)
{
	unsigned long end = jiffies + msecs_to_jiffies(ms);
	int err;

	kcolo_conn_init(conn, HELLO_MS);
	do {
		err = kcolo_conn_accept(&s->listener, conn, peer);
	} while (err == -EAGAIN && !kcolo_session_stopping(s) &&
		 time_before(jiffies, end));
	if (!err)
		conn->deadline = jiffies + msecs_to_jiffies(HELLO_MS);
	return err;
}

/* One who came and went decides nothing, not even whose secondary this is. */
static void forget_uuid(struct kcolo_session *s)
{
	mutex_lock(&s->lock);
	memset(s->uuid, 0, sizeof(s->uuid));
	s->uuid_known = false;
	mutex_unlock(&s->lock);
}

static bool connect_pair(struct kcolo_session *s, struct kcolo_conn *first,
			 const union kcolo_addr *peer)
{
	bool known = s->uuid_known, ok;
	struct kcolo_conn second;

	s->control.timeout = READ_ONCE(s->peer_timeout);
	s->data.timeout = s->control.timeout;
	ok = !take_channel(s, first, KCOLO_WIRE_CONTROL) &&
	     !accept_until(s, &second, NULL, HELLO_MS);
	if (ok && take_channel(s, &second, KCOLO_WIRE_DATA)) {
		kcolo_conn_release(&second);
		ok = false;
	}
	if (!ok) {
		if (!known)
			forget_uuid(s);
		return false;
	}
	kcolo_conn_move(&s->control, first);
	kcolo_conn_move(&s->data, &second);
	mutex_lock(&s->lock);
	s->peer = *peer;
	s->error[0] = 0;
	/* Lost it is when the VMM has died meanwhile. */
	if (s->state == KCOLO_STATE_CONNECTING &&
	    kcolo_state_set(s, KCOLO_STATE_IDLE))
		kcolo_session_notify(s, &(struct kcolo_notice) {
			.type = KCOLO_EVENT_TYPE_PEER_CONNECTED });
	mutex_unlock(&s->lock);
	kcolo_session_request(s, KCOLO_REQ_CONNECTED);
	/* A VMM that has died before found no link to give up. */
	if (READ_ONCE(s->guest.gone))
		kcolo_session_link_failed(s, KCOLO_ABORT_REASON_VM_GONE,
					  "the VMM has died");
	return true;
}

/**
 * kcolo_listen_serve - take a primary's connections, and receive on control
 * @s: secondary that listens; called by the thread that receives on control
 * @fn: called for each message of the primary
 *
 * Returns when the session ends.
 */
void kcolo_listen_serve(struct kcolo_session *s, kcolo_link_fn fn)
{
	union kcolo_addr peer = {};
	struct kcolo_conn conn;
	int err;

	while (!kthread_should_stop() && !kcolo_session_stopping(s)) {
		err = accept_until(s, &conn, &peer, HELLO_MS);
		if (err == -EAGAIN)
			continue;
		if (err) {
			/* No busy loop when memory or files are short. */
			wait_event_idle_timeout(s->wq,
						kcolo_session_stopping(s), HZ / 2);
			continue;
		}
		if (test_bit(KCOLO_REQ_CONNECTED, &s->req))
			turn_away(s, &conn);
		else if (READ_ONCE(s->guest.gone))
			kcolo_link_refuse(&conn, KCOLO_WIRE_ABORT,
					  KCOLO_ABORT_REASON_PEER_REFUSED,
					  "the secondary's VMM has died");
		else if (connect_pair(s, &conn, &peer))
			kcolo_link_receive(s, fn);
		kcolo_conn_release(&conn);
	}
}
