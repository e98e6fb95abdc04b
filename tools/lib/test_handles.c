// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What kcolo.h promises of all handles: the fd to poll misses nothing, threads do not
 * meet in the library, and a program that was compiled against this version goes on.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "internal.h"
#include "test_kernel.h"
#include "test_lib.h"

#define ROUNDS		200
#define LOG_WORDS	64
#define LOG_BITS	64
#define LOG_PAGES	((uint64_t)LOG_WORDS * LOG_BITS)

static int watch(struct kcolo *k, uint32_t events)
{
	struct epoll_event e = { .events = events };
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0 || epoll_ctl(fd, EPOLL_CTL_ADD, kcolo_event_fd(k), &e))
		exit(1);
	return fd;
}

static bool woken(int fd, int timeout_ms)
{
	struct epoll_event e;

	return epoll_wait(fd, &e, 1, timeout_ms) == 1;
}

/* One event a wake: @early of them wait in the library, @late in the socket. */
static void test_level(int early, int late, const char *what)
{
	struct kcolo *k = begin();
	struct kcolo_event ev;
	int fd = watch(k, EPOLLIN), i, n = 0;

	kcolo_session_use_id(k, FAKE_ID);
	fake.early_events = early;
	fake.late_events = late;
	kcolo_subscribe(k);
	for (i = 1; i <= early + late; i++)
		n += woken(fd, 5000) && kcolo_event_next(k, &ev, 0) == 1 &&
		     ev.seq == (uint64_t)i;
	ok(n == early + late && !woken(fd, 0), what);
	close(fd);
	kcolo_close(k);
}

/* All events a wake: a wake comes for each that came after the last one was taken. */
static void test_edge(void)
{
	struct kcolo *k = begin();
	struct kcolo_event ev;
	int fd = watch(k, EPOLLIN | EPOLLET), i, n = 0;

	kcolo_session_use_id(k, FAKE_ID);
	fake.early_events = 3;
	fake.late_events = 2;
	for (i = 0; i < 3; i++) {
		kcolo_subscribe(k);
		while (n < 5 * (i + 1) && woken(fd, 5000))
			while (kcolo_event_next_raw(k, &ev, 0))
				n++;
	}
	fake.early_events = 0;
	fake.late_events = 0;
	/* A subscription tells its numbers anew, so of raw events a loss is one. */
	ok(n >= 15 && !woken(fd, 0), "edge triggered: all events a wake, and none is missed");
	kcolo_event_reread(k);
	ok(woken(fd, 0), "a reading that was asked for wakes, too");
	close(fd);
	kcolo_close(k);
}

/* Each with a handle of its own, and refusals of its own. */
struct asker {
	pthread_t thread;
	uint32_t id;
	int result;
	const char *words;
	bool good;
};

static void *ask(void *arg)
{
	struct asker *a = arg;
	struct kcolo_session_info info;
	struct kcolo_stats stats;
	struct kcolo *k;
	int i;

	a->good = true;
	for (i = 0; a->good && i < ROUNDS; i++) {
		if (kcolo_open(&k))
			return NULL;
		kcolo_session_use_id(k, a->id);
		a->good = kcolo_session_get(k, &info) == a->result &&
			  !strcmp(kcolo_error(k), a->words);
		kcolo_session_info_free(&info);
		kcolo_session_use_id(k, FAKE_ID);
		a->good &= !kcolo_stats_get(k, &stats) && stats.session_id == FAKE_ID &&
			   kcolo_commit(k) == -EPERM;
		kcolo_close(k);
	}
	a->good &= i == ROUNDS;
	return NULL;
}

static void test_threads(void)
{
	struct asker a[] = {
		{ .id = FAKE_ID, .words = "no error" },
		{ .id = 77, .result = -ENOENT, .words = "there is no such session" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(a); i++)
		if (pthread_create(&a[i].thread, NULL, ask, &a[i]))
			exit(1);
	for (i = 0; i < ARRAY_SIZE(a); i++)
		pthread_join(a[i].thread, NULL);
	ok(a[0].good && a[1].good, "two threads, a handle each");
}

static unsigned long user_log[LOG_WORDS];
static struct kcolo_region logged = { .log = user_log };
static pthread_barrier_t start;
static atomic_int loggers;

/* Every other page, from @arg on: all words are everybody's. */
static void *log_pages(void *arg)
{
	uint64_t page;

	pthread_barrier_wait(&start);
	for (page = (uintptr_t)arg; page < LOG_PAGES; page += 2)
		kcolo_log_dirty(&logged, page * 4096, 4096);
	loggers--;
	return NULL;
}

/* The kernel's part is this thread's: bits are taken while they are set. */
static int logged_at_once(void)
{
	pthread_t threads[2];
	uint64_t page;
	int i, n = 0;

	loggers = 2;
	for (i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, log_pages, (void *)(uintptr_t)i))
			exit(1);
	pthread_barrier_wait(&start);
	do {
		i = loggers;
		for (page = 0; page < LOG_PAGES; page += 64)
			n += __builtin_popcountll(kcolo_applied_take(&logged, page));
	} while (i);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	for (page = 0; page < LOG_PAGES; page += 64)
		n += __builtin_popcountll(kcolo_applied_take(&logged, page));
	return n;
}

static void test_log_threads(void)
{
	bool good = true;
	int i;

	logged.info.size = LOG_PAGES * 4096;
	pthread_barrier_init(&start, NULL, 3);
	for (i = 0; i < ROUNDS; i++)
		good &= logged_at_once() == (int)LOG_PAGES;
	pthread_barrier_destroy(&start);
	ok(good, "two threads log pages of the same words, and no bit is lost");
}

/*
 * The caller allocates these: another size is another ABI. If this fails a released
 * version is not to be linked with programs of before: raise SOVERSION in tools/Makefile,
 * and then change the number here (Documentation/libkcolo.rst).
 */
static void test_abi(void)
{
	ok(sizeof(union kcolo_addr) == 28 && sizeof(struct kcolo_params) == 80 &&
	   sizeof(struct kcolo_session_config) == 160 &&
	   sizeof(struct kcolo_region_info) == 112 && sizeof(struct kcolo_region) == 120 &&
	   sizeof(struct kcolo_session_info) == 584 && sizeof(struct kcolo_event) == 400 &&
	   sizeof(struct kcolo_stats) == 72 + 8 * KCOLO_STATS_ROOM && KCOLO_STATS_ROOM == 128,
	   "the structures of the ABI have their size");
}

/**
 * test_handles - what holds for all handles
 */
void test_handles(void)
{
	test_level(5, 0, "level triggered, one event a wake: in the library's queue");
	test_level(0, 5, "in the socket");
	test_level(3, 2, "in both");
	test_edge();
	test_threads();
	test_log_threads();
	test_abi();
}
