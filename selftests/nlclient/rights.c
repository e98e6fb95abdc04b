// SPDX-License-Identifier: GPL-2.0
/* Who may do what: without CAP_NET_ADMIN, and from another namespace. */
#include <errno.h>
#include <linux/capability.h>
#include <linux/genetlink.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "pair.h"

static const int by_handle[] = {
	KCOLO_CMD_SESSION_DEL, KCOLO_CMD_SESSION_GET, KCOLO_CMD_SESSION_SET,
	KCOLO_CMD_VM_ATTACH, KCOLO_CMD_REGION_ADD, KCOLO_CMD_REGION_DEL,
	KCOLO_CMD_SUBSCRIBE, KCOLO_CMD_CHECKPOINT, KCOLO_CMD_FLUSH,
	KCOLO_CMD_COMMIT, KCOLO_CMD_ABORT, KCOLO_CMD_PROMOTE,
};

static const char needs[] = "a session's name or id needs CAP_NET_ADMIN; its fd does not";

static void drop_net_admin(void)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &h, d))
		fail("capget: %s", strerror(errno));
	d[0].effective &= ~(1u << CAP_NET_ADMIN);
	d[0].permitted &= ~(1u << CAP_NET_ADMIN);
	d[0].inheritable &= ~(1u << CAP_NET_ADMIN);
	if (syscall(SYS_capset, &h, d))
		fail("capset: %s", strerror(errno));
}

static void by_name_and_id(int nl, int fd, const struct kcolo_session_info *info)
{
	unsigned int i;
	struct msg m;

	for (i = 0; i < ARRAY_SIZE(by_handle); i++) {
		msg_cmd(&m, by_handle[i]);
		msg_str(&m, KCOLO_A_SESSION_NAME, info->name);
		refused(nl, fd, "by name", &m, EPERM, needs);
		msg_cmd(&m, by_handle[i]);
		msg_u32(&m, KCOLO_A_SESSION_ID, info->id);
		refused(nl, fd, "by id", &m, EPERM, needs);
		/* Nor whether there is such a session. */
		msg_cmd(&m, by_handle[i]);
		refused(nl, fd, "by a name that is none",
			msg_str(&m, KCOLO_A_SESSION_NAME, "nobody"), EPERM,
			needs);
	}
	msg_cmd(&m, KCOLO_CMD_STATS_GET);
	msg_str(&m, KCOLO_A_STATS_SESSION_NAME, info->name);
	refused(nl, fd, "stats by name", &m, EPERM, needs);
	msg_cmd(&m, KCOLO_CMD_STATS_GET);
	msg_u32(&m, KCOLO_A_STATS_SESSION_ID, info->id);
	refused(nl, fd, "stats by id", &m, EPERM, needs);
}

static void join_group(void)
{
	struct kcolo *k;

	if (kcolo_open(&k))
		fail("kcolo: %s", strerror(errno));
	expect(kcolo_subscribe_all(k) == -EPERM,
	       "the group of all events can be joined");
	kcolo_close(k);
}

static void by_fd(int nl, struct kcolo *k)
{
	int fd = kcolo_session_fd(k);
	struct kcolo_region region;
	union kcolo_addr peer = address("127.0.0.1", 9);
	struct kcolo_stats stats;
	struct msg m;

	msg_u32(msg_cmd(&m, KCOLO_CMD_SESSION_GET), KCOLO_A_SESSION_FD, fd);
	granted(nl, "get by fd", &m);
	msg_u32(msg_cmd(&m, KCOLO_CMD_SUBSCRIBE), KCOLO_A_SESSION_FD, fd);
	granted(nl, "subscribe by fd", &m);
	expect(!kcolo_stats_get(k, &stats), "stats by fd: %s", kcolo_error(k));
	msg_u32(msg_cmd(&m, KCOLO_CMD_SESSION_SET), KCOLO_A_SESSION_FD, fd);
	granted(nl, "set by fd", msg_u64(&m, KCOLO_A_SESSION_THRESHOLD, 1));
	msg_u32(msg_cmd(&m, KCOLO_CMD_SESSION_SET), KCOLO_A_SESSION_FD, fd);
	msg_bytes(&m, KCOLO_A_SESSION_PEER, &peer.in, sizeof(peer.in));
	refused(nl, fd, "peer by fd", &m, EPERM,
		"to change the peer needs CAP_NET_ADMIN");
	expect(!kcolo_vm_attach(k, make_vm(NULL, 0, 1)), "vm-attach by fd: %s",
	       kcolo_error(k));
	expect(!kcolo_region_add(k, "r", make_ram(PAGE), PAGE, &region),
	       "region-add by fd: %s", kcolo_error(k));
	msg_u32(msg_cmd(&m, KCOLO_CMD_SESSION_DEL), KCOLO_A_SESSION_FD, fd);
	granted(nl, "del by fd", &m);
	await_state(k, KCOLO_STATE_CLOSED);
}

