// SPDX-License-Identifier: GPL-2.0
/* Encode and decode, and what must not be believed. */
#include <kselftest_harness.h>
#include "wire.h"

/* Bit by bit, so that it shares nothing with what it checks. */
__u32 crc32c(__u32 crc, const void *data, unsigned int len)
{
	const __u8 *p = data;
	int bit;

	while (len--) {
		crc ^= *p++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78U : 0);
	}
	return crc;
}

TEST(crc_is_crc32c)
{
	/* RFC 3720, B.4: 32 bytes of zeroes. */
	__u8 zero[32] = {};

	ASSERT_EQ(~crc32c(~0U, zero, sizeof(zero)), 0x8a9136aaU);
}

static void make_hdr(__u8 *buf, __u16 type, __u32 length)
{
	struct kcolo_wire_hdr h = { .type = type, .length = length,
		.arg = 7, .epoch = 0x1122334455667788ULL, .crc = 0xdeadbeef };

	kcolo_wire_put_hdr(buf, &h);
}

TEST(header_goes_round)
{
	__u8 buf[KCOLO_WIRE_HDR];
	struct kcolo_wire_hdr h;

	make_hdr(buf, KCOLO_WIRE_CHECKPOINT_END, KCOLO_WIRE_END);
	ASSERT_EQ(kcolo_wire_get_hdr(buf, &h), NULL);
	ASSERT_EQ(h.type, KCOLO_WIRE_CHECKPOINT_END);
	ASSERT_EQ(h.length, KCOLO_WIRE_END);
	ASSERT_EQ(h.arg, 7);
	ASSERT_EQ(h.epoch, 0x1122334455667788ULL);
	ASSERT_EQ(h.crc, 0xdeadbeef);
	/* Little-endian, whatever this machine is. */
	ASSERT_EQ(memcmp(buf, "KCLO", 4), 0);
	ASSERT_EQ(buf[16], 0x88);
}

TEST(header_with_any_bit_flipped_is_refused)
{
	__u8 buf[KCOLO_WIRE_HDR];
	struct kcolo_wire_hdr h;
	int bit;

	for (bit = 0; bit < KCOLO_WIRE_HDR * 8; bit++) {
		make_hdr(buf, KCOLO_WIRE_PING, 0);
		buf[bit / 8] ^= 1 << bit % 8;
		ASSERT_NE(kcolo_wire_get_hdr(buf, &h), NULL);
	}
}

TEST(lengths_are_bounded)
{
	__u8 buf[KCOLO_WIRE_HDR];
	struct kcolo_wire_hdr h;
	int type;

	for (type = 1; type < KCOLO_WIRE_TYPE_END; type++) {
		make_hdr(buf, type, 0xffffffff);
		ASSERT_NE(kcolo_wire_get_hdr(buf, &h), NULL);
		make_hdr(buf, type, 2 << 20);
		ASSERT_NE(kcolo_wire_get_hdr(buf, &h), NULL);
	}
	make_hdr(buf, KCOLO_WIRE_PING, 1);
	ASSERT_NE(kcolo_wire_get_hdr(buf, &h), NULL);
	make_hdr(buf, KCOLO_WIRE_HELLO_MSG, KCOLO_WIRE_HELLO - 1);
	ASSERT_NE(kcolo_wire_get_hdr(buf, &h), NULL);
	make_hdr(buf, 0, 0);
	ASSERT_NE(kcolo_wire_get_hdr(buf, &h), NULL);
	make_hdr(buf, KCOLO_WIRE_TYPE_END, 0);
	ASSERT_NE(kcolo_wire_get_hdr(buf, &h), NULL);
}

TEST(hello_goes_round)
{
	struct kcolo_wire_hello a = { .version = 1, .channel = 1, .role = 2,
		.page_size = 4096, .features = 5, .incarnation = 6,
		.committed = 7, .name = "vm1" }, b;
	__u8 buf[KCOLO_WIRE_HELLO];

	memset(a.uuid, 0xab, sizeof(a.uuid));
	kcolo_wire_put_hello(buf, &a);
	ASSERT_EQ(kcolo_wire_get_hello(buf, &b), NULL);
	ASSERT_EQ(b.version, 1);
	ASSERT_EQ(b.channel, 1);
	ASSERT_EQ(b.role, 2);
	ASSERT_EQ(b.page_size, 4096);
	ASSERT_EQ(b.features, 5);
	ASSERT_EQ(b.incarnation, 6);
	ASSERT_EQ(b.committed, 7);
	ASSERT_EQ(memcmp(a.uuid, b.uuid, sizeof(a.uuid)), 0);
	ASSERT_STREQ(b.name, "vm1");
	/* A name without an end, and none at all. */
	memset(buf + 56, 'x', KCOLO_WIRE_NAME);
	ASSERT_NE(kcolo_wire_get_hello(buf, &b), NULL);
	memset(buf + 56, 0, KCOLO_WIRE_NAME);
	ASSERT_NE(kcolo_wire_get_hello(buf, &b), NULL);
}

