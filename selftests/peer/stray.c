// SPDX-License-Identifier: GPL-2.0
/*
 * Peers that are not the one that is waited for. Whatever they do, the one that
 * fits can connect soon, and the session can end soon.
 */
#include <string.h>
#include "hello.h"
#include "play.h"

/* A peer that has connected has so long to say HELLO. */
#define HELLO_MS	(2000 * opt.slow)

static void connect_within(struct holder *h, u32 ms, const char *when)
{
	struct link *l = link_new();
	u64 from = now_ms();

	connect_retrying(l, ms);
	holder_must(h, KCOLO_STATE_IDLE, when);
	note("%s: connected after %llu ms", when, now_ms() - from);
	agree_regions(l);
	link_cut(l);
	holder_must(h, KCOLO_STATE_LOST, "after a cut");
}

/* Another peer's control where the data of the first is to come. */
void stray_peers(void)
{
	struct holder *h = xalloc(sizeof(*h));
	struct kcolo_wire_hello hello;
	struct link *first = link_new();
	int other;

	holder_up(h, LONG_MS);
	hello_fill(&hello, KCOLO_WIRE_CONTROL);
	connect_channel(first, KCOLO_WIRE_CONTROL, &hello);
	other = tcp_connect(&opt.addr);
	hello.incarnation = 99;
	hello_send(other, &hello);
	hello_refused(other, "the connections of a pair have to come one after the other");
	expect_closed(first, KCOLO_WIRE_CONTROL);
	connect_within(h, 2 * HELLO_MS, "two peers");
	holder_down(h);
}

/* One whose HELLO fits as far as can be told, and who is not heard of again. */
void stray_uuid(void)
{
	struct holder *h = xalloc(sizeof(*h));
	struct kcolo_wire_hello hello;
	struct link *l = link_new();

	holder_up(h, LONG_MS);
	hello_fill(&hello, KCOLO_WIRE_CONTROL);
	memset(hello.uuid, 0x99, sizeof(hello.uuid));
	hello.incarnation = 99;
	connect_channel(l, KCOLO_WIRE_CONTROL, &hello);
	link_cut(l);
	connect_within(h, 2 * HELLO_MS, "after another identity");
	holder_down(h);
}

void stray_silent(void)
{
	struct holder *h = xalloc(sizeof(*h));
	struct kcolo_wire_hello hello;
	struct link *l = link_new();
	int fd;

	holder_up(h, LONG_MS);
	/* Silent on the first connection, and where the second is to come. */
	fd = tcp_connect(&opt.addr);
	hello_fill(&hello, KCOLO_WIRE_CONTROL);
	connect_channel(l, KCOLO_WIRE_CONTROL, &hello);
	expect_closed(l, KCOLO_WIRE_CONTROL);
	link_cut(l);
	connect_within(h, 2 * HELLO_MS, "after silent ones");
	tcp_close(&fd);
	holder_down(h);
	/* And the session ends while one is being waited for. */
	holder_up(h, LONG_MS);
	fd = tcp_connect(&opt.addr);
	sleep_ms(200);
	holder_down(h);
	tcp_close(&fd);
}

/* A HELLO a byte at a time, each soon enough to be progress. */
static void drip(struct holder *h, u32 ms)
{
	u64 end = now_ms() + ms;
	struct kcolo_wire_hello hello;
	u8 body[KCOLO_WIRE_HELLO];
	struct buf b = {};
	size_t at = 0;
	int fd = tcp_connect(&opt.addr);

	hello_fill(&hello, KCOLO_WIRE_CONTROL);
	kcolo_wire_put_hello(body, &hello);
	buf_message(&b, KCOLO_WIRE_HELLO_MSG, 0, 0, body, sizeof(body));
	while (now_ms() < end && at < b.len) {
		if (tcp_write(fd, b.p + at++, 1, SOON_MS) ||
		    tcp_readable(fd, 300))
			break;
	}
	note("%zu bytes of HELLO were taken", at);
	if (at < b.len && now_ms() >= end)
		fail("a HELLO may take longer than %u ms", ms);
	holder_must(h, KCOLO_STATE_CONNECTING, "after half a HELLO");
	tcp_close(&fd);
	buf_free(&b);
}

void stray_drip(void)
{
	struct holder *h = xalloc(sizeof(*h));

	holder_up(h, LONG_MS);
	drip(h, 3 * HELLO_MS);
	connect_within(h, 2 * HELLO_MS, "after half a HELLO");
	holder_down(h);
}

/* Nobody is wanted any more, and is told so. */
void stray_late(void)
{
	struct play *p = play_begun(LONG_MS);
	struct kcolo_wire_hello hello;
	struct message *m = xalloc(sizeof(*m));
	int fd;

	link_cut(p->l);
	holder_lost(&p->h, KCOLO_ABORT_REASON_PEER_LOST, NULL);
	hello_fill(&hello, KCOLO_WIRE_CONTROL);
	fd = tcp_connect(&opt.addr);
	hello_send(fd, &hello);
	hello_refused(fd, "the secondary has lost its primary and waits to be promoted or deleted");
	tcp_close(&fd);
	holder_promote(&p->h);
	fd = tcp_connect(&opt.addr);
	hello_send(fd, &hello);
	if (read_message(fd, m, SOON_MS) || m->hdr.type != KCOLO_WIRE_FENCED)
		fail("a promoted secondary does not say FENCED");
	tcp_close(&fd);
	holder_check(&p->h, "after late ones");
	holder_down(&p->h);
}

void stray_flood(void)
{
	struct holder *h = xalloc(sizeof(*h));
	struct kcolo_wire_hello hello;
	int fd, i;

	holder_up(h, LONG_MS);
	hello_fill(&hello, KCOLO_WIRE_CONTROL);
	for (i = 0; i < 50; i++) {
		fd = tcp_connect(&opt.addr);
		if (fd < 0)
			fail("connection %d was not taken", i);
		if (i % 3 == 1)
			hello_send(fd, &hello);
		tcp_close(&fd);
	}
	connect_within(h, SOON_MS, "after a flood");
	holder_down(h);
}
