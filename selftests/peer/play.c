// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "play.h"

struct link *link_new(void)
{
	struct link *l = xalloc(sizeof(*l));

	l->fd[0] = -1;
	l->fd[1] = -1;
	return l;
}

void link_cut(struct link *l)
{
	tcp_close(&l->fd[KCOLO_WIRE_CONTROL]);
	tcp_close(&l->fd[KCOLO_WIRE_DATA]);
}

/* Whether the other end still takes it is seen by what it does. */
void link_send(struct link *l, int channel, struct buf *b)
{
	if (tcp_write(l->fd[channel], b->p, b->len, SOON_MS) == TCP_LATE)
		fail("the kernel takes nothing on connection %d", channel);
	buf_free(b);
}

void say(struct link *l, u32 type, u64 epoch, u32 arg, const void *body, u32 len)
{
	struct buf b = {};

	buf_message(&b, type, epoch, arg, body, len);
	link_send(l, KCOLO_WIRE_CONTROL, &b);
}

int read_message(int fd, struct message *m, u32 ms)
{
	u8 bytes[KCOLO_WIRE_HDR];
	const char *bad;
	int ret = tcp_read(fd, bytes, sizeof(bytes), ms);

	if (ret)
		return ret;
	bad = kcolo_wire_get_hdr(bytes, &m->hdr);
	if (!bad && m->hdr.length > sizeof(m->body))
		bad = "a message is too long";
	if (bad)
		fail("the kernel sent something malformed: %s", bad);
	ret = tcp_read(fd, m->body, m->hdr.length, ms);
	if (!ret && m->hdr.length &&
	    crc32c(~0U, m->body, m->hdr.length) != m->hdr.crc)
		fail("the kernel sent a wrong checksum");
	return ret;
}

int hear(struct link *l, u32 ms)
{
	u64 end = now_ms() + ms, now;
	int ret;

	for (;;) {
		now = now_ms();
		if (!tcp_readable(l->fd[0], now < end ? end - now : 0))
			return TCP_LATE;
		ret = read_message(l->fd[0], &l->in, SOON_MS);
		if (ret)
			return ret;
		if (l->in.hdr.type == KCOLO_WIRE_PING && !l->mute)
			say(l, KCOLO_WIRE_PONG, 0, 0, NULL, 0);
		if (l->in.hdr.type != KCOLO_WIRE_PING &&
		    l->in.hdr.type != KCOLO_WIRE_PONG)
			return TCP_GOOD;
	}
}

void expect(struct link *l, u32 type, u64 epoch)
{
	int ret = hear(l, SOON_MS);

	if (ret)
		fail("message %u was to come, but %s", type,
		     ret == TCP_LATE ? "nothing came" :
		     "the kernel closed the connection");
	if (l->in.hdr.type != type || l->in.hdr.epoch != epoch)
		fail("message %u of epoch %llu came, and not %u of %llu: %.*s",
		     l->in.hdr.type, l->in.hdr.epoch, type,
		     epoch,
		     l->in.hdr.type == KCOLO_WIRE_ABORT ? l->in.hdr.length : 0,
		     l->in.body);
}

void expect_closed(struct link *l, int channel)
{
	u64 end = now_ms() + SOON_MS;
	u8 byte;

	while (now_ms() < end)
		if (tcp_read(l->fd[channel], &byte, 1, 100) == TCP_CLOSED)
			return;
	fail("the kernel has not closed connection %d", channel);
}

void stay(struct link *l, u32 ms)
{
	u64 end = now_ms() + ms, now;

	while ((now = now_ms()) < end) {
		if (hear(l, end - now) == TCP_LATE)
			return;
		fail("message %u came, or the end of the connection, when nothing was to",
		     l->in.hdr.type);
	}
}

u64 play_incarnation = 0x1234567890abcdef;
u64 play_has;
u8 play_identity = 0x42;

void hello_fill(struct kcolo_wire_hello *hello, int channel)
{
	memset(hello, 0, sizeof(*hello));
	hello->version = KCOLO_WIRE_VERSION;
	hello->channel = channel;
	hello->role = KCOLO_ROLE_PRIMARY;
	hello->page_size = PAGE;
	hello->features = opt.external ? KCOLO_WIRE_EXTERNAL : 0;
	hello->incarnation = play_incarnation;
	hello->committed = play_has;
	memset(hello->uuid, play_identity, sizeof(hello->uuid));
	memcpy(hello->name, opt.name, strlen(opt.name));
}

