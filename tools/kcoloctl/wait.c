// SPDX-License-Identifier: GPL-2.0
/*
 * "wait": until a session is in a state. It is subscribed to and then read, so
 * that no change is missed, and read again when events were lost.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include "kcoloctl.h"
#include "parse.h"
#include "show.h"

#define S(name)	(UINT64_C(1) << KCOLO_STATE_##name)

/* No event comes with them: one who waits for events would miss them. */
#define PASSING	(S(PRECOPY) | S(FLUSHING) | S(FLUSHED) | S(COMMITTING) | \
		 S(APPLYING) | S(RECEIVING))

/* The other end's. Any state that is not here may be either's. */
#define NO_PRIMARY	(S(PROMOTED) | S(BROKEN) | S(PREPARED))
#define NO_SECONDARY	(S(READY) | S(DOUBT) | S(FENCED))

/* What may follow without a peer that is looked for. */
#define LOST_NEXT	(S(LOST) | S(FENCED) | S(PROMOTED) | S(CLOSED))

/* What may still follow; from any state that is not here, all. */
static const struct {
	enum kcolo_state state;
	uint64_t next;
} ends[] = {
	{ KCOLO_STATE_FENCED, S(CLOSED) },
	{ KCOLO_STATE_PROMOTED, S(CLOSED) },
	{ KCOLO_STATE_BROKEN, S(CLOSED) },
	{ KCOLO_STATE_CLOSED, 0 },
};

struct wait {
	struct cli *cli;
	struct kcolo *k;
	uint64_t states;		/* a bit each */
	int64_t end_ms;			/* by now_ms(), -1 is never */
	struct kcolo_session_info info;	/* as it was read last */
};

static bool is_in(uint64_t states, unsigned int state)
{
	return state < 64 && states & (UINT64_C(1) << state);
}

static const char *state_word(const struct wait *w, char buf[WORD_MAX])
{
	return word(kcolo_state_name(w->info.state), w->info.state, buf);
}

static int reached(const struct wait *w)
{
	struct json_object *o;
	char buf[WORD_MAX];

	if (w->cli->json) {
		o = json_new();
		json_add_string(o, "state", state_word(w, buf));
		json_print(o, false);
	} else {
		puts(state_word(w, buf));
	}
	return cli_flush();
}

static bool may_come(const struct wait *w)
{
	uint64_t may = w->info.role == KCOLO_ROLE_PRIMARY ? ~NO_PRIMARY :
							    ~NO_SECONDARY;
	unsigned int i;

	if (is_in(S(LOST) | S(DOUBT), w->info.state) &&
	    !w->info.params.reconnect)
		may &= LOST_NEXT;
	for (i = 0; i < ARRAY_SIZE(ends); i++)
		if (ends[i].state == w->info.state)
			may &= ends[i].next;
	return w->states & may;
}

static int never(const struct wait *w)
{
	char name[NAME_PLAIN], error[ERROR_PLAIN], role[WORD_MAX],
	     state[WORD_MAX];

	complain("session %s, a %s, is %s, and that is not to come any more%s%s",
		 plain(w->info.name, name, sizeof(name)),
		 word(kcolo_role_name(w->info.role), w->info.role, role),
		 state_word(w, state), w->info.error[0] ? ": " : "",
		 plain(w->info.error, error, sizeof(error)));
	return EXIT_NEVER;
}

static int late(const struct wait *w)
{
	char name[NAME_PLAIN], state[WORD_MAX];

	complain("session %s is still %s", plain(w->info.name, name, sizeof(name)),
		 state_word(w, state));
	return EXIT_TIMEOUT;
}

/* Return: an exit code, or -1 to go on. */
static int judge(const struct wait *w)
{
	if (is_in(w->states, w->info.state))
		return reached(w);
	return may_come(w) ? -1 : never(w);
}

/* One that is gone has closed. Return: as of judge(). */
static int look(struct wait *w)
{
	struct kcolo_session_info info;
	int err = kcolo_session_get(w->k, &info);

	if (err && (err != -ENOENT || !w->info.id))
		return cli_fail(w->k, err);
	if (err) {
		w->info.state = KCOLO_STATE_CLOSED;
	} else {
		kcolo_session_info_free(&info);
		w->info = info;
	}
	return judge(w);
}

