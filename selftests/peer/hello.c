// SPDX-License-Identifier: GPL-2.0
/* HELLO on the way to a secondary: who does not fit is told why, by name. */
#include <string.h>
#include "hello.h"
#include "play.h"

static void bad_version(struct kcolo_wire_hello *hello)
{
	hello->version++;
}

static void bad_page_size(struct kcolo_wire_hello *hello)
{
	hello->page_size = 65536;
}

static void bad_features(struct kcolo_wire_hello *hello)
{
	hello->features = 1ull << 40;
}

static void bad_external(struct kcolo_wire_hello *hello)
{
	hello->features ^= KCOLO_WIRE_EXTERNAL;
}

static void bad_role(struct kcolo_wire_hello *hello)
{
	hello->role = hello->role == KCOLO_ROLE_PRIMARY ?
		KCOLO_ROLE_SECONDARY : KCOLO_ROLE_PRIMARY;
}

static void bad_no_role(struct kcolo_wire_hello *hello)
{
	hello->role = 77;
}

static void bad_name(struct kcolo_wire_hello *hello)
{
	strcat(hello->name, "x");
}

static void bad_uuid(struct kcolo_wire_hello *hello)
{
	hello->uuid[15] ^= 1;
}

const struct misfit misfits[] = {
	{ "version", bad_version,
	  "the peer speaks another protocol version: load the same kcolo on both hosts" },
	{ "page size", bad_page_size, "the peer has another page size" },
	{ "features", bad_features,
	  "the peer uses features that are not known here" },
	{ "device state", bad_external,
	  "the peer's device-state is external and this end's session: give both the same" },
	{ "role", bad_role,
	  "the peer has the same role: one end must be secondary" },
	{ "no role", bad_no_role,
	  "the peer has the same role: one end must be secondary" },
	{ "name", bad_name, "the peer's session has another name" },
	/* A secondary learns the identity from the first: not on its control. */
	{ "uuid", bad_uuid,
	  "the peer's session is not the one this one belongs to" },
	{}
};

/* ABORT with this text, no epoch, and the end of the connection. */
void hello_refused(int fd, const char *error)
{
	struct message *m = xalloc(sizeof(*m));
	int ret = read_message(fd, m, SOON_MS);
	u8 byte;

	if (ret)
		fail("no answer to HELLO: %s", ret == TCP_LATE ?
		     "nothing came" : "the connection was closed");
	if (m->hdr.type != KCOLO_WIRE_ABORT)
		fail("message %u came and not ABORT", m->hdr.type);
	if (m->hdr.length != strlen(error) ||
	    memcmp(m->body, error, m->hdr.length))
		fail("the refusal is \"%.*s\" and not \"%s\"",
		     (int)m->hdr.length, m->body, error);
	if (m->hdr.arg != KCOLO_ABORT_REASON_PEER_REFUSED)
		fail("the reason of the refusal is %u", m->hdr.arg);
	if (tcp_read(fd, &byte, 1, SOON_MS) != TCP_CLOSED)
		fail("the connection was not closed after the refusal");
}

static void refused_on_control(struct holder *h, const struct misfit *bad)
{
	struct kcolo_wire_hello hello;
	int fd = tcp_connect(&opt.addr);

	note("control, %s", bad->name);
	hello_fill(&hello, KCOLO_WIRE_CONTROL);
	bad->spoil(&hello);
	hello_send(fd, &hello);
	hello_refused(fd, bad->error);
	tcp_close(&fd);
	holder_must(h, KCOLO_STATE_CONNECTING, "after a refusal");
}

static void refused_on_data(struct holder *h, const struct misfit *bad)
{
	struct kcolo_wire_hello hello;
	struct link *l = link_new();

	note("data, %s", bad->name);
	hello_fill(&hello, KCOLO_WIRE_CONTROL);
	connect_channel(l, KCOLO_WIRE_CONTROL, &hello);
	hello_fill(&hello, KCOLO_WIRE_DATA);
	bad->spoil(&hello);
	l->fd[1] = tcp_connect(&opt.addr);
	hello_send(l->fd[1], &hello);
	hello_refused(l->fd[1], bad->error);
	expect_closed(l, KCOLO_WIRE_CONTROL);
	link_cut(l);
	holder_must(h, KCOLO_STATE_CONNECTING, "after a refusal");
}

static void good_pair_then(struct holder *h)
{
	struct link *l = link_new();

	connect_pair(l);
	holder_must(h, KCOLO_STATE_IDLE, "a peer that fits");
	holder_check(h, "connected");
	agree_regions(l);
	holder_down(h);
	link_cut(l);
}

