/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_COMMIT_H
#define KCOLO_COMMIT_H

#include <linux/types.h>

struct kcolo_session;

void kcolo_commit_forget(struct kcolo_session *s, u64 epoch);
void kcolo_commit_end(struct kcolo_session *s);
void kcolo_commit_decide(struct kcolo_session *s);
void kcolo_commit_apply(struct kcolo_session *s);
void kcolo_commit_drop(struct kcolo_session *s);
void kcolo_commit_over(struct kcolo_session *s);
bool kcolo_commit_wont_fit(struct kcolo_session *s, u64 epoch);

#endif
