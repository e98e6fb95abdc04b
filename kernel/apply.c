// SPDX-License-Identifier: GPL-2.0
/*
 * Pages on the secondary: from the data connection to staging, and from there
 * to the base image, which is the VMM's memory. The base image is written to
 * in two cases only: an epoch that is committed is put in place, and as long as
 * nothing of a region was committed, when there is nothing to protect yet. A
 * region that was added in-place is none: it is written to at once.
 */
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "apply.h"
#include "gfp.h"
#include "link.h"
#include "mutate.h"
#include "session.h"

/* Pages put in place while the VMM's memory is held. */
#define APPLY_BATCH	64

/* What a message is received into; and, when it is bad, what that means. */
struct intake {
	enum kcolo_abort_reason reason;
	struct kcolo_wire_hdr hdr;
	struct kcolo_wire_pages pages;
	struct page *page[KCOLO_WIRE_PAGES_MAX];
	struct bio_vec bv[KCOLO_WIRE_PAGES_MAX];
	unsigned int nr;
	unsigned int used;
	bool in_guest;
	u8 head[KCOLO_WIRE_HDR + KCOLO_WIRE_PAGES_HEAD];
	u8 extents[KCOLO_WIRE_EXTENT * KCOLO_WIRE_EXTENTS_MAX];
};

/* Whether a page is in place already: 1 or 0, or -EFAULT. NULL is a zero page. */
static int is_in_place(const void __user *at, struct page *page)
{
	const u8 *bytes = page ? page_address(page) : NULL;
	u8 piece[512];
	unsigned int i;
	bool differs;

	for (i = 0; i < PAGE_SIZE; i += sizeof(piece)) {
		if (copy_from_user(piece, at + i, sizeof(piece)))
			return -EFAULT;
		if (bytes)
			differs = memcmp(piece, bytes + i, sizeof(piece));
		else
			differs = memchr_inv(piece, 0, sizeof(piece));
		if (differs)
			return 0;
	}
	return 1;
}

/* A page that is zero already is left alone: it may have no memory yet. */
static int apply_zero(void __user *to)
{
	int same = is_in_place(to, NULL);

	if (same)
		return min(same, 0);
	return clear_user(to, PAGE_SIZE) ? -EFAULT : 0;
}

static void __user *page_at(const struct kcolo_region *r, u64 index)
{
	return (void __user *)(r->hva + (index << PAGE_SHIFT));
}

static void mark_applied(struct kcolo_region *r, u64 index)
{
	if (!r->log || kcolo_mutant(applied_bit_missing))
		return;
	/* Whoever takes the bit sees what was written before it was set. */
	smp_mb__before_atomic();
	set_bit(index, r->log);
}

/**
 * kcolo_apply_page - put a page in place
 * @s: secondary; the calling thread is in the guest (kcolo_guest_enter())
 * @region: number of the region on the primary, known
 * @index: of the page in the region, in it
 * @page: its bytes, or NULL for a zero page
 *
 * Where there is an applied log the page's bit is set in it, also when the page
 * could be written in part only.
 *
 * Return: 0 or -EFAULT.
 */
int kcolo_apply_page(struct kcolo_session *s, unsigned int region, u64 index,
		     struct page *page)
{
	struct kcolo_region *r = s->peer_region[region];
	void __user *to = page_at(r, index);
	int err;

	if (page)
		err = copy_to_user(to, page_address(page), PAGE_SIZE) ?
		      -EFAULT : 0;
	else
		err = apply_zero(to);
	mark_applied(r, index);
	return err;
}

static int apply_staged_page(void *arg, unsigned int region, u64 index,
			     struct page *page)
{
	struct kcolo_session *s = arg;
	int err = kcolo_apply_page(s, region, index, page);

	if (!err)
		KCOLO_STAT(s, APPLY_PAGES)++;
	return err;
}

/**
 * kcolo_apply_staged - put all that is staged in place
 * @s: secondary whose epoch is committed; no page is taken meanwhile
 *
 * Return: 0; -ESRCH when the VMM has died; -EFAULT when a page could not be
 * written. Then the base image is part old and part new.
 */
