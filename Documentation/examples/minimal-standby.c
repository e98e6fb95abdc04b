// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/kvm.h>
#include <kcolo.h>

static unsigned char ram[1 << 20] __attribute__((aligned(4096)));

int main(void)
{
	struct kvm_userspace_memory_region slot = { .memory_size = sizeof(ram),
		.guest_phys_addr = (1ull << 32) - sizeof(ram), .userspace_addr = (uintptr_t)ram };
	int vm = ioctl(open("/dev/kvm", O_RDWR), KVM_CREATE_VM, 0);
	int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0), state = KCOLO_STATE_IDLE;
	struct pollfd p = { .events = POLLIN };
	struct kcolo_region region;
	struct kcolo_event ev;
	struct kcolo *k;
	void *regs;
	size_t len;

	if (vcpu < 0 || ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot) || kcolo_open(&k))
		err(1, "KVM, or kcolo");
	if (kcolo_session_use_fd(k, atoi(getenv("KCOLO_FD") ?: "-1")) ||
	    kcolo_region_add(k, "ram", ram, sizeof(ram), &region) || kcolo_subscribe(k))
		errx(1, "%s", kcolo_error(k));
	p.fd = kcolo_event_fd(k);
	while (state != KCOLO_STATE_PROMOTED) {
		poll(&p, 1, -1);
		while (kcolo_event_next(k, &ev, 0) == 1) {
			state = ev.state;
			if (state == KCOLO_STATE_BROKEN || state == KCOLO_STATE_CLOSED)
				errx(1, "the session is %s", kcolo_state_name(state));
		}
	}
	if (kcolo_devstate_read(k, &regs, &len) || len != sizeof(struct kvm_regs))
		errx(1, "%s", kcolo_error(k));
	if (ioctl(vcpu, KVM_SET_REGS, regs))
		err(1, "KVM_SET_REGS");
	for (;; poll(NULL, 0, 1)) {		/* as the primary did, and without one */
		if (ioctl(vcpu, KVM_RUN, 0))
			err(1, "KVM_RUN");
		memcpy(ram + 0xf1000, ram + 0xf2000, 2);
	}
}
