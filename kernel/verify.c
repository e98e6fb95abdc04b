// SPDX-License-Identifier: GPL-2.0
/*
 * Whether both ends have the same: at a checkpoint that somebody wants verified
 * the primary hashes all of RAM while the guest is paused, after the last page was
 * sent, and the secondary what it has put in place. That finds what nobody has
 * logged: a write of the VMM's own, or one of a device. A hash is a CRC32C: of two
 * pages that differ one pair in 2^32 is taken for equal.
 */
#include <linux/crc32c.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "gfp.h"
#include "link.h"
#include "mutate.h"
#include "stream.h"
#include "verify.h"

/* Pages hashed while the VMM's memory is held. */
#define BATCH	64

/**
 * kcolo_verify_want - have the next checkpoint verified
 * @s: primary; its lock is held
 *
 * An epoch that is open may have been hashed already: it is not the one, so that
 * what is found is not from before. Until one is verified the next is tried.
 *
 * Return: 0 or -ENOMEM.
 */
int kcolo_verify_want(struct kcolo_session *s)
{
	lockdep_assert_held(&s->lock);
	if (!kcolo_verify_data(s))
		return -ENOMEM;
	s->verify_last = s->epoch + 1;
	if (!s->verify_from)
		WRITE_ONCE(s->verify_from, s->verify_last);
	return 0;
}

/* Whether somebody wants the open epoch verified. */
static bool is_wanted(const struct kcolo_session *s)
{
	u64 from = READ_ONCE(s->verify_from);

	return from && from <= s->epoch;
}

/* Hash some pages: how many were, or a negative errno. */
static int hash_some(struct kcolo_session *s, const struct kcolo_region *r,
		     u64 first, unsigned int nr, u32 *hash, void *page)
{
	const void __user *at = (void __user *)(r->hva + (first << PAGE_SHIFT));
	unsigned int i;
	int err = 0;

	nr = min3(nr, (unsigned int)BATCH,
		  (unsigned int)min_t(u64, r->nr_pages - first, BATCH));
	if (!kcolo_guest_enter(&s->guest))
		return -ESRCH;
	for (i = 0; i < nr && !err; i++, at += PAGE_SIZE) {
		if (copy_from_user(page, at, PAGE_SIZE))
			err = -EFAULT;
		else
			hash[i] = crc32c(~0U, page, PAGE_SIZE);
	}
	kcolo_guest_leave(&s->guest);
	cond_resched();
	return err ? err : nr;
}

struct hashes {
	u32 hash[KCOLO_WIRE_HASHES_MAX];
	u8 body[KCOLO_WIRE_HASHES_HEAD + 4 * KCOLO_WIRE_HASHES_MAX];
	u8 page[PAGE_SIZE];
};

static int send_hashes(struct kcolo_session *s, struct hashes *h,
		       const struct kcolo_wire_hashes *what)
{
	struct kcolo_wire_hdr hdr = {
		.type = KCOLO_WIRE_HASHES,
		.length = KCOLO_WIRE_HASHES_HEAD + 4 * what->count,
		.epoch = s->epoch,
	};
	unsigned int i;
	int err;

	kcolo_wire_put_hashes(h->body, what);
	for (i = 0; i < what->count; i++)
		kcolo_wire_put_hash(h->body + KCOLO_WIRE_HASHES_HEAD + 4 * i,
				    h->hash[i]);
	err = kcolo_link_send(s, &hdr, h->body, kcolo_away_from_pause);
	/* A link that has failed says itself why. */
	return err && err != -ETIME ? -ECANCELED : err;
}

static int send_region(struct kcolo_session *s, struct hashes *h,
		       const struct kcolo_region *r)
{
	struct kcolo_wire_hashes what = { .region = r->wire };
	u64 page = 0;
	int n, err = 0;

	while (!err && page < r->nr_pages) {
		n = hash_some(s, r, page, KCOLO_WIRE_HASHES_MAX - what.count,
			      h->hash + what.count, h->page);
		if (n < 0)
			return n;
		page += n;
		what.count += n;
		err = kcolo_away_from_pause(s);
		if (!err && (what.count == KCOLO_WIRE_HASHES_MAX ||
			     page == r->nr_pages)) {
			err = send_hashes(s, h, &what);
			what.first = page;
			what.count = 0;
		}
	}
	return err;
}

/**
 * kcolo_verify_send - hash all of RAM, and tell the secondary, if that is wanted
 * @s: primary in a pause, all pages of which are sent; called by its worker
 *
 * Return: 0; -ENOMEM; -EFAULT or -ESRCH of the guest; -ECANCELED or -ETIME, as
 * kcolo_stream_pass().
 */
