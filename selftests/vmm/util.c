// SPDX-License-Identifier: GPL-2.0
/* What every file needs: errors, time, a CRC, random numbers. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "kvmm.h"

atomic_bool asked_to_stop;

/* One write() a line, so that lines of several processes do not mix. */
static void message(const char *fmt, va_list ap)
{
	u64 us = now_us();
	char line[512];
	size_t n;

	n = snprintf(line, sizeof(line), "[%5llu.%03llu] kvmm: ",
		     us / 1000000 % 100000, us / 1000 % 1000);
	n += vsnprintf(line + n, sizeof(line) - n - 1, fmt, ap);
	if (n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n] = '\n';
	line[n + 1] = 0;
	fputs(line, stderr);
}

void say(const char *fmt, ...)
{
	va_list ap;

	if (opt.quiet)
		return;
	va_start(ap, fmt);
	message(fmt, ap);
	va_end(ap);
}

void complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message(fmt, ap);
	va_end(ap);
}

void die(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message(fmt, ap);
	va_end(ap);
	exit(code);
}

u64 now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void sleep_ms(u32 ms)
{
	struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		die(EXIT_USAGE, "out of memory (%zu bytes)", n * size);
	return p;
}

/* The CRC-32 of Ethernet and zlib. */
u32 crc32_of(const void *data, size_t len)
{
	const u8 *p = data;
	u32 crc = ~0u;
	int bit;

	while (len--) {
		crc ^= *p++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

u64 random_below(u64 n)
{
	u64 x = 0;

	if (getrandom(&x, sizeof(x), 0) != sizeof(x))
		x = stream_mix(now_us());
	return n ? x % n : 0;
}
