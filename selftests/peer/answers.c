// SPDX-License-Identifier: GPL-2.0
/* Answers of a secondary that are refusals, are wrong, or are none. */
#include <string.h>
#include "malformed.h"
#include "serve.h"

/* More than all the socket buffers of a connection hold. */
#define LARGE	(24u << 20)
#define SMALL	(256u << 10)

static const u8 some[64];

static void good(void)
{
	struct serve *s = serve_new(LONG_MS, SMALL);
	struct kcolo_session_info info;

	serve_pair(s);
	serve_commit(s);
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "committed");
	if (s->got.pages < SMALL / PAGE)
		fail("%llu pages are not all of RAM",
		     s->got.pages);
	s->want = true;
	serve_commit(s);
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "committed again");
	primary_info(s, &info);
	if (info.committed != s->epoch)
		fail("the primary does not know its last epoch");
	primary_del(s);
}

/* A refusal gives the epoch up and nothing else; the next is taken. */
static void refused(struct serve *s, const char *text)
{
	serve_abort(s, s->l->in.hdr.epoch, text);
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "refused");
	primary_says(s, KCOLO_ABORT_REASON_PEER_REFUSED, text);
	s->want = true;
	serve_commit(s);
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "committed");
	primary_del(s);
}

static void abort_regions(void)
{
	struct serve *s = serve_new(LONG_MS, SMALL);

	serve_pair(s);
	serve_expect(s, KCOLO_WIRE_REGIONS);
	refused(s, "these regions are not mine");
}

static void abort_request(void)
{
	struct serve *s = serve_new(LONG_MS, SMALL);

	serve_pair(s);
	serve_request(s);
	refused(s, "not now: 100% busy (%s%n)");
}

static void abort_round(void)
{
	struct serve *s = serve_new(LONG_MS, SMALL);

	serve_pair(s);
	serve_request(s);
	serve_reply(s);
	serve_expect(s, KCOLO_WIRE_MIGRATE_RAM);
	refused(s, "the disk is full");
}

/* However often the link is found broken, it is lost once. */
static void heard_doubt(struct serve *s)
{
	unsigned int doubt = 0, lost = 0;
	struct kcolo_event ev;

	while (kcolo_event_next_raw(s->k, &ev, SHORT_MS) == 1) {
		doubt += ev.type == KCOLO_EVENT_TYPE_CHECKPOINT_DOUBT;
		lost += ev.type == KCOLO_EVENT_TYPE_PEER_LOST;
	}
	if (doubt != 1 || lost != 1)
		fail("told %u times of doubt and %u of a lost peer", doubt, lost);
}

static void abort_end(void)
{
	struct serve *s = serve_new(LONG_MS, SMALL);

	serve_pair(s);
	serve_request(s);
	if (!opt.vmm && kcolo_subscribe(s->k))
		fail("subscribe: %s", kcolo_error(s->k));
	serve_reply(s);
	serve_end(s);
	serve_abort(s, s->epoch, "too late to be believed");
	primary_wait(s, KCOLO_STATE_DOUBT, 0, SOON_MS, true, "ABORT after END");
	link_cut(s->l);
	if (!opt.vmm)
		heard_doubt(s);
	primary_del(s);
}

/* Put in place it could not be: another host has to be found. */
static void abort_loaded(void)
{
	struct serve *s = serve_new(LONG_MS, SMALL);

	serve_pair(s);
	serve_request(s);
	serve_reply(s);
	serve_end(s);
	serve_answer(s, KCOLO_WIRE_VMSTATE_RECEIVED, s->epoch);
	serve_abort(s, s->epoch, "it could not be put in place");
	primary_wait(s, KCOLO_STATE_LOST, 0, SOON_MS, true,
		     "ABORT after RECEIVED");
	primary_says(s, KCOLO_ABORT_REASON_PEER_REFUSED,
		     "it could not be put in place");
	primary_del(s);
}

static void abort_without_epoch(void)
{
	struct serve *s = serve_new(LONG_MS, SMALL);

	serve_pair(s);
	serve_request(s);
	serve_abort(s, 0, "of no epoch");
	serve_abort(s, s->epoch + 7, "of another epoch");
	serve_reply(s);
	serve_finish(s);
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "committed");
	primary_del(s);
}

