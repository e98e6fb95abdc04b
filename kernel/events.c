// SPDX-License-Identifier: GPL-2.0
/*
 * Events out. Knows no session, only what it is told to say. An event that
 * cannot be delivered is lost and its number missing: who listens reads the
 * session's state again.
 */
#include <net/genetlink.h>
#include "events.h"
#include "netlink_gen.h"

static struct genl_family *event_family;

/**
 * kcolo_events_init - say where events go
 * @family: registered, with the multicast group KCOLO_NLGRP_EVENTS
 */
void kcolo_events_init(struct genl_family *family)
{
	event_family = family;
}

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, KCOLO_A_EVENT_PAD);
}

static int fill(struct sk_buff *skb, const struct kcolo_event *ev)
{
	if (nla_put_u32(skb, KCOLO_A_EVENT_TYPE, ev->type) ||
	    put_u64(skb, KCOLO_A_EVENT_SEQ, ev->seq) ||
	    nla_put_u32(skb, KCOLO_A_EVENT_SESSION_ID, ev->id) ||
	    nla_put_string(skb, KCOLO_A_EVENT_SESSION_NAME, ev->name) ||
	    nla_put_u32(skb, KCOLO_A_EVENT_STATE, ev->state) ||
	    put_u64(skb, KCOLO_A_EVENT_EPOCH, ev->epoch) ||
	    nla_put_u32(skb, KCOLO_A_EVENT_KIND, ev->kind) ||
	    nla_put_u32(skb, KCOLO_A_EVENT_STOP_REASON, ev->stop_reason) ||
	    nla_put_u32(skb, KCOLO_A_EVENT_ABORT_REASON, ev->abort_reason) ||
	    put_u64(skb, KCOLO_A_EVENT_PENDING, ev->pending) ||
	    nla_put_u32(skb, KCOLO_A_EVENT_ROUNDS, ev->rounds) ||
	    put_u64(skb, KCOLO_A_EVENT_PAUSE_US, ev->pause_us))
		return -EMSGSIZE;
	if (ev->error && *ev->error &&
	    nla_put_string(skb, KCOLO_A_EVENT_ERROR, ev->error))
		return -EMSGSIZE;
	if (ev->different &&
	    put_u64(skb, KCOLO_A_EVENT_DIFFERENT, ev->different))
		return -EMSGSIZE;
	return 0;
}

static struct sk_buff *event_skb(const struct kcolo_event *ev)
{
	struct sk_buff *skb;
	void *hdr;

	skb = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!skb)
		return NULL;
	hdr = genlmsg_put(skb, 0, 0, event_family, 0, KCOLO_CMD_EVENT);
	if (!hdr || fill(skb, ev)) {
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, hdr);
	return skb;
}

/**
 * kcolo_event_multicast - tell the administrators of a network namespace
 * @net: the session's
 * @ev: what to say
 *
 * Who misses it, for want of memory too, gets ENOBUFS from its socket.
 *
 * Context: may sleep for memory, waits for nobody.
 */
void kcolo_event_multicast(struct net *net, const struct kcolo_event *ev)
{
	struct sk_buff *skb;

	if (!genl_has_listeners(event_family, net, KCOLO_NLGRP_EVENTS))
		return;
	skb = event_skb(ev);
	if (skb)
		genlmsg_multicast_netns(event_family, net, skb, 0,
					KCOLO_NLGRP_EVENTS, GFP_KERNEL);
	else
		genl_set_err(event_family, net, 0, KCOLO_NLGRP_EVENTS, -ENOBUFS);
}

/**
 * kcolo_event_unicast - tell one socket
 * @net: the session's
 * @portid: of the socket
 * @ev: what to say
 *
 * Context: may sleep for memory, waits for nobody.
 * Return: 0; -ECONNREFUSED when there is no such socket any more; -ENOMEM, of
 * which it does not know; or another negative errno, for which it gets ENOBUFS.
 */
int kcolo_event_unicast(struct net *net, u32 portid,
			const struct kcolo_event *ev)
{
	struct sk_buff *skb = event_skb(ev);

	return skb ? genlmsg_unicast(net, skb, portid) : -ENOMEM;
}
