// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which session a handle drives, its life and its parameters.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "internal.h"

/**
 * kcolo_session_request - begin a request that names the handle's session
 * @k: handle
 * @rq: to be
 * @cmd: KCOLO_CMD_*
 *
 * The fd is the right to drive the session, so it comes first.
 *
 * Return: 0, -EINVAL when the handle has no session, or -ENOMEM.
 */
int kcolo_session_request(struct kcolo *k, struct kcolo_request *rq, int cmd)
{
	int err;

	if (k->fd < 0 && !k->has_id && !k->name[0])
		return kcolo_fail(k, -EINVAL, "the handle has no session");
	err = kcolo_request_new(k, rq, cmd, NLM_F_ACK);
	if (err)
		return err;
	rq->policy = kcolo_session_attrs;
	rq->maxattr = KCOLO_A_SESSION_MAX;
	if (k->fd >= 0)
		err = nla_put_s32(rq->msg, KCOLO_A_SESSION_FD, k->fd);
	else if (k->has_id)
		err = nla_put_u32(rq->msg, KCOLO_A_SESSION_ID, k->id);
	else
		err = nla_put_string(rq->msg, KCOLO_A_SESSION_NAME, k->name);
	return err ? kcolo_request_fail(k, rq, -ENOMEM) : 0;
}

/**
 * kcolo_session_simple - a request that says no more than the session
 * @k: handle
 * @cmd: KCOLO_CMD_*
 *
 * Return: 0 or a negative errno.
 */
int kcolo_session_simple(struct kcolo *k, int cmd)
{
	struct kcolo_request rq;
	int err = kcolo_session_request(k, &rq, cmd);

	return err ? err : kcolo_request_run(k, &rq);
}

/**
 * kcolo_session_need_fd - refuse what cannot be done without the session fd
 * @k: handle
 *
 * Return: 0 or -EBADF.
 */
int kcolo_session_need_fd(struct kcolo *k)
{
	if (k->fd >= 0)
		return 0;
	return kcolo_fail(k, -EBADF, "this needs the session's fd");
}

static int put_addr(struct nl_msg *msg, int attr, const union kcolo_addr *addr)
{
	switch (addr->sa.sa_family) {
	case AF_UNSPEC:
		return 0;
	case AF_INET:
		return nla_put(msg, attr, sizeof(addr->in), &addr->in);
	case AF_INET6:
		return nla_put(msg, attr, sizeof(addr->in6), &addr->in6);
	default:
		return -1;
	}
}

static int put_params(struct nl_msg *msg, const struct kcolo_params *p)
{
	int err = 0;

	if (p->mask & KCOLO_PARAM_THRESHOLD)
		err |= nla_put_u64(msg, KCOLO_A_SESSION_THRESHOLD,
				   p->threshold);
	if (p->mask & KCOLO_PARAM_MAX_ITERATIONS)
		err |= nla_put_u32(msg, KCOLO_A_SESSION_MAX_ITERATIONS,
				   p->max_iterations);
	if (p->mask & KCOLO_PARAM_MIN_GAIN)
		err |= nla_put_u32(msg, KCOLO_A_SESSION_MIN_GAIN, p->min_gain);
	if (p->mask & KCOLO_PARAM_PEER_TIMEOUT)
		err |= nla_put_u32(msg, KCOLO_A_SESSION_PEER_TIMEOUT,
				   p->peer_timeout);
	if (p->mask & KCOLO_PARAM_PAUSE_LIMIT)
		err |= nla_put_u32(msg, KCOLO_A_SESSION_PAUSE_LIMIT,
				   p->pause_limit);
	if (p->mask & KCOLO_PARAM_CHECKSUM)
		err |= nla_put_u8(msg, KCOLO_A_SESSION_CHECKSUM, p->checksum);
	if (p->mask & KCOLO_PARAM_LOG_SYNC)
		err |= nla_put_u8(msg, KCOLO_A_SESSION_LOG_SYNC, p->log_sync);
	if (p->mask & KCOLO_PARAM_LOG_SYNC_TIMEOUT)
		err |= nla_put_u32(msg, KCOLO_A_SESSION_LOG_SYNC_TIMEOUT,
				   p->log_sync_timeout);
	if (p->mask & KCOLO_PARAM_RECONNECT)
		err |= nla_put_u8(msg, KCOLO_A_SESSION_RECONNECT, p->reconnect);
	if (p->mask & KCOLO_PARAM_STAGING_LIMIT)
		err |= nla_put_u64(msg, KCOLO_A_SESSION_STAGING_LIMIT,
				   p->staging_limit);
	return err;
}

