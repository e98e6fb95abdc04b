/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_RESYNC_H
#define KCOLO_RESYNC_H

struct kcolo_session;
struct kcolo_wire_hello;

void kcolo_resync_connected(struct kcolo_session *s,
			    const struct kcolo_wire_hello *peer);

#endif
