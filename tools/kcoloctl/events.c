// SPDX-License-Identifier: GPL-2.0
/*
 * "events": what there is, and then what happens, in the grammar of "drbdsetup
 * events2". It is subscribed to first and read then, and what was read includes is
 * not said twice. When events were lost all is read and said again. Of one session
 * the end is always said, lost or not.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kcoloctl.h"
#include "line.h"
#include "parse.h"
#include "show.h"

/* The last event of a session that was told, in one way or the other. */
struct told {
	uint32_t id;
	uint64_t seq;
};

struct follow {
	struct line_style style;
	struct cli *cli;
	struct kcolo *k;
	bool all;			/* sessions */
	bool now;			/* what there is, and no more */
	bool statistics;
	bool ended;			/* the one session */
	struct kcolo_event del;		/* what is said then; no type at first */
	uint64_t count;			/* events to go, 0 is no limit */
	int64_t end_ms;			/* by now_ms(), -1 is never */
	uint64_t types;			/* a bit each, 0 is all */
	struct told *told;
	size_t nr_told;
};

/* A session that is gone has none. */
static void add_stats(struct follow *f, struct json_object *line, uint32_t id)
{
	struct kcolo_stats stats;

	if (!f->statistics || (f->all && kcolo_session_use_id(f->k, id)))
		return;
	if (!kcolo_stats_get(f->k, &stats))
		line_add_stats(line, &stats);
}

static void print_session(struct follow *f,
			  const struct kcolo_session_info *info)
{
	struct json_object *line = line_of_session(info);
	size_t i;

	add_stats(f, line, info->id);
	line_print(&f->style, line);
	for (i = 0; i < info->nr_regions; i++)
		line_print(&f->style, line_of_region(info, &info->regions[i]));
}

/* The event itself does not say what the session was made with. */
static struct json_object *line_of_new(struct follow *f,
				       const struct kcolo_event *ev)
{
	struct kcolo_session_info info;
	struct json_object *line;

	if ((f->all && kcolo_session_use_id(f->k, ev->session_id)) ||
	    kcolo_session_get(f->k, &info))
		return line_of_event(ev, NULL);
	line = line_of_event(ev, &info);
	kcolo_session_info_free(&info);
	return line;
}

static void print_event(struct follow *f, const struct kcolo_event *ev)
{
	struct json_object *line;

	if (ev->type == KCOLO_EVENT_TYPE_SESSION_NEW) {
		line = line_of_new(f, ev);
	} else {
		line = line_of_event(ev, NULL);
		if (ev->type != KCOLO_EVENT_TYPE_SESSION_DEL)
			add_stats(f, line, ev->session_id);
	}
	line_print(&f->style, line);
}

static int tell_session(const struct kcolo_session_info *info, void *arg)
{
	struct follow *f = arg;
	struct told *told;

	told = json_checked(reallocarray(f->told, f->nr_told + 1,
					 sizeof(*told)));
	f->told = told;
	told[f->nr_told].id = info->id;
	told[f->nr_told++].seq = info->event_seq;
	print_session(f, info);
	return 0;
}

static void remember(struct follow *f, const struct kcolo_session_info *info)
{
	f->ended = info->state == KCOLO_STATE_CLOSED;
	f->del = (struct kcolo_event) {
		.type = KCOLO_EVENT_TYPE_SESSION_DEL,
		.seq = info->event_seq,
		.session_id = info->id,
		.state = KCOLO_STATE_CLOSED,
	};
	memcpy(f->del.session_name, info->name, sizeof(f->del.session_name));
	if (!f->ended)
		return;
	f->del.abort_reason = info->abort_reason;
	memcpy(f->del.error, info->error, sizeof(f->del.error));
}

/*
 * Read the one session. That it is gone is no failure if it was there before.
 * Return: 0 or a negative errno.
 */
static int look(struct follow *f, bool say)
{
	struct kcolo_session_info info;
	int err = kcolo_session_get(f->k, &info);

	if (err == -ENOENT && f->del.type) {
		f->ended = true;
		return 0;
	}
	if (err)
		return err;
	remember(f, &info);
	if (say)
		tell_session(&info, f);
	kcolo_session_info_free(&info);
	return 0;
}

/* Say what there is, "exists -" at its end. */
static int tell_state(struct follow *f)
{
	int err;

	f->nr_told = 0;
	if (f->all)
		err = kcolo_session_dump(f->k, tell_session, f);
	else
		err = look(f, true);
	if (err)
		return cli_fail(f->k, err);
	line_print(&f->style, line_new("exists", "-"));
	return cli_flush();
}

static bool was_told(const struct follow *f, const struct kcolo_event *ev)
{
	size_t i;

	for (i = 0; i < f->nr_told; i++)
		if (f->told[i].id == ev->session_id)
			return ev->seq <= f->told[i].seq;
	return false;
}

static bool is_wanted(const struct follow *f, const struct kcolo_event *ev)
{
	/* A snapshot says of a session's end only what state it is in. */
	if (was_told(f, ev) &&
	    (f->all || ev->type != KCOLO_EVENT_TYPE_SESSION_DEL))
		return false;
	return !f->types ||
	       (ev->type < 64 && f->types & (UINT64_C(1) << ev->type));
}

