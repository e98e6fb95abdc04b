// SPDX-License-Identifier: GPL-2.0
/*
 * A secondary that comes back to a primary: what it says of itself decides what
 * was in doubt, and how much is sent.
 */
#include <string.h>
#include "malformed.h"
#include "serve.h"

#define SMALL		(256u << 10)
#define PAGES_OF(s)	((s)->size / PAGE)
#define DIRTY		5

static void dirty(struct serve *s, u32 count)
{
	memset(s->mem, 0x77, count * PAGE);
	kcolo_log_dirty(&s->region, 0, count * PAGE);
}

/* Events of the session that tell what became of an epoch or a link. */
static void heard(struct serve *s, const enum kcolo_event_type *types, u32 nr)
{
	struct kcolo_event ev;
	u32 i = 0;

	while (i < nr) {
		if (kcolo_event_next_raw(s->k, &ev, SOON_MS) != 1)
			fail("event %s does not come",
			     kcolo_event_type_name(types[i]));
		if (ev.type == KCOLO_EVENT_TYPE_CHECKPOINT_READY ||
		    ev.type == KCOLO_EVENT_TYPE_SESSION_SET)
			continue;
		if (ev.type != types[i])
			fail("event %s comes and not %s",
			     kcolo_event_type_name(ev.type),
			     kcolo_event_type_name(types[i]));
		i++;
	}
}

#define HEARD(s, ...) do {						\
	static const enum kcolo_event_type types[] = { __VA_ARGS__ };	\
									\
	heard(s, types, ARRAY_SIZE(types));				\
} while (0)

#define E(name)	KCOLO_EVENT_TYPE_##name

/* Epoch 1 is committed, and something is dirty. */
static struct serve *begun(void)
{
	struct serve *s;

	opt.reconnect = true;
	s = serve_new(SHORT_MS, SMALL);
	if (kcolo_subscribe(s->k))
		fail("subscribe: %s", kcolo_error(s->k));
	serve_pair(s);
	serve_commit(s);
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "committed");
	HEARD(s, E(PEER_CONNECTED), E(CHECKPOINT_RECEIVED),
	      E(CHECKPOINT_COMMITTED));
	dirty(s, DIRTY);
	return s;
}

/* The end of epoch 2 was sent, and then the link was cut. */
static struct serve *in_doubt(void)
{
	struct serve *s = begun();

	s->want = true;
	serve_request(s);
	serve_reply(s);
	serve_end(s);
	if (s->got.pages != DIRTY)
		fail("%llu pages were sent and not %u", s->got.pages, DIRTY);
	link_cut(s->l);
	primary_wait(s, KCOLO_STATE_DOUBT, 0, SOON_MS, false, "cut at the end");
	HEARD(s, E(CHECKPOINT_DOUBT), E(PEER_LOST));
	return s;
}

static void come_back(struct serve *s, u64 has)
{
	s->has = has;
	serve_pair_again(s);
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "there again");
}

static void lose(struct serve *s)
{
	link_cut(s->l);
	primary_wait(s, KCOLO_STATE_LOST, 0, SOON_MS, false, "cut");
	HEARD(s, E(PEER_LOST));
}

static void must_have(struct serve *s, u64 committed, enum kcolo_resync resync)
{
	struct kcolo_session_info info;

	primary_info(s, &info);
	if (info.committed != committed)
		fail("epoch %llu is committed and not %llu",
		     (u64)info.committed, committed);
	if (info.resync != resync)
		fail("the resync is %s and not %s", kcolo_resync_name(info.resync),
		     kcolo_resync_name(resync));
}

/* The next checkpoint sends so many pages, on top of @base or of nothing. */
static void next_sends(struct serve *s, u64 base, u64 pages)
{
	s->want = true;
	serve_commit(s);
	if (s->got.pages != pages)
		fail("%llu pages were sent and not %llu", s->got.pages, pages);
	if (base ? s->base != base || s->whole : s->whole != s->nr_regions)
		fail("the primary builds on epoch %llu, and %u of %u regions are whole",
		     s->base, s->whole, s->nr_regions);
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "the next");
}

