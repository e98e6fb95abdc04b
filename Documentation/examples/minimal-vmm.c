// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/kvm.h>
#include <kcolo.h>

/* 1: inc %ax; mov $0x2000,%bx; 2: mov %ax,%cs:(%bx); add $0x1000,%bx; cmp $0xf0,%bh; jne 2b;
 * hlt; jmp 1b. A CPU begins 16 bytes below 4 GiB, where this RAM ends: jmp 1b.
 */
static unsigned char ram[1 << 20] __attribute__((aligned(4096))) = {
	[0xf0000] = 0x40, 0xbb, 0, 0x20, 0x2e, 0x89, 7, 0x81, 0xc3, 0, 0x10, 0x80, 0xff, 0xf0,
	0x75, 0xf4, 0xf4, 0xeb, 0xed, [0xffff0] = 0xe9, 13, 0 };
#define RUNS (1 << KCOLO_STATE_IDLE | 1 << KCOLO_STATE_PRECOPY | 1 << KCOLO_STATE_APPLYING)

int main(void)
{
	struct kvm_userspace_memory_region slot = { .flags = KVM_MEM_LOG_DIRTY_PAGES,
		.guest_phys_addr = (1ull << 32) - sizeof(ram), .memory_size = sizeof(ram),
		.userspace_addr = (uintptr_t)ram };
	struct kvm_enable_cap log = { .cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, .args = { 1 } };
	int vm = ioctl(open("/dev/kvm", O_RDWR), KVM_CREATE_VM, 0);
	int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0), state = KCOLO_STATE_IDLE, ticks = 0;
	struct pollfd p = { .events = POLLIN };
	struct kcolo_region region;
	struct kcolo_event ev;
	struct kvm_regs regs;		/* all the device state that there is */
	struct kcolo *k;

	if (vcpu < 0 || ioctl(vm, KVM_ENABLE_CAP, &log) ||
	    ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot) || kcolo_open(&k))
		err(1, "KVM, or kcolo");
	if (kcolo_session_use_fd(k, atoi(getenv("KCOLO_FD") ?: "-1")) || kcolo_vm_attach(k, vm) ||
	    kcolo_region_add(k, "ram", ram, sizeof(ram), &region) || kcolo_subscribe(k) ||
	    kcolo_wait_connected(k, -1))
		errx(1, "%s", kcolo_error(k));
	for (p.fd = kcolo_event_fd(k);; poll(&p, 1, 1 << state & RUNS ? 1 : -1)) {
		while (kcolo_event_next(k, &ev, 0) == 1) {
			state = ev.state;
			if (ev.type != KCOLO_EVENT_TYPE_CHECKPOINT_READY)
				continue;
			if (ioctl(vcpu, KVM_GET_REGS, &regs) || kcolo_flush(k) ||
			    kcolo_devstate_write(k, &regs, sizeof(regs)) || kcolo_commit(k))
				kcolo_abort(k);
		}
		if (!(1 << state & RUNS))	/* the guest is paused, or runs elsewhere */
			continue;
		if (ioctl(vcpu, KVM_RUN, 0))	/* until it says hlt */
			err(1, "KVM_RUN");
		memcpy(ram + 0xf1000, ram + 0xf2000, 2);	/* a device's DMA */
		kcolo_log_dirty(&region, 0xf1000, 2);
		if (state == KCOLO_STATE_IDLE && ++ticks % 100 == 0 &&
		    !kcolo_checkpoint(k, KCOLO_KIND_PERIODIC, NULL))
			state = KCOLO_STATE_PRECOPY;
	}
}
