/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_GFP_H
#define KCOLO_GFP_H

#include <linux/gfp.h>

/*
 * For all memory that a session takes while it is there. It is charged to the
 * memory cgroup of who asks, and of the VMM in the session's threads
 * (kcolo_session_charge()). When the cgroup or the host has none that is an
 * error, said in words; nobody is killed for it.
 */
#define KCOLO_GFP	(GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

#endif
