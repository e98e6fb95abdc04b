// SPDX-License-Identifier: GPL-2.0
/*
 * From dirty pages to the data connection: a pass takes pending pages a chunk
 * at a time, clears their bits, copies them once into pages of kcolo's own,
 * and hands those to TCP. What is tested for zero and what the checksum is of
 * is that copy, so what was checked is what is sent.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "gfp.h"
#include "mutate.h"
#include "pool.h"
#include "session.h"
#include "stream.h"

/* Of a chunk, no page is used for two, even if each slab is a page only. */
static_assert(KCOLO_POOL_SLABS >= KCOLO_CHUNK_PAGES);

#define HEAD_MAX	(KCOLO_WIRE_HDR + KCOLO_WIRE_PAGES_HEAD + \
			 KCOLO_WIRE_EXTENT * KCOLO_CHUNK_PAGES)

/**
 * struct kcolo_stream - what it takes to send pages
 * @pool: memory to copy to
 * @chunk: what is being sent
 * @bv: its pages that are not zero
 * @nr_bv: entries of @bv, of a page or more
 * @nr_raw: pages in them
 * @nr_extents: runs of it
 * @nr_pages: pages in them
 * @head: header, head and extents
 */
struct kcolo_stream {
	struct kcolo_pool pool;
	struct kcolo_chunk chunk;
	struct bio_vec bv[KCOLO_CHUNK_PAGES];
	unsigned int nr_bv;
	unsigned int nr_raw;
	unsigned int nr_extents;
	unsigned int nr_pages;
	u8 head[HEAD_MAX];
};

/**
 * kcolo_stream_new - make ready to send pages
 *
 * Return: a stream that the caller owns, or NULL.
 */
struct kcolo_stream *kcolo_stream_new(void)
{
	return kvzalloc(sizeof(struct kcolo_stream), KCOLO_GFP);
}

/**
 * kcolo_stream_free - free a stream
 * @stream: or NULL
 */
void kcolo_stream_free(struct kcolo_stream *stream)
{
	if (!stream)
		return;
	kcolo_pool_destroy(&stream->pool);
	kvfree(stream);
}

/**
 * kcolo_away_from_round - whether the worker is wanted elsewhere
 * @session: primary with an open epoch, for a kcolo_away_fn
 *
 * Return: -ECANCELED when it is, or 0.
 */
int kcolo_away_from_round(void *session)
{
	const struct kcolo_session *s = session;

	/* One that ends waits for a message to end, to say CLOSE behind it. */
	if (READ_ONCE(s->req) & (BIT(KCOLO_REQ_ABORT) | BIT(KCOLO_REQ_STOP) |
				 BIT(KCOLO_REQ_LINK) | BIT(KCOLO_REQ_VM_GONE)) ||
	    test_bit(KCOLO_WIRE_ABORT, &s->rx) || atomic_read(&s->ended))
		return -ECANCELED;
	return 0;
}

/**
 * kcolo_away_from_pause - the same, or the guest was paused for too long
 * @session: primary between checkpoint-ready and the end of the epoch
 *
 * Return: -ECANCELED, -ETIME when pause-limit has passed, or 0.
 */
int kcolo_away_from_pause(void *session)
{
	const struct kcolo_session *s = session;
	u32 limit = READ_ONCE(s->pause_limit);

	if (limit && ktime_ms_delta(ktime_get(), s->ready_time) > limit)
		return -ETIME;
	return kcolo_away_from_round(session);
}

static void add_to_extent(struct kcolo_stream *st, u64 index, u8 encoding)
{
	u8 *buf = st->head + KCOLO_WIRE_HDR + KCOLO_WIRE_PAGES_HEAD;
	struct kcolo_wire_extent e;

	st->nr_pages++;
	if (st->nr_extents) {
		u8 *last = buf + (st->nr_extents - 1) * KCOLO_WIRE_EXTENT;

		kcolo_wire_get_extent(last, &e);
		if (e.encoding == encoding && e.first + e.count == index) {
			e.count++;
			kcolo_wire_put_extent(last, &e);
			return;
		}
	}
	e.first = index;
	e.count = 1;
	e.region = st->chunk.region->wire;
	e.encoding = encoding;
	kcolo_wire_put_extent(buf + st->nr_extents++ * KCOLO_WIRE_EXTENT, &e);
}

/* Copy the chunk's pages; the thread is in the guest. */
static int copy_chunk(struct kcolo_stream *st)
{
	const struct kcolo_chunk *c = &st->chunk;
	unsigned int i;

	st->nr_bv = 0;
	st->nr_raw = 0;
	st->nr_extents = 0;
	st->nr_pages = 0;
	for (i = 0; i < c->nr; i++) {
		void *addr = kcolo_pool_room(&st->pool);

		if (!addr)
			return -ENOMEM;
		if (copy_from_user(addr, (void __user *)(c->region->hva +
				   (c->index[i] << PAGE_SHIFT)), PAGE_SIZE))
			return -EFAULT;
		if (kcolo_mutant(skip_page) && c->index[i] % 509 == 17)
			continue;
		if (!memchr_inv(addr, 0, PAGE_SIZE)) {
			add_to_extent(st, c->index[i], KCOLO_WIRE_ZERO);
			continue;
		}
		st->nr_bv = kcolo_pool_take(&st->pool, st->bv, st->nr_bv);
		st->nr_raw++;
		add_to_extent(st, c->index[i], KCOLO_WIRE_RAW);
	}
	return 0;
}

