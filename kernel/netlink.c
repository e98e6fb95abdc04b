// SPDX-License-Identifier: GPL-2.0
/*
 * Requests in: each finds its session, checks whether it may and whether the
 * state allows it, and leaves the work to the session's worker. Nothing here
 * waits for the network, the VMM or a teardown.
 */
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <net/genetlink.h>
#include <net/sock.h>
#include "events.h"
#include "fd.h"
#include "fill.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "primary.h"
#include "secondary.h"
#include "session.h"

static struct genl_family kcolo_family;

/* A region's bitmaps are a bit a page: what KVM allows a memslot to be. */
#define REGION_PAGES_MAX	BIT_ULL(31)

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

/*
 * The session a request names, with a reference. A session fd is all the right
 * it takes; a name or a number needs CAP_NET_ADMIN.
 */
static struct kcolo_session *get_session(struct sk_buff *skb,
					 struct genl_info *info,
					 int fd_attr, int id_attr, int name_attr)
{
	struct nlattr *fd = fd_attr ? info->attrs[fd_attr] : NULL;
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

static struct kcolo_session *info_session(struct sk_buff *skb,
					  struct genl_info *info)
{
	return get_session(skb, info, KCOLO_A_SESSION_FD, KCOLO_A_SESSION_ID,
			   KCOLO_A_SESSION_NAME);
}

static int refuse_state(struct kcolo_session *s, struct genl_info *info)
{
	if (s->role == KCOLO_ROLE_PRIMARY)
		return kcolo_refuse(info->extack, -EBUSY,
				    "the session's state does not allow this: see session get",
				    "a primary in state %s cannot do this",
				    kcolo_state_name(s->state));
	return kcolo_refuse(info->extack, -EBUSY,
			    "the session's state does not allow this: see session get",
			    "a secondary in state %s cannot do this",
			    kcolo_state_name(s->state));
}

/*
 * A reply is built by a function that puts the attributes; NULL reply is a
 * request that has only an acknowledgment.
 */
struct reply {
	struct sk_buff *skb;
	void *hdr;
};

static int reply_new(struct reply *reply, struct genl_info *info, u8 cmd)
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

static int reply_send(struct reply *reply, struct genl_info *info, int err)
{
	if (err) {
		nlmsg_free(reply->skb);
		return err;
	}
	genlmsg_end(reply->skb, reply->hdr);
	return genlmsg_reply(reply->skb, info);
}

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
		KCOLO_A_SESSION_PEER_TIMEOUT, KCOLO_A_SESSION_PAUSE_LIMIT
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
	if (attrs[KCOLO_A_SESSION_PEER_TIMEOUT])
		WRITE_ONCE(s->peer_timeout,
			   nla_get_u32(attrs[KCOLO_A_SESSION_PEER_TIMEOUT]));
	if (attrs[KCOLO_A_SESSION_PAUSE_LIMIT])
		WRITE_ONCE(s->pause_limit,
			   nla_get_u32(attrs[KCOLO_A_SESSION_PAUSE_LIMIT]));
	if (attrs[KCOLO_A_SESSION_CHECKSUM])
		WRITE_ONCE(s->checksum,
			   nla_get_u8(attrs[KCOLO_A_SESSION_CHECKSUM]));
}

