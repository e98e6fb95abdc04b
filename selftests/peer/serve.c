// SPDX-License-Identifier: GPL-2.0
/* A secondary that does as it should, as far as the scenario lets it. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include "serve.h"

static void hear_hello(struct serve *s, int channel)
{
	const char *bad;

	s->l->fd[channel] = tcp_accept(s->listener, SOON_MS);
	if (s->l->fd[channel] < 0)
		fail("the primary does not connect");
	if (read_message(s->l->fd[channel], &s->l->in, SOON_MS) ||
	    s->l->in.hdr.type != KCOLO_WIRE_HELLO_MSG)
		fail("the primary does not begin with HELLO");
	bad = kcolo_wire_get_hello(s->l->in.body, &s->hello[channel]);
	if (bad)
		fail("%s", bad);
	if (s->hello[channel].role != KCOLO_ROLE_PRIMARY ||
	    s->hello[channel].version != KCOLO_WIRE_VERSION ||
	    strcmp(s->hello[channel].name, opt.name))
		fail("the primary's HELLO does not fit");
}

void serve_accept(struct serve *s, int channel)
{
	hear_hello(s, channel);
	if (s->hello[channel].channel != channel ||
	    s->hello[channel].incarnation != s->hello[0].incarnation)
		fail("the primary's HELLO does not fit");
}

/* The answer that fits. */
void serve_hello(struct serve *s, struct kcolo_wire_hello *hello, int channel)
{
	*hello = s->hello[channel];
	hello->role = KCOLO_ROLE_SECONDARY;
	hello->committed = s->has;
	if (!s->has)
		memset(hello->uuid, 0, sizeof(hello->uuid));
}

void serve_greet(struct serve *s, int channel)
{
	struct kcolo_wire_hello hello;

	serve_hello(s, &hello, channel);
	hello_send(s->l->fd[channel], &hello);
}

void serve_pair(struct serve *s)
{
	int channel;

	for (channel = 0; channel < 2; channel++) {
		serve_accept(s, channel);
		serve_greet(s, channel);
	}
}

void serve_pair_again(struct serve *s)
{
	u64 before = s->hello[0].incarnation;

	serve_accept(s, KCOLO_WIRE_CONTROL);
	serve_greet(s, KCOLO_WIRE_CONTROL);
	for (;;) {
		hear_hello(s, KCOLO_WIRE_DATA);
		if (s->hello[0].incarnation <= before)
			fail("a later try has no higher incarnation");
		if (s->hello[KCOLO_WIRE_DATA].channel == KCOLO_WIRE_DATA)
			break;
		/* The try before was given up. */
		before = s->hello[0].incarnation;
		tcp_close(&s->l->fd[0]);
		s->l->fd[0] = s->l->fd[1];
		s->hello[0] = s->hello[1];
		serve_greet(s, KCOLO_WIRE_CONTROL);
	}
	if (s->hello[1].incarnation != s->hello[0].incarnation)
		fail("the primary's HELLO does not fit");
	serve_greet(s, KCOLO_WIRE_DATA);
}

/* A primary that ends the link does not wait for the end of a message. */
static bool data_read(struct serve *s, void *buf, size_t len)
{
	int ret = tcp_read(s->l->fd[KCOLO_WIRE_DATA], buf, len, SOON_MS);

	if (ret == TCP_LATE)
		fail("PAGES stop half-way");
	return !ret;
}

/* One PAGES message, all of which has to be right; false when the link ends. */
static bool take_pages(struct serve *s)
{
	static u8 extents[KCOLO_WIRE_EXTENT * KCOLO_WIRE_EXTENTS_MAX];
	static u8 payload[PAGE * KCOLO_WIRE_PAGES_MAX];
	u8 head[KCOLO_WIRE_HDR + KCOLO_WIRE_PAGES_HEAD];
	struct kcolo_wire_extent e;
	struct kcolo_wire_pages pages;
	struct kcolo_wire_hdr hdr;
	const char *bad;
	u32 i, crc;

	if (!data_read(s, head, sizeof(head)))
		return false;
	bad = kcolo_wire_get_hdr(head, &hdr);
	if (!bad && hdr.type != KCOLO_WIRE_PAGES)
		bad = "no PAGES on data";
	if (!bad)
		bad = kcolo_wire_get_pages(head + KCOLO_WIRE_HDR, hdr.length,
					   &pages);
	if (bad)
		fail("the primary's PAGES: %s", bad);
	if (!data_read(s, extents, pages.nr_extents * KCOLO_WIRE_EXTENT) ||
	    !data_read(s, payload, pages.payload_len))
		return false;
	bad = kcolo_wire_check_extents(extents, &pages, s->region_pages,
				       s->nr_regions);
	crc = crc32c(~0U, head + KCOLO_WIRE_HDR, KCOLO_WIRE_PAGES_HEAD);
	if (!bad && crc32c(crc, extents, pages.nr_extents * KCOLO_WIRE_EXTENT) !=
	    hdr.crc)
		bad = "wrong checksum";
	if (!bad && hdr.flags & KCOLO_WIRE_F_CRC &&
	    crc32c(~0U, payload, pages.payload_len) != pages.payload_crc)
		bad = "wrong checksum of the payload";
	if (bad)
		fail("the primary's PAGES: %s", bad);
	for (i = 0; i < pages.nr_extents; i++) {
		kcolo_wire_get_extent(extents + i * KCOLO_WIRE_EXTENT, &e);
		if (hdr.epoch == s->epoch)
			s->got.pages += e.count;
	}
	s->got.messages += hdr.epoch == s->epoch;
	return true;
}

