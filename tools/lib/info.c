// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Attributes to structures. Nothing the kernel sends is believed unmeasured.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

static const struct nla_policy region_attrs[KCOLO_A_REGION_MAX + 1] = {
	[KCOLO_A_REGION_ID] = { .type = NLA_U32 },
	[KCOLO_A_REGION_NAME] = { .type = NLA_STRING },
	[KCOLO_A_REGION_ADDRESS] = { .type = NLA_U64 },
	[KCOLO_A_REGION_SIZE] = { .type = NLA_U64 },
	[KCOLO_A_REGION_LOG_OFFSET] = { .type = NLA_U64 },
	[KCOLO_A_REGION_LOG_SIZE] = { .type = NLA_U64 },
	[KCOLO_A_REGION_IN_PLACE] = { .type = NLA_FLAG },
};

/* For each reply of the attribute set "session". */
const struct nla_policy kcolo_session_attrs[KCOLO_A_SESSION_MAX + 1] = {
	[KCOLO_A_SESSION_FD] = { .type = NLA_S32 },
	[KCOLO_A_SESSION_ID] = { .type = NLA_U32 },
	[KCOLO_A_SESSION_NAME] = { .type = NLA_STRING },
	[KCOLO_A_SESSION_ROLE] = { .type = NLA_U32 },
	[KCOLO_A_SESSION_STATE] = { .type = NLA_U32 },
	[KCOLO_A_SESSION_UUID] = { .minlen = 16 },
	[KCOLO_A_SESSION_INSECURE] = { .type = NLA_FLAG },
	[KCOLO_A_SESSION_THRESHOLD] = { .type = NLA_U64 },
	[KCOLO_A_SESSION_MAX_ITERATIONS] = { .type = NLA_U32 },
	[KCOLO_A_SESSION_MIN_GAIN] = { .type = NLA_U32 },
	[KCOLO_A_SESSION_PEER_TIMEOUT] = { .type = NLA_U32 },
	[KCOLO_A_SESSION_PAUSE_LIMIT] = { .type = NLA_U32 },
	[KCOLO_A_SESSION_CHECKSUM] = { .type = NLA_U8 },
	[KCOLO_A_SESSION_EPOCH] = { .type = NLA_U64 },
	[KCOLO_A_SESSION_COMMITTED] = { .type = NLA_U64 },
	[KCOLO_A_SESSION_PENDING] = { .type = NLA_U64 },
	[KCOLO_A_SESSION_SYNCED] = { .type = NLA_U8 },
	[KCOLO_A_SESSION_STOP_REASON] = { .type = NLA_U32 },
	[KCOLO_A_SESSION_ABORT_REASON] = { .type = NLA_U32 },
	[KCOLO_A_SESSION_ERROR] = { .type = NLA_STRING },
	[KCOLO_A_SESSION_EVENT_SEQ] = { .type = NLA_U64 },
	[KCOLO_A_SESSION_SCRATCH_SIZE] = { .type = NLA_U64 },
	[KCOLO_A_SESSION_REGION] = { .type = NLA_NESTED },
	[KCOLO_A_SESSION_DEVICE_STATE] = { .type = NLA_U32 },
	[KCOLO_A_SESSION_LOG_SYNC] = { .type = NLA_U8 },
	[KCOLO_A_SESSION_RECONNECT] = { .type = NLA_U8 },
	[KCOLO_A_SESSION_LINKS] = { .type = NLA_U64 },
	[KCOLO_A_SESSION_SOCKETS] = { .type = NLA_FLAG },
	[KCOLO_A_SESSION_RESYNC] = { .type = NLA_U32 },
	[KCOLO_A_SESSION_STAGING_LIMIT] = { .type = NLA_U64 },
	[KCOLO_A_SESSION_LOG_SYNC_TIMEOUT] = { .type = NLA_U32 },
	[KCOLO_A_SESSION_CLEAN] = { .type = NLA_U8 },
	[KCOLO_A_SESSION_VERIFIED_PAGES] = { .type = NLA_U64 },
	[KCOLO_A_SESSION_DIFFERENT] = { .type = NLA_U64 },
	[KCOLO_A_SESSION_DIFFERENCE] = { .type = NLA_NESTED },
};

