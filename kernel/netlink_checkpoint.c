// SPDX-License-Identifier: GPL-2.0
/* Requests of a VMM at work: events, checkpoints, promotion. */
#include <net/genetlink.h>
#include "commit.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "session.h"

int kcolo_nl_subscribe_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kcolo_session *s = kcolo_nl_session(skb, info);
	struct kcolo_nl_reply reply;
	u64 seq;
	int err;

	if (IS_ERR(s))
		return PTR_ERR(s);
	err = kcolo_nl_reply_new(&reply, info, KCOLO_CMD_SUBSCRIBE);
	if (err)
		goto out;
	mutex_lock(&s->lock);
	err = s->net == genl_info_net(info) ?
	      kcolo_notify_add(s, info->snd_portid) : -EXDEV;
	seq = s->event_seq;
	mutex_unlock(&s->lock);
	if (err == -ENOSPC)
		NL_SET_ERR_MSG(info->extack, "a session has at most 4 subscribers");
	if (err == -EXDEV)
		NL_SET_ERR_MSG(info->extack, "subscribe from the session's network namespace");
	if (!err)
		err = nla_put_u64_64bit(reply.skb, KCOLO_A_SESSION_EVENT_SEQ,
					seq, KCOLO_A_SESSION_PAD);
	err = kcolo_nl_reply_send(&reply, info, err);
out:
	kcolo_session_put(s);
	return err;
}

/* Under s->lock. */
static int begin_checkpoint(struct kcolo_session *s, enum kcolo_kind kind,
			    struct genl_info *info)
{
	bool open = s->state == KCOLO_STATE_PRECOPY;

	if (!kcolo_state_allows(s, KCOLO_CMD_CHECKPOINT) ||
	    (open && kind != KCOLO_KIND_URGENT))
		return kcolo_nl_refuse_state(s, info);
	if (open) {
		/* The worker looks without the lock, between chunks. */
		WRITE_ONCE(s->kind, kind);
		return 0;
	}
	if (s->guest.gone) {
		NL_SET_ERR_MSG(info->extack, "the VMM has died: delete the session");
		return -ESRCH;
	}
	if (!kcolo_session_nr_regions(s) || !s->guest.vm_file) {
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
	struct kcolo_session *s = kcolo_nl_session(skb, info);
	struct kcolo_nl_reply reply;
	u64 epoch;
	int err;

	if (IS_ERR(s))
		return PTR_ERR(s);
	err = kcolo_nl_reply_new(&reply, info, KCOLO_CMD_CHECKPOINT);
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
	err = kcolo_nl_reply_send(&reply, info, err);
out:
	kcolo_session_put(s);
	return err;
}

/* Requests that only set a bit for the worker when the state allows them. */
static int request(struct sk_buff *skb, struct genl_info *info,
		   unsigned int cmd, enum kcolo_req req)
{
	struct kcolo_session *s = kcolo_nl_session(skb, info);
	int err = 0;

	if (IS_ERR(s))
		return PTR_ERR(s);
	mutex_lock(&s->lock);
	if (!kcolo_state_allows(s, cmd)) {
		err = kcolo_nl_refuse_state(s, info);
	} else if (cmd == KCOLO_CMD_ABORT && s->end_sent && !s->external &&
		   s->state != KCOLO_STATE_DOUBT) {
		NL_SET_ERR_MSG(info->extack, "the end of the epoch was sent: the peer decides now");
		err = -EINPROGRESS;
	} else if (cmd == KCOLO_CMD_PROMOTE && !s->committed && !s->clean) {
		NL_SET_ERR_MSG(info->extack,
			       "nothing was committed yet: there is nothing to take over with");
		err = -ENODATA;
	} else if (cmd == KCOLO_CMD_PROMOTE &&
		   s->link_reason == KCOLO_ABORT_REASON_CLOSED) {
		NL_SET_ERR_MSG(info->extack,
			       "the primary has ended the session, and its guest may run there");
		err = -ESHUTDOWN;
	} else if (cmd == KCOLO_CMD_PROMOTE && READ_ONCE(s->guest.gone)) {
		NL_SET_ERR_MSG(info->extack,
			       "the VMM has died, and its memory with it: delete the session");
		err = -ESRCH;
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

int kcolo_nl_log_synced_doit(struct sk_buff *skb, struct genl_info *info)
{
	return request(skb, info, KCOLO_CMD_LOG_SYNCED, KCOLO_REQ_LOG_SYNCED);
}

/* Under s->lock. Whether @epoch is the one that apply or drop may be about. */
static int check_epoch(struct kcolo_session *s, u64 epoch, unsigned int cmd,
		       struct genl_info *info)
{
	if (!s->external && !atomic_read(&s->ended)) {
		NL_SET_ERR_MSG(info->extack,
			       "the end of an epoch commits it here: apply and drop are for device-state external");
		return -EOPNOTSUPP;
	}
	if (!kcolo_state_allows(s, cmd))
		return kcolo_nl_refuse_state(s, info);
	if (epoch == s->epoch)
		return 0;
	return kcolo_refuse(info->extack, -ESTALE,
			    "this is not the epoch that is open: see event checkpoint-prepared",
			    "epoch %llu is open, and not %llu", s->epoch, epoch);
}

/*
 * Committed at once and not by the worker, so that the answer is the decision:
 * the VMM has stopped its guest and waits for nothing else.
 */
static int apply(struct kcolo_session *s, struct genl_info *info)
{
	if (READ_ONCE(s->req) & (BIT(KCOLO_REQ_DROP) | BIT(KCOLO_REQ_PROMOTE))) {
		NL_SET_ERR_MSG(info->extack, "the epoch is being dropped");
		return -EBUSY;
	}
	if (s->link_reason != KCOLO_ABORT_REASON_NONE) {
		NL_SET_ERR_MSG(info->extack, "the primary is lost, and the epoch with it");
		return -ENOTCONN;
	}
	if (READ_ONCE(s->guest.gone)) {
		NL_SET_ERR_MSG(info->extack,
			       "the VMM has died, and its memory with it: delete the session");
		return -ESRCH;
	}
	kcolo_commit_decide(s);
	kcolo_session_request(s, KCOLO_REQ_APPLY);
	return 0;
}

static void drop(struct kcolo_session *s, u64 epoch)
{
	s->drop_epoch = epoch;
	kcolo_session_request(s, KCOLO_REQ_DROP);
}

/* Requests about an epoch that is not committed yet. */
static int epoch_request(struct sk_buff *skb, struct genl_info *info,
			 unsigned int cmd)
{
	struct nlattr *attr = info->attrs[KCOLO_A_SESSION_EPOCH];
	struct kcolo_session *s = kcolo_nl_session(skb, info);
	int err;

	if (IS_ERR(s))
		return PTR_ERR(s);
	if (!attr) {
		NL_SET_ERR_MSG(info->extack, "which epoch? event checkpoint-prepared says it");
		kcolo_session_put(s);
		return -EINVAL;
	}
	mutex_lock(&s->lock);
	err = check_epoch(s, nla_get_u64(attr), cmd, info);
	if (!err && cmd == KCOLO_CMD_APPLY)
		err = apply(s, info);
	else if (!err)
		drop(s, nla_get_u64(attr));
	mutex_unlock(&s->lock);
	kcolo_session_put(s);
	return err;
}

int kcolo_nl_apply_doit(struct sk_buff *skb, struct genl_info *info)
{
	return epoch_request(skb, info, KCOLO_CMD_APPLY);
}

int kcolo_nl_drop_doit(struct sk_buff *skb, struct genl_info *info)
{
	return epoch_request(skb, info, KCOLO_CMD_DROP);
}
