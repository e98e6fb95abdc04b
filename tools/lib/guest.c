// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The guest: its VM, its regions, what of the session fd is mapped for them,
 * and the log of the VMM's own writes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "internal.h"

#define BITS_PER_LONG	(8 * sizeof(long))

/**
 * kcolo_vm_attach - say which KVM VM the primary protects
 * @k: handle
 * @vm_fd: the VM's fd; the kernel takes a reference of its own
 *
 * Return: 0 or a negative errno.
 */
int kcolo_vm_attach(struct kcolo *k, int vm_fd)
{
	struct kcolo_request rq;
	int err = kcolo_session_request(k, &rq, KCOLO_CMD_VM_ATTACH);

	if (err)
		return err;
	if (nla_put_s32(rq.msg, KCOLO_A_SESSION_VM_FD, vm_fd))
		return kcolo_request_fail(k, &rq, -ENOMEM);
	return kcolo_request_run(k, &rq);
}

static int map_session(struct kcolo *k, struct kcolo_map *map, uint64_t size,
		       uint64_t offset)
{
	void *addr;
	int err;

	if (size > SIZE_MAX || offset > INT64_MAX)
		return kcolo_fail(k, -EPROTO, "the reply is out of range");
	addr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, k->fd,
		    offset);
	if (addr == MAP_FAILED) {
		err = -errno;
		return kcolo_fail(k, err, "mmap of the session fd: %s",
				  strerror(-err));
	}
	map->addr = addr;
	map->size = size;
	return 0;
}

static void unmap(struct kcolo_map *map)
{
	if (map->addr)
		munmap(map->addr, map->size);
	map->addr = NULL;
	map->size = 0;
}

/* The kernel has one scratch area at a time, so the old one goes first. */
static int map_scratch(struct kcolo *k, uint64_t size)
{
	int err;

	if (size <= k->scratch.size)
		return 0;
	unmap(&k->scratch);
	err = map_session(k, &k->scratch, size, 0);
	if (err == -EBUSY)
		return kcolo_fail(k, err, "%s",
				  "another handle has regions of this session: all go through one");
	return err;
}

static uint64_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

static int map_log(struct kcolo *k, struct kcolo_region *region)
{
	const struct kcolo_region_info *info = &region->info;
	struct kcolo_map *logs;
	int err;

	/* kcolo_log_dirty() and kcolo_applied_take() rely on it. */
	if (info->log_size < (info->size / page_size() + 7) / 8)
		return kcolo_fail(k, -EPROTO, "the region's log is too short");
	logs = reallocarray(k->logs, k->nr_logs + 1, sizeof(*logs));
	if (!logs)
		return kcolo_fail(k, -ENOMEM, "%s", strerror(ENOMEM));
	k->logs = logs;
	err = map_session(k, &logs[k->nr_logs], info->log_size,
			  info->log_offset);
	if (err)
		return err;
	region->log = logs[k->nr_logs++].addr;
	return 0;
}

static void unmap_log(struct kcolo *k, struct kcolo_region *region)
{
	size_t i;

	for (i = 0; i < k->nr_logs; i++)
		if (k->logs[i].addr == region->log)
			break;
	if (region->log && i < k->nr_logs) {
		unmap(&k->logs[i]);
		k->logs[i] = k->logs[--k->nr_logs];
	}
	region->log = NULL;
}

/* What is asked for: without a size the region of this name. */
struct region_request {
	const char *name;
	void *addr;
	size_t size;
	bool in_place;
};

struct region_reply {
	struct kcolo_region_info info;
	uint64_t scratch_size;
	bool there;
};

static int take_region(struct kcolo *k, const struct nlmsghdr *nlh,
		       struct nlattr **tb, void *arg)
{
	struct region_reply *reply = arg;

