// SPDX-License-Identifier: GPL-2.0
/*
 * Messages in and out of a connection. Every wait is bounded by its timeout
 * without progress, and ended at once by kcolo_conn_stop() from any other
 * thread. A sender can be called away in the midst of a message: what is left
 * of it is kept, and sent before anything else.
 */
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/net.h>
#include <linux/string.h>
#include <net/sock.h>
#include "compat.h"
#include "gfp.h"
#include "transport.h"

/* What there is to send, from here on. */
struct outgoing {
	struct kvec vec[2];
	unsigned int nr_vec;
	struct bio_vec *bv;
	unsigned int nr_bv;
	size_t len;		/* of all of it */
	size_t bv_len;		/* of the pages */
	bool begun;
};

static void advance(struct outgoing *out, size_t sent)
{
	size_t n;

	out->begun = true;
	out->len -= sent;
	while (out->nr_vec && sent) {
		n = min(sent, out->vec[0].iov_len);
		out->vec[0].iov_base += n;
		out->vec[0].iov_len -= n;
		sent -= n;
		if (out->vec[0].iov_len)
			return;
		out->vec[0] = out->vec[1];
		out->nr_vec--;
	}
	out->bv_len -= sent;
	while (out->nr_bv && sent) {
		n = min_t(size_t, sent, out->bv->bv_len);
		out->bv->bv_offset += n;
		out->bv->bv_len -= n;
		sent -= n;
		if (out->bv->bv_len)
			return;
		out->bv++;
		out->nr_bv--;
	}
}

static int send_some(struct kcolo_conn *conn, struct outgoing *out)
{
	struct msghdr msg = { .msg_flags = MSG_NOSIGNAL };

	if (!out->nr_vec)
		return kcolo_splice(conn->sock, out->bv, out->nr_bv,
				    out->bv_len, MSG_NOSIGNAL);
	if (out->nr_bv)
		msg.msg_flags |= MSG_MORE;
	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, out->vec, out->nr_vec,
		      out->len - out->bv_len);
	return sock_sendmsg(conn->sock, &msg);
}

/* Send all of it: 0, what called away (@away), or how the connection is lost. */
static int send_all(struct kcolo_conn *conn, struct outgoing *out,
		    kcolo_away_fn away, void *arg)
{
	unsigned long progress = jiffies;
	int sent, err;

	if (!conn->sock)
		return -ENOTCONN;
	while (out->len) {
		sent = send_some(conn, out);
		if (sent > 0) {
			conn->tx_bytes += sent;
			progress = jiffies;
			advance(out, sent);
			continue;
		}
		if (sent != -EAGAIN && sent != -EINTR)
			return sent;
		err = away ? away(arg) : 0;
		if (err)
			return err;
		if (time_after(jiffies, progress +
			       msecs_to_jiffies(READ_ONCE(conn->timeout))))
			return -ETIMEDOUT;
	}
	return 0;
}

/* Copy what is left, for whoever sends next. */
static int keep_rest(struct kcolo_conn *conn, const struct outgoing *out)
{
	unsigned int i;
	u8 *to;

	to = kvmalloc(out->len, KCOLO_GFP);
	if (!to)
		return -ENOMEM;
	conn->rest = to;
	conn->rest_at = 0;
	conn->rest_len = out->len;
	for (i = 0; i < out->nr_vec; i++) {
		memcpy(to, out->vec[i].iov_base, out->vec[i].iov_len);
		to += out->vec[i].iov_len;
	}
	for (i = 0; i < out->nr_bv; i++) {
		memcpy(to, bvec_virt(&out->bv[i]), out->bv[i].bv_len);
		to += out->bv[i].bv_len;
	}
	return 0;
}

/* What is left of the message before. */
static int send_rest(struct kcolo_conn *conn, kcolo_away_fn away, void *arg)
{
	struct outgoing out = { .nr_vec = 1 };
	int err;

	if (!conn->rest)
		return 0;
	out.len = conn->rest_len - conn->rest_at;
	out.vec[0].iov_base = conn->rest + conn->rest_at;
	out.vec[0].iov_len = out.len;
	err = send_all(conn, &out, away, arg);
	conn->rest_at = conn->rest_len - out.len;
	if (err)
		return err;
	kvfree(conn->rest);
	conn->rest = NULL;
	return 0;
}

static int send_message(struct kcolo_conn *conn, struct outgoing *out,
			kcolo_away_fn away, void *arg)
{
	int err, kept;

	mutex_lock(&conn->tx_lock);
	err = send_rest(conn, away, arg);
	if (!err) {
		err = send_all(conn, out, away, arg);
		if (kcolo_called_away(err) && out->begun) {
			kept = keep_rest(conn, out);
			err = kept ? kept : err;
		}
	}
	mutex_unlock(&conn->tx_lock);
	return err;
}

