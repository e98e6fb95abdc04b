// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Events: to subscribe to them, to wait for them. They have a socket of their
 * own, so that an answer never waits behind them.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <linux/netlink.h>
#include "internal.h"

/* Times that a subscription is tried when its answer is lost among events. */
#define SUBSCRIBE_TRIES	4
#define CONNECTED_POLL_MS	20

/* Of the events from now on, this is the number before the first. */
static int take_subscription(struct kcolo *k, const struct nlmsghdr *nlh,
			     struct nlattr **tb, void *arg)
{
	(void)nlh;
	(void)arg;
	if (tb[KCOLO_A_SESSION_EVENT_SEQ])
		k->told.last = nla_get_u64(tb[KCOLO_A_SESSION_EVENT_SEQ]);
	return 0;
}

static int try_subscribe(struct kcolo *k)
{
	struct kcolo_request rq;
	int err = kcolo_session_request(k, &rq, KCOLO_CMD_SUBSCRIBE);

	if (err)
		return err;
	/* The events go to the socket that asks for them. */
	rq.nl = &k->ev;
	rq.reply = take_subscription;
	return kcolo_request_run(k, &rq);
}

/*
 * A socket that was full takes nothing until it is empty, and does not say so
 * again: what waits in it is older than what the caller is to read now.
 *
 * Return: 0, or a negative errno other than -ENOBUFS.
 */
static int drain(struct kcolo *k)
{
	ssize_t n;

	do {
		n = kcolo_nl_recv(&k->ev, k->buf, KCOLO_RECV_MAX);
	} while (n == -ENOBUFS || n > 0);
	return n;
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
	int tries = SUBSCRIBE_TRIES, err = kcolo_told_begin(k);

	if (err)
		return err;
	do {
		err = try_subscribe(k);
		if (err != -ENOBUFS)
			return err;
		kcolo_event_lost(k);
		err = drain(k);
	} while (!err && --tries);
	err = err ? err : -ENOBUFS;
	return kcolo_fail(k, err, "the reply was lost: %s", strerror(-err));
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
			&k->group, sizeof(k->group))) {
		k->all = true;
		return 0;
	}
	err = -errno;
	return kcolo_fail(k, err, "%s%s", strerror(-err), err == -EPERM ?
			  ": this needs CAP_NET_ADMIN" : "");
}

/**
 * kcolo_event_fd - what to poll for events
 * @k: handle, which goes on owning the fd
 *
 * Return: an fd that is readable when there may be an event. It stays the same
 * as long as the handle lives, and is for polling only.
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

	if (n == -ENOBUFS) {
		n = drain(k);
		n = n ? n : -ENOBUFS;
	}
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
		if (ret == -ENOBUFS)
			kcolo_event_lost(k);
		else if (ret <= 0)
			return ret;
	}
	return 1;
}

/* The kernel counts an event that it had no memory to send. */
static bool after_gap(struct kcolo *k, const struct kcolo_event *ev)
{
	struct kcolo_told *t = &k->told;

	if (!t->known || ev->session_id != t->id)
		return false;
	if (t->last && ev->seq > t->last + 1)
		return true;
	if (t->last < ev->seq)
		t->last = ev->seq;
	return false;
}

static int tell_lost(struct kcolo *k)
{
	k->lost = false;
	k->told.last = 0;
	kcolo_event_wake(k);
	return kcolo_fail(k, -ENOBUFS, "events were lost");
}

static int next_until(struct kcolo *k, struct kcolo_event *ev, int64_t end)
{
	int ret = wait_event(k, end);

	if (ret <= 0)
		return ret == -EINTR ? kcolo_fail(k, ret, "%s", strerror(EINTR))
				     : ret;
	if (!k->queue_len || after_gap(k, &k->queue[k->queue_head]))
		return tell_lost(k);
	*ev = k->queue[k->queue_head];
	k->queue_head = (k->queue_head + 1) % KCOLO_QUEUE_MAX;
	k->queue_len--;
	kcolo_event_wake(k);
	return 1;
}

static int64_t end_of(int timeout_ms)
{
	return timeout_ms < 0 ? -1 : kcolo_now_ms() + timeout_ms;
}

/**
 * kcolo_event_next_raw - the next event, and of a loss only that there was one
 * @k: handle that has subscribed; kcolo_event_next() is not called on it, too
 * @ev: where to
 * @timeout_ms: how long to wait, -1 for ever
 *
 * Return: 1, 0 when the time is over, -ENOBUFS when events were lost, -EINTR
 * after a signal, or another negative errno.
 */
int kcolo_event_next_raw(struct kcolo *k, struct kcolo_event *ev,
			 int timeout_ms)
{
	return next_until(k, ev, end_of(timeout_ms));
}

/* Return: 0 when there are events instead of the lost ones, or a negative errno. */
static int make_up(struct kcolo *k)
{
	int err = k->all ? -ENOBUFS : kcolo_told_reread(k);

	/* They are still not told. */
	if (err && !k->all)
		kcolo_event_lost(k);
	return err;
}

/**
 * kcolo_event_next - the next event
 * @k: handle that has subscribed
 * @ev: where to
 * @timeout_ms: how long to wait, -1 for ever
 *
 * When events were lost the session is read, and what follows from that comes
 * as events with their member reread set.
 *
 * Return: 1, 0 when the time is over, -EINTR after a signal, -ENOBUFS when
 * events of all sessions are subscribed to and were lost, or another negative
 * errno; after it the call may be tried again.
 */
int kcolo_event_next(struct kcolo *k, struct kcolo_event *ev, int timeout_ms)
{
	int64_t end = end_of(timeout_ms);
	int ret;

	for (;;) {
		if (kcolo_told_next(k, ev))
			return 1;
		ret = next_until(k, ev, end);
		if (ret == -ENOBUFS)
			ret = make_up(k);
		else if (ret <= 0)
			return ret;
		if (ret < 0)
			return ret;
		if (!ret || kcolo_told_before(k, ev))
			continue;
		kcolo_told_event(k, ev);
		return 1;
	}
}

/**
 * kcolo_event_reread - have the session read as if events were lost
 * @k: handle that drives a session, subscribed or not
 *
 * The next kcolo_event_next() does it.
 */
void kcolo_event_reread(struct kcolo *k)
{
	kcolo_event_lost(k);
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
		if (info.params.reconnect &&
		    info.abort_reason != KCOLO_ABORT_REASON_VM_GONE)
			return 1;
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