TEST(region_goes_round)
{
	struct kcolo_wire_region a = { .size = 8192, .name = "pc.ram",
		.flags = KCOLO_WIRE_WHOLE }, b;
	__u8 buf[KCOLO_WIRE_REGION], head[KCOLO_WIRE_REGIONS_HEAD];

	kcolo_wire_put_base(head, 0x123456789aULL);
	ASSERT_EQ(kcolo_wire_get_base(head), 0x123456789aULL);

	kcolo_wire_put_region(buf, &a);
	ASSERT_EQ(kcolo_wire_get_region(buf, &b), NULL);
	ASSERT_EQ(b.size, 8192);
	ASSERT_STREQ(b.name, "pc.ram");
	ASSERT_EQ(b.flags, KCOLO_WIRE_WHOLE);
	a.flags = 2;
	kcolo_wire_put_region(buf, &a);
	ASSERT_NE(kcolo_wire_get_region(buf, &b), NULL);
	a.flags = 0;
	kcolo_wire_put_region(buf, &a);
	buf[12] = 1;
	ASSERT_NE(kcolo_wire_get_region(buf, &b), NULL);
	a.size = 8191;
	kcolo_wire_put_region(buf, &a);
	ASSERT_NE(kcolo_wire_get_region(buf, &b), NULL);
	a.size = 0;
	kcolo_wire_put_region(buf, &a);
	ASSERT_NE(kcolo_wire_get_region(buf, &b), NULL);
}

TEST(hashes_are_checked)
{
	struct kcolo_wire_hashes a = { .first = 0x123456789aULL, .count = 7,
		.region = 3 }, b;
	struct kcolo_wire_verified v = { .pages = 100, .different = 2 }, w;
	__u8 buf[KCOLO_WIRE_HASHES_HEAD], four[4];
	__u8 entry[KCOLO_WIRE_DIFFERENCE];
	__u16 region;
	__u64 page;

	kcolo_wire_put_hashes(buf, &a);
	ASSERT_EQ(kcolo_wire_get_hashes(buf, KCOLO_WIRE_HASHES_HEAD + 28, &b), NULL);
	ASSERT_EQ(b.first, a.first);
	ASSERT_EQ(b.count, 7);
	ASSERT_EQ(b.region, 3);
	ASSERT_NE(kcolo_wire_get_hashes(buf, KCOLO_WIRE_HASHES_HEAD + 24, &b), NULL);
	a.count = 0x40000007;
	kcolo_wire_put_hashes(buf, &a);
	ASSERT_NE(kcolo_wire_get_hashes(buf, KCOLO_WIRE_HASHES_HEAD + 28, &b), NULL);
	kcolo_wire_put_verified(buf, &v);
	ASSERT_EQ(kcolo_wire_get_verified(buf, KCOLO_WIRE_VERIFIED_HEAD + 32, &w), NULL);
	ASSERT_EQ(w.pages, 100);
	ASSERT_EQ(w.different, 2);
	ASSERT_NE(kcolo_wire_get_verified(buf, KCOLO_WIRE_VERIFIED_HEAD + 48, &w), NULL);
	ASSERT_NE(kcolo_wire_get_verified(buf, KCOLO_WIRE_VERIFIED_HEAD + 15, &w), NULL);
	kcolo_wire_put_difference(entry, 9, 0x23456789abULL);
	kcolo_wire_get_difference(entry, &region, &page);
	ASSERT_EQ(region, 9);
	ASSERT_EQ(page, 0x23456789abULL);
	kcolo_wire_put_hash(four, 0xfedcba98);
	ASSERT_EQ(kcolo_wire_get_hash(four), 0xfedcba98);
}

