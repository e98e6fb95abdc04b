// SPDX-License-Identifier: GPL-2.0
/*
 * A primary that comes back to a secondary: what it may build upon, and that the
 * image there is only ever a committed epoch, whatever comes.
 */
#include <string.h>
#include "hello.h"
#include "malformed.h"

static struct play *begun(void)
{
	struct play *p;

	opt.reconnect = true;
	p = play_begun(LONG_MS);
	play_has = 1;
	return p;
}

static void cut(struct play *p)
{
	link_cut(p->l);
	holder_lost(&p->h, KCOLO_ABORT_REASON_PEER_LOST, NULL);
}

static void come_back(struct play *p)
{
	play_incarnation++;
	connect_pair(p->l);
	holder_must(&p->h, KCOLO_STATE_IDLE, "there again");
	holder_check(&p->h, "there again");
}

static void send_some(struct play *p, u64 epoch, u32 round, u64 version)
{
	pages_add(&p->m, 0, 10, 4, version);
	play_pages(p, epoch, round);
}

/* What was staged is gone with the link, and what comes then counts. */
static void again_delta(void)
{
	struct play *p = begun();

	play_open(p, 2);
	send_some(p, 2, 0, 20);
	cut(p);
	come_back(p);
	agree_again(p->l, 3, 1);
	play_open(p, 3);
	pages_add(&p->m, 0, 11, 1, 30);
	play_pages(p, 3, 0);
	ram_set(&p->h.should, 0, 11, 1, 30);
	play_commit(p, 3);
	play_over(p);
}

static void refused(struct play *p, struct buf *b, const char *error)
{
	link_send(p->l, KCOLO_WIRE_CONTROL, b);
	expect(p->l, KCOLO_WIRE_ABORT, 2);
	if (p->l->in.hdr.length != strlen(error) ||
	    memcmp(p->l->in.body, error, strlen(error)))
		fail("the refusal is \"%.*s\" and not \"%s\"",
		     (int)p->l->in.hdr.length, p->l->in.body, error);
}

/* A primary that builds upon what is not here is not believed. */
static void again_base(void)
{
	struct play *p = begun();
	struct buf b = {};

	cut(p);
	come_back(p);
	regions_put_on(&b, 2, 2);
	refused(p, &b,
		"the primary builds on epoch 2 of region 'ram0', and that is not what the secondary has");
	regions_put_on(&b, 2, 0);
	refused(p, &b,
		"the primary said clean and the secondary did not: both have to say it, or none");
	agree_again(p->l, 2, 1);
	play_open(p, 2);
	send_some(p, 2, 0, 20);
	ram_set(&p->h.should, 0, 10, 4, 20);
	play_commit(p, 2);
	play_over(p);
}

/* All of RAM, as it was at epoch 1. */
static void send_all(struct play *p, u64 epoch, u32 round)
{
	u32 i, j;

	for (i = 0; i < NR_REGIONS; i++)
		for (j = 0; j < regions[i].pages; j++) {
			pages_add_from(&p->m, &p->h.should, i, j);
			if (p->m.nr_pages == 64 || j + 1 == regions[i].pages)
				play_pages(p, epoch, round);
		}
}

static u64 counter(struct play *p, u32 attr)
{
	struct kcolo_stats stats;

	if (kcolo_stats_get(p->h.k, &stats))
		fail("statistics: %s", kcolo_error(p->h.k));
	return stats.value[attr];
}

static void await_taken(struct play *p, u64 pages)
{
	u64 end = now_ms() + SOON_MS;

	while (counter(p, KCOLO_A_STATS_PAGES_RAW) +
	       counter(p, KCOLO_A_STATS_PAGES_ZERO) < pages) {
		if (now_ms() > end)
			fail("%llu pages were not taken", pages);
		sleep_ms(5);
	}
}

static u64 taken(struct play *p)
{
	return counter(p, KCOLO_A_STATS_PAGES_RAW) +
	       counter(p, KCOLO_A_STATS_PAGES_ZERO);
}

/*
 * A full resync of what is here already: nothing is staged; of C -> X -> C
 * neither, and C is what is committed. Up to the end nothing has changed.
 */