void hello_send(int fd, const struct kcolo_wire_hello *hello)
{
	u8 body[KCOLO_WIRE_HELLO];
	struct buf b = {};

	kcolo_wire_put_hello(body, hello);
	buf_message(&b, KCOLO_WIRE_HELLO_MSG, 0, 0, body, sizeof(body));
	tcp_write(fd, b.p, b.len, SOON_MS);
	buf_free(&b);
}

static void hello_check(const struct message *m, int channel,
			const struct kcolo_wire_hello *ours)
{
	static const u8 none[KCOLO_WIRE_UUID];
	struct kcolo_wire_hello hello;
	const char *bad;

	if (m->hdr.type != KCOLO_WIRE_HELLO_MSG)
		fail("the kernel began with message %u", m->hdr.type);
	bad = kcolo_wire_get_hello(m->body, &hello);
	if (bad)
		fail("%s", bad);
	if (hello.version != KCOLO_WIRE_VERSION || hello.channel != channel ||
	    hello.role != KCOLO_ROLE_SECONDARY || hello.page_size != PAGE ||
	    hello.features != ours->features ||
	    hello.incarnation != ours->incarnation ||
	    strcmp(hello.name, opt.name))
		fail("the kernel's HELLO does not fit");
	/* Nobody's, or that of the primary whose image it has. */
	if (memcmp(hello.uuid, hello.committed ? ours->uuid : none,
		   sizeof(hello.uuid)))
		fail("the kernel says that it has another's image");
	if (hello.committed != ours->committed)
		fail("the kernel has epoch %llu and not %llu", hello.committed,
		     ours->committed);
}

/* NULL, or why it was not to be. */
static const char *try_channel(struct link *l, int channel,
			       const struct kcolo_wire_hello *hello)
{
	int ret;

	l->fd[channel] = tcp_connect(&opt.addr);
	if (l->fd[channel] < 0)
		return "nobody listens";
	hello_send(l->fd[channel], hello);
	ret = read_message(l->fd[channel], &l->in, SOON_MS);
	if (ret)
		return ret == TCP_LATE ? "nothing came" : "it was closed";
	if (l->in.hdr.type == KCOLO_WIRE_ABORT) {
		l->in.body[l->in.hdr.length] = 0;
		return (const char *)l->in.body;
	}
	hello_check(&l->in, channel, hello);
	return NULL;
}

void connect_channel(struct link *l, int channel,
		     const struct kcolo_wire_hello *hello)
{
	const char *bad = try_channel(l, channel, hello);

	if (bad)
		fail("HELLO on connection %d: %s", channel, bad);
}

void connect_retrying(struct link *l, u32 ms)
{
	u64 end = now_ms() + ms;
	struct kcolo_wire_hello hello;
	const char *bad;

	for (;;) {
		hello_fill(&hello, KCOLO_WIRE_CONTROL);
		bad = try_channel(l, KCOLO_WIRE_CONTROL, &hello);
		hello_fill(&hello, KCOLO_WIRE_DATA);
		if (!bad)
			bad = try_channel(l, KCOLO_WIRE_DATA, &hello);
		if (!bad)
			return;
		note("not connected: %s", bad);
		if (now_ms() > end)
			fail("not connected after %u ms: %s", ms, bad);
		link_cut(l);
		sleep_ms(200);
	}
}

void connect_pair(struct link *l)
{
	struct kcolo_wire_hello hello;
	int channel;

	for (channel = 0; channel < 2; channel++) {
		hello_fill(&hello, channel);
		connect_channel(l, channel, &hello);
	}
}

static void put_all(struct buf *b, u64 epoch, u64 base, u32 flags)
{
	u8 body[KCOLO_WIRE_REGIONS_HEAD + NR_REGIONS * KCOLO_WIRE_REGION];
	u8 *entry = body + KCOLO_WIRE_REGIONS_HEAD;
	u32 i;

	kcolo_wire_put_base(body, base);
	for (i = 0; i < NR_REGIONS; i++, entry += KCOLO_WIRE_REGION) {
		struct kcolo_wire_region r = {
			.size = regions[i].pages * PAGE,
			.flags = flags,
		};

		strcpy(r.name, regions[i].name);
		kcolo_wire_put_region(entry, &r);
	}
	buf_message(b, KCOLO_WIRE_REGIONS, epoch, 0, body, sizeof(body));
}

