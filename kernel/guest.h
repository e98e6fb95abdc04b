/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_GUEST_H
#define KCOLO_GUEST_H

#include <linux/kcolo.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include "compat.h"

/* Regions of a session, at most. */
#define KCOLO_MAX_REGIONS	64

struct file;
struct mem_cgroup;
struct netlink_ext_ack;

/**
 * struct kcolo_region - a named piece of guest RAM
 * @id: its number on this host: where its log is mapped
 * @wire: its number in the last REGIONS (primary)
 * @name: the same on both hosts
 * @hva: where it begins in the VMM's memory
 * @nr_pages: its size
 * @pending: dirty and not sent; the worker's own (primary)
 * @unacked: sent since the last commit; the worker's own (primary)
 * @nr_pending: bits set in @pending
 * @nr_unacked: bits set in @unacked
 * @log: a bit a page, or NULL. Primary: the user log, set
 *	by the VMM and taken by the worker. Secondary with external device
 *	state: the applied log, set when the page was put in place and taken by
 *	the VMM. All with atomic operations.
 * @log_size: bytes of @log
 * @in_place: pages are put in it as they come; it is no base image (secondary)
 * @based: primary: the peer has of it what was committed last, or is clean;
 *	secondary: it is that
 */
struct kcolo_region {
	u32 id;
	u32 wire;
	char name[KCOLO_NAME_MAX + 1];
	unsigned long hva;
	u64 nr_pages;
	unsigned long *pending;
	unsigned long *unacked;
	u64 nr_pending;
	u64 nr_unacked;
	unsigned long *log;
	size_t log_size;
	bool in_place;
	bool based;
};

/**
 * struct kcolo_guest - the VM and the memory of its VMM
 * @adopt_lock: over setting @mm and @vm_file, and @released
 * @lock: leaf; over @vm_file and @initially_set
 * @vm_file: the VM's file, held; NULL on a secondary and when the VMM is gone
 * @initially_set: KVM_DIRTY_LOG_INITIALLY_SET was on when it was attached
 * @mm: the VMM's, its structure held by @mn; NULL until known. Set once.
 * @memcg: the memory cgroup that the VMM was in then, held; NULL until known, and
 *	without cgroups
 * @mn: tells when the memory goes
 * @gone: the VMM has died
 * @released: what the notifier says from now on is its own end
 * @on_gone: called once from the notifier; may not wait for anything
 */
struct kcolo_guest {
	struct mutex adopt_lock;	/* over setting mm, vm_file, released */
	struct mutex lock;	/* over vm_file, initially_set */
	struct file *vm_file;
	bool initially_set;
	struct mm_struct *mm;
	struct mem_cgroup *memcg;
	struct mmu_notifier mn;
	bool gone;
	bool released;
	void (*on_gone)(struct kcolo_guest *guest);
};

/* What to do about -ESTALE of kcolo_slots_read(). */
#define KCOLO_LARGE_UNLOGGED						\
	"KVM_DIRTY_LOG_INITIALLY_SET was switched off, and KVM does not log large pages: set KVM_MEM_LOG_DIRTY_PAGES of all memslots off and on"

/**
 * struct kcolo_slot - where a memslot and a region overlap
 * @number: as_id << 16 | id, as KVM's ioctls want it
 * @region: the region
 * @first: first page of the overlap in the region
 * @slot_first: the same page in the slot
 * @nr_pages: pages of the overlap
 * @slot_pages: pages of the slot
 */
struct kcolo_slot {
	u32 number;
	struct kcolo_region *region;
	u64 first;
	u64 slot_first;
	u64 nr_pages;
	u64 slot_pages;
};

/**
 * struct kcolo_slots - what the memslots were at one time
 * @slot: kvmalloc()ed; a slot over several regions is there for each of them,
 *	one after the other
 * @nr: used
 * @cap: allocated
 * @gen: generation of each address space then
 * @nr_as: number of address spaces
 * @largest: pages of the largest slot in @slot
 * @initially_set: KVM_DIRTY_LOG_INITIALLY_SET was seen switched on
 * @unlogged: it was seen switched off later, while there were large pages
 */
struct kcolo_slots {
	struct kcolo_slot *slot;
	unsigned int nr;
	unsigned int cap;
	u64 gen[KCOLO_KVM_MAX_AS];
	int nr_as;
	u64 largest;
	bool initially_set;
	bool unlogged;
};

void kcolo_guest_init(struct kcolo_guest *guest,
		      void (*on_gone)(struct kcolo_guest *guest));
int kcolo_guest_attach(struct kcolo_guest *guest, struct file *file,
		       struct netlink_ext_ack *extack);
int kcolo_guest_adopt(struct kcolo_guest *guest, struct mm_struct *mm,
		      struct netlink_ext_ack *extack);
void kcolo_guest_drop_vm(struct kcolo_guest *guest);
void kcolo_guest_release(struct kcolo_guest *guest);
struct file *kcolo_guest_vm(struct kcolo_guest *guest);
bool kcolo_guest_hold_vcpus(struct file *vm);
void kcolo_guest_release_vcpus(struct file *vm);
bool kcolo_guest_enter(struct kcolo_guest *guest);
void kcolo_guest_leave(struct kcolo_guest *guest);

int kcolo_slots_read(struct kcolo_slots *slots, struct file *vm,
		     struct kcolo_region **region, unsigned int nr_regions);
unsigned int kcolo_slots_alike(const struct kcolo_slots *slots, unsigned int i);
bool kcolo_slots_current(struct kcolo_slots *slots, struct file *vm);
void kcolo_slots_free(struct kcolo_slots *slots);

#endif
