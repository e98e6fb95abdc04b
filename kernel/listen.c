// SPDX-License-Identifier: GPL-2.0
/*
 * Who may connect to a secondary: one primary, with a control and a data
 * connection, one after the other. When it comes again, it has lost the link
 * before, whatever is known of that here. Whoever else comes is told why not.
 */
#include <linux/file.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/string.h>
#include "listen.h"
#include "session.h"

/* A peer that has connected has to say HELLO within so many milliseconds. */
#define HELLO_MS	2000

#define NO_PAIR	"the connections of a pair have to come one after the other"

static int refuse(struct kcolo_conn *conn, const char *why)
{
	kcolo_link_refuse(conn, KCOLO_WIRE_ABORT,
			  KCOLO_ABORT_REASON_PEER_REFUSED, why);
	return -EPROTO;
}

/* One who comes when nobody is wanted any more. */
static bool turn_away(struct kcolo_session *s, struct kcolo_conn *conn)
{
	switch (READ_ONCE(s->state)) {
	case KCOLO_STATE_PROMOTED:
		kcolo_link_refuse(conn, KCOLO_WIRE_FENCED, 0, NULL);
		return true;
	case KCOLO_STATE_BROKEN:
		refuse(conn, "the secondary could not put a checkpoint in place: make it anew");
		return true;
	case KCOLO_STATE_LOST:
		if (READ_ONCE(s->reconnect) || s->sockets)
			break;
		refuse(conn,
		       "the secondary has lost its primary and waits to be promoted or deleted");
		return true;
	default:
		break;
	}
	if (!READ_ONCE(s->guest.gone))
		return false;
	refuse(conn, "the secondary's VMM has died");
	return true;
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

static bool has_link(const struct kcolo_session *s)
{
	return test_bit(KCOLO_REQ_LINKED, &s->req);
}

/* Whether the primary of the link there is has made another one. */
static bool comes_again(struct kcolo_session *s,
			const struct kcolo_wire_hello *hello)
{
	bool again;

	mutex_lock(&s->lock);
	again = s->reconnect &&
		!memcmp(hello->uuid, s->uuid, sizeof(s->uuid)) &&
		hello->incarnation > s->incarnation;
	mutex_unlock(&s->lock);
	return again;
}

/* A link that there is gives way to its primary's next one. */
static int make_room(struct kcolo_session *s, struct kcolo_conn *conn,
		     const struct kcolo_wire_hello *hello)
{
	if (!has_link(s))
		return 0;
	if (!comes_again(s, hello))
		return refuse(conn, "the secondary has a primary already");
	kcolo_session_link_failed(s, KCOLO_ABORT_REASON_PEER_LOST,
				  "the primary has connected anew");
	wait_event_idle_timeout(s->wq, !has_link(s) ||
				kcolo_session_stopping(s),
				msecs_to_jiffies(HELLO_MS));
	if (has_link(s))
		return refuse(conn, "the secondary is not done with the link before");
	return turn_away(s, conn) ? -EPROTO : 0;
}

static int take_control(struct kcolo_session *s, struct kcolo_conn *conn,
			struct kcolo_wire_hello *hello)
{
	int err = kcolo_link_accept(s, conn, hello);

	if (!err && hello->channel != KCOLO_WIRE_CONTROL)
		err = refuse(conn, NO_PAIR);
	if (!err)
		err = make_room(s, conn, hello);
	return err ? err : kcolo_link_greet(s, conn, KCOLO_WIRE_CONTROL,
					    hello->incarnation);
}

static int take_data(struct kcolo_session *s, struct kcolo_conn *conn,
		     const struct kcolo_wire_hello *control)
{
	struct kcolo_wire_hello hello;
	int err = kcolo_link_accept(s, conn, &hello);

	if (err)
		return err;
	if (memcmp(hello.uuid, control->uuid, sizeof(hello.uuid)))
		return refuse(conn, "the peer's session is not the one this one belongs to");
	if (hello.channel != KCOLO_WIRE_DATA ||
	    hello.incarnation != control->incarnation)
		return refuse(conn, NO_PAIR);
	return kcolo_link_greet(s, conn, KCOLO_WIRE_DATA, hello.incarnation);
}

/*
 * Under one lock: a promotion comes before it, and then there is no link, or
 * after it, and then it has one to say FENCED on.
 */
static void begin(struct kcolo_session *s, struct kcolo_conn *control,
		  struct kcolo_conn *data, const struct kcolo_wire_hello *hello,
		  const union kcolo_addr *peer)
{
	mutex_lock(&s->lock);
	/*
	 * Lost it may be again when the VMM has died meanwhile, and for good when
	 * the primary has said that it has ended.
	 */
	if ((s->state != KCOLO_STATE_CONNECTING &&
	     s->state != KCOLO_STATE_LOST) ||
	    s->link_reason == KCOLO_ABORT_REASON_CLOSED) {
		mutex_unlock(&s->lock);
		return;
	}
	kcolo_conn_move(&s->control, control);
	kcolo_conn_move(&s->data, data);
	s->peer = *peer;
	s->incarnation = hello->incarnation;
	memcpy(s->uuid, hello->uuid, sizeof(s->uuid));
	s->uuid_known = true;
	kcolo_link_begin(s);
	if (kcolo_state_set(s, KCOLO_STATE_IDLE))
		kcolo_session_notify(s, &(struct kcolo_notice) {
			.type = KCOLO_EVENT_TYPE_PEER_CONNECTED });
	mutex_unlock(&s->lock);
	/* A VMM that has died before found no link to give up. */
	if (READ_ONCE(s->guest.gone))
		kcolo_session_link_failed(s, KCOLO_ABORT_REASON_VM_GONE,
					  "the VMM has died");
}

/* The second connection is there already, or has to come. */
static void connect_pair(struct kcolo_session *s, struct kcolo_conn *control,
			 struct kcolo_conn *data, const union kcolo_addr *peer)
{
	struct kcolo_wire_hello hello;

	if (take_control(s, control, &hello) ||
	    (!data->sock && accept_until(s, data, NULL, HELLO_MS)))
		return;
	s->control.timeout = READ_ONCE(s->peer_timeout);
	s->data.timeout = s->control.timeout;
	if (!take_data(s, data, &hello))
		begin(s, control, data, &hello, peer);
}

/* The peer's may be handed in later than ours, and its HELLO come then. */
static int adopt(struct kcolo_session *s, struct kcolo_conn *conn,
		 struct file *file)
{
	int err = kcolo_conn_adopt(conn, file);

	conn->deadline = jiffies + msecs_to_jiffies(conn->timeout);
	return err;
}

static void serve_handed(struct kcolo_session *s)
{
	union kcolo_addr none = {};
	struct kcolo_conn control, data;
	struct file *file[2];
	int err;

	wait_event_idle(s->wq, kcolo_link_handed(s) ||
			kcolo_session_stopping(s));
	if (!kcolo_link_take(s, file))
		return;
	kcolo_conn_init(&control, READ_ONCE(s->peer_timeout));
	kcolo_conn_init(&data, control.timeout);
	err = adopt(s, &control, file[KCOLO_WIRE_CONTROL]);
	if (!err)
		err = adopt(s, &data, file[KCOLO_WIRE_DATA]);
	else
		fput(file[KCOLO_WIRE_DATA]);
	if (!err && !turn_away(s, &control))
		connect_pair(s, &control, &data, &none);
	kcolo_conn_release(&control);
	kcolo_conn_release(&data);
}

/**
 * kcolo_listen_serve - take a primary's connections
 * @s: secondary that listens, or is handed sockets; called by the thread that does
 *
 * Returns when the session ends.
 */
void kcolo_listen_serve(struct kcolo_session *s)
{
	union kcolo_addr peer = {};
	struct kcolo_conn conn, data;
	int err;

	while (s->sockets && !kcolo_session_stopping(s))
		serve_handed(s);
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
		kcolo_conn_init(&data, HELLO_MS);
		if (!turn_away(s, &conn))
			connect_pair(s, &conn, &data, &peer);
		kcolo_conn_release(&conn);
		kcolo_conn_release(&data);
	}
}
