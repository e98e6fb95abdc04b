/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_CHECKPOINT_H
#define KCOLO_CHECKPOINT_H

struct kcolo_session;

void kcolo_checkpoint_run(struct kcolo_session *s);

#endif