static int check_new(struct genl_info *info, enum kcolo_role role,
		     const union kcolo_addr *local, const union kcolo_addr *peer)
{
	const char *name = nla_data(info->attrs[KCOLO_A_SESSION_NAME]);
	struct netlink_ext_ack *extack = info->extack;

	if (!*name || strchr(name, '/') || strpbrk(name, " \t\n")) {
		NL_SET_ERR_MSG(extack,
			       "a session's name is not empty and has no space and no slash");
		return -EINVAL;
	}
	if (!info->attrs[KCOLO_A_SESSION_INSECURE]) {
		NL_SET_ERR_MSG(extack,
			       "sessions have no keys yet: say insecure to trust whoever reaches the port");
		return -EKEYREJECTED;
	}
	if (role == KCOLO_ROLE_PRIMARY && !peer->sa.sa_family) {
		NL_SET_ERR_MSG(extack, "a primary needs the peer address to connect to");
		return -EDESTADDRREQ;
	}
	if (role == KCOLO_ROLE_SECONDARY && !local->sa.sa_family) {
		NL_SET_ERR_MSG(extack, "a secondary needs the local address to listen on");
		return -EDESTADDRREQ;
	}
	if (role == KCOLO_ROLE_SECONDARY && peer->sa.sa_family) {
		NL_SET_ERR_MSG(extack, "a secondary listens: it takes no peer address");
		return -EINVAL;
	}
	if (role == KCOLO_ROLE_PRIMARY && local->sa.sa_family &&
	    local->sa.sa_family != peer->sa.sa_family) {
		NL_SET_ERR_MSG(extack, "local and peer address are of different families");
		return -EAFNOSUPPORT;
	}
	return 0;
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
 * A published session has a file at once; when anything fails afterwards, the
 * end of the file is the end of the session.
 */
static int start_new(struct kcolo_session *s, struct genl_info *info)
{
	struct reply reply;
	struct file *file;
	int fd, err;

	file = kcolo_fd_create(s);
	if (IS_ERR(file)) {
		kcolo_session_end(s);
		return PTR_ERR(file);
	}
	fd = get_unused_fd_flags(O_CLOEXEC);
	err = fd < 0 ? fd : 0;
	if (!err)
		err = s->role == KCOLO_ROLE_PRIMARY ? kcolo_primary_start(s) :
						      kcolo_secondary_start(s);
	if (err == -EADDRINUSE || err == -EADDRNOTAVAIL)
		NL_SET_ERR_MSG(info->extack, "cannot listen on the local address");
	if (!err)
		err = reply_new(&reply, info, KCOLO_CMD_SESSION_NEW);
	if (!err)
		err = reply_send(&reply, info, put_new(reply.skb, s, fd));
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
	if (!s)
		return -ENOMEM;
	s->insecure = true;
	s->local = local;
	s->peer = peer;
	set_params(s, info->attrs);
	err = kcolo_session_publish(s);
	if (err) {
		NL_SET_ERR_MSG(info->extack,
			       "a session of this name exists: choose another or delete it");
		goto out;
	}
	err = start_new(s, info);
	if (err)
		goto out;
	pr_warn("%s: session is insecure: it trusts whoever reaches its port\n",
		s->name);
	mutex_lock(&s->lock);
	kcolo_session_notify(s, &(struct kcolo_notice) {
				.type = KCOLO_EVENT_TYPE_SESSION_NEW });
	mutex_unlock(&s->lock);
out:
	kcolo_session_put(s);
	return err;
}

int kcolo_nl_session_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kcolo_session *s = info_session(skb, info);

	if (IS_ERR(s))
		return PTR_ERR(s);
	kcolo_session_end(s);
	kcolo_session_put(s);
	return 0;
}

int kcolo_nl_session_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kcolo_session *s = info_session(skb, info);
	struct reply reply;
	int err;

	if (IS_ERR(s))
		return PTR_ERR(s);
	err = reply_new(&reply, info, KCOLO_CMD_SESSION_GET);
	if (!err)
		err = reply_send(&reply, info, kcolo_fill_session(reply.skb, s));
	kcolo_session_put(s);
	return err;
}

static int dump(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd,
		int (*fill)(struct sk_buff *skb, struct kcolo_session *s))
{
	unsigned long id = cb->args[0];
	struct kcolo_session *s;
	void *hdr;
	int err = 0;

	if (!netlink_capable(cb->skb, CAP_NET_ADMIN))
		return -EPERM;
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

int kcolo_nl_session_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb)
{
	return dump(skb, cb, KCOLO_CMD_SESSION_GET, kcolo_fill_session);
}

int kcolo_nl_stats_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump(skb, cb, KCOLO_CMD_STATS_GET, kcolo_fill_stats);
}

int kcolo_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kcolo_session *s;
	struct reply reply;
	int err;

	s = get_session(skb, info, 0, KCOLO_A_STATS_SESSION_ID,
			KCOLO_A_STATS_SESSION_NAME);
	if (IS_ERR(s))
		return PTR_ERR(s);
	err = reply_new(&reply, info, KCOLO_CMD_STATS_GET);
	if (!err)
		err = reply_send(&reply, info, kcolo_fill_stats(reply.skb, s));
	kcolo_session_put(s);
	return err;
}

int kcolo_nl_session_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kcolo_session *s;
	int err;

	err = check_params(info->attrs, info->extack);
	if (err)
		return err;
	s = info_session(skb, info);
	if (IS_ERR(s))
		return PTR_ERR(s);
	mutex_lock(&s->lock);
	set_params(s, info->attrs);
	kcolo_session_notify(s, &(struct kcolo_notice) {
				.type = KCOLO_EVENT_TYPE_SESSION_SET });
	mutex_unlock(&s->lock);
	kcolo_session_put(s);
	return 0;
}