int kcolo_apply_staged(struct kcolo_session *s)
{
	bool more = true;
	int err = 0;

	while (more && !err) {
		if (!kcolo_guest_enter(&s->guest))
			return -ESRCH;
		mutex_lock(&s->staging_lock);
		err = kcolo_staging_take(&s->staging, apply_staged_page, s,
					 APPLY_BATCH, &more);
		mutex_unlock(&s->staging_lock);
		kcolo_guest_leave(&s->guest);
		cond_resched();
	}
	return err;
}

static void intake_drop(struct kcolo_session *s, struct intake *in)
{
	mutex_lock(&s->staging_lock);
	while (in->used < in->nr)
		kcolo_staging_free(&s->staging, in->page[in->used++]);
	mutex_unlock(&s->staging_lock);
	in->nr = 0;
	in->used = 0;
}

static int intake_reserve(struct kcolo_session *s, struct intake *in)
{
	unsigned int want = in->pages.payload_len / PAGE_SIZE;

	in->nr = 0;
	in->used = 0;
	mutex_lock(&s->staging_lock);
	while (in->nr < want) {
		in->page[in->nr] = kcolo_staging_alloc(&s->staging);
		if (!in->page[in->nr])
			break;
		bvec_set_page(&in->bv[in->nr], in->page[in->nr], PAGE_SIZE, 0);
		in->nr++;
	}
	mutex_unlock(&s->staging_lock);
	if (in->nr == want)
		return 0;
	intake_drop(s, in);
	return -ENOMEM;
}

static bool payload_ok(const struct intake *in)
{
	u32 crc = ~0U;
	unsigned int i;

	if (!(in->hdr.flags & KCOLO_WIRE_F_CRC))
		return true;
	for (i = 0; i < in->nr; i++)
		crc = crc32c(crc, page_address(in->page[i]), PAGE_SIZE);
	return crc == in->pages.payload_crc;
}

static const char *intake_head(struct kcolo_session *s, struct intake *in)
{
	u8 *body = in->head + KCOLO_WIRE_HDR;
	const char *bad;
	u32 len, crc;

	in->reason = KCOLO_ABORT_REASON_PEER_LOST;
	if (kcolo_conn_recv(&s->data, in->head, KCOLO_WIRE_HDR))
		return "the data connection is lost";
	in->reason = KCOLO_ABORT_REASON_PROTOCOL;
	bad = kcolo_wire_get_hdr(in->head, &in->hdr);
	if (bad)
		return bad;
	if (in->hdr.type != KCOLO_WIRE_PAGES)
		return "something else than PAGES came on the data connection";
	in->reason = KCOLO_ABORT_REASON_PEER_LOST;
	if (kcolo_conn_recv(&s->data, body, KCOLO_WIRE_PAGES_HEAD))
		return "the data connection is lost";
	in->reason = KCOLO_ABORT_REASON_PROTOCOL;
	bad = kcolo_wire_get_pages(body, in->hdr.length, &in->pages);
	if (bad)
		return bad;
	len = in->pages.nr_extents * KCOLO_WIRE_EXTENT;
	in->reason = KCOLO_ABORT_REASON_PEER_LOST;
	if (kcolo_conn_recv(&s->data, in->extents, len))
		return "the data connection is lost";
	in->reason = KCOLO_ABORT_REASON_CHECKSUM;
	crc = crc32c(~0U, body, KCOLO_WIRE_PAGES_HEAD);
	if (crc32c(crc, in->extents, len) != in->hdr.crc)
		return "the checksum of PAGES is wrong";
	in->reason = KCOLO_ABORT_REASON_PROTOCOL;
	return kcolo_wire_check_extents(in->extents, &in->pages,
					s->region_pages, s->nr_peer_regions);
}

/*
 * In a full resync, a page that is what the base image has: nothing is to be
 * staged for it, and no earlier version of it either. 1 when it is, 0, -EFAULT.
 */
