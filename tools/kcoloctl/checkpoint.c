// SPDX-License-Identifier: GPL-2.0
/*
 * "checkpoint", "abort", "apply", "drop" and "promote". Each only asks; events
 * tell the rest.
 */
#include <inttypes.h>
#include <stdio.h>
#include "kcoloctl.h"
#include "parse.h"
#include "show.h"

static int checkpoint(struct cli *cli, struct kcolo *k, enum kcolo_kind kind)
{
	struct json_object *o;
	uint64_t epoch;
	int err = kcolo_checkpoint(k, kind, &epoch);

	if (err)
		return cli_fail(k, err);
	if (cli->json) {
		o = json_new();
		json_add_u64(o, "epoch", epoch);
		json_print(o, true);
	} else {
		printf("%" PRIu64 "\n", epoch);
	}
	return cli_flush();
}

/**
 * cmd_checkpoint - ask for a checkpoint
 * @cli: call
 * @argc: of the subcommand
 * @argv: of the subcommand
 *
 * Return: an exit code.
 */
int cmd_checkpoint(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "urgent", no_argument, NULL, 'u' },
		CLI_OPTIONS
	};
	enum kcolo_kind kind = KCOLO_KIND_PERIODIC;
	struct kcolo *k;
	int c, ret = 0;

	while (!ret && (c = getopt_long(argc, argv, "u" CLI_SHORT, options,
					NULL)) != -1) {
		if (c == 'u')
			kind = KCOLO_KIND_URGENT;
		else
			ret = cli_option(cli, c);
	}
	ret = cli_target(cli, argc, argv, ret, &k);
	if (!k)
		return ret;
	ret = checkpoint(cli, k, kind);
	kcolo_close(k);
	return ret;
}

static int simple(struct cli *cli, int argc, char **argv,
		  int (*ask)(struct kcolo *k))
{
	struct kcolo *k;
	int ret = cli_target(cli, argc, argv, cli_options(cli, argc, argv), &k);

	return k ? cli_done(k, ask(k)) : ret;
}

/**
 * cmd_abort - give up the checkpoint that is under way
 * @cli: call
 * @argc: of the subcommand
 * @argv: of the subcommand
 *
 * Return: an exit code.
 */
int cmd_abort(struct cli *cli, int argc, char **argv)
{
	return simple(cli, argc, argv, kcolo_abort);
}

/**
 * cmd_promote - have a secondary take over
 * @cli: call
 * @argc: of the subcommand
 * @argv: of the subcommand
 *
 * Return: an exit code.
 */
int cmd_promote(struct cli *cli, int argc, char **argv)
{
	return simple(cli, argc, argv, kcolo_promote);
}

/* The epoch that is open, unless one was named. */
static int ask_epoch(struct kcolo *k, uint64_t epoch,
		     int (*ask)(struct kcolo *k, uint64_t epoch))
{
	struct kcolo_session_info info;
	int err = 0;

	if (!epoch) {
		err = kcolo_session_get(k, &info);
		if (!err) {
			epoch = info.epoch;
			kcolo_session_info_free(&info);
		}
	}
	return err ? err : ask(k, epoch);
}

static int of_epoch(struct cli *cli, int argc, char **argv,
		    int (*ask)(struct kcolo *k, uint64_t epoch))
{
	static const struct option options[] = {
		{ "epoch", required_argument, NULL, 'e' },
		CLI_OPTIONS
	};
	uint64_t epoch = 0;
	struct kcolo *k;
	int c, ret = 0;

	while (!ret && (c = getopt_long(argc, argv, "e:" CLI_SHORT, options,
					NULL)) != -1) {
		if (c != 'e')
			ret = cli_option(cli, c);
		else if (!parse_number(optarg, UINT64_MAX, &epoch) || !epoch)
			ret = usage_error(cli, "--epoch is a number, not \"%s\"",
					  optarg) + 1;
	}
	ret = cli_target(cli, argc, argv, ret, &k);
	return k ? cli_done(k, ask_epoch(k, epoch, ask)) : ret;
}

/**
 * cmd_apply - commit the epoch that is prepared
 * @cli: call
 * @argc: of the subcommand
 * @argv: of the subcommand
 *
 * Return: an exit code.
 */
int cmd_apply(struct cli *cli, int argc, char **argv)
{
	return of_epoch(cli, argc, argv, kcolo_apply);
}

/**
 * cmd_drop - discard the epoch that is received or prepared
 * @cli: call
 * @argc: of the subcommand
 * @argv: of the subcommand
 *
 * Return: an exit code.
 */
int cmd_drop(struct cli *cli, int argc, char **argv)
{
	return of_epoch(cli, argc, argv, kcolo_drop);
}
