// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/kcolo.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink_gen.h"

#include <uapi/linux/kcolo.h>

/* Common nested types */
const struct nla_policy kcolo_region_nl_policy[KCOLO_A_REGION_IN_PLACE + 1] = {
	[KCOLO_A_REGION_ID] = { .type = NLA_U32, },
	[KCOLO_A_REGION_NAME] = { .type = NLA_NUL_STRING, .len = KCOLO_NAME_MAX, },
	[KCOLO_A_REGION_ADDRESS] = { .type = NLA_U64, },
	[KCOLO_A_REGION_SIZE] = { .type = NLA_U64, },
	[KCOLO_A_REGION_LOG_OFFSET] = { .type = NLA_U64, },
	[KCOLO_A_REGION_LOG_SIZE] = { .type = NLA_U64, },
	[KCOLO_A_REGION_IN_PLACE] = { .type = NLA_FLAG, },
};

/* KCOLO_CMD_SESSION_NEW - do */
const struct nla_policy kcolo_session_new_nl_policy[KCOLO_A_SESSION_SOCKETS + 1] = {
	[KCOLO_A_SESSION_NAME] = { .type = NLA_NUL_STRING, .len = KCOLO_NAME_MAX, },
	[KCOLO_A_SESSION_ROLE] = NLA_POLICY_RANGE(NLA_U32, 1, 2),
	[KCOLO_A_SESSION_LOCAL] = { .type = NLA_BINARY, },
	[KCOLO_A_SESSION_PEER] = { .type = NLA_BINARY, },
	[KCOLO_A_SESSION_INSECURE] = { .type = NLA_FLAG, },
	[KCOLO_A_SESSION_THRESHOLD] = { .type = NLA_U64, },
	[KCOLO_A_SESSION_MAX_ITERATIONS] = NLA_POLICY_MAX(NLA_U32, 32767),
	[KCOLO_A_SESSION_MIN_GAIN] = NLA_POLICY_MAX(NLA_U32, 100),
	[KCOLO_A_SESSION_PEER_TIMEOUT] = NLA_POLICY_MIN(NLA_U32, 100),
	[KCOLO_A_SESSION_PAUSE_LIMIT] = { .type = NLA_U32, },
	[KCOLO_A_SESSION_CHECKSUM] = NLA_POLICY_MAX(NLA_U8, 1),
	[KCOLO_A_SESSION_DEVICE_STATE] = NLA_POLICY_MAX(NLA_U32, 1),
	[KCOLO_A_SESSION_LOG_SYNC] = NLA_POLICY_MAX(NLA_U8, 1),
	[KCOLO_A_SESSION_LOG_SYNC_TIMEOUT] = NLA_POLICY_MIN(NLA_U32, 1),
	[KCOLO_A_SESSION_RECONNECT] = NLA_POLICY_MAX(NLA_U8, 1),
	[KCOLO_A_SESSION_STAGING_LIMIT] = { .type = NLA_U64, },
	[KCOLO_A_SESSION_SOCKETS] = { .type = NLA_FLAG, },
};

/* KCOLO_CMD_SESSION_DEL - do */
const struct nla_policy kcolo_session_del_nl_policy[KCOLO_A_SESSION_NAME + 1] = {
	[KCOLO_A_SESSION_FD] = { .type = NLA_S32, },
	[KCOLO_A_SESSION_ID] = { .type = NLA_U32, },
	[KCOLO_A_SESSION_NAME] = { .type = NLA_NUL_STRING, .len = KCOLO_NAME_MAX, },
};

/* KCOLO_CMD_SESSION_GET - do */
const struct nla_policy kcolo_session_get_nl_policy[KCOLO_A_SESSION_NAME + 1] = {
	[KCOLO_A_SESSION_FD] = { .type = NLA_S32, },
	[KCOLO_A_SESSION_ID] = { .type = NLA_U32, },
	[KCOLO_A_SESSION_NAME] = { .type = NLA_NUL_STRING, .len = KCOLO_NAME_MAX, },
};

