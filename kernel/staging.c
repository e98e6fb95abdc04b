// SPDX-License-Identifier: GPL-2.0
/*
 * Where a secondary keeps the pages of an epoch until it is whole. What stands
 * here has not touched the base image, and can be dropped at any time.
 */
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include "gfp.h"
#include "mutate.h"
#include "staging.h"

/*
 * Pages kept for the next epoch, so that steady checkpoints do not go to the
 * page allocator, which clears each page, for memory that is overwritten at
 * once: as many as the epoch before had, and 64 MiB at most.
 */
#define SPARE_MAX	16384
#define SPARE_MIN	256

/**
 * kcolo_staging_init - make an empty staging
 * @st: to be
 */
void kcolo_staging_init(struct kcolo_staging *st)
{
	unsigned int i;

	memset(st, 0, sizeof(*st));
	for (i = 0; i < KCOLO_WIRE_REGIONS_MAX; i++)
		xa_init_flags(&st->pages[i], XA_FLAGS_ACCOUNT);
	INIT_LIST_HEAD(&st->spare);
}

/**
 * kcolo_staging_alloc - get a page to receive into
 * @st: staging
 *
 * Return: a page that the caller owns until it is put or freed, or NULL.
 */
struct page *kcolo_staging_alloc(struct kcolo_staging *st)
{
	struct page *page;

	page = list_first_entry_or_null(&st->spare, struct page, lru);
	if (page) {
		list_del(&page->lru);
		st->nr_spare--;
		return page;
	}
	page = alloc_page(KCOLO_GFP);
	/* Others need it more: little is kept of what is given back now. */
	if (!page)
		st->epoch_raw = 0;
	return page;
}

static u64 spare_limit(const struct kcolo_staging *st)
{
	return clamp_t(u64, st->epoch_raw, SPARE_MIN, SPARE_MAX);
}

/**
 * kcolo_staging_free - give a page back
 * @st: staging
 * @page: from kcolo_staging_alloc(), owned by the caller
 */
void kcolo_staging_free(struct kcolo_staging *st, struct page *page)
{
	if (st->nr_spare >= spare_limit(st)) {
		__free_page(page);
		return;
	}
	list_add(&page->lru, &st->spare);
	st->nr_spare++;
}

static u32 entry_round(const void *entry)
{
	if (xa_is_value(entry))
		return xa_to_value(entry);
	return page_private((struct page *)entry);
}

static void entry_free(struct kcolo_staging *st, void *entry)
{
	st->nr_pages--;
	if (xa_is_value(entry))
		return;
	st->nr_raw--;
	kcolo_staging_free(st, entry);
}

/*
 * Put @entry in the place of one that is not newer. Looking and storing are one
 * walk of the tree. @old is what was there.
 */
static int exchange(struct xarray *xa, u64 index, void *entry, u32 round,
		    void **old, bool *newer)
{
	XA_STATE(xas, xa, index);

	do {
		xas_lock(&xas);
		*old = xas_load(&xas);
		*newer = !*old || entry_round(*old) <= round ||
			 kcolo_mutant(old_round_wins);
		if (*newer)
			xas_store(&xas, entry);
		xas_unlock(&xas);
	} while (xas_nomem(&xas, KCOLO_GFP));
	return xas_error(&xas);
}

/* Whether there is no room for a page with memory of its own at @index. */
static bool too_many(const struct kcolo_staging *st, unsigned int region,
		     u64 index)
{
	u64 limit = READ_ONCE(st->limit);
	void *old;

	if (!limit || (st->nr_raw + 1) << PAGE_SHIFT <= limit ||
	    kcolo_mutant(no_staging_limit))
		return false;
	old = xa_load((struct xarray *)&st->pages[region], index);
	return !old || xa_is_value(old);
}

/**
 * kcolo_staging_put - stage a page
 * @st: staging
 * @region: number of the region, less than KCOLO_WIRE_REGIONS_MAX
 * @index: of the page in the region
 * @round: the round it was sent in; the newest round of a page stays
 * @page: from kcolo_staging_alloc(), taken over; NULL for a zero page
 *
 * Return: 1 when it is staged, 0 when a newer one was there already, -ENOMEM, or
 * -EDQUOT when it does not fit under the limit. In each case @page is no longer
 * the caller's.
 */
