/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_FD_H
#define KCOLO_FD_H

#include <linux/types.h>

struct file;
struct kcolo_session;

/* Where in the session fd the user log of region number @n is mapped. */
#define KCOLO_LOG_OFFSET(n)	(((u64)(n) + 1) << 40)
#define KCOLO_LOG_REGION(off)	((unsigned int)((off) >> 40) - 1)

struct file *kcolo_fd_create(struct kcolo_session *s);
struct kcolo_session *kcolo_fd_session(struct file *file);

#endif
