// SPDX-License-Identifier: GPL-2.0
/* Asking the kernel, and what it answers: a number, and words. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/genetlink.h>
#include "nlclient.h"

int nl_open(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	int fd, one = 1;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one)))
		fail("netlink: %s", strerror(errno));
	return fd;
}

static const void *find(const void *from, int len, u16 attr)
{
	const struct nlattr *nla = from;

	while (len >= NLA_HDRLEN && nla->nla_len >= NLA_HDRLEN &&
	       nla->nla_len <= len) {
		if ((nla->nla_type & NLA_TYPE_MASK) == attr)
			return (const char *)nla + NLA_HDRLEN;
		len -= NLA_ALIGN(nla->nla_len);
		nla = (const void *)((const char *)nla + NLA_ALIGN(nla->nla_len));
	}
	return NULL;
}

const void *answer_attr(const struct answer *a, u16 attr)
{
	return find(a->data + GENL_HDRLEN, (int)a->len - GENL_HDRLEN, attr);
}

static void take_error(const struct nlmsghdr *nlh, struct answer *a)
{
	bool done = nlh->nlmsg_type == NLMSG_DONE;
	size_t skip = done ? sizeof(int) : sizeof(struct nlmsgerr);
	const char *data = NLMSG_DATA(nlh), *text;

	memcpy(&a->err, data, sizeof(a->err));
	a->err = -a->err;
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	text = find(data + skip, NLMSG_PAYLOAD(nlh, 0) - skip,
		    NLMSGERR_ATTR_MSG);
	if (text)
		snprintf(a->text, sizeof(a->text), "%s", text);
}

/* Return: whether the answer is over. */
static bool take(struct nlmsghdr *nlh, int len, struct answer *a)
{
	for (; NLMSG_OK(nlh, len); nlh = NLMSG_NEXT(nlh, len)) {
		if (nlh->nlmsg_type == NLMSG_ERROR ||
		    nlh->nlmsg_type == NLMSG_DONE) {
			take_error(nlh, a);
			return true;
		}
		a->len = NLMSG_PAYLOAD(nlh, 0);
		if (a->len > sizeof(a->data))
			fail("an answer is too long");
		memcpy(a->data, NLMSG_DATA(nlh), a->len);
	}
	return false;
}

/* Of a thread each: some scenarios have several. */
static __thread char buf[65536];
static __thread u32 seq;

static void exchange(int nl, struct msg *m, u16 type, struct answer *a)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)m->buf;
	struct pollfd p = { .fd = nl, .events = POLLIN };
	ssize_t n;

	memset(a, 0, sizeof(*a));
	nlh->nlmsg_len = m->len;
	nlh->nlmsg_type = type;
	nlh->nlmsg_seq = ++seq;
	if (send(nl, m->buf, m->len, 0) != m->len)
		fail("a request could not be sent: %s", strerror(errno));
	do {
		if (poll(&p, 1, SOON_MS) != 1)
			fail("the kernel does not answer");
		n = recv(nl, buf, sizeof(buf), 0);
		if (n < 0)
			fail("no answer: %s", strerror(errno));
	} while (!take((struct nlmsghdr *)buf, n, a));
}

/* 0 when the module is not loaded. */
static u16 look_up(int nl, struct answer *a)
{
	const u16 *attr;
	struct msg m;

	msg_cmd(&m, CTRL_CMD_GETFAMILY);
	msg_str(&m, CTRL_ATTR_FAMILY_NAME, KCOLO_GENL_NAME);
	exchange(nl, &m, GENL_ID_CTRL, a);
	attr = answer_attr(a, CTRL_ATTR_FAMILY_ID);
	return a->err || !attr ? 0 : *attr;
}

/* Of all threads. */
static volatile u16 family;

void nl_renew(int nl)
{
	struct answer a;

	family = look_up(nl, &a);
	if (!family)
		fail("there is no family kcolo: is the module loaded?");
}

static u16 family_id(int nl)
{
	if (!family)
		nl_renew(nl);
	return family;
}

bool nl_try(int nl, struct msg *m, struct answer *a)
{
	exchange(nl, m, family_id(nl), a);
	/* Without words it is nobody's number any more. */
	return a->err != ENOENT || a->text[0];
}

void nl_ask(int nl, struct msg *m, struct answer *a)
{
	exchange(nl, m, family_id(nl), a);
}

static void look(int nl, int fd, struct answer *a)
{
	struct msg m;

	msg_u32(msg_cmd(&m, KCOLO_CMD_SESSION_GET), KCOLO_A_SESSION_FD, fd);
	nl_ask(nl, &m, a);
	if (a->err)
		fail("the session cannot be read: %s", a->text);
}

void refused(int nl, int fd, const char *what, struct msg *m, int err,
	     const char *text)
{
	static __thread struct answer before, after, a;

	if (fd >= 0)
		look(nl, fd, &before);
	nl_ask(nl, m, &a);
	expect(a.err == err, "%s: %s (%s), not %s", what,
	       a.err ? strerror(a.err) : "granted", a.text, strerror(err));
	expect(strstr(a.text, text) && (!*text || *a.text),
	       "%s: says \"%s\", not \"%s\"", what, a.text, text);
	if (fd < 0)
		return;
	look(nl, fd, &after);
	expect(before.len == after.len &&
	       !memcmp(before.data, after.data, before.len),
	       "%s: was not granted and yet changed the session", what);
}

void granted(int nl, const char *what, struct msg *m)
{
	static struct answer a;

	nl_ask(nl, m, &a);
	expect(!a.err, "%s: %s (%s)", what, strerror(a.err), a.text);
}
