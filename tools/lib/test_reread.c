// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Events that were lost, and what the library tells instead. KTAP.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "internal.h"
#include "test_kernel.h"
#include "test_lib.h"

#define TOLD_MAX	400

/* A session as it is to be read. */
struct view {
	enum kcolo_state state;
	int epoch;
	int committed;
	enum kcolo_abort_reason reason;
	int links;
};

static void show(enum kcolo_role role, const struct view *v)
{
	fake.role = role;
	fake.state = v->state;
	fake.epoch = v->epoch;
	fake.committed = v->committed;
	fake.abort_reason = v->reason;
	fake.links = v->links;
}

/*
 * All events that come now, the first @due of them soon, as "type:epoch type:epoch",
 * with a ! when sent.
 */
static const char *told_due(struct kcolo *k, int due, char text[TOLD_MAX])
{
	struct kcolo_event ev;
	int n, len = 0;

	text[0] = '\0';
	while ((n = kcolo_event_next(k, &ev, due-- > 0 ? 5000 : 0)) == 1)
		len += snprintf(text + len, TOLD_MAX - len, "%s%s:%d%s",
				len ? " " : "", kcolo_event_type_name(ev.type),
				(int)ev.epoch, ev.reread ? "" : "!");
	if (n)
		snprintf(text + len, TOLD_MAX - len, "errno %d", n);
	return text;
}

static const char *told(struct kcolo *k, char text[TOLD_MAX])
{
	return told_due(k, 0, text);
}

static const char *told_after_loss(struct kcolo *k, char text[TOLD_MAX])
{
	fake.lose = 1;
	return told(k, text);
}

