// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The library against a kernel of its own (test_kernel.c). KTAP.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "internal.h"
#include "test_kernel.h"
#include "test_lib.h"

#define FUZZ_ROUNDS	3000

static unsigned int nr, failed;

void ok(bool good, const char *what)
{
	printf("%s %u %s\n", good ? "ok" : "not ok", ++nr, what);
	failed += !good;
}

struct kcolo *begin(void)
{
	struct kcolo *k;

	if (kcolo_open(&k)) {
		puts("Bail out! no handle");
		exit(1);
	}
	return k;
}

static int session_file(void)
{
	int fd = memfd_create("session", MFD_CLOEXEC);

	if (ftruncate(fd, 1 << 20))
		exit(1);
	return fd;
}

/* A handle with a session of its own, whose fd is a file. */
static struct kcolo *begin_session(void)
{
	struct kcolo_session_config c = {
		.name = FAKE_NAME, .role = KCOLO_ROLE_PRIMARY, .insecure = true,
	};
	struct kcolo *k = begin();

	fake.session_fd = session_file();
	kcolo_addr_parse("10.0.0.2:7000", &c.peer);
	ok(!kcolo_session_new(k, &c) && kcolo_session_fd(k) == fake.session_fd,
	   "session-new gives its fd");
	return k;
}

static void test_open(void)
{
	struct kcolo *k;

	fake.no_module = 1;
	errno = 0;
	ok(kcolo_open(&k) == -EPROTONOSUPPORT && !k && errno == EPROTONOSUPPORT,
	   "open without the module");
	ok(kcolo_error(NULL), "an error without a handle");
	fake.no_module = 0;
	k = begin();
	ok(k->family == FAKE_FAMILY && k->group == FAKE_GROUP,
	   "family and group are found");
	ok(kcolo_session_del(k) == -EINVAL &&
	   !strcmp(kcolo_error(k), "the handle has no session"),
	   "a request without a session");
	kcolo_close(k);
	kcolo_close(NULL);
}

static void test_get(void)
{
	struct kcolo_session_info info;
	struct kcolo *k = begin();
	char buf[80];

	kcolo_session_use_name(k, FAKE_NAME);
	ok(!kcolo_session_get(k, &info), "session-get by name");
	ok(info.id == FAKE_ID && !strcmp(info.name, FAKE_NAME) &&
	   info.state == KCOLO_STATE_IDLE && info.insecure && info.synced &&
	   info.params.threshold == 64 << 20 && info.params.checksum &&
	   info.params.pause_limit == 2500 && info.pending == UINT64_MAX &&
	   info.params.log_sync && info.params.log_sync_timeout == 150 &&
	   info.params.staging_limit == 5 << 20 &&
	   info.device_state == KCOLO_DEVICE_STATE_EXTERNAL && info.clean &&
	   info.abort_reason == 99 && info.event_seq == 2,
	   "each member has its value");
	ok(!strcmp(kcolo_addr_format(&info.peer, buf, sizeof(buf)),
		   "10.0.0.2:7000") && !info.local.sa.sa_family, "addresses");
	ok(info.nr_regions == 2 && !strcmp(info.regions[1].name, "vram") &&
	   info.regions[1].size == 16 << 20, "regions");
	kcolo_session_info_free(&info);
	kcolo_session_use_id(k, 77);
	ok(kcolo_session_get(k, &info) == -ENOENT && !info.regions &&
	   !strcmp(kcolo_error(k), "there is no such session"),
	   "the kernel's own words");
	ok(kcolo_session_use_name(k, "") == -EINVAL, "an empty name");
	kcolo_close(k);
}

static void test_refusals(void)
{
	struct kcolo_params p = {
		.mask = KCOLO_PARAM_MIN_GAIN | KCOLO_PARAM_CHECKSUM,
		.min_gain = 101,
	};
	struct kcolo *k = begin();

	kcolo_session_use_id(k, FAKE_ID);
	ok(kcolo_session_set(k, &p) == -ERANGE &&
	   !strcmp(kcolo_error(k), "integer out of range (min-gain)"),
	   "the attribute refused is named");
	p.min_gain = 100;
	ok(!kcolo_session_set(k, &p) &&
	   fake.params == (1u << KCOLO_A_SESSION_ID |
			   1u << KCOLO_A_SESSION_MIN_GAIN |
			   1u << KCOLO_A_SESSION_CHECKSUM),
	   "only what is meant is set");
	ok(kcolo_commit(k) == -EPERM &&
	   !strcmp(kcolo_error(k),
		   "Operation not permitted: this needs CAP_NET_ADMIN"),
	   "a refusal without words");
	ok(kcolo_promote(k) == -EOPNOTSUPP, "the errno is the kernel's");
	ok(kcolo_devstate_write(k, "x", 1) == -EBADF, "no fd, no device state");
	fake.lose = 1;
	ok(kcolo_abort(k) == -ENOBUFS, "a lost reply is ENOBUFS");
	ok(!kcolo_abort(k), "and a late one is passed over");
	kcolo_close(k);
}

