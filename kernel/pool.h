/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_POOL_H
#define KCOLO_POOL_H

#include <linux/types.h>

struct bio_vec;
struct page;

/* 64 KiB: large enough for few calls of TCP and of the checksum. */
#define KCOLO_SLAB_ORDER	4
#define KCOLO_POOL_SLABS	256

/**
 * struct kcolo_pool - memory that guest pages are copied to and TCP sends from
 * @slab: of 2^@order pages each; NULL until it is wanted
 * @order: KCOLO_SLAB_ORDER, or 0 when memory was fragmented
 * @next: the one that is being filled
 * @used: pages of it that were taken
 *
 * TCP holds a reference to a slab until the peer has acknowledged what was sent
 * from it. One that is still held when its turn comes again is left to TCP and
 * replaced. At most 16 MiB, and what TCP holds. One thread's own.
 */
struct kcolo_pool {
	struct page *slab[KCOLO_POOL_SLABS];
	u8 order[KCOLO_POOL_SLABS];
	unsigned int next;
	unsigned int used;
};

void kcolo_pool_destroy(struct kcolo_pool *pool);
void *kcolo_pool_room(struct kcolo_pool *pool);
unsigned int kcolo_pool_take(struct kcolo_pool *pool, struct bio_vec *bv,
			     unsigned int nr_bv);

#endif
