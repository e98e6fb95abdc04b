// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The kernel's own words for why it refused. libnl 3.7 has nothing for them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <linux/netlink.h>
#include "internal.h"

/* Which attribute of the request begins @offset bytes into it. */
static const char *attr_at(const struct nlmsghdr *request, uint32_t offset)
{
	const struct genlmsghdr *genl = nlmsg_data(request);
	const struct nlattr *attr;
	int rem;

	if (genl->cmd == KCOLO_CMD_STATS_GET)
		return NULL;		/* attributes of another set */
	nla_for_each_attr(attr, genlmsg_attrdata(genl, 0),
			  genlmsg_attrlen(genl, 0), rem)
		if ((const char *)attr - (const char *)request == offset)
			return kcolo_session_attr_name(nla_type(attr));
	return NULL;
}

/*
 * Where the attributes of an answer begin: after the error, and after what was
 * asked if the kernel repeats it. The end of a dump has no header in it.
 */
static size_t tlv_offset(const struct nlmsghdr *answer)
{
	const struct nlmsgerr *e = nlmsg_data(answer);

	if (answer->nlmsg_type == NLMSG_DONE)
		return sizeof(int);
	if (answer->nlmsg_flags & NLM_F_CAPPED)
		return sizeof(*e);
	if (e->msg.nlmsg_len < sizeof(e->msg))
		return SIZE_MAX;
	return sizeof(*e) + NLMSG_ALIGN(e->msg.nlmsg_len - sizeof(e->msg));
}

static void read_tlvs(const struct nlmsghdr *answer, char *text, size_t size,
		      uint32_t *offset)
{
	size_t skip = tlv_offset(answer);
	const struct nlattr *attr;
	int rem;

	if (!(answer->nlmsg_flags & NLM_F_ACK_TLVS) ||
	    skip > (size_t)nlmsg_datalen(answer))
		return;
	nla_for_each_attr(attr,
			  (struct nlattr *)((char *)nlmsg_data(answer) + skip),
			  nlmsg_datalen(answer) - (int)skip, rem) {
		if (nla_type(attr) == NLMSGERR_ATTR_MSG)
			kcolo_copy_string(text, size, attr);
		else if (nla_type(attr) == NLMSGERR_ATTR_OFFS &&
			 nla_len(attr) >= (int)sizeof(*offset))
			memcpy(offset, nla_data(attr), sizeof(*offset));
	}
}

/**
 * kcolo_extack - the end of an answer
 * @k: handle; gets the error in words
 * @request: what was asked
 * @answer: an NLMSG_ERROR or NLMSG_DONE message
 *
 * Return: what the kernel said: 0 or a negative errno.
 */
int kcolo_extack(struct kcolo *k, const struct nlmsghdr *request,
		 const struct nlmsghdr *answer)
{
	size_t least = answer->nlmsg_type == NLMSG_DONE ?
		       sizeof(int) : sizeof(struct nlmsgerr);
	const char *name = NULL;
	uint32_t offset = 0;
	char text[256] = "";
	int err;

	if ((size_t)nlmsg_datalen(answer) < least)
		return kcolo_fail(k, -EPROTO, "the kernel's answer is short");
	memcpy(&err, nlmsg_data(answer), sizeof(err));
	if (err >= 0 || err < -4095)
		return err >= 0 ? 0 : kcolo_fail(k, -EPROTO,
						 "the kernel's error is none");
	read_tlvs(answer, text, sizeof(text), &offset);
	if (offset)
		name = attr_at(request, offset);
	if (text[0] && name)
		return kcolo_fail(k, err, "%s (%s)", text, name);
	if (text[0])
		return kcolo_fail(k, err, "%s", text);
	if (err == -EPERM)
		return kcolo_fail(k, err, "%s: this needs CAP_NET_ADMIN",
				  strerror(-err));
	return kcolo_fail(k, err, "%s%s%s", strerror(-err), name ? ": " : "",
			  name ? name : "");
}
