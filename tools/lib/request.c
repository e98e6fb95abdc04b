// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Requests: send one, read its answer up to the acknowledgment. The wait is
 * bounded, and what is of another request is passed over.
 */
#include <errno.h>
#include <string.h>
#include <linux/netlink.h>
#include "internal.h"

/* Goes on reading the answer; other values of take_message() are results. */
#define MORE	1

/**
 * kcolo_request_new - begin a request
 * @k: handle
 * @rq: to be; its members other than @msg and @nl are set by the caller
 * @cmd: KCOLO_CMD_*
 * @flags: NLM_F_ACK or NLM_F_DUMP
 *
 * Return: 0 or -ENOMEM.
 */
int kcolo_request_new(struct kcolo *k, struct kcolo_request *rq, int cmd,
		      int flags)
{
	memset(rq, 0, sizeof(*rq));
	rq->nl = &k->req;
	rq->msg = nlmsg_alloc();
	if (!rq->msg || !genlmsg_put(rq->msg, 0, 0, k->family, 0,
				     NLM_F_REQUEST | flags, cmd,
				     KCOLO_GENL_VERSION))
		return kcolo_request_fail(k, rq, -ENOMEM);
	return 0;
}

/**
 * kcolo_request_fail - give up a request that could not be made
 * @k: handle; gets the error in words
 * @rq: begun
 * @err: why, negative errno
 *
 * Return: @err.
 */
int kcolo_request_fail(struct kcolo *k, struct kcolo_request *rq, int err)
{
	nlmsg_free(rq->msg);
	rq->msg = NULL;
	return kcolo_fail(k, err, "%s", strerror(-err));
}

static int take_reply(struct kcolo *k, struct kcolo_request *rq,
		      struct nlmsghdr *nlh)
{
	struct nlattr *tb[__KCOLO_A_STATS_MAX + __KCOLO_A_SESSION_MAX];

	if (!genlmsg_valid_hdr(nlh, 0) ||
	    nla_parse(tb, rq->maxattr, genlmsg_attrdata(nlmsg_data(nlh), 0),
		      genlmsg_attrlen(nlmsg_data(nlh), 0),
		      (struct nla_policy *)rq->policy))
		return kcolo_fail(k, -EPROTO, "the kernel's reply is malformed");
	return rq->reply(k, nlh, tb, rq->arg);
}

static int take_message(struct kcolo *k, struct kcolo_request *rq,
			struct nlmsghdr *nlh, bool *torn)
{
	struct nlmsghdr *request = nlmsg_hdr(rq->msg);
	int err;

	/* On the socket that a subscription is made on, they may come first. */
	if (kcolo_event_message(k, nlh))
		return MORE;
	if (nlh->nlmsg_seq != request->nlmsg_seq ||
	    nlh->nlmsg_pid != rq->nl->portid)
		return MORE;
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		*torn = true;
	switch (nlh->nlmsg_type) {
	case NLMSG_NOOP:
		return MORE;
	case NLMSG_OVERRUN:
		return kcolo_fail(k, -ENOBUFS, "the reply was lost");
	case NLMSG_ERROR:
	case NLMSG_DONE:
		return kcolo_extack(k, request, nlh);
	default:
		break;
	}
	if (nlh->nlmsg_type != request->nlmsg_type || !rq->reply)
		return MORE;
	err = take_reply(k, rq, nlh);
	return err ? err : MORE;
}

static int take_all(struct kcolo *k, struct kcolo_request *rq, int len,
		    bool *torn)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)k->buf;
	int ret;

	for (; nlmsg_ok(nlh, len); nlh = nlmsg_next(nlh, &len)) {
		ret = take_message(k, rq, nlh, torn);
		if (ret != MORE)
			return ret;
	}
	return MORE;
}

static int take_answer(struct kcolo *k, struct kcolo_request *rq)
{
	int64_t end = kcolo_now_ms() + KCOLO_REQUEST_MS;
	bool torn = false;
	ssize_t n;
	int ret;

	while (kcolo_now_ms() <= end) {
		n = kcolo_nl_recv(rq->nl, k->buf, KCOLO_RECV_MAX);
		if (n < 0)
			return kcolo_fail(k, n, "the reply was lost: %s",
					  strerror(-n));
		if (n) {
			ret = take_all(k, rq, n, &torn);
			if (ret == MORE)
				continue;
			/* Something changed between two parts of a dump. */
			return !ret && torn ? -EINTR : ret;
		}
		ret = kcolo_wait_readable(rq->nl->fd, end);
		if (!ret)
			break;
		if (ret < 0 && ret != -EINTR)
			return kcolo_fail(k, ret, "poll: %s", strerror(-ret));
	}
	return kcolo_fail(k, -ETIMEDOUT, "no answer from the kernel");
}

/**
 * kcolo_request_run - send a request and take its answer
 * @k: handle; gets the error in words
 * @rq: begun and filled in; its message is freed
 *
 * Return: 0, a negative errno of the kernel's or of @rq->reply(), -EINTR when
 * a dump was not of one moment, or -ETIMEDOUT.
 */
int kcolo_request_run(struct kcolo *k, struct kcolo_request *rq)
{
	struct nlmsghdr *nlh = nlmsg_hdr(rq->msg);
	int err;

	nlh->nlmsg_seq = ++rq->nl->seq;
	nlh->nlmsg_pid = rq->nl->portid;
	err = kcolo_nl_send(rq->nl, nlh);
	if (err)
		err = kcolo_fail(k, err, "the request was not sent: %s",
				 strerror(-err));
	else
		err = take_answer(k, rq);
	nlmsg_free(rq->msg);
	rq->msg = NULL;
	return err;
}
