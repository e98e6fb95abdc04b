// SPDX-License-Identifier: GPL-2.0
/*
 * What both ends do alike on their connections: say who they are, see whether
 * the other fits, and receive on the control connection, where a peer that is
 * silent for too long is noticed.
 */
#include <linux/file.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string_helpers.h>
#include "gfp.h"
#include "link.h"
#include "session.h"

/* How long the peer may take to hang up when it is told to. */
#define CLOSE_MS	1000
/* The longest wait for one that takes what was begun before. */
#define CLOSE_MAX_MS	10000
/* The longest wait for a message before what was set meanwhile is looked at. */
#define TICK_MS		1000
/* A worker that waits for HELLO looks so often whether something else is wanted. */
#define HELLO_SLICE_MS	100

/**
 * kcolo_link_send - send a message on the control connection, or be called away
 * @s: session
 * @hdr: header of the message
 * @body: of the message
 * @away: asked with @s while there is no room, as by kcolo_conn_send(); or NULL
 *
 * Return: 0; -ETIME or -ECANCELED when @away said so; or another negative errno,
 * then the link is being given up.
 */
int kcolo_link_send(struct kcolo_session *s, struct kcolo_wire_hdr *hdr,
		    const void *body, kcolo_away_fn away)
{
	int err = kcolo_conn_send(&s->control, hdr, body, away, s);

	if (kcolo_called_away(err))
		return err;
	if (err == -ETIMEDOUT)
		kcolo_session_link_failed(s, KCOLO_ABORT_REASON_PEER_TIMEOUT,
					  "the peer takes nothing");
	else if (err)
		kcolo_session_link_failed(s, KCOLO_ABORT_REASON_PEER_LOST,
					  "the control connection is lost");
	return err;
}

/**
 * kcolo_link_say - send a message on the control connection
 * @s: session
 * @type: of the message
 * @epoch: it belongs to, or 0
 * @arg: of the type
 * @body: of the message
 * @len: bytes of it
 *
 * Return: 0 or a negative errno; then the link is being given up.
 */
int kcolo_link_say(struct kcolo_session *s, enum kcolo_wire_type type,
		   u64 epoch, u32 arg, const void *body, u32 len)
{
	struct kcolo_wire_hdr hdr = {
		.type = type,
		.length = len,
		.arg = arg,
		.epoch = epoch,
	};

	return kcolo_link_send(s, &hdr, body, NULL);
}

/**
 * kcolo_link_refuse - tell a peer why it is not wanted
 * @conn: connected
 * @type: KCOLO_WIRE_ABORT or KCOLO_WIRE_FENCED
 * @reason: enum kcolo_abort_reason
 * @why: in words, for ABORT
 *
 * Whether it arrives is not looked at.
 */
void kcolo_link_refuse(struct kcolo_conn *conn, enum kcolo_wire_type type,
		       u32 reason, const char *why)
{
	struct kcolo_wire_hdr hdr = {
		.type = type,
		.arg = reason,
		.length = type == KCOLO_WIRE_ABORT ?
			  strnlen(why, KCOLO_WIRE_TEXT_MAX) : 0,
	};

	kcolo_conn_send(conn, &hdr, why, NULL, NULL);
}

/**
 * kcolo_link_greet - send HELLO
 * @s: session
 * @conn: connected
 * @channel: which of the connections this is
 * @incarnation: which link it belongs to
 *
 * Return: 0 or a negative errno.
 */
int kcolo_link_greet(struct kcolo_session *s, struct kcolo_conn *conn,
		     enum kcolo_wire_channel channel, u64 incarnation)
{
	struct kcolo_wire_hdr hdr = {
		.type = KCOLO_WIRE_HELLO_MSG,
		.length = KCOLO_WIRE_HELLO,
	};
	struct kcolo_wire_hello hello = {
		.version = KCOLO_WIRE_VERSION,
		.channel = channel,
		.role = s->role,
		.page_size = PAGE_SIZE,
		.features = s->external ? KCOLO_WIRE_EXTERNAL : 0,
		.incarnation = incarnation,
	};
	u8 body[KCOLO_WIRE_HELLO];

