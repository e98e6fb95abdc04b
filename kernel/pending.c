// SPDX-License-Identifier: GPL-2.0
/*
 * What is to be sent: of each region the pages that are pending, dirty and not
 * sent, and those that are unacked, sent since the last commit. Who finds them is
 * in dirty.c.
 */
#include <linux/bitmap.h>
#include <linux/bug.h>
#include "dirty.h"
#include "mutate.h"

/**
 * kcolo_pending_count - note that a region has more pages pending
 * @t: tracker
 * @r: one of its regions
 * @more: by so many
 */
void kcolo_pending_count(struct kcolo_tracker *t, struct kcolo_region *r,
			 s64 more)
{
	r->nr_pending += more;
	t->pending += more;
}

/**
 * kcolo_pending_range - make a run of pages pending
 * @t: tracker
 * @r: one of its regions
 * @first: first page
 * @nr: pages
 */
void kcolo_pending_range(struct kcolo_tracker *t, struct kcolo_region *r,
			 u64 first, u64 nr)
{
	bitmap_set(r->pending, first, nr);
	kcolo_pending_count(t, r, bitmap_weight(r->pending, r->nr_pages) -
			    r->nr_pending);
}

/**
 * kcolo_dirty_add_region - track one more region
 * @t: tracker; no epoch is open
 * @r: region, of which no page is pending
 */
void kcolo_dirty_add_region(struct kcolo_tracker *t, struct kcolo_region *r)
{
	t->region[t->nr_regions++] = r;
	t->slots_stale = true;
}

/**
 * kcolo_dirty_del_region - track a region no longer
 * @t: tracker; no epoch is open
 * @r: one of its regions; may be freed afterwards
 */
void kcolo_dirty_del_region(struct kcolo_tracker *t, struct kcolo_region *r)
{
	unsigned int i;

	for (i = 0; i < t->nr_regions && t->region[i] != r; i++)
		;
	if (WARN_ON_ONCE(i == t->nr_regions))
		return;
	t->region[i] = t->region[--t->nr_regions];
	t->pending -= r->nr_pending;
	t->slots.nr = 0;	/* they name it */
	t->slots_stale = true;
}

/**
 * kcolo_dirty_mark_region - make every page of a region pending
 * @t: tracker
 * @r: one of its regions
 */
void kcolo_dirty_mark_region(struct kcolo_tracker *t, struct kcolo_region *r)
{
	kcolo_pending_range(t, r, 0, r->nr_pages);
}

/**
 * kcolo_dirty_mark_all - make every page of every region pending
 * @t: tracker
 */
void kcolo_dirty_mark_all(struct kcolo_tracker *t)
{
	struct kcolo_region *r;
	unsigned int i;

	t->pending = 0;
	for (i = 0; i < t->nr_regions; i++) {
		r = t->region[i];
		bitmap_set(r->pending, 0, r->nr_pages);
		r->nr_pending = r->nr_pages;
		t->pending += r->nr_pages;
	}
}

/**
 * kcolo_dirty_sent - note that the pages of a chunk were sent
 * @t: tracker
 * @chunk: its pages are unacked until a commit or an abort
 *
 * Return: how many of them had been sent since the last commit already.
 */
u64 kcolo_dirty_sent(struct kcolo_tracker *t, const struct kcolo_chunk *chunk)
{
	u64 resent = 0;
	unsigned int i;

	for (i = 0; i < chunk->nr; i++) {
		if (__test_and_set_bit(chunk->index[i], chunk->region->unacked))
			resent++;
		else
			chunk->region->nr_unacked++;
	}
	return resent;
}

/**
 * kcolo_dirty_committed - forget which pages were sent
 * @t: tracker; the peer has committed them
 */
void kcolo_dirty_committed(struct kcolo_tracker *t)
{
	struct kcolo_region *r;
	unsigned int i;

	for (i = 0; i < t->nr_regions; i++) {
		r = t->region[i];
		if (r->nr_unacked)
			bitmap_zero(r->unacked, r->nr_pages);
		r->nr_unacked = 0;
	}
}

/**
 * kcolo_dirty_aborted - make what was sent since the last commit dirty again
 * @t: tracker; the peer has dropped, or will drop, those pages
 */
void kcolo_dirty_aborted(struct kcolo_tracker *t)
{
	struct kcolo_region *r;
	unsigned int i;

	if (kcolo_mutant(forget_unacked)) {
		kcolo_dirty_committed(t);
		return;
	}
	for (i = 0; i < t->nr_regions; i++) {
		r = t->region[i];
		if (!r->nr_unacked)
			continue;
		if (kcolo_mutant(legacy_forgets))
			bitmap_zero(r->pending, r->nr_pages);
		bitmap_or(r->pending, r->pending, r->unacked, r->nr_pages);
		kcolo_pending_count(t, r, bitmap_weight(r->pending, r->nr_pages) -
				    r->nr_pending);
	}
	kcolo_dirty_committed(t);
}
