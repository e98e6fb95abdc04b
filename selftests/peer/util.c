// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include "peer.h"

void *xalloc(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		fail("no memory for %zu bytes", size);
	return p;
}

/* splitmix64: any state is a good one. */
u64 random64(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}
