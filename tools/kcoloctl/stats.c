// SPDX-License-Identifier: GPL-2.0
/*
 * "stats": the counters, once; watch.c has them again and again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "kcoloctl.h"
#include "show.h"
#include "watch.h"

/**
 * stats_json - counters in JSON
 * @stats: of a session
 *
 * Return: an object that the caller puts.
 */
struct json_object *stats_json(const struct kcolo_stats *stats)
{
	struct json_object *o = json_new();
	unsigned int i;

	json_add_u64(o, "session-id", stats->session_id);
	json_add_string(o, "session-name", stats->session_name);
	for (i = 0; i <= KCOLO_A_STATS_MAX; i++)
		if (kcolo_stats_name(i))
			json_add_u64(o, kcolo_stats_name(i), stats->value[i]);
	return o;
}

static void stats_text(const struct kcolo_stats *stats)
{
	char name[NAME_PLAIN];
	unsigned int i;

	printf("session %s\n",
	       plain(stats->session_name, name, sizeof(name)));
	for (i = 0; i <= KCOLO_A_STATS_MAX; i++)
		if (kcolo_stats_name(i))
			printf("  %-20s %" PRIu64 "\n", kcolo_stats_name(i),
			       stats->value[i]);
}

static int print_one(const struct kcolo_stats *stats, void *arg)
{
	if (arg)
		json_append(arg, stats_json(stats));
	else
		stats_text(stats);
	return 0;
}

static int show_all(const struct cli *cli, struct kcolo *k)
{
	struct json_object *array = NULL;
	int err;

	if (cli->json)
		array = json_checked(json_object_new_array());
	err = kcolo_stats_dump(k, print_one, array);
	if (err)
		json_object_put(array);
	else if (cli->json)
		json_print(array, true);
	return err;
}

static int show_session(const struct cli *cli, struct kcolo *k)
{
	struct kcolo_stats stats;
	int err = kcolo_stats_get(k, &stats);

	if (err)
		return err;
	if (cli->json)
		json_print(stats_json(&stats), true);
	else
		stats_text(&stats);
	return 0;
}

struct stats_call {
	bool all;
	struct watch watch;
};

static int run(struct cli *cli, struct stats_call *call)
{
	struct kcolo *k;
	int ret = call->all ? cli_open(&k) : cli_session(cli, &k);

	if (ret)
		return ret;
	if (call->watch.interval_ms)
		return watch(&call->watch, k, call->all);
	return cli_printed(k, call->all ? show_all(cli, k) :
					  show_session(cli, k));
}

/* Return: as of cli_option(). */
static int take_interval(struct stats_call *call, struct cli *cli,
			 const char *text)
{
	uint64_t ms;

	if (parse_time(text, PARSE_S, &ms) && ms && ms <= WATCH_MAX_MS) {
		call->watch.interval_ms = ms;
		return 0;
	}
	return usage_error(cli, "--watch is a time up to a day, as 500ms or 2s, not \"%s\"",
			   text) + 1;
}

static int take_option(struct stats_call *call, struct cli *cli, int c)
{
	switch (c) {
	case 'a':
		call->all = true;
		return 0;
	case 'w':
		return take_interval(call, cli, optarg ? optarg : "1s");
	case 'n':
		if (parse_number(optarg, UINT64_MAX, &call->watch.count) &&
		    call->watch.count)
			return 0;
		return usage_error(cli, "--count is a number, not \"%s\"",
				   optarg) + 1;
	default:
		return cli_option(cli, c);
	}
}

/* "--watch 2s": getopt_long() takes only "--watch=2s". Return: arguments now. */
static int join_interval(int argc, char **argv)
{
	static char joined[32];
	uint64_t ms;
	int i;

	for (i = 1; i + 1 < argc; i++) {
		if ((strcmp(argv[i], "--watch") && strcmp(argv[i], "-w")) ||
		    !parse_time(argv[i + 1], PARSE_S, &ms) ||
		    snprintf(joined, sizeof(joined), "-w%s", argv[i + 1]) >=
		    (int)sizeof(joined))
			continue;
		argv[i] = joined;
		memmove(argv + i + 1, argv + i + 2,
			(argc - i - 1) * sizeof(*argv));
		return argc - 1;
	}
	return argc;
}

/**
 * cmd_stats - print the counters of a session, or of all
 * @cli: call
 * @argc: of the subcommand
 * @argv: of the subcommand
 *
 * Return: an exit code.
 */
int cmd_stats(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, 'a' },
		{ "watch", optional_argument, NULL, 'w' },
		{ "count", required_argument, NULL, 'n' },
		CLI_OPTIONS
	};
	struct stats_call call = { .watch.cli = cli };
	int c, ret = 0;

	argc = join_interval(argc, argv);
	while (!ret && (c = getopt_long(argc, argv, "aw::n:" CLI_SHORT,
					options, NULL)) != -1)
		ret = take_option(&call, cli, c);
	if (!ret)
		ret = cli_name(cli, argc, argv);
	if (ret)
		return ret - 1;
	if (call.all && cli->session)
		return usage_error(cli, "--all is all sessions");
	if (call.watch.count && !call.watch.interval_ms)
		return usage_error(cli, "--count goes with --watch");
	return run(cli, &call);
}
