// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Events. They have a socket of their own, so that an answer never waits behind
 * them. The answer to a subscription does come on it, and events may come
 * before that answer: those wait in a queue.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <linux/netlink.h>
#include "internal.h"

/* Times that a subscription is tried when its answer is lost among events. */
#define SUBSCRIBE_TRIES	4
#define CONNECTED_POLL_MS	20

static const struct nla_policy event_attrs[KCOLO_A_EVENT_MAX + 1] = {
	[KCOLO_A_EVENT_TYPE] = { .type = NLA_U32 },
	[KCOLO_A_EVENT_SEQ] = { .type = NLA_U64 },
	[KCOLO_A_EVENT_SESSION_ID] = { .type = NLA_U32 },
	[KCOLO_A_EVENT_SESSION_NAME] = { .type = NLA_STRING },
	[KCOLO_A_EVENT_STATE] = { .type = NLA_U32 },
	[KCOLO_A_EVENT_EPOCH] = { .type = NLA_U64 },
	[KCOLO_A_EVENT_KIND] = { .type = NLA_U32 },
	[KCOLO_A_EVENT_STOP_REASON] = { .type = NLA_U32 },
	[KCOLO_A_EVENT_ABORT_REASON] = { .type = NLA_U32 },
	[KCOLO_A_EVENT_PENDING] = { .type = NLA_U64 },
	[KCOLO_A_EVENT_ROUNDS] = { .type = NLA_U32 },
	[KCOLO_A_EVENT_PAUSE_US] = { .type = NLA_U64 },
	[KCOLO_A_EVENT_ERROR] = { .type = NLA_STRING },
};

static uint32_t get_u32(struct nlattr **tb, int attr)
{
	return tb[attr] ? nla_get_u32(tb[attr]) : 0;
}

static uint64_t get_u64(struct nlattr **tb, int attr)
{
	return tb[attr] ? nla_get_u64(tb[attr]) : 0;
}

static bool parse_event(const struct nlmsghdr *nlh, struct kcolo_event *ev)
{
	struct genlmsghdr *genl = nlmsg_data(nlh);
	struct nlattr *tb[KCOLO_A_EVENT_MAX + 1];

	memset(ev, 0, sizeof(*ev));
	if (nla_parse(tb, KCOLO_A_EVENT_MAX, genlmsg_attrdata(genl, 0),
		      genlmsg_attrlen(genl, 0),
		      (struct nla_policy *)event_attrs) ||
	    !tb[KCOLO_A_EVENT_TYPE])
		return false;
	ev->type = nla_get_u32(tb[KCOLO_A_EVENT_TYPE]);
	ev->seq = get_u64(tb, KCOLO_A_EVENT_SEQ);
	ev->session_id = get_u32(tb, KCOLO_A_EVENT_SESSION_ID);
	if (tb[KCOLO_A_EVENT_SESSION_NAME])
		kcolo_copy_string(ev->session_name, sizeof(ev->session_name),
				  tb[KCOLO_A_EVENT_SESSION_NAME]);
	ev->state = get_u32(tb, KCOLO_A_EVENT_STATE);
	ev->epoch = get_u64(tb, KCOLO_A_EVENT_EPOCH);
	ev->kind = get_u32(tb, KCOLO_A_EVENT_KIND);
	ev->stop_reason = get_u32(tb, KCOLO_A_EVENT_STOP_REASON);
	ev->abort_reason = get_u32(tb, KCOLO_A_EVENT_ABORT_REASON);
	ev->pending = get_u64(tb, KCOLO_A_EVENT_PENDING);
	ev->rounds = get_u32(tb, KCOLO_A_EVENT_ROUNDS);
	ev->pause_us = get_u64(tb, KCOLO_A_EVENT_PAUSE_US);
	if (tb[KCOLO_A_EVENT_ERROR])
		kcolo_copy_string(ev->error, sizeof(ev->error),
				  tb[KCOLO_A_EVENT_ERROR]);
	return true;
}

/* kcolo_event_fd() is readable while something waits here. */
static void update_wake(struct kcolo *k)
{
	bool wake = k->queue_len || k->lost;
	eventfd_t value;

	if (wake == k->woken)
		return;
	if (wake ? eventfd_write(k->wake_fd, 1) : eventfd_read(k->wake_fd, &value))
		return;
	k->woken = wake;
}

/**
 * kcolo_event_lost - remember that events were lost
 * @k: handle
 */
void kcolo_event_lost(struct kcolo *k)
{
	k->lost = true;
	update_wake(k);
}

/**
 * kcolo_event_message - take a message if it is an event
 * @k: handle; the event waits in its queue
 * @nlh: message of the kernel
 *
 * Return: whether it is one.
 */
bool kcolo_event_message(struct kcolo *k, const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = nlmsg_data(nlh);
	struct kcolo_event ev;

	if (nlh->nlmsg_type != k->family ||
	    nlmsg_datalen(nlh) < (int)GENL_HDRLEN ||
	    genl->cmd != KCOLO_CMD_EVENT)
		return false;
	/* One that cannot be read is a lost one. */
	if (k->queue_len == KCOLO_QUEUE_MAX || !parse_event(nlh, &ev)) {
		kcolo_event_lost(k);
		return true;
	}
	k->queue[(k->queue_head + k->queue_len++) % KCOLO_QUEUE_MAX] = ev;
	update_wake(k);
	return true;
}

static int try_subscribe(struct kcolo *k)
{
	struct kcolo_request rq;
	int err = kcolo_session_request(k, &rq, KCOLO_CMD_SUBSCRIBE);

	if (err)
		return err;
	/* The events go to the socket that asks for them. */
	rq.nl = &k->ev;
	return kcolo_request_run(k, &rq);
}