int serve_hear(struct serve *s, u32 ms)
{
	u64 end = now_ms() + ms;
	struct pollfd p[2];
	int ret;

	do {
		p[0] = (struct pollfd) { s->l->fd[0], POLLIN, 0 };
		p[1] = (struct pollfd) { s->take ? s->l->fd[1] : -1, POLLIN, 0 };
		poll(p, 2, 10);
		if (p[1].revents & POLLIN) {
			u8 byte;

			/* The end of the connection is readable, too. */
			if (recv(p[1].fd, &byte, 1, MSG_PEEK) != 1 ||
			    !take_pages(s))
				return TCP_CLOSED;
		}
		if (p[0].revents) {
			ret = hear(s->l, 0);
			if (ret != TCP_LATE)
				return ret;
		}
		primary_drive(s);
	} while (now_ms() < end);
	return TCP_LATE;
}

void serve_expect(struct serve *s, u32 type)
{
	int ret = serve_hear(s, SOON_MS);

	if (ret)
		fail("message %u was to come, but %s", type,
		     ret == TCP_LATE ? "nothing came" :
		     "the primary closed the connection");
	if (s->l->in.hdr.type != type)
		fail("message %u came and not %u", s->l->in.hdr.type, type);
}

static void take_regions(struct serve *s)
{
	struct kcolo_wire_region r;
	const char *bad;
	u32 i;

	s->nr_regions = (s->l->in.hdr.length - KCOLO_WIRE_REGIONS_HEAD) /
			KCOLO_WIRE_REGION;
	s->base = kcolo_wire_get_base(s->l->in.body);
	s->whole = 0;
	for (i = 0; i < s->nr_regions; i++) {
		bad = kcolo_wire_get_region(s->l->in.body +
					    KCOLO_WIRE_REGIONS_HEAD +
					    i * KCOLO_WIRE_REGION, &r);
		if (bad)
			fail("the primary's REGIONS: %s", bad);
		s->region_pages[i] = r.size / PAGE;
		s->whole += !!(r.flags & KCOLO_WIRE_WHOLE);
	}
}

void serve_regions(struct serve *s)
{
	serve_expect(s, KCOLO_WIRE_REGIONS);
	take_regions(s);
}

void serve_request(struct serve *s)
{
	for (;;) {
		if (serve_hear(s, SOON_MS))
			fail("the primary asks for no checkpoint");
		if (s->l->in.hdr.type == KCOLO_WIRE_CHECKPOINT_REQUEST)
			break;
		if (s->l->in.hdr.type == KCOLO_WIRE_ABORT)
			continue;
		if (s->l->in.hdr.type != KCOLO_WIRE_REGIONS)
			fail("message %u came before a checkpoint",
			     s->l->in.hdr.type);
		take_regions(s);
		serve_answer(s, KCOLO_WIRE_CHECKPOINT_READY,
			     s->l->in.hdr.epoch);
	}
	s->epoch = s->l->in.hdr.epoch;
	memset(&s->got, 0, sizeof(s->got));
}

void serve_reply(struct serve *s)
{
	serve_answer(s, KCOLO_WIRE_CHECKPOINT_REPLY, s->epoch);
}

void serve_answer(struct serve *s, u32 type, u64 epoch)
{
	say(s->l, type, epoch, 0, NULL, 0);
}

void serve_abort(struct serve *s, u64 epoch, const char *text)
{
	say(s->l, KCOLO_WIRE_ABORT, epoch, KCOLO_ABORT_REASON_PEER_REFUSED,
	    text, strlen(text));
}

void serve_end(struct serve *s)
{
	u64 end = now_ms() + SOON_MS;
	struct kcolo_wire_end said;

	do {
		if (serve_hear(s, SOON_MS))
			fail("CHECKPOINT_END does not come");
		if (s->l->in.hdr.epoch != s->epoch ||
		    s->l->in.hdr.type == KCOLO_WIRE_ABORT)
			fail("message %u came in an epoch", s->l->in.hdr.type);
		s->hashes += s->l->in.hdr.type == KCOLO_WIRE_HASHES;
	} while (s->l->in.hdr.type != KCOLO_WIRE_CHECKPOINT_END);
	kcolo_wire_get_end(s->l->in.body, &said);
	while (s->got.messages < said.messages && now_ms() < end)
		if (serve_hear(s, 10) == TCP_GOOD)
			fail("message %u came after the end", s->l->in.hdr.type);
	if (said.messages != s->got.messages || said.pages != s->got.pages)
		fail("the end says %llu pages in %llu messages, and %llu in %llu came",
		     said.pages,
		     said.messages,
		     s->got.pages,
		     s->got.messages);
}

void serve_finish(struct serve *s)
{
	serve_end(s);
	serve_answer(s, KCOLO_WIRE_VMSTATE_RECEIVED, s->epoch);
	serve_answer(s, KCOLO_WIRE_VMSTATE_LOADED, s->epoch);
}

void serve_commit(struct serve *s)
{
	serve_request(s);
	serve_reply(s);
	serve_finish(s);
}
