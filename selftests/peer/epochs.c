// SPDX-License-Identifier: GPL-2.0
/* A primary that does as it should, and what the secondary makes of it. */
#include "play.h"

/* Every page of every region, in as many messages as it takes. */
static void send_all(struct play *p, u64 epoch, u32 round, u64 version)
{
	u32 i, at, nr;

	for (i = 0; i < NR_REGIONS; i++)
		for (at = 0; at < regions[i].pages; at += nr) {
			nr = regions[i].pages - at;
			if (nr > KCOLO_WIRE_PAGES_MAX)
				nr = KCOLO_WIRE_PAGES_MAX;
			pages_add(&p->m, i, at, nr, version);
			play_pages(p, epoch, round);
		}
	ram_fill(&p->h.should, version);
}

static void good(void)
{
	struct play *p = play_connected(LONG_MS);

	agree_regions(p->l);
	play_open(p, 1);
	send_all(p, 1, 0, 7);
	play_commit(p, 1);
	play_open(p, 2);
	send_all(p, 2, 0, 8);
	play_commit(p, 2);
	holder_must(&p->h, KCOLO_STATE_IDLE, "after two commits");
	play_over(p);
}

static void many_epochs(void)
{
	struct play *p = play_begun(LONG_MS);
	u64 epoch;

	for (epoch = 2; epoch < 12; epoch++) {
		play_open(p, epoch);
		pages_add(&p->m, epoch % 2, epoch, 5, epoch);
		play_pages(p, epoch, 0);
		ram_set(&p->h.should, epoch % 2, epoch, 5, epoch);
		play_commit(p, epoch);
	}
	play_over(p);
}

static void old_round(void)
{
	struct play *p = play_begun(LONG_MS);

	play_open(p, 2);
	pages_add(&p->m, 0, 5, 3, 20);
	play_pages(p, 2, 2);
	/* Late: an older round of the same pages, raw, then as zeroes. */
	pages_add(&p->m, 0, 5, 2, 10);
	play_pages(p, 2, 1);
	pages_add(&p->m, 0, 7, 1, 0);
	play_pages(p, 2, 1);
	/* A newer one of one of them wins, whatever its encoding. */
	pages_add(&p->m, 0, 6, 1, 0);
	play_pages(p, 2, 3);
	ram_set(&p->h.should, 0, 5, 3, 20);
	ram_set(&p->h.should, 0, 6, 1, 0);
	play_commit(p, 2);
	play_over(p);
}

/* A page that goes back to what the base image has must go back. */
static void there_and_back(void)
{
	struct play *p = play_begun(LONG_MS);

	play_open(p, 2);
	pages_add(&p->m, 0, 2, 1, 30);
	play_pages(p, 2, 0);
	pages_add(&p->m, 0, 2, 1, 1);
	play_pages(p, 2, 1);
	play_commit(p, 2);
	play_over(p);
}

static void await_dropped(struct play *p, u64 before, u64 more, const char *what)
{
	u64 end = now_ms() + SOON_MS, is;

	do {
		is = holder_stat(&p->h, KCOLO_A_STATS_PAGES_DROPPED);
		if (is == before + more)
			return;
		sleep_ms(2);
	} while (now_ms() < end);
	fail("%s: %llu pages were dropped and not %llu", what,
	     is - before, more);
}

static void old_epoch(void)
{
	struct play *p = play_begun(LONG_MS);
	u64 before = holder_stat(&p->h, KCOLO_A_STATS_PAGES_DROPPED);

	/* No epoch is open. */
	pages_add(&p->m, 0, 20, 2, 40);
	send_pages(p->l, &p->m, 1, 9);
	await_dropped(p, before, 2, "no epoch is open");
	holder_check(&p->h, "pages of the last epoch");
	/* One was given up, and the next is open. */
	play_open(p, 2);
	say(p->l, KCOLO_WIRE_ABORT, 2, KCOLO_ABORT_REASON_REQUESTED, NULL, 0);
	play_open(p, 3);
	pages_add(&p->m, 0, 20, 2, 41);
	send_pages(p->l, &p->m, 2, 9);
	await_dropped(p, before, 4, "the epoch was given up");
	/* One that was never open. */
	pages_add(&p->m, 1, 20, 1, 42);
	send_pages(p->l, &p->m, 9, 0);
	await_dropped(p, before, 5, "the epoch is not open yet");
	pages_add(&p->m, 1, 21, 1, 43);
	play_pages(p, 3, 0);
	ram_set(&p->h.should, 1, 21, 1, 43);
	play_commit(p, 3);
	play_over(p);
}