/**
 * kcolo_copy_string - copy a string attribute, cut to fit
 * @dst: where to; ends with a zero
 * @size: of @dst
 * @attr: may lack its final zero
 */
void kcolo_copy_string(char *dst, size_t size, const struct nlattr *attr)
{
	size_t len = strnlen(nla_data(attr), nla_len(attr));

	if (len >= size)
		len = size - 1;
	memcpy(dst, nla_data(attr), len);
	dst[len] = '\0';
}

static uint32_t get_u32(struct nlattr **tb, int attr)
{
	return tb[attr] ? nla_get_u32(tb[attr]) : 0;
}

static bool get_bool(struct nlattr **tb, int attr)
{
	return tb[attr] && nla_get_u8(tb[attr]);
}

static uint64_t get_u64(struct nlattr **tb, int attr)
{
	return tb[attr] ? nla_get_u64(tb[attr]) : 0;
}

/**
 * kcolo_parse_region - read a region
 * @nest: attribute of that
 * @r: where to
 *
 * Return: 0 or -EPROTO.
 */
int kcolo_parse_region(const struct nlattr *nest, struct kcolo_region_info *r)
{
	struct nlattr *tb[KCOLO_A_REGION_MAX + 1];

	memset(r, 0, sizeof(*r));
	if (nla_parse_nested(tb, KCOLO_A_REGION_MAX, (struct nlattr *)nest,
			     (struct nla_policy *)region_attrs))
		return -EPROTO;
	r->id = get_u32(tb, KCOLO_A_REGION_ID);
	if (tb[KCOLO_A_REGION_NAME])
		kcolo_copy_string(r->name, sizeof(r->name),
				  tb[KCOLO_A_REGION_NAME]);
	r->address = get_u64(tb, KCOLO_A_REGION_ADDRESS);
	r->size = get_u64(tb, KCOLO_A_REGION_SIZE);
	r->log_offset = get_u64(tb, KCOLO_A_REGION_LOG_OFFSET);
	r->log_size = get_u64(tb, KCOLO_A_REGION_LOG_SIZE);
	r->in_place = tb[KCOLO_A_REGION_IN_PLACE];
	return 0;
}

static int parse_addr(struct nlattr **tb, int attr, union kcolo_addr *addr)
{
	const struct sockaddr *sa;
	size_t len, want;

	if (!tb[attr])
		return 0;
	sa = nla_data(tb[attr]);
	len = nla_len(tb[attr]);
	if (len < sizeof(sa->sa_family))
		return -EPROTO;
	switch (sa->sa_family) {
	case AF_UNSPEC:
		return 0;
	case AF_INET:
		want = sizeof(addr->in);
		break;
	case AF_INET6:
		want = sizeof(addr->in6);
		break;
	default:
		return -EPROTO;
	}
	if (len < want)
		return -EPROTO;
	memcpy(addr, sa, want);
	return 0;
}

