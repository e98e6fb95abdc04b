// SPDX-License-Identifier: GPL-2.0
/*
 * The VM: its file, the memory of its VMM, and which memslot lies over which
 * region. KVM is used through the VM's file and the ioctls that any VMM has;
 * of struct kvm only the memslots and the generation are read, under SRCU.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/kvm_host.h>
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "gfp.h"
#include "guest.h"
#include "mutate.h"

static void guest_mm_release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	struct kcolo_guest *guest = container_of(mn, struct kcolo_guest, mn);

	/* Called by unregistering, too: that is no death. */
	if (READ_ONCE(guest->released))
		return;
	WRITE_ONCE(guest->gone, true);
	guest->on_gone(guest);
}

static const struct mmu_notifier_ops guest_mn_ops = {
	.release = guest_mm_release,
};

/**
 * kcolo_guest_init - make a guest of which nothing is known
 * @guest: to be
 * @on_gone: called when the VMM dies
 */
void kcolo_guest_init(struct kcolo_guest *guest,
		      void (*on_gone)(struct kcolo_guest *guest))
{
	memset(guest, 0, sizeof(*guest));
	mutex_init(&guest->adopt_lock);
	mutex_init(&guest->lock);
	guest->on_gone = on_gone;
}

static int adopt(struct kcolo_guest *guest, struct mm_struct *mm)
{
	int err;

	lockdep_assert_held(&guest->adopt_lock);
	if (guest->gone || guest->released)
		return -ESRCH;
	if (guest->mm)
		return guest->mm == mm ? 0 : -EXDEV;
	guest->mn.ops = &guest_mn_ops;
	err = mmu_notifier_register(&guest->mn, mm);
	if (err)
		return err;
	WRITE_ONCE(guest->memcg, get_mem_cgroup_from_mm(mm));
	WRITE_ONCE(guest->mm, mm);
	return 0;
}

static int refuse_adopt(int err, struct netlink_ext_ack *extack)
{
	switch (err) {
	case -ESRCH:
		NL_SET_ERR_MSG(extack, "the VMM has died: delete the session");
		break;
	case -EXDEV:
		NL_SET_ERR_MSG(extack,
			       "the VM and the regions of a session belong to one process");
		break;
	case -EINTR:
		NL_SET_ERR_MSG(extack, "interrupted: ask again");
		break;
	default:
		NL_SET_ERR_MSG(extack, "the process's memory cannot be watched");
	}
	return err;
}

/**
 * kcolo_guest_adopt - take a VMM's memory as the guest's
 * @guest: guest
 * @mm: with users, held by the caller
 * @extack: where a refusal says what to do
 *
 * Context: waits for @mm's mmap_lock, for as long as its owner likes: not under
 * a lock that somebody else may want.
 * Return: 0, -EXDEV when another memory was adopted before, -ESRCH when the
 * VMM has died, or another negative errno.
 */
int kcolo_guest_adopt(struct kcolo_guest *guest, struct mm_struct *mm,
		      struct netlink_ext_ack *extack)
{
	int err;

	mutex_lock(&guest->adopt_lock);
	err = adopt(guest, mm);
	mutex_unlock(&guest->adopt_lock);
	return err ? refuse_adopt(err, extack) : 0;
}

static bool is_initially_set(const struct kvm *kvm)
{
	return READ_ONCE(kvm->manual_dirty_log_protect) &
	       KVM_DIRTY_LOG_INITIALLY_SET;
}

static int check_vm(struct file *file, struct netlink_ext_ack *extack)
{
	struct kvm *kvm;

	if (!file_is_kvm(file)) {
		NL_SET_ERR_MSG(extack, "vm-fd is no KVM VM: give what KVM_CREATE_VM returned");
		return -EINVAL;
	}
	kvm = file->private_data;
	if (kvm->dirty_ring_size) {
		NL_SET_ERR_MSG(extack,
			       "the VM uses the dirty ring, which has no bitmap to read: create it without KVM_CAP_DIRTY_LOG_RING");
		return -EOPNOTSUPP;
	}
	return 0;
}