	(void)nlh;
	if (!tb[KCOLO_A_SESSION_REGION] ||
	    kcolo_parse_region(tb[KCOLO_A_SESSION_REGION], &reply->info))
		return kcolo_fail(k, -EPROTO, "the reply has no region");
	if (tb[KCOLO_A_SESSION_SCRATCH_SIZE])
		reply->scratch_size =
			nla_get_u64(tb[KCOLO_A_SESSION_SCRATCH_SIZE]);
	reply->there = true;
	return 0;
}

static int put_region(struct nl_msg *msg, const struct region_request *r)
{
	struct nlattr *nest;

	/* Strict validation wants NLA_F_NESTED, which libnl does not set. */
	nest = nla_nest_start(msg, KCOLO_A_SESSION_REGION | NLA_F_NESTED);
	if (!nest || nla_put_string(msg, KCOLO_A_REGION_NAME, r->name))
		return -1;
	if (r->size &&
	    (nla_put_u64(msg, KCOLO_A_REGION_ADDRESS, (uintptr_t)r->addr) ||
	     nla_put_u64(msg, KCOLO_A_REGION_SIZE, r->size)))
		return -1;
	if (r->in_place && nla_put_flag(msg, KCOLO_A_REGION_IN_PLACE))
		return -1;
	return nla_nest_end(msg, nest);
}

static int ask_region(struct kcolo *k, int cmd, const struct region_request *r,
		      struct region_reply *reply)
{
	struct kcolo_request rq;
	int err;

	memset(reply, 0, sizeof(*reply));
	if (!r->name[0] || strlen(r->name) > KCOLO_NAME_MAX)
		return kcolo_fail(k, -EINVAL, "a name has 1 to %d characters",
				  KCOLO_NAME_MAX);
	err = kcolo_session_request(k, &rq, cmd);
	if (err)
		return err;
	if (cmd == KCOLO_CMD_REGION_ADD)
		rq.reply = take_region;
	rq.arg = reply;
	if (put_region(rq.msg, r))
		return kcolo_request_fail(k, &rq, -ENOMEM);
	return kcolo_request_run(k, &rq);
}

static int map_region(struct kcolo *k, struct kcolo_region *region,
		      const struct region_reply *reply)
{
	int err = map_scratch(k, reply->scratch_size);

	/* A secondary has no scratch area, and a log only to tell of pages. */
	if (err || !region->info.log_size)
		return err;
	return map_log(k, region);
}

static void undo_region(struct kcolo *k, const char *name)
{
	struct region_request r = { .name = name };
	struct region_reply reply;
	char why[sizeof(k->error)];

	memcpy(why, k->error, sizeof(why));
	ask_region(k, KCOLO_CMD_REGION_DEL, &r, &reply);
	memcpy(k->error, why, sizeof(why));
}

static int add_region(struct kcolo *k, const struct region_request *r,
		      struct kcolo_region *region)
{
	struct region_reply reply;
	int err = kcolo_session_need_fd(k);

	memset(region, 0, sizeof(*region));
	if (err)
		return err;
	if (!r->size)
		return kcolo_fail(k, -EINVAL, "the region is empty");
	err = ask_region(k, KCOLO_CMD_REGION_ADD, r, &reply);
	if (err)
		return err;
	if (!reply.there || reply.info.size != r->size ||
	    reply.info.in_place != r->in_place) {
		undo_region(k, r->name);
		return kcolo_fail(k, -EPROTO, "the reply has no such region");
	}
	region->info = reply.info;
	err = map_region(k, region, &reply);
	if (err)
		undo_region(k, r->name);
	return err;
}

/**
 * kcolo_region_add - add a region of this process' memory to the session
 * @k: handle with a session fd
 * @name: the same on both hosts
 * @addr: where it begins, on a page
 * @size: bytes, whole pages
 * @region: what the kernel made of it, and its log
 *
 * Return: 0 or a negative errno, and then nothing was added.
 */
int kcolo_region_add(struct kcolo *k, const char *name, void *addr, size_t size,
		     struct kcolo_region *region)
{
	struct region_request r = { .name = name, .addr = addr, .size = size };

