// SPDX-License-Identifier: GPL-2.0
/*
 * Memslot churn: while the guest runs, slots are split, merged, renumbered,
 * swapped and moved. What the guest accesses while its slot is away comes to us
 * as MMIO and is done on the memory itself (vcpu.c).
 */
#include <string.h>

#include "kvmm.h"

#define SPLIT_MIN_PAGES	16

static bool plain(const struct slot *slot)
{
	return slot->used && !slot->boot && !slot->alias && !slot->read_only &&
	       !slot->as;
}

static struct slot *any_plain(struct vm *vm)
{
	struct slot *slot;
	u32 tries;

	for (tries = 0; tries < 200; tries++) {
		slot = &vm->slot[random_below(MAX_SLOTS)];
		if (plain(slot))
			return slot;
	}
	return NULL;
}

/* Two areas exchange their numbers, two of equal size if there are any. */
static void swap_numbers(struct vm *vm)
{
	struct slot *a = any_plain(vm), *b = NULL, *s;
	u32 id;

	for (s = vm->slot; a && s < vm->slot + MAX_SLOTS; s++)
		if (s != a && plain(s) && (!b || s->size == a->size))
			b = s;
	if (!b)
		return;
	slot_set(vm, a, false);
	slot_set(vm, b, false);
	id = a->id;
	a->id = b->id;
	b->id = id;
	slot_set(vm, a, true);
	slot_set(vm, b, true);
}

static void renumber(struct vm *vm)
{
	struct slot *a = any_plain(vm);

	if (!a)
		return;
	slot_set(vm, a, false);
	a->id = slot_free_id(vm);
	slot_set(vm, a, true);
}

static void split(struct vm *vm)
{
	struct slot *a = any_plain(vm), *b;
	u64 pages, first, id;

	pages = a ? a->size >> KVMM_PAGE_SHIFT : 0;
	if (pages < SPLIT_MIN_PAGES)
		return;
	id = slot_free_id(vm);
	b = slot_new(vm);
	if (!b)
		return;
	slot_set(vm, a, false);
	first = (1 + random_below(pages - 1)) << KVMM_PAGE_SHIFT;
	*b = *a;
	b->id = id;
	b->gpa += first;
	b->offset += first;
	b->size -= first;
	a->size = first;
	slot_set(vm, a, true);
	slot_set(vm, b, true);
}

static void merge(struct vm *vm)
{
	struct slot *a = any_plain(vm), *b;

	for (b = vm->slot; a && b < vm->slot + MAX_SLOTS; b++) {
		if (!plain(b) || b->region != a->region ||
		    b->offset != a->offset + a->size)
			continue;
		slot_set(vm, a, false);
		slot_set(vm, b, false);
		a->size += b->size;
		b->used = false;
		slot_set(vm, a, true);
		return;
	}
}

static void move_alias(struct vm *vm)
{
	struct slot *slot;

	for (slot = vm->slot; slot < vm->slot + MAX_SLOTS; slot++) {
		if (!slot->used || !slot->alias)
			continue;
		slot->gpa = slot->gpa == GPA_ALIAS0 ? GPA_ALIAS1 : GPA_ALIAS0;
		slot_set(vm, slot, true);
		atomic_store(&vm->window, slot->gpa == GPA_ALIAS1);
		return;
	}
}

/* The slot of RAM in the second address space goes and comes back. */
static void remap_smm(struct vm *vm)
{
	struct slot *slot;

	for (slot = vm->slot; slot < vm->slot + MAX_SLOTS; slot++) {
		if (!slot->used || !slot->as || slot->boot)
			continue;
		slot_set(vm, slot, false);
		slot->id = random_below(4);
		slot_set(vm, slot, true);
		return;
	}
}

static void *churn_main(void *arg)
{
	static void (*const change[])(struct vm *) = {
		swap_numbers, swap_numbers, renumber, split, merge, move_alias,
		remap_smm,
	};
	struct vm *vm = arg;
	u64 n;

	while (atomic_load(&vm->churning)) {
		sleep_ms(opt.churn_ms);
		pthread_mutex_lock(&vm->slot_lock);
		change[random_below(sizeof(change) / sizeof(*change))](vm);
		n = atomic_fetch_add(&vm->churns, 1) + 1;
		pthread_mutex_unlock(&vm->slot_lock);
		if (n == opt.churn_count)
			break;
	}
	return NULL;
}

void churn_start(struct vm *vm)
{
	if (!opt.churn_ms)
		return;
	atomic_store(&vm->churning, true);
	if (pthread_create(&vm->churn_thread, NULL, churn_main, vm))
		die(EXIT_USAGE, "cannot create the churn thread");
}

/* The guest must not be paused, or the thread would wait for the slots. */
void churn_stop(struct vm *vm)
{
	if (atomic_exchange(&vm->churning, false))
		pthread_join(vm->churn_thread, NULL);
}
