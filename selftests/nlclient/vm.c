// SPDX-License-Identifier: GPL-2.0
/* What vm-attach refuses, and memslots that a checkpoint cannot use. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "pair.h"

#define MANUAL	(KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | \
		 KVM_DIRTY_LOG_INITIALLY_SET)

static struct msg *attach(struct msg *m, int fd, int vm)
{
	msg_u32(msg_cmd(m, KCOLO_CMD_VM_ATTACH), KCOLO_A_SESSION_FD, fd);
	return msg_u32(m, KCOLO_A_SESSION_VM_FD, vm);
}

static int ring_vm(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_DIRTY_LOG_RING,
		.args[0] = 65536,
	};

	if (ioctl(vm, KVM_ENABLE_CAP, &cap))
		fail("the dirty ring: %s", strerror(errno));
	close(kvm);
	return vm;
}

static void vm_refused(void)
{
	static const char none[] = "vm-fd is no KVM VM: give what KVM_CREATE_VM returned";
	static const char needs[] = "vm-attach needs vm-fd, an open VM of KVM";
	struct kcolo *k = lone_primary(60000), *b = lone_secondary();
	struct kcolo *legacy = lone_primary(60000);
	int nl = nl_open(), fd = kcolo_session_fd(k), kvm;
	struct msg m;

	msg_u32(msg_cmd(&m, KCOLO_CMD_VM_ATTACH), KCOLO_A_SESSION_FD, fd);
	refused(nl, fd, "no vm-fd", &m, EINVAL, needs);
	refused(nl, fd, "a closed vm-fd", attach(&m, fd, 999), EINVAL, needs);
	refused(nl, fd, "vm-fd -1", attach(&m, fd, -1), EINVAL, needs);
	refused(nl, fd, "a socket", attach(&m, fd, nl), EINVAL, none);
	refused(nl, fd, "the session", attach(&m, fd, fd), EINVAL, none);
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	refused(nl, fd, "/dev/kvm", attach(&m, fd, kvm), EINVAL, none);
	refused(nl, fd, "a VM with the dirty ring", attach(&m, fd, ring_vm()),
		EOPNOTSUPP, "create it without KVM_CAP_DIRTY_LOG_RING");
	refused(nl, kcolo_session_fd(b), "a VM of a secondary",
		attach(&m, kcolo_session_fd(b), make_vm(NULL, 0, MANUAL)),
		EBUSY, kernel_version() >= 6003 ?
		"a secondary in state connecting cannot do this" :
		"the session's state does not allow this");
	granted(nl, "a VM", attach(&m, fd, make_vm(NULL, 0, MANUAL)));
	granted(nl, "a VM with legacy logs",
		attach(&m, kcolo_session_fd(legacy), make_vm(NULL, 0, 0)));
	refused(nl, fd, "a second VM", attach(&m, fd, make_vm(NULL, 0, MANUAL)),
		EBUSY, "the session has a VM already");
}

static void send_vm(int to)
{
	char buf[CMSG_SPACE(sizeof(int))] __attr(aligned(8)) = { 0 }, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = buf, .msg_controllen = sizeof(buf) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int vm = make_vm(NULL, 0, MANUAL);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &vm, sizeof(vm));
	if (sendmsg(to, &msg, 0) != 1)
		fail("a VM cannot be sent: %s", strerror(errno));
}

static int receive_vm(int from)
{
	char buf[CMSG_SPACE(sizeof(int))] __attr(aligned(8)), byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = buf, .msg_controllen = sizeof(buf) };
	int vm;

	if (recvmsg(from, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		fail("no VM came: %s", strerror(errno));
	memcpy(&vm, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(vm));
	return vm;
}

/* A VM of a child's; @stay keeps the child alive until the far end closes. */
static int vm_of_child(int sock[2], bool stay)
{
	int vm;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock))
		fail("socketpair: %s", strerror(errno));
	if (!fork()) {
		char byte;

		close(sock[0]);
		send_vm(sock[1]);
		if (stay && read(sock[1], &byte, 1) < 0)
			exit(1);
		exit(0);
	}
	close(sock[1]);
	vm = receive_vm(sock[0]);
	return vm;
}

