/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_PRIMARY_H
#define KCOLO_PRIMARY_H

struct kcolo_session;

int kcolo_primary_start(struct kcolo_session *s);

#endif
