// SPDX-License-Identifier: GPL-2.0
/*
 * Streams that stop: before the end, in the middle of a message, or in silence.
 * What was staged has touched nothing.
 */
#include <stdio.h>
#include <string.h>
#include "malformed.h"

static void no_end(void)
{
	struct play *p = play_at(AT_OPEN, LONG_MS);

	send_state(p->l, 2, "nothing", 7);
	stay(p->l, 100);
	link_cut(p->l);
	play_lost(p, AT_OPEN, 0, NULL);
}

/* The primary ends its session, and says so: that is no death. */
static void closed(void)
{
	struct play *p = play_at(AT_OPEN, LONG_MS);

	say(p->l, KCOLO_WIRE_CLOSE, 0, 0, NULL, 0);
	expect_closed(p->l, KCOLO_WIRE_CONTROL);
	/* Nobody is to take over: the secondary's session ends, too. */
	session_gone(opt.name, GONE_MS);
	if (!ram_equal(&p->h.ram, &p->h.should, "after CLOSE"))
		fail("RAM is not that of epoch 1");
	kcolo_close(p->h.k);
	link_cut(p->l);
}

/* All is there, and it is not said that it is. */
static void no_end_of_empty(void)
{
	struct play *p = play_begun(LONG_MS);

	play_open(p, 2);
	link_cut(p->l);
	play_lost(p, AT_OPEN, 0, NULL);
}

static void end_never(void)
{
	struct play *p = play_at(AT_OPEN, LONG_MS);

	send_state(p->l, 2, "nothing", 7);
	send_end(p->l, 2, STAGED_MESSAGES + 1, STAGED_PAGES + 1);
	holder_must(&p->h, KCOLO_STATE_COMMITTING, "the end was sent");
	stay(p->l, 300);
	holder_check(&p->h, "before the last page");
	link_cut(p->l);
	play_lost(p, AT_OPEN, 0, NULL);
}

/* Promotion does not wait for what never comes. */
static void end_never_promote(void)
{
	struct play *p = play_at(AT_OPEN, LONG_MS);

	send_state(p->l, 2, "nothing", 7);
	send_end(p->l, 2, STAGED_MESSAGES + 1, STAGED_PAGES + 1);
	holder_must(&p->h, KCOLO_STATE_COMMITTING, "the end was sent");
	holder_promote(&p->h);
	expect(p->l, KCOLO_WIRE_FENCED, 0);
	expect_closed(p->l, KCOLO_WIRE_CONTROL);
	holder_check(&p->h, "after FENCED");
	holder_down(&p->h);
}

static void staged_promote(void)
{
	struct play *p = play_at(AT_OPEN, LONG_MS);

	holder_promote(&p->h);
	expect(p->l, KCOLO_WIRE_FENCED, 0);
	expect_closed(p->l, KCOLO_WIRE_CONTROL);
	expect_closed(p->l, KCOLO_WIRE_DATA);
	holder_check(&p->h, "after FENCED");
	holder_down(&p->h);
}

/* What the primary sends before it can know is no reason to hang up first. */
static void busy_promote(void)
{
	struct play *p = play_at(AT_OPEN, LONG_MS);
	u32 round;

	if (kcolo_promote(p->h.k))
		fail("promotion: %s", kcolo_error(p->h.k));
	for (round = 2; round < 3000; round++)
		say(p->l, KCOLO_WIRE_MIGRATE_RAM, 2, round, NULL, 0);
	expect(p->l, KCOLO_WIRE_FENCED, 0);
	holder_must(&p->h, KCOLO_STATE_PROMOTED, "promotion");
	holder_check(&p->h, "after FENCED");
	link_cut(p->l);
	holder_down(&p->h);
}

/**
 * struct stop - where a message stops
 * @len: bytes of it that are sent
 */
struct stop {
	const char *name;
	int channel;
	size_t len;
};

static const struct stop stops[] = {
	{ "in a header on control", KCOLO_WIRE_CONTROL, 10 },
	{ "after a header on control", KCOLO_WIRE_CONTROL, KCOLO_WIRE_HDR },
	{ "in a body on control", KCOLO_WIRE_CONTROL, KCOLO_WIRE_HDR + 500 },
	{ "in a header on data", KCOLO_WIRE_DATA, 31 },
	{ "in the extents", KCOLO_WIRE_DATA, KCOLO_WIRE_HDR + 20 },
	{ "before the payload", KCOLO_WIRE_DATA, KCOLO_WIRE_HDR + 32 },
	{ "in the payload", KCOLO_WIRE_DATA, KCOLO_WIRE_HDR + 32 + 5000 },
};

static void send_part(struct play *p, const struct stop *stop)
{
	static const u8 state[1000];
	struct pages m = {};
	struct buf b = {};

	if (stop->channel == KCOLO_WIRE_CONTROL) {
		buf_size(&b, 2, sizeof(state));
		link_send(p->l, KCOLO_WIRE_CONTROL, &b);
		buf_message(&b, KCOLO_WIRE_VMSTATE_SEND, 2, 0, state,
			    sizeof(state));
	} else {
		pages_add(&m, 0, 40, 3, 220);
		pages_put(&m, &b, 2, 0);
	}
	b.len = stop->len;
	link_send(p->l, stop->channel, &b);
}