static int add_region(struct kcolo_session_info *info,
		      const struct nlattr *nest)
{
	struct kcolo_region_info *r;

	r = reallocarray(info->regions, info->nr_regions + 1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	info->regions = r;
	return kcolo_parse_region(nest, &r[info->nr_regions++]);
}

static int parse_regions(const struct nlmsghdr *nlh,
			 struct kcolo_session_info *info)
{
	struct genlmsghdr *genl = nlmsg_data(nlh);
	struct nlattr *attr;
	int rem, err;

	nla_for_each_attr(attr, genlmsg_attrdata(genl, 0),
			  genlmsg_attrlen(genl, 0), rem) {
		if (nla_type(attr) != KCOLO_A_SESSION_REGION)
			continue;
		err = add_region(info, attr);
		if (err)
			return err;
	}
	return 0;
}

static void parse_params(struct nlattr **tb, struct kcolo_params *p)
{
	p->mask = KCOLO_PARAM_THRESHOLD | KCOLO_PARAM_MAX_ITERATIONS |
		  KCOLO_PARAM_MIN_GAIN | KCOLO_PARAM_PEER_TIMEOUT |
		  KCOLO_PARAM_PAUSE_LIMIT | KCOLO_PARAM_CHECKSUM |
		  KCOLO_PARAM_LOG_SYNC | KCOLO_PARAM_LOG_SYNC_TIMEOUT |
		  KCOLO_PARAM_RECONNECT | KCOLO_PARAM_STAGING_LIMIT;
	p->threshold = get_u64(tb, KCOLO_A_SESSION_THRESHOLD);
	p->max_iterations = get_u32(tb, KCOLO_A_SESSION_MAX_ITERATIONS);
	p->min_gain = get_u32(tb, KCOLO_A_SESSION_MIN_GAIN);
	p->peer_timeout = get_u32(tb, KCOLO_A_SESSION_PEER_TIMEOUT);
	p->pause_limit = get_u32(tb, KCOLO_A_SESSION_PAUSE_LIMIT);
	p->checksum = get_bool(tb, KCOLO_A_SESSION_CHECKSUM);
	p->log_sync = get_bool(tb, KCOLO_A_SESSION_LOG_SYNC);
	p->log_sync_timeout = get_u32(tb, KCOLO_A_SESSION_LOG_SYNC_TIMEOUT);
	p->reconnect = get_bool(tb, KCOLO_A_SESSION_RECONNECT);
	p->staging_limit = get_u64(tb, KCOLO_A_SESSION_STAGING_LIMIT);
}

static void parse_fields(struct nlattr **tb, struct kcolo_session_info *info)
{
	info->id = get_u32(tb, KCOLO_A_SESSION_ID);
	if (tb[KCOLO_A_SESSION_NAME])
		kcolo_copy_string(info->name, sizeof(info->name),
				  tb[KCOLO_A_SESSION_NAME]);
	info->role = get_u32(tb, KCOLO_A_SESSION_ROLE);
	info->state = get_u32(tb, KCOLO_A_SESSION_STATE);
	if (tb[KCOLO_A_SESSION_UUID])
		memcpy(info->uuid, nla_data(tb[KCOLO_A_SESSION_UUID]),
		       sizeof(info->uuid));
	info->insecure = tb[KCOLO_A_SESSION_INSECURE];
	info->sockets = tb[KCOLO_A_SESSION_SOCKETS];
	info->device_state = get_u32(tb, KCOLO_A_SESSION_DEVICE_STATE);
	info->epoch = get_u64(tb, KCOLO_A_SESSION_EPOCH);
	info->committed = get_u64(tb, KCOLO_A_SESSION_COMMITTED);
	info->pending = get_u64(tb, KCOLO_A_SESSION_PENDING);
	info->synced = get_bool(tb, KCOLO_A_SESSION_SYNCED);
	info->clean = get_bool(tb, KCOLO_A_SESSION_CLEAN);
	info->links = get_u64(tb, KCOLO_A_SESSION_LINKS);
	info->resync = get_u32(tb, KCOLO_A_SESSION_RESYNC);
	info->stop_reason = get_u32(tb, KCOLO_A_SESSION_STOP_REASON);
	info->abort_reason = get_u32(tb, KCOLO_A_SESSION_ABORT_REASON);
	if (tb[KCOLO_A_SESSION_ERROR])
		kcolo_copy_string(info->error, sizeof(info->error),
				  tb[KCOLO_A_SESSION_ERROR]);
	info->event_seq = get_u64(tb, KCOLO_A_SESSION_EVENT_SEQ);
	info->scratch_size = get_u64(tb, KCOLO_A_SESSION_SCRATCH_SIZE);
}

/**
 * kcolo_parse_session - read a session
 * @nlh: whole message
 * @tb: its attributes
 * @info: where to; kcolo_session_info_free() is the caller's, on failure too
 *
 * Return: 0, -EPROTO or -ENOMEM.
 */
int kcolo_parse_session(const struct nlmsghdr *nlh, struct nlattr **tb,
			struct kcolo_session_info *info)
{
	int err;

	memset(info, 0, sizeof(*info));
	parse_fields(tb, info);
	parse_params(tb, &info->params);
	err = parse_addr(tb, KCOLO_A_SESSION_LOCAL, &info->local);
	if (!err)
		err = parse_addr(tb, KCOLO_A_SESSION_PEER, &info->peer);
	return err ? err : parse_regions(nlh, info);
}

/**
 * kcolo_session_info_free - free what a session's information holds
 * @info: filled in by kcolo_session_get()
 */
void kcolo_session_info_free(struct kcolo_session_info *info)
{
	free(info->regions);
	info->regions = NULL;
	info->nr_regions = 0;
}
