// SPDX-License-Identifier: GPL-2.0
/* CRC32C as the kernel's crc32c(): not inverted at the end. */
#include "peer.h"

u32 crc32c(u32 crc, const void *data, unsigned int len)
{
	static u32 table[256];
	const u8 *p = data;
	u32 i, bit;

	if (!table[1])
		for (i = 0; i < 256; i++)
			for (bit = 0, table[i] = i; bit < 8; bit++)
				table[i] = table[i] >> 1 ^
					(table[i] & 1 ? 0x82f63b78 : 0);
	while (len--)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 0xff];
	return crc;
}