int kcolo_staging_put(struct kcolo_staging *st, unsigned int region, u64 index,
		      u32 round, struct page *page)
{
	void *entry = page ? (void *)page : xa_mk_value(round);
	bool newer = true;
	void *old;
	int err;

	if (page && too_many(st, region, index)) {
		kcolo_staging_free(st, page);
		return -EDQUOT;
	}
	if (page)
		set_page_private(page, round);
	err = exchange(&st->pages[region], index, entry, round, &old, &newer);
	if (err || !newer) {
		if (page)
			kcolo_staging_free(st, page);
		return err;
	}
	if (old)
		entry_free(st, old);
	st->nr_pages++;
	if (page)
		st->nr_raw++;
	st->epoch_raw = max(st->epoch_raw, st->nr_raw);
	st->peak_raw = max(st->peak_raw, st->epoch_raw);
	return 1;
}

/**
 * kcolo_staging_remove - forget a page that is staged, if it is
 * @st: staging
 * @region: number of the region, less than KCOLO_WIRE_REGIONS_MAX
 * @index: of the page in the region
 * @round: a version of a later round stays
 */
void kcolo_staging_remove(struct kcolo_staging *st, unsigned int region,
			  u64 index, u32 round)
{
	void *entry = xa_load(&st->pages[region], index);

	if (!entry || entry_round(entry) > round)
		return;
	xa_erase(&st->pages[region], index);
	entry_free(st, entry);
}

/* Staging is empty: of what earlier epochs left, keep what this one had. */
static void epoch_over(struct kcolo_staging *st)
{
	struct page *page;

	while (st->nr_spare > spare_limit(st)) {
		page = list_first_entry(&st->spare, struct page, lru);
		list_del(&page->lru);
		__free_page(page);
		st->nr_spare--;
		cond_resched();
	}
	st->epoch_raw = 0;
}

/**
 * kcolo_staging_take - hand staged pages over, some at a time
 * @st: staging
 * @fn: called for each; on success the page leaves staging
 * @arg: for @fn
 * @batch: at most so many
 * @more: set to whether any are left
 *
 * Return: 0, or what @fn returned that was not 0; that page stays.
 */
int kcolo_staging_take(struct kcolo_staging *st, kcolo_staging_fn fn,
		       void *arg, unsigned int batch, bool *more)
{
	unsigned long index;
	unsigned int i;
	void *entry;
	int err;

	for (i = 0; i < KCOLO_WIRE_REGIONS_MAX; i++) {
		xa_for_each(&st->pages[i], index, entry) {
			if (!batch--) {
				*more = true;
				return 0;
			}
			err = fn(arg, i, index,
				 xa_is_value(entry) ? NULL : entry);
			if (err)
				return err;
			xa_erase(&st->pages[i], index);
			entry_free(st, entry);
		}
	}
	*more = false;
	epoch_over(st);
	return 0;
}

static int drop_one(void *arg, unsigned int region, u64 index,
		    struct page *page)
{
	return 0;
}

/**
 * kcolo_staging_drop - forget all that is staged
 * @st: staging
 */
void kcolo_staging_drop(struct kcolo_staging *st)
{
	bool more;

	do {
		kcolo_staging_take(st, drop_one, NULL, 4096, &more);
		cond_resched();
	} while (more);
}

/**
 * kcolo_staging_destroy - free all that staging holds
 * @st: staging, of no use afterwards until initialised again
 */
void kcolo_staging_destroy(struct kcolo_staging *st)
{
	struct page *page, *next;
	unsigned int i;

	kcolo_staging_drop(st);
	list_for_each_entry_safe(page, next, &st->spare, lru) {
		list_del(&page->lru);
		if (!kcolo_mutant(keep_spare))
			__free_page(page);
	}
	st->nr_spare = 0;
	for (i = 0; i < KCOLO_WIRE_REGIONS_MAX; i++)
		xa_destroy(&st->pages[i]);
}
