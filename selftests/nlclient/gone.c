// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM that is killed while another process, its launcher, holds the session
 * fd: the session says so at once, lets go of the VM, tells the peer, and can
 * be deleted.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "pair.h"

#define KVM_USERS	"/sys/module/kvm_amd/refcnt"
/* At once, and not after peer-timeout, on an emulated host that is busy. */
#define AT_ONCE_MS	(6000 * slow)

static pid_t vmm;

/* A process that is the VMM of a session, and waits to be killed. */
static void start_vmm(struct kcolo *launcher, bool primary)
{
	int fd = kcolo_session_fd(launcher), done[2];
	struct kcolo_region region;
	struct kcolo *k;
	char byte = 0;
	u8 *mem;

	if (pipe(done))
		fail("pipe");
	vmm = fork();
	if (!vmm) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		mem = make_ram(RAM_SIZE);
		memset(mem, 1, RAM_SIZE);
		if (kcolo_open(&k) || kcolo_session_use_fd(k, dup(fd)) ||
		    (primary && kcolo_vm_attach(k, make_vm(mem, RAM_SIZE, 1))) ||
		    kcolo_region_add(k, "ram", mem, RAM_SIZE, &region))
			fail("the VMM: %s", kcolo_error(k));
		if (write(done[1], &byte, 1) != 1)
			exit(1);
		for (;;)
			pause();
	}
	close(done[1]);
	if (read(done[0], &byte, 1) != 1)
		fail("the VMM has not come");
	close(done[0]);
}

static void kill_vmm(void)
{
	kill(vmm, SIGKILL);
	waitpid(vmm, NULL, 0);
}

/* The pair of pair_up(), with one end's VMM in a process of its own. */
static void launched_pair(struct pair *p, bool primary_launched)
{
	struct kcolo_session_config config = {
		.role = KCOLO_ROLE_SECONDARY,
		.local = address("10.1.0.2", new_port()),
		.insecure = true,
	};

	memset(p, 0, sizeof(*p));
	new_name(p->name, sizeof(p->name));
	config.name = p->name;
	p->mem = make_ram(RAM_SIZE);
	memset(p->mem, 1, RAM_SIZE);
	enter_b();
	if (kcolo_open(&p->b) || kcolo_session_new(p->b, &config))
		fail("a secondary: %s", kcolo_error(p->b));
	leave_b();
	config.role = KCOLO_ROLE_PRIMARY;
	config.peer = config.local;
	config.local.sa.sa_family = 0;
	if (kcolo_open(&p->a) || kcolo_session_new(p->a, &config))
		fail("a primary: %s", kcolo_error(p->a));
	p->fda = kcolo_session_fd(p->a);
	p->fdb = kcolo_session_fd(p->b);
	if (primary_launched) {
		start_vmm(p->a, true);
		if (kcolo_region_add(p->b, "ram", p->mem, RAM_SIZE, &p->rb))
			fail("the secondary: %s", kcolo_error(p->b));
	} else {
		start_vmm(p->b, false);
		p->vm = make_vm(p->mem, RAM_SIZE,
				KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE);
		if (kcolo_vm_attach(p->a, p->vm) ||
		    kcolo_region_add(p->a, "ram", p->mem, RAM_SIZE, &p->ra))
			fail("the primary: %s", kcolo_error(p->a));
	}
	await_state(p->a, KCOLO_STATE_IDLE);
	await_state(p->b, KCOLO_STATE_IDLE);
	if (kcolo_subscribe(p->a) || kcolo_subscribe(p->b))
		fail("subscribe: %s %s", kcolo_error(p->a), kcolo_error(p->b));
}

/* The event comes at once, with that abort-reason if it is one. */
static void hears(struct kcolo *k, enum kcolo_event_type type,
		  enum kcolo_abort_reason reason)
{
	u64 end = now_ms() + AT_ONCE_MS;
	struct kcolo_event ev;

	do {
		if (kcolo_event_next(k, &ev, AT_ONCE_MS) != 1)
			break;
		if (ev.type != type)
			continue;
		expect(ev.abort_reason == reason, "%s for %s, not %s",
		       kcolo_event_type_name(type),
		       kcolo_abort_reason_name(ev.abort_reason),
		       kcolo_abort_reason_name(reason));
		return;
	} while (now_ms() < end);
	wrong("no event %s within %u ms", kcolo_event_type_name(type),
	      AT_ONCE_MS);
}

static void released(long before)
{
	u64 end = now_ms() + AT_ONCE_MS;

	while (read_number(KVM_USERS) != before && now_ms() < end)
		sleep_ms(10);
	expect(read_number(KVM_USERS) == before,
	       "the VM is still held: %ld users of KVM, %ld before",
	       read_number(KVM_USERS), before);
}

static void deletable(struct kcolo *k)
{
	if (kcolo_session_del(k))
		fail("session del: %s", kcolo_error(k));
	await_state(k, KCOLO_STATE_CLOSED);
}

/* RAM of one end is another process's: not to be compared. */
static void commits(struct pair *p)
{
	pair_ready(p);
	pair_flush(p);
	if (kcolo_commit(p->a))
		fail("commit: %s", kcolo_error(p->a));
	await_state(p->a, KCOLO_STATE_IDLE);
	await_state(p->b, KCOLO_STATE_IDLE);
}

