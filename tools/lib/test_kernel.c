// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The kernel's side of the family, in a thread: linked with --wrap, its sockets
 * take the place of netlink's. The tool's tests set it up by the environment.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/genetlink.h>
#include "internal.h"
#include "test_kernel.h"

/* A server that waits for the reader of a full socket is not waited for longer. */
#define ANSWER_MS	1000

static atomic_uint requests, handled;

struct fake fake = {
	.sessions = 1, .role = KCOLO_ROLE_PRIMARY, .state = KCOLO_STATE_IDLE,
	.epoch = 42, .committed = 41, .abort_reason = 99, .event_seq = 2,
	.log_size = 4096, .session_fd = -1,
};

typedef void (*put_fn)(struct nl_msg *msg, unsigned int n);

struct server {
	int fd;
	uint32_t portid;
};

struct asked {
	struct server *server;
	struct nlmsghdr *nlh;
	struct genlmsghdr *genl;
	struct nlattr *tb[64];
};

static void send_message(struct server *s, struct nl_msg *msg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	unsigned char *p = (unsigned char *)nlh;
	uint32_t len = nlh->nlmsg_len;
	int n;

	if (fake.mutate && nlh->nlmsg_type >= NLMSG_MIN_TYPE &&
	    nlh->nlmsg_type != GENL_ID_CTRL) {
		srandom(fake.mutate++);
		for (n = random() % 6; n >= 0; n--)
			p[random() % len] = random();
	}
	if (!fake.full)
		send(s->fd, p, len, MSG_NOSIGNAL);
	nlmsg_free(msg);
}

static struct nl_msg *reply(struct asked *a, int cmd)
{
	struct nl_msg *msg = nlmsg_alloc_size(16384);
	struct genlmsghdr *genl;

	nlmsg_put(msg, a->nlh->nlmsg_pid, a->nlh->nlmsg_seq,
		  a->nlh->nlmsg_type, GENL_HDRLEN, 0);
	genl = nlmsg_data(nlmsg_hdr(msg));
	genl->cmd = cmd;
	genl->version = 1;
	return msg;
}

static void end(struct asked *a, int err, const char *text, uint32_t offset)
{
	struct nl_msg *msg = nlmsg_alloc();
	struct nlmsgerr *e;

	nlmsg_put(msg, a->nlh->nlmsg_pid, a->nlh->nlmsg_seq, NLMSG_ERROR,
		  sizeof(*e), NLM_F_CAPPED | (text ? NLM_F_ACK_TLVS : 0));
	e = nlmsg_data(nlmsg_hdr(msg));
	e->error = err;
	e->msg = *a->nlh;
	if (text)
		nla_put_string(msg, NLMSGERR_ATTR_MSG, text);
	if (offset)
		nla_put_u32(msg, NLMSGERR_ATTR_OFFS, offset);
	send_message(a->server, msg);
}

static void done(struct asked *a)
{
	struct nl_msg *msg = nlmsg_alloc();
	int zero = 0;

	nlmsg_put(msg, a->nlh->nlmsg_pid, a->nlh->nlmsg_seq, NLMSG_DONE, 0,
		  NLM_F_MULTI | (fake.torn > 0 ? NLM_F_DUMP_INTR : 0));
	nlmsg_append(msg, &zero, sizeof(zero), NLMSG_ALIGNTO);
	if (fake.torn > 0)
		fake.torn--;
	send_message(a->server, msg);
}

static void get_family(struct asked *a)
{
	struct nl_msg *msg = reply(a, CTRL_CMD_NEWFAMILY);
	struct nlattr *groups, *group;

	if (fake.no_module) {
		nlmsg_free(msg);
		end(a, -ENOENT, NULL, 0);
		return;
	}
	nla_put_u16(msg, CTRL_ATTR_FAMILY_ID, FAKE_FAMILY);
	groups = nla_nest_start(msg, CTRL_ATTR_MCAST_GROUPS);
	group = nla_nest_start(msg, 1);
	nla_put_string(msg, CTRL_ATTR_MCAST_GRP_NAME, KCOLO_MCGRP_EVENTS);
	nla_put_u32(msg, CTRL_ATTR_MCAST_GRP_ID, FAKE_GROUP);
	nla_nest_end(msg, group);
	nla_nest_end(msg, groups);
	send_message(a->server, msg);
	end(a, 0, NULL, 0);
}

static void dump(struct asked *a, put_fn put)
{
	struct nl_msg *msg;
	int i;

	for (i = 0; i < fake.sessions; i++) {
		msg = reply(a, a->genl->cmd);
		put(msg, i);
		nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_MULTI;
		send_message(a->server, msg);
	}
	done(a);
}