/* @checkpoint: the handle itself asks for one in between, which is epoch 43 */
static const struct loss {
	const char *what;
	enum kcolo_role role;
	bool checkpoint;
	struct view from;
	struct view to;
	const char *told;
} losses[] = {
#define P	KCOLO_ROLE_PRIMARY
#define S	KCOLO_ROLE_SECONDARY
#define ST(x)	KCOLO_STATE_##x
#define WHY(x)	KCOLO_ABORT_REASON_##x
	{ "nothing", P, false, { ST(IDLE), 42, 41, 0, 0 }, { ST(IDLE), 42, 41, 0, 0 },
	  "" },
	{ "connected", P, false, { ST(CONNECTING), 0, 0, 0, 0 },
	  { ST(IDLE), 0, 0, 0, 0 }, "peer-connected:0" },
	{ "rounds still run", P, true, { ST(IDLE), 42, 42, 0, 0 },
	  { ST(PRECOPY), 43, 42, 0, 0 }, "" },
	{ "ready", P, true, { ST(IDLE), 42, 42, 0, 0 },
	  { ST(READY), 43, 42, 0, 0 }, "checkpoint-ready:43" },
	{ "ready, asked for by another", P, false, { ST(IDLE), 42, 42, 0, 0 },
	  { ST(READY), 43, 42, 0, 0 }, "checkpoint-ready:43" },
	{ "ready again is not said", P, false, { ST(READY), 43, 42, 0, 0 },
	  { ST(READY), 43, 42, 0, 0 }, "" },
	{ "aborted", P, true, { ST(IDLE), 42, 42, 0, 0 },
	  { ST(IDLE), 43, 42, WHY(REQUESTED), 0 }, "checkpoint-aborted:43" },
	{ "aborted, asked for by another", P, false, { ST(PRECOPY), 43, 42, 0, 0 },
	  { ST(IDLE), 43, 42, WHY(REQUESTED), 0 }, "checkpoint-aborted:43" },
	{ "received", P, true, { ST(IDLE), 42, 42, 0, 0 },
	  { ST(APPLYING), 43, 43, 0, 0 }, "checkpoint-received:43" },
	{ "committed", P, true, { ST(IDLE), 42, 42, 0, 0 },
	  { ST(IDLE), 43, 43, 0, 0 },
	  "checkpoint-received:43 checkpoint-committed:43" },
	{ "in place", P, false, { ST(APPLYING), 43, 43, 0, 0 },
	  { ST(IDLE), 43, 43, 0, 0 }, "checkpoint-committed:43" },
	{ "committed, and the next is ready", P, true, { ST(IDLE), 42, 42, 0, 0 },
	  { ST(READY), 44, 43, 0, 0 },
	  "checkpoint-received:43 checkpoint-committed:43 checkpoint-ready:44" },
	{ "aborted, and the next is ready", P, true, { ST(IDLE), 42, 42, 0, 0 },
	  { ST(READY), 44, 42, WHY(REQUESTED), 0 },
	  "checkpoint-aborted:43 checkpoint-ready:44" },
	{ "committed or not, and then one that is committed", P, true,
	  { ST(IDLE), 42, 42, 0, 0 }, { ST(IDLE), 44, 44, 0, 0 },
	  "checkpoint-received:44 checkpoint-committed:44" },
	{ "the same, asked for by another", P, false, { ST(READY), 43, 42, 0, 0 },
	  { ST(IDLE), 47, 47, 0, 0 },
	  "checkpoint-received:47 checkpoint-committed:47" },
	{ "the same, and the next is ready", P, false, { ST(READY), 43, 42, 0, 0 },
	  { ST(READY), 47, 46, 0, 0 },
	  "checkpoint-received:46 checkpoint-committed:46 checkpoint-ready:47" },
	{ "the same, and the next is aborted", P, false,
	  { ST(READY), 43, 42, 0, 0 }, { ST(IDLE), 47, 46, WHY(REQUESTED), 0 },
	  "checkpoint-received:46 checkpoint-committed:46 checkpoint-aborted:47" },
	{ "committed, and then one that is aborted", P, true,
	  { ST(IDLE), 42, 42, 0, 0 }, { ST(IDLE), 44, 43, WHY(REQUESTED), 0 },
	  "checkpoint-received:43 checkpoint-committed:43 checkpoint-aborted:44" },
	{ "lost in an epoch", P, true, { ST(IDLE), 42, 42, 0, 0 },
	  { ST(LOST), 43, 42, WHY(PEER_LOST), 0 },
	  "checkpoint-aborted:43 peer-lost:43" },
	{ "lost after it was received", P, true, { ST(IDLE), 42, 42, 0, 0 },
	  { ST(LOST), 43, 43, WHY(PEER_LOST), 0 },
	  "checkpoint-received:43 peer-lost:43" },
	{ "in doubt: neither committed nor aborted", P, true,
	  { ST(IDLE), 42, 42, 0, 0 }, { ST(DOUBT), 43, 42, WHY(PEER_LOST), 0 },
	  "checkpoint-doubt:43" },
	{ "fenced out of doubt: the guest is not let go", P, false,
	  { ST(DOUBT), 43, 42, WHY(PEER_LOST), 0 },
	  { ST(FENCED), 43, 42, WHY(FENCED), 0 }, "fenced:43" },
	{ "the VMM has died", P, false, { ST(IDLE), 42, 42, 0, 0 },
	  { ST(LOST), 42, 42, WHY(VM_GONE), 0 }, "vm-gone:42 peer-lost:42" },
	{ "an abort for want of a VM is no death", P, true,
	  { ST(IDLE), 42, 42, 0, 0 }, { ST(IDLE), 43, 42, WHY(VM_GONE), 0 },
	  "checkpoint-aborted:43" },
	{ "closed", P, true, { ST(IDLE), 42, 42, 0, 0 },
	  { ST(CLOSED), 43, 42, 0, 0 }, "session-del:43" },
	{ "commits on a secondary", S, false, { ST(IDLE), 3, 3, 0, 0 },
	  { ST(RECEIVING), 8, 7, 0, 0 }, "checkpoint-committed:7" },
	{ "not in place on a secondary", S, false, { ST(IDLE), 3, 3, 0, 0 },
	  { ST(APPLYING), 4, 4, 0, 0 }, "" },
	{ "an abort on a secondary", S, false, { ST(RECEIVING), 4, 3, 0, 0 },
	  { ST(IDLE), 4, 3, 0, 0 }, "" },
	{ "a commit and then the loss of the primary", S, false,
	  { ST(CONNECTING), 0, 0, 0, 0 }, { ST(LOST), 5, 4, WHY(PEER_LOST), 0 },
	  "checkpoint-committed:4 peer-lost:4" },
	{ "a primary that has closed is not lost", S, false,
	  { ST(IDLE), 4, 4, 0, 0 }, { ST(LOST), 4, 4, WHY(CLOSED), 0 }, "" },
	{ "prepared", S, false, { ST(RECEIVING), 4, 3, 0, 0 },
	  { ST(PREPARED), 4, 3, 0, 0 }, "checkpoint-prepared:4" },
	{ "prepared again is not said", S, false, { ST(PREPARED), 4, 3, 0, 0 },
	  { ST(PREPARED), 4, 3, 0, 0 }, "" },
	{ "dropped when prepared", S, false, { ST(PREPARED), 4, 3, 0, 0 },
	  { ST(IDLE), 4, 3, 0, 0 }, "checkpoint-aborted:4" },
	{ "dropped, and the next is prepared", S, false,
	  { ST(PREPARED), 4, 3, 0, 0 }, { ST(PREPARED), 5, 3, 0, 0 },
	  "checkpoint-aborted:4 checkpoint-prepared:5" },
	{ "applied, and the next is prepared", S, false,
	  { ST(PREPARED), 4, 3, 0, 0 }, { ST(PREPARED), 5, 4, 0, 0 },
	  "checkpoint-committed:4 checkpoint-prepared:5" },
	{ "being applied", S, false, { ST(PREPARED), 4, 3, 0, 0 },
	  { ST(APPLYING), 4, 4, 0, 0 }, "" },
	{ "lost when prepared", S, false, { ST(PREPARED), 4, 3, 0, 0 },
	  { ST(LOST), 4, 3, WHY(PEER_LOST), 0 }, "peer-lost:3" },
	{ "lost, and there again", P, false, { ST(IDLE), 42, 42, 0, 1 },
	  { ST(IDLE), 42, 42, WHY(PEER_LOST), 2 },
	  "peer-lost:42 peer-connected:42" },
	{ "there again", P, false, { ST(LOST), 43, 42, WHY(PEER_LOST), 1 },
	  { ST(IDLE), 43, 42, WHY(PEER_LOST), 2 }, "peer-connected:43" },
	{ "it was in doubt, and is committed", P, false,
	  { ST(DOUBT), 43, 42, WHY(PEER_LOST), 1 }, { ST(IDLE), 43, 43, 0, 2 },
	  "checkpoint-received:43 checkpoint-committed:43 peer-connected:43" },
	{ "it was in doubt, and is not committed", P, false,
	  { ST(DOUBT), 43, 42, WHY(PEER_LOST), 1 }, { ST(IDLE), 43, 42, 0, 2 },
	  "checkpoint-aborted:43 peer-connected:43" },
	{ "it was in doubt, and is given up", P, false,
	  { ST(DOUBT), 43, 42, WHY(PEER_LOST), 1 },
	  { ST(LOST), 43, 42, WHY(REQUESTED), 1 },
	  "checkpoint-aborted:43 peer-lost:43" },
	{ "lost in an epoch, there again, and the next is ready", P, true,
	  { ST(IDLE), 42, 42, 0, 1 }, { ST(READY), 44, 42, WHY(PEER_LOST), 2 },
	  "peer-lost:43 checkpoint-aborted:43 peer-connected:44 checkpoint-ready:44" },
	{ "the same, and the next is committed: not known of the first", P, true,
	  { ST(IDLE), 42, 42, 0, 1 }, { ST(IDLE), 44, 44, WHY(PEER_LOST), 2 },
	  "peer-lost:43 peer-connected:44 checkpoint-received:44 checkpoint-committed:44" },
	{ "in place when it is there again", P, false,
	  { ST(LOST), 43, 43, WHY(PEER_LOST), 1 }, { ST(IDLE), 43, 43, 0, 2 },
	  "checkpoint-committed:43 peer-connected:43" },
	{ "a secondary whose primary came back", S, false,
	  { ST(IDLE), 4, 4, 0, 1 }, { ST(RECEIVING), 5, 4, 0, 2 },
	  "peer-lost:4 peer-connected:4" },
	{ "promoted", S, false, { ST(IDLE), 4, 4, 0, 0 },
	  { ST(PROMOTED), 5, 4, 0, 0 }, "promoted:4" },
	{ "broken", S, false, { ST(IDLE), 4, 4, 0, 0 },
	  { ST(BROKEN), 5, 5, WHY(GUEST_MEMORY), 0 }, "broken:5" },
#undef P
#undef S
#undef WHY
};

