// SPDX-License-Identifier: GPL-2.0
/*
 * A secondary that hangs: the primary is out of it within a few peer-timeouts,
 * in the state the design says, and can be deleted at any moment.
 */
#include "serve.h"

/* More than all the socket buffers of a connection hold. */
#define LARGE	(24u << 20)
#define SMALL	(256u << 10)

/* Sending and then waiting may each take a peer-timeout. */
#define BOUND_MS (3 * SHORT_MS + 1000 * opt.slow)

/* Whether the checkpoint or the link is given up first, both are by then. */
static void lost(struct serve *s, const char *when)
{
	primary_wait(s, KCOLO_STATE_LOST, 0, BOUND_MS, false, when);
	primary_says(s, KCOLO_ABORT_REASON_PEER_TIMEOUT, NULL);
	primary_del(s);
}

static void hung_hello(void)
{
	struct serve *s = serve_new(SHORT_MS, SMALL);
	u64 from = now_ms();

	serve_accept(s, KCOLO_WIRE_CONTROL);
	serve_accept(s, KCOLO_WIRE_CONTROL);
	note("tried again after %llu ms", now_ms() - from);
	if (now_ms() - from > BOUND_MS)
		fail("the primary is not out of HELLO within %u ms", BOUND_MS);
	primary_says(s, 0, "the peer did not answer");
	primary_wait(s, KCOLO_STATE_CONNECTING, 0, 0, false, "no answer to HELLO");
	primary_del(s);
}

static void hung_regions(void)
{
	struct serve *s = serve_new(SHORT_MS, SMALL);

	serve_pair(s);
	serve_expect(s, KCOLO_WIRE_REGIONS);
	lost(s, "hung at REGIONS");
}

static void hung_reply(void)
{
	struct serve *s = serve_new(SHORT_MS, SMALL);

	serve_pair(s);
	serve_request(s);
	lost(s, "hung at REPLY");
}

static void hung_pages(void)
{
	struct serve *s = serve_new(SHORT_MS, LARGE);

	serve_pair(s);
	serve_request(s);
	s->take = false;
	serve_reply(s);
	/* What a guest has written may fit the socket buffers, up to the end. */
	primary_wait(s, KCOLO_STATE_LOST, opt.vmm ? KCOLO_STATE_DOUBT : 0,
		     BOUND_MS, false, "hung at PAGES");
	primary_del(s);
}

/* Only the data connection hangs; PING is answered. */
static void hung_data(void)
{
	struct serve *s = serve_new(SHORT_MS, LARGE);

	serve_pair(s);
	serve_request(s);
	s->take = false;
	serve_reply(s);
	primary_wait(s, KCOLO_STATE_LOST, 0, BOUND_MS, true, "data hung");
	primary_del(s);
}

static void hung_end(void)
{
	struct serve *s = serve_new(SHORT_MS, SMALL);

	serve_pair(s);
	serve_request(s);
	serve_reply(s);
	serve_end(s);
	primary_wait(s, KCOLO_STATE_DOUBT, 0, BOUND_MS, false,
		     "hung at RECEIVED");
	primary_says(s, KCOLO_ABORT_REASON_PEER_TIMEOUT, NULL);
	if (!opt.vmm) {
		sleep_ms(300);
		primary_wait(s, KCOLO_STATE_DOUBT, 0, 0, false, "still");
	}
	primary_del(s);
}

static void hung_end_alive(void)
{
	struct serve *s = serve_new(SHORT_MS, SMALL);

	serve_pair(s);
	serve_request(s);
	serve_reply(s);
	serve_end(s);
	primary_wait(s, KCOLO_STATE_DOUBT, 0, BOUND_MS, true,
		     "no RECEIVED, PING answered");
	primary_says(s, KCOLO_ABORT_REASON_PEER_TIMEOUT, NULL);
	primary_del(s);
}

static void reach_received(struct serve *s)
{
	struct kcolo_session_info info;

	serve_pair(s);
	serve_request(s);
	serve_reply(s);
	serve_end(s);
	serve_answer(s, KCOLO_WIRE_VMSTATE_RECEIVED, s->epoch);
	primary_wait(s, KCOLO_STATE_APPLYING, 0, SOON_MS, true, "RECEIVED");
	primary_info(s, &info);
	if (info.committed != s->epoch)
		fail("VMSTATE_RECEIVED came and the epoch is not committed");
}

