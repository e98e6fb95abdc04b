/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_CLEAN_H
#define KCOLO_CLEAN_H

struct kcolo_session;
struct netlink_ext_ack;

int kcolo_clean(struct kcolo_session *s, struct netlink_ext_ack *extack);

#endif
