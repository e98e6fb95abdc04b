/* SPDX-License-Identifier: GPL-2.0 */
/* PAGES messages, and what RAM is after them. */
#ifndef KPEER_PAGES_H
#define KPEER_PAGES_H

#include "peer.h"

/* The regions of every session that kpeer makes. */
#define NR_REGIONS	3

struct region_def {
	const char *name;
	u32 pages;
};

extern const struct region_def regions[NR_REGIONS];

/**
 * struct ram - RAM of a guest that is none
 * @page: of each region, page after page
 */
struct ram {
	u8 *region[NR_REGIONS];
};

void ram_alloc(struct ram *ram);
void ram_fill(struct ram *ram, u64 version);
void ram_copy(struct ram *to, const struct ram *from);
/* Whether they are equal; names the first page that is not. */
bool ram_equal(const struct ram *is, const struct ram *should, const char *when);

/* More than may be, so that a test can do so. */
#define EXTENTS_ROOM	(KCOLO_WIRE_EXTENTS_MAX + 8)

/**
 * struct pages - a PAGES message in the making
 */
struct pages {
	struct kcolo_wire_extent extent[EXTENTS_ROOM];
	u32 nr_extents;
	u32 nr_pages;
	struct buf payload;
};

/* What stands in a page in a version of RAM; version 0 is zeroes. */
void page_content(u8 *page, u32 region, u64 index, u64 version);
void pages_add(struct pages *m, u32 region, u64 first, u32 count, u64 version);
/* A page as it is in @ram, with its bytes. */
void pages_add_from(struct pages *m, const struct ram *ram, u32 region, u64 index);
/* Encode, and empty @m. */
void pages_put(struct pages *m, struct buf *b, u64 epoch, u32 round);
/* Do to RAM what pages_add() with the same arguments says. */
void ram_set(struct ram *ram, u32 region, u64 first, u32 count, u64 version);

#endif /* KPEER_PAGES_H */