	mutex_lock(&s->lock);
	hello.committed = s->committed;
	/* A secondary that has nothing of anybody's says so. */
	if (s->role == KCOLO_ROLE_PRIMARY || s->committed || s->clean)
		memcpy(hello.uuid, s->uuid, sizeof(hello.uuid));
	mutex_unlock(&s->lock);
	strscpy(hello.name, s->name, sizeof(hello.name));
	kcolo_wire_put_hello(body, &hello);
	return kcolo_conn_send(conn, &hdr, body, NULL, NULL);
}

static const char *image_misfit(const struct kcolo_session *s,
				const struct kcolo_wire_hello *hello)
{
	bool nobodys = !memchr_inv(hello->uuid, 0, sizeof(hello->uuid));

	if (s->role == KCOLO_ROLE_PRIMARY && nobodys)
		return hello->committed ?
		       "the peer has a checkpoint that is nobody's" : NULL;
	if (s->uuid_known && memcmp(hello->uuid, s->uuid, sizeof(s->uuid)))
		return "the peer's session is not the one this one belongs to";
	if (s->role == KCOLO_ROLE_PRIMARY && hello->committed > s->epoch)
		return "the peer has a checkpoint that was never sent";
	return NULL;
}

/* Why the other end does not fit, or NULL. Each mismatch has its name. */
static const char *hello_misfit(struct kcolo_session *s,
				const struct kcolo_wire_hello *hello)
{
	if (hello->version != KCOLO_WIRE_VERSION)
		return
		"the peer speaks another protocol version: load the same kcolo on both hosts";
	if (hello->page_size != PAGE_SIZE)
		return "the peer has another page size";
	if (hello->features & ~KCOLO_WIRE_FEATURES)
		return "the peer uses features that are not known here";
	if (s->external && !(hello->features & KCOLO_WIRE_EXTERNAL))
		return
		"the peer's device-state is session and this end's external: give both the same";
	if (!s->external && hello->features & KCOLO_WIRE_EXTERNAL)
		return
		"the peer's device-state is external and this end's session: give both the same";
	if (hello->role == s->role ||
	    (hello->role != KCOLO_ROLE_PRIMARY &&
	     hello->role != KCOLO_ROLE_SECONDARY))
		return "the peer has the same role: one end must be secondary";
	if (strcmp(hello->name, s->name))
		return "the peer's session has another name";
	return image_misfit(s, hello);
}

/**
 * kcolo_link_quote - what a peer says, fit to be shown
 * @to: string to be
 * @size: bytes of it
 * @text: of the peer
 * @len: bytes of it
 */
void kcolo_link_quote(char *to, size_t size, const u8 *text, size_t len)
{
	int n = string_escape_mem(text, len, to, size - 1,
				  ESCAPE_ANY | ESCAPE_NAP, NULL);

	to[min_t(size_t, n, size - 1)] = 0;
}

static_assert(KCOLO_WIRE_TEXT_MAX >= KCOLO_WIRE_HELLO);

#define HELLO_AWAY	(BIT(KCOLO_REQ_STOP) | BIT(KCOLO_REQ_VM_GONE) | \
			 BIT(KCOLO_REQ_ABORT) | BIT(KCOLO_REQ_CONNECT))

/* Who waits has other things to do, too, as to take other sockets instead. */
static int await_hello(struct kcolo_session *s, struct kcolo_conn *conn)
{
	int ready;

	do {
		if (READ_ONCE(s->req) & HELLO_AWAY || kcolo_link_handed(s))
			return -ECANCELED;
		ready = kcolo_conn_wait(conn, HELLO_SLICE_MS);
	} while (!ready && time_before(jiffies, conn->deadline));
	if (ready > 0)
		return 0;
	return ready ? 0 : -ETIMEDOUT;
}

