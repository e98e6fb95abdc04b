// SPDX-License-Identifier: GPL-2.0
/* What the policy of each command refuses, and what no session answers to. */
#include <errno.h>
#include <linux/genetlink.h>
#include <string.h>
#include "pair.h"

#define BEYOND	(KCOLO_A_SESSION_MAX + 1)

/* The commands that name a session, with the last attribute of their policy. */
static const struct command {
	const char *name;
	int cmd;
	u16 last;
} commands[] = {
	{ "session-del", KCOLO_CMD_SESSION_DEL, KCOLO_A_SESSION_NAME },
	{ "session-get", KCOLO_CMD_SESSION_GET, KCOLO_A_SESSION_NAME },
	{ "session-set", KCOLO_CMD_SESSION_SET,
	  KCOLO_A_SESSION_STAGING_LIMIT },
	{ "vm-attach", KCOLO_CMD_VM_ATTACH, KCOLO_A_SESSION_VM_FD },
	{ "region-add", KCOLO_CMD_REGION_ADD, KCOLO_A_SESSION_REGION },
	{ "region-del", KCOLO_CMD_REGION_DEL, KCOLO_A_SESSION_REGION },
	{ "subscribe", KCOLO_CMD_SUBSCRIBE, KCOLO_A_SESSION_NAME },
	{ "checkpoint", KCOLO_CMD_CHECKPOINT, KCOLO_A_SESSION_KIND },
	{ "flush", KCOLO_CMD_FLUSH, KCOLO_A_SESSION_NAME },
	{ "commit", KCOLO_CMD_COMMIT, KCOLO_A_SESSION_NAME },
	{ "abort", KCOLO_CMD_ABORT, KCOLO_A_SESSION_NAME },
	{ "promote", KCOLO_CMD_PROMOTE, KCOLO_A_SESSION_NAME },
	{ "apply", KCOLO_CMD_APPLY, KCOLO_A_SESSION_EPOCH },
	{ "drop", KCOLO_CMD_DROP, KCOLO_A_SESSION_EPOCH },
	{ "log-synced", KCOLO_CMD_LOG_SYNCED, KCOLO_A_SESSION_NAME },
	{ "clean", KCOLO_CMD_CLEAN, KCOLO_A_SESSION_NAME },
	{ "connect", KCOLO_CMD_CONNECT, KCOLO_A_SESSION_DATA_FD },
	{ "verify", KCOLO_CMD_VERIFY, KCOLO_A_SESSION_NAME },
	{ "verify-get", KCOLO_CMD_VERIFY_GET, KCOLO_A_SESSION_NAME },
};

static char long_name[KCOLO_NAME_MAX + 2];

static void no_session(int nl, int fd, const struct command *c)
{
	struct msg m;

	refused(nl, fd, c->name, msg_cmd(&m, c->cmd), EINVAL,
		"which session? give fd, id or name");
	refused(nl, fd, c->name,
		msg_u32(msg_cmd(&m, c->cmd), KCOLO_A_SESSION_FD, 999), EBADF,
		"fd is no kcolo session");
	refused(nl, fd, c->name,
		msg_u32(msg_cmd(&m, c->cmd), KCOLO_A_SESSION_FD, -1), EBADF,
		"fd is no kcolo session");
	refused(nl, fd, c->name,
		msg_u32(msg_cmd(&m, c->cmd), KCOLO_A_SESSION_FD, nl), EBADF,
		"fd is no kcolo session");
	refused(nl, fd, c->name,
		msg_u32(msg_cmd(&m, c->cmd), KCOLO_A_SESSION_ID, 1u << 30),
		ENOENT, "no such session in this network namespace");
	refused(nl, fd, c->name,
		msg_u32(msg_cmd(&m, c->cmd), KCOLO_A_SESSION_ID, ~0u), ENOENT,
		"no such session in this network namespace");
	refused(nl, fd, c->name,
		msg_str(msg_cmd(&m, c->cmd), KCOLO_A_SESSION_NAME, "nobody"),
		ENOENT, "no such session in this network namespace");
	refused(nl, fd, c->name,
		msg_str(msg_cmd(&m, c->cmd), KCOLO_A_SESSION_NAME, ""), ENOENT,
		"no such session in this network namespace");
}

static struct msg *by_fd(struct msg *m, const struct command *c, int fd)
{
	return msg_u32(msg_cmd(m, c->cmd), KCOLO_A_SESSION_FD, fd);
}

