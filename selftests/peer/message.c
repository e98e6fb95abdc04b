// SPDX-License-Identifier: GPL-2.0
/* Messages as bytes. What is wrong with them is done by whoever asked. */
#include <stdlib.h>
#include <string.h>
#include "peer.h"

void buf_add(struct buf *b, const void *bytes, size_t len)
{
	if (b->len + len > b->cap) {
		b->cap = (b->len + len) * 2;
		b->p = realloc(b->p, b->cap);
		if (!b->p)
			fail("no memory for %zu bytes", b->cap);
	}
	if (len)
		memcpy(b->p + b->len, bytes, len);
	b->len += len;
}

void buf_free(struct buf *b)
{
	free(b->p);
	memset(b, 0, sizeof(*b));
}

void buf_message(struct buf *b, u32 type, u64 epoch, u32 arg, const void *body,
		 u32 len)
{
	struct kcolo_wire_hdr hdr = {
		.type = type,
		.length = len,
		.arg = arg,
		.epoch = epoch,
		.crc = len ? crc32c(~0U, body, len) : 0,
	};
	u8 bytes[KCOLO_WIRE_HDR];

	kcolo_wire_put_hdr(bytes, &hdr);
	buf_add(b, bytes, sizeof(bytes));
	buf_add(b, body, len);
}

void buf_size(struct buf *b, u64 epoch, u64 size)
{
	u8 body[KCOLO_WIRE_SIZE];

	kcolo_wire_put_size(body, size);
	buf_message(b, KCOLO_WIRE_VMSTATE_SIZE, epoch, 0, body, sizeof(body));
}

void buf_end(struct buf *b, u64 epoch, u64 messages, u64 pages)
{
	struct kcolo_wire_end end = { messages, pages };
	u8 body[KCOLO_WIRE_END];

	kcolo_wire_put_end(body, &end);
	buf_message(b, KCOLO_WIRE_CHECKPOINT_END, epoch, 0, body, sizeof(body));
}

void buf_fix_header(struct buf *b, size_t at)
{
	u32 crc = crc32c(~0U, b->p + at, KCOLO_WIRE_HDR - 4);
	u32 i;

	for (i = 0; i < 4; i++)
		b->p[at + KCOLO_WIRE_HDR - 4 + i] = crc >> 8 * i;
}