/* KCOLO_CMD_SESSION_SET - do */
const struct nla_policy kcolo_session_set_nl_policy[KCOLO_A_SESSION_STAGING_LIMIT + 1] = {
	[KCOLO_A_SESSION_FD] = { .type = NLA_S32, },
	[KCOLO_A_SESSION_ID] = { .type = NLA_U32, },
	[KCOLO_A_SESSION_NAME] = { .type = NLA_NUL_STRING, .len = KCOLO_NAME_MAX, },
	[KCOLO_A_SESSION_THRESHOLD] = { .type = NLA_U64, },
	[KCOLO_A_SESSION_MAX_ITERATIONS] = NLA_POLICY_MAX(NLA_U32, 32767),
	[KCOLO_A_SESSION_MIN_GAIN] = NLA_POLICY_MAX(NLA_U32, 100),
	[KCOLO_A_SESSION_PEER_TIMEOUT] = NLA_POLICY_MIN(NLA_U32, 100),
	[KCOLO_A_SESSION_PAUSE_LIMIT] = { .type = NLA_U32, },
	[KCOLO_A_SESSION_CHECKSUM] = NLA_POLICY_MAX(NLA_U8, 1),
	[KCOLO_A_SESSION_LOG_SYNC] = NLA_POLICY_MAX(NLA_U8, 1),
	[KCOLO_A_SESSION_LOG_SYNC_TIMEOUT] = NLA_POLICY_MIN(NLA_U32, 1),
	[KCOLO_A_SESSION_RECONNECT] = NLA_POLICY_MAX(NLA_U8, 1),
	[KCOLO_A_SESSION_PEER] = { .type = NLA_BINARY, },
	[KCOLO_A_SESSION_STAGING_LIMIT] = { .type = NLA_U64, },
};

/* KCOLO_CMD_VM_ATTACH - do */
const struct nla_policy kcolo_vm_attach_nl_policy[KCOLO_A_SESSION_VM_FD + 1] = {
	[KCOLO_A_SESSION_FD] = { .type = NLA_S32, },
	[KCOLO_A_SESSION_ID] = { .type = NLA_U32, },
	[KCOLO_A_SESSION_NAME] = { .type = NLA_NUL_STRING, .len = KCOLO_NAME_MAX, },
	[KCOLO_A_SESSION_VM_FD] = { .type = NLA_S32, },
};

/* KCOLO_CMD_REGION_ADD - do */
const struct nla_policy kcolo_region_add_nl_policy[KCOLO_A_SESSION_REGION + 1] = {
	[KCOLO_A_SESSION_FD] = { .type = NLA_S32, },
	[KCOLO_A_SESSION_ID] = { .type = NLA_U32, },
	[KCOLO_A_SESSION_NAME] = { .type = NLA_NUL_STRING, .len = KCOLO_NAME_MAX, },
	[KCOLO_A_SESSION_REGION] = NLA_POLICY_NESTED(kcolo_region_nl_policy),
};

/* KCOLO_CMD_REGION_DEL - do */
const struct nla_policy kcolo_region_del_nl_policy[KCOLO_A_SESSION_REGION + 1] = {
	[KCOLO_A_SESSION_FD] = { .type = NLA_S32, },
	[KCOLO_A_SESSION_ID] = { .type = NLA_U32, },
	[KCOLO_A_SESSION_NAME] = { .type = NLA_NUL_STRING, .len = KCOLO_NAME_MAX, },
	[KCOLO_A_SESSION_REGION] = NLA_POLICY_NESTED(kcolo_region_nl_policy),
};

/* KCOLO_CMD_SUBSCRIBE - do */
const struct nla_policy kcolo_subscribe_nl_policy[KCOLO_A_SESSION_NAME + 1] = {
	[KCOLO_A_SESSION_FD] = { .type = NLA_S32, },
	[KCOLO_A_SESSION_ID] = { .type = NLA_U32, },
	[KCOLO_A_SESSION_NAME] = { .type = NLA_NUL_STRING, .len = KCOLO_NAME_MAX, },
};

