/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_STAGING_H
#define KCOLO_STAGING_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/xarray.h>
#include "wire.h"

struct page;

/**
 * struct kcolo_staging - the pages of an epoch that is not whole yet
 * @pages: per region of the primary, by page index: a struct page that staging
 *	owns, its round in page->private; or a value entry, the round of a zero
 *	page
 * @spare: pages free for the next epoch, linked by page->lru
 * @nr_spare: how many
 * @nr_pages: pages staged, zero pages too
 * @nr_raw: pages staged with memory of their own
 * @epoch_raw: the most that @nr_raw has been since staging was empty
 * @peak_raw: the most that @nr_raw has ever been
 * @limit: bytes that @nr_raw pages may take, 0 is no limit; may change at any time
 *
 * No lock of its own: the owner serialises all calls on one staging.
 */
struct kcolo_staging {
	struct xarray pages[KCOLO_WIRE_REGIONS_MAX];
	struct list_head spare;
	u64 nr_spare;
	u64 nr_pages;
	u64 nr_raw;
	u64 epoch_raw;
	u64 peak_raw;
	u64 limit;
};

void kcolo_staging_init(struct kcolo_staging *st);
void kcolo_staging_destroy(struct kcolo_staging *st);
struct page *kcolo_staging_alloc(struct kcolo_staging *st);
void kcolo_staging_free(struct kcolo_staging *st, struct page *page);
int kcolo_staging_put(struct kcolo_staging *st, unsigned int region, u64 index,
		      u32 round, struct page *page);
void kcolo_staging_remove(struct kcolo_staging *st, unsigned int region,
			  u64 index, u32 round);
void kcolo_staging_drop(struct kcolo_staging *st);

/* Called for each page; @page is NULL for a zero page. */
typedef int (*kcolo_staging_fn)(void *arg, unsigned int region, u64 index,
				struct page *page);
int kcolo_staging_take(struct kcolo_staging *st, kcolo_staging_fn fn,
		       void *arg, unsigned int batch, bool *more);

#endif
