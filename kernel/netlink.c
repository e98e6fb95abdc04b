// SPDX-License-Identifier: GPL-2.0
/*
 * Requests in: the family, and what all requests have in common. Each finds
 * its session, checks whether it may and whether the state allows it, and
 * leaves the work to the session's worker. Nothing here waits for the network,
 * the VMM or a teardown.
 */
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/notifier.h>
#include <net/genetlink.h>
#include <net/sock.h>
#include "events.h"
#include "fd.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "session.h"

static struct genl_family kcolo_family;

static struct kcolo_session *session_by_fd(int fd)
{
	struct kcolo_session *s = NULL;
	struct file *file = fget(fd);

	if (!file)
		return NULL;
	s = kcolo_fd_session(file);
	if (s)
		kref_get(&s->ref);
	fput(file);
	return s;
}

/**
 * kcolo_nl_find - the session a request names
 * @skb: request
 * @info: request
 * @fd_attr: attribute with a session fd
 * @id_attr: attribute with a session's number
 * @name_attr: attribute with a session's name
 *
 * A session fd is all the right it takes; a name or a number needs
 * CAP_NET_ADMIN.
 *
 * Return: a reference that the caller owns, or an ERR_PTR and the reason in the
 * extack.
 */
struct kcolo_session *kcolo_nl_find(struct sk_buff *skb, struct genl_info *info,
				    int fd_attr, int id_attr, int name_attr)
{
	struct nlattr *fd = info->attrs[fd_attr];
	struct nlattr *id = info->attrs[id_attr];
	struct nlattr *name = info->attrs[name_attr];
	struct net *net = genl_info_net(info);
	struct kcolo_session *s;

	if (fd) {
		s = session_by_fd(nla_get_s32(fd));
		if (s)
			return s;
		NL_SET_ERR_MSG_ATTR(info->extack, fd, "fd is no kcolo session");
		return ERR_PTR(-EBADF);
	}
	if (!id && !name) {
		NL_SET_ERR_MSG(info->extack, "which session? give fd, id or name");
		return ERR_PTR(-EINVAL);
	}
	if (!netlink_capable(skb, CAP_NET_ADMIN)) {
		NL_SET_ERR_MSG(info->extack,
			       "a session's name or id needs CAP_NET_ADMIN; its fd does not");
		return ERR_PTR(-EPERM);
	}
	s = id ? kcolo_session_by_id(net, nla_get_u32(id)) :
		 kcolo_session_by_name(net, nla_data(name));
	if (s)
		return s;
	NL_SET_ERR_MSG(info->extack, "no such session in this network namespace");
	return ERR_PTR(-ENOENT);
}

/**
 * kcolo_nl_session - the session a request with session attributes names
 * @skb: request
 * @info: request
 *
 * Return: as kcolo_nl_find().
 */
struct kcolo_session *kcolo_nl_session(struct sk_buff *skb,
				       struct genl_info *info)
{
	return kcolo_nl_find(skb, info, KCOLO_A_SESSION_FD, KCOLO_A_SESSION_ID,
			     KCOLO_A_SESSION_NAME);
}

/**
 * kcolo_nl_refuse_state - say that the state does not allow a request
 * @s: session; its lock is held
 * @info: request
 *
 * Return: -EBUSY, or -ESHUTDOWN when it is ending.
 */
int kcolo_nl_refuse_state(struct kcolo_session *s, struct genl_info *info)
{
	if (atomic_read(&s->ended)) {
		NL_SET_ERR_MSG(info->extack, "the session is ending");
		return -ESHUTDOWN;
	}
	return kcolo_refuse(info->extack, -EBUSY,
			    "the session's state does not allow this: see session get",
			    "a %s in state %s cannot do this",
			    s->role == KCOLO_ROLE_PRIMARY ? "primary" :
			    "secondary", kcolo_state_name(s->state));
}

/**
 * kcolo_nl_reply_new - begin a reply
 * @reply: filled in
 * @info: request
 * @cmd: KCOLO_CMD_*
 *
 * Return: 0, then kcolo_nl_reply_send() has to follow; or a negative errno.
 */
int kcolo_nl_reply_new(struct kcolo_nl_reply *reply, struct genl_info *info,
		       u8 cmd)
{
	reply->skb = genlmsg_new(GENLMSG_DEFAULT_SIZE * 4, GFP_KERNEL);
	if (!reply->skb)
		return -ENOMEM;
	reply->hdr = genlmsg_put_reply(reply->skb, info, &kcolo_family, 0, cmd);
	if (reply->hdr)
		return 0;
	nlmsg_free(reply->skb);
	return -EMSGSIZE;
}