void regions_put(struct buf *b, u64 epoch)
{
	put_all(b, epoch, 0, KCOLO_WIRE_WHOLE);
}

void regions_put_on(struct buf *b, u64 epoch, u64 base)
{
	put_all(b, epoch, base, 0);
}

static void agree(struct link *l, struct buf *b, u64 epoch)
{
	link_send(l, KCOLO_WIRE_CONTROL, b);
	expect(l, KCOLO_WIRE_CHECKPOINT_READY, epoch);
}

void agree_regions(struct link *l)
{
	struct buf b = {};

	regions_put(&b, 1);
	agree(l, &b, 1);
}

void agree_again(struct link *l, u64 epoch, u64 base)
{
	struct buf b = {};

	if (base)
		regions_put_on(&b, epoch, base);
	else
		regions_put(&b, epoch);
	agree(l, &b, epoch);
}

void open_epoch(struct link *l, u64 epoch)
{
	say(l, KCOLO_WIRE_CHECKPOINT_REQUEST, epoch, KCOLO_KIND_PERIODIC, NULL,
	    0);
	expect(l, KCOLO_WIRE_CHECKPOINT_REPLY, epoch);
}

void send_pages(struct link *l, struct pages *m, u64 epoch, u32 round)
{
	struct buf b = {};

	pages_put(m, &b, epoch, round);
	link_send(l, KCOLO_WIRE_DATA, &b);
}

void send_state(struct link *l, u64 epoch, const void *state, u32 len)
{
	struct buf b = {};

	buf_size(&b, epoch, len);
	link_send(l, KCOLO_WIRE_CONTROL, &b);
	if (len)
		say(l, KCOLO_WIRE_VMSTATE_SEND, epoch, 0, state, len);
}

void send_end(struct link *l, u64 epoch, u64 messages, u64 pages)
{
	struct buf b = {};

	buf_end(&b, epoch, messages, pages);
	link_send(l, KCOLO_WIRE_CONTROL, &b);
}

struct play *play_connected(u32 peer_timeout)
{
	struct play *p = xalloc(sizeof(*p));

	p->l = link_new();
	holder_up(&p->h, peer_timeout);
	connect_pair(p->l);
	holder_must(&p->h, KCOLO_STATE_IDLE, "connected");
	return p;
}

void play_pages(struct play *p, u64 epoch, u32 round)
{
	p->messages++;
	p->pages += p->m.nr_pages;
	send_pages(p->l, &p->m, epoch, round);
}

void play_open(struct play *p, u64 epoch)
{
	p->messages = 0;
	p->pages = 0;
	open_epoch(p->l, epoch);
	say(p->l, KCOLO_WIRE_MIGRATE_RAM, epoch, 0, NULL, 0);
}

void play_commit(struct play *p, u64 epoch)
{
	static const char state[] = "device state";

	if (!opt.external)
		send_state(p->l, epoch, state, sizeof(state));
	send_end(p->l, epoch, p->messages, p->pages);
	if (opt.external) {
		holder_must(&p->h, KCOLO_STATE_PREPARED, "the end was sent");
		holder_apply(&p->h, epoch);
	}
	expect(p->l, KCOLO_WIRE_VMSTATE_RECEIVED, epoch);
	expect(p->l, KCOLO_WIRE_VMSTATE_LOADED, epoch);
	p->h.committed = epoch;
	p->h.state = state;
	p->h.state_len = sizeof(state);
	holder_check(&p->h, "after a commit");
}

struct play *play_begun(u32 peer_timeout)
{
	struct play *p = play_connected(peer_timeout);

	agree_regions(p->l);
	play_open(p, 1);
	pages_add(&p->m, 0, 0, 6, 1);
	pages_add(&p->m, 1, 3, 2, 1);
	pages_add(&p->m, 2, 0, 1, 1);
	play_pages(p, 1, 0);
	ram_set(&p->h.should, 0, 0, 6, 1);
	ram_set(&p->h.should, 1, 3, 2, 1);
	ram_set(&p->h.should, 2, 0, 1, 1);
	play_commit(p, 1);
	return p;
}

void play_over(struct play *p)
{
	holder_promote(&p->h);
	holder_down(&p->h);
	link_cut(p->l);
}
