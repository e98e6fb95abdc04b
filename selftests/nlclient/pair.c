// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "pair.h"

static int ns_here = -1, ns_b = -1;

void new_name(char *name, size_t size)
{
	static unsigned int n;

	if (session_name)
		snprintf(name, size, "%s", session_name);
	else
		snprintf(name, size, "nl%d.%u", getpid(), n++);
}

u16 new_port(void)
{
	static u16 n;

	return 20000 + (getpid() * 16 + n++) % 10000;
}

union kcolo_addr address(const char *host, u16 port)
{
	union kcolo_addr addr = { .in = { .sin_family = AF_INET } };

	addr.in.sin_port = htons(port);
	if (inet_pton(AF_INET, host, &addr.in.sin_addr) != 1)
		fail("%s is not of IPv4", host);
	return addr;
}

void enter_b(void)
{
	if (ns_b < 0) {
		ns_here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		ns_b = open("/run/netns/b", O_RDONLY | O_CLOEXEC);
	}
	if (ns_b < 0 || ns_here < 0 || setns(ns_b, CLONE_NEWNET))
		fail("network namespace b: %s", strerror(errno));
}

void leave_b(void)
{
	if (setns(ns_here, CLONE_NEWNET))
		fail("network namespace: %s", strerror(errno));
}

static struct kcolo *make_session(const char *name, enum kcolo_role role,
				  union kcolo_addr addr, u32 peer_timeout,
				  enum kcolo_device_state device_state)
{
	struct kcolo_session_config config = {
		.name = name,
		.role = role,
		.insecure = true,
		.device_state = device_state,
		.params = { .mask = KCOLO_PARAM_PEER_TIMEOUT |
				    KCOLO_PARAM_RECONNECT |
				    KCOLO_PARAM_PAUSE_LIMIT,
			    .peer_timeout = peer_timeout,
			    .pause_limit = 0 },
	};
	struct kcolo *k;

	if (role == KCOLO_ROLE_PRIMARY)
		config.peer = addr;
	else
		config.local = addr;
	if (kcolo_open(&k))
		fail("kcolo: %s: is the module loaded?", strerror(errno));
	if (kcolo_session_new(k, &config))
		fail("session %s: %s", name, kcolo_error(k));
	return k;
}

void read_session(struct kcolo *k, struct kcolo_session_info *info)
{
	memset(info, 0, sizeof(*info));
	if (kcolo_session_get(k, info))
		fail("the session cannot be read: %s", kcolo_error(k));
	kcolo_session_info_free(info);
}

struct kcolo *lone_primary(u32 peer_timeout)
{
	u64 end = now_ms() + SOON_MS;
	struct kcolo_session_info info;
	struct kcolo *k;
	char name[32];

	new_name(name, sizeof(name));
	k = make_session(name, KCOLO_ROLE_PRIMARY, address("127.0.0.1", new_port()),
			 peer_timeout, KCOLO_DEVICE_STATE_SESSION);
	/* Its error in words comes with the first try, and then stays. */
	do {
		sleep_ms(5);
		read_session(k, &info);
	} while (!info.error[0] && now_ms() < end);
	return k;
}

struct kcolo *lone_secondary(void)
{
	char name[32];

	new_name(name, sizeof(name));
	return make_session(name, KCOLO_ROLE_SECONDARY,
		       address("127.0.0.1", new_port()), 60000,
		       KCOLO_DEVICE_STATE_SESSION);
}

u8 *make_ram(size_t size)
{
	u8 *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		fail("no memory for a guest");
	return mem;
}

int make_vm(u8 *mem, size_t size, u64 manual)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
		.args[0] = manual,
	};
	struct kvm_userspace_memory_region slot = {
		.flags = KVM_MEM_LOG_DIRTY_PAGES,
		.memory_size = size,
		.userspace_addr = (uintptr_t)mem,
	};
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm;

	vm = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0 || (manual && ioctl(vm, KVM_ENABLE_CAP, &cap)) ||
	    (size && ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot)))
		fail("KVM: %s", strerror(errno));
	close(kvm);
	fcntl(vm, F_SETFD, FD_CLOEXEC);
	return vm;
}

