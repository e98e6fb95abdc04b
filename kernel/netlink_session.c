// SPDX-License-Identifier: GPL-2.0
/* Requests about sessions as such: made, ended, shown, their parameters. */
#include <linux/capability.h>
#include <linux/file.h>
#include <net/genetlink.h>
#include <net/sock.h>
#include "end.h"
#include "fd.h"
#include "fill.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "primary.h"
#include "secondary.h"
#include "session.h"

static int get_addr(struct nlattr *attr, union kcolo_addr *addr,
		    struct netlink_ext_ack *extack)
{
	int len;

	if (!attr)
		return 0;
	len = nla_len(attr);
	if (len < sizeof(addr->in) || len > sizeof(*addr))
		goto bad;
	memcpy(addr, nla_data(attr), len);
	if ((addr->sa.sa_family == AF_INET && len == sizeof(addr->in)) ||
	    (addr->sa.sa_family == AF_INET6 && len == sizeof(addr->in6)))
		return 0;
bad:
	NL_SET_ERR_MSG_ATTR(extack, attr, "an address is a struct sockaddr_in or sockaddr_in6");
	return -EINVAL;
}

/* The policy checks what fits it; the generator makes no larger limits. */
#define MS_MAX	3600000U

static int check_params(struct nlattr **attrs, struct netlink_ext_ack *extack)
{
	static const int times[] = {
		KCOLO_A_SESSION_PEER_TIMEOUT, KCOLO_A_SESSION_PAUSE_LIMIT,
		KCOLO_A_SESSION_LOG_SYNC_TIMEOUT
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(times); i++) {
		if (!attrs[times[i]] || nla_get_u32(attrs[times[i]]) <= MS_MAX)
			continue;
		NL_SET_ERR_MSG_ATTR(extack, attrs[times[i]], "a time is at most an hour");
		return -ERANGE;
	}
	return 0;
}

static void set_params(struct kcolo_session *s, struct nlattr **attrs)
{
	if (attrs[KCOLO_A_SESSION_THRESHOLD])
		s->policy.threshold =
			nla_get_u64(attrs[KCOLO_A_SESSION_THRESHOLD]);
	if (attrs[KCOLO_A_SESSION_MAX_ITERATIONS])
		s->policy.max_iterations =
			nla_get_u32(attrs[KCOLO_A_SESSION_MAX_ITERATIONS]);
	if (attrs[KCOLO_A_SESSION_MIN_GAIN])
		s->policy.min_gain = nla_get_u32(attrs[KCOLO_A_SESSION_MIN_GAIN]);
	if (attrs[KCOLO_A_SESSION_PEER_TIMEOUT]) {
		WRITE_ONCE(s->peer_timeout,
			   nla_get_u32(attrs[KCOLO_A_SESSION_PEER_TIMEOUT]));
		kcolo_conn_set_timeout(&s->control, s->peer_timeout);
		kcolo_conn_set_timeout(&s->data, s->peer_timeout);
	}
	if (attrs[KCOLO_A_SESSION_PAUSE_LIMIT])
		WRITE_ONCE(s->pause_limit,
			   nla_get_u32(attrs[KCOLO_A_SESSION_PAUSE_LIMIT]));
	if (attrs[KCOLO_A_SESSION_CHECKSUM])
		WRITE_ONCE(s->checksum,
			   nla_get_u8(attrs[KCOLO_A_SESSION_CHECKSUM]));
	if (attrs[KCOLO_A_SESSION_LOG_SYNC])
		WRITE_ONCE(s->log_sync,
			   nla_get_u8(attrs[KCOLO_A_SESSION_LOG_SYNC]));
	if (attrs[KCOLO_A_SESSION_LOG_SYNC_TIMEOUT])
		WRITE_ONCE(s->log_sync_timeout,
			   nla_get_u32(attrs[KCOLO_A_SESSION_LOG_SYNC_TIMEOUT]));
	if (attrs[KCOLO_A_SESSION_RECONNECT])
		WRITE_ONCE(s->reconnect,
			   nla_get_u8(attrs[KCOLO_A_SESSION_RECONNECT]));
	if (attrs[KCOLO_A_SESSION_STAGING_LIMIT])
		WRITE_ONCE(s->staging.limit,
			   nla_get_u64(attrs[KCOLO_A_SESSION_STAGING_LIMIT]));
}

