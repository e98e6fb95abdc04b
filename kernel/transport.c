// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets: made, listened on, connected, shut down. Every wait is bounded, and
 * ended at once by kcolo_conn_stop() from any other thread. What goes over them
 * is in message.c.
 */
#include <linux/file.h>
#include <linux/kernel.h>
#include <linux/mm.h>
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

/* One of user space lives as long as its file. */
static void put_socket(struct socket *sock, struct file *file)
{
	if (file)
		fput(file);
	else if (sock)
		sock_release(sock);
}

/* Takes over the file, or the socket that has none. */
static int conn_publish(struct kcolo_conn *conn, struct socket *sock,
			struct file *file)
{
	int err = 0;

	mutex_lock(&conn->sock_lock);
	if (conn->stop) {
		err = -ESHUTDOWN;
	} else {
		conn->sock = sock;
		conn->file = file;
	}
	mutex_unlock(&conn->sock_lock);
	if (err)
		put_socket(sock, file);
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
static void set_patience(struct sock *sk, unsigned int ms)
{
	int secs = max(1U, ms / 3000);

	tcp_sock_set_user_timeout(sk, ms);
	tcp_sock_set_keepidle(sk, secs);
	tcp_sock_set_keepintvl(sk, secs);
	tcp_sock_set_keepcnt(sk, 3);
}

static void conn_tune(struct kcolo_conn *conn)
{
	struct sock *sk = conn->sock->sk;

	tcp_sock_set_nodelay(sk);
	sock_set_keepalive(sk);
	set_patience(sk, conn->timeout);
	/*
	 * The task's page fragment is for sockets that are not used from
	 * memory reclaim; a kernel thread cannot know.
	 */
	sk->sk_use_task_frag = false;
	set_timeouts(conn->sock, conn->timeout, KCOLO_SEND_SLICE);
	conn->rx_time = jiffies;
}

static int conn_create(struct kcolo_conn *conn, struct net *net, int family)
{
	struct socket *sock;
	int err;

	err = sock_create_kern(net, family, SOCK_STREAM, IPPROTO_TCP, &sock);
	if (err)
		return err;
	/* Or else TCP stops to retransmit when the socket is released. */
	kcolo_sock_hold_net(sock->sk);
	return conn_publish(conn, sock, NULL);
}

/**
 * kcolo_conn_adopt - use a socket of user space
 * @conn: initialised, without a socket; the caller owns it
 * @file: of a connected TCP socket; a reference is taken over
 *
 * Return: 0 or -ESHUTDOWN; then the reference was given back.
 */
int kcolo_conn_adopt(struct kcolo_conn *conn, struct file *file)
{
	int err = conn_publish(conn, sock_from_file(file), file);

	if (!err)
		conn_tune(conn);
	return err;
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
	err = conn_publish(conn, sock, NULL);
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
 * The caller owns both. When @to has been stopped the socket is released. What
 * went over it is counted with what went over @to before.
 */
void kcolo_conn_move(struct kcolo_conn *to, struct kcolo_conn *from)
{
	struct socket *sock;
	struct file *file;

	mutex_lock(&from->sock_lock);
	sock = from->sock;
	file = from->file;
	from->sock = NULL;
	from->file = NULL;
	mutex_unlock(&from->sock_lock);
	to->tx_bytes += from->tx_bytes;
	to->rx_bytes += from->rx_bytes;
	if (!conn_publish(to, sock, file))
		conn_tune(to);
}

/**
 * kcolo_conn_shutdown - end what a connection is doing
 * @conn: any connection, owned by anybody
 * @how: SHUT_RDWR, or SHUT_WR to send nothing more but hear the peer out
 *
 * Whoever does on it what is ended gets an error at once. The socket stays until
 * its owner releases it.
 */
void kcolo_conn_shutdown(struct kcolo_conn *conn, enum sock_shutdown_cmd how)
{
	mutex_lock(&conn->sock_lock);
	if (conn->sock)
		kernel_sock_shutdown(conn->sock, how);
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
 * @conn: owned by the caller; nobody sends or receives on it any more, but by
 *	kcolo_conn_send_now()
 *
 * Another one can be made then.
 */
void kcolo_conn_release(struct kcolo_conn *conn)
{
	struct socket *sock;
	struct file *file;

	mutex_lock(&conn->sock_lock);
	sock = conn->sock;
	file = conn->file;
	conn->sock = NULL;
	conn->file = NULL;
	mutex_unlock(&conn->sock_lock);
	put_socket(sock, file);
	mutex_lock(&conn->tx_lock);
	kvfree(conn->rest);
	conn->rest = NULL;
	conn->rest_len = 0;
	mutex_unlock(&conn->tx_lock);
	conn->deadline = 0;
}

/**
 * kcolo_conn_set_timeout - be more, or less, patient with the peer
 * @conn: any connection, owned by anybody
 * @ms: milliseconds without progress after which the peer is lost
 *
 * Takes effect at once, but for a wait for more bytes that has begun.
 */
void kcolo_conn_set_timeout(struct kcolo_conn *conn, unsigned int ms)
{
	mutex_lock(&conn->sock_lock);
	WRITE_ONCE(conn->timeout, ms);
	if (conn->sock)
		set_patience(conn->sock->sk, ms);
	mutex_unlock(&conn->sock_lock);
}