static int clear_and_copy(struct kcolo_session *s)
{
	struct kcolo_stream *st = s->stream;
	int err, changed;

	if (!kcolo_guest_enter(&s->guest))
		return -ESRCH;
	if (kcolo_mutant(read_before_clear)) {
		err = copy_chunk(st);
		changed = kcolo_dirty_clear(&s->tracker, &st->chunk);
		if (changed)
			err = changed;
	} else {
		err = kcolo_dirty_clear(&s->tracker, &st->chunk);
		if (!err)
			err = copy_chunk(st);
	}
	kcolo_guest_leave(&s->guest);
	return err;
}

static int send_chunk(struct kcolo_session *s, u32 round, kcolo_away_fn away)
{
	struct kcolo_stream *st = s->stream;
	u32 desc = KCOLO_WIRE_PAGES_HEAD + st->nr_extents * KCOLO_WIRE_EXTENT;
	struct kcolo_wire_pages pages = {
		.nr_extents = st->nr_extents,
		.payload_crc = ~0U,
		.payload_len = st->nr_raw * PAGE_SIZE,
	};
	struct kcolo_wire_hdr hdr = {
		.type = KCOLO_WIRE_PAGES,
		.length = desc + pages.payload_len,
		.arg = round,
		.epoch = s->epoch,
	};
	unsigned int i;

	if (READ_ONCE(s->checksum)) {
		hdr.flags = KCOLO_WIRE_F_CRC;
		for (i = 0; i < st->nr_bv; i++)
			pages.payload_crc = crc32c(pages.payload_crc,
						   bvec_virt(&st->bv[i]),
						   st->bv[i].bv_len);
	}
	kcolo_wire_put_pages(st->head + KCOLO_WIRE_HDR, &pages);
	hdr.crc = crc32c(~0U, st->head + KCOLO_WIRE_HDR, desc);
	kcolo_wire_put_hdr(st->head, &hdr);
	return kcolo_conn_send_pages(&s->data, st->head, KCOLO_WIRE_HDR + desc,
				     st->bv, st->nr_bv, away, s);
}

static void count_chunk(struct kcolo_session *s, enum kcolo_phase phase,
			u64 resent)
{
	struct kcolo_stream *st = s->stream;
	unsigned int nr = st->nr_pages;

	s->sent.messages++;
	s->sent.pages += nr;
	KCOLO_STAT(s, PAGES_RESENT) += resent;
	KCOLO_STAT(s, PAGES_RAW) += st->nr_raw;
	KCOLO_STAT(s, PAGES_ZERO) += nr - st->nr_raw;
	switch (phase) {
	case KCOLO_PHASE_SYNC:
		KCOLO_STAT(s, PAGES_SYNC) += nr;
		break;
	case KCOLO_PHASE_PRECOPY:
		KCOLO_STAT(s, PAGES_PRECOPY) += nr;
		KCOLO_STAT(s, LAST_PRECOPY_PAGES) += nr;
		break;
	case KCOLO_PHASE_PAUSE:
		KCOLO_STAT(s, PAGES_PAUSE) += nr;
		KCOLO_STAT(s, LAST_PAUSE_PAGES) += nr;
		break;
	}
}

/* Whether the checkpoint has become an urgent one: what is not sent stays pending. */
static bool hurried(const struct kcolo_session *s, enum kcolo_phase phase)
{
	return phase == KCOLO_PHASE_PRECOPY &&
	       READ_ONCE(s->kind) == KCOLO_KIND_URGENT &&
	       !kcolo_mutant(round_goes_on);
}

/**
 * kcolo_stream_pass - send every page that is pending, once
 * @s: session, an epoch is open; called by its worker
 * @round: number of the pass in the epoch, from 0
 * @phase: for the statistics
 * @sent: set to the number of pages sent
 *
 * A round of pre-copy ends early when the checkpoint has become an urgent one.
 *
 * Return: 0; -ECANCELED when somebody wants something else of the worker;
 * -ETIME when the guest is paused and pause-limit has passed; or
 * another negative errno: of the guest as kcolo_dirty_clear() and -EFAULT, of
 * the connection as -ETIMEDOUT and -EPIPE. In each case what was not sent is
 * pending, and what was sent, or is still to be (kcolo_conn_finish()), or perhaps
 * was not, is unacked.
 */
int kcolo_stream_pass(struct kcolo_session *s, u32 round,
		      enum kcolo_phase phase, u64 *sent)
{
	kcolo_away_fn away = phase == KCOLO_PHASE_PAUSE ?
			     kcolo_away_from_pause : kcolo_away_from_round;
	struct kcolo_stream *st = s->stream;
	unsigned int region = 0;
	u64 cursor = 0, resent;
	int err;

	*sent = 0;
	while (!hurried(s, phase) &&
	       kcolo_dirty_take(&s->tracker, &st->chunk, &region, &cursor)) {
		err = away(s);
		if (!err)
			err = clear_and_copy(s);
		if (err) {
			kcolo_dirty_untake(&s->tracker, &st->chunk);
			if (err < 0)
				return err;
			continue;	/* memslots changed: comes again */
		}
		/* From here on the peer may have it: unacked, come what may. */
		err = st->nr_extents ? send_chunk(s, round, away) : 0;
		resent = kcolo_dirty_sent(&s->tracker, &st->chunk);
		if (!err || s->data.rest)
			count_chunk(s, phase, resent);
		if (err)
			return kcolo_called_away(err) || err == -ETIMEDOUT ?
			       err : -EPIPE;
		*sent += st->nr_pages;
		cond_resched();
	}
	return 0;
}
