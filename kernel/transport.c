// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets: made, listened on, connected, shut down; messages in and out of
 * them. Every wait is bounded by the connection's timeout and ended at once
 * by kcolo_conn_stop() from any other thread.
 */
#include <linux/kernel.h>
#include <linux/net.h>
#include <linux/string.h>
#include <linux/tcp.h>
#include <net/sock.h>
#include <net/tcp.h>
#include "compat.h"
#include "transport.h"

/* One try to connect, or one wait for somebody to connect, in milliseconds. */
#define CONNECT_MS	2000
#define ACCEPT_MS	1000

/**
 * kcolo_conn_init - make a connection that is not connected
 * @conn: to be
 * @timeout: milliseconds without progress after which a peer is lost
 */
void kcolo_conn_init(struct kcolo_conn *conn, unsigned int timeout)
{
	memset(conn, 0, sizeof(*conn));
	mutex_init(&conn->sock_lock);
	mutex_init(&conn->tx_lock);
	conn->timeout = timeout;
}

static int conn_publish(struct kcolo_conn *conn, struct socket *sock)
{
	int err = 0;

	mutex_lock(&conn->sock_lock);
	if (conn->stop)
		err = -ESHUTDOWN;
	else
		conn->sock = sock;
	mutex_unlock(&conn->sock_lock);
	if (err)
		sock_release(sock);
	return err;
}

static void set_timeouts(struct socket *sock, unsigned int rcv_ms,
			 unsigned int snd_ms)
{
	struct sock *sk = sock->sk;

	lock_sock(sk);
	WRITE_ONCE(sk->sk_rcvtimeo, msecs_to_jiffies(rcv_ms));
	WRITE_ONCE(sk->sk_sndtimeo, msecs_to_jiffies(snd_ms));
	release_sock(sk);
}

/*
 * A peer that is silent is noticed three ways: by our own PINGs, by TCP's
 * user timeout when there is something unacknowledged, by keepalives when
 * there is not.
 */
static void conn_tune(struct kcolo_conn *conn)
{
	struct sock *sk = conn->sock->sk;
	int secs = max(1U, conn->timeout / 3000);

	tcp_sock_set_nodelay(sk);
	tcp_sock_set_user_timeout(sk, conn->timeout);
	sock_set_keepalive(sk);
	tcp_sock_set_keepidle(sk, secs);
	tcp_sock_set_keepintvl(sk, secs);
	tcp_sock_set_keepcnt(sk, 3);
	/*
	 * The task's page fragment is for sockets that are not used from
	 * memory reclaim; a kernel thread cannot know.
	 */
	sk->sk_use_task_frag = false;
	set_timeouts(conn->sock, conn->timeout, conn->timeout);
	conn->rx_time = jiffies;
	conn->tx_bytes = 0;
	conn->rx_bytes = 0;
}

static int conn_create(struct kcolo_conn *conn, struct net *net, int family)
{
	struct socket *sock;
	int err;

	err = sock_create_kern(net, family, SOCK_STREAM, IPPROTO_TCP, &sock);
	if (err)
		return err;
	return conn_publish(conn, sock);
}

/**
 * kcolo_conn_connect - try once to connect
 * @conn: initialised, without a socket; the caller owns it
 * @net: network namespace, held by the caller
 * @local: address to come from, or family 0
 * @peer: address to go to
 *
 * Context: may sleep up to CONNECT_MS; kcolo_conn_stop() ends it.
 * Return: 0 or a negative errno; then @conn has no socket.
 */
int kcolo_conn_connect(struct kcolo_conn *conn, struct net *net,
		       const union kcolo_addr *local,
		       const union kcolo_addr *peer)
{
	union kcolo_addr from = *local, to = *peer;
	int err;

	err = conn_create(conn, net, to.sa.sa_family);
	if (err)
		return err;
	set_timeouts(conn->sock, CONNECT_MS, CONNECT_MS);
	if (from.sa.sa_family) {
		sock_set_reuseaddr(conn->sock->sk);
		err = kernel_bind(conn->sock, &from.sa, kcolo_addr_len(&from));
	}
	if (!err)
		err = kernel_connect(conn->sock, &to.sa, kcolo_addr_len(&to),
				     0);
	if (err) {
		kcolo_conn_release(conn);
		return err == -EINPROGRESS ? -ETIMEDOUT : err;
	}
	conn_tune(conn);
	return 0;
}

