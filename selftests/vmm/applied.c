// SPDX-License-Identifier: GPL-2.0
/*
 * A secondary with external device state: what kcolo says it has put in place is
 * what has changed. Pages are compared by their hashes of before and now.
 */
#include <string.h>

#include <kcolo.h>

#include "kvmm.h"

#define SHOW_MAX	20

static void note_pages(struct region *r)
{
	memcpy(r->base_hash, r->page_hash,
	       (r->size >> KVMM_PAGE_SHIFT) * sizeof(*r->base_hash));
}

void applied_note(struct vm *vm)
{
	struct region *r;

	for (r = vm->region; r < vm->region + vm->nr_regions; r++)
		note_pages(r);
}

/* Pages that have changed and whose bit was not set. */
static u64 missing(struct region *r, u64 first, u64 bits, u64 *set)
{
	u64 page, bad = 0;

	for (page = first; page < first + 64 &&
	     page < r->size >> KVMM_PAGE_SHIFT; page++, bits >>= 1) {
		*set += bits & 1;
		if (bits & 1 || r->page_hash[page] == r->base_hash[page])
			continue;
		if (bad++ < SHOW_MAX)
			complain("%s page %llu has changed and is not in the applied log",
				 r->name, page);
	}
	return bad;
}

bool applied_check(struct vm *vm, const struct kcolo_region *region, u64 *set)
{
	struct region *r;
	u64 page, bad = 0;

	*set = 0;
	for (r = vm->region; r < vm->region + vm->nr_regions; r++, region++) {
		for (page = 0; page < r->size >> KVMM_PAGE_SHIFT; page += 64)
			bad += missing(r, page,
				       kcolo_applied_take(region, page), set);
		note_pages(r);
	}
	return !bad;
}