int kcolo_nl_vm_attach_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[KCOLO_A_SESSION_VM_FD];
	struct kcolo_session *s = info_session(skb, info);
	struct file *file = NULL;
	int err = -EINVAL;

	if (IS_ERR(s))
		return PTR_ERR(s);
	if (attr)
		file = fget(nla_get_s32(attr));
	if (!file) {
		NL_SET_ERR_MSG(info->extack, "vm-attach needs vm-fd, an open VM of KVM");
		goto out;
	}
	mutex_lock(&s->lock);
	if (kcolo_state_allows(s, KCOLO_CMD_VM_ATTACH))
		err = kcolo_guest_attach(&s->guest, file, info->extack);
	else
		err = refuse_state(s, info);
	mutex_unlock(&s->lock);
	fput(file);
out:
	kcolo_session_put(s);
	return err;
}

static int add_region(struct kcolo_session *s, struct nlattr **tb,
		      struct netlink_ext_ack *extack)
{
	const char *name = nla_data(tb[KCOLO_A_REGION_NAME]);
	u64 hva = nla_get_u64(tb[KCOLO_A_REGION_ADDRESS]);
	u64 size = nla_get_u64(tb[KCOLO_A_REGION_SIZE]);
	struct kcolo_region *r;
	unsigned int i;
	u64 end;
	int err;

	if (!*name || !size || !PAGE_ALIGNED(hva | size) ||
	    size >> PAGE_SHIFT > REGION_PAGES_MAX ||
	    check_add_overflow(hva, size, &end) || end > TASK_SIZE_MAX) {
		NL_SET_ERR_MSG(extack,
			       "a region has a name, and whole pages of the caller's memory, at most 2^31 of them");
		return -EINVAL;
	}
	if (s->nr_regions == KCOLO_MAX_REGIONS) {
		NL_SET_ERR_MSG(extack, "a session has at most 64 regions");
		return -ENOSPC;
	}
	for (i = 0; i < s->nr_regions; i++) {
		if (!strcmp(s->region[i]->name, name)) {
			NL_SET_ERR_MSG(extack, "the session has a region of this name");
			return -EEXIST;
		}
		if (hva < s->region[i]->hva +
			  (s->region[i]->nr_pages << PAGE_SHIFT) &&
		    s->region[i]->hva < end) {
			NL_SET_ERR_MSG(extack, "the region overlaps another one of the session");
			return -EEXIST;
		}
	}
	err = kcolo_guest_adopt(&s->guest, current->mm);
	if (err) {
		NL_SET_ERR_MSG(extack,
			       "a region is added by the process whose VM or regions the session has");
		return err;
	}
	err = kcolo_region_alloc(&r, name, hva, size >> PAGE_SHIFT,
				 s->role == KCOLO_ROLE_PRIMARY);
	if (err)
		return err;
	r->id = s->nr_regions;
	mutex_lock(&s->map_lock);
	s->region[s->nr_regions++] = r;
	mutex_unlock(&s->map_lock);
	return 0;
}

static int parse_region(struct genl_info *info, struct nlattr **tb)
{
	struct nlattr *nest = info->attrs[KCOLO_A_SESSION_REGION];
	int err;

	if (!nest) {
		NL_SET_ERR_MSG(info->extack, "which region?");
		return -EINVAL;
	}
	err = nla_parse_nested(tb, KCOLO_A_REGION_LOG_SIZE, nest,
			       kcolo_region_nl_policy, info->extack);
	if (!err && !tb[KCOLO_A_REGION_NAME]) {
		NL_SET_ERR_MSG(info->extack, "a region needs a name");
		err = -EINVAL;
	}
	return err;
}

static int change_regions(struct kcolo_session *s, struct genl_info *info,
			  unsigned int cmd)
{
	if (!kcolo_state_allows(s, cmd))
		return refuse_state(s, info);
	if (s->regions_agreed) {
		NL_SET_ERR_MSG(info->extack,
			       "regions are fixed once the first checkpoint has begun");
		return -EBUSY;
	}
	if (cmd == KCOLO_CMD_REGION_ADD && s->role == KCOLO_ROLE_PRIMARY &&
	    !s->guest.vm_file) {
		NL_SET_ERR_MSG(info->extack, "attach the VM before its regions");
		return -ENOTCONN;
	}
	return 0;
}

