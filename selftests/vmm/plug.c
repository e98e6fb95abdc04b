// SPDX-License-Identifier: GPL-2.0
/*
 * RAM that comes and goes while the guest runs, as a DIMM that is plugged. The
 * guest has no driver for it: the VMM writes it, and logs that. It is a part of
 * RAM's hash as long as it is there.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <kcolo.h>

#include "plug.h"

#define DIMM_SIZE	(4ull << 20)
#define DIMM_SLOT	100
#define DIMM_WRITES	50
#define DEL_TRIES	100
#define DEL_EACH_US	50000

static void set_slot(struct vm *vm, bool there)
{
	struct kvm_userspace_memory_region r = {
		.slot = DIMM_SLOT,
		.flags = KVM_MEM_LOG_DIRTY_PAGES,
		.guest_phys_addr = GPA_DIMM,
		.memory_size = there ? DIMM_SIZE : 0,
		.userspace_addr = (u64)vm->plug.mem,
	};

	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &r))
		die(EXIT_USAGE, "the DIMM's memslot: %s", strerror(errno));
}

void plug_add(struct vm *vm, struct kcolo *k)
{
	vm->plug.mem = mmap(NULL, DIMM_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (vm->plug.mem == MAP_FAILED)
		die(EXIT_USAGE, "no memory for a DIMM");
	set_slot(vm, true);
	if (kcolo_region_add(k, "dimm", vm->plug.mem, DIMM_SIZE,
			     &vm->plug.region))
		die(EXIT_SESSION, "region dimm: %s", kcolo_error(k));
	vm->plug.leaving = false;
	say("a DIMM was plugged");
}

bool plug_del(struct vm *vm, struct kcolo *k)
{
	int tries = 0, err;

	/* Asked again as we are told to, as long as pages are being taken. */
	while ((err = kcolo_region_del(k, &vm->plug.region)) == -EAGAIN &&
	       tries++ < DEL_TRIES)
		usleep(DEL_EACH_US);
	if (err) {
		say("the DIMM stays: %s", kcolo_error(k));
		return false;
	}
	set_slot(vm, false);
	munmap(vm->plug.mem, DIMM_SIZE);
	vm->plug.mem = NULL;
	say("the DIMM was unplugged");
	return true;
}

void plug_write(struct vm *vm)
{
	u64 page, value;
	u32 i;

	for (i = 0; vm->plug.mem && i < DIMM_WRITES; i++) {
		page = random_below(DIMM_SIZE / KVMM_PAGE_SIZE);
		value = random_below(~0ull);
		memcpy(vm->plug.mem + page * KVMM_PAGE_SIZE, &value,
		       sizeof(value));
		kcolo_log_dirty(&vm->plug.region, page * KVMM_PAGE_SIZE,
				sizeof(value));
	}
}

u64 plug_hash(const struct vm *vm)
{
	const u64 *word = (const u64 *)vm->plug.mem;
	u64 i, hash = 1;

	if (!word || !vm->plug.counts)
		return 0;
	for (i = 0; i < DIMM_SIZE / sizeof(*word); i++)
		hash = (hash ^ word[i]) * 0x9fb21c651e98df25ull;
	return hash;
}
