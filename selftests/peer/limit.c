// SPDX-License-Identifier: GPL-2.0
/*
 * staging-limit: an epoch that does not fit is given up with the reason, on a link
 * that stands; what still comes of it is nobody's fault; and no other one is sent
 * for nothing.
 */
#include <string.h>
#include "malformed.h"
#include "serve.h"

#define LIMIT_PAGES	5

static void set_limit(struct kcolo *k, u64 bytes)
{
	const struct kcolo_params p = {
		.mask = KCOLO_PARAM_STAGING_LIMIT,
		.staging_limit = bytes,
	};

	if (kcolo_session_set(k, &p))
		fail("staging-limit: %s", kcolo_error(k));
}

static struct play *begun(void)
{
	struct play *p = play_begun(LONG_MS);

	play_has = 1;
	set_limit(p->h.k, LIMIT_PAGES * PAGE);
	return p;
}

static void must_count(struct play *p, u32 attr, u64 should)
{
	u64 is = holder_stat(&p->h, attr);

	if (is != should)
		fail("%s is %llu and not %llu", kcolo_stats_name(attr), is,
		     should);
}

static void soon_counts(struct play *p, u32 attr, u64 should)
{
	u64 end = now_ms() + SOON_MS;

	while (holder_stat(&p->h, attr) != should && now_ms() < end)
		sleep_ms(5);
	must_count(p, attr, should);
}

static void send_raw(struct play *p, u64 epoch, u32 round, u64 first, u32 count)
{
	pages_add(&p->m, 0, first, count, 20 + round);
	play_pages(p, epoch, round);
}

static void must_say(struct play *p, const char *words)
{
	struct kcolo_session_info info;

	if (p->l->in.hdr.length != strlen(words) ||
	    memcmp(p->l->in.body, words, strlen(words)))
		fail("the words are \"%.*s\"", (int)p->l->in.hdr.length,
		     p->l->in.body);
	holder_info(&p->h, &info);
	if (info.abort_reason != KCOLO_ABORT_REASON_STAGING_LIMIT ||
	    strcmp(info.error, words))
		fail("the session says %s: %s",
		     kcolo_abort_reason_name(info.abort_reason), info.error);
}

/* ABORT, with the words and the reason; nothing is staged, and the link stands. */
static void refused(struct play *p, u64 epoch, u64 aborts)
{
	expect(p->l, KCOLO_WIRE_ABORT, epoch);
	if (p->l->in.hdr.arg != KCOLO_ABORT_REASON_STAGING_LIMIT)
		fail("the reason is %u", p->l->in.hdr.arg);
	holder_must(&p->h, KCOLO_STATE_IDLE, "refused");
	holder_check(&p->h, "refused");
	must_say(p,
		 "the pages of an epoch do not fit into 20480 bytes: set the secondary's staging-limit to more (checkpoints that come more often need less)");
	must_count(p, KCOLO_A_STATS_STAGING_PAGES, 0);
	must_count(p, KCOLO_A_STATS_ABORTS_STAGING_LIMIT, aborts);
	must_count(p, KCOLO_A_STATS_ABORTS, aborts);
}

static void ask(struct play *p, u64 epoch)
{
	say(p->l, KCOLO_WIRE_CHECKPOINT_REQUEST, epoch, KCOLO_KIND_PERIODIC,
	    NULL, 0);
}

/* As much as may be, whatever is sent of it more than once, and zeroes. */
static void limit_fits(void)
{
	struct play *p = begun();

	play_open(p, 2);
	send_raw(p, 2, 0, 10, LIMIT_PAGES);
	send_raw(p, 2, 1, 10, LIMIT_PAGES);
	pages_add(&p->m, 1, 0, 3, 0);
	play_pages(p, 2, 1);
	ram_set(&p->h.should, 0, 10, LIMIT_PAGES, 21);
	ram_set(&p->h.should, 1, 0, 3, 0);
	play_commit(p, 2);
	must_count(p, KCOLO_A_STATS_STAGING_PEAK_BYTES, LIMIT_PAGES * PAGE);
	must_count(p, KCOLO_A_STATS_ABORTS, 0);
	play_over(p);
}

