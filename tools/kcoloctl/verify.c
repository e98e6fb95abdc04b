// SPDX-License-Identifier: GPL-2.0
/*
 * "verify": whether both ends of a session have the same RAM. It is subscribed to
 * before it is asked for, and read when the event has come, or was lost.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include "kcoloctl.h"
#include "parse.h"
#include "show.h"

struct verify {
	struct cli *cli;
	struct kcolo *k;
	bool last;			/* what was found before */
	uint64_t before;		/* no epoch up to this one counts */
	int64_t end_ms;			/* by now_ms(), -1 is never */
};

static void print_json(const struct kcolo_verified *v)
{
	struct json_object *o = json_new(), *array = json_object_new_array(), *d;
	size_t i;

	json_add_u64(o, "epoch", v->epoch);
	json_add_u64(o, "pages", v->pages);
	json_add_u64(o, "different", v->different);
	json_add(o, "differences", array);
	for (i = 0; array && i < v->nr; i++) {
		d = json_new();
		json_add_string(d, "region", v->difference[i].region);
		json_add_u64(d, "page", v->difference[i].page);
		json_append(array, d);
	}
	json_print(o, true);
}

static void print_text(const struct kcolo_verified *v)
{
	char name[NAME_PLAIN];
	size_t i;

	for (i = 0; i < v->nr; i++)
		printf("%s page %" PRIu64 " differs\n",
		       plain(v->difference[i].region, name, sizeof(name)),
		       v->difference[i].page);
	if (v->different > v->nr)
		printf("... and %" PRIu64 " more\n", v->different - v->nr);
	printf("epoch %" PRIu64 ": %" PRIu64 " pages, ", v->epoch, v->pages);
	if (v->different)
		printf("%" PRIu64 " differ\n", v->different);
	else
		puts("all equal");
}

static int print_found(const struct verify *v, const struct kcolo_verified *found)
{
	int ret;

	if (v->cli->json)
		print_json(found);
	else
		print_text(found);
	ret = cli_flush();
	return ret ? ret : found->different ? EXIT_DIFFERENT : EXIT_GOOD;
}

/* Return: an exit code, or -1 when there is nothing new. */
static int look(struct verify *v)
{
	struct kcolo_verified found;
	int err = kcolo_verify_get(v->k, &found);

	if (err == -ENODATA && !v->last)
		return -1;
	if (err)
		return cli_fail(v->k, err);
	if (!v->last && found.epoch <= v->before)
		return -1;
	return print_found(v, &found);
}

static int left_ms(const struct verify *v)
{
	int64_t left;

	if (v->end_ms < 0)
		return -1;
	left = v->end_ms - now_ms();
	if (left > INT_MAX)
		return INT_MAX;
	return left < 0 ? 0 : left;
}

static int never(const char *why)
{
	complain("%s before a checkpoint was verified", why);
	return EXIT_NEVER;
}

static int next(struct verify *v)
{
	struct kcolo_event ev;
	int n = kcolo_event_next_raw(v->k, &ev, left_ms(v));

	if (n == -ENOBUFS || (n > 0 && ev.type == KCOLO_EVENT_TYPE_VERIFIED))
		return look(v);
	if (n > 0 && ev.type == KCOLO_EVENT_TYPE_SESSION_DEL)
		return never("the session has ended");
	if (n > 0 && ev.type == KCOLO_EVENT_TYPE_FENCED)
		return never("the secondary has taken over");
	if (n > 0)
		return -1;
	if (n < 0 && n != -EINTR)
		return cli_fail(v->k, n);
	if (left_ms(v))
		return -1;
	complain("no checkpoint was verified yet; \"verify --last\" says what comes of it");
	return EXIT_TIMEOUT;
}

static int run(struct verify *v)
{
	struct kcolo_session_info info;
	int err, ret = -1;

	if (v->last)
		return look(v);
	/* By its number: events are asked for by what is no name of another's. */
	err = kcolo_session_get(v->k, &info);
	if (err)
		return cli_fail(v->k, err);
	v->before = info.epoch;
	kcolo_session_info_free(&info);
	err = kcolo_session_fd(v->k) < 0 ? kcolo_session_use_id(v->k, info.id) : 0;
	if (!err)
		err = kcolo_subscribe(v->k);
	if (!err)
		err = kcolo_verify(v->k);
	if (err)
		return cli_fail(v->k, err);
	while (ret < 0)
		ret = next(v);
	return ret;
}

static int take_option(struct verify *v, int c)
{
	uint64_t ms;

	switch (c) {
	case 'l':
		v->last = true;
		return 0;
	case 't':
		if (!parse_time(optarg, PARSE_S, &ms) || ms >= INT64_MAX / 2)
			return usage_error(v->cli,
					   "--timeout is a time, as 500ms or 2s, not \"%s\"",
					   optarg) + 1;
		v->end_ms = now_ms() + ms;
		return 0;
	default:
		return cli_option(v->cli, c);
	}
}

/**
 * cmd_verify - have the next checkpoint verified, and say what was found
 * @cli: call
 * @argc: of the subcommand
 * @argv: of the subcommand
 *
 * Return: an exit code.
 */
int cmd_verify(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "last", no_argument, NULL, 'l' },
		{ "timeout", required_argument, NULL, 't' },
		CLI_OPTIONS
	};
	struct verify v = { .cli = cli, .end_ms = -1 };
	int c, ret = 0;

	while (!ret && (c = getopt_long(argc, argv, "lt:" CLI_SHORT, options,
					NULL)) != -1)
		ret = take_option(&v, c);
	if (!ret)
		ret = cli_name(cli, argc, argv);
	if (ret)
		return ret - 1;
	ret = cli_session(cli, &v.k);
	if (ret)
		return ret;
	ret = run(&v);
	kcolo_close(v.k);
	return ret;
}
