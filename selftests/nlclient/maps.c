// SPDX-License-Identifier: GPL-2.0
/* What may be mapped from a session fd, and how, and what may be read from it. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "pair.h"

#define RW	(PROT_READ | PROT_WRITE)

static void *map(int fd, size_t size, int flags, u64 offset)
{
	return mmap(NULL, size, RW, flags, fd, offset);
}

static void no_map(int fd, const char *what, size_t size, int flags,
		   u64 offset, int err)
{
	void *p = map(fd, size, flags, offset);

	expect(p == MAP_FAILED, "%s can be mapped", what);
	expect(p != MAP_FAILED || errno == err, "%s: %s, not %s", what,
	       strerror(errno), strerror(err));
	if (p != MAP_FAILED)
		munmap(p, size);
}

static void no_maps(int fd, u64 scratch, const struct kcolo_region_info *r)
{
	u64 log = r->log_offset;

	no_map(fd, "a page of scratch", PAGE, MAP_SHARED, 0, EINVAL);
	no_map(fd, "scratch and a page", scratch + PAGE, MAP_SHARED, 0, EINVAL);
	no_map(fd, "scratch from its second page", scratch - PAGE, MAP_SHARED,
	       PAGE, EINVAL);
	no_map(fd, "a private scratch", scratch, MAP_PRIVATE, 0, EINVAL);
	no_map(fd, "a private log", r->log_size, MAP_PRIVATE, log, EINVAL);
	no_map(fd, "a log and a page", r->log_size + PAGE, MAP_SHARED, log,
	       EINVAL);
	no_map(fd, "a log a page further", r->log_size, MAP_SHARED, log + PAGE,
	       EINVAL);
	no_map(fd, "a log of no region", PAGE, MAP_SHARED, 2 * log, EINVAL);
	no_map(fd, "a log far away", PAGE, MAP_SHARED, 1ull << 62, EINVAL);
}

static void whole(void *p, size_t size, const char *what)
{
	expect(munmap(p + size - PAGE, PAGE) && errno == EINVAL,
	       "the end of %s can be unmapped", what);
	expect(munmap(p, PAGE) && errno == EINVAL,
	       "the beginning of %s can be unmapped", what);
	expect(mprotect(p, PAGE, PROT_READ) && errno == EINVAL,
	       "a part of %s can be protected", what);
	expect(mremap(p, size, 2 * size, MREMAP_MAYMOVE) == MAP_FAILED,
	       "%s can grow", what);
	expect(mremap(p, size, PAGE, 0) == MAP_FAILED || size == PAGE,
	       "%s can shrink", what);
	expect(mremap(p, size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
		      make_ram(size)) == MAP_FAILED, "%s can be moved", what);
	expect(mremap(p, 0, size, MREMAP_MAYMOVE) == MAP_FAILED,
	       "%s can be had twice", what);
}

static void in_fork(void *arg)
{
	struct kcolo_region *r = arg;
	unsigned char vec;

	/* Not inherited: there is no page to ask for. */
	expect(mincore(r->log, PAGE, &vec) && errno == ENOMEM,
	       "a child has the mapping of its parent");
}

static struct kcolo *with_region(struct kcolo_region *r, size_t size)
{
	struct kcolo *k = lone_primary(60000);

	if (kcolo_vm_attach(k, make_vm(NULL, 0, 1)) ||
	    kcolo_region_add(k, "ram", make_ram(size), size, r))
		fail("region-add: %s", kcolo_error(k));
	return k;
}

static void *find_scratch(u64 size)
{
	unsigned long from, to;
	char line[256];
	FILE *f = fopen("/proc/self/maps", "r");
	void *p = NULL;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%lx", &from, &to) == 2 &&
		    strstr(line, "[kcolo]") && to - from == size)
			p = (void *)from;
	if (f)
		fclose(f);
	if (!p)
		fail("the scratch area is not mapped");
	return p;
}

static void maps_refused(void)
{
	struct kcolo_session_info info;
	struct kcolo_region r;
	/* Its log has two pages: a part of it can be asked for. */
	struct kcolo *k = with_region(&r, 256 * MIB);
	int fd = kcolo_session_fd(k);
	void *scratch, *again;

	read_session(k, &info);
	expect(r.info.log_size == 2 * PAGE, "the log has %llu bytes",
	       (unsigned long long)r.info.log_size);
	no_maps(fd, info.scratch_size, &r.info);
	no_map(fd, "half a log", PAGE, MAP_SHARED, r.info.log_offset, EINVAL);
	no_map(fd, "a second scratch", info.scratch_size, MAP_SHARED, 0, EBUSY);
	scratch = find_scratch(info.scratch_size);
	whole(scratch, info.scratch_size, "scratch");
	whole(r.log, r.info.log_size, "a log");
	expect(!in_child(in_fork, &r), "a child");
	kcolo_log_dirty(&r, 0, PAGE);
	expect(r.log[0] & 1, "the log holds nothing");
	/* As a whole it may go, and come back. */
	expect(!munmap(scratch, info.scratch_size), "scratch cannot be unmapped");
	again = map(fd, info.scratch_size, MAP_SHARED, 0);
	expect(again != MAP_FAILED, "scratch cannot be mapped again: %s",
	       strerror(errno));
}

static void other_maps(void *arg)
{
	struct kcolo_session_info info;
	struct kcolo *k = arg;

	read_session(k, &info);
	no_map(kcolo_session_fd(k), "scratch of the parent", info.scratch_size,
	       MAP_SHARED, 0, EBUSY);
}