static void malformed(int nl, int fd, const struct command *c)
{
	static const char junk[] = { 3, 0 };
	struct msg m;
	u16 attr;

	refused(nl, fd, c->name,
		msg_u8(msg_cmd(&m, c->cmd), KCOLO_A_SESSION_FD, fd), EINVAL,
		"invalid attribute length");
	refused(nl, fd, c->name,
		msg_u64(msg_cmd(&m, c->cmd), KCOLO_A_SESSION_ID, 1), EINVAL,
		"invalid attribute length");
	refused(nl, fd, c->name,
		msg_str(msg_cmd(&m, c->cmd), KCOLO_A_SESSION_NAME, long_name),
		EINVAL, "Attribute failed policy validation");
	msg_bytes(msg_cmd(&m, c->cmd), KCOLO_A_SESSION_NAME, "ab", 2);
	refused(nl, fd, c->name, &m, EINVAL,
		"Attribute failed policy validation");
	msg_bytes(msg_cmd(&m, c->cmd), KCOLO_A_SESSION_NAME, "", 0);
	refused(nl, fd, c->name, &m, EINVAL,
		"Attribute failed policy validation");
	for (attr = c->last + 1; attr <= BEYOND; attr++)
		refused(nl, fd, c->name, msg_u32(by_fd(&m, c, fd), attr, 1),
			EINVAL, "Unknown attribute type");
	/* Within the policy's range, and yet not the command's. */
	refused(nl, fd, c->name,
		msg_u32(by_fd(&m, c, fd), KCOLO_A_SESSION_PAD, 1), EINVAL,
		"Unsupported attribute");
	if (c->last > KCOLO_A_SESSION_STATE)
		refused(nl, fd, c->name,
			msg_u32(by_fd(&m, c, fd), KCOLO_A_SESSION_STATE, 1),
			EINVAL, "Unsupported attribute");
	for (attr = KCOLO_A_SESSION_LINKS; attr <= KCOLO_A_SESSION_RESYNC; attr++)
		if (c->last > attr)
			refused(nl, fd, c->name,
				msg_u32(by_fd(&m, c, fd), attr, 1), EINVAL,
				"Unsupported attribute");
	msg_u32(by_fd(&m, c, fd), KCOLO_A_SESSION_ID | NLA_F_NESTED, 1);
	refused(nl, fd, c->name, &m, EINVAL, "NLA_F_NESTED not expected");
	by_fd(&m, c, fd);
	memcpy(m.buf + m.len, junk, sizeof(junk));
	m.len += sizeof(junk);
	refused(nl, fd, c->name, &m, EINVAL,
		"bytes leftover after parsing attributes");
	by_fd(&m, c, fd);
	((struct genlmsghdr *)(m.buf + NLMSG_HDRLEN))->reserved = 1;
	refused(nl, fd, c->name, &m, EINVAL,
		"genlmsghdr.reserved field is not 0");
	if (c->cmd != KCOLO_CMD_SESSION_GET)
		refused(nl, fd, c->name,
			msg_flags(by_fd(&m, c, fd), NLM_F_REQUEST | NLM_F_ACK |
				  NLM_F_DUMP), EOPNOTSUPP, "");
}

static void attrs_sessions(void)
{
	struct kcolo *a = lone_primary(60000), *b = lone_secondary();
	int nl = nl_open();
	unsigned int i;

	memset(long_name, 'x', KCOLO_NAME_MAX + 1);
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		no_session(nl, kcolo_session_fd(a), &commands[i]);
		malformed(nl, kcolo_session_fd(a), &commands[i]);
		malformed(nl, kcolo_session_fd(b), &commands[i]);
	}
}

static void attrs_stats(void)
{
	struct kcolo *k = lone_secondary();
	int nl = nl_open(), fd = kcolo_session_fd(k), cmd = KCOLO_CMD_STATS_GET;
	const char *what = "stats-get";
	struct answer a;
	struct msg m;

	refused(nl, fd, what, msg_cmd(&m, cmd), EINVAL, "which session?");
	refused(nl, fd, what,
		msg_u32(msg_cmd(&m, cmd), KCOLO_A_STATS_SESSION_FD, nl), EBADF,
		"fd is no kcolo session");
	refused(nl, fd, what,
		msg_u32(msg_cmd(&m, cmd), KCOLO_A_STATS_SESSION_ID, 1u << 30),
		ENOENT, "no such session");
	refused(nl, fd, what,
		msg_str(msg_cmd(&m, cmd), KCOLO_A_STATS_SESSION_NAME, "nobody"),
		ENOENT, "no such session");
	refused(nl, fd, what,
		msg_u64(msg_cmd(&m, cmd), KCOLO_A_STATS_SESSION_FD, fd), EINVAL,
		"invalid attribute length");
	refused(nl, fd, what,
		msg_u64(msg_cmd(&m, cmd), KCOLO_A_STATS_CHECKPOINTS, 1), EINVAL,
		"Unknown attribute type");
	nl_ask(nl, msg_u32(msg_cmd(&m, cmd), KCOLO_A_STATS_SESSION_FD, fd), &a);
	expect(!a.err && answer_attr(&a, KCOLO_A_STATS_CHECKPOINTS),
	       "stats-get by fd: %s (%s)", strerror(a.err), a.text);
}