static int check_addrs(enum kcolo_role role, bool sockets,
		       const union kcolo_addr *local,
		       const union kcolo_addr *peer,
		       struct netlink_ext_ack *extack)
{
	if (sockets && (local->sa.sa_family || peer->sa.sa_family)) {
		NL_SET_ERR_MSG(extack,
			       "a session that is handed its sockets takes no addresses");
		return -EINVAL;
	}
	if (sockets)
		return 0;
	if (role == KCOLO_ROLE_PRIMARY && !peer->sa.sa_family) {
		NL_SET_ERR_MSG(extack, "a primary needs the peer address to connect to");
		return -EDESTADDRREQ;
	}
	if (role == KCOLO_ROLE_SECONDARY && !local->sa.sa_family) {
		NL_SET_ERR_MSG(extack, "a secondary needs the local address to listen on");
		return -EDESTADDRREQ;
	}
	/* The port is at the same place in both families. */
	if (role == KCOLO_ROLE_PRIMARY ? !peer->in.sin_port :
					 !local->in.sin_port) {
		NL_SET_ERR_MSG(extack, "the address needs a port other than 0");
		return -EDESTADDRREQ;
	}
	if (role == KCOLO_ROLE_SECONDARY && peer->sa.sa_family) {
		NL_SET_ERR_MSG(extack, "a secondary listens: it takes no peer address");
		return -EINVAL;
	}
	if (role == KCOLO_ROLE_PRIMARY && local->sa.sa_family &&
	    local->in.sin_port) {
		NL_SET_ERR_MSG(extack,
			       "the local address of a primary has port 0: it makes two connections");
		return -EINVAL;
	}
	if (role == KCOLO_ROLE_PRIMARY && local->sa.sa_family &&
	    local->sa.sa_family != peer->sa.sa_family) {
		NL_SET_ERR_MSG(extack, "local and peer address are of different families");
		return -EAFNOSUPPORT;
	}
	return 0;
}

static int check_new(struct genl_info *info, enum kcolo_role role,
		     const union kcolo_addr *local, const union kcolo_addr *peer)
{
	const char *name = nla_data(info->attrs[KCOLO_A_SESSION_NAME]);
	struct netlink_ext_ack *extack = info->extack;

	if (!kcolo_wire_name_ok(name) || strchr(name, '/')) {
		NL_SET_ERR_MSG(extack,
			       "a session's name is printable ASCII without spaces and slashes");
		return -EINVAL;
	}
	if (!info->attrs[KCOLO_A_SESSION_INSECURE]) {
		NL_SET_ERR_MSG(extack,
			       "sessions have no keys yet: say insecure to trust whoever reaches the port");
		return -EKEYREJECTED;
	}
	return check_addrs(role, info->attrs[KCOLO_A_SESSION_SOCKETS], local,
			   peer, extack);
}

static void refuse_start(struct genl_info *info, int err, enum kcolo_role role)
{
	switch (err) {
	case -EADDRINUSE:
		NL_SET_ERR_MSG(info->extack,
			       "cannot listen: the local address and port are in use");
		break;
	case -EADDRNOTAVAIL:
		NL_SET_ERR_MSG(info->extack,
			       "cannot listen: the local address is not this host's");
		break;
	case -ENOMEM:
	case -ENOBUFS:
	case -ENFILE:	/* of a socket, too */
	case -EINTR:
		NL_SET_ERR_MSG(info->extack,
			       "there is no memory for the session on this host, or in the caller's memory cgroup: ask again");
		break;
	default:
		if (role == KCOLO_ROLE_SECONDARY)
			NL_SET_ERR_MSG(info->extack, "cannot listen on the local address");
		else
			NL_SET_ERR_MSG(info->extack, "the session cannot be started");
	}
}

static int put_new(struct sk_buff *skb, struct kcolo_session *s, int fd)
{
	if (nla_put_s32(skb, KCOLO_A_SESSION_FD, fd) ||
	    nla_put_u32(skb, KCOLO_A_SESSION_ID, s->id) ||
	    nla_put_string(skb, KCOLO_A_SESSION_NAME, s->name))
		return -EMSGSIZE;
	return 0;
}

/*
 * A session in the table has a file at once; when anything fails afterwards,
 * the end of the file is the end of the session.
 */
static int start_new(struct kcolo_session *s, struct genl_info *info)
{
	struct kcolo_nl_reply reply;
	struct file *file;
	int fd, err;

	file = kcolo_fd_create(s);
	if (IS_ERR(file)) {
		kcolo_session_end(s, false);
		return PTR_ERR(file);
	}
	fd = get_unused_fd_flags(O_CLOEXEC);
	err = fd < 0 ? fd : 0;
	if (!err)
		err = s->role == KCOLO_ROLE_PRIMARY ? kcolo_primary_start(s) :
						      kcolo_secondary_start(s);
	if (fd < 0)
		NL_SET_ERR_MSG(info->extack, "this process can have no more open files");
	else if (err)
		refuse_start(info, err, s->role);
	if (!err)
		err = kcolo_nl_reply_new(&reply, info, KCOLO_CMD_SESSION_NEW);
	if (!err) {
		kcolo_session_publish(s);
		err = kcolo_nl_reply_send(&reply, info,
					  put_new(reply.skb, s, fd));
	}
	if (err) {
		if (fd >= 0)
			put_unused_fd(fd);
		fput(file);
		return err;
	}
	fd_install(fd, file);
	return 0;
}