int kcolo_nl_region_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[KCOLO_A_REGION_LOG_SIZE + 1];
	struct kcolo_session *s = info_session(skb, info);
	struct reply reply;
	int err;

	if (IS_ERR(s))
		return PTR_ERR(s);
	err = parse_region(info, tb);
	if (!err && (!tb[KCOLO_A_REGION_ADDRESS] || !tb[KCOLO_A_REGION_SIZE])) {
		NL_SET_ERR_MSG(info->extack, "a region needs address and size");
		err = -EINVAL;
	}
	if (!err)
		err = reply_new(&reply, info, KCOLO_CMD_REGION_ADD);
	if (err)
		goto out;
	mutex_lock(&s->lock);
	err = change_regions(s, info, KCOLO_CMD_REGION_ADD);
	if (!err)
		err = add_region(s, tb, info->extack);
	if (!err)
		err = kcolo_fill_region(reply.skb,
					s->region[s->nr_regions - 1]);
	mutex_unlock(&s->lock);
	if (!err && s->role == KCOLO_ROLE_PRIMARY)
		err = nla_put_u64_64bit(reply.skb, KCOLO_A_SESSION_SCRATCH_SIZE,
					KCOLO_SCRATCH_SIZE, KCOLO_A_SESSION_PAD);
	err = reply_send(&reply, info, err);
out:
	kcolo_session_put(s);
	return err;
}

/* Numbers of regions say where their logs are mapped: only the last can go. */
static int del_region(struct kcolo_session *s, const char *name,
		      struct netlink_ext_ack *extack)
{
	struct kcolo_region *r;

	r = s->nr_regions ? s->region[s->nr_regions - 1] : NULL;
	if (!r || strcmp(r->name, name)) {
		NL_SET_ERR_MSG(extack, "only the region that was added last can be removed");
		return -ENOENT;
	}
	mutex_lock(&s->map_lock);
	s->region[--s->nr_regions] = NULL;
	mutex_unlock(&s->map_lock);
	kcolo_region_free(r);
	return 0;
}

int kcolo_nl_region_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[KCOLO_A_REGION_LOG_SIZE + 1];
	struct kcolo_session *s = info_session(skb, info);
	int err;

	if (IS_ERR(s))
		return PTR_ERR(s);
	err = parse_region(info, tb);
	if (!err) {
		mutex_lock(&s->lock);
		err = change_regions(s, info, KCOLO_CMD_REGION_DEL);
		if (!err)
			err = del_region(s, nla_data(tb[KCOLO_A_REGION_NAME]),
					 info->extack);
		mutex_unlock(&s->lock);
	}
	kcolo_session_put(s);
	return err;
}

static int add_subscriber(struct kcolo_session *s, u32 portid)
{
	unsigned int i;

	for (i = 0; i < KCOLO_MAX_SUBSCRIBERS; i++)
		if (s->subscriber[i] == portid)
			return 0;
	for (i = 0; i < KCOLO_MAX_SUBSCRIBERS; i++) {
		if (s->subscriber[i])
			continue;
		s->subscriber[i] = portid;
		return 0;
	}
	return -ENOSPC;
}

int kcolo_nl_subscribe_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kcolo_session *s = info_session(skb, info);
	struct reply reply;
	u64 seq;
	int err;

	if (IS_ERR(s))
		return PTR_ERR(s);
	err = reply_new(&reply, info, KCOLO_CMD_SUBSCRIBE);
	if (err)
		goto out;
	mutex_lock(&s->lock);
	err = s->net == genl_info_net(info) ?
	      add_subscriber(s, info->snd_portid) : -EXDEV;
	seq = s->event_seq;
	mutex_unlock(&s->lock);
	if (err == -ENOSPC)
		NL_SET_ERR_MSG(info->extack, "a session has at most 4 subscribers");
	if (err == -EXDEV)
		NL_SET_ERR_MSG(info->extack, "subscribe from the session's network namespace");
	if (!err)
		err = nla_put_u64_64bit(reply.skb, KCOLO_A_SESSION_EVENT_SEQ,
					seq, KCOLO_A_SESSION_PAD);
	err = reply_send(&reply, info, err);
out:
	kcolo_session_put(s);
	return err;
}

/* Under s->lock. */
static int begin_checkpoint(struct kcolo_session *s, enum kcolo_kind kind,
			    struct genl_info *info)
{
	if (!kcolo_state_allows(s, KCOLO_CMD_CHECKPOINT))
		return refuse_state(s, info);
	if (s->guest.gone) {
		NL_SET_ERR_MSG(info->extack, "the VMM has died: delete the session");
		return -ESRCH;
	}
	if (!s->nr_regions || !s->guest.vm_file) {
		NL_SET_ERR_MSG(info->extack, "attach the VM and add its regions first");
		return -ENOTCONN;
	}
	s->devstate = kcolo_devstate_new();
	if (!s->devstate)
		return -ENOMEM;
	s->epoch++;
	s->kind = kind;
	s->rounds = 0;
	s->rx = 0;
	s->end_sent = false;
	s->error[0] = 0;
	kcolo_state_set(s, KCOLO_STATE_PRECOPY);
	kcolo_session_request(s, KCOLO_REQ_CHECKPOINT);
	return 0;
}

