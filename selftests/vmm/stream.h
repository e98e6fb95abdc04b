/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stream: what a writer (a vCPU, or the device thread) writes to its share
 * of RAM, step after step. It depends on the seed and on the step number alone,
 * so RAM can be checked byte for byte by writing it again (replay.c). This code
 * runs in the guest and in the VMM, and uses nothing but its arguments.
 *
 * A step writes one page of the share. The first three words of a page that was
 * written say which page it is, in which step it was written, and a check of
 * both; a page written as zeroes is all zero.
 */
#ifndef KVMM_STREAM_H
#define KVMM_STREAM_H

#include "types.h"

#define STREAM_MAGIC	0x6b766d6d73747265ull
#define STREAM_EXTENTS	4
#define STREAM_HEADER	3	/* words */
#define STREAM_MAILBOX	8	/* words at the end of a page, for the device */

enum stream_pattern {
	PATTERN_UNIFORM,	/* random pages; distinct ones in an interval */
	PATTERN_HOT,		/* seven of eight steps in the hot set */
	PATTERN_SEQ,		/* one page after the other */
	PATTERN_SPARSE,		/* one page in 64 */
	PATTERN_NONE,		/* idle in HLT */
	PATTERN_SPIN,		/* idle in a busy loop */
};

enum stream_content {
	CONTENT_WORDS,		/* a few words of the page */
	CONTENT_PAGES,		/* all of the page */
};

/*
 * A run of pages of the share. Its pages from @alias_first on can also be
 * written at @alias[window].
 */
struct stream_extent {
	u64 base;
	u64 alias[2];
	u32 npages;
	u32 alias_first;
	u32 alias_npages;
	u32 region;		/* where it is, for the VMM */
	u64 region_page;
};

struct stream {
	u64 magic;
	u64 seed;
	u64 step;		/* steps that are complete */
	u64 rng;
	u64 key;		/* of the permutation of this interval */
	u64 at;			/* position in it, or in the share for seq */
	u64 npages;
	u64 hot_pages;
	u64 per_interval;	/* distinct pages in an interval, 0: not distinct */
	u32 bits;		/* 1 << bits >= npages */
	u32 pattern;
	u32 content;
	u32 words;		/* random words in a step of CONTENT_WORDS */
	u32 zero_every;		/* one step in so many writes zeroes, 0: none */
	u32 limit;		/* words of a page that are this writer's */
	u32 batch;		/* steps between two calls of the VMM */
	u32 window;		/* of the alias, told by the VMM */
	u32 nr_extents;
	u32 pad;
	struct stream_extent extent[STREAM_EXTENTS];
};

static inline u64 stream_mix(u64 x)
{
	x += 0x9e3779b97f4a7c15ull;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

static inline u64 stream_rand(struct stream *s)
{
	s->rng ^= s->rng >> 12;
	s->rng ^= s->rng << 25;
	s->rng ^= s->rng >> 27;
	return s->rng * 0x2545f4914f6cdd1dull;
}

/* A number below @n out of a random one, without a division. */
static inline u64 stream_below(u64 random, u64 n)
{
	return ((random >> 32) * n) >> 32;
}

/* A bijection on numbers of @bits bits. */
static inline u64 stream_permute(u64 x, u64 key, u32 bits)
{
	u64 mask = (1ull << bits) - 1;
	u32 shift = bits / 2 + 1;
	int i;

	for (i = 0; i < 4; i++) {
		key = stream_mix(key);
		x = (x * (key | 1) + (key >> 32)) & mask;
		x ^= x >> shift;
	}
	return x;
}

/* The page of the next permutation element that lies in the share. */
static inline u64 stream_distinct(struct stream *s)
{
	u64 page;

	if (s->step % s->per_interval == 0) {
		s->key = stream_mix(s->seed ^ stream_mix(s->step));
		s->at = 0;
	}
	do {
		page = stream_permute(s->at++, s->key, s->bits);
	} while (page >= s->npages);
	return page;
}

/* The page of the share that the next step writes. */
static inline u64 stream_pick(struct stream *s)
{
	u64 page;

	switch (s->pattern) {
	case PATTERN_SEQ:
		page = s->at++;
		if (s->at >= s->npages)
			s->at = 0;
		return page;
	case PATTERN_SPARSE:
		return stream_below(stream_rand(s), (s->npages + 63) / 64) * 64;
	case PATTERN_HOT:
		page = stream_rand(s);
		if (page & 7)
			return stream_below(page, s->hot_pages);
		return stream_below(page, s->npages);
	default:
		if (s->per_interval)
			return stream_distinct(s);
		return stream_below(stream_rand(s), s->npages);
	}
}

static inline struct stream_extent *stream_extent(struct stream *s, u64 *page)
{
	u32 i;

	for (i = 0; i + 1 < s->nr_extents; i++) {
		if (*page < s->extent[i].npages)
			break;
		*page -= s->extent[i].npages;
	}
	return &s->extent[i];
}

/* Where this step writes @page: one time in four at its alias, if it has one. */
static inline u64 *stream_address(struct stream *s, u64 page)
{
	struct stream_extent *e = stream_extent(s, &page);
	u64 in_alias = page - e->alias_first;

	if (in_alias < e->alias_npages && page >= e->alias_first &&
	    (stream_mix(s->step) & 3) == 0)
		return (u64 *)(e->alias[s->window & 1] +
			       (in_alias << KVMM_PAGE_SHIFT));
	return (u64 *)(e->base + (page << KVMM_PAGE_SHIFT));
}

static inline u64 stream_check(const struct stream *s, u64 page, u64 step)
{
	return stream_mix(s->seed ^ stream_mix(page) ^ (step << 20)) | 1;
}

/* Whether what a page says of itself is right. */
static inline int stream_page_good(const struct stream *s, u64 page,
				   const u64 *at)
{
	u64 name = at[0], step = at[1], check = at[2];

	if (!name && !step && !check)
		return 1;
	return name == (page ^ s->seed) && step < s->step &&
	       check == stream_check(s, page, step);
}

static inline void stream_fill(const struct stream *s, u64 page,
			       u64 *at)
{
	u64 x = stream_mix(s->seed ^ (s->step * 0xd1342543de82ef95ull));
	u32 i;

	if (s->zero_every && x % s->zero_every == 0) {
		for (i = 0; i < s->limit; i++)
			at[i] = 0;
		return;
	}
	at[0] = page ^ s->seed;
	at[1] = s->step;
	at[2] = stream_check(s, page, s->step);
	if (s->content == CONTENT_PAGES) {
		for (i = STREAM_HEADER; i < s->limit; i++) {
			x ^= x >> 12;
			x ^= x << 25;
			x ^= x >> 27;
			at[i] = x * 0x2545f4914f6cdd1dull;
		}
		return;
	}
	for (i = 0; i < s->words; i++) {
		x = stream_mix(x);
		at[STREAM_HEADER +
		   stream_below(x, s->limit - STREAM_HEADER)] = x;
	}
}

#endif /* KVMM_STREAM_H */
