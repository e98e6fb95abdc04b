// SPDX-License-Identifier: GPL-2.0
/* Requests about what a session protects: the VM and its regions. */
#include <linux/file.h>
#include <linux/sched/mm.h>
#include <net/genetlink.h>
#include "clean.h"
#include "fill.h"
#include "mutate.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "session.h"

/* A region's bitmaps are a bit a page: what KVM allows a memslot to be. */
#define REGION_PAGES_MAX	BIT_ULL(31)

int kcolo_nl_vm_attach_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[KCOLO_A_SESSION_VM_FD];
	struct kcolo_session *s = kcolo_nl_session(skb, info);
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
	err = kcolo_state_allows(s, KCOLO_CMD_VM_ATTACH) ? 0 :
	      kcolo_nl_refuse_state(s, info);
	mutex_unlock(&s->lock);
	/* Not under the lock; a state in which it is too late does no harm. */
	if (!err)
		err = kcolo_guest_attach(&s->guest, file, info->extack);
	fput(file);
out:
	kcolo_session_put(s);
	return err;
}

static int alloc_region(struct kcolo_session *s, struct kcolo_region **rp,
			const char *name, u64 hva, u64 size)
{
	bool primary = s->role == KCOLO_ROLE_PRIMARY;
	int err = kcolo_region_alloc(rp, name, hva, size >> PAGE_SHIFT);

	if (err)
		return err;
	if (primary)
		err = kcolo_region_track(*rp);
	if (!err && (primary || s->external))
		err = kcolo_region_log(*rp);
	if (err)
		kcolo_region_free(*rp);
	return err;
}

static int check_region(struct kcolo_session *s, struct nlattr **tb,
			struct netlink_ext_ack *extack)
{
	const char *name = nla_data(tb[KCOLO_A_REGION_NAME]);
	u64 hva = nla_get_u64(tb[KCOLO_A_REGION_ADDRESS]);
	u64 size = nla_get_u64(tb[KCOLO_A_REGION_SIZE]);
	struct kcolo_region *r;
	unsigned int i;
	u64 end;

	if (!kcolo_wire_name_ok(name)) {
		NL_SET_ERR_MSG(extack, "a region's name is printable ASCII without spaces");
		return -EINVAL;
	}
	if (!size || !PAGE_ALIGNED(hva | size) ||
	    size >> PAGE_SHIFT > REGION_PAGES_MAX ||
	    check_add_overflow(hva, size, &end) || end > TASK_SIZE_MAX) {
		NL_SET_ERR_MSG(extack,
			       "a region is whole pages of the caller's memory, at most 2^31 of them");
		return -EINVAL;
	}
	if (kcolo_session_nr_regions(s) == KCOLO_MAX_REGIONS) {
		NL_SET_ERR_MSG(extack, "a session has at most 64 regions");
		return -ENOSPC;
	}
	for (i = 0; (r = kcolo_next_region(s, &i)); i++) {
		if (!strcmp(r->name, name)) {
			NL_SET_ERR_MSG(extack, "the session has a region of this name");
			return -EEXIST;
		}
		if (hva < r->hva + (r->nr_pages << PAGE_SHIFT) &&
		    r->hva < end && !kcolo_mutant(overlap_ok)) {
			NL_SET_ERR_MSG(extack, "the region overlaps another one of the session");
			return -EEXIST;
		}
	}
	if (tb[KCOLO_A_REGION_IN_PLACE] &&
	    (s->role != KCOLO_ROLE_SECONDARY || !s->external)) {
		NL_SET_ERR_MSG(extack,
			       "in-place is for a secondary with external device state");
		return -EINVAL;
	}
	return 0;
}

static u32 free_id(const struct kcolo_session *s)
{
	u32 id = 0;

	while (s->region[id])
		id++;
	return id;
}

/* What is agreed with the peer is agreed anew before the next epoch opens. */
static int add_region(struct kcolo_session *s, struct nlattr **tb,
		      struct kcolo_region **added)
{
	struct kcolo_region *r;
	int err;

	err = alloc_region(s, &r, nla_data(tb[KCOLO_A_REGION_NAME]),
			   nla_get_u64(tb[KCOLO_A_REGION_ADDRESS]),
			   nla_get_u64(tb[KCOLO_A_REGION_SIZE]));
	if (err)
		return err;
	r->id = free_id(s);
	r->in_place = tb[KCOLO_A_REGION_IN_PLACE];
	mutex_lock(&s->map_lock);
	s->region[r->id] = r;
	mutex_unlock(&s->map_lock);
	if (s->role == KCOLO_ROLE_PRIMARY) {
		kcolo_dirty_add_region(&s->tracker, r);
		s->regions_agreed = false;
		s->synced = false;
	}
	*added = r;
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
	err = nla_parse_nested(tb, KCOLO_A_REGION_MAX, nest,
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
		return kcolo_nl_refuse_state(s, info);
	if (s->clean && !s->committed) {
		NL_SET_ERR_MSG(info->extack,
			       "regions that were said to be clean are fixed until the first commit");
		return -EBUSY;
	}
	if (cmd == KCOLO_CMD_REGION_ADD && s->role == KCOLO_ROLE_PRIMARY &&
	    !s->guest.vm_file) {
		NL_SET_ERR_MSG(info->extack, "attach the VM before its regions");
		return -ENOTCONN;
	}
	return 0;
}

static int may_add_region(struct kcolo_session *s, struct nlattr **tb,
			  struct genl_info *info)
{
	int err = change_regions(s, info, KCOLO_CMD_REGION_ADD);

