/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_END_H
#define KCOLO_END_H

#include <linux/types.h>

struct kcolo_session;

void kcolo_session_end(struct kcolo_session *s, bool orderly);
int kcolo_end_init(void);
void kcolo_end_flush(void);
void kcolo_end_exit(void);

#endif