/* A page more; and all that a primary sends that does not know yet. */
static void over(bool external)
{
	struct play *p;

	opt.external = external;
	p = begun();
	play_open(p, 2);
	send_raw(p, 2, 0, 10, LIMIT_PAGES);
	send_raw(p, 2, 0, 20, 1);
	refused(p, 2, 1);
	send_raw(p, 2, 0, 30, 2);
	say(p->l, KCOLO_WIRE_MIGRATE_RAM, 2, 1, NULL, 0);
	if (!external)
		send_state(p->l, 2, "state", 5);
	send_end(p->l, 2, p->messages, p->pages);
	say(p->l, KCOLO_WIRE_ABORT, 2, KCOLO_ABORT_REASON_STAGING_LIMIT, NULL, 0);
	stay(p->l, 100);
	/* The page that was too many, and the two behind it. */
	soon_counts(p, KCOLO_A_STATS_PAGES_DROPPED, 3);
	/* Nothing is sent for nothing, until the limit is raised; or there is none. */
	ask(p, 3);
	refused(p, 3, 2);
	set_limit(p->h.k, LIMIT_PAGES * PAGE - 1);
	ask(p, 4);
	refused(p, 4, 3);
	set_limit(p->h.k, (LIMIT_PAGES + 1) * PAGE);
	play_open(p, 5);
	send_raw(p, 5, 0, 10, LIMIT_PAGES + 1);
	ram_set(&p->h.should, 0, 10, LIMIT_PAGES + 1, 20);
	play_commit(p, 5);
	must_count(p, KCOLO_A_STATS_ABORTS_STAGING_LIMIT, 3);
	must_count(p, KCOLO_A_STATS_STAGING_PEAK_BYTES, (LIMIT_PAGES + 1) * PAGE);
	/* Committed, it is forgotten: a smaller one is tried. */
	set_limit(p->h.k, PAGE);
	play_open(p, 6);
	send_raw(p, 6, 0, 40, 1);
	ram_set(&p->h.should, 0, 40, 1, 20);
	play_commit(p, 6);
	play_over(p);
}

static void limit_over(void)
{
	over(false);
}

static void limit_external(void)
{
	over(true);
}

/* The end is there before the page that does not fit. */
static void limit_end(void)
{
	struct play *p = begun();

	play_open(p, 2);
	send_raw(p, 2, 0, 10, LIMIT_PAGES);
	send_state(p->l, 2, "state", 5);
	send_end(p->l, 2, 2, LIMIT_PAGES + 1);
	holder_must(&p->h, KCOLO_STATE_COMMITTING, "the end came first");
	send_raw(p, 2, 0, 20, 1);
	refused(p, 2, 1);
	set_limit(p->h.k, 0);
	play_open(p, 3);
	send_raw(p, 3, 0, 10, 2 * LIMIT_PAGES);
	ram_set(&p->h.should, 0, 10, 2 * LIMIT_PAGES, 20);
	play_commit(p, 3);
	play_over(p);
}

static void whole_again(struct play *p)
{
	link_cut(p->l);
	holder_lost(&p->h, KCOLO_ABORT_REASON_PEER_LOST, NULL);
	play_incarnation++;
	connect_pair(p->l);
	holder_must(&p->h, KCOLO_STATE_IDLE, "there again");
}

/*
 * A full resync that does not fit: what is equal does not count, what differs does.
 * It is not begun again, on another link neither.
 */
static void limit_whole(void)
{
	struct play *p;

	opt.reconnect = true;
	p = begun();
	whole_again(p);
	agree_again(p->l, 2, 0);
	play_open(p, 2);
	send_raw(p, 2, 0, 10, LIMIT_PAGES);
	pages_add_from(&p->m, &p->h.should, 0, 0);
	pages_add_from(&p->m, &p->h.should, 0, 12);
	play_pages(p, 2, 1);
	send_raw(p, 2, 2, 12, 1);
	send_raw(p, 2, 2, 20, 1);
	refused(p, 2, 1);
	must_count(p, KCOLO_A_STATS_PAGES_EQUAL, 2);
	ask(p, 3);
	refused(p, 3, 2);
	whole_again(p);
	agree_again(p->l, 4, 0);
	ask(p, 4);
	refused(p, 4, 3);
	set_limit(p->h.k, (LIMIT_PAGES + 1) * PAGE);
	play_open(p, 5);
	send_raw(p, 5, 0, 10, LIMIT_PAGES + 1);
	ram_set(&p->h.should, 0, 10, LIMIT_PAGES + 1, 20);
	play_commit(p, 5);
	play_over(p);
}

/* It is let down while more than that is staged: what is there may be sent again. */
static void limit_lowered(void)
{
	struct play *p = begun();
	u64 before = holder_stat(&p->h, KCOLO_A_STATS_PAGES_RAW);

	play_open(p, 2);
	send_raw(p, 2, 0, 10, 4);
	soon_counts(p, KCOLO_A_STATS_STAGING_PAGES, 4);
	set_limit(p->h.k, 2 * PAGE);
	send_raw(p, 2, 1, 10, 4);
	soon_counts(p, KCOLO_A_STATS_PAGES_RAW, before + 8);
	must_count(p, KCOLO_A_STATS_STAGING_PAGES, 4);
	must_count(p, KCOLO_A_STATS_ABORTS, 0);
	ram_set(&p->h.should, 0, 10, 4, 21);
	play_commit(p, 2);
	play_over(p);
}

const struct scenario limit_scenarios[] = {
	{ "limit-fits", "as many pages as staging-limit allows", limit_fits },
	{ "limit-over", "a page more", limit_over },
	{ "limit-external", "likewise, device state goes another way",
	  limit_external },
	{ "limit-end", "the end overtakes the page that is too many", limit_end },
	{ "limit-whole", "a full resync that does not fit", limit_whole },
	{ "limit-lowered", "the limit is lowered in an epoch", limit_lowered },
	{}
};

