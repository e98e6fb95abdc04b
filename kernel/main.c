// SPDX-License-Identifier: GPL-2.0
/* kcolo: protect a running KVM guest on a second host. */
#include <linux/module.h>
#include "end.h"
#include "netlink.h"
#include "session.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static int __init kcolo_init(void)
{
	int err;

	err = kcolo_end_init();
	if (err)
		return err;
	err = kcolo_netlink_init();
	if (err)
		kcolo_end_exit();
	return err;
}

/* Each session fd holds the module, so only ends are left to be waited for. */
static void __exit kcolo_exit(void)
{
	/* Ends have events to send, for which the family has to be there. */
	kcolo_end_flush();
	kcolo_netlink_exit();
	kcolo_end_exit();
	kcolo_session_exit();
}

module_init(kcolo_init);
module_exit(kcolo_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Checkpoint replication of running KVM guests");
MODULE_ALIAS_GENL_FAMILY(KCOLO_GENL_NAME);