static void hello_control(void)
{
	struct holder *h = xalloc(sizeof(*h));
	const struct misfit *bad;

	holder_up(h, LONG_MS);
	for (bad = misfits; bad->name; bad++)
		if (bad->spoil != bad_uuid)
			refused_on_control(h, bad);
	good_pair_then(h);
}

static void bad_channel(struct kcolo_wire_hello *hello)
{
	hello->channel ^= 1;
}

static void bad_no_channel(struct kcolo_wire_hello *hello)
{
	hello->channel = 9;
}

static void bad_incarnation(struct kcolo_wire_hello *hello)
{
	hello->incarnation++;
}

static const struct misfit unordered[] = {
	{ "the other channel", bad_channel, NULL },
	{ "no channel", bad_no_channel, NULL },
	{ "another incarnation", bad_incarnation, NULL },
};

#define ORDER "the connections of a pair have to come one after the other"

static void hello_data(void)
{
	struct holder *h = xalloc(sizeof(*h));
	const struct misfit *bad;

	holder_up(h, LONG_MS);
	for (bad = misfits; bad->name; bad++)
		refused_on_data(h, bad);
	good_pair_then(h);
}

static void hello_order(void)
{
	struct holder *h = xalloc(sizeof(*h));
	struct misfit bad;
	u32 i;

	holder_up(h, LONG_MS);
	for (i = 0; i < ARRAY_SIZE(unordered); i++) {
		bad = unordered[i];
		bad.error = ORDER;
		refused_on_data(h, &bad);
		if (i < 2)
			refused_on_control(h, &bad);
	}
	good_pair_then(h);
}

static void bytes_refused(struct holder *h, const char *what, struct buf *b)
{
	int fd = tcp_connect(&opt.addr);
	u8 byte;

	note("%s", what);
	tcp_write(fd, b->p, b->len, SOON_MS);
	if (tcp_read(fd, &byte, 1, SOON_MS) != TCP_CLOSED)
		fail("%s: the connection was not closed", what);
	tcp_close(&fd);
	buf_free(b);
	holder_must(h, KCOLO_STATE_CONNECTING, what);
}

static void hello_bytes(struct buf *b, u32 type, u32 len)
{
	u8 body[KCOLO_WIRE_HELLO] = {};
	struct kcolo_wire_hello hello;

	hello_fill(&hello, KCOLO_WIRE_CONTROL);
	kcolo_wire_put_hello(body, &hello);
	buf_message(b, type, 0, 0, body, len);
}

/* What is no HELLO at all: the connection ends, and the next may come. */
static void hello_malformed(void)
{
	struct holder *h = xalloc(sizeof(*h));
	struct buf b = {};

	holder_up(h, LONG_MS);
	buf_add(&b, "GET / HTTP/1.1\r\nHost: kcolo.example\r\n\r\n", 39);
	bytes_refused(h, "another protocol", &b);
	hello_bytes(&b, KCOLO_WIRE_HELLO_MSG, KCOLO_WIRE_HELLO);
	b.p[28] ^= 1;
	bytes_refused(h, "a wrong checksum of the header", &b);
	hello_bytes(&b, KCOLO_WIRE_HELLO_MSG, KCOLO_WIRE_HELLO);
	b.p[KCOLO_WIRE_HDR + 60] ^= 1;
	bytes_refused(h, "a wrong checksum of the body", &b);
	hello_bytes(&b, KCOLO_WIRE_HELLO_MSG, KCOLO_WIRE_HELLO - 1);
	bytes_refused(h, "a HELLO that is too short", &b);
	hello_bytes(&b, KCOLO_WIRE_PING, 0);
	bytes_refused(h, "PING first", &b);
	hello_bytes(&b, KCOLO_WIRE_ABORT, 100);
	bytes_refused(h, "ABORT first", &b);
	hello_bytes(&b, KCOLO_WIRE_FENCED, 0);
	bytes_refused(h, "FENCED first", &b);
	hello_bytes(&b, 99, 0);
	bytes_refused(h, "a type that is none", &b);
	good_pair_then(h);
}

const struct scenario hello_scenarios[] = {
	{ "hello-control", "misfits on the first connection", hello_control },
	{ "hello-data", "misfits on the second", hello_data },
	{ "hello-order", "channels and incarnations that are no pair",
	  hello_order },
	{ "hello-malformed", "what is no HELLO", hello_malformed },
	{ "hello-two-peers", "another peer comes in between", stray_peers },
	{ "hello-stray", "one who came and went decides nothing", stray_uuid },
	{ "hello-silent", "one who says nothing is not waited for",
	  stray_silent },
	{ "hello-drip", "nor one who says a byte at a time", stray_drip },
	{ "hello-late", "a lost and a promoted secondary turn away",
	  stray_late },
	{ "hello-flood", "many who come and go", stray_flood },
	{}
};
