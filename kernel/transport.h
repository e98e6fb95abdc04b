/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_TRANSPORT_H
#define KCOLO_TRANSPORT_H

#include <linux/bvec.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/socket.h>
#include "wire.h"

struct file;
struct net;
struct socket;

/* An address of either family; family 0 is none. */
union kcolo_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static inline int kcolo_addr_len(const union kcolo_addr *addr)
{
	return addr->sa.sa_family == AF_INET6 ? sizeof(addr->in6) :
						sizeof(addr->in);
}

/**
 * struct kcolo_conn - a connection, or a socket that listens
 * @sock: owned, unless it is @file's; NULL when there is none. Set and cleared under @sock_lock by
 *	the one thread that owns the connection, which alone may use it without.
 * @file: of a socket of user space, held; or NULL
 * @sock_lock: leaf; lets others shut the socket down while it is being used
 * @tx_lock: one message at a time; only @sock_lock is taken under it
 * @stop: somebody has shut it down and no new socket is to be made
 * @timeout: milliseconds without progress after which the peer is lost
 * @tx_bytes: handed to TCP, by all sockets it ever had
 * @rx_bytes: taken from TCP, likewise
 * @rx_time: jiffies when anything last came
 * @deadline: jiffies after which nothing is waited for, however much comes; 0
 *	is none
 * @rest: what is left of a message that a sender was called away from, or NULL
 * @rest_len: bytes of it
 * @rest_at: bytes of those that are sent
 */
struct kcolo_conn {
	struct socket *sock;
	struct file *file;
	struct mutex sock_lock;	/* over sock, file and stop */
	struct mutex tx_lock;	/* a message at a time */
	bool stop;
	unsigned int timeout;
	u64 tx_bytes;
	u64 rx_bytes;
	unsigned long rx_time;
	unsigned long deadline;
	u8 *rest;		/* under tx_lock, as the next two */
	size_t rest_len;
	size_t rest_at;
};

/*
 * Why a sender that waits for room is wanted elsewhere: -ETIME, -ECANCELED, or
 * 0 when it is not.
 */
typedef int (*kcolo_away_fn)(void *arg);

static inline bool kcolo_called_away(int err)
{
	return err == -ETIME || err == -ECANCELED;
}

/* A sender that waits for room looks so often whether to go on (milliseconds). */
#define KCOLO_SEND_SLICE	100

void kcolo_conn_init(struct kcolo_conn *conn, unsigned int timeout);
int kcolo_conn_connect(struct kcolo_conn *conn, struct net *net,
		       const union kcolo_addr *local,
		       const union kcolo_addr *peer);
int kcolo_conn_listen(struct kcolo_conn *conn, struct net *net,
		      const union kcolo_addr *local);
int kcolo_conn_accept(struct kcolo_conn *listener, struct kcolo_conn *conn,
		      union kcolo_addr *peer);
int kcolo_conn_adopt(struct kcolo_conn *conn, struct file *file);
void kcolo_conn_move(struct kcolo_conn *to, struct kcolo_conn *from);
void kcolo_conn_shutdown(struct kcolo_conn *conn, enum sock_shutdown_cmd how);
void kcolo_conn_stop(struct kcolo_conn *conn);
void kcolo_conn_release(struct kcolo_conn *conn);
void kcolo_conn_set_timeout(struct kcolo_conn *conn, unsigned int ms);

/* message.c */
int kcolo_conn_send(struct kcolo_conn *conn, struct kcolo_wire_hdr *hdr,
		    const void *body, kcolo_away_fn away, void *arg);
int kcolo_conn_send_now(struct kcolo_conn *conn, struct kcolo_wire_hdr *hdr);
int kcolo_conn_send_pages(struct kcolo_conn *conn, const void *head,
			  size_t head_len, struct bio_vec *bv,
			  unsigned int nr_bv, kcolo_away_fn away, void *arg);
int kcolo_conn_finish(struct kcolo_conn *conn, kcolo_away_fn away, void *arg);
int kcolo_conn_recv(struct kcolo_conn *conn, void *buf, size_t len);
int kcolo_conn_recv_pages(struct kcolo_conn *conn, struct bio_vec *bv,
			  unsigned int nr_bv, size_t len);
int kcolo_conn_wait(struct kcolo_conn *conn, unsigned int ms);
int kcolo_conn_recv_body(struct kcolo_conn *conn,
			 const struct kcolo_wire_hdr *hdr, void *buf);

#endif