int kcolo_nl_checkpoint_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[KCOLO_A_SESSION_KIND];
	struct kcolo_session *s = info_session(skb, info);
	struct reply reply;
	u64 epoch;
	int err;

	if (IS_ERR(s))
		return PTR_ERR(s);
	err = reply_new(&reply, info, KCOLO_CMD_CHECKPOINT);
	if (err)
		goto out;
	mutex_lock(&s->lock);
	err = begin_checkpoint(s, attr ? nla_get_u32(attr) :
			       KCOLO_KIND_PERIODIC, info);
	epoch = s->epoch;
	mutex_unlock(&s->lock);
	if (!err)
		err = nla_put_u64_64bit(reply.skb, KCOLO_A_SESSION_EPOCH, epoch,
					KCOLO_A_SESSION_PAD);
	err = reply_send(&reply, info, err);
out:
	kcolo_session_put(s);
	return err;
}

/* Requests that only set a bit for the worker when the state allows them. */
static int request(struct sk_buff *skb, struct genl_info *info,
		   unsigned int cmd, enum kcolo_req req)
{
	struct kcolo_session *s = info_session(skb, info);
	int err = 0;

	if (IS_ERR(s))
		return PTR_ERR(s);
	mutex_lock(&s->lock);
	if (!kcolo_state_allows(s, cmd)) {
		err = refuse_state(s, info);
	} else if (cmd == KCOLO_CMD_ABORT && s->end_sent) {
		NL_SET_ERR_MSG(info->extack, "the end of the epoch was sent: the peer decides now");
		err = -EINPROGRESS;
	} else if (cmd == KCOLO_CMD_PROMOTE && !s->committed) {
		NL_SET_ERR_MSG(info->extack,
			       "nothing was committed yet: there is nothing to take over with");
		err = -ENODATA;
	} else {
		/* So that a commit may follow at once. */
		if (cmd == KCOLO_CMD_FLUSH)
			kcolo_state_set(s, KCOLO_STATE_FLUSHING);
		kcolo_session_request(s, req);
	}
	mutex_unlock(&s->lock);
	kcolo_session_put(s);
	return err;
}

int kcolo_nl_flush_doit(struct sk_buff *skb, struct genl_info *info)
{
	return request(skb, info, KCOLO_CMD_FLUSH, KCOLO_REQ_FLUSH);
}

int kcolo_nl_commit_doit(struct sk_buff *skb, struct genl_info *info)
{
	return request(skb, info, KCOLO_CMD_COMMIT, KCOLO_REQ_COMMIT);
}

int kcolo_nl_abort_doit(struct sk_buff *skb, struct genl_info *info)
{
	return request(skb, info, KCOLO_CMD_ABORT, KCOLO_REQ_ABORT);
}

int kcolo_nl_promote_doit(struct sk_buff *skb, struct genl_info *info)
{
	return request(skb, info, KCOLO_CMD_PROMOTE, KCOLO_REQ_PROMOTE);
}

/* The generated table has no flags: only administrators hear all events. */
static const struct genl_multicast_group kcolo_mcgrps[] = {
	[KCOLO_NLGRP_EVENTS] = {
		.name = KCOLO_MCGRP_EVENTS,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
};

static struct genl_family kcolo_family = {
	.name = KCOLO_GENL_NAME,
	.version = KCOLO_GENL_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.ops = kcolo_nl_ops,
	.n_ops = ARRAY_SIZE(kcolo_nl_ops),
	.mcgrps = kcolo_mcgrps,
	.n_mcgrps = ARRAY_SIZE(kcolo_mcgrps),
	.resv_start_op = KCOLO_CMD_SESSION_NEW,
};

/**
 * kcolo_netlink_init - take requests
 *
 * Return: 0 or a negative errno.
 */
int kcolo_netlink_init(void)
{
	kcolo_events_init(&kcolo_family);
	return genl_register_family(&kcolo_family);
}

/**
 * kcolo_netlink_exit - take no more requests
 */
void kcolo_netlink_exit(void)
{
	genl_unregister_family(&kcolo_family);
}
