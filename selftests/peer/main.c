// SPDX-License-Identifier: GPL-2.0
/*
 * The command line. Each scenario is played by a process of its own, so that one
 * that fails in the middle takes its session with it.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "holder.h"

/* One scenario, at most: a bound for what has none. */
#define SCENARIO_S	(120 * opt.slow)

struct options opt = { .name = "kpeer", .seed = 1, .count = 200, .slow = 1 };
static const char *pick;
static char side;

/**
 * struct group - scenarios that are played one after the other
 * @side: 'c' plays a primary that connects, 'l' a secondary that listens
 */
static const struct group {
	const char *name;
	char side;
	const struct scenario *list;
} groups[] = {
	{ "epochs", 'c', epochs_scenarios },
	{ "hello", 'c', hello_scenarios },
	{ "malformed", 'c', malformed_scenarios },
	{ "cut", 'c', cut_scenarios },
	{ "fuzz", 'c', fuzz_scenarios },
	{ "prepared", 'c', prepared_scenarios },
	{ "refuse", 'l', refuse_scenarios },
	{ "hung", 'l', hung_scenarios },
	{ "answers", 'l', answers_scenarios },
	{ "blocked", 'l', blocked_scenarios },
	{ "verdict", 'l', verdict_scenarios },
	{ "again", 'c', again_scenarios },
	{ "doubt", 'l', doubt_scenarios },
	{ "limit", 'c', limit_scenarios },
	{ "limited", 'l', limited_scenarios },
};

static const char usage_text[] =
	"usage: kpeer --connect ADDR:PORT [OPTION]... SCENARIO|GROUP...\n"
	"       kpeer --listen ADDR:PORT [OPTION]... SCENARIO|GROUP...\n"
	"Plays one end of a session by hand, and looks at what the kernel, at the\n"
	"other end, makes of it. With --connect kpeer is the primary, and has the\n"
	"kernel's secondary, which listens there, in a memory of its own. With\n"
	"--listen it is the secondary, and has the kernel's primary connect there.\n"
	"Prints \"ok NAME\" or \"not ok NAME\" for each scenario; exits 0 when all are.\n"
	"  --name NAME    of the session (kpeer)\n"
	"  --vmm          the primary is another process', which drives its own guest\n"
	"  --seed N       of the fuzzer (1)\n"
	"  --count N      connections of the fuzzer (200)\n"
	"  --slow N       factor for all times, for a kernel that is slow (1)\n"
	"  --scenario X   as SCENARIO\n"
	"  --help\n";

static void show_usage(void)
{
	const struct scenario *s;
	size_t i;

	fputs(usage_text, stdout);
	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		printf("group %s (%s):\n", groups[i].name,
		       groups[i].side == 'c' ? "--connect" : "--listen");
		for (s = groups[i].list; s->name; s++)
			printf("  %-24s %s\n", s->name, s->what);
	}
}

/* Returns what the process exited with, or 1. */
static int play_one(const struct scenario *s)
{
	u64 from = now_ms();
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return 1;
	if (!pid) {
		alarm(SCENARIO_S);
		s->run();
		exit(0);
	}
	if (waitpid(pid, &status, 0) < 0)
		return 1;
	if (WIFSIGNALED(status))
		note("FAILED: %s", WTERMSIG(status) == SIGALRM ?
		     "it did not end in time" : strsignal(WTERMSIG(status)));
	note("%s took %llu ms", s->name, now_ms() - from);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* A scenario that has failed leaves a session: it must not stand in the way. */
static void clean_up(void)
{
	pid_t pid = fork();

	if (!pid) {
		session_gone(opt.name, 10000 * opt.slow);
		exit(0);
	}
	waitpid(pid, NULL, 0);
}

static int play_scenario(const struct scenario *s)
{
	int ret = play_one(s);

	printf("%sok %s\n", ret ? "not " : "", s->name);
	fflush(stdout);
	if (ret)
		clean_up();
	return ret;
}

/* What is only for --vmm is not part of its group. */
static bool alone(const struct scenario *s)
{
	return !strcmp(s->name, "vmm-dies");
}

static int play(const char *name)
{
	const struct scenario *s;
	int ret = 0, found = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(groups); i++)
		for (s = groups[i].list; s->name; s++) {
			if (strcmp(s->name, name) &&
			    (alone(s) || strcmp(groups[i].name, name)))
				continue;
			found = 1;
			if (groups[i].side != side) {
				fprintf(stderr, "kpeer: %s wants --%s\n", name,
					side == 'c' ? "listen" : "connect");
				return 2;
			}
			ret |= play_scenario(s);
		}
	if (!found)
		fprintf(stderr, "kpeer: there is no scenario %s; see kpeer --help\n",
			name);
	return found ? ret : 2;
}

static const struct option options[] = {
	{ "connect", required_argument, NULL, 'c' },
	{ "listen", required_argument, NULL, 'l' },
	{ "name", required_argument, NULL, 'n' },
	{ "scenario", required_argument, NULL, 's' },
	{ "seed", required_argument, NULL, 'r' },
	{ "count", required_argument, NULL, 'k' },
	{ "slow", required_argument, NULL, 'f' },
	{ "vmm", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

static void take_option(int c)
{
	switch (c) {
	case 'c':
	case 'l':
		side = c;
		if (!kcolo_addr_parse(optarg, &opt.addr))
			break;
		fprintf(stderr, "kpeer: %s is not ADDR:PORT\n", optarg);
		exit(2);
	case 'n':
		opt.name = optarg;
		break;
	case 's':
		pick = optarg;
		break;
	case 'r':
		opt.seed = strtoull(optarg, NULL, 0);
		break;
	case 'k':
		opt.count = strtoul(optarg, NULL, 0);
		break;
	case 'f':
		opt.slow = strtoul(optarg, NULL, 0);
		break;
	case 'v':
		opt.vmm = true;
		break;
	case 'h':
		show_usage();
		exit(0);
	default:
		exit(2);
	}
}

int main(int argc, char **argv)
{
	int c, ret = 0;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		take_option(c);
	if (!side || (!pick && optind == argc)) {
		fprintf(stderr, "kpeer: --connect or --listen, and a scenario; see kpeer --help\n");
		return 2;
	}
	if (!opt.slow || strlen(opt.name) + 2 > KCOLO_WIRE_NAME) {
		fprintf(stderr, "kpeer: --slow is 1 at least, --name short\n");
		return 2;
	}
	if (pick)
		ret |= play(pick);
	for (; optind < argc; optind++)
		ret |= play(argv[optind]);
	return ret;
}