/**
 * kcolo_conn_listen - listen
 * @conn: initialised, without a socket; the caller owns it
 * @net: network namespace, held by the caller
 * @local: address to listen on
 *
 * Return: 0 or a negative errno; then @conn has no socket.
 */
int kcolo_conn_listen(struct kcolo_conn *conn, struct net *net,
		      const union kcolo_addr *local)
{
	union kcolo_addr at = *local;
	int err;

	err = conn_create(conn, net, at.sa.sa_family);
	if (err)
		return err;
	sock_set_reuseaddr(conn->sock->sk);
	err = kernel_bind(conn->sock, &at.sa, kcolo_addr_len(&at));
	if (!err)
		err = kernel_listen(conn->sock, 8);
	if (err)
		kcolo_conn_release(conn);
	else
		set_timeouts(conn->sock, ACCEPT_MS, ACCEPT_MS);
	return err;
}

/**
 * kcolo_conn_accept - wait a while for somebody to connect
 * @listener: a connection that listens
 * @conn: initialised, without a socket; the caller owns it
 * @peer: where the connection came from, or NULL
 *
 * Context: may sleep up to ACCEPT_MS; kcolo_conn_stop() on @listener ends it.
 * Return: 0, -EAGAIN when nobody came, or another negative errno.
 */
int kcolo_conn_accept(struct kcolo_conn *listener, struct kcolo_conn *conn,
		      union kcolo_addr *peer)
{
	struct sockaddr_storage from = {};
	struct socket *sock;
	int err;

	err = kernel_accept(listener->sock, &sock, 0);
	if (err)
		return err;
	err = conn_publish(conn, sock);
	if (err)
		return err;
	conn_tune(conn);
	if (peer && kernel_getpeername(sock, (struct sockaddr *)&from) > 0)
		memcpy(peer, &from, sizeof(*peer));
	return 0;
}

/**
 * kcolo_conn_move - hand a socket from one connection to another
 * @to: initialised, without a socket
 * @from: has one; has none afterwards
 *
 * The caller owns both. When @to has been stopped the socket is released.
 */
void kcolo_conn_move(struct kcolo_conn *to, struct kcolo_conn *from)
{
	struct socket *sock;

	mutex_lock(&from->sock_lock);
	sock = from->sock;
	from->sock = NULL;
	mutex_unlock(&from->sock_lock);
	if (!conn_publish(to, sock))
		conn_tune(to);
}

/**
 * kcolo_conn_shutdown - end all that a connection is doing
 * @conn: any connection, owned by anybody
 *
 * Whoever sends or receives on it gets an error at once. The socket stays
 * until its owner releases it.
 */
void kcolo_conn_shutdown(struct kcolo_conn *conn)
{
	mutex_lock(&conn->sock_lock);
	if (conn->sock)
		kernel_sock_shutdown(conn->sock, SHUT_RDWR);
	mutex_unlock(&conn->sock_lock);
}

/**
 * kcolo_conn_stop - shut down for good
 * @conn: any connection, owned by anybody
 *
 * As kcolo_conn_shutdown(), and no new socket can be made.
 */
void kcolo_conn_stop(struct kcolo_conn *conn)
{
	mutex_lock(&conn->sock_lock);
	conn->stop = true;
	if (conn->sock)
		kernel_sock_shutdown(conn->sock, SHUT_RDWR);
	mutex_unlock(&conn->sock_lock);
}

/**
 * kcolo_conn_release - free the socket
 * @conn: owned by the caller; nobody sends or receives on it any more
 */
void kcolo_conn_release(struct kcolo_conn *conn)
{
	struct socket *sock;

	mutex_lock(&conn->sock_lock);
	sock = conn->sock;
	conn->sock = NULL;
	mutex_unlock(&conn->sock_lock);
	if (sock)
		sock_release(sock);
}

static int lost(int err)
{
	if (err == -EAGAIN || err == -EINTR)
		return -ETIMEDOUT;
	return err;
}

