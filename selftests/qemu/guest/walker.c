// SPDX-License-Identifier: GPL-2.0
/*
 * The load of a protected Linux guest, which checks itself.
 *
 *	walker REGION WRITE PERIOD [EVERY]
 *
 * Every PERIOD ms it writes WRITE MiB in whole pages, spread over a REGION of so
 * many MiB, and says what it has done. Each page has a number that goes up with
 * each write, and contents that follow from it; the numbers are kept in a table
 * of their own. As many pages as were written, or one for EVERY so many, are
 * checked against it, one after the other and all over again, so a page that is of
 * another moment than the table is found. Then it says so and exits with 1; how
 * often all of them were right it says with each period.
 *
 * With WRITE above REGION pages are written more than once in a period.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define PAGE	4096
#define LANES	4
#define VECTORS	(PAGE / LANES / sizeof(uint64_t))

/* Random words, four at a time: an emulated CPU has little time for them. */
typedef uint64_t lanes_t __attribute__((vector_size(LANES * sizeof(uint64_t))));

struct page {
	lanes_t v[VECTORS];
};

static struct page *pages;
static uint32_t *numbers;
static size_t nr_pages, checked;

static uint64_t seed(size_t page, uint32_t number)
{
	return ((page + 1) * 0x9e3779b97f4a7c15ull ^ (uint64_t)number << 32) | 1;
}

/* Each lane a sequence of its own. */
static inline __attribute__((always_inline)) void start(lanes_t *x, uint64_t s)
{
	*x = (lanes_t){ s, s * 3, s * 5, s * 7 };
}

static inline __attribute__((always_inline)) void step(lanes_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
}

__attribute__((target_clones("avx2", "default")))
static void write_page(size_t page)
{
	lanes_t x;
	size_t i;

	start(&x, seed(page, ++numbers[page]));
	for (i = 0; i < VECTORS; i++) {
		step(&x);
		pages[page].v[i] = x;
	}
}

__attribute__((target_clones("avx2", "default")))
static int check_page(size_t page)
{
	lanes_t x, bad = { 0 };
	size_t i;

	if (!numbers[page])
		return 0;
	start(&x, seed(page, numbers[page]));
	for (i = 0; i < VECTORS; i++) {
		step(&x);
		bad |= pages[page].v[i] ^ x;
	}
	if (!(bad[0] | bad[1] | bad[2] | bad[3]))
		return 0;
	printf("walker: BAD page %zu, number %u\n", page, numbers[page]);
	return -1;
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int period(size_t count, size_t every, size_t *at)
{
	size_t i;

	/* A stride that is odd and so reaches all pages, in no order. */
	for (i = 0; i < count; i++) {
		*at = (*at + 7919) % nr_pages;
		write_page(*at);
		if (!(i % every) && check_page(checked++ % nr_pages))
			return -1;
	}
	return 0;
}

static void *get(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED) {
		perror("walker");
		exit(2);
	}
	return p;
}

int main(int argc, char **argv)
{
	unsigned long long written = 0;
	size_t count, every, at = 0;
	long due;

	if (argc < 4 || argc > 5)
		return 2;
	every = argc > 4 ? strtoul(argv[4], NULL, 10) : 1;
	nr_pages = strtoul(argv[1], NULL, 10) * 256;
	count = strtoul(argv[2], NULL, 10) * 256;
	pages = get(nr_pages * PAGE);
	numbers = get(nr_pages * sizeof(*numbers));
	setvbuf(stdout, NULL, _IONBF, 0);
	for (due = now_ms();; due += strtol(argv[3], NULL, 10)) {
		long wait = due - now_ms();
		struct timespec t = { wait / 1000, wait % 1000 * 1000000 };

		if (wait > 0)
			nanosleep(&t, NULL);
		else
			due -= wait;
		if (period(count, every, &at))
			return 1;
		written += count;
		printf("walker: good %llu all %zu\n", written, checked / nr_pages);
	}
}