static void send_event(struct asked *a, uint64_t seq)
{
	struct nl_msg *msg;

	if (fake.gap && seq == (uint64_t)fake.gap)
		return;
	msg = reply(a, KCOLO_CMD_EVENT);
	nlmsg_hdr(msg)->nlmsg_seq = 0;
	nlmsg_hdr(msg)->nlmsg_pid = 0;
	fake_put_event(msg, seq);
	send_message(a->server, msg);
}

static void answer(struct asked *a, put_fn put)
{
	struct nl_msg *msg = reply(a, a->genl->cmd);

	put(msg, 0);
	send_message(a->server, msg);
	end(a, 0, NULL, 0);
}

static void subscribe(struct asked *a)
{
	struct nl_msg *msg = reply(a, KCOLO_CMD_SUBSCRIBE);
	uint64_t seq = 0;
	int i;

	fake.subscribes++;
	if (fake.ends == 1)
		fake.state = KCOLO_STATE_CLOSED;
	fake.gone = fake.gone || fake.ends == 2;
	fake.other += fake.ends == 3;
	for (i = 0; i < fake.early_events; i++)
		send_event(a, ++seq);
	nla_put_u64(msg, KCOLO_A_SESSION_EVENT_SEQ, seq);
	send_message(a->server, msg);
	end(a, 0, NULL, 0);
	for (i = 0; i < fake.late_events; i++)
		send_event(a, ++seq);
}

static void region_add(struct asked *a)
{
	struct nl_msg *msg = reply(a, KCOLO_CMD_REGION_ADD);
	struct nlattr *tb[KCOLO_A_REGION_MAX + 1];

	nla_parse_nested(tb, KCOLO_A_REGION_MAX, a->tb[KCOLO_A_SESSION_REGION],
			 NULL);
	fake_put_region(msg, nla_get_string(tb[KCOLO_A_REGION_NAME]),
			nla_get_u64(tb[KCOLO_A_REGION_SIZE]));
	nla_put_u64(msg, KCOLO_A_SESSION_SCRATCH_SIZE, FAKE_SCRATCH);
	send_message(a->server, msg);
	end(a, 0, NULL, 0);
}

static void session_new(struct asked *a)
{
	struct nl_msg *msg = reply(a, KCOLO_CMD_SESSION_NEW);
	int sv[2];

	if (fake.session_fd < 0 &&
	    !socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv)) {
		fake.session_fd = sv[0];
		if (fake.hang_up)
			close(sv[1]);
	}
	nla_put_s32(msg, KCOLO_A_SESSION_FD, fake.session_fd);
	nla_put_u32(msg, KCOLO_A_SESSION_ID, FAKE_ID);
	nla_put_string(msg, KCOLO_A_SESSION_NAME, FAKE_NAME);
	send_message(a->server, msg);
	end(a, 0, NULL, 0);
}

/* Return: whether it is there; else the request was refused. */
static bool find(struct asked *a, struct nlattr *id, struct nlattr *name)
{
	if (name && strcmp(nla_get_string(name), FAKE_NAME)) {
		end(a, -ENOENT, "there is no such session", 0);
		return false;
	}
	if (fake.gone || (id && nla_get_u32(id) != FAKE_ID + (uint32_t)fake.other)) {
		end(a, -ENOENT, "there is no such session", 0);
		return false;
	}
	return true;
}

static void set(struct asked *a)
{
	struct nlattr *gain = a->tb[KCOLO_A_SESSION_MIN_GAIN];
	int i;

	if (gain && nla_get_u32(gain) > 100) {
		end(a, -ERANGE, "integer out of range",
		    (char *)gain - (char *)a->nlh);
		return;
	}
	fake.params = 0;
	for (i = 0; i <= KCOLO_A_SESSION_MAX; i++)
		if (a->tb[i])
			fake.params |= UINT64_C(1) << i;
	end(a, 0, NULL, 0);
}

static void apply(struct asked *a)
{
	struct nlattr *epoch = a->tb[KCOLO_A_SESSION_EPOCH];

	if (epoch && nla_get_u64(epoch) == 42)
		end(a, 0, NULL, 0);
	else
		end(a, -ESTALE, "epoch 42 is open", 0);
}

static void on_session(struct asked *a)
{
	struct nl_msg *msg;

	switch (a->genl->cmd) {
	case KCOLO_CMD_SESSION_GET:
		answer(a, fake_put_session);
		break;
	case KCOLO_CMD_SUBSCRIBE:
		subscribe(a);
		break;
	case KCOLO_CMD_REGION_ADD:
		region_add(a);
		break;
	case KCOLO_CMD_SESSION_SET:
		set(a);
		break;
	case KCOLO_CMD_CHECKPOINT:
		msg = reply(a, KCOLO_CMD_CHECKPOINT);
		nla_put_u64(msg, KCOLO_A_SESSION_EPOCH, 43);
		send_message(a->server, msg);
		end(a, 0, NULL, 0);
		break;
	case KCOLO_CMD_APPLY:
	case KCOLO_CMD_DROP:
		apply(a);
		break;
	case KCOLO_CMD_PROMOTE:
		end(a, -EOPNOTSUPP, fake.raw ? "a primary" FAKE_RAW :
		    "a primary cannot be promoted", 0);
		break;
	case KCOLO_CMD_COMMIT:
		end(a, -EPERM, NULL, 0);
		break;
	case KCOLO_CMD_REGION_DEL:
		fake.dels++;
		end(a, 0, NULL, 0);
		break;
	default:
		end(a, 0, NULL, 0);
	}
}