static void test_loss(const struct loss *l)
{
	struct kcolo *k = begin();
	char text[TOLD_MAX], what[128];
	bool good;

	show(l->role, &l->from);
	kcolo_session_use_id(k, FAKE_ID);
	kcolo_subscribe(k);
	if (l->checkpoint)
		kcolo_checkpoint(k, KCOLO_KIND_PERIODIC, NULL);
	show(l->role, &l->to);
	good = !strcmp(told_after_loss(k, text), l->told);
	if (!good)
		printf("# told: %s\n", text);
	snprintf(what, sizeof(what), "lost events: %s", l->what);
	ok(good && !*told_after_loss(k, text) && !readable(k), what);
	kcolo_close(k);
}

/* From each state to each other: no error, and nothing is told twice. */
static void test_each(enum kcolo_role role, const char *what)
{
	struct view from = { 0, 42, 41, 0, 0 }, to = { 0, 43, 42, 0, 0 };
	char text[TOLD_MAX];
	bool good = true;

	for (from.state = 1; from.state <= ST(CLOSED); from.state++) {
		for (to.state = 1; to.state <= ST(CLOSED); to.state++) {
			struct kcolo *k = begin();

			show(role, &from);
			kcolo_session_use_id(k, FAKE_ID);
			kcolo_subscribe(k);
			show(role, &to);
			good &= !strstr(told_after_loss(k, text), "errno");
			good &= !*told_after_loss(k, text);
			kcolo_close(k);
		}
	}
	ok(good, what);
}

