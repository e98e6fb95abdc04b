// SPDX-License-Identifier: GPL-2.0
/*
 * Each of these ends the connection, with an error that names it; the base image
 * stays, the secondary can be promoted, and the session ends soon.
 */
#include <string.h>
#include "malformed.h"

struct play *play_at(enum moment at, u32 peer_timeout)
{
	struct play *p;

	if (at == AT_CONNECTED)
		return play_connected(peer_timeout);
	p = play_begun(peer_timeout);
	if (at == AT_IDLE)
		return p;
	play_open(p, 2);
	pages_add(&p->m, 0, 1, STAGED_PAGES, 200);
	play_pages(p, 2, 0);
	return p;
}

void play_lost(struct play *p, enum moment at, enum kcolo_abort_reason reason,
	       const char *error)
{
	holder_lost(&p->h, reason, error);
	/* Nothing is committed: there is nothing to take over. */
	if (at == AT_CONNECTED) {
		holder_down(&p->h);
		link_cut(p->l);
		return;
	}
	play_over(p);
}

static void play_bad(const struct bad *bad)
{
	struct play *p = play_at(bad->at, LONG_MS);
	struct buf b = {};

	note("%s", bad->name);
	bad->make(&b);
	link_send(p->l, bad->channel, &b);
	expect_closed(p->l, KCOLO_WIRE_CONTROL);
	expect_closed(p->l, KCOLO_WIRE_DATA);
	play_lost(p, bad->at, bad->reason, bad->error);
}

static void play_all(const struct bad *bad)
{
	for (; bad->name; bad++)
		play_bad(bad);
}

static void malformed_pages(void)
{
	play_all(bad_pages);
}

static void malformed_control(void)
{
	play_all(bad_control);
}

static void region_put(struct buf *body, const char *name, u64 size)
{
	struct kcolo_wire_region r = { .size = size, .flags = KCOLO_WIRE_WHOLE };
	u8 bytes[KCOLO_WIRE_REGION], base[KCOLO_WIRE_REGIONS_HEAD] = {};

	if (!body->len)
		buf_add(body, base, sizeof(base));
	strcpy(r.name, name);
	kcolo_wire_put_region(bytes, &r);
	buf_add(body, bytes, sizeof(bytes));
}

static void regions_refused(struct play *p, struct buf *body, const char *error)
{
	struct kcolo_session_info info;

	say(p->l, KCOLO_WIRE_REGIONS, 1, 0, body->p, body->len);
	buf_free(body);
	expect(p->l, KCOLO_WIRE_ABORT, 1);
	if (p->l->in.hdr.length != strlen(error) ||
	    memcmp(p->l->in.body, error, strlen(error)))
		fail("the refusal is \"%.*s\" and not \"%s\"",
		     (int)p->l->in.hdr.length, p->l->in.body, error);
	holder_info(&p->h, &info);
	if (info.state != KCOLO_STATE_IDLE || strcmp(info.error, error))
		fail("the session is %s: \"%s\"",
		     kcolo_state_name(info.state), info.error);
}

/* Refused in words; the connection stays, and those that fit are taken. */
static void malformed_regions(void)
{
	struct play *p = play_connected(LONG_MS);
	struct buf body = {};
	u64 size0 = regions[0].pages * PAGE, size1 = regions[1].pages * PAGE;

	region_put(&body, "ram0", size0);
	region_put(&body, "rom", size1);
	regions_refused(p, &body, "the secondary has no region 'rom'");
	region_put(&body, "ram0", size0 + PAGE);
	regions_refused(p, &body,
			"region 'ram0' is 1232896 bytes on the primary and 1228800 on the secondary");
	region_put(&body, "ram0", size0);
	region_put(&body, "ram1", size1);
	regions_refused(p, &body,
			"the primary has no region 'vram'");
	region_put(&body, "ram0", size0 + 1);
	regions_refused(p, &body,
			"REGIONS has a size that is no number of pages");
	region_put(&body, "", size0);
	regions_refused(p, &body, "REGIONS has no proper region name");
	agree_regions(p->l);
	play_open(p, 1);
	play_commit(p, 1);
	play_over(p);
}

/* What the primary says is clean has to be clean here, too. */
static void malformed_clean(void)
{
	struct play *p = play_connected(LONG_MS);
	struct buf b = {};

	regions_put_on(&b, 1, 0);
	link_send(p->l, KCOLO_WIRE_CONTROL, &b);
	expect(p->l, KCOLO_WIRE_ABORT, 1);
	if (kcolo_clean(p->h.k))
		fail("clean: %s", kcolo_error(p->h.k));
	regions_put(&b, 1);
	link_send(p->l, KCOLO_WIRE_CONTROL, &b);
	expect(p->l, KCOLO_WIRE_ABORT, 1);
	regions_put_on(&b, 1, 0);
	link_send(p->l, KCOLO_WIRE_CONTROL, &b);
	expect(p->l, KCOLO_WIRE_CHECKPOINT_READY, 1);
	/* It is staged, and so is not there before its end. */
	play_open(p, 1);
	pages_add(&p->m, 0, 3, 2, 9);
	play_pages(p, 1, 0);
	stay(p->l, 200);
	holder_check(&p->h, "in the first epoch");
	ram_set(&p->h.should, 0, 3, 2, 9);
	play_commit(p, 1);
	play_over(p);
}

/* One region twice, another not at all: as many as there are. */
static void malformed_region_twice(void)
{
	struct play *p = play_connected(LONG_MS);
	struct buf body = {};

	region_put(&body, "ram0", regions[0].pages * PAGE);
	region_put(&body, "ram0", regions[0].pages * PAGE);
	region_put(&body, "vram", regions[2].pages * PAGE);
	say(p->l, KCOLO_WIRE_REGIONS, 1, 0, body.p, body.len);
	buf_free(&body);
	expect(p->l, KCOLO_WIRE_ABORT, 1);
	note("refused: %.*s", (int)p->l->in.hdr.length, p->l->in.body);
	holder_down(&p->h);
}

const struct scenario malformed_scenarios[] = {
	{ "malformed-pages", "what may not come on data", malformed_pages },
	{ "malformed-control", "what may not come on control",
	  malformed_control },
	{ "malformed-regions", "regions that are not the secondary's",
	  malformed_regions },
	{ "malformed-clean", "regions that are clean on one end",
	  malformed_clean },
	{ "malformed-region-twice", "a region that is named twice",
	  malformed_region_twice },
	{}
};
