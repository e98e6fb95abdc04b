// SPDX-License-Identifier: GPL-2.0
/* Messages by hand: a library would not make most of those that are wrong. */
#include <string.h>
#include <linux/genetlink.h>
#include "nlclient.h"

static void put(struct msg *m, const void *data, size_t len)
{
	size_t padded = NLA_ALIGN(len);

	if (m->len + padded > sizeof(m->buf))
		fail("a message is too long");
	memset(m->buf + m->len, 0, padded);
	memcpy(m->buf + m->len, data, len);
	m->len += padded;
}

struct msg *msg_cmd(struct msg *m, int cmd)
{
	struct nlmsghdr nlh = { .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK };
	struct genlmsghdr genl = { .cmd = cmd, .version = KCOLO_GENL_VERSION };

	m->len = 0;
	put(m, &nlh, sizeof(nlh));
	put(m, &genl, sizeof(genl));
	return m;
}

struct msg *msg_flags(struct msg *m, u16 flags)
{
	((struct nlmsghdr *)m->buf)->nlmsg_flags = flags;
	return m;
}

struct msg *msg_bytes(struct msg *m, u16 attr, const void *data, size_t len)
{
	struct nlattr nla = { .nla_type = attr, .nla_len = NLA_HDRLEN + len };

	put(m, &nla, sizeof(nla));
	if (len)
		put(m, data, len);
	return m;
}

struct msg *msg_u8(struct msg *m, u16 attr, u8 v)
{
	return msg_bytes(m, attr, &v, sizeof(v));
}

struct msg *msg_u32(struct msg *m, u16 attr, u32 v)
{
	return msg_bytes(m, attr, &v, sizeof(v));
}

struct msg *msg_u64(struct msg *m, u16 attr, u64 v)
{
	return msg_bytes(m, attr, &v, sizeof(v));
}

struct msg *msg_str(struct msg *m, u16 attr, const char *s)
{
	return msg_bytes(m, attr, s, strlen(s) + 1);
}

struct msg *msg_flag(struct msg *m, u16 attr)
{
	return msg_bytes(m, attr, NULL, 0);
}

u32 msg_nest(struct msg *m, u16 attr)
{
	u32 nest = m->len;

	msg_bytes(m, attr | NLA_F_NESTED, NULL, 0);
	return nest;
}

struct msg *msg_nest_end(struct msg *m, u32 nest)
{
	((struct nlattr *)(m->buf + nest))->nla_len = m->len - nest;
	return m;
}

struct msg *msg_region(struct msg *m, const char *name, u64 addr, u64 size)
{
	u32 nest = msg_nest(m, KCOLO_A_SESSION_REGION);

	if (name)
		msg_str(m, KCOLO_A_REGION_NAME, name);
	msg_u64(m, KCOLO_A_REGION_ADDRESS, addr);
	msg_u64(m, KCOLO_A_REGION_SIZE, size);
	return msg_nest_end(m, nest);
}
