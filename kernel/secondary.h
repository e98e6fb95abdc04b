/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_SECONDARY_H
#define KCOLO_SECONDARY_H

struct kcolo_session;

int kcolo_secondary_start(struct kcolo_session *s);

#endif
