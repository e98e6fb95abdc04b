// SPDX-License-Identifier: GPL-2.0
/*
 * HELLO on the way to a primary: who does not fit is told why, the session says
 * so, and the primary tries again.
 */
#include <string.h>
#include "hello.h"
#include "serve.h"

static void await_error(struct serve *s, const char *error)
{
	u64 end = now_ms() + SOON_MS;
	struct kcolo_session_info info;

	do {
		primary_info(s, &info);
		if (info.state != KCOLO_STATE_CONNECTING)
			fail("the primary is %s", kcolo_state_name(info.state));
		if (!strcmp(info.error, error))
			return;
		sleep_ms(5);
	} while (now_ms() < end);
	fail("the error is \"%s\" and not \"%s\"", info.error, error);
}

static void answer_misfit(struct serve *s, const struct misfit *bad, int channel)
{
	struct kcolo_wire_hello hello;

	note("%s, %s", channel ? "data" : "control", bad->name);
	serve_accept(s, KCOLO_WIRE_CONTROL);
	if (channel == KCOLO_WIRE_DATA) {
		serve_greet(s, KCOLO_WIRE_CONTROL);
		serve_accept(s, KCOLO_WIRE_DATA);
	}
	serve_hello(s, &hello, channel);
	bad->spoil(&hello);
	hello_send(s->l->fd[channel], &hello);
	hello_refused(s->l->fd[channel], bad->error);
	await_error(s, bad->error);
	link_cut(s->l);
}

static void good_at_last(struct serve *s)
{
	serve_pair(s);
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "a peer that fits");
	primary_says(s, 0, "");
	primary_del(s);
}

static void refuse_hello(void)
{
	struct serve *s = serve_new(LONG_MS, 0);
	const struct misfit *bad;

	for (bad = misfits; bad->name; bad++)
		answer_misfit(s, bad, KCOLO_WIRE_CONTROL);
	answer_misfit(s, &misfits[0], KCOLO_WIRE_DATA);
	good_at_last(s);
}

static void answer_bytes(struct serve *s, struct buf *b, const char *error)
{
	note("%s", error);
	serve_accept(s, KCOLO_WIRE_CONTROL);
	link_send(s->l, KCOLO_WIRE_CONTROL, b);
	await_error(s, error);
	expect_closed(s->l, KCOLO_WIRE_CONTROL);
	link_cut(s->l);
}

static void refuse_malformed(void)
{
	struct serve *s = serve_new(LONG_MS, 0);
	u8 body[KCOLO_WIRE_HELLO] = {};
	struct buf b = {};

	buf_add(&b, "HTTP/1.1 400 Bad Request\r\nX: y\r\n\r\n", 35);
	answer_bytes(s, &b, "this is not the kcolo protocol");
	buf_message(&b, KCOLO_WIRE_PONG, 0, 0, NULL, 0);
	answer_bytes(s, &b, "the peer did not begin with HELLO");
	buf_message(&b, KCOLO_WIRE_HELLO_MSG, 0, 0, body, sizeof(body));
	answer_bytes(s, &b, "HELLO has no proper session name");
	buf_message(&b, KCOLO_WIRE_HELLO_MSG, 0, 0, body, sizeof(body));
	b.p[b.len - 1] ^= 1;
	answer_bytes(s, &b, "the checksum of HELLO is wrong");
	buf_message(&b, KCOLO_WIRE_ABORT, 0, 4, "not today", 9);
	answer_bytes(s, &b, "the peer refused: not today");
	buf_message(&b, KCOLO_WIRE_HELLO_MSG, 0, 0, body, sizeof(body));
	b.p[8] = 0;
	buf_fix_header(&b, 0);
	answer_bytes(s, &b, "a message has a length that its type cannot have");
	good_at_last(s);
}

static void refuse_closed(void)
{
	struct serve *s = serve_new(LONG_MS, 0);

	serve_accept(s, KCOLO_WIRE_CONTROL);
	link_cut(s->l);
	await_error(s, "the peer closed the connection or did not answer");
	/* Nobody listens at all. */
	tcp_close(&s->listener);
	await_error(s, "cannot connect: nobody listens at the peer's address and port");
	s->listener = tcp_listen(&opt.addr, 0);
	good_at_last(s);
}

static void refuse_fenced(void)
{
	struct serve *s = serve_new(LONG_MS, 0);

	serve_accept(s, KCOLO_WIRE_CONTROL);
	serve_answer(s, KCOLO_WIRE_FENCED, 0);
	primary_wait(s, KCOLO_STATE_FENCED, 0, SOON_MS, false, "FENCED at HELLO");
	primary_says(s, KCOLO_ABORT_REASON_FENCED, "the secondary has taken over");
	if (tcp_accept(s->listener, 1500) >= 0)
		fail("a primary that is fenced connects again");
	primary_del(s);
}

const struct scenario refuse_scenarios[] = {
	{ "refuse-hello", "HELLOs that do not fit", refuse_hello },
	{ "refuse-malformed", "what is no HELLO", refuse_malformed },
	{ "refuse-closed", "no answer, and nobody there", refuse_closed },
	{ "refuse-fenced", "the secondary has taken over", refuse_fenced },
	{}
};
