// SPDX-License-Identifier: GPL-2.0
/*
 * "session del", "session show" and "session list".
 */
#include <errno.h>
#include <stdio.h>
#include "kcoloctl.h"
#include "show.h"

/**
 * cmd_session_del - end a session
 * @cli: call
 * @argc: of the subcommand
 * @argv: of the subcommand
 *
 * Return: an exit code.
 */
int cmd_session_del(struct cli *cli, int argc, char **argv)
{
	struct kcolo *k;
	int ret = cli_target(cli, argc, argv, cli_options(cli, argc, argv), &k);

	return k ? cli_done(k, kcolo_session_del(k)) : ret;
}

static int list_json(const struct kcolo_session_info *info, void *arg)
{
	json_append(arg, session_json(info));
	return 0;
}

struct shown {
	struct kcolo *k;
	unsigned int nr;
};

/* It may have ended meanwhile: then what it was is shown without counters. */
static int show_text(const struct kcolo_session_info *info, void *arg)
{
	struct shown *shown = arg;
	struct kcolo_stats stats;
	int err = kcolo_stats_get(shown->k, &stats);

	if (err && err != -ENOENT)
		return err;
	if (shown->nr++)
		putchar('\n');
	session_text(info, err ? NULL : &stats);
	return 0;
}

static int show_any(const struct kcolo_session_info *info, void *arg)
{
	struct shown *shown = arg;
	int err = kcolo_session_use_id(shown->k, info->id);

	return err ? err : show_text(info, arg);
}

static int show_all(const struct cli *cli, struct kcolo *k)
{
	struct shown shown = { .k = k };
	struct json_object *array;
	int err;

	if (!cli->json)
		return kcolo_session_dump(k, show_any, &shown);
	array = json_checked(json_object_new_array());
	err = kcolo_session_dump(k, list_json, array);
	if (err)
		json_object_put(array);
	else
		json_print(array, true);
	return err;
}

static int show_one(const struct cli *cli, struct kcolo *k)
{
	struct shown shown = { .k = k };
	struct kcolo_session_info info;
	int err = kcolo_session_get(k, &info);

	if (err)
		return err;
	if (cli->json)
		json_print(session_json(&info), true);
	else
		err = show_text(&info, &shown);
	kcolo_session_info_free(&info);
	return err;
}

/**
 * cmd_session_show - say what there is to say of a session, or of all
 * @cli: call
 * @argc: of the subcommand
 * @argv: of the subcommand
 *
 * Return: an exit code.
 */
int cmd_session_show(struct cli *cli, int argc, char **argv)
{
	struct kcolo *k;
	int ret = cli_options(cli, argc, argv);

	if (!ret)
		ret = cli_name(cli, argc, argv);
	if (ret)
		return ret - 1;
	ret = cli_has_session(cli) ? cli_session(cli, &k) : cli_open(&k);
	if (ret)
		return ret;
	return cli_printed(k, cli_has_session(cli) ? show_one(cli, k) :
						     show_all(cli, k));
}

static int list_text(const struct kcolo_session_info *info, void *arg)
{
	char role[WORD_MAX], state[WORD_MAX], peer[80], name[NAME_PLAIN];
	unsigned int *nr = arg;

	if (!(*nr)++)
		printf("%-20s %-4s %-10s %-10s %-12s %s\n", "NAME", "ID",
		       "ROLE", "STATE", "COMMITTED", "PEER");
	printf("%-20s %-4u %-10s %-10s %-12llu %s\n",
	       plain(info->name, name, sizeof(name)), info->id,
	       word(kcolo_role_name(info->role), info->role, role),
	       word(kcolo_state_name(info->state), info->state, state),
	       (unsigned long long)info->committed,
	       kcolo_addr_format(&info->peer, peer, sizeof(peer)));
	return 0;
}

static int list(const struct cli *cli, struct kcolo *k)
{
	struct json_object *array = NULL;
	unsigned int nr = 0;
	int err;

	if (cli->json) {
		array = json_object_new_array();
		err = kcolo_session_dump(k, list_json, array);
	} else {
		err = kcolo_session_dump(k, list_text, &nr);
	}
	if (err) {
		json_object_put(array);
		return cli_fail(k, err);
	}
	if (cli->json)
		json_print(array, true);
	return cli_flush();
}

/**
 * cmd_session_list - list all sessions
 * @cli: call
 * @argc: of the subcommand
 * @argv: of the subcommand
 *
 * Return: an exit code.
 */
int cmd_session_list(struct cli *cli, int argc, char **argv)
{
	struct kcolo *k;
	int ret = cli_options(cli, argc, argv);

	if (ret)
		return ret - 1;
	if (optind < argc || cli->session)
		return usage_error(cli, "this lists all sessions");
	ret = cli_open(&k);
	if (ret)
		return ret;
	ret = list(cli, k);
	kcolo_close(k);
	return ret;
}