static int intake_equal(struct kcolo_session *s, struct intake *in,
			const struct kcolo_wire_extent *e, u64 index,
			struct page *page)
{
	int same;

	if (!in->in_guest || !(s->compare & BIT_ULL(e->region)))
		return 0;
	same = is_in_place(page_at(s->peer_region[e->region], index), page);
	if (same <= 0)
		return same;
	if (!kcolo_mutant(equal_keeps_staged))
		kcolo_staging_remove(&s->staging, e->region, index, in->hdr.arg);
	KCOLO_STAT(s, PAGES_EQUAL)++;
	return 1;
}

static int intake_stage(struct kcolo_session *s, struct intake *in,
			const struct kcolo_wire_extent *e, u64 index)
{
	struct page *page = NULL;
	int ret;

	if (e->encoding == KCOLO_WIRE_RAW)
		page = in->page[in->used];
	ret = intake_equal(s, in, e, index, page);
	if (ret < 0)
		return ret;
	in->used += !!page;
	if (ret) {
		if (page)
			kcolo_staging_free(&s->staging, page);
		return 0;
	}
	ret = kcolo_staging_put(&s->staging, e->region, index, in->hdr.arg,
				page);
	if (!ret)
		KCOLO_STAT(s, PAGES_DROPPED)++;
	return min(ret, 0);
}

static int intake_direct(struct kcolo_session *s, struct intake *in,
			 const struct kcolo_wire_extent *e, u64 index)
{
	struct page *page = NULL;
	int err;

	if (e->encoding == KCOLO_WIRE_RAW)
		page = in->page[in->used];
	err = kcolo_apply_page(s, e->region, index, page);
	if (page && !err) {
		in->used++;
		kcolo_staging_free(&s->staging, page);
	}
	return err;
}

/* What belongs to no committed epoch is not the base image yet. */
static bool nothing_to_protect(const struct kcolo_session *s,
			       const struct kcolo_region *r)
{
	return !r->based || (kcolo_mutant(clean_direct) && !s->committed);
}

/* Not by what it was before: a commit may have come in between. */
static bool goes_direct(const struct kcolo_session *s, const struct intake *in,
			unsigned int region)
{
	const struct kcolo_region *r = s->peer_region[region];

	return in->in_guest && (nothing_to_protect(s, r) || r->in_place ||
				kcolo_mutant(apply_before_end));
}

static int intake_each(struct kcolo_session *s, struct intake *in)
{
	struct kcolo_wire_extent e;
	unsigned int i, j;
	bool direct;
	int err;

	for (i = 0; i < in->pages.nr_extents; i++) {
		kcolo_wire_get_extent(in->extents + i * KCOLO_WIRE_EXTENT, &e);
		direct = goes_direct(s, in, e.region);
		for (j = 0; j < e.count; j++) {
			err = direct ? intake_direct(s, in, &e, e.first + j) :
				       intake_stage(s, in, &e, e.first + j);
			if (err)
				return err;
		}
	}
	return 0;
}

static u64 intake_pages(const struct intake *in)
{
	struct kcolo_wire_extent e;
	unsigned int i;
	u64 nr = 0;

	for (i = 0; i < in->pages.nr_extents; i++) {
		kcolo_wire_get_extent(in->extents + i * KCOLO_WIRE_EXTENT, &e);
		nr += e.count;
	}
	return nr;
}

/*
 * Under staging_lock, and for the direct way in the guest too: nothing takes
 * staging_lock under a mmap_lock.
 */
static int intake_keep(struct kcolo_session *s, struct intake *in)
{
	u64 nr = intake_pages(in);
	int err;

	if (!s->take_pages || in->hdr.epoch != s->rx_epoch) {
		/* Of an epoch that was given up. */
		KCOLO_STAT(s, PAGES_DROPPED) += nr;
		return 0;
	}
	err = intake_each(s, in);
	if (err == -EDQUOT) {
		/* What still comes of it is dropped; the worker ends it. */
		s->take_pages = false;
		s->over_epoch = s->rx_epoch;
		s->over_limit = READ_ONCE(s->staging.limit);
		KCOLO_STAT(s, PAGES_DROPPED) += nr;
		kcolo_session_request(s, KCOLO_REQ_OVER);
		return 0;
	}
	if (err)
		return err;
	KCOLO_STAT(s, PAGES_RAW) += in->nr;
	KCOLO_STAT(s, PAGES_ZERO) += nr - in->nr;
	WRITE_ONCE(s->got.pages, s->got.pages + nr);
	/* Pairs with epoch_whole(). */
	smp_store_release(&s->got.messages, s->got.messages + 1);
	return 0;
}

