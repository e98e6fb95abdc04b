/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_NETLINK_H
#define KCOLO_NETLINK_H

#include <linux/types.h>

struct genl_info;
struct kcolo_session;
struct netlink_callback;
struct sk_buff;

/* A reply that is being made. */
struct kcolo_nl_reply {
	struct sk_buff *skb;
	void *hdr;
};

struct kcolo_session *kcolo_nl_find(struct sk_buff *skb, struct genl_info *info,
				    int fd_attr, int id_attr, int name_attr);
struct kcolo_session *kcolo_nl_session(struct sk_buff *skb,
				       struct genl_info *info);
int kcolo_nl_refuse_state(struct kcolo_session *s, struct genl_info *info);
int kcolo_nl_reply_new(struct kcolo_nl_reply *reply, struct genl_info *info,
		       u8 cmd);
int kcolo_nl_reply_send(struct kcolo_nl_reply *reply, struct genl_info *info,
			int err);
int kcolo_nl_dump(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd,
		  int (*fill)(struct sk_buff *skb, struct kcolo_session *s));

int kcolo_netlink_init(void);
void kcolo_netlink_exit(void);

#endif