static void on_request(struct asked *a)
{
	bool is_dump = a->nlh->nlmsg_flags & NLM_F_DUMP;

	if (fake.silent)
		return;
	if (a->nlh->nlmsg_type == GENL_ID_CTRL)
		return get_family(a);
	if (a->genl->cmd == KCOLO_CMD_SESSION_NEW)
		return session_new(a);
	if (a->genl->cmd == KCOLO_CMD_STATS_GET) {
		if (is_dump)
			return dump(a, fake_put_stats);
		fake.gone = fake.gone || fake.no_stats;
		if (find(a, a->tb[KCOLO_A_STATS_SESSION_ID],
			 a->tb[KCOLO_A_STATS_SESSION_NAME]))
			answer(a, fake_put_stats);
		return;
	}
	if (is_dump)
		return dump(a, fake_put_session);
	if (find(a, a->tb[KCOLO_A_SESSION_ID], a->tb[KCOLO_A_SESSION_NAME]))
		on_session(a);
}

static void *serve(void *arg)
{
	struct asked a = { .server = arg };
	uint64_t words[1024];
	char *buf = (char *)words;
	ssize_t n;

	while ((n = recv(a.server->fd, buf, sizeof(words), 0)) > 0) {
		a.nlh = (struct nlmsghdr *)buf;
		a.genl = nlmsg_data(a.nlh);
		nla_parse(a.tb, 63, genlmsg_attrdata(a.genl, 0),
			  genlmsg_attrlen(a.genl, 0), NULL);
		on_request(&a);
		handled++;
	}
	close(a.server->fd);
	free(a.server);
	return NULL;
}

struct setting {
	const char *name;
	atomic_int *value;
};

static void from_environment(void)
{
	const struct setting t[] = {
		{ "FAKE_NO_MODULE", &fake.no_module },
		{ "FAKE_SESSIONS", &fake.sessions },
		{ "FAKE_EARLY", &fake.early_events },
		{ "FAKE_LATE", &fake.late_events },
		{ "FAKE_HANG_UP", &fake.hang_up },
		{ "FAKE_STATE", &fake.state },
		{ "FAKE_ENDS", &fake.ends },
		{ "FAKE_RAW", &fake.raw },
		{ "FAKE_NO_STATS", &fake.no_stats },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++)
		if (getenv(t[i].name))
			*t[i].value = atoi(getenv(t[i].name));
}

int __wrap_kcolo_nl_open(struct kcolo_nl *nl)
{
	struct server *s = calloc(1, sizeof(*s));
	int sv[2], size = 1 << 20;
	sigset_t all, old;
	pthread_attr_t attr;
	pthread_t thread;

	from_environment();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv))
		return -errno;
	setsockopt(sv[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	s->fd = sv[1];
	s->portid = 1000 + sv[0];
	nl->fd = sv[0];
	nl->portid = s->portid;
	nl->seq = 0;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	/* The signals are for those who are tested. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_create(&thread, &attr, serve, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return 0;
}

/* As netlink has it: when a request is sent, it is answered. */
int __wrap_kcolo_nl_send(struct kcolo_nl *nl, struct nlmsghdr *nlh)
{
	int64_t end = kcolo_now_ms() + ANSWER_MS;
	unsigned int mine = ++requests;
	int err = __real_kcolo_nl_send(nl, nlh);

	if (err)
		requests--;
	while (!err && (int)(handled - mine) < 0 && kcolo_now_ms() < end)
		sched_yield();
	return err;
}

/* As netlink has it: without waiting, and from the kernel. */
ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags)
{
	struct sockaddr_nl from = { .nl_family = AF_NETLINK };
	void *name = msg->msg_name;
	ssize_t n;

	if (fake.lose > 0) {
		fake.lose--;
		errno = ENOBUFS;
		return -1;
	}
	if (fake.full == 1) {
		fake.full = 2;
		errno = ENOBUFS;
		return -1;
	}
	n = __real_recvmsg(fd, msg, flags | MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		fake.full = 0;
	memcpy(name, &from, sizeof(from));
	msg->msg_namelen = sizeof(from);
	return n;
}

/* That is what mmap() is called where an off_t has 64 bits. */
void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd,
		    off_t offset)
{
	if (fake.mapped) {
		errno = EBUSY;
		return MAP_FAILED;
	}
	return __real_mmap64(addr, len, prot, flags, fd, offset);
}