/**
 * kcolo_subscribe - have the session's events from now on
 * @k: handle
 *
 * To subscribe again is harmless.
 *
 * Return: 0 or a negative errno.
 */
int kcolo_subscribe(struct kcolo *k)
{
	int tries = SUBSCRIBE_TRIES, err;

	while ((err = try_subscribe(k)) == -ENOBUFS && --tries)
		kcolo_event_lost(k);
	return err;
}

/**
 * kcolo_subscribe_all - have the events of all sessions of this network
 *	namespace from now on (CAP_NET_ADMIN)
 * @k: handle
 *
 * Return: 0 or a negative errno.
 */
int kcolo_subscribe_all(struct kcolo *k)
{
	int err;

	if (!k->group)
		return kcolo_fail(k, -EOPNOTSUPP,
				  "the module has no multicast group");
	if (!setsockopt(k->ev.fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
			&k->group, sizeof(k->group)))
		return 0;
	err = -errno;
	return kcolo_fail(k, err, "%s%s", strerror(-err), err == -EPERM ?
			  ": this needs CAP_NET_ADMIN" : "");
}

/**
 * kcolo_event_fd - what to poll for events
 * @k: handle, which goes on owning the fd
 *
 * Return: an fd that is readable when kcolo_event_next() would not wait. It
 * stays the same as long as the handle lives, and is for polling only.
 */
int kcolo_event_fd(const struct kcolo *k)
{
	return k->poll_fd;
}

/* Return: 1 when something was received, 0 when nothing is there, or errno. */
static int receive(struct kcolo *k)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)k->buf;
	ssize_t n = kcolo_nl_recv(&k->ev, k->buf, KCOLO_RECV_MAX);
	int len = n;

	if (n < 0)
		return kcolo_fail(k, n, "%s", n == -ENOBUFS ?
				  "events were lost" : strerror(-n));
	for (; nlmsg_ok(nlh, len); nlh = nlmsg_next(nlh, &len))
		kcolo_event_message(k, nlh);
	return !!n;
}

static int wait_event(struct kcolo *k, int64_t end)
{
	int ret;

	while (!k->queue_len && !k->lost) {
		ret = receive(k);
		if (!ret)
			ret = kcolo_wait_readable(k->ev.fd, end);
		else if (ret > 0)
			continue;
		if (ret <= 0)
			return ret;
	}
	return 1;
}

/**
 * kcolo_event_next - the next event
 * @k: handle that has subscribed
 * @ev: where to
 * @timeout_ms: how long to wait, -1 for ever
 *
 * Return: 1, 0 when the time is over, -ENOBUFS when events were lost, -EINTR
 * after a signal, or another negative errno.
 */
int kcolo_event_next(struct kcolo *k, struct kcolo_event *ev, int timeout_ms)
{
	int64_t end = timeout_ms < 0 ? -1 : kcolo_now_ms() + timeout_ms;
	int ret = wait_event(k, end);

	if (ret <= 0)
		return ret == -EINTR ? kcolo_fail(k, ret, "%s", strerror(EINTR))
				     : ret;
	if (k->queue_len) {
		*ev = k->queue[k->queue_head];
		k->queue_head = (k->queue_head + 1) % KCOLO_QUEUE_MAX;
		k->queue_len--;
		update_wake(k);
		return 1;
	}
	k->lost = false;
	update_wake(k);
	return kcolo_fail(k, -ENOBUFS, "events were lost");
}

/* Return: 0 when connected, 1 when that may still come, or a negative errno. */
static int connected(struct kcolo *k)
{
	struct kcolo_session_info info;
	int err = kcolo_session_get(k, &info);

	if (err)
		return err;
	kcolo_session_info_free(&info);
	switch (info.state) {
	case KCOLO_STATE_CONNECTING:
		return 1;
	case KCOLO_STATE_DOUBT:
	case KCOLO_STATE_LOST:
		err = -ENOTCONN;
		break;
	case KCOLO_STATE_PROMOTED:
	case KCOLO_STATE_FENCED:
		err = -ESTALE;
		break;
	case KCOLO_STATE_BROKEN:
		err = -EIO;
		break;
	case KCOLO_STATE_CLOSED:
		err = -ESHUTDOWN;
		break;
	default:
		return 0;
	}
	return kcolo_fail(k, err, "the session is %s%s%s",
			  kcolo_state_name(info.state),
			  info.error[0] ? ": " : "", info.error);
}

static void sleep_ms(int64_t ms)
{
	struct timespec ts = { .tv_nsec = ms * 1000000 };

	nanosleep(&ts, NULL);
}

/**
 * kcolo_wait_connected - wait until the session has its peer
 * @k: handle; no events are taken, so that the caller can have them
 * @timeout_ms: how long, -1 for ever
 *
 * Return: 0, -ETIMEDOUT, or another negative errno when it cannot be any more.
 */
int kcolo_wait_connected(struct kcolo *k, int timeout_ms)
{
	int64_t end = kcolo_now_ms() + timeout_ms, left = CONNECTED_POLL_MS;
	int ret;

	while ((ret = connected(k)) > 0) {
		if (timeout_ms >= 0)
			left = end - kcolo_now_ms();
		if (left <= 0)
			return kcolo_fail(k, -ETIMEDOUT,
					  "the peer is not there yet");
		sleep_ms(left < CONNECTED_POLL_MS ? left : CONNECTED_POLL_MS);
	}
	return ret;
}