/* Return: an exit code, or -1 to go on. */
static int take_event(struct follow *f, const struct kcolo_event *ev)
{
	if (ev->seq > f->del.seq)
		f->del.seq = ev->seq;
	if (is_wanted(f, ev)) {
		print_event(f, ev);
		if (cli_flush())
			return EXIT_REFUSED;
		if (f->count && !--f->count)
			return EXIT_GOOD;
	}
	/* Nothing comes after it. */
	if (!f->all && ev->type == KCOLO_EVENT_TYPE_SESSION_DEL)
		return f->count ? EXIT_REFUSED : EXIT_GOOD;
	return -1;
}

/* All that was said may have changed, and what there is follows. */
static int take_lost(struct follow *f)
{
	struct json_object *line = line_new("change", "-");
	int ret;

	json_add_raw(line, "event", "lost");
	line_print(&f->style, line);
	ret = tell_state(f);
	return ret ? ret : -1;
}

static int timeout(const struct follow *f)
{
	int64_t left;

	/* What it had to say has come. */
	if (f->ended)
		return 0;
	if (f->end_ms < 0)
		return -1;
	left = f->end_ms - now_ms();
	if (left > INT_MAX)
		return INT_MAX;
	return left < 0 ? 0 : left;
}

static int follow(struct follow *f)
{
	struct kcolo_event ev;
	int n, ret = -1;

	while (ret < 0) {
		n = kcolo_event_next_raw(f->k, &ev, timeout(f));
		if (n > 0)
			ret = take_event(f, &ev);
		else if (n == -ENOBUFS)
			ret = take_lost(f);
		else if (n < 0 && n != -EINTR)
			ret = cli_fail(f->k, n);
		else if (f->ended)
			ret = take_event(f, &f->del);
		else if (!timeout(f))
			ret = f->count ? EXIT_REFUSED : EXIT_GOOD;
	}
	return ret;
}

/*
 * By its number, since its name may become another's. It may end before it is
 * subscribed to, and then no event says so.
 */
static int subscribe_one(struct follow *f)
{
	int err = look(f, false);

	if (!err && kcolo_session_fd(f->k) < 0)
		err = kcolo_session_use_id(f->k, f->del.session_id);
	if (!err && !f->now)
		err = kcolo_subscribe(f->k);
	return err == -ENOENT && f->del.type ? 0 : err;
}

static int subscribe(struct follow *f)
{
	if (!f->all)
		return subscribe_one(f);
	return f->now ? 0 : kcolo_subscribe_all(f->k);
}

static int subscribe_and_follow(struct follow *f)
{
	int err = subscribe(f), ret;

	if (err)
		return cli_fail(f->k, err);
	ret = tell_state(f);
	return ret || f->now ? ret : follow(f);
}

/* Return: as of cli_option(). */
static int list_types(void)
{
	unsigned int i;

	for (i = 1; i < 64; i++)
		if (kcolo_event_type_name(i))
			puts(kcolo_event_type_name(i));
	return cli_flush() + 1;
}

static int take_type(struct follow *f)
{
	unsigned int i;
	const char *name;

	if (!strcmp(optarg, "help"))
		return list_types();
	for (i = 1; i < 64; i++) {
		name = kcolo_event_type_name(i);
		if (!name || strcmp(name, optarg))
			continue;
		f->types |= UINT64_C(1) << i;
		return 0;
	}
	return usage_error(f->cli, "there is no event \"%s\"; --type help lists them",
			   optarg) + 1;
}

static int take_option(struct follow *f, int c)
{
	uint64_t ms;

	switch (c) {
	case 'n':
		if (parse_number(optarg, UINT64_MAX, &f->count) && f->count)
			return 0;
		return usage_error(f->cli, "--count is a number, not \"%s\"",
				   optarg) + 1;
	case 't':
		if (parse_time(optarg, PARSE_S, &ms) && ms < INT64_MAX / 2) {
			f->end_ms = now_ms() + ms;
			return 0;
		}
		return usage_error(f->cli, "--timeout is a time, as 500ms or 2s, not \"%s\"",
				   optarg) + 1;
	case 'T':
		return take_type(f);
	case 'N':
		f->now = true;
		return 0;
	case 'i':
		f->style.timestamps = true;
		return 0;
	case 'S':
		f->statistics = true;
		return 0;
	default:
		return cli_option(f->cli, c);
	}
}

/**
 * cmd_events - print what there is, and events as they come
 * @cli: call
 * @argc: of the subcommand
 * @argv: of the subcommand
 *
 * Return: an exit code.
 */
int cmd_events(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "count", required_argument, NULL, 'n' },
		{ "timeout", required_argument, NULL, 't' },
		{ "type", required_argument, NULL, 'T' },
		{ "now", no_argument, NULL, 'N' },
		{ "timestamps", no_argument, NULL, 'i' },
		{ "statistics", no_argument, NULL, 'S' },
		CLI_OPTIONS
	};
	struct follow f = { .cli = cli, .style.cli = cli, .end_ms = -1 };
	int c, ret = 0;

	while (!ret && (c = getopt_long(argc, argv, "n:t:T:NiS" CLI_SHORT,
					options, NULL)) != -1)
		ret = take_option(&f, c);
	if (!ret)
		ret = cli_name(cli, argc, argv);
	if (ret)
		return ret - 1;
	f.all = !cli_has_session(cli);
	ret = f.all ? cli_open(&f.k) : cli_session(cli, &f.k);
	if (ret)
		return ret;
	ret = subscribe_and_follow(&f);
	kcolo_close(f.k);
	free(f.told);
	return ret;
}