enum kcolo_state state_of(struct kcolo *k, struct kcolo_session_info *info)
{
	read_session(k, info);
	return info->state;
}

void await_state(struct kcolo *k, enum kcolo_state state)
{
	u64 end = now_ms() + SOON_MS;
	struct kcolo_session_info info;

	while (state_of(k, &info) != state) {
		if (now_ms() > end)
			fail("a %s is %s and not %s (%s)",
			     kcolo_role_name(info.role),
			     kcolo_state_name(info.state),
			     kcolo_state_name(state), info.error);
		sleep_ms(2);
	}
}

void await_gone(const char *name, u32 ms)
{
	u64 end = now_ms() + ms;
	struct kcolo_session_info info;
	struct kcolo *k;
	int err;

	if (kcolo_open(&k) || kcolo_session_use_name(k, name))
		fail("kcolo: %s", strerror(errno));
	while ((err = kcolo_session_get(k, &info)) != -ENOENT) {
		if (err)
			fail("the session cannot be read: %s", kcolo_error(k));
		kcolo_session_info_free(&info);
		if (now_ms() > end)
			fail("session %s has not ended after %u ms", name, ms);
		sleep_ms(2);
	}
	kcolo_close(k);
}

typedef int (*add_fn)(struct kcolo *k, const char *name, void *addr, size_t size,
		      struct kcolo_region *region);

void pair_guest(struct pair *p)
{
	memset(p, 0, sizeof(*p));
	new_name(p->name, sizeof(p->name));
	p->mem = make_ram(RAM_SIZE);
	p->copy = make_ram(RAM_SIZE);
	memset(p->mem, 1, RAM_SIZE);
	p->vm = make_vm(p->mem, RAM_SIZE, KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE |
			KVM_DIRTY_LOG_INITIALLY_SET);
}

static void up(struct pair *p, u32 peer_timeout,
	       enum kcolo_device_state device_state, add_fn add_to_secondary)
{
	u16 port = new_port();

	pair_guest(p);
	enter_b();
	p->b = make_session(p->name, KCOLO_ROLE_SECONDARY, address("10.1.0.2", port),
			    peer_timeout, device_state);
	p->nlb = nl_open();
	leave_b();
	p->a = make_session(p->name, KCOLO_ROLE_PRIMARY, address("10.1.0.2", port),
			    peer_timeout, device_state);
	p->nla = nl_open();
	p->fda = kcolo_session_fd(p->a);
	p->fdb = kcolo_session_fd(p->b);
	if (kcolo_vm_attach(p->a, p->vm) ||
	    kcolo_region_add(p->a, "ram", p->mem, RAM_SIZE, &p->ra))
		fail("the primary: %s", kcolo_error(p->a));
	if (add_to_secondary(p->b, "ram", p->copy, RAM_SIZE, &p->rb))
		fail("the secondary: %s", kcolo_error(p->b));
	await_state(p->a, KCOLO_STATE_IDLE);
	await_state(p->b, KCOLO_STATE_IDLE);
}

void pair_up(struct pair *p, u32 peer_timeout)
{
	up(p, peer_timeout, KCOLO_DEVICE_STATE_SESSION, kcolo_region_add);
}

void pair_up_with(struct pair *p, u32 peer_timeout,
		  enum kcolo_device_state device_state)
{
	up(p, peer_timeout, device_state, kcolo_region_add);
}

void pair_up_in_place(struct pair *p, u32 peer_timeout)
{
	up(p, peer_timeout, KCOLO_DEVICE_STATE_EXTERNAL,
	   kcolo_region_add_in_place);
}

void pair_down(struct pair *p)
{
	kcolo_close(p->a);
	kcolo_close(p->b);
	close(p->nla);
	close(p->nlb);
	close(p->vm);
	munmap(p->mem, RAM_SIZE);
	munmap(p->copy, RAM_SIZE);
}