/* What was on its way while the session was read. */
static void test_overlap(void)
{
	struct view idle = { ST(IDLE), 42, 41, 0, 0 }, lost = { ST(LOST), 42, 41, 0, 0 };
	struct kcolo *k = begin();
	char text[TOLD_MAX];

	show(KCOLO_ROLE_PRIMARY, &idle);
	kcolo_session_use_id(k, FAKE_ID);
	kcolo_subscribe(k);
	show(KCOLO_ROLE_PRIMARY, &lost);
	fake.event_seq = 4;
	kcolo_event_reread(k);
	ok(readable(k) && !strcmp(told(k, text), "peer-lost:42"),
	   "a reading that was asked for");
	fake.late_events = 6;
	kcolo_subscribe(k);
	ok(!strcmp(told_due(k, 2, text), "checkpoint-aborted:42! checkpoint-ready:42!"),
	   "events that it included are not told again");
	fake.event_seq = 2;
	kcolo_close(k);
}

/* The state was read before the event of it had its number. */
static void test_early_state(void)
{
	struct view idle = { ST(IDLE), 4, 4, 0, 0 }, promoted = { ST(PROMOTED), 4, 4, 0, 0 };
	struct kcolo *k = begin();
	char text[TOLD_MAX];

	show(KCOLO_ROLE_SECONDARY, &idle);
	kcolo_session_use_id(k, FAKE_ID);
	kcolo_subscribe(k);
	show(KCOLO_ROLE_SECONDARY, &promoted);
	fake.event_seq = 5;
	ok(!strcmp(told_after_loss(k, text), "promoted:4"),
	   "a state whose event is still to come");
	fake.late_events = 7;
	fake.promoted = 6;
	kcolo_subscribe(k);
	ok(!strcmp(told_due(k, 1, text), "checkpoint-ready:42!"),
	   "what comes once is not told again");
	kcolo_close(k);
	k = begin();
	kcolo_session_use_id(k, FAKE_ID);
	kcolo_subscribe(k);
	ok(strstr(told_due(k, 7, text), "promoted:42!"),
	   "it is when it was only read before the subscription");
	fake.late_events = 0;
	fake.promoted = 0;
	fake.event_seq = 2;
	kcolo_close(k);
}