/* Another process has the only scratch area: the checkpoint fails in words. */
static void take_scratch(void *arg)
{
	struct pair *p = arg;
	struct kcolo_session_info info;
	uint64_t epoch;

	read_session(p->a, &info);
	if (map(p->fda, info.scratch_size, MAP_SHARED, 0) == MAP_FAILED)
		fail("scratch: %s", strerror(errno));
	if (kcolo_checkpoint(p->a, KCOLO_KIND_PERIODIC, &epoch))
		fail("checkpoint: %s", kcolo_error(p->a));
	sleep_ms(20);
	await_state(p->a, KCOLO_STATE_IDLE);
	read_session(p->a, &info);
	expect(info.abort_reason == KCOLO_ABORT_REASON_SCRATCH &&
	       strstr(info.error, "mmap offset 0 of the session fd"),
	       "the checkpoint was aborted for %s: %s",
	       kcolo_abort_reason_name(info.abort_reason), info.error);
}

static void maps_other_process(void)
{
	struct kcolo_session_info info;
	void *scratch;
	struct pair p;

	pair_up(&p, 60000);
	expect(!in_child(other_maps, p.a), "a child");
	pair_checkpoint(&p);
	read_session(p.a, &info);
	scratch = find_scratch(info.scratch_size);
	if (munmap(scratch, info.scratch_size))
		fail("munmap: %s", strerror(errno));
	expect(!in_child(take_scratch, &p), "a child");
	/* It has gone with the child. */
	if (map(p.fda, info.scratch_size, MAP_SHARED, 0) == MAP_FAILED)
		fail("scratch: %s", strerror(errno));
	pair_write(&p, 0, PAGE, 8);
	pair_checkpoint(&p);
}

static void maps_secondary(void)
{
	struct kcolo *k = lone_secondary();
	struct kcolo_region r;
	u64 scratch = PAGE + 256 * MIB;

	if (kcolo_region_add(k, "ram", make_ram(PAGE), PAGE, &r))
		fail("region-add: %s", kcolo_error(k));
	no_map(kcolo_session_fd(k), "scratch of a secondary", scratch,
	       MAP_SHARED, 0, EINVAL);
	no_map(kcolo_session_fd(k), "a log of a secondary", PAGE, MAP_SHARED,
	       1ull << 32, EINVAL);
}

static void no_io(const char *what, ssize_t n, int err)
{
	expect(n < 0 && errno == err, "%s: %zd, %s and not %s", what, n,
	       n < 0 ? strerror(errno) : "granted", strerror(err));
}

static short polled(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	return poll(&p, 1, 0) == 1 ? p.revents : 0;
}

static void maps_io(void)
{
	/* The compiler is not to know. */
	void *volatile nowhere = (void *)8;
	char buf[16];
	struct pair p;

	pair_up(&p, 60000);
	no_io("write to an idle primary", write(p.fda, "x", 1), EBUSY);
	no_io("read of a primary", read(p.fda, buf, 1), EBADF);
	no_io("write to a secondary", write(p.fdb, "x", 1), EBADF);
	no_io("read of an idle secondary", read(p.fdb, buf, 1), EBUSY);
	expect(!polled(p.fda) && !polled(p.fdb), "idle ends are ready");
	pair_ready(&p);
	expect(polled(p.fda) == POLLOUT, "a ready primary takes no state");
	no_io("write from nowhere", write(p.fda, nowhere, PAGE), EFAULT);
	expect(write(p.fda, "", 0) == 0, "nothing cannot be written");
	expect(write(p.fda, "st", 2) == 2, "write: %s", strerror(errno));
	pair_flush(&p);
	expect(write(p.fda, "ate", 3) == 3, "write: %s", strerror(errno));
	if (kcolo_commit(p.a))
		fail("commit: %s", kcolo_error(p.a));
	await_state(p.a, KCOLO_STATE_IDLE);
	no_io("write after the commit", write(p.fda, "x", 1), EBUSY);
	no_io("read before the promotion", read(p.fdb, buf, 1), EBUSY);
	if (kcolo_promote(p.b))
		fail("promote: %s", kcolo_error(p.b));
	await_state(p.b, KCOLO_STATE_PROMOTED);
	await_state(p.a, KCOLO_STATE_FENCED);
	expect(polled(p.fdb) == POLLIN, "a promoted secondary gives no state");
	no_io("write to a fenced primary", write(p.fda, "x", 1), EBUSY);
	no_io("read to nowhere", read(p.fdb, nowhere, 5), EFAULT);
	expect(read(p.fdb, buf, sizeof(buf)) == 5 && !memcmp(buf, "state", 5),
	       "the device state is another");
	expect(read(p.fdb, buf, sizeof(buf)) == 0, "there is more of it");
	if (kcolo_session_del(p.b))
		fail("session del");
	await_state(p.b, KCOLO_STATE_CLOSED);
	expect(polled(p.fdb) == POLLHUP, "a closed session does not hang up");
	no_io("read of a closed session", read(p.fdb, buf, 1), EBUSY);
}

const struct scenario maps_scenarios[] = {
	{ "maps-refused", "sizes, offsets, private, parts, moves", maps_refused },
	{ "maps-other-process", "in another process", maps_other_process },
	{ "maps-secondary", "a secondary has nothing to map", maps_secondary },
	{ "maps-io", "read, write and poll in each state", maps_io },
	{ 0 }
};