/**
 * kcolo_guest_attach - take a VM
 * @guest: guest
 * @file: the VM's; a reference is taken
 * @extack: where a refusal says what to do
 *
 * Context: as kcolo_guest_adopt().
 * Return: 0 or a negative errno.
 */
int kcolo_guest_attach(struct kcolo_guest *guest, struct file *file,
		       struct netlink_ext_ack *extack)
{
	int err = check_vm(file, extack);
	struct kvm *kvm;

	if (err)
		return err;
	kvm = file->private_data;
	if (!mmget_not_zero(kvm->mm)) {
		NL_SET_ERR_MSG(extack, "the VMM of this VM has died");
		return -ESRCH;
	}
	mutex_lock(&guest->adopt_lock);
	if (guest->vm_file) {
		NL_SET_ERR_MSG(extack, "the session has a VM already");
		err = -EBUSY;
		goto out;
	}
	err = adopt(guest, kvm->mm);
	if (err) {
		refuse_adopt(err, extack);
		goto out;
	}
	mutex_lock(&guest->lock);
	guest->vm_file = get_file(file);
	guest->initially_set = is_initially_set(kvm);
	mutex_unlock(&guest->lock);
out:
	mutex_unlock(&guest->adopt_lock);
	/* Not before: its death has the file let go of again. */
	mmput_async(kvm->mm);
	return err;
}

/**
 * kcolo_guest_vm - get the VM's file
 * @guest: guest
 *
 * Return: a reference that the caller owns, or NULL when there is none.
 */
struct file *kcolo_guest_vm(struct kcolo_guest *guest)
{
	struct file *file;

	mutex_lock(&guest->lock);
	file = guest->vm_file;
	if (file)
		get_file(file);
	mutex_unlock(&guest->lock);
	return file;
}

/**
 * kcolo_guest_drop_vm - let go of the VM
 * @guest: guest
 *
 * The VM, and with it the memory it holds, can be freed.
 */
void kcolo_guest_drop_vm(struct kcolo_guest *guest)
{
	struct file *file;

	mutex_lock(&guest->lock);
	file = guest->vm_file;
	guest->vm_file = NULL;
	mutex_unlock(&guest->lock);
	if (file)
		fput(file);
}

/**
 * kcolo_guest_release - let go of the VM and of the VMM's memory
 * @guest: guest; no thread uses it any more
 *
 * Context: may sleep; not from the notifier.
 */
void kcolo_guest_release(struct kcolo_guest *guest)
{
	/* Nothing is adopted any more. */
	mutex_lock(&guest->adopt_lock);
	WRITE_ONCE(guest->released, true);
	mutex_unlock(&guest->adopt_lock);
	kcolo_guest_drop_vm(guest);
	if (!guest->mm)
		return;
	mmu_notifier_unregister(&guest->mn, guest->mm);
	guest->mm = NULL;
	mem_cgroup_put(guest->memcg);
	guest->memcg = NULL;
}

/**
 * kcolo_guest_enter - use the VMM's memory from a kernel thread
 * @guest: guest whose mm is known
 *
 * Holds the memory's users up to kcolo_guest_leave(): for a batch, never
 * while waiting for the network.
 *
 * Return: false when the VMM has died.
 */
bool kcolo_guest_enter(struct kcolo_guest *guest)
{
	if (!guest->mm || !mmget_not_zero(guest->mm))
		return false;
	kthread_use_mm(guest->mm);
	return true;
}

/**
 * kcolo_guest_leave - end what kcolo_guest_enter() began
 * @guest: guest
 */
void kcolo_guest_leave(struct kcolo_guest *guest)
{
	kthread_unuse_mm(guest->mm);
	/* Ours may be the last user: do not tear the VMM's memory down here. */
	if (!kcolo_mutant(keep_mm))
		mmput_async(guest->mm);
}

