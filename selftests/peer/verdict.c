// SPDX-License-Identifier: GPL-2.0
/*
 * A secondary of a session with external device state: the kernel's primary has
 * sent the end of an epoch, and waits for what its VMM makes of it.
 */
#include <string.h>
#include "serve.h"

#define SMALL	(256u << 10)

static struct serve *ended(u32 peer_timeout)
{
	struct serve *s;

	opt.external = true;
	s = serve_new(peer_timeout, SMALL);
	serve_pair(s);
	if (s->hello[0].features != KCOLO_WIRE_EXTERNAL)
		fail("HELLO does not say that device state goes another way");
	serve_request(s);
	serve_reply(s);
	serve_end(s);
	return s;
}

static void commits(struct serve *s)
{
	struct kcolo_session_info info;

	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "committed");
	primary_info(s, &info);
	if (info.committed != s->epoch)
		fail("epoch %llu is committed and not %llu",
		     (u64)info.committed, s->epoch);
	primary_del(s);
}

static void received(struct serve *s)
{
	serve_answer(s, KCOLO_WIRE_VMSTATE_RECEIVED, s->epoch);
	serve_answer(s, KCOLO_WIRE_VMSTATE_LOADED, s->epoch);
	commits(s);
}

/* Longer than peer-timeout, while the peer is alive. */
static void verdict_slow(void)
{
	struct serve *s = ended(SHORT_MS);

	if (serve_hear(s, 2 * SHORT_MS) != TCP_LATE)
		fail("message %u came, and a verdict was awaited",
		     s->l->in.hdr.type);
	received(s);
}

/* Believed, and all of it comes again. */
static void verdict_drop(void)
{
	struct serve *s = ended(LONG_MS);

	serve_abort(s, s->epoch, "no room for the device state");
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "dropped");
	primary_says(s, KCOLO_ABORT_REASON_PEER_REFUSED,
		     "no room for the device state");
	s->want = true;
	serve_request(s);
	serve_reply(s);
	serve_end(s);
	if (s->got.pages < SMALL / PAGE)
		fail("%llu pages came again", s->got.pages);
	received(s);
}

static void ask(struct serve *s)
{
	if (kcolo_abort(s->k))
		fail("abort after the end: %s", kcolo_error(s->k));
	serve_expect(s, KCOLO_WIRE_ABORT);
	if (s->l->in.hdr.epoch != s->epoch)
		fail("ABORT of epoch %llu came", s->l->in.hdr.epoch);
}

/* As it was asked to; and the next epoch is whole. */
static void dropped(struct serve *s)
{
	serve_abort(s, s->epoch, "as you like");
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "dropped");
	primary_says(s, KCOLO_ABORT_REASON_REQUESTED, NULL);
	s->want = true;
	serve_commit(s);
	commits(s);
}

static void verdict_asked(void)
{
	struct serve *s = ended(LONG_MS);

	ask(s);
	dropped(s);
}

/* Asked for twice it is one request, to which one answer is awaited. */
static void verdict_asked_twice(void)
{
	struct serve *s = ended(LONG_MS);

	ask(s);
	if (kcolo_abort(s->k))
		fail("abort once more: %s", kcolo_error(s->k));
	if (serve_hear(s, 200) != TCP_LATE)
		fail("message %u came", s->l->in.hdr.type);
	dropped(s);
}

/* Apply was quicker. */
static void verdict_too_late(void)
{
	struct serve *s = ended(LONG_MS);

	ask(s);
	received(s);
}

static void verdict_none(void)
{
	struct serve *s = ended(SHORT_MS);

	ask(s);
	primary_wait(s, KCOLO_STATE_DOUBT, 0, SOON_MS, true, "no verdict");
	primary_del(s);
}

static void verdict_cut(void)
{
	struct serve *s = ended(LONG_MS);

	link_cut(s->l);
	primary_wait(s, KCOLO_STATE_DOUBT, 0, SOON_MS, false, "no verdict");
	primary_del(s);
}

const struct scenario verdict_scenarios[] = {
	{ "verdict-slow", "RECEIVED takes longer than peer-timeout",
	  verdict_slow },
	{ "verdict-drop", "ABORT after END is believed", verdict_drop },
	{ "verdict-asked", "and can be asked for", verdict_asked },
	{ "verdict-asked-twice", "twice, too", verdict_asked_twice },
	{ "verdict-too-late", "RECEIVED is the answer to ABORT",
	  verdict_too_late },
	{ "verdict-none", "no answer to ABORT: doubt", verdict_none },
	{ "verdict-cut", "the connection ends: doubt", verdict_cut },
	{}
};