/* An answer of another epoch is none. */
static void wrong_reply(void)
{
	struct serve *s = serve_new(SHORT_MS, SMALL);

	serve_pair(s);
	serve_request(s);
	serve_answer(s, KCOLO_WIRE_CHECKPOINT_REPLY, s->epoch + 1);
	serve_expect(s, KCOLO_WIRE_ABORT);
	primary_wait(s, KCOLO_STATE_IDLE, KCOLO_STATE_PRECOPY, SOON_MS, true,
		     "given up");
	primary_del(s);
}

static void wrong_received(void)
{
	struct serve *s = serve_new(SHORT_MS, SMALL);
	struct kcolo_session_info info;

	serve_pair(s);
	serve_request(s);
	serve_reply(s);
	serve_end(s);
	serve_answer(s, KCOLO_WIRE_VMSTATE_RECEIVED, s->epoch - 1);
	serve_answer(s, KCOLO_WIRE_VMSTATE_RECEIVED, s->epoch + 1);
	primary_wait(s, KCOLO_STATE_DOUBT, 0, 3 * SHORT_MS, true, "no answer");
	primary_info(s, &info);
	if (info.committed)
		fail("epoch %llu counts as committed",
		     (u64)info.committed);
	primary_del(s);
}

/* RECEIVED before the end was sent says nothing: it has to end the link. */
static void early(u32 type)
{
	struct serve *s = serve_new(LONG_MS, SMALL);

	serve_pair(s);
	serve_request(s);
	serve_reply(s);
	serve_answer(s, type, s->epoch);
	s->want = false;
	primary_wait(s, KCOLO_STATE_LOST, 0, SOON_MS, true,
		     "before its time");
	primary_says(s, KCOLO_ABORT_REASON_PROTOCOL, NULL);
	primary_del(s);
}

static void early_received(void)
{
	early(KCOLO_WIRE_VMSTATE_RECEIVED);
}

static void early_loaded(void)
{
	early(KCOLO_WIRE_VMSTATE_LOADED);
}

static void fenced_idle(void)
{
	struct serve *s = serve_new(LONG_MS, 0);

	serve_pair(s);
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "connected");
	serve_answer(s, KCOLO_WIRE_FENCED, 0);
	primary_wait(s, KCOLO_STATE_FENCED, 0, SOON_MS, true, "FENCED");
	primary_says(s, KCOLO_ABORT_REASON_FENCED, "the secondary has taken over");
	primary_del(s);
}

static void fenced_round(void)
{
	struct serve *s = serve_new(LONG_MS, SMALL);

	serve_pair(s);
	serve_request(s);
	serve_reply(s);
	serve_expect(s, KCOLO_WIRE_MIGRATE_RAM);
	serve_answer(s, KCOLO_WIRE_FENCED, 0);
	primary_wait(s, KCOLO_STATE_FENCED, 0, SOON_MS, true, "FENCED");
	primary_says(s, KCOLO_ABORT_REASON_FENCED, NULL);
	primary_del(s);
}

/* The data connection ends first, and is what the primary finds. */
static void fenced_last(void)
{
	struct serve *s = serve_new(LONG_MS, LARGE);

	serve_pair(s);
	serve_request(s);
	serve_reply(s);
	tcp_close(&s->l->fd[KCOLO_WIRE_DATA]);
	primary_wait(s, KCOLO_STATE_LOST, 0, SOON_MS, false, "no data connection");
	serve_answer(s, KCOLO_WIRE_FENCED, 0);
	primary_wait(s, KCOLO_STATE_FENCED, 0, SOON_MS, false, "FENCED");
	primary_says(s, KCOLO_ABORT_REASON_FENCED, "the secondary has taken over");
	primary_del(s);
}

static void fenced_end(void)
{
	struct serve *s = serve_new(LONG_MS, SMALL);

	serve_pair(s);
	serve_request(s);
	serve_reply(s);
	serve_end(s);
	serve_answer(s, KCOLO_WIRE_FENCED, 0);
	primary_wait(s, KCOLO_STATE_FENCED, 0, SOON_MS, true, "FENCED");
	primary_says(s, KCOLO_ABORT_REASON_FENCED, NULL);
	primary_del(s);
}