static int send_kvec(struct kcolo_conn *conn, struct kvec *vec, size_t nr,
		     size_t len, int flags)
{
	struct msghdr msg = { .msg_flags = MSG_NOSIGNAL | flags };
	int sent;

	if (!conn->sock)
		return -ENOTCONN;
	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, vec, nr, len);
	while (msg_data_left(&msg)) {
		sent = sock_sendmsg(conn->sock, &msg);
		if (sent < 0)
			return lost(sent);
		conn->tx_bytes += sent;
	}
	return 0;
}

/**
 * kcolo_conn_send - send a message
 * @conn: connected
 * @hdr: its header; the checksum is filled in
 * @body: hdr->length bytes
 *
 * Context: may sleep up to the connection's timeout at a time.
 * Return: 0 or a negative errno; then the connection is of no use any more.
 */
int kcolo_conn_send(struct kcolo_conn *conn, struct kcolo_wire_hdr *hdr,
		    const void *body)
{
	u8 buf[KCOLO_WIRE_HDR];
	struct kvec vec[2] = {
		{ .iov_base = buf, .iov_len = sizeof(buf) },
		{ .iov_base = (void *)body, .iov_len = hdr->length },
	};
	int err;

	hdr->crc = hdr->length ? crc32c(~0U, body, hdr->length) : 0;
	kcolo_wire_put_hdr(buf, hdr);
	mutex_lock(&conn->tx_lock);
	err = send_kvec(conn, vec, hdr->length ? 2 : 1,
			sizeof(buf) + hdr->length, 0);
	mutex_unlock(&conn->tx_lock);
	return err;
}

/**
 * kcolo_conn_send_now - send a message that has no body, or do not
 * @conn: any connection, owned by anybody
 * @hdr: the message; its length is 0
 *
 * Waits for nobody: neither for one who is sending, nor for the peer.
 *
 * Return: 0, or a negative errno when it was not sent.
 */
int kcolo_conn_send_now(struct kcolo_conn *conn, struct kcolo_wire_hdr *hdr)
{
	struct msghdr msg = { .msg_flags = MSG_NOSIGNAL | MSG_DONTWAIT };
	u8 buf[KCOLO_WIRE_HDR];
	struct kvec vec = { .iov_base = buf, .iov_len = sizeof(buf) };
	int sent = -ENOTCONN;

	kcolo_wire_put_hdr(buf, hdr);
	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &vec, 1, sizeof(buf));
	if (!mutex_trylock(&conn->tx_lock))
		return -EBUSY;
	mutex_lock(&conn->sock_lock);
	if (conn->sock)
		sent = sock_sendmsg(conn->sock, &msg);
	mutex_unlock(&conn->sock_lock);
	mutex_unlock(&conn->tx_lock);
	if (sent < 0)
		return sent;
	return sent == sizeof(buf) ? 0 : -EAGAIN;
}

static int splice_all(struct kcolo_conn *conn, struct bio_vec *bv,
		      unsigned int nr)
{
	size_t len = 0;
	unsigned int i;
	int sent;

	for (i = 0; i < nr; i++)
		len += bv[i].bv_len;
	while (len) {
		sent = kcolo_splice(conn->sock, bv, nr, len, MSG_NOSIGNAL);
		if (sent < 0)
			return lost(sent);
		conn->tx_bytes += sent;
		len -= sent;
		while (nr && sent >= bv->bv_len) {
			sent -= bv->bv_len;
			bv++;
			nr--;
		}
		if (nr && sent) {
			bv->bv_offset += sent;
			bv->bv_len -= sent;
		}
	}
	return 0;
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
 *
 * Context: may sleep up to the connection's timeout at a time.
 * Return: 0 or a negative errno; then the connection is of no use any more.
 */
int kcolo_conn_send_pages(struct kcolo_conn *conn, const void *head,
			  size_t head_len, struct bio_vec *bv,
			  unsigned int nr_bv)
{
	struct kvec vec = { .iov_base = (void *)head, .iov_len = head_len };
	int err;

	mutex_lock(&conn->tx_lock);
	err = send_kvec(conn, &vec, 1, head_len, nr_bv ? MSG_MORE : 0);
	if (!err && nr_bv)
		err = splice_all(conn, bv, nr_bv);
	mutex_unlock(&conn->tx_lock);
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
	WRITE_ONCE(conn->sock->sk->sk_rcvtimeo, msecs_to_jiffies(conn->timeout));
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