/**
 * kcolo_conn_send - send a message
 * @conn: connected
 * @hdr: its header; the checksum is filled in
 * @body: hdr->length bytes
 * @away: asked now and then, while there is no room, whether to go on; or NULL
 * @arg: for @away
 *
 * Context: may sleep up to the connection's timeout without progress.
 * Return: 0; -ETIME or -ECANCELED when @away said so: then the message is sent
 * later, with the next or by kcolo_conn_finish(), or not at all; or another
 * negative errno: then the connection is of no use any more.
 */
int kcolo_conn_send(struct kcolo_conn *conn, struct kcolo_wire_hdr *hdr,
		    const void *body, kcolo_away_fn away, void *arg)
{
	u8 buf[KCOLO_WIRE_HDR];
	struct outgoing out = {
		.vec = {
			{ .iov_base = buf, .iov_len = sizeof(buf) },
			{ .iov_base = (void *)body, .iov_len = hdr->length },
		},
		.nr_vec = hdr->length ? 2 : 1,
		.len = sizeof(buf) + hdr->length,
	};

	hdr->crc = hdr->length ? crc32c(~0U, body, hdr->length) : 0;
	kcolo_wire_put_hdr(buf, hdr);
	return send_message(conn, &out, away, arg);
}

static int send_at_once(struct kcolo_conn *conn, void *buf, size_t len)
{
	struct msghdr msg = { .msg_flags = MSG_NOSIGNAL | MSG_DONTWAIT };
	struct kvec vec = { .iov_base = buf, .iov_len = len };
	int sent;

	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &vec, 1, len);
	sent = sock_sendmsg(conn->sock, &msg);
	if (sent > 0)
		conn->tx_bytes += sent;
	return sent ? sent : -EAGAIN;
}

/* Of what is left of the message before, what there is room for. */
static int push_rest(struct kcolo_conn *conn)
{
	int sent;

	while (conn->rest) {
		sent = send_at_once(conn, conn->rest + conn->rest_at,
				    conn->rest_len - conn->rest_at);
		if (sent < 0)
			return sent;
		conn->rest_at += sent;
		if (conn->rest_at < conn->rest_len)
			continue;
		kvfree(conn->rest);
		conn->rest = NULL;
	}
	return 0;
}

/**
 * kcolo_conn_send_now - send a message that has no body, or do not
 * @conn: any connection, owned by anybody
 * @hdr: the message; its length is 0
 *
 * Waits for nobody: neither for one who is sending, nor for the peer. What is
 * left of a message before goes first, as far as there is room.
 *
 * Return: 0; -EBUSY or -EAGAIN when it was not sent and may be tried again; or
 * another negative errno.
 */
int kcolo_conn_send_now(struct kcolo_conn *conn, struct kcolo_wire_hdr *hdr)
{
	u8 buf[KCOLO_WIRE_HDR];
	int sent = -ENOTCONN;

	kcolo_wire_put_hdr(buf, hdr);
	if (!mutex_trylock(&conn->tx_lock))
		return -EBUSY;
	mutex_lock(&conn->sock_lock);
	if (conn->sock)
		sent = push_rest(conn);
	if (!sent)
		sent = send_at_once(conn, buf, sizeof(buf));
	mutex_unlock(&conn->sock_lock);
	mutex_unlock(&conn->tx_lock);
	if (sent < 0)
		return sent;
	return sent == sizeof(buf) ? 0 : -EPIPE;
}

/**
 * kcolo_conn_send_pages - send a message whose end is pages
 * @conn: connected
 * @head: header, and what stands before the pages
 * @head_len: bytes of it
 * @bv: the pages, in runs within a compound page; changed. TCP holds references
 *	to them until the peer has acknowledged them: not to be written to while
 *	their reference count is above the caller's.
 * @nr_bv: entries
 * @away: as for kcolo_conn_send()
 * @arg: for @away
 *
 * Context and Return: as kcolo_conn_send().
 */
int kcolo_conn_send_pages(struct kcolo_conn *conn, const void *head,
			  size_t head_len, struct bio_vec *bv,
			  unsigned int nr_bv, kcolo_away_fn away, void *arg)
{
	struct outgoing out = {
		.vec[0] = { .iov_base = (void *)head, .iov_len = head_len },
		.nr_vec = 1,
		.bv = bv,
		.nr_bv = nr_bv,
	};
	unsigned int i;

	for (i = 0; i < nr_bv; i++)
		out.bv_len += bv[i].bv_len;
	out.len = head_len + out.bv_len;
	return send_message(conn, &out, away, arg);
}

