// SPDX-License-Identifier: GPL-2.0
/* Requests about a verification: to have one, and what it has found. */
#include <net/genetlink.h>
#include "netlink.h"
#include "netlink_gen.h"
#include "verify.h"

int kcolo_nl_verify_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kcolo_session *s = kcolo_nl_session(skb, info);
	int err;

	if (IS_ERR(s))
		return PTR_ERR(s);
	mutex_lock(&s->lock);
	if (kcolo_state_allows(s, KCOLO_CMD_VERIFY))
		err = kcolo_verify_want(s);
	else
		err = kcolo_nl_refuse_state(s, info);
	mutex_unlock(&s->lock);
	kcolo_session_put(s);
	return err;
}

static int put_difference(struct sk_buff *skb, const struct kcolo_difference *d)
{
	struct nlattr *nest = nla_nest_start(skb, KCOLO_A_SESSION_DIFFERENCE);

	if (!nest || nla_put_string(skb, KCOLO_A_DIFFERENCE_REGION, d->region) ||
	    nla_put_u64_64bit(skb, KCOLO_A_DIFFERENCE_PAGE, d->page,
			      KCOLO_A_DIFFERENCE_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_verify(struct sk_buff *skb, const struct kcolo_verify *v)
{
	unsigned int i;

	if (nla_put_u64_64bit(skb, KCOLO_A_SESSION_EPOCH, v->epoch,
			      KCOLO_A_SESSION_PAD) ||
	    nla_put_u64_64bit(skb, KCOLO_A_SESSION_VERIFIED_PAGES, v->pages,
			      KCOLO_A_SESSION_PAD) ||
	    nla_put_u64_64bit(skb, KCOLO_A_SESSION_DIFFERENT, v->different,
			      KCOLO_A_SESSION_PAD))
		return -EMSGSIZE;
	for (i = 0; i < v->nr; i++)
		if (put_difference(skb, &v->at[i]))
			return -EMSGSIZE;
	return 0;
}

int kcolo_nl_verify_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kcolo_session *s = kcolo_nl_session(skb, info);
	struct kcolo_nl_reply reply;
	int err;

	if (IS_ERR(s))
		return PTR_ERR(s);
	err = kcolo_nl_reply_new(&reply, info, KCOLO_CMD_VERIFY_GET);
	if (err)
		goto out;
	mutex_lock(&s->lock);
	if (s->verify && s->verify->epoch) {
		err = put_verify(reply.skb, s->verify);
	} else {
		NL_SET_ERR_MSG(info->extack, "nothing was verified yet");
		err = -ENODATA;
	}
	mutex_unlock(&s->lock);
	err = kcolo_nl_reply_send(&reply, info, err);
out:
	kcolo_session_put(s);
	return err;
}