static void doubt_committed(void)
{
	struct serve *s = in_doubt();

	come_back(s, 2);
	HEARD(s, E(CHECKPOINT_RECEIVED), E(CHECKPOINT_COMMITTED),
	      E(PEER_CONNECTED));
	must_have(s, 2, KCOLO_RESYNC_DELTA);
	next_sends(s, 2, 0);
	primary_del(s);
}

static void doubt_aborted(void)
{
	struct serve *s = in_doubt();

	come_back(s, 1);
	HEARD(s, E(CHECKPOINT_ABORTED), E(PEER_CONNECTED));
	must_have(s, 1, KCOLO_RESYNC_DELTA);
	next_sends(s, 1, DIRTY);
	primary_del(s);
}

/* Another secondary, which knows nothing of it. */
static void doubt_another(void)
{
	struct serve *s = in_doubt();

	come_back(s, 0);
	HEARD(s, E(CHECKPOINT_ABORTED), E(PEER_CONNECTED));
	must_have(s, 1, KCOLO_RESYNC_FULL);
	next_sends(s, 0, PAGES_OF(s));
	primary_del(s);
}

/* Somebody said that it is off, and it comes back with the epoch all the same. */
static void doubt_given_up(void)
{
	struct serve *s = in_doubt();

	if (kcolo_abort(s->k))
		fail("abort: %s", kcolo_error(s->k));
	HEARD(s, E(CHECKPOINT_ABORTED));
	primary_wait(s, KCOLO_STATE_LOST, 0, SOON_MS, false, "given up");
	come_back(s, 2);
	HEARD(s, E(PEER_CONNECTED));
	must_have(s, 1, KCOLO_RESYNC_FULL);
	next_sends(s, 0, PAGES_OF(s));
	primary_del(s);
}

/* It has taken over: said when the primary comes back. */
static void say_fenced(struct serve *s)
{
	serve_accept(s, KCOLO_WIRE_CONTROL);
	say(s->l, KCOLO_WIRE_FENCED, 0, 0, NULL, 0);
	primary_wait(s, KCOLO_STATE_FENCED, 0, SOON_MS, false, "FENCED");
	HEARD(s, E(FENCED));
	link_cut(s->l);
}

static void doubt_fenced(void)
{
	struct serve *s = in_doubt();

	say_fenced(s);
	primary_del(s);
}

static void lost_fenced(void)
{
	struct serve *s = begun();

	lose(s);
	say_fenced(s);
	primary_del(s);
}

/* What was sent and is not committed is sent again, and nothing else. */
static void lost_in_epoch(void)
{
	const struct kcolo_params rounds = {
		.mask = KCOLO_PARAM_THRESHOLD,
		.threshold = PAGE,
	};
	struct serve *s = begun();

	if (kcolo_session_set(s->k, &rounds))
		fail("threshold: %s", kcolo_error(s->k));
	s->stay_ready = true;
	s->want = true;
	serve_request(s);
	serve_reply(s);
	primary_wait(s, KCOLO_STATE_READY, 0, SOON_MS, true, "in an epoch");
	serve_hear(s, 200);
	if (s->got.pages != DIRTY)
		fail("%llu pages were sent and not %u", s->got.pages, DIRTY);
	link_cut(s->l);
	primary_wait(s, KCOLO_STATE_LOST, 0, SOON_MS, false, "cut in an epoch");
	HEARD(s, E(CHECKPOINT_ABORTED), E(PEER_LOST));
	s->stay_ready = false;
	come_back(s, 1);
	HEARD(s, E(PEER_CONNECTED));
	next_sends(s, 1, DIRTY);
	primary_del(s);
}