/* @state: in which the primary is when its VMM dies */
static void primary_gone(enum kcolo_state state, bool committed)
{
	long users = read_number(KVM_USERS);
	struct kcolo_session_info info;
	struct pair p;

	launched_pair(&p, true);
	if (committed)
		commits(&p);
	if (state != KCOLO_STATE_IDLE)
		pair_ready(&p);
	if (state == KCOLO_STATE_FLUSHED)
		pair_flush(&p);
	kill_vmm();
	hears(p.a, KCOLO_EVENT_TYPE_VM_GONE, 0);
	hears(p.b, KCOLO_EVENT_TYPE_PEER_LOST, KCOLO_ABORT_REASON_PEER_LOST);
	await_state(p.a, KCOLO_STATE_LOST);
	read_session(p.a, &info);
	expect(info.abort_reason == KCOLO_ABORT_REASON_VM_GONE,
	       "the primary is lost for %s: %s",
	       kcolo_abort_reason_name(info.abort_reason), info.error);
	released(users);
	expect(!committed == (kcolo_promote(p.b) == -ENODATA),
	       "the secondary: %s", kcolo_error(p.b));
	if (committed)
		await_state(p.b, KCOLO_STATE_PROMOTED);
	deletable(p.a);
	deletable(p.b);
}

static void gone_primary(void)
{
	primary_gone(KCOLO_STATE_IDLE, false);
	primary_gone(KCOLO_STATE_IDLE, true);
	primary_gone(KCOLO_STATE_READY, true);
	primary_gone(KCOLO_STATE_FLUSHED, true);
}

static void gone_secondary(void)
{
	static const char no_memory[] =
		"the VMM has died, and its memory with it: delete the session";
	struct kcolo_session_info info;
	struct pair p;

	launched_pair(&p, false);
	commits(&p);
	kill_vmm();
	hears(p.b, KCOLO_EVENT_TYPE_VM_GONE, 0);
	hears(p.a, KCOLO_EVENT_TYPE_PEER_LOST, KCOLO_ABORT_REASON_PEER_LOST);
	await_state(p.b, KCOLO_STATE_LOST);
	read_session(p.b, &info);
	expect(info.abort_reason == KCOLO_ABORT_REASON_VM_GONE,
	       "the secondary is lost for %s: %s",
	       kcolo_abort_reason_name(info.abort_reason), info.error);
	expect(kcolo_promote(p.b) == -ESRCH && strstr(kcolo_error(p.b), no_memory),
	       "promote: %s", kcolo_error(p.b));
	deletable(p.b);
	deletable(p.a);
}

/* Nobody has connected yet. */
static void gone_connecting(void)
{
	long users = read_number(KVM_USERS);
	struct kcolo_session_info info;
	struct kcolo *k = lone_primary(60000);

	if (kcolo_subscribe(k))
		fail("subscribe: %s", kcolo_error(k));
	start_vmm(k, true);
	kill_vmm();
	hears(k, KCOLO_EVENT_TYPE_VM_GONE, 0);
	await_state(k, KCOLO_STATE_LOST);
	released(users);
	read_session(k, &info);
	expect(info.abort_reason == KCOLO_ABORT_REASON_VM_GONE &&
	       strstr(info.error, "the VMM has died"),
	       "the primary says nothing of its VMM: %s \"%s\"",
	       kcolo_abort_reason_name(info.abort_reason), info.error);
	deletable(k);
}

/* A secondary whose memory is gone is nobody's: it says so, and takes nobody. */
static void gone_listening(void)
{
	struct kcolo_session_config config = {
		.local = address("10.1.0.2", new_port()),
		.role = KCOLO_ROLE_SECONDARY, .insecure = true,
	};
	struct kcolo_session_info info;
	struct kcolo *a, *b;
	char name[32];
	struct msg m;

	new_name(name, sizeof(name));
	config.name = name;
	enter_b();
	if (kcolo_open(&b) || kcolo_session_new(b, &config) ||
	    kcolo_subscribe(b))
		fail("a secondary: %s", kcolo_error(b));
	leave_b();
	start_vmm(b, false);
	kill_vmm();
	hears(b, KCOLO_EVENT_TYPE_VM_GONE, 0);
	await_state(b, KCOLO_STATE_LOST);
	read_session(b, &info);
	expect(info.abort_reason == KCOLO_ABORT_REASON_VM_GONE &&
	       strstr(info.error, "the VMM has died"),
	       "the secondary is %s, and says nothing of its VMM: %s \"%s\"",
	       kcolo_state_name(info.state),
	       kcolo_abort_reason_name(info.abort_reason), info.error);
	msg_u32(msg_cmd(&m, KCOLO_CMD_REGION_ADD), KCOLO_A_SESSION_FD,
		kcolo_session_fd(b));
	msg_region(&m, "more", 16 * MIB, PAGE);
	refused(nl_open(), kcolo_session_fd(b), "a region of another VMM", &m,
		ESRCH, "the VMM has died");

	config.role = KCOLO_ROLE_PRIMARY;
	config.peer = config.local;
	config.local.sa.sa_family = 0;
	if (kcolo_open(&a) || kcolo_session_new(a, &config))
		fail("a primary: %s", kcolo_error(a));
	sleep_ms(1000 * slow);
	read_session(a, &info);
	expect(info.state == KCOLO_STATE_CONNECTING,
	       "a primary is %s with a secondary that has no memory",
	       kcolo_state_name(info.state));
	deletable(a);
	kcolo_session_del(b);
	await_state(b, KCOLO_STATE_CLOSED);
}

const struct scenario gone_scenarios[] = {
	{ "gone-primary", "a primary's VMM is killed, its launcher is not",
	  gone_primary },
	{ "gone-secondary", "a secondary's VMM is", gone_secondary },
	{ "gone-connecting", "before the two have met", gone_connecting },
	{ "gone-listening", "a secondary's, before that", gone_listening },
	{ 0 }
};