static void truncated_closed(void)
{
	const struct stop *stop;

	for (stop = stops; stop < stops + ARRAY_SIZE(stops); stop++) {
		struct play *p = play_at(AT_OPEN, LONG_MS);

		note("%s", stop->name);
		send_part(p, stop);
		tcp_close(&p->l->fd[stop->channel]);
		play_lost(p, AT_OPEN, KCOLO_ABORT_REASON_PEER_LOST,
			  stop->channel == KCOLO_WIRE_CONTROL ?
			  "the control connection is lost" :
			  "the data connection is lost");
	}
}

/* Until the link is lost, with PING answered or not; it has to be soon. */
static void silence(struct play *p, bool answer, const char *what)
{
	u64 from = now_ms(), took;
	int ret;

	p->l->mute = !answer;
	ret = hear(p->l, 4 * SHORT_MS + 1000 * opt.slow);
	took = now_ms() - from;
	if (ret == TCP_LATE)
		fail("%s: not noticed after %llu ms", what,
		     took);
	if (ret == TCP_GOOD)
		fail("%s: message %u came", what, p->l->in.hdr.type);
	note("%s: noticed after %llu ms of %u", what, took,
	     SHORT_MS);
	/* The last PING may have been answered a third of it before. */
	if (took < SHORT_MS / 2)
		fail("%s: given up before peer-timeout", what);
}

static void truncated_silent(void)
{
	const struct stop *stop;

	for (stop = stops; stop < stops + ARRAY_SIZE(stops); stop += 2) {
		struct play *p = play_at(AT_OPEN, SHORT_MS);

		send_part(p, stop);
		silence(p, stop->channel == KCOLO_WIRE_DATA, stop->name);
		play_lost(p, AT_OPEN, 0, NULL);
	}
}

static void silent(void)
{
	struct play *p = play_begun(SHORT_MS);

	/* As long as PING is answered nothing happens. */
	stay(p->l, 2 * SHORT_MS);
	holder_must(&p->h, KCOLO_STATE_IDLE, "PING was answered");
	p->l->mute = true;
	silence(p, false, "PING is not answered");
	play_lost(p, AT_IDLE, KCOLO_ABORT_REASON_PEER_TIMEOUT,
		  "the peer has not answered within peer-timeout");
}

/* What the kernel has allocated for device state and not given back. */
static unsigned long long devstate_bytes(void)
{
	FILE *f = fopen("/proc/vmallocinfo", "r");
	unsigned long long size, sum = 0;
	char line[512];

	if (!f)
		fail("/proc/vmallocinfo cannot be read: run as root");
	while (fgets(line, sizeof(line), f))
		if (strstr(line, "kcolo_devstate") &&
		    sscanf(line, "%*s %llu", &size) == 1)
			sum += size;
	fclose(f);
	return sum;
}

/* The epoch ends, by @end, while the room for a large device state is being made. */
static void ends_in_size(void (*end)(struct play *p))
{
	unsigned long long before = devstate_bytes();
	struct buf b = {};
	struct play *p;
	int i;

	for (i = 0; i < 8; i++) {
		p = play_at(AT_OPEN, LONG_MS);
		buf_size(&b, 2, 100 << 20);
		link_send(p->l, KCOLO_WIRE_CONTROL, &b);
		sleep_ms(i / 2);
		end(p);
	}
	sleep_ms(100);
	if (devstate_bytes() > before)
		fail("%llu bytes of device state are left after their sessions have ended",
		     devstate_bytes() - before);
}

static void cut_data(struct play *p)
{
	tcp_close(&p->l->fd[KCOLO_WIRE_DATA]);
	play_lost(p, AT_OPEN, 0, NULL);
}

static void cut_in_size(void)
{
	ends_in_size(cut_data);
}

static void promote_in_size(void)
{
	ends_in_size(play_over);
}

const struct scenario cut_scenarios[] = {
	{ "no-end", "pages are staged, no end comes", no_end },
	{ "no-end-empty", "an epoch without pages and end", no_end_of_empty },
	{ "closed", "CLOSE with pages staged", closed },
	{ "end-never", "the end says more than ever comes", end_never },
	{ "end-never-promote", "and the secondary is promoted",
	  end_never_promote },
	{ "staged-promote", "promoted with pages staged", staged_promote },
	{ "truncated-closed", "a message stops, and the connection",
	  truncated_closed },
	{ "truncated-silent", "a message stops, and nothing follows",
	  truncated_silent },
	{ "silent", "PING is not answered", silent },
	{ "cut-in-size", "cut while device state is made room for",
	  cut_in_size },
	{ "busy-promote", "promoted while the primary sends", busy_promote },
	{ "promote-in-size", "promoted while device state is made room for",
	  promote_in_size },
	{}
};
