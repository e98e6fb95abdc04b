// SPDX-License-Identifier: GPL-2.0
/*
 * "events": what happens, as it happens. When events were lost the sessions are
 * read again and said as "exists", and what that includes is not said twice.
 * Of one session the end is always said, lost or not.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "kcoloctl.h"
#include "parse.h"
#include "show.h"

/* The last event of a session that was told, in one way or the other. */
struct told {
	uint32_t id;
	uint64_t seq;
};

struct follow {
	struct cli *cli;
	struct kcolo *k;
	bool all;			/* sessions */
	bool snapshot;
	bool ended;			/* the one session */
	struct kcolo_event del;		/* what is said then; no type at first */
	uint64_t count;			/* events to go, 0 is no limit */
	int64_t end_ms;			/* by now_ms(), -1 is never */
	uint64_t types;			/* a bit each, 0 is all */
	struct told *told;
	size_t nr_told;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void event_json(const struct kcolo_event *ev)
{
	struct json_object *o = json_new();

	json_add_word(o, "type", kcolo_event_type_name(ev->type), ev->type);
	json_add_u64(o, "seq", ev->seq);
	json_add_u64(o, "session-id", ev->session_id);
	json_add_string(o, "session-name", ev->session_name);
	json_add_word(o, "state", kcolo_state_name(ev->state), ev->state);
	json_add_u64(o, "epoch", ev->epoch);
	json_add_word(o, "kind", kcolo_kind_name(ev->kind), ev->kind);
	json_add_word(o, "stop-reason",
		      kcolo_stop_reason_name(ev->stop_reason),
		      ev->stop_reason);
	json_add_word(o, "abort-reason",
		      kcolo_abort_reason_name(ev->abort_reason),
		      ev->abort_reason);
	json_add_u64(o, "pending", ev->pending);
	json_add_u64(o, "rounds", ev->rounds);
	json_add_u64(o, "pause-us", ev->pause_us);
	json_add_string(o, "error", ev->error);
	json_print(o, false);
}

static void event_text(const struct kcolo_event *ev)
{
	char buf[WORD_MAX], name[NAME_PLAIN], error[ERROR_PLAIN];

	printf("%s %s", plain(ev->session_name, name, sizeof(name)),
	       word(kcolo_event_type_name(ev->type), ev->type, buf));
	printf(" seq=%" PRIu64 " state=%s", ev->seq,
	       word(kcolo_state_name(ev->state), ev->state, buf));
	if (ev->epoch)
		printf(" epoch=%" PRIu64 " kind=%s", ev->epoch,
		       word(kcolo_kind_name(ev->kind), ev->kind, buf));
	if (ev->stop_reason)
		printf(" stop-reason=%s",
		       word(kcolo_stop_reason_name(ev->stop_reason),
			    ev->stop_reason, buf));
	if (ev->abort_reason)
		printf(" abort-reason=%s",
		       word(kcolo_abort_reason_name(ev->abort_reason),
			    ev->abort_reason, buf));
	if (ev->pending)
		printf(" pending=%" PRIu64, ev->pending);
	if (ev->rounds)
		printf(" rounds=%" PRIu32, ev->rounds);
	if (ev->pause_us)
		printf(" pause-us=%" PRIu64, ev->pause_us);
	if (ev->error[0])
		printf(" error=\"%s\"",
		       plain(ev->error, error, sizeof(error)));
	putchar('\n');
}

static void print_exists(const struct cli *cli,
			 const struct kcolo_session_info *info)
{
	struct json_object *o;
	char buf[WORD_MAX], name[NAME_PLAIN];

	if (!cli->json) {
		printf("%s exists seq=%" PRIu64 " state=%s epoch=%" PRIu64
		       " committed=%" PRIu64 "\n",
		       plain(info->name, name, sizeof(name)), info->event_seq,
		       word(kcolo_state_name(info->state), info->state, buf),
		       info->epoch, info->committed);
		return;
	}
	o = json_new();
	json_add(o, "type", json_object_new_string("exists"));
	json_add_u64(o, "seq", info->event_seq);
	json_add_u64(o, "session-id", info->id);
	json_add_string(o, "session-name", info->name);
	json_add_word(o, "state", kcolo_state_name(info->state), info->state);
	json_add_u64(o, "epoch", info->epoch);
	json_add_u64(o, "committed", info->committed);
	json_print(o, false);
}

static int tell_session(const struct kcolo_session_info *info, void *arg)
{
	struct follow *f = arg;
	struct told *told;

	told = reallocarray(f->told, f->nr_told + 1, sizeof(*told));
	if (!told) {
		complain("out of memory");
		exit(EXIT_REFUSED);
	}
	f->told = told;
	told[f->nr_told].id = info->id;
	told[f->nr_told++].seq = info->event_seq;
	print_exists(f->cli, info);
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
	puts(f->cli->json ? "{\"type\":\"exists-end\"}" : "- exists");
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
		if (f->cli->json)
			event_json(ev);
		else
			event_text(ev);
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

static int take_lost(struct follow *f)
{
	int ret;

	puts(f->cli->json ? "{\"type\":\"lost\"}" : "- lost");
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
	if (!err)
		err = kcolo_subscribe(f->k);
	if (!err || (err == -ENOENT && f->del.type))
		err = look(f, false);
	return err;
}

static int subscribe_and_follow(struct follow *f)
{
	int err, ret = EXIT_GOOD;

	err = f->all ? kcolo_subscribe_all(f->k) : subscribe_one(f);
	if (err)
		return cli_fail(f->k, err);
	if (f->snapshot)
		ret = tell_state(f);
	return ret ? ret : follow(f);
}

static int take_type(struct follow *f)
{
	unsigned int i;
	const char *name;

	for (i = 1; i < 64; i++) {
		name = kcolo_event_type_name(i);
		if (!name || strcmp(name, optarg))
			continue;
		f->types |= UINT64_C(1) << i;
		return 0;
	}
	return usage_error(f->cli, "there is no event \"%s\"", optarg) + 1;
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
	case 'S':
		f->snapshot = true;
		return 0;
	default:
		return cli_option(f->cli, c);
	}
}

/**
 * cmd_events - print events as they come
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
		{ "snapshot", no_argument, NULL, 'S' },
		CLI_OPTIONS
	};
	struct follow f = { .cli = cli, .end_ms = -1 };
	int c, ret = 0;

	while (!ret && (c = getopt_long(argc, argv, "n:t:T:S" CLI_SHORT,
					options, NULL)) != -1)
		ret = take_option(&f, c);
	if (!ret)
		ret = cli_name(cli, argc, argv);
	if (ret)
		return ret - 1;
	/* Whoever has a session by its fd need not see the others. */
	f.all = !cli->session && !getenv("KCOLO_FD");
	ret = f.all ? cli_open(&f.k) : cli_session(cli, &f.k);
	if (ret)
		return ret;
	ret = subscribe_and_follow(&f);
	kcolo_close(f.k);
	free(f.told);
	return ret;
}