	return add_region(k, &r, region);
}

/**
 * kcolo_region_add_in_place - add a cache of what the primary's region is
 * @k: handle of a secondary with external device state
 * @name: the same on both hosts
 * @addr: where it begins, on a page
 * @size: bytes, whole pages
 * @region: what the kernel made of it, and its log
 *
 * Pages are put in it as they come, also those of an epoch that is then given
 * up, and nothing is left to be done when one is committed. It is what the
 * primary has from a commit until the primary opens the next epoch. What the
 * guest runs on after a failover is kept by the caller, as in QEMU's COLO.
 *
 * Return: 0 or a negative errno, and then nothing was added.
 */
int kcolo_region_add_in_place(struct kcolo *k, const char *name, void *addr,
			      size_t size, struct kcolo_region *region)
{
	struct region_request r = { .name = name, .addr = addr, .size = size,
				    .in_place = true };

	return add_region(k, &r, region);
}

/**
 * kcolo_region_del - remove a region
 * @k: handle
 * @region: one that the handle has added; on success its log is unmapped, and no
 *	thread may be in kcolo_log_dirty() or kcolo_applied_take() with it
 *
 * Return: 0 or a negative errno.
 */
int kcolo_region_del(struct kcolo *k, struct kcolo_region *region)
{
	struct region_request r = { .name = region->info.name };
	struct region_reply reply;
	int err;

	err = ask_region(k, KCOLO_CMD_REGION_DEL, &r, &reply);
	if (!err)
		unmap_log(k, region);
	return err;
}

/**
 * kcolo_clean - every region is what the peer has already
 * @k: handle of a session with its regions, before its first checkpoint
 *
 * Return: 0 or a negative errno.
 */
int kcolo_clean(struct kcolo *k)
{
	return kcolo_session_simple(k, KCOLO_CMD_CLEAN);
}

/**
 * kcolo_log_dirty - say that the VMM has written guest memory itself
 * @region: where; without a user log nothing is done
 * @offset: of the first byte, in the region
 * @len: bytes; what is beyond the region is ignored
 *
 * To be called after the write. A bit that is set already is set again: the
 * kernel may be clearing it, and then reads the page without waiting for us.
 *
 * Context: any thread, any signal handler.
 */
void kcolo_log_dirty(const struct kcolo_region *region, uint64_t offset,
		     uint64_t len)
{
	uint64_t page, last, word, mask;

	if (!region->log || !len || offset >= region->info.size)
		return;
	if (len > region->info.size - offset)
		len = region->info.size - offset;
	page = offset / page_size();
	last = (offset + len - 1) / page_size();
	while (page <= last) {
		word = page / BITS_PER_LONG;
		mask = ~0UL << page % BITS_PER_LONG;
		if (word == last / BITS_PER_LONG)
			mask &= ~0UL >> (BITS_PER_LONG - 1 -
					 last % BITS_PER_LONG);
		__atomic_fetch_or(&region->log[word], mask, __ATOMIC_RELEASE);
		page = (word + 1) * BITS_PER_LONG;
	}
}

/**
 * kcolo_applied_take - which pages were put in place since this was last asked
 * @region: of a secondary; without an applied log nothing is known of it
 * @page: first of 64, a multiple of 64
 *
 * A page whose bit is returned is what the kernel has made it: bits are set
 * after the page was written.
 *
 * Context: any thread.
 * Return: a bit per page, the lowest for @page; what is beyond the region is 0.
 */
uint64_t kcolo_applied_take(const struct kcolo_region *region, uint64_t page)
{
	uint64_t *word = (uint64_t *)region->log + page / 64;

	if (!region->log || page >= region->info.size / page_size())
		return 0;
	/* A word is not written to for nothing: most are 0. */
	if (!__atomic_load_n(word, __ATOMIC_RELAXED))
		return 0;
	return __atomic_exchange_n(word, 0, __ATOMIC_ACQUIRE);
}