static void attrs_set(void)
{
	static const struct {
		u16 attr;
		u32 value;
		const char *text;
	} bad[] = {
		{ KCOLO_A_SESSION_MAX_ITERATIONS, 32768, "integer out of range" },
		{ KCOLO_A_SESSION_MAX_ITERATIONS, ~0u, "integer out of range" },
		{ KCOLO_A_SESSION_MIN_GAIN, 101, "integer out of range" },
		{ KCOLO_A_SESSION_PEER_TIMEOUT, 99, "integer out of range" },
		{ KCOLO_A_SESSION_PEER_TIMEOUT, 3600001, "at most an hour" },
		{ KCOLO_A_SESSION_PAUSE_LIMIT, 3600001, "at most an hour" },
		{ KCOLO_A_SESSION_PAUSE_LIMIT, ~0u, "at most an hour" },
		{ KCOLO_A_SESSION_LOG_SYNC_TIMEOUT, 0, "integer out of range" },
		{ KCOLO_A_SESSION_LOG_SYNC_TIMEOUT, 3600001, "at most an hour" },
	};
	struct kcolo *k = lone_primary(60000);
	int nl = nl_open(), fd = kcolo_session_fd(k);
	const struct command set = { .cmd = KCOLO_CMD_SESSION_SET };
	unsigned int i;
	struct msg m;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		/* A good one before it, and after it: all are set or none. */
		by_fd(&m, &set, fd);
		msg_u64(&m, KCOLO_A_SESSION_THRESHOLD, 4711);
		msg_u32(&m, bad[i].attr, bad[i].value);
		refused(nl, fd, "set", msg_u8(&m, KCOLO_A_SESSION_CHECKSUM, 0),
			ERANGE, bad[i].text);
	}
	msg_u8(by_fd(&m, &set, fd), KCOLO_A_SESSION_CHECKSUM, 2);
	refused(nl, fd, "set", &m, ERANGE, "integer out of range");
	msg_u32(by_fd(&m, &set, fd), KCOLO_A_SESSION_THRESHOLD, 1);
	refused(nl, fd, "set", &m, EINVAL, "invalid attribute length");
	msg_u32(msg_u32(msg_cmd(&m, KCOLO_CMD_CHECKPOINT), KCOLO_A_SESSION_FD, fd),
		KCOLO_A_SESSION_KIND, 2);
	refused(nl, fd, "checkpoint", &m, ERANGE, "integer out of range");
	refused(nl, fd, "no such command", msg_cmd(&m, KCOLO_CMD_EVENT),
		EOPNOTSUPP, "");
	refused(nl, fd, "no such command", msg_cmd(&m, 0), EOPNOTSUPP, "");
	/* The ends of what is allowed. */
	by_fd(&m, &set, fd);
	msg_u64(&m, KCOLO_A_SESSION_THRESHOLD, ~0ull);
	msg_u32(&m, KCOLO_A_SESSION_MAX_ITERATIONS, 32767);
	msg_u32(&m, KCOLO_A_SESSION_MIN_GAIN, 100);
	msg_u32(&m, KCOLO_A_SESSION_PEER_TIMEOUT, 3600000);
	granted(nl, "set", msg_u32(&m, KCOLO_A_SESSION_PAUSE_LIMIT, 3600000));
	by_fd(&m, &set, fd);
	msg_u64(&m, KCOLO_A_SESSION_THRESHOLD, 0);
	msg_u32(&m, KCOLO_A_SESSION_MAX_ITERATIONS, 0);
	msg_u32(&m, KCOLO_A_SESSION_MIN_GAIN, 0);
	msg_u32(&m, KCOLO_A_SESSION_PEER_TIMEOUT, 100);
	granted(nl, "set", msg_u32(&m, KCOLO_A_SESSION_PAUSE_LIMIT, 0));
}

const struct scenario attrs_scenarios[] = {
	{ "attrs-sessions", "missing, unknown and malformed, each command",
	  attrs_sessions },
	{ "attrs-stats", "the same for stats-get", attrs_stats },
	{ "attrs-set", "out of range: none is set", attrs_set },
	{ 0 }
};