static void release_vcpus(struct kvm *kvm, unsigned long nr)
{
	struct kvm_vcpu *vcpu;
	unsigned long i;

	kvm_for_each_vcpu(i, vcpu, kvm) {
		if (i == nr)
			break;
		mutex_unlock(&vcpu->mutex);
	}
	mutex_unlock(&kvm->lock);
}

/**
 * kcolo_guest_hold_vcpus - keep all vCPUs from running
 * @vm: the VM's file
 *
 * No vCPU is made meanwhile either. To be ended by
 * kcolo_guest_release_vcpus().
 *
 * Return: false when one of them runs; then none is held.
 */
bool kcolo_guest_hold_vcpus(struct file *vm)
{
	struct kvm *kvm = vm->private_data;
	struct kvm_vcpu *vcpu;
	unsigned long i;

	mutex_lock(&kvm->lock);
	kvm_for_each_vcpu(i, vcpu, kvm) {
		if (mutex_trylock(&vcpu->mutex))
			continue;
		release_vcpus(kvm, i);
		return false;
	}
	return true;
}

/**
 * kcolo_guest_release_vcpus - end what kcolo_guest_hold_vcpus() began
 * @vm: the same file
 */
void kcolo_guest_release_vcpus(struct file *vm)
{
	release_vcpus(vm->private_data, ULONG_MAX);
}

static int slots_reserve(struct kcolo_slots *slots, unsigned int nr)
{
	struct kcolo_slot *slot;

	if (nr <= slots->cap)
		return 0;
	slot = kvcalloc(nr, sizeof(*slot), KCOLO_GFP);
	if (!slot)
		return -ENOMEM;
	kvfree(slots->slot);
	slots->slot = slot;
	slots->cap = nr;
	return 0;
}

/* Where @ms and @region overlap, or false. */
static bool overlap(const struct kvm_memory_slot *ms,
		    struct kcolo_region *region, struct kcolo_slot *slot)
{
	unsigned long ms_end = ms->userspace_addr + (ms->npages << PAGE_SHIFT);
	unsigned long end = region->hva + (region->nr_pages << PAGE_SHIFT);
	unsigned long lo = max(ms->userspace_addr, region->hva);
	unsigned long hi = min(ms_end, end);

	if (lo >= hi)
		return false;
	slot->number = (u32)ms->as_id << 16 | (u16)ms->id;
	slot->region = region;
	slot->first = (lo - region->hva) >> PAGE_SHIFT;
	slot->slot_first = (lo - ms->userspace_addr) >> PAGE_SHIFT;
	slot->nr_pages = (hi - lo) >> PAGE_SHIFT;
	slot->slot_pages = ms->npages;
	return true;
}

/*
 * Under kvm->srcu. Counts all overlaps, stores those that there is room for.
 * A read-only slot takes no writes of the guest and needs no log.
 */
static int slots_scan(struct kcolo_slots *slots, struct kvm_memslots *ms_set,
		      struct kcolo_region **region, unsigned int nr_regions,
		      unsigned int *found)
{
	struct kvm_memory_slot *ms;
	struct kcolo_slot slot;
	unsigned int i;
	int bkt;

	kvm_for_each_memslot(ms, bkt, ms_set) {
		for (i = 0; i < nr_regions; i++) {
			if (!overlap(ms, region[i], &slot))
				continue;
			if (kcolo_slot_is_private(ms))
				return -EOPNOTSUPP;
			if (!(ms->flags & KVM_MEM_LOG_DIRTY_PAGES)) {
				if (ms->flags & KVM_MEM_READONLY)
					continue;
				return -EOPNOTSUPP;
			}
			if (*found < slots->cap)
				slots->slot[*found] = slot;
			slots->largest = max_t(u64, slots->largest, ms->npages);
			++*found;
		}
	}
	return 0;
}