/**
 * kcolo_conn_finish - send what is left of a message, if anything is
 * @conn: connected
 * @away: as for kcolo_conn_send(); what then is still left is kept
 * @arg: for @away
 *
 * Context and Return: as kcolo_conn_send().
 */
int kcolo_conn_finish(struct kcolo_conn *conn, kcolo_away_fn away, void *arg)
{
	int err;

	mutex_lock(&conn->tx_lock);
	err = send_rest(conn, away, arg);
	mutex_unlock(&conn->tx_lock);
	return err;
}

static int lost(int err)
{
	if (err == -EAGAIN || err == -EINTR)
		return -ETIMEDOUT;
	return err;
}

static int recv_iter(struct kcolo_conn *conn, struct msghdr *msg)
{
	int got;

	if (!conn->sock)
		return -ENOTCONN;
	while (msg_data_left(msg)) {
		got = sock_recvmsg(conn->sock, msg, MSG_WAITALL);
		if (!got)
			return -ECONNRESET;
		if (got < 0)
			return lost(got);
		conn->rx_bytes += got;
		conn->rx_time = jiffies;
		if (conn->deadline && msg_data_left(msg) &&
		    time_after(jiffies, conn->deadline))
			return -ETIMEDOUT;
	}
	return 0;
}

/**
 * kcolo_conn_recv - receive exactly so many bytes
 * @conn: connected
 * @buf: where to
 * @len: how many
 *
 * Context: may sleep up to the connection's timeout at a time.
 * Return: 0 or a negative errno; then the connection is of no use any more.
 */
int kcolo_conn_recv(struct kcolo_conn *conn, void *buf, size_t len)
{
	struct kvec vec = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = { .msg_flags = MSG_NOSIGNAL };

	iov_iter_kvec(&msg.msg_iter, ITER_DEST, &vec, 1, len);
	return recv_iter(conn, &msg);
}

/**
 * kcolo_conn_recv_pages - receive exactly so many bytes into pages
 * @conn: connected
 * @bv: the pages
 * @nr_bv: entries
 * @len: bytes
 *
 * Context: may sleep up to the connection's timeout at a time.
 * Return: 0 or a negative errno; then the connection is of no use any more.
 */
int kcolo_conn_recv_pages(struct kcolo_conn *conn, struct bio_vec *bv,
			  unsigned int nr_bv, size_t len)
{
	struct msghdr msg = { .msg_flags = MSG_NOSIGNAL };

	iov_iter_bvec(&msg.msg_iter, ITER_DEST, bv, nr_bv, len);
	return recv_iter(conn, &msg);
}

/**
 * kcolo_conn_wait - wait until there is something to receive
 * @conn: connected
 * @ms: at most so many milliseconds
 *
 * Return: 1 when there is, 0 when the time has passed, or a negative errno.
 */
int kcolo_conn_wait(struct kcolo_conn *conn, unsigned int ms)
{
	struct msghdr msg = { .msg_flags = MSG_NOSIGNAL };
	u8 byte;
	struct kvec vec = { .iov_base = &byte, .iov_len = 1 };
	int got;

	if (!conn->sock)
		return -ENOTCONN;
	WRITE_ONCE(conn->sock->sk->sk_rcvtimeo, msecs_to_jiffies(ms));
	iov_iter_kvec(&msg.msg_iter, ITER_DEST, &vec, 1, 1);
	got = sock_recvmsg(conn->sock, &msg, MSG_PEEK);
	WRITE_ONCE(conn->sock->sk->sk_rcvtimeo,
		   msecs_to_jiffies(READ_ONCE(conn->timeout)));
	if (!got)
		return -ECONNRESET;
	if (got == -EAGAIN || got == -EINTR)
		return 0;
	return got < 0 ? got : 1;
}

/**
 * kcolo_conn_recv_body - receive the body of a message and check it
 * @conn: connected
 * @hdr: its header, already checked
 * @buf: hdr->length bytes
 *
 * Return: 0, -EBADMSG when the checksum is wrong, or another negative errno.
 */
int kcolo_conn_recv_body(struct kcolo_conn *conn,
			 const struct kcolo_wire_hdr *hdr, void *buf)
{
	int err;

	if (!hdr->length)
		return 0;
	err = kcolo_conn_recv(conn, buf, hdr->length);
	if (err)
		return err;
	return crc32c(~0U, buf, hdr->length) == hdr->crc ? 0 : -EBADMSG;
}
