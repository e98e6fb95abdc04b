// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages are dirty. The sources are KVM's dirty logs of all memslots over
 * a region, in all address spaces, and the user log; what they say is gathered
 * in each region's pending bitmap. A page's bits are cleared late, just before
 * the page is read, in every source: whatever is written after the clear sets
 * a bit again, and is found by the next harvest.
 */
#include <linux/bitmap.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "dirty.h"
#include "gfp.h"
#include "mutate.h"

#define BITS_PER_PAGE	(PAGE_SIZE * 8)

/* The page of the scratch area that has word @word of the bitmap. */
static unsigned long *scratch_words(struct kcolo_scratch *scratch, u64 word)
{
	return page_address(scratch->page[1 + word * 64 / BITS_PER_PAGE]);
}

/*
 * Call KVM with what stands in the first page of the scratch area, from a
 * thread that uses the VMM's memory. The mapping is looked at before and
 * after: what was not there throughout may have taken the answer elsewhere.
 */
static int scratch_ioctl(struct kcolo_tracker *t, struct file *vm,
			 unsigned int cmd)
{
	struct kcolo_scratch *scratch = t->scratch;
	unsigned long uaddr;
	unsigned int gen;
	int err;

	mutex_lock(&scratch->lock);
	uaddr = scratch->mm == t->guest->mm ? scratch->uaddr : 0;
	gen = scratch->gen;
	mutex_unlock(&scratch->lock);
	if (!uaddr)
		return -EBADFD;

	if (cmd == KVM_GET_DIRTY_LOG) {
		struct kvm_dirty_log *log = page_address(scratch->page[0]);

		log->dirty_bitmap = (void __user *)(uaddr + PAGE_SIZE);
	} else {
		struct kvm_clear_dirty_log *log = page_address(scratch->page[0]);

		log->dirty_bitmap = (void __user *)(uaddr + PAGE_SIZE);
	}
	err = vfs_ioctl(vm, cmd, uaddr);

	mutex_lock(&scratch->lock);
	if (gen != scratch->gen)
		err = -EBADFD;
	mutex_unlock(&scratch->lock);
	return err;
}

static bool slots_current(struct kcolo_tracker *t, struct file *vm)
{
	if (kcolo_mutant(stale_slot))
		return true;
	return kcolo_slots_current(&t->slots, vm);
}

static void count_pending(struct kcolo_tracker *t, struct kcolo_region *r,
			  s64 more)
{
	r->nr_pending += more;
	t->pending += more;
}

/*
 * Whether none of the 512 bits from @map on, which stand in one page, is set.
 * A guest that does little has long runs of them.
 */
static bool none_of_eight(const unsigned long *map)
{
	unsigned long any = 0;
	unsigned int i;

	for (i = 0; i < 8; i++)
		any |= READ_ONCE(map[i]);
	return !any;
}

/* Set the bits of @word, page @page of @r and on, as pending. */
static void pend_word(struct kcolo_tracker *t, struct kcolo_region *r, u64 page,
		      unsigned long word)
{
	unsigned long *map = r->pending + page / BITS_PER_LONG;
	unsigned int shift = page % BITS_PER_LONG;
	unsigned long bits;

	bits = word << shift & ~map[0];
	map[0] |= bits;
	count_pending(t, r, hweight_long(bits));
	if (!shift)
		return;
	bits = word >> (BITS_PER_LONG - shift);
	if (!bits)
		return;
	bits &= ~map[1];
	map[1] |= bits;
	count_pending(t, r, hweight_long(bits));
}

static void pend_range(struct kcolo_tracker *t, struct kcolo_region *r,
		       u64 first, u64 nr)
{
	bitmap_set(r->pending, first, nr);
	count_pending(t, r, bitmap_weight(r->pending, r->nr_pages) -
			    r->nr_pending);
}

/**
 * kcolo_dirty_mark_all - make every page of every region pending
 * @t: tracker
 */
void kcolo_dirty_mark_all(struct kcolo_tracker *t)
{
	struct kcolo_region *r;
	unsigned int i;

	/* Not the difference: a region may have been removed. */
	t->pending = 0;
	for (i = 0; i < t->nr_regions; i++) {
		r = t->region[i];
		bitmap_set(r->pending, 0, r->nr_pages);
		r->nr_pending = r->nr_pages;
		t->pending += r->nr_pages;
	}
}

/**
 * kcolo_dirty_set_regions - the regions are others now
 * @t: tracker
 * @nr: number of them
 *
 * No slot over a new one was looked at yet, and what may have become of the
 * others meanwhile is not known: all is pending that was not sent for the first
 * time either.
 */
