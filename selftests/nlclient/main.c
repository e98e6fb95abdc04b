// SPDX-License-Identifier: GPL-2.0
/*
 * nlclient [--slow N] SCENARIO|GROUP...: each in a process of its own, "ok NAME"
 * or "not ok NAME" for each.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "nlclient.h"

/* A scenario that has not ended by then hangs. */
#define SCENARIO_S	50

u32 slow = 1;
const char *session_name;

static const struct group {
	const char *name;
	const struct scenario *scenario;
} groups[] = {
	{ "attrs", attrs_scenarios },
	{ "new", new_scenarios },
	{ "regions", regions_scenarios },
	{ "vm", vm_scenarios },
	{ "states", states_scenarios },
	{ "rights", rights_scenarios },
	{ "maps", maps_scenarios },
	{ "devstate", devstate_scenarios },
	{ "subscribers", subscribers_scenarios },
	{ "flood", flood_scenarios },
	{ "gone", gone_scenarios },
	{ "pause", pause_scenarios },
	{ "ends", ends_scenarios },
	{ "race", race_scenarios },
	{ "unload", unload_scenarios },
	{ "external", external_scenarios },
	{ "clean", clean_scenarios },
	{ "helpers", helpers_scenarios },
	{ "sockets", sockets_scenarios },
	{ "cycles", cycles_scenarios },
};

static void print_help(FILE *out)
{
	const struct scenario *s;
	unsigned int i;

	fputs("usage: nlclient [--slow N] [--session NAME] SCENARIO|GROUP...\n"
	      "Asks the kernel for what it has to refuse, and ends sessions in all ways.\n"
	      "Needs root, the module, /dev/kvm, and a network namespace b that has\n"
	      "10.1.0.2 on a device vb and reaches 10.1.0.1 here.\n", out);
	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		fprintf(out, "group %s:\n", groups[i].name);
		for (s = groups[i].scenario; s->name; s++)
			fprintf(out, "  %-24s %s\n", s->name, s->what);
	}
}

static void run_here(const struct scenario *s)
{
	/* A helper's test ends it by ending us. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(SCENARIO_S * slow);
	s->run();
	fflush(stdout);
	exit(wrongs() ? 1 : 0);
}

static bool run(const struct scenario *s)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		run_here(s);
	if (pid > 0 && waitpid(pid, &status, 0) != pid)
		status = -1;
	if (WIFSIGNALED(status))
		printf("# ended by signal %d%s\n", WTERMSIG(status),
		       WTERMSIG(status) == SIGALRM ? ": it hangs" : "");
	printf("%sok %s\n", status ? "not " : "", s->name);
	fflush(stdout);
	return !status;
}

/* Return: how many of that name, or of its group, were not good; -1 for none. */
static int run_named(const char *name)
{
	const struct scenario *s;
	int bad = -1;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		for (s = groups[i].scenario; s->name; s++) {
			if (strcmp(name, s->name) &&
			    strcmp(name, groups[i].name))
				continue;
			bad = bad < 0 ? 0 : bad;
			bad += !run(s);
		}
	}
	return bad;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "slow", required_argument, NULL, 's' },
		{ "session", required_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	int c, n, bad = 0;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'h') {
			print_help(stdout);
			return 0;
		}
		if (c == 'n')
			session_name = optarg;
		if (c == 's')
			slow = atoi(optarg);
		if (!slow || (c != 'n' && c != 's')) {
			print_help(stderr);
			return 2;
		}
	}
	if (optind == argc) {
		print_help(stderr);
		return 2;
	}
	for (; optind < argc; optind++) {
		n = run_named(argv[optind]);
		if (n < 0) {
			fprintf(stderr, "nlclient: there is no scenario %s\n",
				argv[optind]);
			return 2;
		}
		bad += n;
	}
	return bad ? 1 : 0;
}