static void vm_other_process(void)
{
	struct kcolo *k = lone_primary(60000);
	int nl = nl_open(), fd = kcolo_session_fd(k), sock[2], vm;
	struct msg m;

	vm = vm_of_child(sock, false);
	sleep_ms(300 * slow);
	refused(nl, fd, "a VM of a dead process", attach(&m, fd, vm), ESRCH,
		"the VMM of this VM has died");
	close(vm);
	vm = vm_of_child(sock, true);
	granted(nl, "a VM of a child", attach(&m, fd, vm));
	msg_u32(msg_cmd(&m, KCOLO_CMD_REGION_ADD), KCOLO_A_SESSION_FD, fd);
	refused(nl, fd, "a region of ours beside a VM of a child",
		msg_region(&m, "r", (uintptr_t)make_ram(PAGE), PAGE), EXDEV,
		"the VM and the regions of a session belong to one process");
	close(vm);
	close(sock[0]);
}

static void set_slot(struct pair *p, u32 flags)
{
	struct kvm_userspace_memory_region slot = {
		.flags = flags,
		.memory_size = RAM_SIZE,
		.userspace_addr = (uintptr_t)p->mem,
	};

	if (ioctl(p->vm, KVM_SET_USER_MEMORY_REGION, &slot))
		fail("memslot: %s", strerror(errno));
}

static void vm_slots(void)
{
	struct pair p;

	pair_up(&p, 60000);
	set_slot(&p, 0);
	pair_gives_up(&p, KCOLO_ABORT_REASON_DIRTY_LOG,
		      "a memslot over a region lacks KVM_MEM_LOG_DIRTY_PAGES or has private memory");
	set_slot(&p, KVM_MEM_LOG_DIRTY_PAGES);
	pair_checkpoint(&p);
	set_slot(&p, 0);
	pair_gives_up(&p, KCOLO_ABORT_REASON_DIRTY_LOG,
		      "a memslot over a region lacks KVM_MEM_LOG_DIRTY_PAGES or has private memory");
	set_slot(&p, KVM_MEM_LOG_DIRTY_PAGES);
	pair_write(&p, 0, PAGE, 9);
	pair_checkpoint(&p);
}

/* No generation tells of that. */
static void set_manual(struct pair *p, u64 manual)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
		.args[0] = manual,
	};

	if (ioctl(p->vm, KVM_ENABLE_CAP, &cap))
		fail("manual protect: %s", strerror(errno));
}

static void vm_manual(void)
{
	struct pair p;

	pair_up(&p, 60000);
	set_manual(&p, 0);
	pair_checkpoint(&p);
	set_manual(&p, MANUAL);
	pair_write(&p, 0, PAGE, 9);
	pair_checkpoint(&p);
	pair_write(&p, PAGE, PAGE, 9);
	pair_ready(&p);
	set_manual(&p, 0);
	pair_write(&p, 2 * PAGE, PAGE, 9);
	pair_flush(&p);
	set_manual(&p, MANUAL);
	if (kcolo_abort(p.a))
		fail("abort: %s", kcolo_error(p.a));
	await_state(p.a, KCOLO_STATE_IDLE);
	pair_checkpoint(&p);
}

const struct scenario vm_scenarios[] = {
	{ "vm-refused", "what is no VM, or one that cannot be protected",
	  vm_refused },
	{ "vm-other-process", "VMs of other and of dead processes",
	  vm_other_process },
	{ "vm-slots", "memslots without a log: aborted, and then good",
	  vm_slots },
	{ "vm-manual", "manual protect goes and comes: checkpoints go on",
	  vm_manual },
	{ 0 }
};