void set_threshold(struct kcolo *k, u64 threshold)
{
	struct kcolo_params params = {
		.mask = KCOLO_PARAM_THRESHOLD,
		.threshold = threshold,
	};

	if (kcolo_session_set(k, &params))
		fail("threshold: %s", kcolo_error(k));
}

void set_peer_timeout(struct kcolo *k, u32 ms)
{
	struct kcolo_params params = {
		.mask = KCOLO_PARAM_PEER_TIMEOUT,
		.peer_timeout = ms,
	};

	if (kcolo_session_set(k, &params))
		fail("peer-timeout: %s", kcolo_error(k));
}

void pair_write(struct pair *p, size_t offset, size_t len, u8 value)
{
	memset(p->mem + offset, value, len);
	kcolo_log_dirty(&p->ra, offset, len);
}

void pair_ready(struct pair *p)
{
	uint64_t epoch;

	if (kcolo_checkpoint(p->a, KCOLO_KIND_PERIODIC, &epoch))
		fail("checkpoint: %s", kcolo_error(p->a));
	await_state(p->a, KCOLO_STATE_READY);
}

void pair_flush(struct pair *p)
{
	if (kcolo_flush(p->a))
		fail("flush: %s", kcolo_error(p->a));
	await_state(p->a, KCOLO_STATE_FLUSHED);
}

void pair_checkpoint(struct pair *p)
{
	pair_ready(p);
	pair_flush(p);
	if (kcolo_devstate_write(p->a, "state", 5) || kcolo_commit(p->a))
		fail("commit: %s", kcolo_error(p->a));
	await_state(p->a, KCOLO_STATE_IDLE);
	expect(!memcmp(p->mem, p->copy, RAM_SIZE),
	       "RAM is not equal after a checkpoint");
}

void pair_gives_up(struct pair *p, enum kcolo_abort_reason reason,
		   const char *text)
{
	struct kcolo_session_info info;
	uint64_t epoch;

	if (kcolo_checkpoint(p->a, KCOLO_KIND_PERIODIC, &epoch))
		fail("checkpoint: %s", kcolo_error(p->a));
	sleep_ms(20);
	await_state(p->a, KCOLO_STATE_IDLE);
	read_session(p->a, &info);
	expect(info.abort_reason == reason && !strcmp(info.error, text),
	       "the checkpoint was aborted for %s: %s",
	       kcolo_abort_reason_name(info.abort_reason), info.error);
}

/* Bytes that the sockets of this network namespace have not got acknowledged. */
static u64 unacked_bytes(void)
{
	FILE *f = fopen("/proc/net/tcp", "r");
	unsigned int bytes;
	char line[256];
	u64 sum = 0;

	if (!f)
		fail("/proc/net/tcp: %s", strerror(errno));
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%*u: %*x:%*x %*x:%*x %*x %x:", &bytes) == 1)
			sum += bytes;
	fclose(f);
	return sum;
}

void pair_commit_unheard(struct pair *p)
{
	u64 end = now_ms() + SOON_MS;
	u64 before = unacked_bytes();

	if (kcolo_commit(p->a))
		fail("commit: %s", kcolo_error(p->a));
	await_state(p->a, KCOLO_STATE_COMMITTING);
	while (unacked_bytes() <= before) {
		if (now_ms() > end)
			fail("the end of the epoch is not sent");
		sleep_ms(2);
	}
}

void pair_doubt(struct pair *p, u32 ms)
{
	/*
	 * The peer was last heard of before the wire went down, longer ago than
	 * @ms perhaps: the end has to be on its way by then.
	 */
	pair_commit_unheard(p);
	set_peer_timeout(p->a, ms);
	await_state(p->a, KCOLO_STATE_DOUBT);
}

void wire(bool up)
{
	shell(up ? "ip -n b link set vb up" : "ip -n b link set vb down");
}
