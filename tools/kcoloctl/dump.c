// SPDX-License-Identifier: GPL-2.0
/*
 * "dump": sessions for scripts, a line each. New fields go to the end, and none
 * ever changes its place.
 */
#include <inttypes.h>
#include <stdio.h>
#include "kcoloctl.h"
#include "show.h"

static void text(const char *value)
{
	char buf[ERROR_PLAIN];

	printf("\t%s", value[0] ? plain(value, buf, sizeof(buf)) : "-");
}

static void number(uint64_t value)
{
	printf("\t%" PRIu64, value);
}

static void truth(bool value)
{
	text(value ? "yes" : "no");
}

static void params(const struct kcolo_params *p)
{
	number(p->threshold);
	number(p->max_iterations);
	number(p->min_gain);
	number(p->peer_timeout);
	number(p->pause_limit);
	truth(p->checksum);
	truth(p->log_sync);
	number(p->log_sync_timeout);
}

static uint64_t ram(const struct kcolo_session_info *info)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < info->nr_regions; i++)
		bytes += info->regions[i].size;
	return bytes;
}

/* kcoloctl(8) has their order. */
static void dump_text(const struct kcolo_session_info *info)
{
	char buf[ADDR_MAX], name[NAME_PLAIN];

	fputs(plain(info->name, name, sizeof(name)), stdout);
	number(info->id);
	text(word(kcolo_role_name(info->role), info->role, buf));
	text(word(kcolo_state_name(info->state), info->state, buf));
	text(kcolo_addr_format(&info->local, buf, sizeof(buf)));
	text(kcolo_addr_format(&info->peer, buf, sizeof(buf)));
	text(format_uuid(info->uuid, buf));
	truth(info->insecure);
	text(word(kcolo_device_state_name(info->device_state),
		  info->device_state, buf));
	number(info->epoch);
	number(info->committed);
	number(info->pending);
	truth(info->synced);
	truth(info->clean);
	text(word(kcolo_stop_reason_name(info->stop_reason), info->stop_reason,
		  buf));
	text(word(kcolo_abort_reason_name(info->abort_reason),
		  info->abort_reason, buf));
	text(info->error);
	number(info->event_seq);
	params(&info->params);
	number(info->nr_regions);
	number(ram(info));
	truth(info->params.reconnect);
	number(info->links);
	text(word(kcolo_resync_name(info->resync), info->resync, buf));
	number(info->params.staging_limit);
	putchar('\n');
}

static int dump_one(const struct kcolo_session_info *info, void *arg)
{
	const struct cli *cli = arg;

	if (cli->json)
		json_print(session_json(info), false);
	else
		dump_text(info);
	return 0;
}

static int dump_session(struct cli *cli, struct kcolo *k)
{
	struct kcolo_session_info info;
	int err = kcolo_session_get(k, &info);

	if (err)
		return err;
	dump_one(&info, cli);
	kcolo_session_info_free(&info);
	return 0;
}

/**
 * cmd_dump - print a session, or all, for scripts
 * @cli: call
 * @argc: of the subcommand
 * @argv: of the subcommand
 *
 * Return: an exit code.
 */
int cmd_dump(struct cli *cli, int argc, char **argv)
{
	struct kcolo *k;
	int err, ret = cli_options(cli, argc, argv);

	if (!ret)
		ret = cli_name(cli, argc, argv);
	if (ret)
		return ret - 1;
	ret = cli_has_session(cli) ? cli_session(cli, &k) : cli_open(&k);
	if (ret)
		return ret;
	if (cli_has_session(cli))
		err = dump_session(cli, k);
	else
		err = kcolo_session_dump(k, dump_one, cli);
	return cli_printed(k, err);
}