#define SMALL		(256u << 10)
#define DIRTY		7

/* The kernel's primary; epoch 1 is committed, and something is dirty. */
static struct serve *served(void)
{
	struct serve *s = serve_new(LONG_MS, SMALL);

	serve_pair(s);
	serve_commit(s);
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "committed");
	memset(s->mem, 0x77, DIRTY * PAGE);
	kcolo_log_dirty(&s->region, 0, DIRTY * PAGE);
	s->want = true;
	serve_request(s);
	return s;
}

/* The guest goes on, for that reason, and what was sent is pending again. */
static void limited(struct serve *s)
{
	static const char text[] = "raise it";
	struct kcolo_session_info info;
	struct kcolo_stats stats;

	say(s->l, KCOLO_WIRE_ABORT, s->epoch, KCOLO_ABORT_REASON_STAGING_LIMIT,
	    text, strlen(text));
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "limited");
	primary_says(s, KCOLO_ABORT_REASON_STAGING_LIMIT, text);
	primary_info(s, &info);
	if (info.committed != 1 || info.pending != DIRTY * PAGE)
		fail("epoch %llu is committed, and %llu bytes are pending",
		     (u64)info.committed, (u64)info.pending);
	if (kcolo_stats_get(s->k, &stats) ||
	    stats.value[KCOLO_A_STATS_ABORTS_STAGING_LIMIT] != 1)
		fail("it is not counted");
	s->stay_ready = false;
	s->want = true;
	serve_commit(s);
	if (s->got.pages != DIRTY)
		fail("%llu pages were sent and not %u", s->got.pages, DIRTY);
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "the next");
	primary_del(s);
}

static void limited_request(void)
{
	struct serve *s = serve_new(LONG_MS, SMALL);
	struct kcolo_stats stats;

	/* Nothing was sent yet, and nothing is until it is asked again. */
	serve_pair(s);
	serve_request(s);
	say(s->l, KCOLO_WIRE_ABORT, s->epoch, KCOLO_ABORT_REASON_STAGING_LIMIT,
	    "no", 2);
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "limited");
	primary_says(s, KCOLO_ABORT_REASON_STAGING_LIMIT, "no");
	if (kcolo_stats_get(s->k, &stats) ||
	    stats.value[KCOLO_A_STATS_PAGES_RAW] ||
	    stats.value[KCOLO_A_STATS_PAGES_ZERO])
		fail("pages were sent");
	s->want = true;
	serve_commit(s);
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "the next");
	primary_del(s);
}

static void limited_rounds(void)
{
	const struct kcolo_params rounds = {
		.mask = KCOLO_PARAM_THRESHOLD,
		.threshold = PAGE,
	};
	struct serve *s = served();

	if (kcolo_session_set(s->k, &rounds))
		fail("threshold: %s", kcolo_error(s->k));
	s->stay_ready = true;
	serve_reply(s);
	primary_wait(s, KCOLO_STATE_READY, 0, SOON_MS, true, "in an epoch");
	while (serve_hear(s, 200) == TCP_GOOD)
		;
	if (s->got.pages != DIRTY)
		fail("%llu pages were sent and not %u", s->got.pages, DIRTY);
	limited(s);
}

/* It said the end, and there is no doubt all the same. */
static void limited_end(void)
{
	struct serve *s = served();

	serve_reply(s);
	serve_end(s);
	if (s->got.pages != DIRTY)
		fail("%llu pages were sent and not %u", s->got.pages, DIRTY);
	limited(s);
}

/* To the end, and then ABORT comes of the epoch before. */
static void ends_late(struct serve *s)
{
	serve_reply(s);
	serve_end(s);
	say(s->l, KCOLO_WIRE_ABORT, s->epoch - 1,
	    KCOLO_ABORT_REASON_STAGING_LIMIT, "late", 4);
}

/* ABORT of another epoch says nothing of this one: only the end decides it. */
static void limited_other(void)
{
	struct serve *s = served();

	ends_late(s);
	serve_answer(s, KCOLO_WIRE_VMSTATE_RECEIVED, s->epoch);
	serve_answer(s, KCOLO_WIRE_VMSTATE_LOADED, s->epoch);
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "committed");
	s->want = true;
	serve_request(s);
	ends_late(s);
	serve_abort(s, s->epoch, "no");
	primary_wait(s, KCOLO_STATE_DOUBT, 0, SOON_MS, false, "refused at the end");
	primary_del(s);
}

const struct scenario limited_scenarios[] = {
	{ "limited-request", "it refuses to begin", limited_request },
	{ "limited-rounds", "it gives up while rounds run", limited_rounds },
	{ "limited-end", "it gives up after the end", limited_end },
	{ "limited-other", "it gives another epoch up", limited_other },
	{}
};