int kcolo_verify_send(struct kcolo_session *s)
{
	struct kcolo_region *r;
	struct hashes *h;
	unsigned int i;
	int err = 0;

	if (!is_wanted(s))
		return 0;
	h = kvmalloc(sizeof(*h), KCOLO_GFP);
	if (!h)
		return -ENOMEM;
	for (i = 0; !err && (r = kcolo_next_region(s, &i)); i++)
		err = send_region(s, h, r);
	kvfree(h);
	return err;
}

static void notify_verified(struct kcolo_session *s)
{
	kcolo_session_notify(s, &(struct kcolo_notice) {
		.type = KCOLO_EVENT_TYPE_VERIFIED,
		.epoch = s->verify->epoch,
		.different = s->verify->different });
}

static struct kcolo_region *wire_region(struct kcolo_session *s, u16 number)
{
	struct kcolo_region *r;
	unsigned int i;

	for (i = 0; (r = kcolo_next_region(s, &i)); i++)
		if (r->wire == number)
			return r;
	return NULL;
}

/*
 * Under session.lock. That the epoch is committed has come before, though the worker
 * need not have seen it; the next one opens after this message at the earliest.
 */
static bool is_asked_for(const struct kcolo_session *s, u64 epoch)
{
	return epoch == s->epoch && is_wanted(s) &&
	       test_bit(KCOLO_WIRE_VMSTATE_RECEIVED, &s->rx);
}

/**
 * kcolo_verify_result - hear from the secondary what differs
 * @s: primary; called by the thread that receives on control
 * @hdr: header of VERIFIED
 * @body: of the message
 *
 * Return: NULL, or what is wrong with the message.
 */
const char *kcolo_verify_result(struct kcolo_session *s,
				const struct kcolo_wire_hdr *hdr, const u8 *body)
{
	unsigned int nr = (hdr->length - KCOLO_WIRE_VERIFIED_HEAD) /
			  KCOLO_WIRE_DIFFERENCE, i;
	struct kcolo_wire_verified verified;
	struct kcolo_verify *v;
	struct kcolo_region *r;
	const char *bad;
	u16 number;

	bad = kcolo_wire_get_verified(body, hdr->length, &verified);
	if (bad)
		return bad;
	mutex_lock(&s->lock);
	v = s->verify;
	if (!is_asked_for(s, hdr->epoch)) {
		mutex_unlock(&s->lock);
		return "the secondary has verified what it was not asked to";
	}
	WRITE_ONCE(s->verify_from,
		   s->verify_last > hdr->epoch ? s->verify_last : 0);
	v->epoch = hdr->epoch;
	v->pages = verified.pages;
	v->different = verified.different;
	v->nr = nr;
	body += KCOLO_WIRE_VERIFIED_HEAD;
	for (i = 0; i < nr; i++, body += KCOLO_WIRE_DIFFERENCE) {
		kcolo_wire_get_difference(body, &number, &v->at[i].page);
		r = wire_region(s, number);
		strscpy(v->at[i].region, r ? r->name : "?",
			sizeof(v->at[i].region));
	}
	notify_verified(s);
	mutex_unlock(&s->lock);
	return NULL;
}

/**
 * kcolo_verify_take - keep what the primary says of its pages
 * @s: secondary, an epoch is open; called by the thread that receives on control
 * @hdr: header of HASHES
 * @body: of the message
 *
 * Without memory there is no verification, and the primary asks again.
 *
 * Return: NULL, or what is wrong with the message.
 */
const char *kcolo_verify_take(struct kcolo_session *s,
			      const struct kcolo_wire_hdr *hdr, const u8 *body)
{
	struct kcolo_wire_hashes what;
	struct kcolo_verify *v;
	const char *bad;
	u32 **hash, i;
	u64 pages;

	bad = kcolo_wire_get_hashes(body, hdr->length, &what);
	if (bad)
		return bad;
	if (what.region >= s->nr_peer_regions)
		return "HASHES names a region that is not there";
	pages = s->region_pages[what.region];
	if (what.first >= pages || what.count > pages - what.first)
		return "HASHES reaches outside its region";
	mutex_lock(&s->lock);
	v = kcolo_verify_data(s);
	mutex_unlock(&s->lock);
	if (!v)
		return NULL;
	if (v->open != hdr->epoch)
		kcolo_verify_forget(v);
	v->open = hdr->epoch;
	hash = &v->hash[what.region];
	if (!*hash)
		*hash = kvcalloc(pages, sizeof(**hash), KCOLO_GFP);
	if (!*hash)
		return NULL;
	for (i = 0; i < what.count; i++)
		(*hash)[what.first + i] =
			kcolo_wire_get_hash(body + KCOLO_WIRE_HASHES_HEAD + 4 * i);
	v->hashed += what.count;
	return NULL;
}

