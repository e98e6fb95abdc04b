// SPDX-License-Identifier: GPL-2.0
/*
 * What reading KVM's dirty log does: with manual protect it copies it, without it
 * clears it too (a legacy log). --manual says which; --toggle-log has it change
 * while the guest runs, which is in no generation of the memslots.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "kvmm.h"

void log_manual(struct vm *vm, enum manual manual)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
	};

	if (manual != MANUAL_OFF)
		cap.args[0] = KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE;
	if (manual == MANUAL_INITIAL)
		cap.args[0] |= KVM_DIRTY_LOG_INITIALLY_SET;
	if (ioctl(vm->fd, KVM_ENABLE_CAP, &cap))
		die(EXIT_USAGE, "KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2: %s",
		    strerror(errno));
}

static void *toggle_main(void *arg)
{
	enum manual other = opt.manual == MANUAL_OFF ? MANUAL_PLAIN : MANUAL_OFF;
	struct vm *vm = arg;

	while (atomic_load(&vm->toggling)) {
		sleep_ms(1 + random_below(2ull * opt.toggle_ms));
		log_manual(vm, atomic_fetch_add(&vm->toggles, 1) % 2 ?
			   opt.manual : other);
	}
	return NULL;
}

void toggle_start(struct vm *vm)
{
	if (!opt.toggle_ms)
		return;
	atomic_store(&vm->toggling, true);
	if (pthread_create(&vm->toggle_thread, NULL, toggle_main, vm))
		die(EXIT_USAGE, "cannot create the thread of --toggle-log");
}

void toggle_stop(struct vm *vm)
{
	if (atomic_exchange(&vm->toggling, false))
		pthread_join(vm->toggle_thread, NULL);
}
