// SPDX-License-Identifier: GPL-2.0
/* What may not come on the data connection. */
#include <string.h>
#include "malformed.h"

#define HEAD	KCOLO_WIRE_HDR			/* where the head begins */
#define EXTENTS	(HEAD + KCOLO_WIRE_PAGES_HEAD)	/* and the extents */

/* Two pages that would be good. */
static void two_pages(struct buf *b)
{
	struct pages m = {};

	pages_add(&m, 0, 9, 2, 210);
	pages_put(&m, b, 2, 0);
}

static void put32(u8 *p, u32 v)
{
	u32 i;

	for (i = 0; i < 4; i++)
		p[i] = v >> 8 * i;
}

/* Both checksums right again: only what was changed is wrong. */
static void fix(struct buf *b, u32 nr_extents)
{
	u32 desc = KCOLO_WIRE_PAGES_HEAD + nr_extents * KCOLO_WIRE_EXTENT;

	put32(b->p + 24, crc32c(~0U, b->p + HEAD, desc));
	buf_fix_header(b, 0);
}

static void bad_magic(struct buf *b)
{
	two_pages(b);
	b->p[0] ^= 1;
	buf_fix_header(b, 0);
}

static void bad_type(struct buf *b)
{
	two_pages(b);
	b->p[4] = KCOLO_WIRE_TYPE_END;
	buf_fix_header(b, 0);
}

static void no_type(struct buf *b)
{
	two_pages(b);
	b->p[4] = 0;
	buf_fix_header(b, 0);
}

static void bad_length(struct buf *b)
{
	two_pages(b);
	put32(b->p + 8, 0xfffffff0);
	buf_fix_header(b, 0);
}

static void short_length(struct buf *b)
{
	two_pages(b);
	put32(b->p + 8, KCOLO_WIRE_PAGES_HEAD);
	buf_fix_header(b, 0);
}

static void bad_flags(struct buf *b)
{
	two_pages(b);
	b->p[6] |= 2;
	buf_fix_header(b, 0);
}

static void header_crc(struct buf *b)
{
	two_pages(b);
	b->p[16] ^= 1;
}

static void extents_crc(struct buf *b)
{
	two_pages(b);
	b->p[EXTENTS] ^= 1;
}

static void payload_crc(struct buf *b)
{
	two_pages(b);
	b->p[b->len - 1] ^= 1;
}

static void one_extent(struct buf *b, u64 first, u32 count, u32 region, u8 encoding)
{
	struct pages m = {};

	m.nr_extents = 1;
	m.extent[0] = (struct kcolo_wire_extent) { first, count, region, encoding };
	pages_put(&m, b, 2, 0);
}

static void no_region(struct buf *b)
{
	one_extent(b, 0, 1, NR_REGIONS, KCOLO_WIRE_ZERO);
}

static void last_region(struct buf *b)
{
	one_extent(b, 0, 1, 0xffff, KCOLO_WIRE_ZERO);
}

static void first_outside(struct buf *b)
{
	one_extent(b, 300, 1, 0, KCOLO_WIRE_ZERO);
}

static void count_outside(struct buf *b)
{
	one_extent(b, 299, 2, 0, KCOLO_WIRE_ZERO);
}

static void first_largest(struct buf *b)
{
	one_extent(b, ~0ull, 1, 0, KCOLO_WIRE_ZERO);
}

/* first + count comes round to 1. */
static void overflow(struct buf *b)
{
	one_extent(b, ~0ull - 1, 3, 0, KCOLO_WIRE_ZERO);
}

/* The index times the size of a page comes round. */
static void offset_overflow(struct buf *b)
{
	one_extent(b, 1ull << 52, 1, 0, KCOLO_WIRE_ZERO);
}

static void count_largest(struct buf *b)
{
	one_extent(b, 0, 0xffffffff, 0, KCOLO_WIRE_ZERO);
}

static void count_none(struct buf *b)
{
	one_extent(b, 0, 0, 0, KCOLO_WIRE_ZERO);
}

static void no_encoding(struct buf *b)
{
	one_extent(b, 0, 1, 0, 0);
}

static void bad_encoding(struct buf *b)
{
	one_extent(b, 0, 1, 0, KCOLO_WIRE_ZERO + 1);
}

static void bad_bits(struct buf *b)
{
	two_pages(b);
	b->p[EXTENTS + 15] = 1;
	fix(b, 1);
}

static void nr_extents(struct buf *b, u32 nr)
{
	two_pages(b);
	put32(b->p + HEAD, nr);
	fix(b, 1);
}

static void no_extents(struct buf *b)
{
	nr_extents(b, 0);
}

static void extents_largest(struct buf *b)
{
	nr_extents(b, 0xffffffff);
}

static void many_extents(struct buf *b)
{
	struct pages m = {};
	u32 i;

	for (i = 0; i <= KCOLO_WIRE_EXTENTS_MAX; i++)
		pages_add(&m, 0, i, 1, 0);
	pages_put(&m, b, 2, 0);
}

static void many_pages(struct buf *b)
{
	struct pages m = {};

	pages_add(&m, 0, 0, 200, 0);
	pages_add(&m, 0, 50, 57, 0);
	pages_put(&m, b, 2, 0);
}