static int count(const struct kcolo_session_info *info, void *arg)
{
	return info->nr_regions == 2 ? ++*(int *)arg == 5 : -1;
}

static int count_stats(const struct kcolo_stats *stats, void *arg)
{
	*(uint64_t *)arg += stats->value[KCOLO_A_STATS_ABORTS];
	return 0;
}

static void test_dump(void)
{
	struct kcolo_stats stats;
	struct kcolo *k = begin();
	uint64_t sum = 0;
	int n = 0;

	fake.sessions = 3;
	ok(!kcolo_session_dump(k, count, &n) && n == 3, "dump");
	fake.torn = 2;
	n = 0;
	ok(!kcolo_session_dump(k, count, &n) && n == 3 && !fake.torn,
	   "a torn dump is taken again");
	fake.torn = 1000;
	ok(kcolo_session_dump(k, count, &n) == -EINTR, "but not for ever");
	fake.torn = 0;
	fake.sessions = 9;
	n = 0;
	ok(kcolo_session_dump(k, count, &n) == 1 && n == 5, "a dump cut short");
	ok(!kcolo_stats_dump(k, count_stats, &sum) &&
	   sum == 9 * (1000 + KCOLO_A_STATS_ABORTS), "dump of counters");
	fake.sessions = 1;
	ok(kcolo_stats_get(k, &stats) == -EINVAL, "counters of no session");
	kcolo_session_use_name(k, FAKE_NAME);
	ok(!kcolo_stats_get(k, &stats) && stats.session_id == FAKE_ID &&
	   stats.value[KCOLO_A_STATS_MAX] == 1000 + KCOLO_A_STATS_MAX,
	   "counters by name");
	kcolo_close(k);
}

