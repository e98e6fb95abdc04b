// SPDX-License-Identifier: GPL-2.0
/*
 * "stats --watch": the counters again and again, with what each gains per second.
 * On a terminal each look takes the place of the one before.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "color.h"
#include "show.h"
#include "watch.h"

/* Only of a terminal: to its top, clear to the line's end, to the screen's. */
#define HOME	"\033[H"
#define CLEAR	"\033[2J"
#define EOL	"\033[K"
#define EOS	"\033[J"

struct sample {
	struct kcolo_stats stats;
	int64_t at_ms;
};

struct samples {
	struct sample *s;
	size_t nr;
};

struct look {
	const struct watch *w;
	struct samples last, now;
	bool terminal;
	unsigned int rows;		/* of the terminal that are left */
	unsigned int hidden;		/* lines that had no room */
};

/* What is of the last checkpoint or of now does not add up. */
static bool adds_up(const char *name)
{
	return strncmp(name, "last-", 5) && strncmp(name, "staging-", 8) &&
	       strcmp(name, "pending");
}

static const struct sample *last_of(const struct look *l, uint32_t id)
{
	size_t i;

	for (i = 0; i < l->last.nr; i++)
		if (l->last.s[i].stats.session_id == id)
			return &l->last.s[i];
	return NULL;
}

static double per_second(const struct sample *last, const struct sample *now,
			 unsigned int i)
{
	int64_t ms = now->at_ms - last->at_ms;

	if (ms <= 0 || now->stats.value[i] < last->stats.value[i])
		return 0;
	return (now->stats.value[i] - last->stats.value[i]) * 1000.0 / ms;
}

static void print_json(const struct sample *last, const struct sample *now)
{
	struct json_object *o = stats_json(&now->stats), *rates = NULL;
	char buf[FORMAT_MAX];
	unsigned int i;
	double rate;

	if (last)
		rates = json_new();
	for (i = 0; last && i <= KCOLO_A_STATS_MAX; i++) {
		if (!kcolo_stats_name(i) || !adds_up(kcolo_stats_name(i)))
			continue;
		rate = per_second(last, now, i);
		snprintf(buf, sizeof(buf), "%.3f", rate);
		json_add(rates, kcolo_stats_name(i),
			 json_checked(json_object_new_double_s(rate, buf)));
	}
	json_add(o, "per-second", rates);
	json_print(o, false);
}

/* What has no room on the terminal is counted. Return: whether it has. */
static bool has_room(struct look *l)
{
	if (!l->terminal)
		return true;
	if (l->rows) {
		l->rows--;
		return true;
	}
	l->hidden++;
	return false;
}

static void end_line(const struct look *l)
{
	puts(l->terminal ? EOL : "");
}

static void print_rate(const char *name, double rate)
{
	char buf[FORMAT_MAX];

	if (strstr(name, "bytes"))
		printf(" %14s/s", format_bytes(rate, buf, sizeof(buf)));
	else
		printf(" %14.1f/s", rate);
}

static void print_counter(struct look *l, const struct sample *last,
			  const struct sample *now, unsigned int i)
{
	const char *name = kcolo_stats_name(i);

	if (!name || !now->stats.value[i] || !has_room(l))
		return;
	printf("  %-20s %20" PRIu64, name, now->stats.value[i]);
	if (last && adds_up(name))
		print_rate(name, per_second(last, now, i));
	end_line(l);
}

static void print_text(struct look *l, const struct sample *last,
		       const struct sample *now)
{
	char name[NAME_PLAIN];
	unsigned int i;

	if (has_room(l)) {
		printf("%ssession %s%s", paint(STYLE_HEAD),
		       plain(now->stats.session_name, name, sizeof(name)),
		       paint(STYLE_END));
		end_line(l);
	}
	for (i = 0; i <= KCOLO_A_STATS_MAX; i++)
		print_counter(l, last, now, i);
}

static void begin_screen(struct look *l)
{
	struct winsize size = { 0 };

	if (!l->terminal)
		return;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_row < 3)
		size.ws_row = 24;
	/* One for what has no room, one for the cursor. */
	l->rows = size.ws_row - 2;
	l->hidden = 0;
	fputs(l->last.s ? HOME : CLEAR HOME, stdout);
}

static void end_screen(const struct look *l)
{
	if (l->terminal && l->hidden)
		printf("(%u more)" EOL "\n", l->hidden);
	if (l->terminal)
		fputs(EOS, stdout);
	else if (!l->w->cli->json)
		putchar('\n');
}

static int print_look(struct look *l)
{
	const struct sample *last;
	size_t i;

	begin_screen(l);
	for (i = 0; i < l->now.nr; i++) {
		last = last_of(l, l->now.s[i].stats.session_id);
		if (l->w->cli->json)
			print_json(last, &l->now.s[i]);
		else
			print_text(l, last, &l->now.s[i]);
	}
	end_screen(l);
	return cli_flush();
}

static int take_sample(const struct kcolo_stats *stats, void *arg)
{
	struct samples *now = arg;

	now->s = json_checked(reallocarray(now->s, now->nr + 1,
					   sizeof(*now->s)));
	now->s[now->nr].stats = *stats;
	now->s[now->nr++].at_ms = now_ms();
	return 0;
}

static int look_at(struct look *l, struct kcolo *k, bool all)
{
	struct kcolo_stats stats;
	int err;

	if (all)
		return kcolo_stats_dump(k, take_sample, &l->now);
	err = kcolo_stats_get(k, &stats);
	return err ? err : take_sample(&stats, &l->now);
}

/* Return: whether a signal has come, which ends it in order. */
static bool interrupted(int signals, int64_t end_ms)
{
	struct pollfd p = { .fd = signals, .events = POLLIN };
	int64_t left;

	while ((left = end_ms - now_ms()) > 0)
		if (poll(&p, 1, left) > 0)
			return true;
	return false;
}

static int look_again(struct look *l, struct kcolo *k, bool all, int signals)
{
	uint64_t left = l->w->count;
	int64_t next = now_ms();
	int err, ret;

	do {
		err = look_at(l, k, all);
		ret = err ? cli_fail(k, err) : print_look(l);
		if (ret)
			return ret;
		free(l->last.s);
		l->last = l->now;
		l->now = (struct samples) { 0 };
		if (left && !--left)
			return EXIT_GOOD;
		next += l->w->interval_ms;
	} while (!interrupted(signals, next));
	return EXIT_GOOD;
}

/**
 * watch - print counters again and again
 * @w: how
 * @k: handle; closed
 * @all: of all sessions, not of the handle's
 *
 * Return: an exit code.
 */
int watch(const struct watch *w, struct kcolo *k, bool all)
{
	struct look l = {
		.w = w,
		.terminal = !w->cli->json && isatty(STDOUT_FILENO),
	};
	sigset_t set;
	int signals, ret = EXIT_REFUSED;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (signals < 0) {
		complain("signalfd: %s", strerror(errno));
	} else {
		ret = look_again(&l, k, all, signals);
		close(signals);
	}
	free(l.last.s);
	free(l.now.s);
	kcolo_close(k);
	return ret;
}
