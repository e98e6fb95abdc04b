// SPDX-License-Identifier: GPL-2.0
/* What a test of the tool has beside it: a VMM, and much that happens. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>
#include "pair.h"

#define MANY	20000

static volatile sig_atomic_t hold;

static void on_usr1(int sig)
{
	(void)sig;
	hold = 1;
}

static void set_many(void)
{
	struct kcolo *k;
	int i;

	if (kcolo_open(&k) || kcolo_session_use_name(k, session_name))
		fail("no session %s", session_name);
	for (i = 0; i < MANY; i++)
		set_threshold(k, i);
}

/* What a VMM does when it is asked to pause its guest. */
static void answer(struct pair *p)
{
	if (hold) {
		hold = 0;
		return;
	}
	/* It may have been aborted meanwhile: then there is nothing to do. */
	if (kcolo_flush(p->a) || kcolo_devstate_write(p->a, "state", 5))
		return;
	kcolo_commit(p->a);
}

static void vmm(void)
{
	struct sigaction sa = { .sa_handler = on_usr1 };
	struct kcolo_event ev;
	struct pair p;

	sigaction(SIGUSR1, &sa, NULL);
	pair_up(&p, 60000);
	if (kcolo_subscribe(p.a))
		fail("subscribe: %s", kcolo_error(p.a));
	note("the VMM of %s is pid %d", p.name, getpid());
	for (;;)
		if (kcolo_event_next(p.a, &ev, -1) == 1 &&
		    ev.type == KCOLO_EVENT_TYPE_CHECKPOINT_READY)
			answer(&p);
}

const struct scenario helpers_scenarios[] = {
	{ "set-many", "not a test: sets parameters of --session 20000 times",
	  set_many },
	{ "vmm", "not a test: a VMM for --session; SIGUSR1: one pause unanswered",
	  vmm },
	{ 0 }
};
