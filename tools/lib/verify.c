// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Verification: whether both ends have the same, page by page.
 */
#include <errno.h>
#include <string.h>
#include "internal.h"

static const struct nla_policy difference_attrs[KCOLO_A_DIFFERENCE_MAX + 1] = {
	[KCOLO_A_DIFFERENCE_REGION] = { .type = NLA_STRING },
	[KCOLO_A_DIFFERENCE_PAGE] = { .type = NLA_U64 },
};

/**
 * kcolo_verify - have the next checkpoint verified
 * @k: handle of a primary
 *
 * Event verified follows, once one was committed that began after this. One that
 * was open may have been asked for by somebody else: its epoch is not greater than
 * the session's before this call.
 *
 * Return: 0 or a negative errno.
 */
int kcolo_verify(struct kcolo *k)
{
	return kcolo_session_simple(k, KCOLO_CMD_VERIFY);
}

static int add_difference(struct kcolo_verified *v, struct nlattr *nest)
{
	struct nlattr *tb[KCOLO_A_DIFFERENCE_MAX + 1];

	if (nla_parse_nested(tb, KCOLO_A_DIFFERENCE_MAX, nest,
			     (struct nla_policy *)difference_attrs) ||
	    !tb[KCOLO_A_DIFFERENCE_REGION] || !tb[KCOLO_A_DIFFERENCE_PAGE] ||
	    v->nr == ARRAY_SIZE(v->difference))
		return -EPROTO;
	kcolo_copy_string(v->difference[v->nr].region,
			  sizeof(v->difference[v->nr].region),
			  tb[KCOLO_A_DIFFERENCE_REGION]);
	v->difference[v->nr++].page = nla_get_u64(tb[KCOLO_A_DIFFERENCE_PAGE]);
	return 0;
}

static int take_verified(struct kcolo *k, const struct nlmsghdr *nlh,
			 struct nlattr **tb, void *arg)
{
	struct genlmsghdr *genl = nlmsg_data(nlh);
	struct kcolo_verified *v = arg;
	struct nlattr *attr;
	int rem;

	if (!tb[KCOLO_A_SESSION_EPOCH] || !tb[KCOLO_A_SESSION_VERIFIED_PAGES] ||
	    !tb[KCOLO_A_SESSION_DIFFERENT])
		return kcolo_fail(k, -EPROTO, "the reply has no verification");
	memset(v, 0, sizeof(*v));
	v->epoch = nla_get_u64(tb[KCOLO_A_SESSION_EPOCH]);
	v->pages = nla_get_u64(tb[KCOLO_A_SESSION_VERIFIED_PAGES]);
	v->different = nla_get_u64(tb[KCOLO_A_SESSION_DIFFERENT]);
	nla_for_each_attr(attr, genlmsg_attrdata(genl, 0),
			  genlmsg_attrlen(genl, 0), rem)
		if (nla_type(attr) == KCOLO_A_SESSION_DIFFERENCE &&
		    add_difference(v, attr))
			return kcolo_fail(k, -EPROTO,
					  "the reply has a difference that is none");
	return 0;
}

/**
 * kcolo_verify_get - read what the last verification has found
 * @k: handle, of either end
 * @verified: where to
 *
 * Return: 0, -ENODATA when nothing was verified yet, or another negative errno.
 */
int kcolo_verify_get(struct kcolo *k, struct kcolo_verified *verified)
{
	struct kcolo_request rq;
	int err = kcolo_session_request(k, &rq, KCOLO_CMD_VERIFY_GET);

	if (err)
		return err;
	memset(verified, 0, sizeof(*verified));
	rq.reply = take_verified;
	rq.arg = verified;
	err = kcolo_request_run(k, &rq);
	if (!err && !verified->epoch)
		err = kcolo_fail(k, -EPROTO, "the reply has no verification");
	return err;
}
