// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "pages.h"

/* One larger than a message may have pages, one of a single page. */
const struct region_def regions[NR_REGIONS] = {
	{ "ram0", 300 }, { "ram1", 70 }, { "vram", 1 },
};

void ram_alloc(struct ram *ram)
{
	u32 i;

	for (i = 0; i < NR_REGIONS; i++) {
		ram->region[i] = mmap(NULL, regions[i].pages * PAGE,
				      PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (ram->region[i] == MAP_FAILED)
			fail("no memory for region %s", regions[i].name);
	}
}

void page_content(u8 *page, u32 region, u64 index, u64 version)
{
	u64 word = version << 48 ^ (u64)region << 40 ^ index << 9;
	u32 i;

	if (!version) {
		memset(page, 0, PAGE);
		return;
	}
	for (i = 0; i < PAGE; i += sizeof(word), word += 0x9e3779b97f4a7c15ull)
		memcpy(page + i, &word, sizeof(word));
}

void ram_set(struct ram *ram, u32 region, u64 first, u32 count, u64 version)
{
	u32 i;

	for (i = 0; i < count; i++)
		page_content(ram->region[region] + (first + i) * PAGE, region,
			     first + i, version);
}

void ram_fill(struct ram *ram, u64 version)
{
	u32 i;

	for (i = 0; i < NR_REGIONS; i++)
		ram_set(ram, i, 0, regions[i].pages, version);
}

void ram_copy(struct ram *to, const struct ram *from)
{
	u32 i;

	for (i = 0; i < NR_REGIONS; i++)
		memcpy(to->region[i], from->region[i], regions[i].pages * PAGE);
}

bool ram_equal(const struct ram *is, const struct ram *should, const char *when)
{
	u32 i, p;

	for (i = 0; i < NR_REGIONS; i++)
		for (p = 0; p < regions[i].pages; p++) {
			if (!memcmp(is->region[i] + p * PAGE,
				    should->region[i] + p * PAGE, PAGE))
				continue;
			note("%s: page %u of %s is not what it has to be",
			     when, p, regions[i].name);
			return false;
		}
	return true;
}

void pages_add(struct pages *m, u32 region, u64 first, u32 count, u64 version)
{
	u8 page[PAGE];
	u32 i;

	if (m->nr_extents == EXTENTS_ROOM)
		fail("kpeer: no room for extents");
	m->extent[m->nr_extents++] = (struct kcolo_wire_extent) {
		.first = first,
		.count = count,
		.region = region,
		.encoding = version ? KCOLO_WIRE_RAW : KCOLO_WIRE_ZERO,
	};
	m->nr_pages += count;
	for (i = 0; version && i < count; i++) {
		page_content(page, region, first + i, version);
		buf_add(&m->payload, page, PAGE);
	}
}

void pages_add_from(struct pages *m, const struct ram *ram, u32 region, u64 index)
{
	if (m->nr_extents == EXTENTS_ROOM)
		fail("kpeer: no room for extents");
	m->extent[m->nr_extents++] = (struct kcolo_wire_extent) {
		.first = index,
		.count = 1,
		.region = region,
		.encoding = KCOLO_WIRE_RAW,
	};
	m->nr_pages++;
	buf_add(&m->payload, ram->region[region] + index * PAGE, PAGE);
}

void pages_put(struct pages *m, struct buf *b, u64 epoch, u32 round)
{
	struct kcolo_wire_pages pages = {
		.nr_extents = m->nr_extents,
		.payload_crc = crc32c(~0U, m->payload.p, m->payload.len),
		.payload_len = m->payload.len,
	};
	u32 desc = KCOLO_WIRE_PAGES_HEAD + m->nr_extents * KCOLO_WIRE_EXTENT, i;
	struct kcolo_wire_hdr hdr = {
		.type = KCOLO_WIRE_PAGES,
		.flags = KCOLO_WIRE_F_CRC,
		.length = desc + pages.payload_len,
		.arg = round,
		.epoch = epoch,
	};
	u8 head[KCOLO_WIRE_HDR + KCOLO_WIRE_PAGES_HEAD +
		KCOLO_WIRE_EXTENT * EXTENTS_ROOM];
	u8 *body = head + KCOLO_WIRE_HDR;

	kcolo_wire_put_pages(body, &pages);
	for (i = 0; i < m->nr_extents; i++)
		kcolo_wire_put_extent(body + KCOLO_WIRE_PAGES_HEAD +
				      i * KCOLO_WIRE_EXTENT, &m->extent[i]);
	hdr.crc = crc32c(~0U, body, desc);
	kcolo_wire_put_hdr(head, &hdr);
	buf_add(b, head, KCOLO_WIRE_HDR + desc);
	buf_add(b, m->payload.p, m->payload.len);
	buf_free(&m->payload);
	m->nr_extents = 0;
	m->nr_pages = 0;
}