static void hung_loaded(void)
{
	struct serve *s = serve_new(SHORT_MS, SMALL);

	reach_received(s);
	lost(s, "hung at LOADED");
}

/* Slow is not hung: it is waited for as long as PING is answered. */
static void hung_loaded_alive(void)
{
	struct serve *s = serve_new(SHORT_MS, SMALL);
	u64 end = now_ms() + 2 * SHORT_MS;

	reach_received(s);
	while (now_ms() < end)
		serve_hear(s, 100);
	primary_wait(s, KCOLO_STATE_APPLYING, 0, 0, false, "no LOADED yet");
	serve_answer(s, KCOLO_WIRE_VMSTATE_LOADED, s->epoch);
	primary_wait(s, KCOLO_STATE_IDLE, KCOLO_STATE_PRECOPY, SOON_MS, true,
		     "LOADED");
	primary_del(s);
}

/* An epoch is given up, and the next is taken. */
static void late_reply(void)
{
	struct serve *s = serve_new(SHORT_MS, SMALL);
	struct kcolo_session_info info;
	u64 epoch;

	serve_pair(s);
	serve_request(s);
	epoch = s->epoch;
	serve_expect(s, KCOLO_WIRE_ABORT);
	primary_info(s, &info);
	note("given up: %s", info.error);
	s->want = true;
	/* The answer comes now, and is the answer to nothing. */
	serve_answer(s, KCOLO_WIRE_CHECKPOINT_REPLY, epoch);
	serve_commit(s);
	primary_wait(s, KCOLO_STATE_IDLE, KCOLO_STATE_PRECOPY, SOON_MS, true,
		     "committed");
	primary_info(s, &info);
	if (info.committed != s->epoch || s->epoch <= epoch)
		fail("the next epoch is not committed");
	primary_del(s);
}

/* Deleted while it waits for what does not come for a long time. */
static void del_hello(void)
{
	struct serve *s = serve_new(LONG_MS, SMALL);

	serve_accept(s, KCOLO_WIRE_CONTROL);
	primary_del(s);
}

static void del_reply(void)
{
	struct serve *s = serve_new(LONG_MS, SMALL);

	serve_pair(s);
	serve_request(s);
	primary_del(s);
}

static void del_pages(void)
{
	struct serve *s = serve_new(LONG_MS, LARGE);

	serve_pair(s);
	serve_request(s);
	s->take = false;
	serve_reply(s);
	/* Long enough for the buffers to be full. */
	sleep_ms(700 * opt.slow);
	primary_wait(s, KCOLO_STATE_PRECOPY, 0, 0, false, "data hung");
	primary_del(s);
}

static void del_end(void)
{
	struct serve *s = serve_new(LONG_MS, SMALL);

	serve_pair(s);
	serve_request(s);
	serve_reply(s);
	serve_end(s);
	primary_del(s);
}

static void del_loaded(void)
{
	struct serve *s = serve_new(LONG_MS, SMALL);

	reach_received(s);
	primary_del(s);
}

/* The VMM dies while the peer hangs: whoever started it kills it. */
static void vmm_dies(void)
{
	struct serve *s = serve_new(LONG_MS, LARGE);

	serve_pair(s);
	serve_request(s);
	s->take = false;
	serve_reply(s);
	session_gone(opt.name, SOON_MS);
}

const struct scenario hung_scenarios[] = {
	{ "hung-hello", "no answer to HELLO", hung_hello },
	{ "hung-regions", "silent at REGIONS", hung_regions },
	{ "hung-reply", "silent at REQUEST", hung_reply },
	{ "hung-pages", "neither connection is read", hung_pages },
	{ "hung-data", "data is not read", hung_data },
	{ "hung-end", "silent at END: doubt", hung_end },
	{ "hung-end-alive", "no RECEIVED: doubt", hung_end_alive },
	{ "hung-loaded", "silent after RECEIVED", hung_loaded },
	{ "hung-loaded-alive", "LOADED comes late", hung_loaded_alive },
	{ "late-reply", "REPLY comes too late", late_reply },
	{ "del-hello", "deleted at HELLO", del_hello },
	{ "del-reply", "deleted at REQUEST", del_reply },
	{ "del-pages", "deleted while data is not read", del_pages },
	{ "del-end", "deleted after END", del_end },
	{ "del-loaded", "deleted after RECEIVED", del_loaded },
	{ "vmm-dies", "only with --vmm: the VMM is killed", vmm_dies },
	{}
};
