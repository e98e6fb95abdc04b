// SPDX-License-Identifier: GPL-2.0
/* The kernel's primary, and a VMM for it whose guest has RAM and no vCPU. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "serve.h"

static int make_vm(struct serve *s)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
		.args[0] = KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE |
			   KVM_DIRTY_LOG_INITIALLY_SET,
	};
	struct kvm_userspace_memory_region slot = {
		.flags = KVM_MEM_LOG_DIRTY_PAGES,
		.memory_size = s->size,
	};
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm;
	size_t i;

	vm = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		fail("KVM: %s", strerror(errno));
	s->mem = mmap(NULL, s->size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->mem == MAP_FAILED)
		fail("no memory for a guest");
	for (i = 0; i < s->size; i += PAGE)
		s->mem[i] = 1 + i / PAGE % 255;
	slot.userspace_addr = (uintptr_t)s->mem;
	if (ioctl(vm, KVM_ENABLE_CAP, &cap) ||
	    ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot))
		fail("KVM: %s", strerror(errno));
	return vm;
}

static void add_guest(struct serve *s)
{
	if (kcolo_vm_attach(s->k, make_vm(s)))
		fail("vm-attach: %s", kcolo_error(s->k));
	if (kcolo_region_add(s->k, "ram0", s->mem, s->size, &s->region))
		fail("region: %s", kcolo_error(s->k));
	s->want = true;
}

static void await_vmm(struct serve *s)
{
	u64 end = now_ms() + SOON_MS;
	struct kcolo_session_info info;

	kcolo_session_use_name(s->k, opt.name);
	while (kcolo_session_get(s->k, &info)) {
		if (now_ms() > end)
			fail("no VMM has made session %s", opt.name);
		sleep_ms(20);
	}
	kcolo_session_info_free(&info);
}

struct serve *serve_new(u32 peer_timeout, size_t size)
{
	struct kcolo_session_config config = {
		.name = opt.name,
		.role = KCOLO_ROLE_PRIMARY,
		.peer = opt.addr,
		.insecure = true,
		.device_state = opt.external ? KCOLO_DEVICE_STATE_EXTERNAL :
				KCOLO_DEVICE_STATE_SESSION,
		.params = { .mask = KCOLO_PARAM_PEER_TIMEOUT |
				    KCOLO_PARAM_RECONNECT |
				    KCOLO_PARAM_PAUSE_LIMIT,
			    .peer_timeout = peer_timeout,
			    .pause_limit = LONG_MS,
			    .reconnect = opt.reconnect },
	};
	struct serve *s = xalloc(sizeof(*s));

	s->l = link_new();
	s->take = true;
	/* Little room: a peer that does not read is noticed. */
	s->listener = tcp_listen(&opt.addr, 64 << 10);
	if (s->listener < 0)
		fail("cannot listen: %s", strerror(errno));
	if (kcolo_open(&s->k))
		fail("kcolo: %s: is the module loaded?", strerror(errno));
	if (opt.vmm) {
		await_vmm(s);
		return s;
	}
	s->size = size;
	if (kcolo_session_new(s->k, &config))
		fail("a primary: %s", kcolo_error(s->k));
	if (size)
		add_guest(s);
	return s;
}

void primary_info(struct serve *s, struct kcolo_session_info *info)
{
	memset(info, 0, sizeof(*info));
	if (kcolo_session_get(s->k, info))
		fail("the session cannot be read: %s", kcolo_error(s->k));
	kcolo_session_info_free(info);
}

/* A step that comes too late, the checkpoint being over, is refused: no matter. */
void primary_drive(struct serve *s)
{
	struct kcolo_session_info info;
	uint64_t epoch;

	if (!s->size || kcolo_session_get(s->k, &info))
		return;
	kcolo_session_info_free(&info);
	switch (info.state) {
	case KCOLO_STATE_IDLE:
		if (s->want && !kcolo_checkpoint(s->k, KCOLO_KIND_PERIODIC, &epoch))
			s->want = false;
		break;
	case KCOLO_STATE_READY:
		if (!s->stay_ready)
			kcolo_flush(s->k);
		break;
	case KCOLO_STATE_FLUSHED:
		if (opt.external || !kcolo_devstate_write(s->k, "state", 5))
			kcolo_commit(s->k);
		break;
	default:
		break;
	}
}

void primary_wait(struct serve *s, enum kcolo_state state, enum kcolo_state state2,
		  u32 ms, bool busy, const char *when)
{
	struct kcolo_session_info info;
	u64 from = now_ms(), took;

	for (;;) {
		primary_info(s, &info);
		took = now_ms() - from;
		if (info.state == state || info.state == state2)
			break;
		if (took > ms)
			fail("%s: the primary is %s and not %s after %llu ms (%s)",
			     when, kcolo_state_name(info.state),
			     kcolo_state_name(state), took,
			     info.error);
		if (!busy || s->l->fd[0] < 0)
			sleep_ms(10);
		else if (serve_hear(s, 10) == TCP_CLOSED)
			link_cut(s->l);
		primary_drive(s);
	}
	note("%s: %s after %llu ms (%s: %s)", when, kcolo_state_name(info.state),
	     took,
	     kcolo_abort_reason_name(info.abort_reason), info.error);
}

void primary_says(struct serve *s, enum kcolo_abort_reason reason,
		  const char *error)
{
	struct kcolo_session_info info;

	/* A VMM of its own ends when the peer is lost, and the session with it. */
	if (opt.vmm)
		return;
	primary_info(s, &info);
	session_says(&info, reason, error);
}

void primary_del(struct serve *s)
{
	u64 from = now_ms();

	int err = kcolo_session_del(s->k);

	if (err && !(opt.vmm && err == -ENOENT))
		fail("session-del: %s", kcolo_error(s->k));
	session_gone(opt.name, GONE_MS);
	note("deleted within %llu ms", now_ms() - from);
	kcolo_close(s->k);
	link_cut(s->l);
	tcp_close(&s->listener);
}
