/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_FILL_H
#define KCOLO_FILL_H

struct kcolo_region;
struct kcolo_session;
struct sk_buff;

int kcolo_fill_session(struct sk_buff *skb, struct kcolo_session *s);
int kcolo_fill_stats(struct sk_buff *skb, struct kcolo_session *s);
int kcolo_fill_region(struct sk_buff *skb, const struct kcolo_region *r);

#endif