static void again_whole(void)
{
	struct play *p = begun();
	u64 before, staged;

	cut(p);
	come_back(p);
	agree_again(p->l, 2, 0);
	before = taken(p);
	play_open(p, 2);
	send_some(p, 2, 0, 20);
	pages_add(&p->m, 0, 20, 1, 0);
	pages_add(&p->m, 0, 30, 1, 21);
	play_pages(p, 2, 0);
	await_taken(p, before + p->pages);
	staged = counter(p, KCOLO_A_STATS_STAGING_PAGES);
	if (staged != 6)
		fail("%llu pages are staged and not 6", staged);
	send_all(p, 2, 1);
	pages_add(&p->m, 0, 30, 1, 22);
	play_pages(p, 2, 2);
	await_taken(p, before + p->pages);
	staged = counter(p, KCOLO_A_STATS_STAGING_PAGES);
	if (staged != 1)
		fail("%llu pages are staged and not 1", staged);
	holder_check(&p->h, "before the end of a full resync");
	ram_set(&p->h.should, 0, 30, 1, 22);
	play_commit(p, 2);
	/* And what comes then is staged as ever. */
	play_open(p, 3);
	send_all(p, 3, 0);
	staged = counter(p, KCOLO_A_STATS_PAGES_EQUAL);
	play_commit(p, 3);
	if (counter(p, KCOLO_A_STATS_PAGES_EQUAL) != staged)
		fail("pages are compared after the resync");
	play_over(p);
}

/* It is cut in the midst of a full resync, and the image stands. */
static void again_whole_cut(void)
{
	struct play *p = begun();

	cut(p);
	come_back(p);
	agree_again(p->l, 2, 0);
	play_open(p, 2);
	send_all(p, 2, 0);
	send_some(p, 2, 0, 20);
	stay(p->l, 100);
	cut(p);
	come_back(p);
	agree_again(p->l, 3, 0);
	play_open(p, 3);
	send_some(p, 3, 0, 30);
	send_all(p, 3, 1);
	play_commit(p, 3);
	play_over(p);
}

/* One who came before the link that there is: a packet that was late. */
static void stale(struct play *p, u64 incarnation, const char *error)
{
	struct kcolo_wire_hello hello;
	int fd = tcp_connect(&opt.addr);

	hello_fill(&hello, KCOLO_WIRE_CONTROL);
	hello.incarnation = incarnation;
	hello_send(fd, &hello);
	hello_refused(fd, error);
	tcp_close(&fd);
	stay(p->l, 100);
	holder_must(&p->h, KCOLO_STATE_IDLE, "one who was not wanted");
}

/* The primary has lost the link, and the secondary does not know yet. */
static void again_at_once(void)
{
	struct play *p = begun();
	struct link *old = p->l;

	stale(p, play_incarnation, "the secondary has a primary already");
	stale(p, play_incarnation - 1, "the secondary has a primary already");
	play_open(p, 2);
	send_some(p, 2, 0, 20);
	p->l = link_new();
	play_incarnation++;
	connect_pair(p->l);
	expect_closed(old, KCOLO_WIRE_CONTROL);
	link_cut(old);
	holder_must(&p->h, KCOLO_STATE_IDLE, "there again");
	agree_again(p->l, 3, 1);
	play_open(p, 3);
	send_some(p, 3, 0, 30);
	ram_set(&p->h.should, 0, 10, 4, 30);
	play_commit(p, 3);
	play_over(p);
}

/* Nothing of the first was committed: the second may be any. */
static void again_another(void)
{
	struct kcolo_wire_hello hello;
	struct play *p;
	int fd;

	opt.reconnect = true;
	p = play_connected(LONG_MS);
	agree_regions(p->l);
	play_open(p, 1);
	link_cut(p->l);
	holder_must(&p->h, KCOLO_STATE_LOST, "cut");
	play_identity ^= 0xff;
	connect_pair(p->l);
	agree_regions(p->l);
	play_open(p, 1);
	send_some(p, 1, 0, 10);
	ram_set(&p->h.should, 0, 10, 4, 10);
	play_commit(p, 1);
	play_has = 1;
	cut(p);
	/* And now it may not. */
	play_identity ^= 0xff;
	fd = tcp_connect(&opt.addr);
	hello_fill(&hello, KCOLO_WIRE_CONTROL);
	hello_send(fd, &hello);
	hello_refused(fd, "the peer's session is not the one this one belongs to");
	tcp_close(&fd);
	play_over(p);
}

const struct scenario again_scenarios[] = {
	{ "again-delta", "cut in an epoch: the next one builds on the last commit",
	  again_delta },
	{ "again-base", "a primary that builds on what is not here", again_base },
	{ "again-whole", "a full resync: equal pages are not staged", again_whole },
	{ "again-whole-cut", "cut in a full resync", again_whole_cut },
	{ "again-at-once", "the primary is quicker than the loss", again_at_once },
	{ "again-another", "another primary, before and after a commit",
	  again_another },
	{}
};
