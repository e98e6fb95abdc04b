// SPDX-License-Identifier: GPL-2.0
/*
 * A primary of a session with external device state: what it sends is prepared
 * at the end of an epoch, and nothing of it is in place before apply.
 */
#include <errno.h>
#include <string.h>
#include "malformed.h"

static struct play *begun(void)
{
	opt.external = true;
	return play_begun(LONG_MS);
}

/* Epoch @epoch with two pages, up to its end; RAM is not to change by that. */
static void sent(struct play *p, u64 epoch, u64 version)
{
	play_open(p, epoch);
	pages_add(&p->m, 0, 10, 2, version);
	play_pages(p, epoch, 0);
	send_end(p->l, epoch, p->messages, p->pages);
}

static void prepare(struct play *p, u64 epoch, u64 version)
{
	sent(p, epoch, version);
	holder_must(&p->h, KCOLO_STATE_PREPARED, "the end was sent");
	stay(p->l, 200);
	holder_check(&p->h, "prepared");
}

static void apply(struct play *p, u64 epoch, u64 version)
{
	holder_apply(&p->h, epoch);
	expect(p->l, KCOLO_WIRE_VMSTATE_RECEIVED, epoch);
	expect(p->l, KCOLO_WIRE_VMSTATE_LOADED, epoch);
	ram_set(&p->h.should, 0, 10, 2, version);
	p->h.committed = epoch;
	holder_check(&p->h, "applied");
}

static void prepared_apply(void)
{
	struct play *p = begun();

	prepare(p, 2, 20);
	if (kcolo_apply(p->h.k, 3) != -ESTALE)
		fail("apply of an epoch that is not prepared: %s",
		     kcolo_error(p->h.k));
	stay(p->l, 100);
	apply(p, 2, 20);
	prepare(p, 3, 30);
	apply(p, 3, 30);
	play_over(p);
}

static void dropped(struct play *p, u64 epoch)
{
	if (kcolo_drop(p->h.k, epoch))
		fail("drop: %s", kcolo_error(p->h.k));
	expect(p->l, KCOLO_WIRE_ABORT, epoch);
	holder_must(&p->h, KCOLO_STATE_IDLE, "dropped");
	holder_check(&p->h, "dropped");
}

static void prepared_drop(void)
{
	struct play *p = begun();

	prepare(p, 2, 20);
	dropped(p, 2);
	/* While pages of it are still awaited. */
	play_open(p, 3);
	send_end(p->l, 3, 1, 2);
	holder_must(&p->h, KCOLO_STATE_COMMITTING, "the end was sent");
	dropped(p, 3);
	prepare(p, 4, 40);
	apply(p, 4, 40);
	play_over(p);
}

static void await_staged(struct play *p, u64 pages)
{
	u64 end = now_ms() + SOON_MS;

	while (holder_stat(&p->h, KCOLO_A_STATS_STAGING_PAGES) != pages) {
		if (now_ms() > end)
			fail("%llu pages are not staged", pages);
		sleep_ms(2);
	}
}

/* The primary does not know yet, and goes on: it is not wrong by that. */
static void prepared_late(void)
{
	struct play *p = begun();
	u64 before = holder_stat(&p->h, KCOLO_A_STATS_PAGES_DROPPED);

	play_open(p, 2);
	pages_add(&p->m, 0, 10, 2, 20);
	play_pages(p, 2, 0);
	await_staged(p, 2);
	dropped(p, 2);
	say(p->l, KCOLO_WIRE_MIGRATE_RAM, 2, 1, NULL, 0);
	pages_add(&p->m, 0, 12, 3, 20);
	play_pages(p, 2, 1);
	send_end(p->l, 2, p->messages, p->pages);
	say(p->l, KCOLO_WIRE_ABORT, 2, KCOLO_ABORT_REASON_PEER_REFUSED, NULL, 0);
	prepare(p, 3, 30);
	apply(p, 3, 30);
	if (holder_stat(&p->h, KCOLO_A_STATS_PAGES_DROPPED) != before + 3)
		fail("pages of a dropped epoch were taken");
	play_over(p);
}

/* After the end the primary can only ask for it. */
static void prepared_abort(void)
{
	struct play *p = begun();

	prepare(p, 2, 20);
	say(p->l, KCOLO_WIRE_ABORT, 2, KCOLO_ABORT_REASON_REQUESTED, NULL, 0);
	expect(p->l, KCOLO_WIRE_ABORT, 2);
	holder_must(&p->h, KCOLO_STATE_IDLE, "asked to drop it");
	holder_check(&p->h, "dropped");
	/* One that comes after apply is too late. */
	prepare(p, 3, 30);
	apply(p, 3, 30);
	say(p->l, KCOLO_WIRE_ABORT, 3, KCOLO_ABORT_REASON_REQUESTED, NULL, 0);
	stay(p->l, 200);
	holder_check(&p->h, "an abort that is too late");
	play_over(p);
}

static void prepared_cut(void)
{
	struct play *p = begun();

	prepare(p, 2, 20);
	link_cut(p->l);
	holder_lost(&p->h, KCOLO_ABORT_REASON_PEER_LOST, NULL);
	if (!kcolo_apply(p->h.k, 2))
		fail("an epoch whose primary is lost can be applied");
	play_over(p);
}

static void prepared_close(void)
{
	struct play *p = begun();

	prepare(p, 2, 20);
	say(p->l, KCOLO_WIRE_CLOSE, 0, 0, NULL, 0);
	holder_must(&p->h, KCOLO_STATE_CLOSED, "CLOSE when prepared");
	if (!ram_equal(&p->h.ram, &p->h.should, "CLOSE when prepared"))
		fail("a prepared epoch is in place");
	holder_down(&p->h);
	link_cut(p->l);
}

static void state_refused(struct play *p)
{
	expect_closed(p->l, KCOLO_WIRE_CONTROL);
	play_lost(p, AT_OPEN, PROTOCOL,
		  "device state came in a session that does not carry it");
}

static void prepared_state(void)
{
	struct play *p = begun();
	struct buf b = {};

	play_open(p, 2);
	buf_size(&b, 2, 0);
	link_send(p->l, KCOLO_WIRE_CONTROL, &b);
	state_refused(p);
	p = begun();
	play_open(p, 2);
	say(p->l, KCOLO_WIRE_VMSTATE_SEND, 2, 0, "x", 1);
	state_refused(p);
}

const struct scenario prepared_scenarios[] = {
	{ "prepared-apply", "nothing is in place before apply", prepared_apply },
	{ "prepared-drop", "ABORT after the end", prepared_drop },
	{ "prepared-late", "what comes of an epoch that was dropped",
	  prepared_late },
	{ "prepared-abort", "the primary asks for it, in time and too late",
	  prepared_abort },
	{ "prepared-cut", "the connection ends when prepared", prepared_cut },
	{ "prepared-close", "CLOSE when prepared", prepared_close },
	{ "prepared-state", "device state where there is none to be",
	  prepared_state },
	{}
};
