// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The handle: its sockets, the family's number.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/genetlink.h>
#include <netlink/netlink.h>
#include "internal.h"

static const struct nla_policy ctrl_attrs[CTRL_ATTR_MAX + 1] = {
	[CTRL_ATTR_FAMILY_ID] = { .type = NLA_U16 },
	[CTRL_ATTR_MCAST_GROUPS] = { .type = NLA_NESTED },
};

static const struct nla_policy group_attrs[CTRL_ATTR_MCAST_GRP_MAX + 1] = {
	[CTRL_ATTR_MCAST_GRP_NAME] = { .type = NLA_STRING },
	[CTRL_ATTR_MCAST_GRP_ID] = { .type = NLA_U32 },
};

static void take_groups(struct kcolo *k, struct nlattr *groups)
{
	struct nlattr *tb[CTRL_ATTR_MCAST_GRP_MAX + 1];
	char name[GENL_NAMSIZ];
	struct nlattr *group;
	int rem;

	nla_for_each_nested(group, groups, rem) {
		if (nla_parse_nested(tb, CTRL_ATTR_MCAST_GRP_MAX, group,
				     (struct nla_policy *)group_attrs) ||
		    !tb[CTRL_ATTR_MCAST_GRP_NAME] ||
		    !tb[CTRL_ATTR_MCAST_GRP_ID])
			continue;
		kcolo_copy_string(name, sizeof(name),
				  tb[CTRL_ATTR_MCAST_GRP_NAME]);
		if (!strcmp(name, KCOLO_MCGRP_EVENTS))
			k->group = nla_get_u32(tb[CTRL_ATTR_MCAST_GRP_ID]);
	}
}

static int take_family(struct kcolo *k, const struct nlmsghdr *nlh,
		       struct nlattr **tb, void *arg)
{
	uint16_t *family = arg;

	(void)nlh;
	if (tb[CTRL_ATTR_FAMILY_ID])
		*family = nla_get_u16(tb[CTRL_ATTR_FAMILY_ID]);
	if (tb[CTRL_ATTR_MCAST_GROUPS])
		take_groups(k, tb[CTRL_ATTR_MCAST_GROUPS]);
	return 0;
}

/* The kernel loads the module when it can and may. */
static int find_family(struct kcolo *k)
{
	struct kcolo_request rq;
	uint16_t family = 0;
	int err;

	k->family = GENL_ID_CTRL;
	err = kcolo_request_new(k, &rq, CTRL_CMD_GETFAMILY, NLM_F_ACK);
	if (err)
		return err;
	rq.reply = take_family;
	rq.policy = ctrl_attrs;
	rq.maxattr = CTRL_ATTR_MAX;
	rq.arg = &family;
	if (nla_put_string(rq.msg, CTRL_ATTR_FAMILY_NAME, KCOLO_GENL_NAME))
		return kcolo_request_fail(k, &rq, -ENOMEM);
	err = kcolo_request_run(k, &rq);
	if (err == -ENOENT || (!err && !family))
		return -EPROTONOSUPPORT;
	k->family = family;
	return err;
}

static int add_to_poll(struct kcolo *k, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN };

	return epoll_ctl(k->poll_fd, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

static int open_events(struct kcolo *k)
{
	int size = KCOLO_EVENT_RCVBUF, err;

	err = kcolo_nl_open(&k->ev);
	if (err)
		return err;
	/* Without CAP_NET_ADMIN net.core.rmem_max is the limit. */
	if (setsockopt(k->ev.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)))
		setsockopt(k->ev.fd, SOL_SOCKET, SO_RCVBUF, &size,
			   sizeof(size));
	k->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (k->wake_fd < 0)
		return -errno;
	k->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (k->poll_fd < 0)
		return -errno;
	err = add_to_poll(k, k->ev.fd);
	return err ? err : add_to_poll(k, k->wake_fd);
}

static int open_all(struct kcolo *k)
{
	int err;

	k->buf = malloc(KCOLO_RECV_MAX);
	if (!k->buf)
		return -ENOMEM;
	err = kcolo_nl_open(&k->req);
	if (err)
		return err;
	err = find_family(k);
	return err ? err : open_events(k);
}

/**
 * kcolo_open - make a handle
 * @kp: where it goes; NULL on failure
 *
 * Return: 0, -EPROTONOSUPPORT when the kernel has no kcolo module loaded, or
 * another negative errno. errno is set, too.
 */
int kcolo_open(struct kcolo **kp)
{
	struct kcolo *k;
	int err;

	*kp = NULL;
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	k->req.fd = -1;
	k->ev.fd = -1;
	k->fd = -1;
	k->poll_fd = -1;
	k->wake_fd = -1;
	err = open_all(k);
	if (err) {
		kcolo_close(k);
		errno = -err;
		return err;
	}
	*kp = k;
	return 0;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

/**
 * kcolo_close - free a handle
 * @k: handle, or NULL
 *
 * The user logs of the handle's regions are unmapped: a mapping of the session
 * fd keeps the session alive. No thread may be in kcolo_log_dirty().
 */
void kcolo_close(struct kcolo *k)
{
	if (!k)
		return;
	while (k->nr_logs--)
		munmap(k->logs[k->nr_logs].addr, k->logs[k->nr_logs].size);
	free(k->logs);
	if (k->scratch.addr)
		munmap(k->scratch.addr, k->scratch.size);
	close_fd(k->fd);
	close_fd(k->poll_fd);
	close_fd(k->wake_fd);
	kcolo_nl_close(&k->ev);
	kcolo_nl_close(&k->req);
	free(k->buf);
	free(k);
}