TEST(pages_head_is_checked)
{
	struct kcolo_wire_pages a = { .nr_extents = 2, .payload_crc = 9,
		.payload_len = 4096 }, b;
	__u32 len = KCOLO_WIRE_PAGES_HEAD + 2 * KCOLO_WIRE_EXTENT + 4096;
	__u8 buf[KCOLO_WIRE_PAGES_HEAD];

	kcolo_wire_put_pages(buf, &a);
	ASSERT_EQ(kcolo_wire_get_pages(buf, len, &b), NULL);
	ASSERT_EQ(b.nr_extents, 2);
	ASSERT_EQ(b.payload_crc, 9);
	ASSERT_NE(kcolo_wire_get_pages(buf, len + 1, &b), NULL);
	a.nr_extents = 0;
	kcolo_wire_put_pages(buf, &a);
	ASSERT_NE(kcolo_wire_get_pages(buf, len, &b), NULL);
	a.nr_extents = KCOLO_WIRE_EXTENTS_MAX + 1;
	kcolo_wire_put_pages(buf, &a);
	ASSERT_NE(kcolo_wire_get_pages(buf, len, &b), NULL);
	a.nr_extents = 0xfffffff0;
	a.payload_len = 0xf0;
	kcolo_wire_put_pages(buf, &a);
	ASSERT_NE(kcolo_wire_get_pages(buf, len, &b), NULL);
}

static const char *check(__u64 first, __u32 count, __u16 region, __u8 enc,
			 __u32 payload)
{
	const __u64 sizes[2] = { 100, 10 };
	struct kcolo_wire_extent e = { .first = first, .count = count,
		.region = region, .encoding = enc };
	struct kcolo_wire_pages p = { .nr_extents = 1, .payload_len = payload };
	__u8 buf[KCOLO_WIRE_EXTENT];

	kcolo_wire_put_extent(buf, &e);
	return kcolo_wire_check_extents(buf, &p, sizes, 2);
}

TEST(extents_are_checked)
{
	ASSERT_EQ(check(0, 1, 0, KCOLO_WIRE_RAW, 4096), NULL);
	ASSERT_EQ(check(99, 1, 0, KCOLO_WIRE_RAW, 4096), NULL);
	ASSERT_EQ(check(0, 10, 1, KCOLO_WIRE_ZERO, 0), NULL);
	ASSERT_NE(check(100, 1, 0, KCOLO_WIRE_RAW, 4096), NULL);
	ASSERT_NE(check(99, 2, 0, KCOLO_WIRE_RAW, 8192), NULL);
	ASSERT_NE(check(0, 11, 1, KCOLO_WIRE_ZERO, 0), NULL);
	ASSERT_NE(check(~0ULL, 2, 0, KCOLO_WIRE_ZERO, 0), NULL);
	ASSERT_NE(check(0, 0, 0, KCOLO_WIRE_RAW, 0), NULL);
	ASSERT_NE(check(0, 1, 2, KCOLO_WIRE_RAW, 4096), NULL);
	ASSERT_NE(check(0, 1, 0, 0, 0), NULL);
	ASSERT_NE(check(0, 1, 0, 3, 0), NULL);
	ASSERT_NE(check(0, 2, 0, KCOLO_WIRE_RAW, 4096), NULL);
	ASSERT_NE(check(0, 1, 0, KCOLO_WIRE_ZERO, 4096), NULL);
}

/* A peer must not make us work for more pages than a message may have. */
TEST(zero_extents_are_bounded)
{
	const __u64 sizes[1] = { 1ULL << 31 };
	struct kcolo_wire_extent e = { .count = KCOLO_WIRE_PAGES_MAX + 1,
		.encoding = KCOLO_WIRE_ZERO };
	struct kcolo_wire_pages p = { .nr_extents = 1 };
	__u8 buf[KCOLO_WIRE_EXTENT];

	kcolo_wire_put_extent(buf, &e);
	ASSERT_NE(kcolo_wire_check_extents(buf, &p, sizes, 1), NULL);
}

TEST(end_and_size_go_round)
{
	struct kcolo_wire_end a = { .messages = 1ULL << 40, .pages = 3 }, b;
	__u8 buf[KCOLO_WIRE_END];

	kcolo_wire_put_end(buf, &a);
	kcolo_wire_get_end(buf, &b);
	ASSERT_EQ(b.messages, 1ULL << 40);
	ASSERT_EQ(b.pages, 3);
	kcolo_wire_put_size(buf, 0x123456789aULL);
	ASSERT_EQ(kcolo_wire_get_size(buf), 0x123456789aULL);
}

TEST_HARNESS_MAIN
