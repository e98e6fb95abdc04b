/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_ABORT_H
#define KCOLO_ABORT_H

#include <linux/kcolo.h>

struct kcolo_session;

void kcolo_abort_epoch_over(struct kcolo_session *s);
void kcolo_abort_epoch(struct kcolo_session *s, enum kcolo_abort_reason reason);
void kcolo_abort_link_lost(struct kcolo_session *s);
void kcolo_abort_doubt(struct kcolo_session *s);

#endif