/*
 * Under INITIALLY_SET, KVM splits a large page when a bit of it is cleared for
 * the first time. Switched off after a memslot has begun to log, it never does:
 * bits are cleared, and what is written to the rest of the page sets none.
 * Without large pages there is no difference; memslots that log get no new ones.
 */
static bool look_unlogged(struct kcolo_slots *slots, struct kvm *kvm)
{
	bool large = atomic64_read(&kvm->stat.pages_2m) ||
		     atomic64_read(&kvm->stat.pages_1g);

	if (is_initially_set(kvm))
		slots->initially_set = true;
	else if (slots->initially_set && large && !kcolo_mutant(trust_large))
		slots->unlogged = true;
	/* Switched on again, it says nothing of the bits that were cleared. */
	if (!large)
		slots->unlogged = false;
	return slots->unlogged;
}

/**
 * kcolo_slots_read - find the memslots that lie over regions
 * @slots: filled in; zeroed before its first use
 * @vm: the VM's file
 * @region: the regions
 * @nr_regions: number of regions
 *
 * What is found is of one moment, the generations of which are in @slots; it
 * may have changed before this returns.
 *
 * Return: 0, -EOPNOTSUPP when a slot over a region does not log dirty pages
 * or has private memory, -ESTALE when KVM does not log large pages any more, or
 * -ENOMEM.
 */
int kcolo_slots_read(struct kcolo_slots *slots, struct file *vm,
		     struct kcolo_region **region, unsigned int nr_regions)
{
	struct kvm *kvm = vm->private_data;
	struct kvm_memslots *set;
	unsigned int found;
	int as, idx, err;

	if (look_unlogged(slots, kvm))
		return -ESTALE;
	do {
		found = 0;
		err = 0;
		slots->largest = 0;
		slots->nr_as = kcolo_mutant(one_space) ? 1 :
			kcolo_kvm_nr_as(kvm);
		idx = srcu_read_lock(&kvm->srcu);
		for (as = 0; as < slots->nr_as && !err; as++) {
			set = __kvm_memslots(kvm, as);
			slots->gen[as] = READ_ONCE(set->generation);
			err = slots_scan(slots, set, region, nr_regions, &found);
		}
		srcu_read_unlock(&kvm->srcu, idx);
		if (err)
			return err;
		if (found <= slots->cap)
			break;
		err = slots_reserve(slots, found + 8);
	} while (!err);
	slots->nr = err ? 0 : found;
	return err;
}

/**
 * kcolo_slots_alike - how many overlaps are of one memslot
 * @slots: read before
 * @i: the first of them
 *
 * Return: 1 or more; they stand next to each other.
 */
unsigned int kcolo_slots_alike(const struct kcolo_slots *slots, unsigned int i)
{
	unsigned int end = i;

	if (kcolo_mutant(get_again))
		return 1;
	while (++end < slots->nr &&
	       slots->slot[end].number == slots->slot[i].number)
		;
	return end - i;
}

/**
 * kcolo_slots_current - whether memslots still are what they were
 * @slots: read before
 * @vm: the VM's file
 *
 * A number stands for the same slot in two calls between which this is true
 * throughout: generations only grow, and each change of a slot, of its flags
 * too, makes a new one.
 *
 * Return: false when any address space has changed since, or what KVM logs.
 */
bool kcolo_slots_current(struct kcolo_slots *slots, struct file *vm)
{
	struct kvm *kvm = vm->private_data;
	bool same = !look_unlogged(slots, kvm);
	int as, idx;

	idx = srcu_read_lock(&kvm->srcu);
	for (as = 0; as < slots->nr_as; as++)
		if (READ_ONCE(__kvm_memslots(kvm, as)->generation) !=
		    slots->gen[as])
			same = false;
	srcu_read_unlock(&kvm->srcu, idx);
	return same;
}

/**
 * kcolo_slots_free - free what reading has allocated
 * @slots: zeroed afterwards
 */
void kcolo_slots_free(struct kcolo_slots *slots)
{
	kvfree(slots->slot);
	memset(slots, 0, sizeof(*slots));
}
