// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of kcolo's own that has addresses in the VMM too: the scratch area
 * for KVM's ioctls, and the bitmaps of a region with its log.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "dirty.h"
#include "gfp.h"

/**
 * kcolo_scratch_init - make a scratch area without memory
 * @scratch: to be
 */
void kcolo_scratch_init(struct kcolo_scratch *scratch)
{
	memset(scratch, 0, sizeof(*scratch));
	mutex_init(&scratch->lock);
}

/**
 * kcolo_scratch_free - free the scratch area
 * @scratch: nobody maps it any more
 */
void kcolo_scratch_free(struct kcolo_scratch *scratch)
{
	while (scratch->nr)
		put_page(scratch->page[--scratch->nr]);
	kvfree(scratch->page);
	scratch->page = NULL;
}

/**
 * kcolo_scratch_grow - have room for the bitmap of a memslot
 * @scratch: scratch area; the worker's, who alone grows it
 * @slot_pages: pages of the slot
 *
 * Return: 0, -ENOMEM, or -E2BIG when KVM allows no such slot.
 */
int kcolo_scratch_grow(struct kcolo_scratch *scratch, u64 slot_pages)
{
	u64 bytes = DIV_ROUND_UP(slot_pages, 64) * 8;
	u64 nr = 2 + DIV_ROUND_UP(bytes, PAGE_SIZE);
	struct page **page, **old;

	if (nr > KCOLO_SCRATCH_SIZE / PAGE_SIZE)
		nr = KCOLO_SCRATCH_SIZE / PAGE_SIZE;
	if (bytes > KCOLO_SCRATCH_SIZE - PAGE_SIZE)
		return -E2BIG;
	if (nr <= scratch->nr)
		return 0;
	page = kvcalloc(nr, sizeof(*page), KCOLO_GFP);
	if (!page)
		return -ENOMEM;

	mutex_lock(&scratch->lock);
	if (scratch->nr)
		memcpy(page, scratch->page, scratch->nr * sizeof(*page));
	old = scratch->page;
	scratch->page = page;
	while (scratch->nr < nr) {
		page[scratch->nr] = alloc_page(KCOLO_GFP | __GFP_ZERO);
		if (!page[scratch->nr])
			break;
		scratch->nr++;
	}
	mutex_unlock(&scratch->lock);
	kvfree(old);
	return scratch->nr < nr ? -ENOMEM : 0;
}

static size_t bitmap_bytes(const struct kcolo_region *region)
{
	return BITS_TO_LONGS(region->nr_pages) * sizeof(long);
}

/**
 * kcolo_region_alloc - make a region without bitmaps
 * @regionp: where it goes; the caller owns it
 * @name: its name, at most KCOLO_NAME_MAX long
 * @hva: where it begins in the VMM's memory
 * @nr_pages: its size
 *
 * Return: 0 or -ENOMEM.
 */
int kcolo_region_alloc(struct kcolo_region **regionp, const char *name,
		       unsigned long hva, u64 nr_pages)
{
	struct kcolo_region *r;

	r = kzalloc(sizeof(*r), KCOLO_GFP);
	if (!r)
		return -ENOMEM;
	strscpy(r->name, name, sizeof(r->name));
	r->hva = hva;
	r->nr_pages = nr_pages;
	*regionp = r;
	return 0;
}

/**
 * kcolo_region_track - have the bitmaps that tell what is to be sent
 * @region: of a primary
 *
 * All pages are pending: nothing was sent yet.
 *
 * Return: 0 or -ENOMEM; kcolo_region_free() frees what there is.
 */
int kcolo_region_track(struct kcolo_region *region)
{
	region->pending = kvzalloc(bitmap_bytes(region), KCOLO_GFP);
	region->unacked = kvzalloc(bitmap_bytes(region), KCOLO_GFP);
	if (!region->pending || !region->unacked)
		return -ENOMEM;
	bitmap_set(region->pending, 0, region->nr_pages);
	return 0;
}

/**
 * kcolo_region_log - have a log that the VMM can map
 * @region: without one
 *
 * Return: 0 or -ENOMEM; kcolo_region_free() frees what there is.
 */
int kcolo_region_log(struct kcolo_region *region)
{
	region->log_size = PAGE_ALIGN(bitmap_bytes(region));
	region->log = __vmalloc(region->log_size,
				KCOLO_GFP | __GFP_ZERO);
	return region->log ? 0 : -ENOMEM;
}

/**
 * kcolo_region_free - free a region
 * @region: owned by the caller. What a VMM still maps of its log stays until
 *	it is unmapped, and means nothing.
 */
void kcolo_region_free(struct kcolo_region *region)
{
	kvfree(region->pending);
	kvfree(region->unacked);
	vfree(region->log);
	kfree(region);
}