/* Whether the VMM's memory is written to, or looked at, before the commit. */
static bool needs_guest(const struct kcolo_session *s)
{
	unsigned int i;

	lockdep_assert_held(&s->staging_lock);
	for (i = 0; i < s->nr_peer_regions; i++)
		if (s->peer_region[i]->in_place ||
		    nothing_to_protect(s, s->peer_region[i]))
			return true;
	return s->compare || kcolo_mutant(apply_before_end);
}

static const char *intake_store(struct kcolo_session *s, struct intake *in)
{
	int err;

	mutex_lock(&s->staging_lock);
	in->in_guest = needs_guest(s);
	mutex_unlock(&s->staging_lock);
	in->reason = KCOLO_ABORT_REASON_VM_GONE;
	if (in->in_guest && !kcolo_guest_enter(&s->guest)) {
		intake_drop(s, in);
		return "the VMM has died";
	}
	mutex_lock(&s->staging_lock);
	err = intake_keep(s, in);
	mutex_unlock(&s->staging_lock);
	if (in->in_guest)
		kcolo_guest_leave(&s->guest);
	intake_drop(s, in);
	wake_up_all(&s->wq);
	in->reason = KCOLO_ABORT_REASON_NO_MEMORY;
	if (err == -ENOMEM)
		return "no memory to stage";
	in->reason = KCOLO_ABORT_REASON_GUEST_MEMORY;
	return err ? "a page could not be read or written" : NULL;
}

static const char *intake_one(struct kcolo_session *s, struct intake *in)
{
	const char *bad = intake_head(s, in);

	if (bad)
		return bad;
	in->reason = KCOLO_ABORT_REASON_NO_MEMORY;
	if (intake_reserve(s, in))
		return "no memory to receive";
	if (in->nr && kcolo_conn_recv_pages(&s->data, in->bv, in->nr,
					    in->pages.payload_len)) {
		in->reason = KCOLO_ABORT_REASON_PEER_LOST;
		bad = "the data connection is lost";
	} else if (!payload_ok(in)) {
		in->reason = KCOLO_ABORT_REASON_CHECKSUM;
		bad = "the checksum of a payload is wrong";
	}
	if (bad) {
		intake_drop(s, in);
		return bad;
	}
	return intake_store(s, in);
}

/**
 * kcolo_receive_pages - receive on the data connection until it is lost
 * @s: secondary, connected; called by the thread that receives on data
 */
void kcolo_receive_pages(struct kcolo_session *s)
{
	const char *bad = NULL;
	struct intake *in;
	int ready;

	kcolo_session_charge(s);
	in = kvzalloc(sizeof(*in), KCOLO_GFP);
	if (!in) {
		kcolo_session_charge_end();
		kcolo_session_link_failed(s, KCOLO_ABORT_REASON_NO_MEMORY,
					  "no memory to receive");
		return;
	}
	while (!bad && !kthread_should_stop()) {
		kcolo_session_charge(s);
		/* The control connection tells whether the peer is alive. */
		ready = kcolo_conn_wait(&s->data, 1000);
		in->reason = KCOLO_ABORT_REASON_PEER_LOST;
		if (ready < 0)
			bad = "the data connection is lost";
		else if (ready)
			bad = intake_one(s, in);
	}
	if (bad && in->reason == KCOLO_ABORT_REASON_PEER_LOST)
		kcolo_link_hear_out(s);
	if (bad)
		kcolo_session_link_failed(s, in->reason, bad);
	kcolo_session_charge_end();
	kvfree(in);
}
