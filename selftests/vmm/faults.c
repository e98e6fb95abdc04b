// SPDX-License-Identifier: GPL-2.0
/* A primary to which something happens at a chosen moment of a checkpoint. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "kvmm.h"

static void kill_oneself(void)
{
	kill(getpid(), SIGKILL);
}

static void stop_oneself(void)
{
	kill(getpid(), SIGSTOP);
}

/* What becomes of the command does not matter: it may be the end of the host. */
static void run_command(void)
{
	if (opt.run_command && system(opt.run_command))
		complain("'%s' failed", opt.run_command);
}

static const struct {
	const struct fault *fault;
	const char *name;
	void (*hit)(void);
} faults[] = {
	{ &opt.die, "SIGKILL", kill_oneself },
	{ &opt.stop, "SIGSTOP", stop_oneself },
	{ &opt.run_at, "a command", run_command },
};

#define NR_FAULTS	ARRAY_SIZE(faults)

static void hit(u32 i)
{
	if (faults[i].fault->checkpoint)
		complain("%s at checkpoint %llu, as asked for", faults[i].name,
			 faults[i].fault->checkpoint);
	faults[i].hit();
}

static void *later(void *arg)
{
	sleep_ms(random_below(opt.random_ms + 1));
	hit((unsigned long)arg);
	return NULL;
}

static bool due(u32 i, enum moment moment, u64 checkpoint)
{
	const struct fault *f = faults[i].fault;

	return f->moment == moment &&
	       (!f->checkpoint || f->checkpoint == checkpoint);
}

void fault_begin(u64 checkpoint)
{
	pthread_t thread;
	unsigned long i;

	for (i = 0; i < NR_FAULTS; i++) {
		if (!due(i, MOMENT_RANDOM, checkpoint))
			continue;
		if (pthread_create(&thread, NULL, later, (void *)i))
			die(EXIT_USAGE, "cannot create a thread");
		pthread_detach(thread);
	}
}

/* Whether anything is to be done at this moment. */
bool fault_wants(enum moment moment, u64 checkpoint)
{
	u32 i;

	for (i = 0; i < NR_FAULTS; i++)
		if (due(i, moment, checkpoint))
			return true;
	return false;
}

void fault_at(enum moment moment, u64 checkpoint)
{
	u32 i;

	for (i = 0; i < NR_FAULTS; i++)
		if (due(i, moment, checkpoint))
			hit(i);
}