static void close_round(void)
{
	struct serve *s = serve_new(LONG_MS, SMALL);

	serve_pair(s);
	serve_request(s);
	serve_reply(s);
	serve_expect(s, KCOLO_WIRE_MIGRATE_RAM);
	serve_answer(s, KCOLO_WIRE_CLOSE, 0);
	primary_wait(s, KCOLO_STATE_LOST, 0, SOON_MS, true, "CLOSE");
	primary_says(s, KCOLO_ABORT_REASON_CLOSED,
		     "the secondary has ended its session");
	primary_del(s);
}

static void magic(struct buf *b)
{
	buf_message(b, KCOLO_WIRE_PONG, 0, 0, NULL, 0);
	b->p[1] ^= 4;
	buf_fix_header(b, 0);
}

static void type(struct buf *b)
{
	buf_message(b, KCOLO_WIRE_TYPE_END, 0, 0, NULL, 0);
}

static void too_long(struct buf *b)
{
	static const u8 text[KCOLO_WIRE_TEXT_MAX + 1];

	buf_message(b, KCOLO_WIRE_ABORT, 0, 0, text, sizeof(text));
}

static void reply_with_body(struct buf *b)
{
	buf_message(b, KCOLO_WIRE_CHECKPOINT_REPLY, 0, 0, some, 8);
}

static void header_crc(struct buf *b)
{
	buf_message(b, KCOLO_WIRE_PING, 0, 0, NULL, 0);
	b->p[12] ^= 1;
}

static void body_crc(struct buf *b)
{
	buf_message(b, KCOLO_WIRE_ABORT, 0, 0, "text", 4);
	b->p[b->len - 1] ^= 1;
}

static void pages(struct buf *b)
{
	struct pages m = {};

	pages_add(&m, 0, 0, 1, 1);
	pages_put(&m, b, 0, 0);
}

static void request(struct buf *b)
{
	buf_message(b, KCOLO_WIRE_CHECKPOINT_REQUEST, 1, 0, NULL, 0);
}

static void hello(struct buf *b)
{
	struct kcolo_wire_hello h;
	u8 body[KCOLO_WIRE_HELLO];

	hello_fill(&h, KCOLO_WIRE_CONTROL);
	kcolo_wire_put_hello(body, &h);
	buf_message(b, KCOLO_WIRE_HELLO_MSG, 0, 0, body, sizeof(body));
}

static void state(struct buf *b)
{
	static const u8 bytes[KCOLO_WIRE_VMSTATE_MAX];

	buf_message(b, KCOLO_WIRE_VMSTATE_SEND, 1, 0, bytes, sizeof(bytes));
}

#define A(name, make, error, reason) \
	{ name, KCOLO_WIRE_CONTROL, AT_CONNECTED, make, error, reason }
#define NOT_ITS	"the secondary sent a message that is not its to send"
#define LENGTH	"a message has a length that its type cannot have"

static void hashes(struct buf *b)
{
	static const u8 body[KCOLO_WIRE_HASHES_HEAD + 4];

	buf_message(b, KCOLO_WIRE_HASHES, 0, 0, body, sizeof(body));
}

static void put_verified(struct buf *b, u32 len)
{
	const struct kcolo_wire_verified v = { 10, 1 };
	u8 body[KCOLO_WIRE_VERIFIED_HEAD + KCOLO_WIRE_DIFFERENCE] = {};

	kcolo_wire_put_verified(body, &v);
	buf_message(b, KCOLO_WIRE_VERIFIED, 0, 0, body,
		    KCOLO_WIRE_VERIFIED_HEAD + len);
}

static void verified(struct buf *b)
{
	put_verified(b, KCOLO_WIRE_DIFFERENCE);
}

static void verified_odd(struct buf *b)
{
	put_verified(b, 3);
}

static void ask_verify(struct serve *s)
{
	if (kcolo_verify(s->k))
		fail("verify: %s", kcolo_error(s->k));
}

/* All three at once: who hears them is quicker than who is told of them. */
static void answer_verified(struct serve *s)
{
	const struct kcolo_wire_verified none = { SMALL / PAGE, 0 };
	u8 body[KCOLO_WIRE_VERIFIED_HEAD];
	struct kcolo_verified found;
	struct buf b = {};

	serve_end(s);
	kcolo_wire_put_verified(body, &none);
	buf_message(&b, KCOLO_WIRE_VMSTATE_RECEIVED, s->epoch, 0, NULL, 0);
	buf_message(&b, KCOLO_WIRE_VERIFIED, s->epoch, 0, body, sizeof(body));
	buf_message(&b, KCOLO_WIRE_VMSTATE_LOADED, s->epoch, 0, NULL, 0);
	link_send(s->l, KCOLO_WIRE_CONTROL, &b);
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "verified");
	if (kcolo_verify_get(s->k, &found) || found.epoch != s->epoch)
		fail("epoch %llu was not verified", s->epoch);
}