/* KCOLO_CMD_CHECKPOINT - do */
const struct nla_policy kcolo_checkpoint_nl_policy[KCOLO_A_SESSION_KIND + 1] = {
	[KCOLO_A_SESSION_FD] = { .type = NLA_S32, },
	[KCOLO_A_SESSION_ID] = { .type = NLA_U32, },
	[KCOLO_A_SESSION_NAME] = { .type = NLA_NUL_STRING, .len = KCOLO_NAME_MAX, },
	[KCOLO_A_SESSION_KIND] = NLA_POLICY_MAX(NLA_U32, 1),
};

/* KCOLO_CMD_FLUSH - do */
const struct nla_policy kcolo_flush_nl_policy[KCOLO_A_SESSION_NAME + 1] = {
	[KCOLO_A_SESSION_FD] = { .type = NLA_S32, },
	[KCOLO_A_SESSION_ID] = { .type = NLA_U32, },
	[KCOLO_A_SESSION_NAME] = { .type = NLA_NUL_STRING, .len = KCOLO_NAME_MAX, },
};

/* KCOLO_CMD_COMMIT - do */
const struct nla_policy kcolo_commit_nl_policy[KCOLO_A_SESSION_NAME + 1] = {
	[KCOLO_A_SESSION_FD] = { .type = NLA_S32, },
	[KCOLO_A_SESSION_ID] = { .type = NLA_U32, },
	[KCOLO_A_SESSION_NAME] = { .type = NLA_NUL_STRING, .len = KCOLO_NAME_MAX, },
};

/* KCOLO_CMD_ABORT - do */
const struct nla_policy kcolo_abort_nl_policy[KCOLO_A_SESSION_NAME + 1] = {
	[KCOLO_A_SESSION_FD] = { .type = NLA_S32, },
	[KCOLO_A_SESSION_ID] = { .type = NLA_U32, },
	[KCOLO_A_SESSION_NAME] = { .type = NLA_NUL_STRING, .len = KCOLO_NAME_MAX, },
};

/* KCOLO_CMD_PROMOTE - do */
const struct nla_policy kcolo_promote_nl_policy[KCOLO_A_SESSION_NAME + 1] = {
	[KCOLO_A_SESSION_FD] = { .type = NLA_S32, },
	[KCOLO_A_SESSION_ID] = { .type = NLA_U32, },
	[KCOLO_A_SESSION_NAME] = { .type = NLA_NUL_STRING, .len = KCOLO_NAME_MAX, },
};

/* KCOLO_CMD_STATS_GET - do */
const struct nla_policy kcolo_stats_get_nl_policy[KCOLO_A_STATS_SESSION_FD + 1] = {
	[KCOLO_A_STATS_SESSION_ID] = { .type = NLA_U32, },
	[KCOLO_A_STATS_SESSION_NAME] = { .type = NLA_NUL_STRING, .len = KCOLO_NAME_MAX, },
	[KCOLO_A_STATS_SESSION_FD] = { .type = NLA_S32, },
};

/* KCOLO_CMD_APPLY - do */
const struct nla_policy kcolo_apply_nl_policy[KCOLO_A_SESSION_EPOCH + 1] = {
	[KCOLO_A_SESSION_FD] = { .type = NLA_S32, },
	[KCOLO_A_SESSION_ID] = { .type = NLA_U32, },
	[KCOLO_A_SESSION_NAME] = { .type = NLA_NUL_STRING, .len = KCOLO_NAME_MAX, },
	[KCOLO_A_SESSION_EPOCH] = { .type = NLA_U64, },
};

/* KCOLO_CMD_DROP - do */
const struct nla_policy kcolo_drop_nl_policy[KCOLO_A_SESSION_EPOCH + 1] = {
	[KCOLO_A_SESSION_FD] = { .type = NLA_S32, },
	[KCOLO_A_SESSION_ID] = { .type = NLA_U32, },
	[KCOLO_A_SESSION_NAME] = { .type = NLA_NUL_STRING, .len = KCOLO_NAME_MAX, },
	[KCOLO_A_SESSION_EPOCH] = { .type = NLA_U64, },
};

