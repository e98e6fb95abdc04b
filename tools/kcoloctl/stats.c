// SPDX-License-Identifier: GPL-2.0
/*
 * "stats": the counters.
 */
#include <inttypes.h>
#include <stdio.h>
#include "kcoloctl.h"
#include "show.h"

static struct json_object *stats_json(const struct kcolo_stats *stats)
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

static int show_all(const struct cli *cli)
{
	struct json_object *array = NULL;
	struct kcolo *k;
	int err, ret = cli_open(&k);

	if (ret)
		return ret;
	if (cli->json)
		array = json_object_new_array();
	err = kcolo_stats_dump(k, print_one, array);
	if (err) {
		json_object_put(array);
		ret = cli_fail(k, err);
	} else {
		if (cli->json)
			json_print(array, true);
		ret = cli_flush();
	}
	kcolo_close(k);
	return ret;
}

static int show_session(struct cli *cli)
{
	struct kcolo_stats stats;
	struct kcolo *k;
	int err, ret = cli_session(cli, &k);

	if (ret)
		return ret;
	err = kcolo_stats_get(k, &stats);
	if (err) {
		ret = cli_fail(k, err);
	} else {
		if (cli->json)
			json_print(stats_json(&stats), true);
		else
			stats_text(&stats);
		ret = cli_flush();
	}
	kcolo_close(k);
	return ret;
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
		CLI_OPTIONS
	};
	bool all = false;
	int c, ret = 0;

	while (!ret && (c = getopt_long(argc, argv, "a" CLI_SHORT, options,
					NULL)) != -1) {
		if (c == 'a')
			all = true;
		else
			ret = cli_option(cli, c);
	}
	if (!ret)
		ret = cli_name(cli, argc, argv);
	if (ret)
		return ret - 1;
	if (all && cli->session)
		return usage_error(cli, "--all is all sessions");
	return all ? show_all(cli) : show_session(cli);
}
