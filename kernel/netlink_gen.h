/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/kcolo.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_KCOLO_GEN_H
#define _LINUX_KCOLO_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/kcolo.h>

/* Common nested types */
extern const struct nla_policy kcolo_region_nl_policy[KCOLO_A_REGION_IN_PLACE + 1];

extern const struct nla_policy kcolo_session_new_nl_policy[KCOLO_A_SESSION_SOCKETS + 1];

extern const struct nla_policy kcolo_session_del_nl_policy[KCOLO_A_SESSION_NAME + 1];

extern const struct nla_policy kcolo_session_get_nl_policy[KCOLO_A_SESSION_NAME + 1];

extern const struct nla_policy kcolo_session_set_nl_policy[KCOLO_A_SESSION_STAGING_LIMIT + 1];

extern const struct nla_policy kcolo_vm_attach_nl_policy[KCOLO_A_SESSION_VM_FD + 1];

extern const struct nla_policy kcolo_region_add_nl_policy[KCOLO_A_SESSION_REGION + 1];

extern const struct nla_policy kcolo_region_del_nl_policy[KCOLO_A_SESSION_REGION + 1];

extern const struct nla_policy kcolo_subscribe_nl_policy[KCOLO_A_SESSION_NAME + 1];

extern const struct nla_policy kcolo_checkpoint_nl_policy[KCOLO_A_SESSION_KIND + 1];

extern const struct nla_policy kcolo_flush_nl_policy[KCOLO_A_SESSION_NAME + 1];

extern const struct nla_policy kcolo_commit_nl_policy[KCOLO_A_SESSION_NAME + 1];

extern const struct nla_policy kcolo_abort_nl_policy[KCOLO_A_SESSION_NAME + 1];

extern const struct nla_policy kcolo_promote_nl_policy[KCOLO_A_SESSION_NAME + 1];

extern const struct nla_policy kcolo_stats_get_nl_policy[KCOLO_A_STATS_SESSION_FD + 1];

extern const struct nla_policy kcolo_apply_nl_policy[KCOLO_A_SESSION_EPOCH + 1];

extern const struct nla_policy kcolo_drop_nl_policy[KCOLO_A_SESSION_EPOCH + 1];

extern const struct nla_policy kcolo_log_synced_nl_policy[KCOLO_A_SESSION_NAME + 1];

extern const struct nla_policy kcolo_clean_nl_policy[KCOLO_A_SESSION_NAME + 1];

extern const struct nla_policy kcolo_connect_nl_policy[KCOLO_A_SESSION_DATA_FD + 1];

extern const struct nla_policy kcolo_verify_nl_policy[KCOLO_A_SESSION_NAME + 1];

extern const struct nla_policy kcolo_verify_get_nl_policy[KCOLO_A_SESSION_NAME + 1];

/* Ops table for kcolo */
extern const struct genl_ops kcolo_nl_ops[21];

int kcolo_nl_dump_start(struct netlink_callback *cb);

int kcolo_nl_session_new_doit(struct sk_buff *skb, struct genl_info *info);
int kcolo_nl_session_del_doit(struct sk_buff *skb, struct genl_info *info);
int kcolo_nl_session_get_doit(struct sk_buff *skb, struct genl_info *info);
int kcolo_nl_session_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);
int kcolo_nl_session_set_doit(struct sk_buff *skb, struct genl_info *info);
int kcolo_nl_vm_attach_doit(struct sk_buff *skb, struct genl_info *info);
int kcolo_nl_region_add_doit(struct sk_buff *skb, struct genl_info *info);
int kcolo_nl_region_del_doit(struct sk_buff *skb, struct genl_info *info);
int kcolo_nl_subscribe_doit(struct sk_buff *skb, struct genl_info *info);
int kcolo_nl_checkpoint_doit(struct sk_buff *skb, struct genl_info *info);
int kcolo_nl_flush_doit(struct sk_buff *skb, struct genl_info *info);
int kcolo_nl_commit_doit(struct sk_buff *skb, struct genl_info *info);
int kcolo_nl_abort_doit(struct sk_buff *skb, struct genl_info *info);
int kcolo_nl_promote_doit(struct sk_buff *skb, struct genl_info *info);
int kcolo_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info);
int kcolo_nl_stats_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int kcolo_nl_apply_doit(struct sk_buff *skb, struct genl_info *info);
int kcolo_nl_drop_doit(struct sk_buff *skb, struct genl_info *info);
int kcolo_nl_log_synced_doit(struct sk_buff *skb, struct genl_info *info);
int kcolo_nl_clean_doit(struct sk_buff *skb, struct genl_info *info);
int kcolo_nl_connect_doit(struct sk_buff *skb, struct genl_info *info);
int kcolo_nl_verify_doit(struct sk_buff *skb, struct genl_info *info);
int kcolo_nl_verify_get_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	KCOLO_NLGRP_EVENTS,
};

#endif /* _LINUX_KCOLO_GEN_H */
