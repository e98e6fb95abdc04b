// SPDX-License-Identifier: GPL-2.0
/*
 * The memslots. No region is one slot, few begin where a word of a dirty bitmap
 * does, a part of RAM is mapped twice, and a part lies in SMM's address space
 * too: nothing is as simple as one slot a region.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "kvmm.h"

#define BOOT_SLOT_PAGES	(BOOT_PAGES + 37)
#define SLOT_IDS	48
#define SMRAM_ID	8	/* churn.c has the lower ones */

void slot_set(struct vm *vm, const struct slot *slot, bool present)
{
	struct kvm_userspace_memory_region r = {
		.slot = slot->as << 16 | slot->id,
		.flags = slot->read_only ? KVM_MEM_READONLY :
			vm->logs ? KVM_MEM_LOG_DIRTY_PAGES : 0,
		.guest_phys_addr = slot->gpa,
		.memory_size = present ? slot->size : 0,
		.userspace_addr = (u64)vm->region[slot->region].mem +
			slot->offset,
	};

	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &r))
		die(EXIT_USAGE, "memslot %x at %llx, %llu bytes: %s", r.slot,
		    r.guest_phys_addr, r.memory_size, strerror(errno));
}

struct slot *slot_new(struct vm *vm)
{
	struct slot *slot;

	for (slot = vm->slot; slot < vm->slot + MAX_SLOTS; slot++)
		if (!slot->used) {
			memset(slot, 0, sizeof(*slot));
			slot->used = true;
			return slot;
		}
	return NULL;
}

/* A slot number of the first address space that is free, any of them. */
u32 slot_free_id(struct vm *vm)
{
	u32 id, i;

	for (;;) {
		id = random_below(SLOT_IDS);
		for (i = 0; i < MAX_SLOTS; i++)
			if (vm->slot[i].used && !vm->slot[i].as &&
			    vm->slot[i].id == id)
				break;
		if (i == MAX_SLOTS)
			return id;
	}
}

static struct slot *add(struct vm *vm, u32 region, u64 page, u64 npages)
{
	struct slot *slot;
	u32 id = 0, i;

	if (!npages)
		return NULL;
	for (i = 0; i < MAX_SLOTS; i++)
		id += vm->slot[i].used && !vm->slot[i].as;
	slot = slot_new(vm);
	slot->id = id;
	slot->region = region;
	slot->offset = page << KVMM_PAGE_SHIFT;
	slot->size = npages << KVMM_PAGE_SHIFT;
	slot->gpa = vm->region[region].gpa + slot->offset;
	return slot;
}

/* Pages of ram1 that are RAM to the guest. */
static u64 ram1_pages(const struct vm *vm)
{
	return (vm->region[1].size >> KVMM_PAGE_SHIFT) -
		unmapped_pages(vm, 1) - read_only_pages(vm, 1);
}

static u64 ram1_split(const struct vm *vm)
{
	return ram1_pages(vm) * 5 / 8 | 1;
}

static void map_ram0(struct vm *vm)
{
	u64 pages = vm->region[0].size >> KVMM_PAGE_SHIFT;
	u64 half = (pages - BOOT_SLOT_PAGES) / 2;
	u64 at = BOOT_SLOT_PAGES;

	add(vm, 0, 0, at)->boot = true;
	add(vm, 0, at, half);
	if (opt.join && vm->nr_regions > 1) {
		add(vm, 0, at + half, pages - at - half + ram1_split(vm));
		return;
	}
	add(vm, 0, at + half, half);
	add(vm, 0, at + 2 * half, pages - at - 2 * half);
}

static void map_ram1(struct vm *vm)
{
	u64 read_only = read_only_pages(vm, 1);
	u64 pages = ram1_pages(vm), split = ram1_split(vm);

	if (!opt.join)
		add(vm, 1, 0, split);
	add(vm, 1, split, pages - split);
	if (read_only)
		add(vm, 1, pages, read_only)->read_only = true;
}

static void map_alias(struct vm *vm)
{
	struct alias alias;
	struct slot *slot;

	ram_alias(vm, &alias);
	slot = add(vm, alias.region, alias.page, alias.npages);
	slot->alias = true;
	slot->gpa = GPA_ALIAS0;
}

/* The second address space: a part of RAM that is also in the first, and SMRAM. */
static void map_smm(struct vm *vm)
{
	struct slot *slot = slot_new(vm);

	*slot = vm->slot[1];
	slot->as = 1;
	slot->id = 0;
	slot = slot_new(vm);
	slot->boot = true;
	slot->as = 1;
	slot->id = SMRAM_ID;
	slot->gpa = BOOT_SMRAM;
	slot->offset = BOOT_SMRAM;
	slot->size = BOOT_SMRAM_SIZE;
}

/* Of a guest that has run without: what KVM has mapped, it has as large pages. */
void slots_log(struct vm *vm)
{
	u32 i;

	pthread_mutex_lock(&vm->slot_lock);
	vm->logs = true;
	for (i = 0; i < MAX_SLOTS; i++)
		if (vm->slot[i].used && !vm->slot[i].read_only)
			slot_set(vm, &vm->slot[i], true);
	pthread_mutex_unlock(&vm->slot_lock);
}

void slots_init(struct vm *vm)
{
	u32 i;

	vm->logs = !opt.late_log;
	map_ram0(vm);
	if (vm->nr_regions > 1)
		map_ram1(vm);
	if (vm->nr_regions > 2 && !opt.bare_vram)
		add(vm, 2, 0, vm->region[2].size >> KVMM_PAGE_SHIFT);
	map_alias(vm);
	if (vm->has_smm)
		map_smm(vm);
	for (i = 0; i < MAX_SLOTS; i++)
		if (vm->slot[i].used)
			slot_set(vm, &vm->slot[i], true);
}