static int get_hello(struct kcolo_conn *conn, struct kcolo_wire_hello *hello,
		     char *why, size_t len)
{
	u8 buf[KCOLO_WIRE_TEXT_MAX];
	struct kcolo_wire_hdr hdr;
	const char *bad;
	ssize_t n;
	int err;

	err = kcolo_conn_recv(conn, buf, KCOLO_WIRE_HDR);
	if (err) {
		strscpy(why, "the peer closed the connection or did not answer",
			len);
		return err;
	}
	bad = kcolo_wire_get_hdr(buf, &hdr);
	if (!bad && hdr.type == KCOLO_WIRE_FENCED) {
		strscpy(why, "the secondary has taken over", len);
		return -EKEYREVOKED;
	}
	if (!bad && hdr.type != KCOLO_WIRE_HELLO_MSG &&
	    hdr.type != KCOLO_WIRE_ABORT)
		bad = "the peer did not begin with HELLO";
	if (!bad && kcolo_conn_recv_body(conn, &hdr, buf))
		bad = "the checksum of HELLO is wrong";
	if (!bad && hdr.type == KCOLO_WIRE_ABORT) {
		n = strscpy(why, "the peer refused: ", len);
		kcolo_link_quote(why + n, len - n, buf, hdr.length);
		return -ECONNREFUSED;
	}
	if (!bad)
		bad = kcolo_wire_get_hello(buf, hello);
	if (!bad)
		return 0;
	strscpy(why, bad, len);
	return -EPROTO;
}

static void no_connection(int err, char *why, size_t len)
{
	switch (err) {
	case -ECONNREFUSED:
		strscpy(why, "cannot connect: nobody listens at the peer's address and port",
			len);
		break;
	case -ETIMEDOUT:
		strscpy(why, "cannot connect: the peer's address does not answer",
			len);
		break;
	case -EHOSTUNREACH:
	case -ENETUNREACH:
		strscpy(why, "cannot connect: there is no route to the peer's address",
			len);
		break;
	case -EADDRNOTAVAIL:
		strscpy(why, "cannot connect: the local address is not this host's",
			len);
		break;
	default:
		snprintf(why, len, "cannot connect to the peer (%pe)",
			 ERR_PTR(err));
	}
}

static int open_one(struct kcolo_session *s, struct kcolo_conn *conn,
		    struct file *file)
{
	union kcolo_addr peer;

	conn->timeout = READ_ONCE(s->peer_timeout);
	if (file)
		return kcolo_conn_adopt(conn, file);
	mutex_lock(&s->lock);
	peer = s->peer;
	mutex_unlock(&s->lock);
	return kcolo_conn_connect(conn, s->net, &s->local, &peer);
}

static int connect_one(struct kcolo_session *s, struct kcolo_conn *conn,
		       enum kcolo_wire_channel channel, struct file *file,
		       struct kcolo_wire_hello *hello, char *why, size_t len)
{
	const char *bad;
	int err;

	err = open_one(s, conn, file);
	if (err) {
		no_connection(err, why, len);
		return err;
	}
	err = kcolo_link_greet(s, conn, channel, s->incarnation);
	if (err) {
		strscpy(why, "the peer closed the connection", len);
		return err;
	}
	conn->deadline = jiffies + msecs_to_jiffies(conn->timeout);
	err = await_hello(s, conn);
	if (err)
		strscpy(why, "the peer did not answer", len);
	else
		err = get_hello(conn, hello, why, len);
	conn->deadline = 0;
	if (err)
		return err;
	bad = hello_misfit(s, hello);
	if (bad) {
		kcolo_link_refuse(conn, KCOLO_WIRE_ABORT,
				  KCOLO_ABORT_REASON_PEER_REFUSED, bad);
		strscpy(why, bad, len);
		return -EPROTO;
	}
	return 0;
}

/**
 * kcolo_link_connect - connect a primary to its secondary
 * @s: session without a link; called by its worker
 * @hello: what the secondary says of itself; it fits
 * @why: on failure, the reason in words
 * @len: bytes of @why
 *
 * Return: 0; -EKEYREVOKED when the secondary has taken over; or another
 * negative errno. On failure there is no connection.
 */
int kcolo_link_connect(struct kcolo_session *s, struct kcolo_wire_hello *hello,
		       char *why, size_t len)
{
	struct kcolo_wire_hello again;
	struct file *file[2] = {};
	int err;

	if (s->sockets && !kcolo_link_take(s, file)) {
		strscpy(why, "the sockets were taken back", len);
		return -ENOTCONN;
	}
	/* A later try takes the place of an earlier one. */
	s->incarnation++;
	err = connect_one(s, &s->control, KCOLO_WIRE_CONTROL,
			  file[KCOLO_WIRE_CONTROL], hello, why, len);
	WRITE_ONCE(s->greeted, !err);
	if (!err)
		err = connect_one(s, &s->data, KCOLO_WIRE_DATA,
				  file[KCOLO_WIRE_DATA], &again, why, len);
	else if (file[KCOLO_WIRE_DATA])
		fput(file[KCOLO_WIRE_DATA]);
	if (err) {
		kcolo_conn_release(&s->control);
		kcolo_conn_release(&s->data);
	}
	return err;
}