/* Committed, and cut before it was in place: it is, when the peer is there again. */
static void lost_applying(void)
{
	struct serve *s = begun();

	s->want = true;
	serve_request(s);
	serve_reply(s);
	serve_end(s);
	serve_answer(s, KCOLO_WIRE_VMSTATE_RECEIVED, s->epoch);
	primary_wait(s, KCOLO_STATE_APPLYING, 0, SOON_MS, true, "RECEIVED");
	link_cut(s->l);
	primary_wait(s, KCOLO_STATE_LOST, 0, SOON_MS, false, "cut");
	HEARD(s, E(CHECKPOINT_RECEIVED), E(PEER_LOST));
	come_back(s, 2);
	HEARD(s, E(CHECKPOINT_COMMITTED), E(PEER_CONNECTED));
	next_sends(s, 2, 0);
	primary_del(s);
}

/* It went back to an epoch before the last: nothing is known of what it has. */
static void lost_other_epoch(void)
{
	struct serve *s = begun();

	next_sends(s, 0, DIRTY);
	HEARD(s, E(CHECKPOINT_RECEIVED), E(CHECKPOINT_COMMITTED));
	lose(s);
	come_back(s, 1);
	HEARD(s, E(PEER_CONNECTED));
	must_have(s, 2, KCOLO_RESYNC_FULL);
	next_sends(s, 0, PAGES_OF(s));
	primary_del(s);
}

static void says_in_the_end(struct serve *s, const char *error)
{
	struct kcolo_session_info info;
	u64 end = now_ms() + SOON_MS;

	do {
		sleep_ms(10);
		primary_info(s, &info);
	} while (!strstr(info.error, error) && now_ms() < end);
	if (!strstr(info.error, error))
		fail("the error is \"%s\"", info.error);
}

/* One that cannot be is refused, and the next one taken. */
static void lost_future(void)
{
	struct serve *s = begun();

	lose(s);
	s->has = 9;
	serve_accept(s, KCOLO_WIRE_CONTROL);
	serve_greet(s, KCOLO_WIRE_CONTROL);
	says_in_the_end(s, "the peer has a checkpoint that was never sent");
	link_cut(s->l);
	come_back(s, 1);
	HEARD(s, E(PEER_CONNECTED));
	next_sends(s, 1, DIRTY);
	primary_del(s);
}

static void look_again(struct serve *s, bool on)
{
	struct kcolo_params p = {
		.mask = KCOLO_PARAM_RECONNECT,
		.reconnect = on,
	};

	if (kcolo_session_set(s->k, &p))
		fail("reconnect: %s", kcolo_error(s->k));
}

/* Off, nobody comes; on again, it comes at once. */
static void lost_off(void)
{
	struct serve *s = begun();

	look_again(s, false);
	lose(s);
	if (tcp_accept(s->listener, 1500 * opt.slow) >= 0)
		fail("the primary comes back, and reconnect is off");
	look_again(s, true);
	come_back(s, 1);
	HEARD(s, E(PEER_CONNECTED));
	next_sends(s, 1, DIRTY);
	primary_del(s);
}

const struct scenario doubt_scenarios[] = {
	{ "doubt-committed", "it was committed", doubt_committed },
	{ "doubt-aborted", "it was not", doubt_aborted },
	{ "doubt-another", "another secondary", doubt_another },
	{ "doubt-given-up", "abort ends it", doubt_given_up },
	{ "doubt-fenced", "the secondary has taken over", doubt_fenced },
	{ "lost-fenced", "likewise, and nothing was open", lost_fenced },
	{ "lost-in-epoch", "cut while pages are sent", lost_in_epoch },
	{ "lost-applying", "cut before LOADED", lost_applying },
	{ "lost-other-epoch", "it has an older epoch: all of RAM",
	  lost_other_epoch },
	{ "lost-future", "it has an epoch that was never sent", lost_future },
	{ "lost-off", "reconnect off, and on again", lost_off },
	{}
};
