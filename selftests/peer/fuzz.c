// SPDX-License-Identifier: GPL-2.0
/*
 * Valid streams with things done to them, from a seed. No CHECKPOINT_END is
 * among them, so whatever comes of them nothing is committed and RAM stays.
 */
#include <stdlib.h>
#include <string.h>
#include "malformed.h"

#define MARKS	64

/**
 * struct stream - what would be sent on a connection
 * @at: where each message begins
 * @nr: messages
 */
struct stream {
	struct buf b;
	size_t at[MARKS];
	u32 nr;
};

static void mark(struct stream *s)
{
	s->at[s->nr++] = s->b.len;
}

static u32 below(u64 *rng, u32 n)
{
	return random64(rng) % n;
}

static void make_data(struct stream *s, u64 *rng)
{
	struct pages m = {};
	u32 i, n = 1 + below(rng, 5);

	while (n--) {
		for (i = 1 + below(rng, 6); i; i--)
			pages_add(&m, below(rng, 2), below(rng, 60),
				  1 + below(rng, 4), below(rng, 3) * 77);
		mark(s);
		pages_put(&m, &s->b, 2, below(rng, 4));
	}
}

static void make_control(struct stream *s, u64 *rng)
{
	u8 state[300] = {};
	u32 size = 17 + below(rng, 280);

	mark(s);
	buf_message(&s->b, KCOLO_WIRE_MIGRATE_RAM, 2, 1, NULL, 0);
	mark(s);
	buf_message(&s->b, KCOLO_WIRE_PING, 0, 0, NULL, 0);
	mark(s);
	buf_size(&s->b, 2, size);
	mark(s);
	buf_message(&s->b, KCOLO_WIRE_VMSTATE_SEND, 2, 0, state, size);
	mark(s);
	if (below(rng, 2))
		buf_message(&s->b, KCOLO_WIRE_ABORT, 2, 1, "no", 2);
	else
		buf_message(&s->b, KCOLO_WIRE_PONG, 0, 0, NULL, 0);
}

/* Checksums right again, as far as the message still stands where it did. */
static void repair(struct stream *s, u32 n)
{
	size_t at = s->at[n], desc;
	struct kcolo_wire_hdr hdr;
	u8 *p = s->b.p + at;
	u32 nr, crc, i;

	if (at + KCOLO_WIRE_HDR > s->b.len)
		return;
	buf_fix_header(&s->b, at);
	if (kcolo_wire_get_hdr(p, &hdr))
		return;
	desc = hdr.length;
	if (hdr.type == KCOLO_WIRE_PAGES) {
		memcpy(&nr, p + KCOLO_WIRE_HDR, 4);
		if (nr > KCOLO_WIRE_EXTENTS_MAX)
			return;
		desc = KCOLO_WIRE_PAGES_HEAD + nr * KCOLO_WIRE_EXTENT;
	}
	if (at + KCOLO_WIRE_HDR + desc > s->b.len)
		return;
	crc = crc32c(~0U, p + KCOLO_WIRE_HDR, desc);
	for (i = 0; i < 4; i++)
		p[24 + i] = crc >> 8 * i;
	buf_fix_header(&s->b, at);
}

static const u64 odd[] = {
	0, 1, 2, 255, 256, 257, 4095, 4096, 0x7fffffff, 0x80000000, 0xffffffff,
	1ull << 52, 1ull << 63, ~0ull - 1, ~0ull,
};

/* An odd value in a field of a message, which then has good checksums. */
static void change_field(struct stream *s, u64 *rng)
{
	u32 n = below(rng, s->nr), size = 1 << below(rng, 4);
	u64 value = odd[below(rng, ARRAY_SIZE(odd))];
	size_t at = s->at[n] + 4 + below(rng, 64) / size * size;

	if (at + size > s->b.len)
		return;
	memcpy(s->b.p + at, &value, size);
	repair(s, n);
}

static void flip_bit(struct stream *s, u64 *rng)
{
	s->b.p[below(rng, s->b.len)] ^= 1 << below(rng, 8);
}

