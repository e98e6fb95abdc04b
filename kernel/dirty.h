/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_DIRTY_H
#define KCOLO_DIRTY_H

#include "guest.h"

/* Pages of one chunk: cleared, read and sent together. */
#define KCOLO_CHUNK_PAGES	256
/*
 * Pages between the first and the last of a chunk: the bitmap to clear them
 * in any slot has to fit a page of the scratch area, however the slot lies.
 */
#define KCOLO_CHUNK_SPAN	(PAGE_SIZE * 8 - 128)

/*
 * What a VMM maps at offset 0 of the session fd: a page for the arguments of
 * an ioctl, then room for the bitmap of the largest memslot that KVM allows
 * (2^31 - 1 pages). Only what is needed has memory behind it; the rest faults,
 * so that a slot that has grown between a look and a call cannot make KVM
 * write over what else the VMM has mapped.
 */
#define KCOLO_SCRATCH_SIZE	(PAGE_SIZE + (256UL << 20))

/**
 * struct kcolo_scratch - memory that KVM's ioctls can be pointed at
 * @lock: leaf, taken under mmap_lock; over all of this but the pages' bytes
 * @page: the arguments, then the bitmap
 * @nr: pages there are
 * @uaddr: where the VMM has mapped it
 * @mm: whose mapping it is; only compared
 * @gen: counts mappings made and undone
 */
struct kcolo_scratch {
	struct mutex lock;	/* over all but the bytes */
	struct page **page;
	unsigned int nr;
	unsigned long uaddr;
	struct mm_struct *mm;
	unsigned int gen;
};

/**
 * struct kcolo_tracker - all that tells which pages are dirty
 * @guest: the VM
 * @scratch: for KVM's ioctls
 * @region: the session's regions
 * @nr_regions: number of them
 * @slots: what the memslots were when last looked at
 * @slots_known: whether @slots was ever read
 * @slots_stale: it was, for other regions
 * @pending: pages dirty and not sent
 * @harvests: times all sources were read
 * @slot_changes: times a change of memslots made every page dirty
 * @log_errors: ioctls that failed
 *
 * The worker's own, without a lock; while no epoch is open its owner may add and
 * remove regions.
 */
struct kcolo_tracker {
	struct kcolo_guest *guest;
	struct kcolo_scratch *scratch;
	struct kcolo_region *region[KCOLO_MAX_REGIONS];
	unsigned int nr_regions;
	struct kcolo_slots slots;
	bool slots_known;
	bool slots_stale;
	u64 pending;
	u64 harvests;
	u64 slot_changes;
	u64 log_errors;
};

/**
 * struct kcolo_chunk - pages that are cleared, read and sent together
 * @region: they are all of one region
 * @nr: how many
 * @index: which, ascending, within KCOLO_CHUNK_SPAN
 */
struct kcolo_chunk {
	struct kcolo_region *region;
	unsigned int nr;
	u64 index[KCOLO_CHUNK_PAGES];
};

int kcolo_region_alloc(struct kcolo_region **regionp, const char *name,
		       unsigned long hva, u64 nr_pages);
int kcolo_region_track(struct kcolo_region *region);
int kcolo_region_log(struct kcolo_region *region);
void kcolo_region_free(struct kcolo_region *region);

void kcolo_scratch_init(struct kcolo_scratch *scratch);
void kcolo_scratch_free(struct kcolo_scratch *scratch);
int kcolo_scratch_grow(struct kcolo_scratch *scratch, u64 slot_pages);

int kcolo_dirty_begin(struct kcolo_tracker *t);
int kcolo_dirty_clean(struct kcolo_tracker *t);
int kcolo_dirty_harvest(struct kcolo_tracker *t);
bool kcolo_dirty_take(struct kcolo_tracker *t, struct kcolo_chunk *chunk,
		      unsigned int *region, u64 *cursor);
int kcolo_dirty_clear(struct kcolo_tracker *t, const struct kcolo_chunk *chunk);
void kcolo_dirty_untake(struct kcolo_tracker *t,
			const struct kcolo_chunk *chunk);

/* pending.c */
void kcolo_pending_count(struct kcolo_tracker *t, struct kcolo_region *r,
			 s64 more);
void kcolo_pending_range(struct kcolo_tracker *t, struct kcolo_region *r,
			 u64 first, u64 nr);
void kcolo_dirty_add_region(struct kcolo_tracker *t, struct kcolo_region *r);
void kcolo_dirty_del_region(struct kcolo_tracker *t, struct kcolo_region *r);
void kcolo_dirty_mark_all(struct kcolo_tracker *t);
void kcolo_dirty_mark_region(struct kcolo_tracker *t, struct kcolo_region *r);
u64 kcolo_dirty_sent(struct kcolo_tracker *t, const struct kcolo_chunk *chunk);
void kcolo_dirty_committed(struct kcolo_tracker *t);
void kcolo_dirty_aborted(struct kcolo_tracker *t);

#endif