void kcolo_dirty_set_regions(struct kcolo_tracker *t, unsigned int nr)
{
	unsigned int i;

	t->nr_regions = nr;
	t->pending = 0;
	for (i = 0; i < nr; i++)
		t->pending += t->region[i]->nr_pending;
	if (t->slots_known)
		kcolo_dirty_mark_all(t);
	t->slots_known = false;
}

/**
 * kcolo_dirty_mark_region - make every page of a region pending
 * @t: tracker
 * @r: one of its regions
 */
void kcolo_dirty_mark_region(struct kcolo_tracker *t, struct kcolo_region *r)
{
	pend_range(t, r, 0, r->nr_pages);
}

/*
 * Look at the memslots anew. When they have changed, every page of every
 * region is dirty, and not only those of the slots there are now and were
 * before: a slot may have come and gone in between, with its log.
 */
static int slots_refresh(struct kcolo_tracker *t, struct file *vm)
{
	bool changed = t->slots_known;
	int err;

	err = kcolo_slots_read(&t->slots, vm, t->region, t->nr_regions);
	if (!err)
		err = kcolo_scratch_grow(t->scratch, t->slots.largest);
	if (err) {
		/* Nothing is known now: the next look counts as a change. */
		kcolo_dirty_mark_all(t);
		t->slots.nr_as = 0;
		t->slots_known = false;
		return err;
	}
	t->slots_known = true;
	if (changed) {
		t->slot_changes++;
		kcolo_dirty_mark_all(t);
	}
	return 0;
}

/* Words of the slot's bitmap, in the scratch area, to the region's pages. */
static void merge_slot(struct kcolo_tracker *t, const struct kcolo_slot *slot)
{
	u64 end = slot->slot_first + slot->nr_pages;
	u64 page = slot->slot_first & ~63ULL;
	unsigned long *map = NULL;
	unsigned long word;

	for (; page < end; page += 64) {
		if (!map || page % BITS_PER_PAGE == 0)
			map = scratch_words(t->scratch, page / 64);
		if (page % 512 == 0 &&
		    none_of_eight(&map[page % BITS_PER_PAGE / 64])) {
			page += 512 - 64;
			continue;
		}
		word = READ_ONCE(map[page % BITS_PER_PAGE / 64]);
		if (!word)
			continue;
		if (page < slot->slot_first) {
			word &= ~0UL << (slot->slot_first - page);
			word >>= slot->slot_first - page;
			if (end - page < 64)
				word &= BIT(end - slot->slot_first) - 1;
			pend_word(t, slot->region, slot->first, word);
			continue;
		}
		if (end - page < 64)
			word &= BIT(end - page) - 1;
		pend_word(t, slot->region,
			  slot->first + page - slot->slot_first, word);
	}
}

/*
 * Read one slot's log. KVM only copies it (manual protect), so that nothing is
 * lost when this fails: but then nothing is known of the slot either.
 */
static int get_slot(struct kcolo_tracker *t, struct file *vm,
		    const struct kcolo_slot *slot)
{
	struct kvm_dirty_log *log = page_address(t->scratch->page[0]);
	int err;

	memset(log, 0, sizeof(*log));
	log->slot = slot->number;
	err = scratch_ioctl(t, vm, KVM_GET_DIRTY_LOG);
	if (!err) {
		merge_slot(t, slot);
		return 0;
	}
	t->log_errors++;
	pend_range(t, slot->region, slot->first, slot->nr_pages);
	return err == -EBADFD || err == -EIO ? err : 0;
}

static void take_user_log(struct kcolo_tracker *t, struct kcolo_region *r)
{
	u64 i, words = BITS_TO_LONGS(r->nr_pages);
	unsigned long word;

	for (i = 0; i < words; i++) {
		if (i % 8 == 0 && i + 8 <= words &&
		    none_of_eight(&r->log[i])) {
			i += 7;
			continue;
		}
		if (!READ_ONCE(r->log[i]))
			continue;
		word = xchg(&r->log[i], 0);
		if (kcolo_mutant(lose_user_log))
			continue;
		if (i == words - 1 && r->nr_pages % 64)
			word &= BIT(r->nr_pages % 64) - 1;
		pend_word(t, r, i * 64, word);
	}
}

static int get_all(struct kcolo_tracker *t, struct file *vm)
{
	unsigned int i;
	int err;

	if (!t->slots_known || !slots_current(t, vm))
		return slots_refresh(t, vm);
	for (i = 0; i < t->slots.nr; i++) {
		err = get_slot(t, vm, &t->slots.slot[i]);
		if (err)
			return err;
		/* If not, bits of what else the slot maps were cleared, too. */
		if (!kcolo_guest_log_is_manual(vm)) {
			kcolo_dirty_mark_all(t);
			return -EOPNOTSUPP;
		}
		/* Was it the slot we meant? If not, all are dirty now. */
		if (!slots_current(t, vm))
			return slots_refresh(t, vm);
	}
	return 0;
}

