// SPDX-License-Identifier: GPL-2.0
/* Requests that come while a session ends, from several threads. */
#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include "pair.h"

#define KVM_USERS	"/sys/module/kvm_amd/refcnt"
#define THREADS		4
#define ROUNDS		20

static volatile bool over;
static int session_fd, vm;

/* Regions whose bitmaps take a while to be made: the session is busy. */
static void *adds(void *arg)
{
	struct answer a;
	struct msg m;
	int nl = nl_open();

	while (!over) {
		msg_u32(msg_cmd(&m, KCOLO_CMD_REGION_ADD), KCOLO_A_SESSION_FD,
			session_fd);
		nl_ask(nl, msg_region(&m, arg, 4096 * MIB *
				      (1 + *(char *)arg - 'a'), 4096 * MIB), &a);
		msg_u32(msg_cmd(&m, KCOLO_CMD_REGION_DEL), KCOLO_A_SESSION_FD,
			session_fd);
		nl_ask(nl, msg_region(&m, arg, PAGE, PAGE), &a);
	}
	close(nl);
	return NULL;
}

static void *attaches(void *arg)
{
	struct answer a;
	struct msg m;
	int nl = nl_open();

	(void)arg;
	while (!over) {
		msg_u32(msg_cmd(&m, KCOLO_CMD_VM_ATTACH), KCOLO_A_SESSION_FD,
			session_fd);
		nl_ask(nl, msg_u32(&m, KCOLO_A_SESSION_VM_FD, vm), &a);
	}
	close(nl);
	return NULL;
}

static void round_of(void)
{
	static char name[] = { 'a', 0, 'b', 0, 'c', 0, 'd', 0 };
	pthread_t thread[THREADS + 1];
	struct kcolo *k = lone_primary(60000);
	int i;

	session_fd = kcolo_session_fd(k);
	vm = make_vm(NULL, 0, KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE);
	if (kcolo_vm_attach(k, vm))
		fail("vm-attach: %s", kcolo_error(k));
	over = false;
	for (i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, adds, name + 2 * i);
	pthread_create(&thread[i], NULL, attaches, NULL);
	sleep_ms(10);
	if (kcolo_session_del(k))
		fail("session del: %s", kcolo_error(k));
	await_state(k, KCOLO_STATE_CLOSED);
	over = true;
	for (i = 0; i <= THREADS; i++)
		pthread_join(thread[i], NULL);
	kcolo_close(k);
	close(vm);
}

/* A VM that was attached to an ending session must not be kept for ever. */
static void race_attach(void)
{
	long users = read_number(KVM_USERS);
	u64 end;
	int i;

	for (i = 0; i < ROUNDS; i++)
		round_of();
	end = now_ms() + SOON_MS;
	while (read_number(KVM_USERS) != users && now_ms() < end)
		sleep_ms(20);
	expect(read_number(KVM_USERS) == users,
	       "%ld VMs are left of %d sessions that have ended",
	       read_number(KVM_USERS) - users, ROUNDS);
}

const struct scenario race_scenarios[] = {
	{ "race-attach", "vm-attach and region-add while the session ends",
	  race_attach },
	{ 0 }
};