/**
 * kcolo_nl_reply_send - send a reply, or drop it
 * @reply: from kcolo_nl_reply_new()
 * @info: request
 * @err: why it is to be dropped, or 0
 *
 * Return: @err, or what became of sending.
 */
int kcolo_nl_reply_send(struct kcolo_nl_reply *reply, struct genl_info *info,
			int err)
{
	if (err) {
		nlmsg_free(reply->skb);
		return err;
	}
	genlmsg_end(reply->skb, reply->hdr);
	return genlmsg_reply(reply->skb, info);
}

/**
 * kcolo_nl_dump_start - begin a dump
 * @cb: of the dump
 *
 * A session with all the regions it may have does not fit a message of the size
 * that a dump begins with, and would end it.
 *
 * Return: 0.
 */
int kcolo_nl_dump_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = SZ_16K;
	return 0;
}

/**
 * kcolo_nl_dump - dump all sessions of a network namespace
 * @skb: to fill
 * @cb: of the dump
 * @cmd: KCOLO_CMD_* of each message
 * @fill: puts a session's attributes
 *
 * Return: as a dump does.
 */
int kcolo_nl_dump(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd,
		  int (*fill)(struct sk_buff *skb, struct kcolo_session *s))
{
	unsigned long id = cb->args[0];
	struct kcolo_session *s;
	void *hdr;
	int err = 0;

	if (!netlink_capable(cb->skb, CAP_NET_ADMIN)) {
		NL_SET_ERR_MSG(cb->extack,
			       "to see all sessions needs CAP_NET_ADMIN; one's own is seen by its fd");
		return -EPERM;
	}
	while (!err) {
		s = kcolo_session_next(sock_net(skb->sk), &id);
		if (!s)
			break;
		hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				  cb->nlh->nlmsg_seq, &kcolo_family, NLM_F_MULTI,
				  cmd);
		err = hdr ? fill(skb, s) : -EMSGSIZE;
		kcolo_session_put(s);
		if (err && hdr)
			genlmsg_cancel(skb, hdr);
		if (!err) {
			genlmsg_end(skb, hdr);
			id++;
		}
	}
	cb->args[0] = id;
	return skb->len ? skb->len : err;
}

/* The generated table has no flags: only administrators hear all events. */
static const struct genl_multicast_group kcolo_mcgrps[] = {
	[KCOLO_NLGRP_EVENTS] = {
		.name = KCOLO_MCGRP_EVENTS,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
};

/* The generated table has no start, either: it is put in. */
static struct genl_ops kcolo_ops[ARRAY_SIZE(kcolo_nl_ops)];

static void make_ops(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kcolo_ops); i++) {
		kcolo_ops[i] = kcolo_nl_ops[i];
		if (kcolo_ops[i].dumpit)
			kcolo_ops[i].start = kcolo_nl_dump_start;
	}
}

static struct genl_family kcolo_family = {
	.name = KCOLO_GENL_NAME,
	.version = KCOLO_GENL_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.ops = kcolo_ops,
	.n_ops = ARRAY_SIZE(kcolo_ops),
	.mcgrps = kcolo_mcgrps,
	.n_mcgrps = ARRAY_SIZE(kcolo_mcgrps),
	.resv_start_op = KCOLO_CMD_SESSION_NEW,
};

/* A socket that is gone gets no events; its number may be another's soon. */
static int netlink_event(struct notifier_block *nb, unsigned long event,
			 void *data)
{
	struct netlink_notify *n = data;

	if (event == NETLINK_URELEASE && n->protocol == NETLINK_GENERIC)
		kcolo_session_forget_port(n->net, n->portid);
	return NOTIFY_DONE;
}

static struct notifier_block netlink_notifier = {
	.notifier_call = netlink_event,
};

/**
 * kcolo_netlink_init - take requests
 *
 * Return: 0 or a negative errno.
 */
int kcolo_netlink_init(void)
{
	int err;

	make_ops();
	kcolo_events_init(&kcolo_family);
	err = netlink_register_notifier(&netlink_notifier);
	if (err)
		return err;
	err = genl_register_family(&kcolo_family);
	if (err)
		netlink_unregister_notifier(&netlink_notifier);
	return err;
}

/**
 * kcolo_netlink_exit - take no more requests
 */
void kcolo_netlink_exit(void)
{
	genl_unregister_family(&kcolo_family);
	netlink_unregister_notifier(&netlink_notifier);
}
