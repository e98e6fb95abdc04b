/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_AGREE_H
#define KCOLO_AGREE_H

#include "wire.h"

struct kcolo_session;

const char *kcolo_agree_regions(struct kcolo_session *s,
				const struct kcolo_wire_hdr *hdr,
				const u8 *body);

#endif