static void zeroes_and_runs(void)
{
	struct play *p = play_begun(LONG_MS);
	u32 i;

	play_open(p, 2);
	/* Several regions in a message, zeroes between; their last pages. */
	pages_add(&p->m, 0, 298, 2, 50);
	pages_add(&p->m, 1, 60, 10, 0);
	pages_add(&p->m, 2, 0, 1, 50);
	pages_add(&p->m, 1, 0, 4, 50);
	pages_add(&p->m, 0, 0, 3, 0);
	play_pages(p, 2, 0);
	ram_set(&p->h.should, 0, 298, 2, 50);
	ram_set(&p->h.should, 1, 60, 10, 0);
	ram_set(&p->h.should, 2, 0, 1, 50);
	ram_set(&p->h.should, 1, 0, 4, 50);
	ram_set(&p->h.should, 0, 0, 3, 0);
	/* As many pages and as many extents as a message may have. */
	pages_add(&p->m, 0, 40, KCOLO_WIRE_PAGES_MAX, 51);
	play_pages(p, 2, 0);
	ram_set(&p->h.should, 0, 40, KCOLO_WIRE_PAGES_MAX, 51);
	for (i = 0; i < KCOLO_WIRE_EXTENTS_MAX; i++) {
		pages_add(&p->m, 0, 40 + i, 1, i % 3 ? 52 : 0);
		ram_set(&p->h.should, 0, 40 + i, 1, i % 3 ? 52 : 0);
	}
	play_pages(p, 2, 1);
	play_commit(p, 2);
	/* An epoch of no pages is one. */
	play_open(p, 3);
	play_commit(p, 3);
	play_over(p);
}

static void abort_drops(void)
{
	struct play *p = play_begun(LONG_MS);

	play_open(p, 2);
	pages_add(&p->m, 0, 30, 9, 60);
	play_pages(p, 2, 5);
	send_state(p->l, 2, "nothing", 7);
	say(p->l, KCOLO_WIRE_ABORT, 2, KCOLO_ABORT_REASON_REQUESTED, NULL, 0);
	play_open(p, 3);
	holder_check(&p->h, "after an abort");
	/* An older round than that which was dropped. */
	pages_add(&p->m, 0, 38, 2, 61);
	play_pages(p, 3, 1);
	ram_set(&p->h.should, 0, 38, 2, 61);
	play_commit(p, 3);
	play_over(p);
}

static void end_before_pages(void)
{
	struct play *p = play_begun(LONG_MS);

	play_open(p, 2);
	pages_add(&p->m, 0, 10, 2, 70);
	play_pages(p, 2, 0);
	send_state(p->l, 2, NULL, 0);
	send_end(p->l, 2, 2, 5);
	holder_must(&p->h, KCOLO_STATE_COMMITTING, "the end was sent");
	stay(p->l, 300);
	holder_check(&p->h, "before the last pages");
	pages_add(&p->m, 0, 12, 3, 70);
	play_pages(p, 2, 0);
	expect(p->l, KCOLO_WIRE_VMSTATE_RECEIVED, 2);
	expect(p->l, KCOLO_WIRE_VMSTATE_LOADED, 2);
	ram_set(&p->h.should, 0, 10, 5, 70);
	p->h.committed = 2;
	p->h.state_len = 0;
	holder_check(&p->h, "after a commit");
	play_over(p);
}

const struct scenario epochs_scenarios[] = {
	{ "good", "all of RAM in two epochs", good },
	{ "many-epochs", "ten more of a few pages each", many_epochs },
	{ "old-round", "an older round of a page comes late", old_round },
	{ "there-and-back", "a page becomes what it was", there_and_back },
	{ "old-epoch", "pages of epochs that are not open", old_epoch },
	{ "zeroes-and-runs", "zeroes, runs, several regions, the last page",
	  zeroes_and_runs },
	{ "abort-drops", "what was staged is gone after ABORT", abort_drops },
	{ "end-before-pages", "the end overtakes pages", end_before_pages },
	{}
};