static void test_gap(void)
{
	struct view idle = { ST(IDLE), 42, 41, 0, 0 }, lost = { ST(LOST), 42, 41, 0, 0 };
	struct kcolo_event ev;
	struct kcolo *k = begin();
	char text[TOLD_MAX];

	show(KCOLO_ROLE_PRIMARY, &idle);
	kcolo_session_use_id(k, FAKE_ID);
	fake.late_events = 4;
	fake.gap = 2;
	fake.event_seq = 3;
	kcolo_subscribe(k);
	show(KCOLO_ROLE_PRIMARY, &lost);
	ok(!strcmp(told(k, text),
		   "checkpoint-ready:42! checkpoint-aborted:42 peer-lost:42 checkpoint-ready:42!"),
	   "a number that is missing is a loss");
	kcolo_close(k);
	k = begin();
	kcolo_session_use_id(k, FAKE_ID);
	kcolo_subscribe(k);
	ok(kcolo_event_next_raw(k, &ev, 1000) == 1 && ev.seq == 1 &&
	   kcolo_event_next_raw(k, &ev, 1000) == -ENOBUFS &&
	   kcolo_event_next_raw(k, &ev, 1000) == 1 && ev.seq == 3,
	   "and said where it is");
	fake.late_events = 0;
	fake.gap = 0;
	fake.event_seq = 2;
	kcolo_close(k);
}

static void test_gone(void)
{
	struct view idle = { ST(IDLE), 42, 41, 0, 0 };
	struct kcolo_event ev;
	struct kcolo *k = begin();

	show(KCOLO_ROLE_PRIMARY, &idle);
	kcolo_session_use_name(k, FAKE_NAME);
	kcolo_subscribe(k);
	fake.lose = 1;
	fake.gone = 1;
	ok(kcolo_event_next(k, &ev, 0) == 1 && ev.reread &&
	   ev.type == KCOLO_EVENT_TYPE_SESSION_DEL &&
	   ev.state == KCOLO_STATE_CLOSED && ev.session_id == FAKE_ID &&
	   !strcmp(ev.session_name, FAKE_NAME) && !kcolo_event_next(k, &ev, 0),
	   "a session that is gone has ended");
	fake.gone = 0;
	kcolo_close(k);
	k = begin();
	kcolo_session_use_name(k, FAKE_NAME);
	kcolo_subscribe(k);
	fake.lose = 1;
	fake.other = 100;
	ok(kcolo_event_next(k, &ev, 0) == 1 && ev.session_id == FAKE_ID &&
	   ev.type == KCOLO_EVENT_TYPE_SESSION_DEL &&
	   !kcolo_event_next(k, &ev, 0), "so has one whose name is another's");
	fake.other = 0;
	kcolo_close(k);
}

static void test_failures(void)
{
	struct view idle = { ST(IDLE), 42, 41, 0, 0 }, lost = { ST(LOST), 42, 41, 0, 0 };
	struct kcolo_event ev;
	struct kcolo *k = begin();

	show(KCOLO_ROLE_PRIMARY, &idle);
	kcolo_session_use_id(k, FAKE_ID);
	kcolo_subscribe(k);
	show(KCOLO_ROLE_PRIMARY, &lost);
	kcolo_event_reread(k);
	fake.lose = 2;
	ok(kcolo_event_next(k, &ev, 0) == 1 &&
	   ev.type == KCOLO_EVENT_TYPE_PEER_LOST, "a reading is tried again");
	kcolo_event_reread(k);
	fake.lose = 100;
	ok(kcolo_event_next(k, &ev, 0) == -ENOMEM && readable(k),
	   "one that fails is no loss of events");
	fake.lose = 0;
	ok(!kcolo_event_next(k, &ev, 0) && !readable(k), "and is done later");
	kcolo_subscribe_all(k);
	kcolo_close(k);
}

/**
 * test_reread - lost events
 */
void test_reread(void)
{
	static const struct view before = { ST(IDLE), 42, 41, 99, 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(losses); i++)
		test_loss(&losses[i]);
	test_each(KCOLO_ROLE_PRIMARY, "lost events between any two states");
	test_each(KCOLO_ROLE_SECONDARY, "the same on a secondary");
	test_overlap();
	test_early_state();
	test_gap();
	test_gone();
	test_failures();
	show(KCOLO_ROLE_PRIMARY, &before);
}
