/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_APPLY_H
#define KCOLO_APPLY_H

#include <linux/types.h>

struct kcolo_session;
struct page;

int kcolo_apply_page(struct kcolo_session *s, unsigned int region, u64 index,
		     struct page *page);
int kcolo_apply_staged(struct kcolo_session *s);
void kcolo_receive_pages(struct kcolo_session *s);

#endif