#define COMPARE_INTERRUPTS	(BIT(KCOLO_REQ_STOP) | BIT(KCOLO_REQ_LINK) | \
				 BIT(KCOLO_REQ_PROMOTE) | BIT(KCOLO_REQ_VM_GONE))

/* Into @found, and to the session only once all is known. */
static int compare_region(struct kcolo_session *s, struct kcolo_verify *found,
			  unsigned int number, struct hashes *h)
{
	const struct kcolo_region *r = s->peer_region[number];
	const u32 *theirs = s->verify->hash[number];
	u64 page = 0;
	int n, i;

	for (; page < r->nr_pages; page += n) {
		if (READ_ONCE(s->req) & COMPARE_INTERRUPTS)
			return -ECANCELED;
		n = hash_some(s, r, page, KCOLO_WIRE_HASHES_MAX, h->hash,
			      h->page);
		if (n < 0)
			return n;
		for (i = 0; i < n; i++) {
			if (h->hash[i] == theirs[page + i] ||
			    kcolo_mutant(verify_blind))
				continue;
			if (found->different++ >= KCOLO_WIRE_DIFFERENCES_MAX)
				continue;
			kcolo_wire_put_difference(h->body +
				KCOLO_WIRE_VERIFIED_HEAD +
				found->nr * KCOLO_WIRE_DIFFERENCE, number,
				page + i);
			found->at[found->nr].page = page + i;
			strscpy(found->at[found->nr++].region, r->name,
				sizeof(found->at->region));
		}
		found->pages += n;
	}
	return 0;
}

static u64 all_pages(const struct kcolo_session *s)
{
	unsigned int i;
	u64 pages = 0;

	for (i = 0; i < s->nr_peer_regions; i++)
		pages += s->verify->hash[i] ? s->region_pages[i] : 0;
	return pages;
}

static bool all_hashed(const struct kcolo_session *s)
{
	unsigned int i;

	for (i = 0; i < s->nr_peer_regions; i++)
		if (!s->verify->hash[i])
			return false;
	return s->verify->hashed == all_pages(s);
}

static void say_verified(struct kcolo_session *s, struct hashes *h,
			 const struct kcolo_verify *found)
{
	struct kcolo_wire_verified verified = {
		.pages = found->pages,
		.different = found->different,
	};

	kcolo_wire_put_verified(h->body, &verified);
	kcolo_link_say(s, KCOLO_WIRE_VERIFIED, found->epoch, 0, h->body,
		       KCOLO_WIRE_VERIFIED_HEAD +
		       found->nr * KCOLO_WIRE_DIFFERENCE);
}

/* Under session.lock. */
static void keep(struct kcolo_verify *v, const struct kcolo_verify *found)
{
	v->epoch = found->epoch;
	v->pages = found->pages;
	v->different = found->different;
	v->nr = found->nr;
	memcpy(v->at, found->at, sizeof(v->at));
}

static_assert(KCOLO_WIRE_VERIFIED_HEAD +
	      KCOLO_WIRE_DIFFERENCE * KCOLO_WIRE_DIFFERENCES_MAX <=
	      sizeof_field(struct hashes, body));

static void compare(struct kcolo_session *s, struct hashes *h,
		    struct kcolo_verify *found)
{
	unsigned int i;
	int err = 0;

	found->epoch = s->committed;
	for (i = 0; i < s->nr_peer_regions && !err; i++)
		err = compare_region(s, found, i, h);
	if (err)
		return;
	say_verified(s, h, found);
	mutex_lock(&s->lock);
	keep(s->verify, found);
	notify_verified(s);
	mutex_unlock(&s->lock);
}

/**
 * kcolo_verify_compare - compare what is in place with what the primary said
 * @s: secondary whose epoch was put in place; called by its worker
 *
 * Nothing, if the primary said nothing, or not of all pages. Who takes over does
 * not wait for it, nor does a primary that comes again.
 */
void kcolo_verify_compare(struct kcolo_session *s)
{
	struct kcolo_verify *found;
	struct hashes *h;

	if (!s->verify || s->verify->open != s->committed)
		return;
	h = kvmalloc(sizeof(*h), KCOLO_GFP);
	found = kvzalloc(sizeof(*found), KCOLO_GFP);
	if (h && found && all_hashed(s))
		compare(s, h, found);
	kvfree(h);
	kvfree(found);
	kcolo_verify_forget(s->verify);
}