int kcolo_nl_session_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	union kcolo_addr local = {}, peer = {};
	enum kcolo_role role;
	struct kcolo_session *s;
	int err;

	if (!netlink_capable(skb, CAP_NET_ADMIN)) {
		NL_SET_ERR_MSG(info->extack, "to make a session needs CAP_NET_ADMIN");
		return -EPERM;
	}
	if (GENL_REQ_ATTR_CHECK(info, KCOLO_A_SESSION_NAME) ||
	    GENL_REQ_ATTR_CHECK(info, KCOLO_A_SESSION_ROLE)) {
		NL_SET_ERR_MSG(info->extack, "a session needs a name and a role");
		return -EINVAL;
	}
	role = nla_get_u32(info->attrs[KCOLO_A_SESSION_ROLE]);
	err = get_addr(info->attrs[KCOLO_A_SESSION_LOCAL], &local, info->extack);
	if (!err)
		err = get_addr(info->attrs[KCOLO_A_SESSION_PEER], &peer,
			       info->extack);
	if (!err)
		err = check_new(info, role, &local, &peer);
	if (!err)
		err = check_params(info->attrs, info->extack);
	if (err)
		return err;

	s = kcolo_session_alloc(genl_info_net(info),
				nla_data(info->attrs[KCOLO_A_SESSION_NAME]), role);
	if (!s) {
		refuse_start(info, -ENOMEM, role);
		return -ENOMEM;
	}
	s->insecure = true;
	s->sockets = info->attrs[KCOLO_A_SESSION_SOCKETS];
	s->external = info->attrs[KCOLO_A_SESSION_DEVICE_STATE] &&
		nla_get_u32(info->attrs[KCOLO_A_SESSION_DEVICE_STATE]) ==
		KCOLO_DEVICE_STATE_EXTERNAL;
	s->local = local;
	s->peer = peer;
	set_params(s, info->attrs);
	err = kcolo_session_reserve(s);
	if (err == -EEXIST)
		NL_SET_ERR_MSG(info->extack,
			       "a session of this name exists: choose another or delete it");
	if (err)
		goto out;
	pr_warn("%s: session is insecure: it trusts whoever reaches its port\n",
		s->name);
	err = start_new(s, info);
out:
	kcolo_session_put(s);
	return err;
}

int kcolo_nl_session_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kcolo_session *s = kcolo_nl_session(skb, info);

	if (IS_ERR(s))
		return PTR_ERR(s);
	kcolo_session_end(s, true);
	kcolo_session_put(s);
	return 0;
}

int kcolo_nl_session_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kcolo_session *s = kcolo_nl_session(skb, info);
	struct kcolo_nl_reply reply;
	int err;

	if (IS_ERR(s))
		return PTR_ERR(s);
	err = kcolo_nl_reply_new(&reply, info, KCOLO_CMD_SESSION_GET);
	if (!err)
		err = kcolo_nl_reply_send(&reply, info, kcolo_fill_session(reply.skb, s));
	kcolo_session_put(s);
	return err;
}

int kcolo_nl_session_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb)
{
	return kcolo_nl_dump(skb, cb, KCOLO_CMD_SESSION_GET, kcolo_fill_session);
}

int kcolo_nl_stats_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return kcolo_nl_dump(skb, cb, KCOLO_CMD_STATS_GET, kcolo_fill_stats);
}

int kcolo_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kcolo_session *s;
	struct kcolo_nl_reply reply;
	int err;

	s = kcolo_nl_find(skb, info, KCOLO_A_STATS_SESSION_FD,
			  KCOLO_A_STATS_SESSION_ID, KCOLO_A_STATS_SESSION_NAME);
	if (IS_ERR(s))
		return PTR_ERR(s);
	err = kcolo_nl_reply_new(&reply, info, KCOLO_CMD_STATS_GET);
	if (!err)
		err = kcolo_nl_reply_send(&reply, info, kcolo_fill_stats(reply.skb, s));
	kcolo_session_put(s);
	return err;
}

/*
 * Under s->lock. Another secondary takes the place of the one that is lost: the
 * VMM need not know.
 */
