// SPDX-License-Identifier: GPL-2.0
/*
 * A primary that waits for room to send: it is called away by pause-limit, by
 * an abort and by its end, the guest goes on at once, and what was begun is sent
 * to its end. And a peer-timeout that is changed while it waits.
 */
#include <string.h>
#include <kcolo.h>
#include "malformed.h"
#include "serve.h"

/* More than all the socket buffers of a connection hold. */
#define LARGE	(24u << 20)
#define SMALL	(256u << 10)

#define LIMIT_MS	(500 * opt.slow)

static void set_params(struct serve *s, struct kcolo_params params)
{
	if (kcolo_session_set(s->k, &params))
		fail("session-set: %s", kcolo_error(s->k));
}

static void set_pause_limit(struct serve *s, u32 ms)
{
	struct kcolo_params params = {
		.mask = KCOLO_PARAM_PAUSE_LIMIT,
		.pause_limit = ms,
	};

	set_params(s, params);
}

static void set_peer_timeout(struct serve *s, u32 ms)
{
	struct kcolo_params params = {
		.mask = KCOLO_PARAM_PEER_TIMEOUT,
		.peer_timeout = ms,
	};

	set_params(s, params);
}

/* All of RAM is to be sent in the pause of the next epoch, and is not taken. */
static struct serve *block_pause(void)
{
	struct serve *s = serve_new(LONG_MS, LARGE);

	serve_pair(s);
	serve_commit(s);
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "committed");
	set_params(s, (struct kcolo_params) { .mask = KCOLO_PARAM_THRESHOLD });
	memset(s->mem, 77, s->size);
	kcolo_log_dirty(&s->region, 0, s->size);
	s->want = true;
	serve_request(s);
	s->take = false;
	serve_reply(s);
	primary_wait(s, KCOLO_STATE_FLUSHING, 0, SOON_MS, false, "blocked");
	return s;
}

/* It was given up while nothing was taken; all of it comes with the next. */
static void goes_on(struct serve *s, enum kcolo_abort_reason reason)
{
	struct kcolo_session_info info;

	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, false, "given up");
	primary_says(s, reason, NULL);
	set_pause_limit(s, LONG_MS);
	s->take = true;
	do {
		if (serve_hear(s, SOON_MS))
			fail("ABORT does not come");
	} while (s->l->in.hdr.type != KCOLO_WIRE_ABORT);
	s->want = true;
	serve_commit(s);
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "committed");
	primary_info(s, &info);
	if (info.committed != s->epoch)
		fail("the next epoch is not committed");
	if (s->got.pages < LARGE / PAGE)
		fail("%llu pages are not all of RAM", s->got.pages);
	primary_del(s);
}

static void blocked_limit(void)
{
	struct serve *s = block_pause();

	set_pause_limit(s, LIMIT_MS);
	goes_on(s, KCOLO_ABORT_REASON_PAUSE_LIMIT);
}

static void blocked_abort(void)
{
	struct serve *s = block_pause();

	if (kcolo_abort(s->k))
		fail("abort: %s", kcolo_error(s->k));
	goes_on(s, KCOLO_ABORT_REASON_REQUESTED);
}

/* In the midst of device state: CLOSE comes behind the message. */
static void blocked_close(void)
{
	static u8 state[1 << 20];
	struct serve *s = serve_new(LONG_MS, SMALL);
	int i, ret;

	serve_pair(s);
	serve_commit(s);
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "committed");
	s->want = true;
	serve_request(s);
	serve_reply(s);
	s->stay_ready = true;
	primary_wait(s, KCOLO_STATE_READY, 0, SOON_MS, true, "ready");
	for (i = 0; i < 16; i++)
		if (kcolo_devstate_write(s->k, state, sizeof(state)))
			fail("device state: %s", kcolo_error(s->k));
	s->stay_ready = false;
	primary_wait(s, KCOLO_STATE_COMMITTING, 0, SOON_MS, false, "committing");
	sleep_ms(300);
	if (kcolo_session_del(s->k))
		fail("session-del: %s", kcolo_error(s->k));
	/* By now nobody waits for room any more. */
	sleep_ms(500);
	s->size = 0;
	do {
		ret = serve_hear(s, SOON_MS);
		if (ret)
			fail("the end of the session was not said");
	} while (s->l->in.hdr.type != KCOLO_WIRE_CLOSE);
	link_cut(s->l);
	session_gone(opt.name, SOON_MS);
}

/* Less patience, while there is no room. */
static void timeout_down(void)
{
	struct serve *s = block_pause();

	set_peer_timeout(s, SHORT_MS);
	primary_wait(s, KCOLO_STATE_LOST, 0, LONG_MS / 2, true, "less patience");
	primary_says(s, KCOLO_ABORT_REASON_PEER_TIMEOUT, NULL);
	primary_del(s);
}

/* The same while nothing is to be said, and nothing comes. */
static void timeout_down_idle(void)
{
	struct serve *s = serve_new(LONG_MS, SMALL);

	serve_pair(s);
	serve_commit(s);
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "committed");
	set_peer_timeout(s, SHORT_MS);
	primary_wait(s, KCOLO_STATE_LOST, 0, LONG_MS / 4, false, "less patience");
	primary_says(s, KCOLO_ABORT_REASON_PEER_TIMEOUT, NULL);
	primary_del(s);
}

/* More of it: the link outlives what was the limit when it was made. */
static void timeout_up(void)
{
	struct serve *s = serve_new(SHORT_MS, LARGE);
	u64 end;

	serve_pair(s);
	serve_request(s);
	set_peer_timeout(s, LONG_MS);
	s->take = false;
	serve_reply(s);
	for (end = now_ms() + 2 * SHORT_MS; now_ms() < end; )
		serve_hear(s, 100);
	primary_wait(s, KCOLO_STATE_PRECOPY, 0, 0, false, "more patience");
	s->take = true;
	serve_finish(s);
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "committed");
	primary_del(s);
}

/* Given up before the regions are agreed: they are, and are not sent again. */
static void abort_regions_own(void)
{
	struct serve *s = serve_new(LONG_MS, SMALL);
	u64 epoch;

	serve_pair(s);
	serve_regions(s);
	epoch = s->l->in.hdr.epoch;
	if (kcolo_abort(s->k))
		fail("abort: %s", kcolo_error(s->k));
	sleep_ms(300);
	serve_answer(s, KCOLO_WIRE_CHECKPOINT_READY, epoch);
	serve_expect(s, KCOLO_WIRE_ABORT);
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "given up");
	primary_says(s, KCOLO_ABORT_REASON_REQUESTED, NULL);
	s->want = true;
	serve_expect(s, KCOLO_WIRE_CHECKPOINT_REQUEST);
	s->epoch = s->l->in.hdr.epoch;
	serve_reply(s);
	serve_finish(s);
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "committed");
	primary_del(s);
}

const struct scenario blocked_scenarios[] = {
	{ "blocked-limit", "a flush, at pause-limit", blocked_limit },
	{ "blocked-abort", "a flush that is aborted", blocked_abort },
	{ "blocked-close", "device state, when the session ends", blocked_close },
	{ "timeout-down", "peer-timeout is less while it waits", timeout_down },
	{ "timeout-down-idle", "peer-timeout is less in idle", timeout_down_idle },
	{ "timeout-up", "peer-timeout is more than when it connected", timeout_up },
	{ "abort-regions-own", "an abort before READY", abort_regions_own },
	{}
};
