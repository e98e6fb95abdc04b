// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "carry.h"

/* Bytes of a line, as hexadecimal digits. */
#define PIECE	1024u

static void to_hex(char *text, const u8 *p, size_t len)
{
	static const char digit[] = "0123456789abcdef";

	while (len--) {
		*text++ = digit[*p >> 4];
		*text++ = digit[*p++ & 15];
	}
	*text = 0;
}

static u8 digit_of(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Bytes of @text, at most @max. */
static size_t from_hex(u8 *p, const char *text, size_t max)
{
	size_t n;

	for (n = 0; n < max && text[0] > ' ' && text[1] > ' '; n++, text += 2)
		p[n] = digit_of(text[0]) << 4 | digit_of(text[1]);
	return n;
}

void carry_state(struct side *side, u64 epoch, const void *state, size_t len)
{
	char text[2 * PIECE + 1];
	size_t at, n;

	for (at = 0; at < len; at += n) {
		n = len - at < PIECE ? len - at : PIECE;
		to_hex(text, (const u8 *)state + at, n);
		side_send(side, "state %llu %zu %zu %s", epoch, len, at, text);
	}
}

static bool all_zero(const u8 *p)
{
	u32 i;

	for (i = 0; i < PIECE; i++)
		if (p[i])
			return false;
	return true;
}

/* Of a paused guest, to one whose RAM is still all zero. */
void carry_ram(struct side *side, struct vm *vm)
{
	char text[2 * PIECE + 1];
	struct region *r;
	u64 at;

	for (r = vm->region; r < vm->region + vm->nr_regions; r++)
		for (at = 0; at < r->size; at += PIECE) {
			if (all_zero(r->mem + at))
				continue;
			to_hex(text, r->mem + at, PIECE);
			side_send(side, "ram %u %llu %s",
				  (u32)(r - vm->region), at, text);
		}
}

void carried_state(struct carried *c, u64 epoch, char *rest)
{
	size_t len = strtoull(rest, &rest, 10);
	size_t at = strtoull(rest, &rest, 10);

	if (c->epoch != epoch || c->len != len || !c->buf) {
		free(c->buf);
		c->buf = xcalloc(len, 1);
		c->epoch = epoch;
		c->len = len;
		c->have = 0;
	}
	/* In order, as they were sent. */
	if (*rest == ' ' && at == c->have && at < len)
		c->have += from_hex(c->buf + at, rest + 1, len - at);
}

void carried_ram(struct vm *vm, u64 region, char *rest)
{
	u64 at = strtoull(rest, &rest, 10);
	struct region *r = &vm->region[region];

	if (region < vm->nr_regions && *rest == ' ' && at < r->size)
		from_hex(r->mem + at, rest + 1, PIECE);
}

bool carried_whole(const struct carried *c, u64 epoch)
{
	return c->buf && c->epoch == epoch && c->have == c->len;
}

void carried_keep(struct carried *to, struct carried *from)
{
	free(to->buf);
	*to = *from;
	memset(from, 0, sizeof(*from));
}
