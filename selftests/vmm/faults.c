// SPDX-License-Identifier: GPL-2.0
/* A primary that dies or hangs at a chosen moment of a chosen checkpoint. */
#include <signal.h>
#include <unistd.h>

#include "kvmm.h"

static void hit(const struct fault *f, int sig)
{
	complain("%s at checkpoint %llu, as asked for",
		 sig == SIGKILL ? "SIGKILL" : "SIGSTOP", f->checkpoint);
	kill(getpid(), sig);
}

static void *later(void *arg)
{
	const struct fault *f = arg;

	sleep_ms(random_below(opt.random_ms + 1));
	hit(f, f == &opt.die ? SIGKILL : SIGSTOP);
	return NULL;
}

static void arm(struct fault *f, u64 checkpoint)
{
	pthread_t thread;

	if (f->moment != MOMENT_RANDOM || f->checkpoint != checkpoint)
		return;
	if (pthread_create(&thread, NULL, later, f))
		die(EXIT_USAGE, "cannot create a thread");
	pthread_detach(thread);
}

void fault_begin(u64 checkpoint)
{
	arm(&opt.die, checkpoint);
	arm(&opt.stop, checkpoint);
}

/* Whether anything is to be done at this moment. */
bool fault_wants(enum moment moment, u64 checkpoint)
{
	return (opt.die.moment == moment && opt.die.checkpoint == checkpoint) ||
	       (opt.stop.moment == moment && opt.stop.checkpoint == checkpoint);
}

void fault_at(enum moment moment, u64 checkpoint)
{
	if (opt.die.moment == moment && opt.die.checkpoint == checkpoint)
		hit(&opt.die, SIGKILL);
	if (opt.stop.moment == moment && opt.stop.checkpoint == checkpoint)
		hit(&opt.stop, SIGSTOP);
}
