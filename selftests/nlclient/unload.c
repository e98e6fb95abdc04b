// SPDX-License-Identifier: GPL-2.0
/*
 * The module is unloaded and loaded again while each of its requests is made, over
 * and over, of sessions that come and go.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "pair.h"

#define NAME		"unload"
#define UNLOADS		6
#define LONGEST_MS	(30000 * slow)
#define ASKERS_NICE	10

/* Answers of the module, by command. */
static u32 answered[KCOLO_CMD_MAX + 1];
static volatile bool over;
static char memory[PAGE] __attr(aligned(PAGE));
static u16 port;

static void add_rest(struct msg *m, int cmd, int vm)
{
	switch (cmd) {
	case KCOLO_CMD_SESSION_SET:
		msg_u64(m, KCOLO_A_SESSION_STAGING_LIMIT, 1);
		break;
	case KCOLO_CMD_VM_ATTACH:
		msg_u32(m, KCOLO_A_SESSION_VM_FD, vm);
		break;
	case KCOLO_CMD_REGION_ADD:
		msg_region(m, "ram", (unsigned long)memory, PAGE);
		break;
	case KCOLO_CMD_REGION_DEL:
		msg_region(m, "ram", 0, 0);
		break;
	case KCOLO_CMD_CHECKPOINT:
		msg_u32(m, KCOLO_A_SESSION_KIND, KCOLO_KIND_URGENT);
		break;
	case KCOLO_CMD_APPLY:
	case KCOLO_CMD_DROP:
		msg_u64(m, KCOLO_A_SESSION_EPOCH, 1);
		break;
	default:
		break;
	}
}

/* A primary and a secondary in turn: what is for one only is for it sometimes. */
static void make(struct msg *m, bool primary)
{
	union kcolo_addr addr = address("127.0.0.1", port);

	msg_cmd(m, KCOLO_CMD_SESSION_NEW);
	msg_str(m, KCOLO_A_SESSION_NAME, NAME);
	msg_u32(m, KCOLO_A_SESSION_ROLE,
		primary ? KCOLO_ROLE_PRIMARY : KCOLO_ROLE_SECONDARY);
	msg_flag(m, KCOLO_A_SESSION_INSECURE);
	msg_bytes(m, primary ? KCOLO_A_SESSION_PEER : KCOLO_A_SESSION_LOCAL,
		  &addr.in, sizeof(addr.in));
}

/* The session lives for a moment, while which the module is in use. */
static void *makes(void *arg)
{
	struct answer *a = malloc(sizeof(*a));
	int nl = nl_open();
	bool primary = true;
	struct msg m;
	const int *fd;

	(void)arg;
	while (a && !over) {
		make(&m, primary);
		if (nl_try(nl, &m, a)) {
			answered[KCOLO_CMD_SESSION_NEW]++;
			fd = answer_attr(a, KCOLO_A_SESSION_FD);
			if (!a->err && fd) {
				sleep_ms(2);
				close(*fd);
				primary = !primary;
			}
		}
		sleep_ms(1);
	}
	free(a);
	close(nl);
	return NULL;
}

static void ask_about(struct msg *m, int cmd, bool dump, int vm)
{
	u16 name = cmd == KCOLO_CMD_STATS_GET ? KCOLO_A_STATS_SESSION_NAME :
						KCOLO_A_SESSION_NAME;

	msg_cmd(m, cmd);
	if (dump) {
		msg_flags(m, NLM_F_REQUEST | NLM_F_DUMP);
		return;
	}
	msg_str(m, name, NAME);
	add_rest(m, cmd, vm);
}

/*
 * They never wait, and there is one for each command: were they not nice, who unloads
 * had a twentieth of a CPU. Of this thread only: Linux has a niceness for each.
 */
static void *asks(void *arg)
{
	struct answer *a = malloc(sizeof(*a));
	int cmd = (long)arg, nl = nl_open(), vm;
	bool dump = false;
	struct msg m;

	if (setpriority(PRIO_PROCESS, 0, ASKERS_NICE))
		fail("setpriority: %s", strerror(errno));
	vm = make_vm(NULL, 0, KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE);
	while (a && !over) {
		ask_about(&m, cmd, dump, vm);
		answered[cmd] += nl_try(nl, &m, a);
		if (cmd == KCOLO_CMD_SESSION_GET || cmd == KCOLO_CMD_STATS_GET)
			dump = !dump;
	}
	close(vm);
	free(a);
	close(nl);
	return NULL;
}

static void load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		fail("%s: %s", path, strerror(errno));
	close(fd);
}

static bool all_answered(const u32 *before)
{
	int cmd;

	for (cmd = 1; cmd <= KCOLO_CMD_MAX; cmd++)
		if (cmd != KCOLO_CMD_EVENT && answered[cmd] == before[cmd])
			return false;
	return true;
}

/* Each has been answered since it was loaded: all of them are there to race. */
static void await_all(u64 end)
{
	u32 before[KCOLO_CMD_MAX + 1];

	memcpy(before, answered, sizeof(before));
	while (!all_answered(before) && now_ms() < end)
		sleep_ms(1);
}

static void unload_requests(void)
{
	const char *path = getenv("KCOLO_MODULE");
	pthread_t thread[KCOLO_CMD_MAX + 1];
	u32 unloads = 0, busy = 0;
	u64 end = now_ms() + LONGEST_MS;
	int nl = nl_open();
	long cmd;

	if (!path)
		fail("KCOLO_MODULE has to be the module's file");
	port = new_port();
	for (cmd = 1; cmd <= KCOLO_CMD_MAX; cmd++)
		if (pthread_create(&thread[cmd], NULL,
				   cmd == KCOLO_CMD_SESSION_NEW ? makes : asks,
				   (void *)cmd))
			fail("no thread");
	while (unloads < UNLOADS && now_ms() < end) {
		await_all(end);
		while (syscall(SYS_delete_module, "kcolo", O_NONBLOCK)) {
			if (errno != EAGAIN && errno != EBUSY)
				fail("rmmod: %s", strerror(errno));
			busy++;
			sleep_ms(1);
		}
		unloads++;
		load(path);
		nl_renew(nl);
	}
	over = true;
	for (cmd = 1; cmd <= KCOLO_CMD_MAX; cmd++)
		pthread_join(thread[cmd], NULL);
	close(nl);
	note("unloaded %u times, %u times it was in use", unloads, busy);
	expect(unloads == UNLOADS, "it was unloaded %u times", unloads);
	for (cmd = 1; cmd <= KCOLO_CMD_MAX; cmd++)
		if (cmd != KCOLO_CMD_EVENT)
			expect(answered[cmd] >= UNLOADS,
			       "command %ld was answered %u times", cmd,
			       answered[cmd]);
}

const struct scenario unload_scenarios[] = {
	{ "unload-requests", "rmmod while each request is made", unload_requests },
	{ 0 }
};
