// SPDX-License-Identifier: GPL-2.0
/*
 * Before a primary sends pages, a secondary sees whether they mean the same by
 * them: the same regions, and for each the same image to build upon.
 */
#include "agree.h"
#include "gfp.h"
#include "link.h"
#include "mutate.h"
#include "session.h"

/**
 * struct proposal - what REGIONS says
 * @base: the epoch that what does not come whole builds upon
 * @nr: number of regions
 * @region: ours, by the primary's numbers
 * @compare: bits of those that come whole, and of which something is here
 */
struct proposal {
	u64 base;
	unsigned int nr;
	struct kcolo_region *region[KCOLO_MAX_REGIONS];
	u64 compare;
};

static_assert(KCOLO_MAX_REGIONS <= 64);	/* bits of compare */

static bool named_before(const struct proposal *p, unsigned int nr,
			 const struct kcolo_region *r)
{
	while (nr--)
		if (p->region[nr] == r)
			return true;
	return false;
}

/*
 * One end's word is not enough: nothing would be sent. Clean is what is based
 * and was never committed.
 */
static bool match_base(struct kcolo_session *s, const struct kcolo_region *r,
		       bool whole, u64 base, char *why, size_t len)
{
	if (!whole && !base && !s->clean)
		strscpy(why,
			"the primary said clean and the secondary did not: both have to say it, or none",
			len);
	else if (whole && s->clean && !s->committed)
		strscpy(why,
			"the secondary said clean and the primary did not: both have to say it, or none",
			len);
	else if (!whole && (base != s->committed || !r->based) &&
		 !kcolo_mutant(trust_epoch))
		snprintf(why, len,
			 "the primary builds on epoch %llu of region '%s', and that is not what the secondary has",
			 base, r->name);
	else
		return true;
	return false;
}

/* Fills in why when an entry is not a region of ours, too. */
static bool match_region(struct kcolo_session *s, struct proposal *p,
			 unsigned int i, const u8 *entry, char *why, size_t len)
{
	struct kcolo_wire_region wr;
	struct kcolo_region *r;
	const char *bad;
	bool whole;

	bad = kcolo_wire_get_region(entry, &wr);
	if (bad) {
		strscpy(why, bad, len);
		return false;
	}
	r = kcolo_find_region(s, wr.name);
	if (!r) {
		snprintf(why, len, "the secondary has no region '%s'", wr.name);
		return false;
	}
	if (r->nr_pages << PAGE_SHIFT != wr.size) {
		snprintf(why, len,
			 "region '%s' is %llu bytes on the primary and %llu on the secondary",
			 wr.name, wr.size, r->nr_pages << PAGE_SHIFT);
		return false;
	}
	if (named_before(p, i, r)) {
		snprintf(why, len, "the primary has region '%s' twice", wr.name);
		return false;
	}
	whole = wr.flags & KCOLO_WIRE_WHOLE;
	if (!match_base(s, r, whole, p->base, why, len))
		return false;
	p->region[i] = r;
	if (whole && r->based)
		p->compare |= BIT_ULL(i);
	return true;
}

/*
 * Ours that the primary does not have. What is part of the committed epoch stays
 * until the next commit, and then may go.
 */
static bool nothing_left(const struct kcolo_session *s,
			 const struct proposal *p, char *why, size_t len)
{
	struct kcolo_region *r;
	unsigned int i;

	for (i = 0; (r = kcolo_next_region(s, &i)); i++) {
		if (r->based || named_before(p, p->nr, r))
			continue;
		snprintf(why, len, "the primary has no region '%s'", r->name);
		return false;
	}
	return true;
}

/* Under s->lock. */
static bool match_regions(struct kcolo_session *s, struct proposal *p,
			  const u8 *body, char *why, size_t len)
{
	unsigned int i;

	p->base = kcolo_wire_get_base(body);
	body += KCOLO_WIRE_REGIONS_HEAD;
	for (i = 0; i < p->nr; i++, body += KCOLO_WIRE_REGION)
		if (!match_region(s, p, i, body, why, len))
			return false;
	return nothing_left(s, p, why, len);
}

/* Under s->lock. From here on pages are taken by the primary's numbers. */
static void adopt(struct kcolo_session *s, const struct proposal *p, bool fits)
{
	unsigned int i;

	s->regions_agreed = fits;
	s->regions_gone = false;
	mutex_lock(&s->staging_lock);
	s->nr_peer_regions = fits ? p->nr : 0;
	s->compare = fits ? p->compare : 0;
	for (i = 0; i < s->nr_peer_regions; i++) {
		s->peer_region[i] = p->region[i];
		s->region_pages[i] = p->region[i]->nr_pages;
	}
	mutex_unlock(&s->staging_lock);
}

static void answer(struct kcolo_session *s, const struct kcolo_wire_hdr *hdr,
		   bool fits, const char *why)
{
	if (fits)
		kcolo_link_say(s, KCOLO_WIRE_CHECKPOINT_READY, hdr->epoch, 0,
			       NULL, 0);
	else
		kcolo_link_say(s, KCOLO_WIRE_ABORT, hdr->epoch,
			       KCOLO_ABORT_REASON_PEER_REFUSED, why,
			       strlen(why));
}

/**
 * kcolo_agree_regions - answer REGIONS
 * @s: secondary; called by the thread that receives on control
 * @hdr: header of the message
 * @body: of the message
 *
 * What does not fit is told to the primary, and can be tried again.
 *
 * Return: NULL, or what is wrong with the message.
 */
const char *kcolo_agree_regions(struct kcolo_session *s,
				const struct kcolo_wire_hdr *hdr,
				const u8 *body)
{
	u32 len = hdr->length - KCOLO_WIRE_REGIONS_HEAD;
	struct proposal *p;
	char why[KCOLO_WIRE_TEXT_MAX];
	bool fits;

	if (len % KCOLO_WIRE_REGION)
		return "REGIONS is not as long as its parts";
	if (hdr->arg)
		return "REGIONS says something that is not known";
	p = kzalloc(sizeof(*p), KCOLO_GFP);
	if (!p) {
		kcolo_session_link_failed(s, KCOLO_ABORT_REASON_NO_MEMORY,
					  "no memory to agree on regions");
		return NULL;
	}
	p->nr = len / KCOLO_WIRE_REGION;
	mutex_lock(&s->lock);
	if (s->state != KCOLO_STATE_IDLE) {
		mutex_unlock(&s->lock);
		kfree(p);
		return "REGIONS came when an epoch was open";
	}
	fits = match_regions(s, p, body, why, sizeof(why));
	adopt(s, p, fits);
	if (!fits)
		kcolo_session_set_error(s, why);
	mutex_unlock(&s->lock);
	kfree(p);
	answer(s, hdr, fits, why);
	return NULL;
}
