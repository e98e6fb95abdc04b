/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of libkcolo share. Nothing here is exported. */
#ifndef KCOLO_INTERNAL_H
#define KCOLO_INTERNAL_H

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/genl/genl.h>
#include <stdint.h>
#include "kcolo.h"

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))

/* What a request may take; the kernel answers before sendmsg() returns. */
#define KCOLO_REQUEST_MS	5000
/* Events that came while the answer to a subscription was awaited. */
#define KCOLO_QUEUE_MAX		32
/* Above what the kernel puts in one message of a dump (32 KiB). */
#define KCOLO_RECV_MAX		65536
#define KCOLO_EVENT_RCVBUF	(4 << 20)

/**
 * struct kcolo_nl - a netlink socket
 * @fd: non-blocking, close on exec; -1 when there is none
 * @portid: its address
 * @seq: number of the last request
 */
struct kcolo_nl {
	int fd;
	uint32_t portid;
	uint32_t seq;
};

/* A mapping of the session fd; it keeps the session alive, so it is known. */
struct kcolo_map {
	void *addr;
	size_t size;
};

/* What one reading of a session can tell at most. */
#define KCOLO_MADE_MAX		8

/**
 * struct kcolo_told - what the caller was told of the handle's session
 * @known: the session was read; @id and @name are its own
 * @seq: events up to this one are included in what was read
 * @last: number of the last event, 0 is not known: after a gap some are lost
 * @epoch: the last epoch known to the caller
 * @open: an epoch whose end was not told, 0 is none
 * @ready: the last epoch that was told to be ready, or prepared; so @received,
 *	@committed
 * @links: times that the peer has connected, as far as it was told
 * @once: types of events that were told, a bit each; of those about the link what
 *	is so now
 * @made_once: of those that come once, the types that were told as of a reading
 * @made: events made of the session's state, from @head to @len
 */
struct kcolo_told {
	bool known;
	uint32_t id;
	char name[KCOLO_NAME_MAX + 1];
	uint64_t seq;
	uint64_t last;
	uint64_t epoch;
	uint64_t open;
	uint64_t ready;
	uint64_t received;
	uint64_t committed;
	uint64_t links;
	uint32_t once;
	uint32_t made_once;
	unsigned int head;
	unsigned int len;
	struct kcolo_event made[KCOLO_MADE_MAX];
};

struct kcolo {
	struct kcolo_nl req;		/* requests and dumps */
	struct kcolo_nl ev;		/* events, and subscriptions to them */
	uint16_t family;
	uint32_t group;			/* multicast, 0 is none */
	uint8_t *buf;			/* KCOLO_RECV_MAX */

	int fd;				/* of the session, or -1 */
	uint32_t id;			/* with has_id */
	bool has_id;
	char name[KCOLO_NAME_MAX + 1];	/* "" is none */

	/* Pollable: ev.fd, and wake_fd while something waits in the queue. */
	int poll_fd;
	int wake_fd;
	bool woken;
	bool lost;			/* events, and not yet told */
	bool all;			/* events of all sessions come */
	unsigned int queue_head;
	unsigned int queue_len;
	struct kcolo_event queue[KCOLO_QUEUE_MAX];
	struct kcolo_told told;

	struct kcolo_map scratch;
	struct kcolo_map *logs;
	size_t nr_logs;

	char error[512];
};

/* socket.c */
int kcolo_nl_open(struct kcolo_nl *nl);
void kcolo_nl_close(struct kcolo_nl *nl);
int kcolo_nl_send(struct kcolo_nl *nl, struct nlmsghdr *nlh);
ssize_t kcolo_nl_recv(struct kcolo_nl *nl, void *buf, size_t size);
int64_t kcolo_now_ms(void);
int kcolo_wait_readable(int fd, int64_t end_ms);

/* request.c */
typedef int (*kcolo_reply_cb)(struct kcolo *k, const struct nlmsghdr *nlh,
			      struct nlattr **tb, void *arg);

/**
 * struct kcolo_request - what is asked and what to do with the answer
 * @msg: from kcolo_request_new() (owned by the request)
 * @nl: socket to ask on
 * @reply: called with the attributes of each message of the answer, or NULL
 * @policy: what those attributes have to be like
 * @maxattr: the highest of them
 * @arg: for @reply
 */
struct kcolo_request {
	struct nl_msg *msg;
	struct kcolo_nl *nl;
	kcolo_reply_cb reply;
	const struct nla_policy *policy;
	int maxattr;
	void *arg;
};

int kcolo_request_new(struct kcolo *k, struct kcolo_request *rq, int cmd,
		      int flags);
int kcolo_request_run(struct kcolo *k, struct kcolo_request *rq);
int kcolo_request_fail(struct kcolo *k, struct kcolo_request *rq, int err);

/* extack.c */
int kcolo_extack(struct kcolo *k, const struct nlmsghdr *request,
		 const struct nlmsghdr *answer);

/* error.c */
int kcolo_fail(struct kcolo *k, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* session.c */
int kcolo_session_request(struct kcolo *k, struct kcolo_request *rq, int cmd);
int kcolo_session_simple(struct kcolo *k, int cmd);
int kcolo_session_need_fd(struct kcolo *k);

/* info.c */
extern const struct nla_policy kcolo_session_attrs[KCOLO_A_SESSION_MAX + 1];
int kcolo_parse_region(const struct nlattr *nest, struct kcolo_region_info *r);
int kcolo_parse_session(const struct nlmsghdr *nlh, struct nlattr **tb,
			struct kcolo_session_info *info);
void kcolo_copy_string(char *dst, size_t size, const struct nlattr *attr);

/* queue.c */
void kcolo_event_wake(struct kcolo *k);
bool kcolo_event_message(struct kcolo *k, const struct nlmsghdr *nlh);
void kcolo_event_lost(struct kcolo *k);

/* reread.c */
int kcolo_told_begin(struct kcolo *k);
void kcolo_told_open(struct kcolo *k, uint64_t epoch);
void kcolo_told_event(struct kcolo *k, const struct kcolo_event *ev);
int kcolo_told_reread(struct kcolo *k);
bool kcolo_told_next(struct kcolo *k, struct kcolo_event *ev);
bool kcolo_told_before(const struct kcolo *k, const struct kcolo_event *ev);

/* names.c */
const char *kcolo_session_attr_name(unsigned int attr);

#endif
