// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Events that have come and were not asked for yet: the answer to a subscription
 * comes on the socket of events, and events may come before it.
 */
#include <string.h>
#include <sys/eventfd.h>
#include "internal.h"

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
	[KCOLO_A_EVENT_DIFFERENT] = { .type = NLA_U64 },
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
	ev->different = get_u64(tb, KCOLO_A_EVENT_DIFFERENT);
	if (tb[KCOLO_A_EVENT_ERROR])
		kcolo_copy_string(ev->error, sizeof(ev->error),
				  tb[KCOLO_A_EVENT_ERROR]);
	return true;
}

/**
 * kcolo_event_wake - let kcolo_event_fd() be readable while something waits here
 * @k: handle, to or from whose queue something was put or taken
 */
void kcolo_event_wake(struct kcolo *k)
{
	bool wake = k->queue_len || k->lost || k->told.head != k->told.len;
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
	kcolo_event_wake(k);
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
	kcolo_event_wake(k);
	return true;
}