/**
 * kcolo_dirty_begin - look at the guest before a checkpoint
 * @t: tracker
 *
 * Return: 0; -ESRCH when the VMM has died or no VM is attached; -EBADFD when
 * the scratch area is not mapped; -EOPNOTSUPP when a memslot over a region
 * does not log; -ENOMEM.
 */
int kcolo_dirty_begin(struct kcolo_tracker *t)
{
	struct file *vm = kcolo_guest_vm(t->guest);
	int err = 0;

	if (!vm)
		return -ESRCH;
	mutex_lock(&t->scratch->lock);
	if (!t->scratch->uaddr || t->scratch->mm != t->guest->mm)
		err = -EBADFD;
	mutex_unlock(&t->scratch->lock);
	if (!err && (!t->slots_known || !slots_current(t, vm)))
		err = slots_refresh(t, vm);
	fput(vm);
	return err;
}

/**
 * kcolo_dirty_harvest - read every source
 * @t: tracker; kcolo_dirty_begin() has succeeded since a region was added
 *
 * Afterwards every page that was written before the call, by whomever, and
 * not read since, is pending. Nothing is cleared but the user log, whose bits
 * are pending instead. The user log first, KVM's logs last: reading those
 * flushes the buffers in which the CPU logs (PML).
 *
 * Return: 0 or as kcolo_dirty_begin().
 */
int kcolo_dirty_harvest(struct kcolo_tracker *t)
{
	struct file *vm = kcolo_guest_vm(t->guest);
	unsigned int i;
	int err;

	if (!vm)
		return -ESRCH;
	for (i = 0; i < t->nr_regions; i++)
		take_user_log(t, t->region[i]);
	err = -ESRCH;
	if (kcolo_guest_enter(t->guest)) {
		err = get_all(t, vm);
		kcolo_guest_leave(t->guest);
	}
	t->harvests += !err;
	fput(vm);
	return err == -EIO ? -ESRCH : err;
}

/**
 * kcolo_dirty_take - take the next pages that are pending
 * @t: tracker
 * @chunk: filled in; its pages are pending no longer
 * @region: region to look at first, changed; a pass begins at 0
 * @cursor: page to look at first, changed; a pass begins at 0
 *
 * Return: false at the end of the pass, with nothing taken.
 */
bool kcolo_dirty_take(struct kcolo_tracker *t, struct kcolo_chunk *chunk,
		      unsigned int *region, u64 *cursor)
{
	struct kcolo_region *r;
	u64 page;

	chunk->nr = 0;
	for (; *region < t->nr_regions; ++*region, *cursor = 0) {
		r = t->region[*region];
		chunk->region = r;
		while (r->nr_pending) {
			page = find_next_bit(r->pending, r->nr_pages, *cursor);
			if (page >= r->nr_pages)
				break;
			if (chunk->nr == KCOLO_CHUNK_PAGES ||
			    (chunk->nr &&
			     page - chunk->index[0] >= KCOLO_CHUNK_SPAN))
				return true;
			__clear_bit(page, r->pending);
			count_pending(t, r, -1);
			chunk->index[chunk->nr++] = page;
			*cursor = page + 1;
		}
		if (chunk->nr)
			return true;
	}
	return false;
}

/**
 * kcolo_dirty_untake - make the pages of a chunk pending again
 * @t: tracker
 * @chunk: taken and not sent
 */
void kcolo_dirty_untake(struct kcolo_tracker *t,
			const struct kcolo_chunk *chunk)
{
	unsigned int i;

	for (i = 0; i < chunk->nr; i++)
		if (!__test_and_set_bit(chunk->index[i], chunk->region->pending))
			count_pending(t, chunk->region, 1);
}

/* The pages of the chunk that lie in the slot, as a bitmap in the scratch. */
static bool fill_clear(struct kcolo_tracker *t, const struct kcolo_slot *slot,
		       const struct kcolo_chunk *chunk)
{
	struct kvm_clear_dirty_log *log = page_address(t->scratch->page[0]);
	unsigned long *map = scratch_words(t->scratch, 0);
	u64 base = 0, last = 0, page;
	unsigned int i;
	bool any = false;

	/* In ascending order: most slots are seen not to matter at once. */
	if (chunk->index[chunk->nr - 1] < slot->first ||
	    chunk->index[0] >= slot->first + slot->nr_pages)
		return false;
	for (i = 0; i < chunk->nr; i++) {
		page = chunk->index[i];
		if (page < slot->first || page - slot->first >= slot->nr_pages)
			continue;
		page = page - slot->first + slot->slot_first;
		if (!any) {
			base = page & ~63ULL;
			memset(map, 0, PAGE_SIZE);
			any = true;
		}
		__set_bit(page - base, map);
		last = page;
	}
	if (!any)
		return false;
	memset(log, 0, sizeof(*log));
	log->slot = slot->number;
	log->first_page = base;
	/* KVM wants whole words, or all up to the end of the slot. */
	log->num_pages = min(ALIGN(last + 1 - base, 64), slot->slot_pages - base);
	return true;
}