static int check_peer(struct kcolo_session *s, struct sk_buff *skb,
		      const union kcolo_addr *peer, struct netlink_ext_ack *extack)
{
	if (!netlink_capable(skb, CAP_NET_ADMIN)) {
		NL_SET_ERR_MSG(extack, "to change the peer needs CAP_NET_ADMIN");
		return -EPERM;
	}
	if (s->role != KCOLO_ROLE_PRIMARY) {
		NL_SET_ERR_MSG(extack, "a secondary listens: it takes no peer address");
		return -EINVAL;
	}
	if (s->state != KCOLO_STATE_CONNECTING && s->state != KCOLO_STATE_LOST &&
	    s->state != KCOLO_STATE_DOUBT) {
		NL_SET_ERR_MSG(extack,
			       "the session has a peer: delete the session there first");
		return -EISCONN;
	}
	return check_addrs(s->role, s->sockets, &s->local, peer, extack);
}

/* Under s->lock. All or nothing. */
static int set_session(struct kcolo_session *s, struct sk_buff *skb,
		       struct genl_info *info)
{
	struct nlattr *attr = info->attrs[KCOLO_A_SESSION_PEER];
	union kcolo_addr peer = {};
	int err;

	if (!kcolo_state_allows(s, KCOLO_CMD_SESSION_SET))
		return kcolo_nl_refuse_state(s, info);
	err = get_addr(attr, &peer, info->extack);
	if (!err && attr)
		err = check_peer(s, skb, &peer, info->extack);
	if (err)
		return err;
	if (attr)
		s->peer = peer;
	set_params(s, info->attrs);
	if (s->role == KCOLO_ROLE_PRIMARY &&
	    (attr || info->attrs[KCOLO_A_SESSION_RECONNECT]))
		kcolo_session_request(s, KCOLO_REQ_CONNECT);
	kcolo_session_notify(s, &(struct kcolo_notice) {
				.type = KCOLO_EVENT_TYPE_SESSION_SET });
	return 0;
}

int kcolo_nl_session_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kcolo_session *s;
	int err;

	err = check_params(info->attrs, info->extack);
	if (err)
		return err;
	s = kcolo_nl_session(skb, info);
	if (IS_ERR(s))
		return PTR_ERR(s);
	mutex_lock(&s->lock);
	err = set_session(s, skb, info);
	mutex_unlock(&s->lock);
	kcolo_session_put(s);
	return err;
}

static bool is_connected_tcp(struct file *file)
{
	struct socket *sock = sock_from_file(file);

	return sock && sock->type == SOCK_STREAM &&
	       (sock->sk->sk_family == AF_INET ||
		sock->sk->sk_family == AF_INET6) &&
	       sock->sk->sk_protocol == IPPROTO_TCP &&
	       READ_ONCE(sock->sk->sk_state) == TCP_ESTABLISHED;
}

static struct file *get_socket(struct genl_info *info, int attr)
{
	struct nlattr *fd = info->attrs[attr];
	struct file *file;

	if (!fd) {
		NL_SET_ERR_MSG(info->extack, "connect needs control-fd and data-fd");
		return ERR_PTR(-EINVAL);
	}
	file = fget(nla_get_s32(fd));
	if (file && is_connected_tcp(file))
		return file;
	if (file)
		fput(file);
	NL_SET_ERR_MSG_ATTR(info->extack, fd, "this is no TCP socket that is connected");
	return ERR_PTR(-ENOTCONN);
}

static int may_connect(struct kcolo_session *s, struct genl_info *info)
{
	int err = 0;

	mutex_lock(&s->lock);
	if (!kcolo_state_allows(s, KCOLO_CMD_CONNECT)) {
		err = kcolo_nl_refuse_state(s, info);
	} else if (!s->sockets) {
		NL_SET_ERR_MSG(info->extack,
			       "the session makes its connections itself: it was not made with sockets");
		err = -EOPNOTSUPP;
	} else if (test_bit(KCOLO_REQ_LINKED, &s->req)) {
		NL_SET_ERR_MSG(info->extack,
			       "the session is not done with the link before: ask again");
		err = -EAGAIN;
	}
	mutex_unlock(&s->lock);
	return err;
}

int kcolo_nl_connect_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kcolo_session *s = kcolo_nl_session(skb, info);
	struct file *control, *data = NULL;
	int err;

	if (IS_ERR(s))
		return PTR_ERR(s);
	control = get_socket(info, KCOLO_A_SESSION_CONTROL_FD);
	err = PTR_ERR_OR_ZERO(control);
	if (err)
		goto out;
	data = get_socket(info, KCOLO_A_SESSION_DATA_FD);
	err = PTR_ERR_OR_ZERO(data);
	if (!err && control == data) {
		NL_SET_ERR_MSG(info->extack, "control and data are two connections");
		err = -EINVAL;
		fput(data);
	} else if (!err) {
		err = may_connect(s, info);
		if (!err)
			kcolo_link_hand_in(s, control, data);
		else
			fput(data);
	}
	if (err)
		fput(control);
out:
	kcolo_session_put(s);
	return err;
}