static int put_config(struct nl_msg *msg, const struct kcolo_session_config *c)
{
	if (nla_put_string(msg, KCOLO_A_SESSION_NAME, c->name) ||
	    nla_put_u32(msg, KCOLO_A_SESSION_ROLE, c->role) ||
	    put_addr(msg, KCOLO_A_SESSION_LOCAL, &c->local) ||
	    put_addr(msg, KCOLO_A_SESSION_PEER, &c->peer) ||
	    nla_put_u32(msg, KCOLO_A_SESSION_DEVICE_STATE, c->device_state) ||
	    put_params(msg, &c->params))
		return -1;
	if (c->sockets && nla_put_flag(msg, KCOLO_A_SESSION_SOCKETS))
		return -1;
	return c->insecure ? nla_put_flag(msg, KCOLO_A_SESSION_INSECURE) : 0;
}

static int take_new(struct kcolo *k, const struct nlmsghdr *nlh,
		    struct nlattr **tb, void *arg)
{
	(void)nlh;
	(void)arg;
	if (!tb[KCOLO_A_SESSION_FD] || !tb[KCOLO_A_SESSION_ID] || k->fd >= 0)
		return kcolo_fail(k, -EPROTO, "the reply has no session");
	k->fd = nla_get_s32(tb[KCOLO_A_SESSION_FD]);
	k->id = nla_get_u32(tb[KCOLO_A_SESSION_ID]);
	k->has_id = true;
	return 0;
}

static bool name_fits(const char *name)
{
	return name && name[0] && strlen(name) <= KCOLO_NAME_MAX;
}

static int need_none(struct kcolo *k)
{
	if (k->fd < 0)
		return 0;
	return kcolo_fail(k, -EBUSY, "the handle has a session already");
}

/**
 * kcolo_session_new - create a session
 * @k: handle without a session; gets the session's fd
 * @c: what it is to be
 *
 * Return: 0 or a negative errno.
 */
int kcolo_session_new(struct kcolo *k, const struct kcolo_session_config *c)
{
	struct kcolo_request rq;
	int err = need_none(k);

	if (err)
		return err;
	if (!name_fits(c->name))
		return kcolo_fail(k, -EINVAL,
				  "a name has 1 to %d characters",
				  KCOLO_NAME_MAX);
	err = kcolo_request_new(k, &rq, KCOLO_CMD_SESSION_NEW, NLM_F_ACK);
	if (err)
		return err;
	rq.reply = take_new;
	rq.policy = kcolo_session_attrs;
	rq.maxattr = KCOLO_A_SESSION_MAX;
	if (put_config(rq.msg, c))
		return kcolo_request_fail(k, &rq, -EINVAL);
	err = kcolo_request_run(k, &rq);
	if (!err && k->fd < 0)
		err = kcolo_fail(k, -EPROTO, "the reply has no session");
	return err;
}

/**
 * kcolo_session_use_fd - drive the session of an fd
 * @k: handle without a session
 * @fd: session fd, made by another; closed by kcolo_close() from now on
 *
 * The fd is made to close on exec: a child that inherits it unknowing would
 * keep the session alive after this process has died. On failure it is still
 * the caller's.
 *
 * Return: 0 or a negative errno.
 */
int kcolo_session_use_fd(struct kcolo *k, int fd)
{
	struct kcolo_session_info info;
	int err = need_none(k);

	if (err)
		return err;
	if (fd < 0)
		return kcolo_fail(k, -EBADF, "%d is no fd", fd);
	k->fd = fd;
	err = kcolo_session_get(k, &info);
	if (err) {
		k->fd = -1;
		return err;
	}
	k->id = info.id;
	k->has_id = true;
	kcolo_session_info_free(&info);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return 0;
}

/**
 * kcolo_session_use_id - drive a session by its number (CAP_NET_ADMIN)
 * @k: handle without a session fd
 * @id: whether there is such a session shows when something is asked of it
 *
 * Return: 0 or -EBUSY.
 */
