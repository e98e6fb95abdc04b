// SPDX-License-Identifier: GPL-2.0
/*
 * The pause: its limit, when that changes while a VMM is waited for; and what is
 * left for it when the first epoch was given up.
 */
#include <errno.h>
#include <string.h>
#include "pair.h"

static void set_pause_limit(struct kcolo *k, u32 ms)
{
	struct kcolo_params params = {
		.mask = KCOLO_PARAM_PAUSE_LIMIT,
		.pause_limit = ms,
	};

	if (kcolo_session_set(k, &params))
		fail("pause-limit: %s", kcolo_error(k));
}

static void over_the_limit(struct pair *p)
{
	struct kcolo_session_info info;

	await_state(p->a, KCOLO_STATE_IDLE);
	read_session(p->a, &info);
	expect(info.abort_reason == KCOLO_ABORT_REASON_PAUSE_LIMIT,
	       "given up for %s: %s",
	       kcolo_abort_reason_name(info.abort_reason), info.error);
}

/* Set, or shortened, while the VMM does not come. */
static void limit_set(void)
{
	struct pair p;

	pair_up(&p, 60000);
	set_pause_limit(p.a, 0);
	pair_ready(&p);
	sleep_ms(100);
	set_pause_limit(p.a, 200);
	over_the_limit(&p);
	set_pause_limit(p.a, 3600000);
	pair_ready(&p);
	set_pause_limit(p.a, 200);
	over_the_limit(&p);
	pair_down(&p);
}

/* Lengthened it is not what it was. */
static void limit_longer(void)
{
	struct kcolo_session_info info;
	struct pair p;

	pair_up(&p, 60000);
	set_pause_limit(p.a, 1500 * slow);
	pair_ready(&p);
	set_pause_limit(p.a, 0);
	sleep_ms(2000 * slow);
	read_session(p.a, &info);
	expect(info.state == KCOLO_STATE_READY, "the primary is %s: %s",
	       kcolo_state_name(info.state), info.error);
	pair_flush(&p);
	pair_down(&p);
}

/* All of RAM is to be sent again: not in the pause, whatever the policy says. */
static void first_given_up(void)
{
	struct kcolo_stats stats;
	struct pair p;

	pair_up(&p, 60000);
	set_threshold(p.a, 0);
	set_pause_limit(p.a, 0);
	pair_ready(&p);
	if (kcolo_abort(p.a))
		fail("abort: %s", kcolo_error(p.a));
	await_state(p.a, KCOLO_STATE_IDLE);
	pair_checkpoint(&p);
	if (kcolo_stats_get(p.a, &stats))
		fail("stats: %s", kcolo_error(p.a));
	expect(stats.value[KCOLO_A_STATS_LAST_PAUSE_PAGES] < RAM_SIZE / PAGE / 2,
	       "%llu pages were left for the pause",
	       (unsigned long long)stats.value[KCOLO_A_STATS_LAST_PAUSE_PAGES]);
	pair_down(&p);
}

const struct scenario pause_scenarios[] = {
	{ "pause-limit-set", "pause-limit takes effect at once", limit_set },
	{ "pause-limit-longer", "also when it is lengthened", limit_longer },
	{ "pause-first", "the first epoch is given up: a sync again",
	  first_given_up },
	{ 0 }
};
