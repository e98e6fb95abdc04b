// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages are dirty. The sources are KVM's dirty logs of all memslots over
 * a region, in all address spaces, and the user log; what they say is gathered
 * in each region's pending bitmap. A page's bits are cleared late, just before
 * the page is read, in every source: whatever is written after the clear sets
 * a bit again, and is found by the next harvest. Reading a legacy log (without
 * manual protect) clears it, too: then what was read is known here alone.
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
 * after: what was not there throughout may have taken the answer elsewhere,
 * and asked for another slot's log, which may be cleared now.
 */
static int scratch_ioctl(struct kcolo_tracker *t, struct file *vm,
			 unsigned int cmd)
{
	struct kcolo_scratch *scratch = t->scratch;
	struct kvm_clear_dirty_log *clear = page_address(scratch->page[0]);
	struct kvm_dirty_log *get = page_address(scratch->page[0]);
	unsigned long uaddr;
	unsigned int gen;
	int err;

	mutex_lock(&scratch->lock);
	uaddr = scratch->mm == t->guest->mm ? scratch->uaddr : 0;
	gen = scratch->gen;
	mutex_unlock(&scratch->lock);
	if (!uaddr)
		return -EBADFD;

	if (cmd == KVM_GET_DIRTY_LOG)
		get->dirty_bitmap = (void __user *)(uaddr + PAGE_SIZE);
	else
		clear->dirty_bitmap = (void __user *)(uaddr + PAGE_SIZE);
	err = vfs_ioctl(vm, cmd, uaddr);

	mutex_lock(&scratch->lock);
	if (gen != scratch->gen)
		err = -EBADFD;
	mutex_unlock(&scratch->lock);
	if (err == -EBADFD)
		kcolo_dirty_mark_all(t);
	return err;
}

static bool slots_current(struct kcolo_tracker *t, struct file *vm)
{
	if (kcolo_mutant(stale_slot))
		return true;
	return kcolo_slots_current(&t->slots, vm);
}

/* Whether what is known of the memslots is what they are. */
static bool slots_good(struct kcolo_tracker *t, struct file *vm)
{
	return t->slots_known && !t->slots_stale && slots_current(t, vm);
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
	kcolo_pending_count(t, r, hweight_long(bits));
	if (!shift)
		return;
	bits = word >> (BITS_PER_LONG - shift);
	if (!bits)
		return;
	bits &= ~map[1];
	map[1] |= bits;
	kcolo_pending_count(t, r, hweight_long(bits));
}

/*
 * Look at the memslots anew. When they have changed, every page of every
 * region is dirty, and not only those of the slots there are now and were
 * before: a slot may have come and gone in between, with its log.
 */
static int slots_refresh(struct kcolo_tracker *t, struct file *vm)
{
	u64 before[KCOLO_KVM_MAX_AS];
	bool changed;
	int err;

	memcpy(before, t->slots.gen, sizeof(before));
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
	/* If not, they were looked at for the sake of other regions. */
	changed = t->slots_known && memcmp(before, t->slots.gen,
					   t->slots.nr_as * sizeof(*before));
	t->slots_known = true;
	t->slots_stale = false;
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
 * Read the log of one slot, which lies over @nr regions. A legacy log is cleared
 * by that, for all of them and before KVM copies it out: it is read once for all
 * regions, and when reading fails, every page it is about is dirty.
 */
static int get_slot(struct kcolo_tracker *t, struct file *vm,
		    const struct kcolo_slot *slot, unsigned int nr)
{
	struct kvm_dirty_log *log = page_address(t->scratch->page[0]);
	unsigned int i;
	int err;

	*log = (struct kvm_dirty_log){ .slot = slot->number };
	err = scratch_ioctl(t, vm, KVM_GET_DIRTY_LOG);
	t->log_errors += !!err;
	for (i = 0; i < nr; i++, slot++)
		if (!err)
			merge_slot(t, slot);
		else
			kcolo_pending_range(t, slot->region, slot->first,
					    slot->nr_pages);
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
	unsigned int i, nr;
	int err;

	if (!slots_good(t, vm))
		return slots_refresh(t, vm);
	for (i = 0; i < t->slots.nr; i += nr) {
		nr = kcolo_slots_alike(&t->slots, i);
		err = get_slot(t, vm, &t->slots.slot[i], nr);
		if (err)
			return err;
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
 * does not log; -ESTALE when KVM does not log large pages; -ENOMEM.
 */
int kcolo_dirty_begin(struct kcolo_tracker *t)
{
	struct file *vm = kcolo_guest_vm(t->guest);
	int err = 0;

	if (!vm)
		return -ESRCH;
	t->slots.initially_set |= t->guest->initially_set;
	mutex_lock(&t->scratch->lock);
	if (!t->scratch->uaddr || t->scratch->mm != t->guest->mm)
		err = -EBADFD;
	mutex_unlock(&t->scratch->lock);
	if (!err && !slots_good(t, vm))
		err = slots_refresh(t, vm);
	fput(vm);
	return err;
}

/**
 * kcolo_dirty_harvest - read every source
 * @t: tracker; kcolo_dirty_begin() has succeeded since a region was added
 *
 * Afterwards every page that was written before the call, by whomever, and
 * not read since, is pending. Nothing is cleared but the user log and legacy
 * logs, whose bits are pending instead. The user log first, KVM's logs last:
 * reading those flushes the buffers in which the CPU logs (PML).
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
			kcolo_pending_count(t, r, -1);
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
			kcolo_pending_count(t, chunk->region, 1);
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
 * included, so that a later write of the guest sets its bit again. KVM does that
 * for legacy logs as well: a page written since the harvest is sent once.
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