bool readable(struct kcolo *k)
{
	struct pollfd p = { .fd = kcolo_event_fd(k), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void test_events(void)
{
	struct kcolo_event ev;
	struct kcolo *k = begin();
	int i, n = 0;

	kcolo_session_use_id(k, FAKE_ID);
	ok(!readable(k) && !kcolo_event_next(k, &ev, 0), "no event yet");
	fake.early_events = 3;
	fake.late_events = 2;
	ok(!kcolo_subscribe(k), "subscribe, events come before its answer");
	ok(readable(k), "the event fd tells of queued events");
	for (i = 1; i <= 5; i++)
		n += kcolo_event_next(k, &ev, 1000) == 1 && ev.seq == (uint64_t)i;
	ok(n == 5, "events in their order");
	ok(ev.type == KCOLO_EVENT_TYPE_CHECKPOINT_ABORTED && ev.epoch == 42 &&
	   ev.pause_us == 1234 && !strcmp(ev.session_name, FAKE_NAME),
	   "each member of an event has its value");
	ok(!readable(k) && !kcolo_event_next(k, &ev, 20), "and no more");
	fake.lose = 1;
	ok(kcolo_event_next_raw(k, &ev, 0) == -ENOBUFS && !readable(k),
	   "lost events");
	fake.early_events = KCOLO_QUEUE_MAX + 8;
	fake.late_events = 0;
	ok(!kcolo_subscribe(k), "subscribe, too many events before its answer");
	for (n = 0; kcolo_event_next_raw(k, &ev, 0) == 1; n++)
		;
	ok(n == KCOLO_QUEUE_MAX && !k->lost && !readable(k),
	   "those that do not fit are said to be lost");
	fake.early_events = 0;
	fake.subscribes = 0;
	fake.lose = 1;
	ok(!kcolo_subscribe(k) && fake.subscribes == 2 &&
	   kcolo_event_next_raw(k, &ev, 0) == -ENOBUFS, "a lost answer");
	fake.late_events = 3;
	ok(!kcolo_subscribe(k) && kcolo_wait_readable(k->ev.fd, kcolo_now_ms() + 5000) == 1,
	   "events that are not read");
	fake.late_events = 0;
	fake.full = 1;
	ok(!kcolo_subscribe(k) && !fake.full &&
	   kcolo_event_next_raw(k, &ev, 0) == -ENOBUFS && !readable(k),
	   "subscribe on a full socket");
	fake.full = 0;
	kcolo_close(k);
}

static void on_alarm(int sig __attribute__((unused)))
{
}

static void test_waiting(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct kcolo_event ev;
	struct kcolo *k = begin();
	int64_t start;

	kcolo_session_use_id(k, FAKE_ID);
	sigaction(SIGALRM, &sa, NULL);
	alarm(1);
	ok(kcolo_event_next(k, &ev, -1) == -EINTR, "a signal ends a wait");
	ok(!kcolo_wait_connected(k, 0), "connected");
	fake.state = KCOLO_STATE_CONNECTING;
	start = kcolo_now_ms();
	ok(kcolo_wait_connected(k, 60) == -ETIMEDOUT &&
	   kcolo_now_ms() - start >= 60, "not connected in time");
	fake.state = KCOLO_STATE_LOST;
	fake.reconnect = 1;
	ok(kcolo_wait_connected(k, 60) == -ETIMEDOUT, "lost, and looked for");
	fake.reconnect = 0;
	ok(kcolo_wait_connected(k, -1) == -ENOTCONN, "lost, and not looked for");
	fake.state = KCOLO_STATE_CLOSED;
	ok(kcolo_wait_connected(k, -1) == -ESHUTDOWN &&
	   strstr(kcolo_error(k), "closed: the \"last\" error"), "closed");
	fake.state = KCOLO_STATE_IDLE;
	fake.silent = 1;
	start = kcolo_now_ms();
	ok(kcolo_flush(k) == -ETIMEDOUT &&
	   kcolo_now_ms() - start < KCOLO_REQUEST_MS + 1000,
	   "a kernel that does not answer");
	fake.silent = 0;
	kcolo_close(k);
}

static bool bits_are(const struct kcolo_region *r, unsigned int from,
		     unsigned int to)
{
	const unsigned char *p = (unsigned char *)r->log;
	unsigned int i;

	for (i = 0; i < 8 * r->info.log_size; i++)
		if (!!(p[i / 8] & 1 << i % 8) != (i >= from && i < to))
			return false;
	return true;
}

static bool logs(struct kcolo_region *r, uint64_t offset, uint64_t len,
		 unsigned int from, unsigned int to)
{
	memset(r->log, 0, r->info.log_size);
	kcolo_log_dirty(r, offset, len);
	return bits_are(r, from, to);
}

/* The scratch area is the first handle's. */
static void test_second(const struct kcolo *first)
{
	struct kcolo *k = begin();
	struct kcolo_region r;

	kcolo_session_use_fd(k, dup(kcolo_session_fd(first)));
	fake.mapped = 1;
	ok(kcolo_region_add(k, "vram", NULL, 4096, &r) == -EBUSY &&
	   strstr(kcolo_error(k), "another handle") && !r.log &&
	   fake.dels == 1, "regions go through one handle");
	fake.mapped = 0;
	kcolo_close(k);
}

static void test_region(void)
{
	struct kcolo *k = begin_session();
	struct kcolo_region r, none;
	uint64_t size = 4096 * 200;
	unsigned int a, b;
	bool good = true;

	ok(!kcolo_region_add(k, "ram", NULL, size, &r) && r.log &&
	   k->scratch.addr && k->scratch.size == FAKE_SCRATCH, "region-add");
	ok(logs(&r, 0, 1, 0, 1) && logs(&r, 4095, 2, 0, 2) &&
	   logs(&r, 4096, 4096, 1, 2) && logs(&r, 8191, 1, 1, 2), "log, bytes");
	for (a = 0; a < 200; a++)
		for (b = a + 1; b <= 200; b++)
			good &= logs(&r, a * 4096ull, (b - a) * 4096ull, a, b);
	ok(good, "log, each range of pages");
	ok(logs(&r, 0, UINT64_MAX, 0, 200) && logs(&r, size - 1, 2, 199, 200) &&
	   logs(&r, size, 1, 0, 0) && logs(&r, UINT64_MAX, 2, 0, 0) &&
	   logs(&r, 0, 0, 0, 0), "log, nothing beyond the region");
	ok(!kcolo_region_del(k, &r) && !r.log && !k->nr_logs, "region-del");
	kcolo_log_dirty(&r, 0, 1);
	fake.log_size = 0;
	ok(!kcolo_region_add(k, "ram", NULL, size, &none) && !none.log,
	   "a region without a log");
	fake.log_size = 4096;
	fake.dels = 0;
	test_second(k);
	fake.dels = 0;
	ok(kcolo_region_add(k, "ram", NULL, 1ull << 40, &none) == -EPROTO &&
	   fake.dels == 1 && !none.log, "a log that is too short is not mapped");
	fake.log_size = 4097 << 12;
	close(fake.session_fd);
	ok(kcolo_region_add(k, "ram", NULL, size, &none) == -EBADF &&
	   fake.dels == 2 && strstr(kcolo_error(k), "mmap"),
	   "what cannot be mapped is removed again");
	k->fd = -1;
	ok(kcolo_region_add(k, "ram", NULL, size, &none) == -EBADF, "no fd");
	fake.log_size = 4096;
	kcolo_close(k);
}

static void test_devstate(void)
{
	struct kcolo *k = begin_session();
	char big[300000];
	uint64_t epoch;
	size_t len, i;
	void *buf;

	if (ftruncate(fake.session_fd, 0))
		exit(1);
	ok(!kcolo_checkpoint(k, KCOLO_KIND_URGENT, &epoch) && epoch == 43,
	   "checkpoint gives its epoch");
	ok(!kcolo_devstate_read(k, &buf, &len) && !len, "no device state");
	free(buf);
	for (i = 0; i < sizeof(big); i++)
		big[i] = i * 7;
	ok(!kcolo_devstate_write(k, big, 1000) &&
	   !kcolo_devstate_write(k, big + 1000, sizeof(big) - 1000),
	   "device state is written");
	ok(!kcolo_devstate_read(k, &buf, &len) && len == sizeof(big) &&
	   !memcmp(buf, big, len), "and read");
	free(buf);
	kcolo_close(k);
}

/* A secondary whose VMM has the device state on a channel of its own. */
static void test_external(void)
{
	struct kcolo *k = begin_session();
	uint64_t size = 4096 * 200, i, n = 0;
	struct kcolo_region r;

	ok(!kcolo_apply(k, 42) && !kcolo_drop(k, 42), "apply and drop");
	ok(kcolo_apply(k, 41) == -ESTALE && kcolo_drop(k, 43) == -ESTALE &&
	   !strcmp(kcolo_error(k), "epoch 42 is open"), "of another epoch");
	ok(!kcolo_log_synced(k) && !kcolo_clean(k), "log-synced, clean");
	ok(!kcolo_region_add(k, "ram", NULL, size, &r) && r.log, "a log");
	memset(r.log, 0, r.info.log_size);
	/* It is the same bit: what is logged here is taken there. */
	kcolo_log_dirty(&r, 65 * 4096, 1);
	kcolo_log_dirty(&r, 127 * 4096, 1);
	ok(kcolo_applied_take(&r, 64) == (2 | 1ull << 63) &&
	   !kcolo_applied_take(&r, 64), "bits are taken once");
	kcolo_log_dirty(&r, 0, size);
	for (i = 0; i <= 256; i += 64)
		n += __builtin_popcountll(kcolo_applied_take(&r, i));
	ok(n == 200 && bits_are(&r, 0, 0), "all of them");
	r.log = NULL;
	ok(!kcolo_applied_take(&r, 0), "no log, no bits");
	kcolo_close(k);
}

static void test_use_fd(void)
{
	struct kcolo *k = begin();
	int fd = memfd_create("session", 0);

	ok(kcolo_session_use_fd(k, -1) == -EBADF, "no fd");
	ok(!kcolo_session_use_fd(k, fd) && k->id == FAKE_ID &&
	   fcntl(fd, F_GETFD) == FD_CLOEXEC,
	   "an inherited fd is taken over and not inherited on");
	ok(kcolo_session_use_fd(k, fd) == -EBUSY &&
	   kcolo_session_use_id(k, 1) == -EBUSY, "one session a handle");
	kcolo_close(k);
	ok(fcntl(fd, F_GETFD) < 0, "close closes the fd");
}

/* Replies changed at random: any result, but no crash, leak or wait. */
static void test_fuzz(void)
{
	struct kcolo_session_info info;
	struct kcolo_stats stats;
	struct kcolo_event ev;
	struct kcolo *k = begin();
	uint64_t epoch;
	int i, n;

	kcolo_session_use_id(k, FAKE_ID);
	fake.mutate = 1;
	fake.early_events = 2;
	for (i = 0; i < FUZZ_ROUNDS; i++) {
		if (!kcolo_session_get(k, &info))
			kcolo_session_info_free(&info);
		n = 0;
		kcolo_session_dump(k, count, &n);
		kcolo_stats_get(k, &stats);
		kcolo_checkpoint(k, KCOLO_KIND_PERIODIC, &epoch);
		kcolo_subscribe(k);
		while (kcolo_event_next(k, &ev, 0))
			;
	}
	fake.mutate = 0;
	ok(!kcolo_abort(k), "a malformed reply does not harm the next");
	kcolo_close(k);
}

int main(void)
{
	puts("KTAP version 1");
	test_open();
	test_get();
	test_refusals();
	test_dump();
	test_events();
	test_reread();
	test_waiting();
	test_region();
	test_devstate();
	test_external();
	test_use_fd();
	test_handles();
	test_fuzz();
	printf("1..%u\n# %u failed\n", nr, failed);
	return failed ? 1 : 0;
}
