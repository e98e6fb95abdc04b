// SPDX-License-Identifier: GPL-2.0
/* More events than a subscriber takes: it is told, and knows where it stands. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "pair.h"

/* Above what the library's socket can hold. */
#define FLOOD	20000

static struct kcolo *maker;

static struct kcolo *listener(bool all)
{
	struct kcolo_session_info info;
	struct kcolo *k;

	read_session(maker, &info);
	if (kcolo_open(&k) || kcolo_session_use_name(k, info.name) ||
	    (all ? kcolo_subscribe_all(k) : kcolo_subscribe(k)))
		fail("subscribe: %s", kcolo_error(k));
	return k;
}

/* Return: the number of the next event that is of the maker's session. */
static u64 next(struct kcolo *k, int *lost)
{
	struct kcolo_session_info mine;
	struct kcolo_event ev;
	int n;

	read_session(maker, &mine);
	for (;;) {
		n = kcolo_event_next_raw(k, &ev, 1000);
		if (n == -ENOBUFS) {
			++*lost;
			continue;
		}
		if (n < 0)
			fail("events: %s", kcolo_error(k));
		if (!n)
			return 0;
		if (ev.session_id == mine.id)
			return ev.seq;
	}
}

static void gapless(bool all)
{
	struct kcolo_session_info info;
	struct kcolo *k = listener(all);
	int i, lost = 0;
	u64 seq;

	read_session(maker, &info);
	for (i = 0; i < 500; i++)
		set_threshold(maker, i);
	for (i = 1; i <= 500; i++) {
		seq = next(k, &lost);
		if (seq != info.event_seq + i)
			fail("event %llu came after %llu",
			     (unsigned long long)seq,
			     (unsigned long long)info.event_seq + i - 1);
	}
	expect(!lost, "events were lost that had room");
	kcolo_close(k);
}

static void flood(void)
{
	int i;

	for (i = 0; i < FLOOD; i++)
		set_threshold(maker, i);
}

static void overflow(bool all)
{
	struct kcolo_session_info info;
	struct kcolo *k = listener(all);
	struct kcolo_event ev;
	u64 begin = now_ms(), seq, last;
	int i, n, lost = 0;

	flood();
	note("%d events in %llu ms", FLOOD,
	     (unsigned long long)(now_ms() - begin));
	while ((n = kcolo_event_next_raw(k, &ev, 0)) > 0)
		;
	if (n != -ENOBUFS)
		fail("%d events were not too many (%d)", FLOOD, n);
	/* What the header of the library says to do. */
	read_session(k, &info);
	expect(info.params.threshold == FLOOD - 1,
	       "the state is not the last one");
	for (i = 0; i < 100; i++)
		set_threshold(maker, FLOOD + i);
	last = info.event_seq;
	for (i = 0; i < 100; ) {
		seq = next(k, &lost);
		if (!seq)
			fail("the last events did not come");
		if (seq <= info.event_seq)
			continue;
		expect(seq == last + 1, "event %llu came after %llu",
		       (unsigned long long)seq, (unsigned long long)last);
		last = seq;
		i++;
	}
	expect(!lost, "it said twice that events were lost");
	read_session(k, &info);
	expect(info.event_seq == last, "the last event was %llu, not %llu",
	       (unsigned long long)info.event_seq, (unsigned long long)last);
	kcolo_close(k);
}

/* What a VMM sees: no loss, the end of the session, and nothing after it. */
static void made_up(bool by_fd)
{
	struct kcolo_session_info info;
	struct kcolo_event ev = {};
	struct kcolo *k;
	int n, nr = 0;

	maker = lone_secondary();
	k = listener(false);
	if (by_fd && kcolo_session_use_fd(k, dup(kcolo_session_fd(maker))))
		fail("use-fd: %s", kcolo_error(k));
	read_session(maker, &info);
	flood();
	if (kcolo_session_del(maker))
		fail("del: %s", kcolo_error(maker));
	await_state(maker, KCOLO_STATE_CLOSED);
	while ((n = kcolo_event_next(k, &ev, 200)) == 1 && ++nr)
		if (ev.type == KCOLO_EVENT_TYPE_SESSION_DEL)
			break;
	expect(n == 1, "the end of the session was not heard of (%d)", n);
	expect(nr < FLOOD, "%d events had room", nr);
	expect(ev.reread && ev.state == KCOLO_STATE_CLOSED &&
	       ev.session_id == info.id && !strcmp(ev.session_name, info.name),
	       "it is not the session's end that was made");
	n = kcolo_event_next(k, &ev, 200);
	expect(!n, "%d, %s came after the end", n,
	       kcolo_event_type_name(ev.type));
	kcolo_close(k);
	kcolo_close(maker);
}

static void flood_vmm(void)
{
	made_up(true);
	made_up(false);
}

static void flood_one(void)
{
	maker = lone_secondary();
	gapless(false);
	overflow(false);
}

static void flood_all(void)
{
	maker = lone_secondary();
	gapless(true);
	overflow(true);
}

const struct scenario flood_scenarios[] = {
	{ "flood-one", "of a session's subscriber", flood_one },
	{ "flood-all", "of the group of all events", flood_all },
	{ "flood-vmm", "of a VMM, and then the session ends", flood_vmm },
	{ 0 }
};
