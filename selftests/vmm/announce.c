// SPDX-License-Identifier: GPL-2.0
/* The primary's half of the verification: all RAM is hashed, the guest paused. */
#include <stdlib.h>
#include <string.h>

#include "protect.h"

#define ACK_MS		5000
#define VERDICT_MS	60000

/*
 * Tell the other kvmm what RAM is now: before anything can be committed, so that
 * it knows whatever becomes of us; or late, so that neither the time this takes
 * nor what TCP still sends meanwhile changes how long the pause is.
 */
void announce(struct primary *p, struct checkpoint *c)
{
	u64 from = now_us();

	if (!opt.verify_each)
		return;
	if (c->n % opt.verify_each) {
		side_send(&p->side, "skip %llu", c->epoch);
	} else {
		c->hash = ram_hash(p->vm);
		c->hashed = true;
		/* What cannot be told has no answer, and that is noticed. */
		side_send(&p->side, "hash %llu %llx", c->epoch, c->hash);
	}
	c->verify_us += now_us() - from;
}

/* A line "WORD EPOCH ...": returns what follows EPOCH, or NULL. */
static const char *line_is(const char *line, const char *word, u64 epoch)
{
	char *end;

	if (strncmp(line, word, strlen(word)) || line[strlen(word)] != ' ' ||
	    strtoull(line + strlen(word), &end, 10) != epoch)
		return NULL;
	return *end == ' ' ? end + 1 : end;
}

/*
 * Before the commit: the other kvmm has the hash. Without an answer the commit
 * goes on; the other host may be the one that is being frozen.
 */
void wait_announced(struct primary *p, struct checkpoint *c)
{
	u64 from = now_us();
	char line[SIDE_LINE_MAX];

	while (c->hashed && now_us() < from + ACK_MS * 1000 &&
	       side_line(&p->side, line, ACK_MS) == 1)
		if (line_is(line, "have", c->epoch))
			break;
	c->verify_us += now_us() - from;
}

static void send_pages(struct primary *p, u64 epoch)
{
	char line[SIDE_LINE_MAX];
	struct region *r;
	u64 page, pages;
	u32 i, len, n;

	for (i = 0; i < p->vm->nr_regions; i++) {
		r = &p->vm->region[i];
		pages = r->size >> KVMM_PAGE_SHIFT;
		for (page = 0; page < pages; page += n) {
			len = 0;
			for (n = 0; n < 64 && page + n < pages; n++)
				len += sprintf(line + len, " %llx",
					       r->page_hash[page + n]);
			side_send(&p->side, "pages %llu %u %llu%s", epoch, i,
				  page, line);
		}
	}
	side_send(&p->side, "end %llu", epoch);
}

static void show_differences(struct primary *p, struct checkpoint *c)
{
	char line[SIDE_LINE_MAX];

	complain("epoch %llu: RAM on the secondary is not RAM at the pause",
		 c->epoch);
	send_pages(p, c->epoch);
	while (side_line(&p->side, line, VERDICT_MS) == 1 &&
	       !line_is(line, "end", c->epoch))
		complain("%s", line);
	p->mismatch = true;
}

/*
 * What the other kvmm says of an epoch that is committed. One that it says
 * nothing of was not compared. That can be so of the last one only, when the
 * other host is lost: finish() knows.
 */
void wait_verdict(struct primary *p, struct checkpoint *c)
{
	char line[SIDE_LINE_MAX];
	const char *verdict;
	u64 end = now_us() + VERDICT_MS * 1000ull;

	if (p->silent)
		p->unverified++;
	p->silent = false;
	while (c->hashed && now_us() < end) {
		if (side_line(&p->side, line, VERDICT_MS) != 1)
			break;
		verdict = line_is(line, "verdict", c->epoch);
		if (!verdict)
			continue;
		c->verdict_known = true;
		c->hash_equal = !strcmp(verdict, "ok");
		if (c->hash_equal)
			p->verified++;
		else
			show_differences(p, c);
		return;
	}
	if (!c->hashed || asked_to_stop)
		return;
	complain("epoch %llu: no verdict", c->epoch);
	p->silent = true;
}