/**
 * kcolo_link_accept - hear who has connected to a secondary
 * @s: session
 * @conn: just accepted
 * @hello: what the peer says of itself; it fits
 *
 * A peer that does not fit is told why.
 *
 * Return: 0 or a negative errno; then @conn is to be released.
 */
int kcolo_link_accept(struct kcolo_session *s, struct kcolo_conn *conn,
		      struct kcolo_wire_hello *hello)
{
	char why[KCOLO_ERROR_MAX];
	const char *bad;
	int err;

	err = await_hello(s, conn);
	if (err)
		strscpy(why, "the peer did not begin", sizeof(why));
	else
		err = get_hello(conn, hello, why, sizeof(why));
	if (!err) {
		bad = hello_misfit(s, hello);
		if (!bad)
			return 0;
		strscpy(why, bad, sizeof(why));
		kcolo_link_refuse(conn, KCOLO_WIRE_ABORT,
				  KCOLO_ABORT_REASON_PEER_REFUSED, bad);
		err = -EPROTO;
	}
	pr_info_ratelimited("%s: a connection was refused: %s\n", s->name, why);
	return err;
}

/* CLOSE, behind what was begun: while the peer takes of that, but not for ever. */
static int say_close(struct kcolo_session *s)
{
	struct kcolo_wire_hdr hdr = { .type = KCOLO_WIRE_CLOSE };
	unsigned long end = jiffies + msecs_to_jiffies(CLOSE_MS);
	unsigned long last = jiffies + msecs_to_jiffies(CLOSE_MAX_MS);
	u64 before, taken = READ_ONCE(s->control.tx_bytes);
	int err;

	for (;;) {
		err = kcolo_conn_send_now(&s->control, &hdr);
		if (err != -EBUSY && err != -EAGAIN)
			return err;
		before = taken;
		taken = READ_ONCE(s->control.tx_bytes);
		if (taken != before)
			end = jiffies + msecs_to_jiffies(CLOSE_MS);
		if (time_after(jiffies, end) || time_after(jiffies, last) ||
		    READ_ONCE(s->link_reason) != KCOLO_ABORT_REASON_NONE)
			return err;
		schedule_timeout_idle(msecs_to_jiffies(10));
	}
}

/**
 * kcolo_link_close - tell the peer that the session ends, and is meant to
 * @s: session, ending
 *
 * Without this the peer could only take the end for a death. Waits for whoever is
 * in the midst of a message, CLOSE_MS without progress and CLOSE_MAX_MS at most,
 * and for the peer to hang up: what is on its way when a socket is closed may be
 * thrown away.
 */
void kcolo_link_close(struct kcolo_session *s)
{
	/* The peer may take a try that is under way for a pair that stands. */
	if (READ_ONCE(s->greeted))
		wait_event_idle_timeout(s->wq, !READ_ONCE(s->greeted),
					msecs_to_jiffies(CLOSE_MS));
	if (!test_bit(KCOLO_REQ_LINKED, &s->req))
		return;
	if (say_close(s))
		return;
	wait_event_idle_timeout(s->wq, READ_ONCE(s->link_reason) !=
				KCOLO_ABORT_REASON_NONE,
				msecs_to_jiffies(CLOSE_MS));
}

/**
 * kcolo_link_hear_out - let a primary say that it has ended its session
 * @s: secondary whose data connection is lost; called by who receives on it
 *
 * CLOSE is said on the control connection, which may be the slower one.
 */
void kcolo_link_hear_out(struct kcolo_session *s)
{
	wait_event_idle_timeout(s->wq, READ_ONCE(s->link_reason) !=
				KCOLO_ABORT_REASON_NONE ||
				kcolo_session_stopping(s),
				msecs_to_jiffies(CLOSE_MS));
}

/* One that has failed is only heard out: each try to send would tell of it again. */
static bool link_is_up(const struct kcolo_session *s)
{
	return READ_ONCE(s->link_reason) == KCOLO_ABORT_REASON_NONE;
}

