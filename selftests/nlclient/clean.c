// SPDX-License-Identifier: GPL-2.0
/* Regions that are what the peer has already: who may say so, and when. */
#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "pair.h"

static struct msg *clean(struct msg *m, int fd)
{
	return msg_u32(msg_cmd(m, KCOLO_CMD_CLEAN), KCOLO_A_SESSION_FD, fd);
}

static void copy_ram(struct pair *p)
{
	memcpy(p->copy, p->mem, RAM_SIZE);
}

static void say_clean(struct kcolo *k)
{
	if (kcolo_clean(k))
		fail("clean: %s", kcolo_error(k));
}

static u64 pages_sent(struct kcolo *k)
{
	struct kcolo_stats stats;

	if (kcolo_stats_get(k, &stats))
		fail("stats: %s", kcolo_error(k));
	return stats.value[KCOLO_A_STATS_PAGES_RAW] +
	       stats.value[KCOLO_A_STATS_PAGES_ZERO];
}

/* What is sent is what is new; what was logged before is not. */
static void clean_sends(void)
{
	struct kcolo_session_info info;
	struct pair p;

	pair_up(&p, 60000);
	pair_write(&p, 7 * PAGE, PAGE, 3);
	copy_ram(&p);
	say_clean(p.a);
	say_clean(p.b);
	read_session(p.a, &info);
	expect(info.clean && info.synced, "the primary is not clean");
	pair_write(&p, 9 * PAGE, PAGE, 4);
	pair_checkpoint(&p);
	expect(pages_sent(p.a) == 1, "%llu pages were sent",
	       (unsigned long long)pages_sent(p.a));
	pair_write(&p, 0, 2 * PAGE, 5);
	pair_checkpoint(&p);
	expect(pages_sent(p.a) == 3, "%llu pages were sent",
	       (unsigned long long)pages_sent(p.a));
}

/* The first epoch is staged: what it was given up for is still there. */
static void clean_staged(void)
{
	struct kcolo_session_info info;
	struct pair p;

	pair_up(&p, 60000);
	copy_ram(&p);
	say_clean(p.a);
	say_clean(p.b);
	pair_write(&p, 0, PAGE, 4);
	pair_ready(&p);
	pair_flush(&p);
	sleep_ms(200);
	expect(p.copy[0] == 1, "the first epoch is in place before its end");
	if (kcolo_promote(p.b))
		fail("promote: %s", kcolo_error(p.b));
	await_state(p.b, KCOLO_STATE_PROMOTED);
	read_session(p.b, &info);
	expect(!info.committed && p.copy[0] == 1,
	       "something else than what was clean was taken over");
	expect(read(p.fdb, &info, 1) < 0 && errno == ENODATA,
	       "there is device state: %s", strerror(errno));
}

static void in_child_of(void *arg)
{
	struct pair *p = arg;
	struct msg m;

	refused(p->nla, p->fda, "clean of another process", clean(&m, p->fda),
		EXDEV, "clean is said by the process whose VM it is");
}

static void clean_refused(void)
{
	struct kcolo *lone = lone_secondary();
	struct pair p;
	struct msg m;

	p.nla = nl_open();
	refused(p.nla, kcolo_session_fd(lone), "clean without a region",
		clean(&m, kcolo_session_fd(lone)), ENOTCONN,
		"add the regions first");
	close(p.nla);
	pair_up(&p, 60000);
	expect(!in_child(in_child_of, &p), "a child");
	say_clean(p.a);
	msg_u32(msg_cmd(&m, KCOLO_CMD_REGION_ADD), KCOLO_A_SESSION_FD, p.fda);
	refused(p.nla, p.fda, "region-add", msg_region(&m, "more", 16 * MIB, PAGE),
		EBUSY, "regions that were said to be clean are fixed until the first commit");
	msg_u32(msg_cmd(&m, KCOLO_CMD_REGION_DEL), KCOLO_A_SESSION_FD, p.fda);
	refused(p.nla, p.fda, "region-del", msg_region(&m, "ram", 16 * MIB, PAGE),
		EBUSY, "regions that were said to be clean are fixed until the first commit");
	pair_down(&p);

	pair_up(&p, 60000);
	pair_checkpoint(&p);
	refused(p.nla, p.fda, "clean afterwards", clean(&m, p.fda), EBUSY,
		"the first checkpoint has begun already");
	refused(p.nlb, p.fdb, "clean afterwards", clean(&m, p.fdb), EBUSY,
		"the first checkpoint has begun already");
}

/* One end alone is refused by name; what was written meanwhile is not lost. */
static void clean_one_end(void)
{
	struct pair p;

	pair_up(&p, 60000);
	copy_ram(&p);
	say_clean(p.a);
	pair_write(&p, 5 * PAGE, PAGE, 6);
	pair_gives_up(&p, KCOLO_ABORT_REASON_PEER_REFUSED,
		      "the primary said clean and the secondary did not: both have to say it, or none");
	pair_write(&p, 6 * PAGE, PAGE, 6);
	say_clean(p.b);
	pair_checkpoint(&p);
	pair_down(&p);

	pair_up(&p, 60000);
	copy_ram(&p);
	say_clean(p.b);
	pair_gives_up(&p, KCOLO_ABORT_REASON_PEER_REFUSED,
		      "the secondary said clean and the primary did not: both have to say it, or none");
	say_clean(p.a);
	pair_checkpoint(&p);
	expect(!pages_sent(p.a), "pages were sent that are clean");
}

static void on_kick(int sig)
{
	(void)sig;
}

static void *run_vcpu(void *arg)
{
	ioctl(*(int *)arg, KVM_RUN, 0);
	return NULL;
}

/* A vCPU in an endless loop, at the very beginning of RAM. */
static void start_vcpu(struct pair *p, int *vcpu, pthread_t *thread)
{
	struct sigaction kick = { .sa_handler = on_kick };
	struct kvm_regs regs = { .rflags = 2 };
	struct kvm_sregs sregs;

	memcpy(p->mem, "\xeb\xfe", 2);
	sigaction(SIGUSR1, &kick, NULL);
	*vcpu = ioctl(p->vm, KVM_CREATE_VCPU, 0);
	if (*vcpu < 0 || ioctl(*vcpu, KVM_GET_SREGS, &sregs))
		fail("a vCPU: %s", strerror(errno));
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(*vcpu, KVM_SET_SREGS, &sregs) ||
	    ioctl(*vcpu, KVM_SET_REGS, &regs) ||
	    pthread_create(thread, NULL, run_vcpu, vcpu))
		fail("a vCPU: %s", strerror(errno));
}

static void clean_running(void)
{
	pthread_t thread;
	struct pair p;
	struct msg m;
	int vcpu;

	pair_up(&p, 60000);
	start_vcpu(&p, &vcpu, &thread);
	sleep_ms(200);
	refused(p.nla, p.fda, "clean of a guest that runs", clean(&m, p.fda),
		EBUSY, "a vCPU is running: pause the guest first");
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	copy_ram(&p);
	say_clean(p.a);
	say_clean(p.b);
	pair_checkpoint(&p);
	close(vcpu);
}

const struct scenario clean_scenarios[] = {
	{ "clean-sends", "only what is new is sent", clean_sends },
	{ "clean-staged", "the first epoch is staged, and can be done without",
	  clean_staged },
	{ "clean-refused", "by whom and when it may not be said",
	  clean_refused },
	{ "clean-one-end", "one end alone is refused by name", clean_one_end },
	{ "clean-running", "not while a vCPU runs", clean_running },
	{ 0 }
};