/* What is asked for while an epoch is open is of the next one, and that only. */
static void verified_at_once(void)
{
	struct serve *s = serve_new(LONG_MS, SMALL);

	s->want = false;
	serve_pair(s);
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "connected");
	ask_verify(s);
	s->want = true;
	serve_request(s);
	ask_verify(s);
	serve_reply(s);
	answer_verified(s);
	s->want = true;
	s->hashes = 0;
	serve_request(s);
	serve_reply(s);
	answer_verified(s);
	if (!s->hashes)
		fail("what was asked for in an epoch was forgotten");
	s->want = true;
	s->hashes = 0;
	serve_request(s);
	serve_reply(s);
	serve_finish(s);
	primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "committed");
	if (s->hashes)
		fail("HASHES came that nobody has asked for");
	primary_del(s);
}

static const struct bad bad_answers[] = {
	A("magic", magic, "this is not the kcolo protocol", PROTOCOL),
	A("type", type, "a message has a type that is not known", PROTOCOL),
	A("a text that is too long", too_long, LENGTH, PROTOCOL),
	A("REPLY with a body", reply_with_body, LENGTH, PROTOCOL),
	A("header's checksum", header_crc, "the checksum of a header is wrong", 0),
	A("body's checksum", body_crc, "the checksum of a message is wrong",
	  CHECKSUM),
	A("PAGES", pages, "PAGES came on the control connection", PROTOCOL),
	A("REQUEST", request, NOT_ITS, PROTOCOL),
	A("HELLO again", hello, NOT_ITS, PROTOCOL),
	A("device state", state, NOT_ITS, PROTOCOL),
	A("HASHES", hashes, NOT_ITS, PROTOCOL),
	A("VERIFIED that nobody asked for", verified,
	  "the secondary has verified what it was not asked to", PROTOCOL),
	A("VERIFIED that is odd", verified_odd,
	  "VERIFIED is not as long as its parts", PROTOCOL),
	{}
};

static void malformed(void)
{
	const struct bad *bad;
	struct serve *s;
	struct buf b = {};

	for (bad = bad_answers; bad->name; bad++) {
		note("%s", bad->name);
		s = serve_new(LONG_MS, 0);
		serve_pair(s);
		primary_wait(s, KCOLO_STATE_IDLE, 0, SOON_MS, true, "connected");
		bad->make(&b);
		link_send(s->l, KCOLO_WIRE_CONTROL, &b);
		primary_wait(s, KCOLO_STATE_LOST, 0, SOON_MS, false, bad->name);
		primary_says(s, bad->reason, bad->error);
		primary_del(s);
	}
}

const struct scenario answers_scenarios[] = {
	{ "answers-good", "two epochs, and their ends say what came", good },
	{ "abort-regions", "ABORT with a text at REGIONS", abort_regions },
	{ "abort-request", "ABORT with a text at REQUEST", abort_request },
	{ "abort-round", "ABORT with a text in a round", abort_round },
	{ "abort-end", "ABORT after END: doubt", abort_end },
	{ "abort-loaded", "ABORT after RECEIVED: lost", abort_loaded },
	{ "abort-without-epoch", "ABORT of no or another epoch",
	  abort_without_epoch },
	{ "wrong-reply", "REPLY of another epoch", wrong_reply },
	{ "wrong-received", "RECEIVED of another epoch", wrong_received },
	{ "early-received", "RECEIVED before END", early_received },
	{ "early-loaded", "LOADED before END", early_loaded },
	{ "fenced-idle", "FENCED between epochs", fenced_idle },
	{ "fenced-round", "FENCED in a round", fenced_round },
	{ "fenced-last", "FENCED when the data connection is lost", fenced_last },
	{ "fenced-end", "FENCED after END", fenced_end },
	{ "close-round", "CLOSE in a round", close_round },
	{ "verified-at-once", "VERIFIED right behind RECEIVED", verified_at_once },
	{ "malformed-answers", "what a secondary may not send", malformed },
	{}
};
