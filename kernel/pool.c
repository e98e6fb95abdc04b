// SPDX-License-Identifier: GPL-2.0
/*
 * Where guest pages are copied to, to be sent from. The memory is used in turn
 * and kept: going to the page allocator for each page, which also clears it,
 * costs as much as the copy itself.
 */
#include <linux/bvec.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include "gfp.h"
#include "pool.h"

/**
 * kcolo_pool_destroy - give all slabs back
 * @pool: zeroed before its first use; TCP may still hold some
 */
void kcolo_pool_destroy(struct kcolo_pool *pool)
{
	unsigned int i;

	for (i = 0; i < KCOLO_POOL_SLABS; i++)
		if (pool->slab[i])
			put_page(pool->slab[i]);
}

static bool slab_ready(struct kcolo_pool *pool, unsigned int i)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_COMP | __GFP_NOWARN | __GFP_NORETRY;

	if (pool->slab[i] && page_count(pool->slab[i]) == 1)
		return true;
	if (pool->slab[i])
		put_page(pool->slab[i]);
	pool->order[i] = KCOLO_SLAB_ORDER;
	pool->slab[i] = alloc_pages(gfp, KCOLO_SLAB_ORDER);
	if (!pool->slab[i]) {
		pool->order[i] = 0;
		pool->slab[i] = alloc_page(KCOLO_GFP);
	}
	return pool->slab[i];
}

/**
 * kcolo_pool_room - room for a page
 * @pool: pool
 *
 * The same room is returned until it is taken.
 *
 * Return: PAGE_SIZE bytes that nobody else looks at, or NULL without memory.
 */
void *kcolo_pool_room(struct kcolo_pool *pool)
{
	if (pool->used == 1U << pool->order[pool->next]) {
		pool->next = (pool->next + 1) % KCOLO_POOL_SLABS;
		pool->used = 0;
	}
	if (!pool->used && !slab_ready(pool, pool->next))
		return NULL;
	return page_address(pool->slab[pool->next]) + pool->used * PAGE_SIZE;
}

/**
 * kcolo_pool_take - take the room last returned
 * @pool: pool
 * @bv: where it is put, behind or into the entry before
 * @nr_bv: entries of @bv so far
 *
 * Return: entries of @bv now.
 */
unsigned int kcolo_pool_take(struct kcolo_pool *pool, struct bio_vec *bv,
			     unsigned int nr_bv)
{
	struct page *slab = pool->slab[pool->next];
	unsigned int offset = pool->used++ * PAGE_SIZE;

	if (nr_bv && bv[nr_bv - 1].bv_page == slab &&
	    bv[nr_bv - 1].bv_offset + bv[nr_bv - 1].bv_len == offset) {
		bv[nr_bv - 1].bv_len += PAGE_SIZE;
		return nr_bv;
	}
	bvec_set_page(&bv[nr_bv], slab, PAGE_SIZE, offset);
	return nr_bv + 1;
}