static void rights_cap(void)
{
	struct kcolo *k = lone_primary(60000);
	int early = nl_open(), nl, fd = kcolo_session_fd(k);
	union kcolo_addr addr = address("127.0.0.1", new_port());
	struct kcolo_session_info info;
	struct msg m;

	read_session(k, &info);
	drop_net_admin();
	nl = nl_open();
	by_name_and_id(nl, fd, &info);
	/* Opened with the capability: the one who asks has to have it, too. */
	by_name_and_id(early, fd, &info);
	msg_str(msg_cmd(&m, KCOLO_CMD_SESSION_NEW), KCOLO_A_SESSION_NAME, "x");
	msg_u32(&m, KCOLO_A_SESSION_ROLE, KCOLO_ROLE_SECONDARY);
	msg_bytes(&m, KCOLO_A_SESSION_LOCAL, &addr, sizeof(addr.in));
	refused(nl, fd, "session-new", msg_flag(&m, KCOLO_A_SESSION_INSECURE),
		EPERM, "to make a session needs CAP_NET_ADMIN");
	refused(nl, fd, "a dump of sessions",
		msg_flags(msg_cmd(&m, KCOLO_CMD_SESSION_GET), NLM_F_REQUEST |
			  NLM_F_DUMP), EPERM, "needs CAP_NET_ADMIN");
	refused(nl, fd, "a dump of statistics",
		msg_flags(msg_cmd(&m, KCOLO_CMD_STATS_GET), NLM_F_REQUEST |
			  NLM_F_DUMP), EPERM, "needs CAP_NET_ADMIN");
	join_group();
	by_fd(nl, k);
}

static int must_not(const struct kcolo_session_info *info, void *arg)
{
	(void)arg;
	wrong("session %s of another network namespace is shown", info->name);
	return 0;
}

static int must_not_stats(const struct kcolo_stats *stats, void *arg)
{
	(void)arg;
	wrong("statistics of %s of another network namespace are shown",
	      stats->session_name);
	return 0;
}

static void rights_netns(void)
{
	static const char text[] = "no such session in this network namespace";
	struct kcolo *k = lone_secondary(), *kb;
	int fd = kcolo_session_fd(k), nl;
	struct kcolo_session_info info;
	unsigned int i;
	struct msg m;

	read_session(k, &info);
	enter_b();
	nl = nl_open();
	if (kcolo_open(&kb))
		fail("kcolo: %s", strerror(errno));
	leave_b();
	for (i = 0; i < ARRAY_SIZE(by_handle); i++) {
		msg_cmd(&m, by_handle[i]);
		msg_str(&m, KCOLO_A_SESSION_NAME, info.name);
		refused(nl, fd, "by name", &m, ENOENT, text);
		msg_cmd(&m, by_handle[i]);
		msg_u32(&m, KCOLO_A_SESSION_ID, info.id);
		refused(nl, fd, "by id", &m, ENOENT, text);
	}
	msg_cmd(&m, KCOLO_CMD_STATS_GET);
	msg_str(&m, KCOLO_A_STATS_SESSION_NAME, info.name);
	refused(nl, fd, "stats", &m, ENOENT, text);
	kcolo_session_dump(kb, must_not, NULL);
	kcolo_stats_dump(kb, must_not_stats, NULL);
	refused(nl, fd, "subscribe by fd",
		msg_u32(msg_cmd(&m, KCOLO_CMD_SUBSCRIBE), KCOLO_A_SESSION_FD,
			fd), EXDEV, "subscribe from the session's network namespace");
	/* The fd is all the right there is to be, wherever it is used. */
	msg_u32(msg_cmd(&m, KCOLO_CMD_SESSION_SET), KCOLO_A_SESSION_FD, fd);
	granted(nl, "set by fd", msg_u64(&m, KCOLO_A_SESSION_THRESHOLD, 1));
}

/* An fd that was a session's, and the number of one that is not ours. */
static void rights_closed_fd(void)
{
	struct kcolo *k = lone_secondary(), *other = lone_secondary();
	int fd = kcolo_session_fd(k), nl = nl_open();
	struct msg m;

	kcolo_close(k);
	refused(nl, kcolo_session_fd(other), "an fd that was closed",
		msg_u32(msg_cmd(&m, KCOLO_CMD_SESSION_GET), KCOLO_A_SESSION_FD,
			fd), EBADF, "fd is no kcolo session");
}

const struct scenario rights_scenarios[] = {
	{ "rights-cap", "without CAP_NET_ADMIN: the fd, and nothing else",
	  rights_cap },
	{ "rights-netns", "from another network namespace", rights_netns },
	{ "rights-closed-fd", "an fd that was closed", rights_closed_fd },
	{ 0 }
};