int kcolo_session_use_id(struct kcolo *k, uint32_t id)
{
	int err = need_none(k);

	if (err)
		return err;
	k->id = id;
	k->has_id = true;
	k->name[0] = '\0';
	return 0;
}

/**
 * kcolo_session_use_name - drive a session by its name (CAP_NET_ADMIN)
 * @k: handle without a session fd
 * @name: whether there is such a session shows when something is asked of it
 *
 * Return: 0, -EBUSY or -EINVAL.
 */
int kcolo_session_use_name(struct kcolo *k, const char *name)
{
	int err = need_none(k);

	if (err)
		return err;
	if (!name_fits(name))
		return kcolo_fail(k, -EINVAL, "a name has 1 to %d characters",
				  KCOLO_NAME_MAX);
	snprintf(k->name, sizeof(k->name), "%s", name);
	k->has_id = false;
	return 0;
}

/**
 * kcolo_session_fd - the session's fd
 * @k: handle, which goes on owning the fd
 *
 * Return: the fd, or -1 when there is none.
 */
int kcolo_session_fd(const struct kcolo *k)
{
	return k->fd;
}

/**
 * kcolo_session_del - end the session; its peer is told that this is meant
 * @k: handle; its session fd stays open
 *
 * Return: 0 or a negative errno.
 */
int kcolo_session_del(struct kcolo *k)
{
	return kcolo_session_simple(k, KCOLO_CMD_SESSION_DEL);
}

/**
 * kcolo_connect - give a session its connections
 * @k: handle of a session that was made with sockets, and has no peer
 * @control_fd: TCP socket, connected
 * @data_fd: another one
 *
 * Return: 0 or a negative errno.
 */
int kcolo_connect(struct kcolo *k, int control_fd, int data_fd)
{
	struct kcolo_request rq;
	int err = kcolo_session_request(k, &rq, KCOLO_CMD_CONNECT);

	if (err)
		return err;
	if (nla_put_s32(rq.msg, KCOLO_A_SESSION_CONTROL_FD, control_fd) ||
	    nla_put_s32(rq.msg, KCOLO_A_SESSION_DATA_FD, data_fd))
		return kcolo_request_fail(k, &rq, -ENOMEM);
	return kcolo_request_run(k, &rq);
}

static int take_session(struct kcolo *k, const struct nlmsghdr *nlh,
			struct nlattr **tb, void *arg)
{
	struct kcolo_session_info *info = arg;
	int err;

	kcolo_session_info_free(info);
	err = kcolo_parse_session(nlh, tb, info);
	return err ? kcolo_fail(k, err, "session-get: %s", strerror(-err)) : 0;
}

/**
 * kcolo_session_get - read the session
 * @k: handle
 * @info: where to; kcolo_session_info_free() is needed on success only
 *
 * Return: 0 or a negative errno.
 */
int kcolo_session_get(struct kcolo *k, struct kcolo_session_info *info)
{
	struct kcolo_request rq;
	int err;

	memset(info, 0, sizeof(*info));
	err = kcolo_session_request(k, &rq, KCOLO_CMD_SESSION_GET);
	if (err)
		return err;
	rq.reply = take_session;
	rq.arg = info;
	err = kcolo_request_run(k, &rq);
	if (!err && info->state == KCOLO_STATE_NONE)
		err = kcolo_fail(k, -EPROTO, "the reply has no session");
	if (err)
		kcolo_session_info_free(info);
	return err;
}

/**
 * kcolo_session_set - change parameters
 * @k: handle
 * @params: those whose bit is in its mask
 *
 * Return: 0 or a negative errno.
 */
int kcolo_session_set(struct kcolo *k, const struct kcolo_params *params)
{
	struct kcolo_request rq;
	int err = kcolo_session_request(k, &rq, KCOLO_CMD_SESSION_SET);

	if (err)
		return err;
	if (put_params(rq.msg, params) ||
	    (params->mask & KCOLO_PARAM_PEER &&
	     put_addr(rq.msg, KCOLO_A_SESSION_PEER, &params->peer)))
		return kcolo_request_fail(k, &rq, -ENOMEM);
	return kcolo_request_run(k, &rq);
}