static const char *receive_one(struct kcolo_session *s, u8 *buf,
			       kcolo_link_fn fn,
			       enum kcolo_abort_reason *reason)
{
	struct kcolo_wire_hdr hdr;
	const char *bad;
	int err;

	*reason = KCOLO_ABORT_REASON_PEER_LOST;
	if (kcolo_conn_recv(&s->control, buf, KCOLO_WIRE_HDR))
		return "the control connection is lost";
	*reason = KCOLO_ABORT_REASON_PROTOCOL;
	bad = kcolo_wire_get_hdr(buf, &hdr);
	if (!bad && hdr.type == KCOLO_WIRE_PAGES)
		bad = "PAGES came on the control connection";
	if (bad)
		return bad;
	err = kcolo_conn_recv_body(&s->control, &hdr, buf);
	if (err) {
		*reason = err == -EBADMSG ? KCOLO_ABORT_REASON_CHECKSUM :
					    KCOLO_ABORT_REASON_PEER_LOST;
		return err == -EBADMSG ? "the checksum of a message is wrong" :
					 "the control connection is lost";
	}
	if (hdr.type == KCOLO_WIRE_PONG)
		return NULL;
	if (hdr.type == KCOLO_WIRE_CLOSE) {
		*reason = KCOLO_ABORT_REASON_CLOSED;
		return s->role == KCOLO_ROLE_PRIMARY ?
		       "the secondary has ended its session" :
		       "the primary has ended its session";
	}
	if (hdr.type == KCOLO_WIRE_PING) {
		if (link_is_up(s))
			kcolo_link_say(s, KCOLO_WIRE_PONG, 0, 0, NULL, 0);
		return NULL;
	}
	return fn(s, &hdr, buf);
}

static bool silent_for(const struct kcolo_session *s, unsigned int ms)
{
	return !time_before(jiffies, s->control.rx_time + msecs_to_jiffies(ms));
}

/* One who looks for its peer again is told by it then what it has missed. */
static unsigned int patience_after(const struct kcolo_session *s,
				   unsigned int timeout)
{
	return READ_ONCE(s->reconnect) ? min_t(unsigned int, timeout, CLOSE_MS) :
					 timeout;
}

/**
 * kcolo_link_receive - receive on the control connection until it is lost
 * @s: session, connected; called by the thread that receives on control
 * @fn: called for each message
 *
 * Either end sends PING when nothing has come for a third of its own
 * peer-timeout, which need not be the other's, and gives a peer up that was
 * silent for all of it. A shorter one reaches a wait that has begun within
 * TICK_MS. On a link that has failed the peer is only heard out, for CLOSE_MS of
 * silence when another link is made then.
 */
void kcolo_link_receive(struct kcolo_session *s, kcolo_link_fn fn)
{
	enum kcolo_abort_reason reason = KCOLO_ABORT_REASON_PEER_LOST;
	const char *bad = NULL;
	unsigned int timeout;
	int ready;
	u8 *buf;

	kcolo_session_charge(s);
	buf = kvmalloc(KCOLO_WIRE_BODY_MAX, KCOLO_GFP);
	if (!buf) {
		reason = KCOLO_ABORT_REASON_NO_MEMORY;
		bad = "no memory to receive";
	}
	while (!bad && !kthread_should_stop()) {
		kcolo_session_charge(s);
		timeout = READ_ONCE(s->peer_timeout);
		if (!link_is_up(s))
			timeout = patience_after(s, timeout);
		ready = kcolo_conn_wait(&s->control,
					clamp(timeout / 3, 1U, TICK_MS));
		if (ready < 0) {
			reason = KCOLO_ABORT_REASON_PEER_LOST;
			bad = "the control connection is lost";
		} else if (ready) {
			bad = receive_one(s, buf, fn, &reason);
		} else if (silent_for(s, timeout)) {
			reason = KCOLO_ABORT_REASON_PEER_TIMEOUT;
			bad = "the peer has not answered within peer-timeout";
		} else if (silent_for(s, timeout / 3) && link_is_up(s)) {
			kcolo_link_say(s, KCOLO_WIRE_PING, 0, 0, NULL, 0);
		}
	}
	kcolo_session_charge_end();
	if (bad)
		kcolo_session_link_failed(s, reason, bad);
	kvfree(buf);
}
