/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_NETLINK_H
#define KCOLO_NETLINK_H

int kcolo_netlink_init(void);
void kcolo_netlink_exit(void);

#endif