/* KCOLO_CMD_LOG_SYNCED - do */
const struct nla_policy kcolo_log_synced_nl_policy[KCOLO_A_SESSION_NAME + 1] = {
	[KCOLO_A_SESSION_FD] = { .type = NLA_S32, },
	[KCOLO_A_SESSION_ID] = { .type = NLA_U32, },
	[KCOLO_A_SESSION_NAME] = { .type = NLA_NUL_STRING, .len = KCOLO_NAME_MAX, },
};

/* KCOLO_CMD_CLEAN - do */
const struct nla_policy kcolo_clean_nl_policy[KCOLO_A_SESSION_NAME + 1] = {
	[KCOLO_A_SESSION_FD] = { .type = NLA_S32, },
	[KCOLO_A_SESSION_ID] = { .type = NLA_U32, },
	[KCOLO_A_SESSION_NAME] = { .type = NLA_NUL_STRING, .len = KCOLO_NAME_MAX, },
};

/* KCOLO_CMD_CONNECT - do */
const struct nla_policy kcolo_connect_nl_policy[KCOLO_A_SESSION_DATA_FD + 1] = {
	[KCOLO_A_SESSION_FD] = { .type = NLA_S32, },
	[KCOLO_A_SESSION_ID] = { .type = NLA_U32, },
	[KCOLO_A_SESSION_NAME] = { .type = NLA_NUL_STRING, .len = KCOLO_NAME_MAX, },
	[KCOLO_A_SESSION_CONTROL_FD] = { .type = NLA_S32, },
	[KCOLO_A_SESSION_DATA_FD] = { .type = NLA_S32, },
};

/* KCOLO_CMD_VERIFY - do */
const struct nla_policy kcolo_verify_nl_policy[KCOLO_A_SESSION_NAME + 1] = {
	[KCOLO_A_SESSION_FD] = { .type = NLA_S32, },
	[KCOLO_A_SESSION_ID] = { .type = NLA_U32, },
	[KCOLO_A_SESSION_NAME] = { .type = NLA_NUL_STRING, .len = KCOLO_NAME_MAX, },
};

/* KCOLO_CMD_VERIFY_GET - do */
const struct nla_policy kcolo_verify_get_nl_policy[KCOLO_A_SESSION_NAME + 1] = {
	[KCOLO_A_SESSION_FD] = { .type = NLA_S32, },
	[KCOLO_A_SESSION_ID] = { .type = NLA_U32, },
	[KCOLO_A_SESSION_NAME] = { .type = NLA_NUL_STRING, .len = KCOLO_NAME_MAX, },
};