static void cut_out(struct stream *s, u64 *rng)
{
	size_t at = below(rng, s->b.len), len = 1 + below(rng, 100);

	if (at + len > s->b.len)
		len = s->b.len - at;
	memmove(s->b.p + at, s->b.p + at + len, s->b.len - at - len);
	s->b.len -= len;
}

static void twice(struct stream *s, u64 *rng)
{
	size_t at = s->at[below(rng, s->nr)];
	struct buf copy = {};

	if (at >= s->b.len)
		return;
	buf_add(&copy, s->b.p + at, s->b.len - at);
	buf_add(&s->b, copy.p, copy.len);
	buf_free(&copy);
}

static void garbage(struct stream *s, u64 *rng)
{
	u32 n = 1 + below(rng, 200);
	u64 word;

	while (n--) {
		word = random64(rng);
		buf_add(&s->b, &word, sizeof(word));
	}
}

static void stop_short(struct stream *s, u64 *rng)
{
	s->b.len = below(rng, s->b.len) + 1;
}

static void mutate(struct stream *s, u64 *rng)
{
	static void (*const how[])(struct stream *s, u64 *rng) = {
		change_field, change_field, change_field, flip_bit, cut_out,
		twice, garbage, stop_short,
	};
	u32 n = 1 + below(rng, 3);

	while (n-- && s->b.len)
		how[below(rng, ARRAY_SIZE(how))](s, rng);
}

static void fuzz_one(u64 seed)
{
	struct stream control = {}, data = {};
	struct play *p = play_begun(LONG_MS);
	u64 rng = seed;

	play_open(p, 2);
	make_control(&control, &rng);
	make_data(&data, &rng);
	if (below(&rng, 3))
		mutate(&data, &rng);
	else
		mutate(&control, &rng);
	link_send(p->l, KCOLO_WIRE_DATA, &data.b);
	link_send(p->l, KCOLO_WIRE_CONTROL, &control.b);
	if (below(&rng, 2)) {
		/* Time to be taken; half of them are cut while they are. */
		p->l->mute = true;
		hear(p->l, 20);
	}
	link_cut(p->l);
	play_lost(p, AT_OPEN, 0, NULL);
}

static u64 playing;

/* What fails is played again by --seed SEED --count 1. */
static void tell_seed(void)
{
	if (playing)
		note("it was seed %llu", playing);
}

static void fuzz(void)
{
	u64 from = now_ms();
	u32 i;

	atexit(tell_seed);
	for (i = 0; i < opt.count; i++) {
		if (i % 50 == 0)
			note("connection %u of %u, seed %llu, %llu ms", i,
			     opt.count, opt.seed,
			     now_ms() - from);
		playing = opt.seed + i;
		fuzz_one(playing);
	}
	playing = 0;
}

/* Bytes at random where HELLO is to be. */
static void fuzz_hello(void)
{
	struct holder *h = xalloc(sizeof(*h));
	struct kcolo_wire_hello hello;
	u8 body[KCOLO_WIRE_HELLO];
	struct link *l;
	u64 rng = opt.seed;
	u32 i;
	int fd;

	holder_up(h, LONG_MS);
	for (i = 0; i < opt.count; i++) {
		struct stream s = {};

		hello_fill(&hello, below(&rng, 2));
		kcolo_wire_put_hello(body, &hello);
		mark(&s);
		buf_message(&s.b, KCOLO_WIRE_HELLO_MSG, 0, 0, body,
			    sizeof(body));
		mutate(&s, &rng);
		fd = tcp_connect(&opt.addr);
		if (fd < 0)
			fail("connection %u was not taken", i);
		tcp_write(fd, s.b.p, s.b.len, SOON_MS);
		tcp_close(&fd);
		buf_free(&s.b);
	}
	holder_check(h, "after HELLOs at random");
	holder_down(h);
	/* Another session: one of them may have been good enough. */
	holder_up(h, LONG_MS);
	l = link_new();
	connect_pair(l);
	holder_down(h);
}

const struct scenario fuzz_scenarios[] = {
	{ "fuzz", "valid streams with things done to them", fuzz },
	{ "fuzz-hello", "HELLOs with things done to them", fuzz_hello },
	{}
};