static int take_event(struct wait *w, const struct kcolo_event *ev)
{
	if (ev->seq <= w->info.event_seq)
		return -1;
	w->info.event_seq = ev->seq;
	w->info.state = ev->state;
	memcpy(w->info.error, ev->error, sizeof(w->info.error));
	return judge(w);
}

static int left_ms(const struct wait *w)
{
	int64_t left;

	if (w->end_ms < 0)
		return -1;
	left = w->end_ms - now_ms();
	if (left > INT_MAX)
		return INT_MAX;
	return left < 0 ? 0 : left;
}

static int next(struct wait *w)
{
	struct kcolo_event ev;
	int n = kcolo_event_next_raw(w->k, &ev, left_ms(w));

	if (n > 0)
		return take_event(w, &ev);
	if (n == -ENOBUFS)
		return look(w);
	if (n < 0 && n != -EINTR)
		return cli_fail(w->k, n);
	return left_ms(w) ? -1 : late(w);
}

/* By its number, since its name may become another's. */
static int wait_for(struct wait *w)
{
	int err, ret = look(w);

	if (ret >= 0)
		return ret;
	err = kcolo_session_fd(w->k) < 0 ?
	      kcolo_session_use_id(w->k, w->info.id) : 0;
	if (!err)
		err = kcolo_subscribe(w->k);
	if (err && err != -ENOENT)
		return cli_fail(w->k, err);
	ret = look(w);
	while (ret < 0)
		ret = next(w);
	return ret;
}

/* Return: as of cli_option(). */
static int list_states(void)
{
	unsigned int i;

	for (i = 1; i < 64; i++)
		if (kcolo_state_name(i) && !is_in(PASSING, i))
			puts(kcolo_state_name(i));
	return cli_flush() + 1;
}

static int take_state(struct wait *w, const char *name, size_t len)
{
	unsigned int i;
	const char *known;

	for (i = 1; i < 64; i++) {
		known = kcolo_state_name(i);
		if (!known || strlen(known) != len || memcmp(known, name, len))
			continue;
		if (is_in(PASSING, i))
			return usage_error(w->cli,
					   "\"%s\" passes without an event; \"wait help\" lists what can be waited for",
					   known) + 1;
		w->states |= UINT64_C(1) << i;
		return 0;
	}
	return usage_error(w->cli, "there is no state \"%.*s\"; \"wait help\" lists them",
			   (int)len, name) + 1;
}

static int take_states(struct wait *w, int argc, char **argv)
{
	const char *p;
	size_t len;
	int ret;

	if (optind == argc)
		return usage_error(w->cli, "which state?") + 1;
	if (!strcmp(argv[optind], "help"))
		return list_states();
	for (p = argv[optind++];; p += len + 1) {
		len = strcspn(p, ",");
		ret = take_state(w, p, len);
		if (ret || !p[len])
			return ret;
	}
}

static int take_option(struct wait *w, int c)
{
	uint64_t ms;

	if (c != 't')
		return cli_option(w->cli, c);
	if (!parse_time(optarg, PARSE_S, &ms) || ms >= INT64_MAX / 2)
		return usage_error(w->cli, "--timeout is a time, as 500ms or 2s, not \"%s\"",
				   optarg) + 1;
	w->end_ms = now_ms() + ms;
	return 0;
}

/**
 * cmd_wait - wait until a session is in a state
 * @cli: call
 * @argc: of the subcommand
 * @argv: of the subcommand
 *
 * Return: an exit code.
 */
int cmd_wait(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "timeout", required_argument, NULL, 't' },
		CLI_OPTIONS
	};
	struct wait w = { .cli = cli, .end_ms = -1 };
	int c, ret = 0;

	while (!ret && (c = getopt_long(argc, argv, "t:" CLI_SHORT, options,
					NULL)) != -1)
		ret = take_option(&w, c);
	if (!ret)
		ret = take_states(&w, argc, argv);
	ret = cli_target(cli, argc, argv, ret, &w.k);
	if (!w.k)
		return ret;
	ret = wait_for(&w);
	kcolo_close(w.k);
	return ret;
}