/* Ops table for kcolo */
const struct genl_ops kcolo_nl_ops[21] = {
	{
		.cmd		= KCOLO_CMD_SESSION_NEW,
		.doit		= kcolo_nl_session_new_doit,
		.policy		= kcolo_session_new_nl_policy,
		.maxattr	= KCOLO_A_SESSION_SOCKETS,
	},
	{
		.cmd		= KCOLO_CMD_SESSION_DEL,
		.doit		= kcolo_nl_session_del_doit,
		.policy		= kcolo_session_del_nl_policy,
		.maxattr	= KCOLO_A_SESSION_NAME,
	},
	{
		.cmd		= KCOLO_CMD_SESSION_GET,
		.doit		= kcolo_nl_session_get_doit,
		.dumpit		= kcolo_nl_session_get_dumpit,
		.policy		= kcolo_session_get_nl_policy,
		.maxattr	= KCOLO_A_SESSION_NAME,
	},
	{
		.cmd		= KCOLO_CMD_SESSION_SET,
		.doit		= kcolo_nl_session_set_doit,
		.policy		= kcolo_session_set_nl_policy,
		.maxattr	= KCOLO_A_SESSION_STAGING_LIMIT,
	},
	{
		.cmd		= KCOLO_CMD_VM_ATTACH,
		.doit		= kcolo_nl_vm_attach_doit,
		.policy		= kcolo_vm_attach_nl_policy,
		.maxattr	= KCOLO_A_SESSION_VM_FD,
	},
	{
		.cmd		= KCOLO_CMD_REGION_ADD,
		.doit		= kcolo_nl_region_add_doit,
		.policy		= kcolo_region_add_nl_policy,
		.maxattr	= KCOLO_A_SESSION_REGION,
	},
	{
		.cmd		= KCOLO_CMD_REGION_DEL,
		.doit		= kcolo_nl_region_del_doit,
		.policy		= kcolo_region_del_nl_policy,
		.maxattr	= KCOLO_A_SESSION_REGION,
	},
	{
		.cmd		= KCOLO_CMD_SUBSCRIBE,
		.doit		= kcolo_nl_subscribe_doit,
		.policy		= kcolo_subscribe_nl_policy,
		.maxattr	= KCOLO_A_SESSION_NAME,
	},
	{
		.cmd		= KCOLO_CMD_CHECKPOINT,
		.doit		= kcolo_nl_checkpoint_doit,
		.policy		= kcolo_checkpoint_nl_policy,
		.maxattr	= KCOLO_A_SESSION_KIND,
	},
	{
		.cmd		= KCOLO_CMD_FLUSH,
		.doit		= kcolo_nl_flush_doit,
		.policy		= kcolo_flush_nl_policy,
		.maxattr	= KCOLO_A_SESSION_NAME,
	},
	{
		.cmd		= KCOLO_CMD_COMMIT,
		.doit		= kcolo_nl_commit_doit,
		.policy		= kcolo_commit_nl_policy,
		.maxattr	= KCOLO_A_SESSION_NAME,
	},
	{
		.cmd		= KCOLO_CMD_ABORT,
		.doit		= kcolo_nl_abort_doit,
		.policy		= kcolo_abort_nl_policy,
		.maxattr	= KCOLO_A_SESSION_NAME,
	},
	{
		.cmd		= KCOLO_CMD_PROMOTE,
		.doit		= kcolo_nl_promote_doit,
		.policy		= kcolo_promote_nl_policy,
		.maxattr	= KCOLO_A_SESSION_NAME,
	},
	{
		.cmd		= KCOLO_CMD_STATS_GET,
		.doit		= kcolo_nl_stats_get_doit,
		.dumpit		= kcolo_nl_stats_get_dumpit,
		.policy		= kcolo_stats_get_nl_policy,
		.maxattr	= KCOLO_A_STATS_SESSION_FD,
	},
	{
		.cmd		= KCOLO_CMD_APPLY,
		.doit		= kcolo_nl_apply_doit,
		.policy		= kcolo_apply_nl_policy,
		.maxattr	= KCOLO_A_SESSION_EPOCH,
	},
	{
		.cmd		= KCOLO_CMD_DROP,
		.doit		= kcolo_nl_drop_doit,
		.policy		= kcolo_drop_nl_policy,
		.maxattr	= KCOLO_A_SESSION_EPOCH,
	},
	{
		.cmd		= KCOLO_CMD_LOG_SYNCED,
		.doit		= kcolo_nl_log_synced_doit,
		.policy		= kcolo_log_synced_nl_policy,
		.maxattr	= KCOLO_A_SESSION_NAME,
	},
	{
		.cmd		= KCOLO_CMD_CLEAN,
		.doit		= kcolo_nl_clean_doit,
		.policy		= kcolo_clean_nl_policy,
		.maxattr	= KCOLO_A_SESSION_NAME,
	},
	{
		.cmd		= KCOLO_CMD_CONNECT,
		.doit		= kcolo_nl_connect_doit,
		.policy		= kcolo_connect_nl_policy,
		.maxattr	= KCOLO_A_SESSION_DATA_FD,
	},
	{
		.cmd		= KCOLO_CMD_VERIFY,
		.doit		= kcolo_nl_verify_doit,
		.policy		= kcolo_verify_nl_policy,
		.maxattr	= KCOLO_A_SESSION_NAME,
	},
	{
		.cmd		= KCOLO_CMD_VERIFY_GET,
		.doit		= kcolo_nl_verify_get_doit,
		.policy		= kcolo_verify_get_nl_policy,
		.maxattr	= KCOLO_A_SESSION_NAME,
	},
};

static const struct genl_multicast_group kcolo_nl_mcgrps[] = {
	[KCOLO_NLGRP_EVENTS] = { "events", },
};