static void clear_user_log(const struct kcolo_chunk *chunk)
{
	atomic_long_t *log = (atomic_long_t *)chunk->region->log;
	unsigned long word = 0;
	unsigned int i;
	u64 page;

	for (i = 0; i < chunk->nr; i++) {
		page = chunk->index[i];
		word |= BIT(page % 64);
		if (i + 1 < chunk->nr && chunk->index[i + 1] / 64 == page / 64)
			continue;
		if (atomic_long_read(&log[page / 64]) & word)
			atomic_long_andnot(word, &log[page / 64]);
		word = 0;
	}
	/* The bits are cleared before the pages are read. */
	smp_mb();
}

static int clear_slots(struct kcolo_tracker *t, struct file *vm,
		       const struct kcolo_chunk *chunk)
{
	const struct kcolo_slot *slot;
	unsigned int i;
	int err;

	for (i = 0; i < t->slots.nr; i++) {
		slot = &t->slots.slot[i];
		if (slot->region != chunk->region || !fill_clear(t, slot, chunk))
			continue;
		err = scratch_ioctl(t, vm, KVM_CLEAR_DIRTY_LOG);
		if (!slots_current(t, vm)) {
			err = slots_refresh(t, vm);
			return err ? err : 1;
		}
		if (kcolo_mutant(stale_slot))
			err = 0;
		if (err) {
			t->log_errors++;
			/* KVM could not read the scratch area, which nobody else may. */
			return err == -EFAULT ? -EBADFD : err;
		}
		if (kcolo_mutant(one_alias))
			break;
	}
	return 0;
}

/**
 * kcolo_dirty_clear - clear a chunk's bits in every source
 * @t: tracker; the calling thread is in the guest (kcolo_guest_enter())
 * @chunk: taken; its pages are to be read after this, not before
 *
 * Write-protects the pages and flushes TLBs in all memslots over them, aliases
 * included, so that a later write of the guest sets its bit again.
 *
 * Return: 0; 1 when the memslots have changed: every page is pending now, those
 * of the chunk too, and the chunk need not be sent; or a negative errno, then
 * the chunk is still taken.
 */
int kcolo_dirty_clear(struct kcolo_tracker *t, const struct kcolo_chunk *chunk)
{
	struct file *vm = kcolo_guest_vm(t->guest);
	int err;

	if (!vm)
		return -ESRCH;
	clear_user_log(chunk);
	err = clear_slots(t, vm, chunk);
	fput(vm);
	return err == -EIO ? -ESRCH : err;
}

/**
 * kcolo_dirty_clean - forget which pages are dirty, in every source
 * @t: tracker; nothing writes to the regions meanwhile, and the caller is a
 *	task of the VMM
 *
 * Takes a while for much RAM, and ends early when the caller is killed.
 *
 * Return: 0; -EAGAIN when the memslots have changed meanwhile; -EINTR; or as
 * kcolo_dirty_begin(). On failure every page is pending, but when there was no
 * memory to begin with.
 */
int kcolo_dirty_clean(struct kcolo_tracker *t)
{
	struct kcolo_chunk *chunk = kmalloc(sizeof(*chunk), KCOLO_GFP);
	unsigned int region = 0;
	u64 cursor = 0;
	int err;

	if (!chunk)
		return -ENOMEM;
	t->slots_known = false;
	kcolo_dirty_mark_all(t);
	err = kcolo_dirty_begin(t);
	while (!err && kcolo_dirty_take(t, chunk, &region, &cursor)) {
		if (!kcolo_mutant(clean_keeps_log))
			err = kcolo_dirty_clear(t, chunk);
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	kfree(chunk);
	if (err)
		kcolo_dirty_mark_all(t);
	return err > 0 ? -EAGAIN : err;
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
		bitmap_or(r->pending, r->pending, r->unacked, r->nr_pages);
		count_pending(t, r, bitmap_weight(r->pending, r->nr_pages) -
				    r->nr_pending);
	}
	kcolo_dirty_committed(t);
}