/* As often as there may be extents: the sum of the counts has to be seen. */
static void pages_over_and_over(struct buf *b)
{
	struct pages m = {};
	u32 i;

	for (i = 0; i < KCOLO_WIRE_EXTENTS_MAX; i++)
		pages_add(&m, 0, 0, 300, 0);
	pages_put(&m, b, 2, 0);
}

static void payload_less(struct buf *b)
{
	struct pages m = {};

	pages_add(&m, 0, 9, 2, 210);
	m.extent[0].count = 3;
	pages_put(&m, b, 2, 0);
}

static void payload_of_zeroes(struct buf *b)
{
	struct pages m = {};

	pages_add(&m, 0, 9, 2, 210);
	m.extent[0].encoding = KCOLO_WIRE_ZERO;
	pages_put(&m, b, 2, 0);
}

static void payload_odd(struct buf *b)
{
	struct pages m = {};

	pages_add(&m, 0, 9, 1, 210);
	buf_add(&m.payload, "x", 1);
	pages_put(&m, b, 2, 0);
}

static void payload_len(struct buf *b, u32 len)
{
	two_pages(b);
	put32(b->p + HEAD + 8, len);
	fix(b, 1);
}

static void payload_other(struct buf *b)
{
	payload_len(b, PAGE);
}

static void payload_largest(struct buf *b)
{
	payload_len(b, 0xfffff000);
}

static void control_on_data(struct buf *b)
{
	buf_end(b, 2, STAGED_MESSAGES, STAGED_PAGES);
}

/* Shorter than the head of PAGES: it is not to be waited for. */
static void ping_on_data(struct buf *b)
{
	buf_message(b, KCOLO_WIRE_PING, 0, 0, NULL, 0);
}

static void before_regions(struct buf *b)
{
	one_extent(b, 0, 1, 0, KCOLO_WIRE_ZERO);
}

#define D(name, make, error, reason) \
	{ name, KCOLO_WIRE_DATA, AT_OPEN, make, error, reason }

const struct bad bad_pages[] = {
	D("magic", bad_magic, "this is not the kcolo protocol", PROTOCOL),
	D("type", bad_type, "a message has a type that is not known", PROTOCOL),
	D("type 0", no_type, "a message has a type that is not known", PROTOCOL),
	D("length", bad_length,
	  "a message has a length that its type cannot have", PROTOCOL),
	D("length too small", short_length,
	  "a message has a length that its type cannot have", PROTOCOL),
	D("flags", bad_flags, "a message has flags that are not known", PROTOCOL),
	D("header's checksum", header_crc, "the checksum of a header is wrong", 0),
	D("extents' checksum", extents_crc, "the checksum of PAGES is wrong", CHECKSUM),
	D("payload's checksum", payload_crc,
	  "the checksum of a payload is wrong", CHECKSUM),
	D("region", no_region, "PAGES names a region that is not there", PROTOCOL),
	D("region 65535", last_region,
	  "PAGES names a region that is not there", PROTOCOL),
	D("first page", first_outside, "PAGES reaches outside its region", PROTOCOL),
	D("last page", count_outside, "PAGES reaches outside its region", PROTOCOL),
	D("first page 2^64-1", first_largest,
	  "PAGES reaches outside its region", PROTOCOL),
	D("overflow of first and count", overflow,
	  "PAGES reaches outside its region", PROTOCOL),
	D("overflow of the offset", offset_overflow,
	  "PAGES reaches outside its region", PROTOCOL),
	D("count 2^32-1", count_largest,
	  "PAGES reaches outside its region", PROTOCOL),
	D("count 0", count_none, "PAGES reaches outside its region", PROTOCOL),
	D("encoding 0", no_encoding,
	  "PAGES has an encoding that is not known", PROTOCOL),
	D("encoding 3", bad_encoding,
	  "PAGES has an encoding that is not known", PROTOCOL),
	D("bits", bad_bits, "PAGES has bits where none may be", PROTOCOL),
	D("no extents", no_extents,
	  "PAGES has no number of extents that can be", PROTOCOL),
	D("2^32-1 extents", extents_largest,
	  "PAGES has no number of extents that can be", PROTOCOL),
	D("257 extents", many_extents,
	  "PAGES has no number of extents that can be", PROTOCOL),
	D("257 pages", many_pages,
	  "PAGES has more pages than a message may", PROTOCOL),
	D("76800 pages", pages_over_and_over,
	  "PAGES has more pages than a message may", PROTOCOL),
	D("payload too small", payload_less,
	  "PAGES has another payload than its extents say", PROTOCOL),
	D("payload of zeroes", payload_of_zeroes,
	  "PAGES has another payload than its extents say", PROTOCOL),
	D("payload of no whole pages", payload_odd,
	  "PAGES has another payload than its extents say", PROTOCOL),
	D("payload other than the length", payload_other,
	  "PAGES is not as long as its parts", PROTOCOL),
	D("payload of 4 GiB", payload_largest,
	  "PAGES has more payload than a message may", PROTOCOL),
	D("CHECKPOINT_END on data", control_on_data,
	  "something else than PAGES came on the data connection", PROTOCOL),
	D("PING on data", ping_on_data,
	  "something else than PAGES came on the data connection", PROTOCOL),
	{ "PAGES before REGIONS", KCOLO_WIRE_DATA, AT_CONNECTED, before_regions,
	  "PAGES names a region that is not there", PROTOCOL },
	{}
};