	return err ? err : check_region(s, tb, info->extack);
}

/* Not for a region that is refused, and not under the lock. */
static int adopt_for_region(struct kcolo_session *s, struct nlattr **tb,
			    struct genl_info *info)
{
	int err;

	mutex_lock(&s->lock);
	err = may_add_region(s, tb, info);
	mutex_unlock(&s->lock);
	return err ? err : kcolo_guest_adopt(&s->guest, current->mm,
					     info->extack);
}

int kcolo_nl_region_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[KCOLO_A_REGION_MAX + 1];
	struct kcolo_session *s = kcolo_nl_session(skb, info);
	struct kcolo_nl_reply reply;
	struct kcolo_region *r;
	int err;

	if (IS_ERR(s))
		return PTR_ERR(s);
	err = parse_region(info, tb);
	if (!err && (!tb[KCOLO_A_REGION_ADDRESS] || !tb[KCOLO_A_REGION_SIZE])) {
		NL_SET_ERR_MSG(info->extack, "a region needs address and size");
		err = -EINVAL;
	}
	if (!err)
		err = kcolo_nl_reply_new(&reply, info, KCOLO_CMD_REGION_ADD);
	if (err)
		goto out;
	err = adopt_for_region(s, tb, info);
	mutex_lock(&s->lock);
	if (!err)
		err = may_add_region(s, tb, info);
	if (!err) {
		err = add_region(s, tb, &r);
		if (err)
			NL_SET_ERR_MSG(info->extack,
				       "there is no memory for the region's bitmaps on this host, or in the caller's memory cgroup");
	}
	if (!err)
		err = kcolo_fill_region(reply.skb, r);
	mutex_unlock(&s->lock);
	if (!err && s->role == KCOLO_ROLE_PRIMARY)
		err = nla_put_u64_64bit(reply.skb, KCOLO_A_SESSION_SCRATCH_SIZE,
					KCOLO_SCRATCH_SIZE, KCOLO_A_SESSION_PAD);
	err = kcolo_nl_reply_send(&reply, info, err);
out:
	kcolo_session_put(s);
	return err;
}

/*
 * Pages may be on their way to it, of an epoch that was given up just now. Who
 * takes them may be waiting for the VMM, and is not waited for here.
 */
static int let_go(struct kcolo_session *s, const struct kcolo_region *r,
		  struct netlink_ext_ack *extack)
{
	bool busy, used = false;
	unsigned int i;

	if (r->based) {
		NL_SET_ERR_MSG(extack,
			       "the region is part of the committed checkpoint: remove it on the primary, and here once a checkpoint without it is committed");
		return -EBUSY;
	}
	busy = !mutex_trylock(&s->staging_lock);
	if (!busy) {
		for (i = 0; i < s->nr_peer_regions; i++)
			used |= s->peer_region[i] == r;
		busy = used && s->take_pages;
		if (used && !busy) {
			s->regions_gone = true;
			s->nr_peer_regions = 0;
		}
		mutex_unlock(&s->staging_lock);
	}
	if (!busy)
		return 0;
	NL_SET_ERR_MSG(extack, "pages are being taken: ask again");
	return -EAGAIN;
}

static int del_region(struct kcolo_session *s, const char *name,
		      struct netlink_ext_ack *extack)
{
	struct kcolo_region *r = kcolo_find_region(s, name);
	int err = 0;

	if (!r) {
		NL_SET_ERR_MSG(extack, "the session has no region of this name");
		return -ENOENT;
	}
	if (s->role == KCOLO_ROLE_SECONDARY)
		err = let_go(s, r, extack);
	if (err)
		return err;
	if (s->role == KCOLO_ROLE_PRIMARY) {
		kcolo_dirty_del_region(&s->tracker, r);
		s->regions_agreed = false;
	}
	mutex_lock(&s->map_lock);
	s->region[r->id] = NULL;
	mutex_unlock(&s->map_lock);
	kcolo_region_free(r);
	return 0;
}

int kcolo_nl_region_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[KCOLO_A_REGION_MAX + 1];
	struct kcolo_session *s = kcolo_nl_session(skb, info);
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

int kcolo_nl_clean_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kcolo_session *s = kcolo_nl_session(skb, info);
	int err;

	if (IS_ERR(s))
		return PTR_ERR(s);
	mutex_lock(&s->lock);
	if (kcolo_state_allows(s, KCOLO_CMD_CLEAN))
		err = kcolo_clean(s, info->extack);
	else
		err = kcolo_nl_refuse_state(s, info);
	mutex_unlock(&s->lock);
	kcolo_session_put(s);
	return err;
}
