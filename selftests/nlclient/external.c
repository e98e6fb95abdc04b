// SPDX-License-Identifier: GPL-2.0
/*
 * Device state that goes another way: the end of an epoch prepares it, and the
 * secondary's VMM, here, says apply or drop.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "pair.h"

#define EXTERNAL	KCOLO_DEVICE_STATE_EXTERNAL

static struct msg *ask(struct msg *m, int cmd, int fd, u64 epoch)
{
	msg_u32(msg_cmd(m, cmd), KCOLO_A_SESSION_FD, fd);
	return msg_u64(m, KCOLO_A_SESSION_EPOCH, epoch);
}

static u64 prepared(struct pair *p)
{
	struct kcolo_session_info info;

	pair_ready(p);
	pair_flush(p);
	if (kcolo_commit(p->a))
		fail("commit: %s", kcolo_error(p->a));
	await_state(p->b, KCOLO_STATE_PREPARED);
	read_session(p->b, &info);
	expect(info.committed < info.epoch, "epoch %llu is committed",
	       (unsigned long long)info.epoch);
	read_session(p->a, &info);
	expect(info.state == KCOLO_STATE_COMMITTING, "the primary is %s",
	       kcolo_state_name(info.state));
	return info.epoch;
}

static void commits(struct pair *p, u64 epoch)
{
	struct kcolo_session_info info;

	if (kcolo_apply(p->b, epoch))
		fail("apply: %s", kcolo_error(p->b));
	/* Granted is decided, whatever is in place by now. */
	read_session(p->b, &info);
	expect(info.committed == epoch, "epoch %llu is committed, not %llu",
	       (unsigned long long)info.committed, (unsigned long long)epoch);
	await_state(p->a, KCOLO_STATE_IDLE);
	await_state(p->b, KCOLO_STATE_IDLE);
	read_session(p->a, &info);
	expect(info.committed == epoch, "the primary does not know of it");
	expect(!memcmp(p->mem, p->copy, RAM_SIZE), "RAM is not equal");
}

static u64 taken(struct pair *p, u64 *first)
{
	u64 page, bits, n = 0;

	*first = RAM_SIZE / PAGE;
	for (page = 0; page < RAM_SIZE / PAGE; page += 64) {
		bits = kcolo_applied_take(&p->rb, page);
		if (bits && !n)
			*first = page + __builtin_ctzll(bits);
		n += __builtin_popcountll(bits);
	}
	return n;
}

static void external_apply(void)
{
	struct pair p;
	u64 first, n;
	struct msg m;
	u64 epoch;

	pair_up_with(&p, 60000, EXTERNAL);
	expect(p.rb.log && p.rb.info.log_size == PAGE,
	       "there is no applied log");
	epoch = prepared(&p);
	refused(p.nlb, p.fdb, "promote", ask(&m, KCOLO_CMD_PROMOTE, p.fdb, 0),
		EINVAL, "Unknown attribute type");
	refused(p.nlb, p.fdb, "apply of no epoch",
		msg_u32(msg_cmd(&m, KCOLO_CMD_APPLY), KCOLO_A_SESSION_FD, p.fdb),
		EINVAL, "which epoch? event checkpoint-prepared says it");
	refused(p.nlb, p.fdb, "drop of no epoch",
		msg_u32(msg_cmd(&m, KCOLO_CMD_DROP), KCOLO_A_SESSION_FD, p.fdb),
		EINVAL, "which epoch? event checkpoint-prepared says it");
	refused(p.nlb, p.fdb, "apply of the next epoch",
		ask(&m, KCOLO_CMD_APPLY, p.fdb, epoch + 1), ESTALE, "open");
	refused(p.nlb, p.fdb, "apply of epoch 0",
		ask(&m, KCOLO_CMD_APPLY, p.fdb, 0), ESTALE, "open");
	refused(p.nlb, p.fdb, "drop of the next epoch",
		ask(&m, KCOLO_CMD_DROP, p.fdb, epoch + 1), ESTALE, "open");
	refused(p.nla, p.fda, "apply on a primary",
		ask(&m, KCOLO_CMD_APPLY, p.fda, epoch), EBUSY, "do");
	refused(p.nla, p.fda, "drop on a primary",
		ask(&m, KCOLO_CMD_DROP, p.fda, epoch), EBUSY, "do");
	commits(&p, epoch);
	n = taken(&p, &first);
	expect(n == RAM_SIZE / PAGE, "%llu pages of a full sync were applied",
	       (unsigned long long)n);
	refused(p.nlb, p.fdb, "apply again",
		ask(&m, KCOLO_CMD_APPLY, p.fdb, epoch), EBUSY, "do");
	/* Two pages are new; they are put in place by apply and not before. */
	pair_write(&p, 70 * PAGE, 2 * PAGE, 9);
	epoch = prepared(&p);
	expect(p.copy[70 * PAGE] == 1 && !taken(&p, &first),
	       "a prepared epoch is in place");
	commits(&p, epoch);
	n = taken(&p, &first);
	expect(n == 2 && first == 70, "%llu pages from %llu on were applied",
	       (unsigned long long)n, (unsigned long long)first);
	expect(!taken(&p, &first), "bits are there again");
}

static void external_io(void)
{
	char buf[4];
	struct pair p;

	pair_up_with(&p, 60000, EXTERNAL);
	pair_ready(&p);
	expect(write(p.fda, "x", 1) < 0 && errno == EOPNOTSUPP,
	       "device state is taken: %s", strerror(errno));
	expect(kcolo_devstate_write(p.a, "x", 1) == -EOPNOTSUPP,
	       "device state is taken: %s", kcolo_error(p.a));
	if (kcolo_abort(p.a))
		fail("abort: %s", kcolo_error(p.a));
	await_state(p.a, KCOLO_STATE_IDLE);
	await_state(p.b, KCOLO_STATE_IDLE);
	commits(&p, prepared(&p));
	if (kcolo_promote(p.b))
		fail("promote: %s", kcolo_error(p.b));
	await_state(p.b, KCOLO_STATE_PROMOTED);
	expect(read(p.fdb, buf, 1) < 0 && errno == EOPNOTSUPP,
	       "there is device state: %s", strerror(errno));
}

static void given_up(struct pair *p, enum kcolo_abort_reason reason)
{
	struct kcolo_session_info info;

	await_state(p->a, KCOLO_STATE_IDLE);
	await_state(p->b, KCOLO_STATE_IDLE);
	read_session(p->a, &info);
	expect(info.abort_reason == reason, "the primary says %s: %s",
	       kcolo_abort_reason_name(info.abort_reason), info.error);
}

static void external_drop(void)
{
	u64 first, epoch;
	struct pair p;

	pair_up_with(&p, 60000, EXTERNAL);
	commits(&p, prepared(&p));
	taken(&p, &first);
	pair_write(&p, 3 * PAGE, PAGE, 5);
	/* While it is being received: the primary is told in its pause. */
	pair_ready(&p);
	epoch = 2;
	if (kcolo_drop(p.b, epoch))
		fail("drop: %s", kcolo_error(p.b));
	given_up(&p, KCOLO_ABORT_REASON_PEER_REFUSED);
	/* Prepared. */
	epoch = prepared(&p);
	expect(epoch == 3, "epoch %llu was prepared", (unsigned long long)epoch);
	if (kcolo_drop(p.b, epoch))
		fail("drop: %s", kcolo_error(p.b));
	given_up(&p, KCOLO_ABORT_REASON_PEER_REFUSED);
	expect(p.copy[3 * PAGE] == 1 && !taken(&p, &first),
	       "a dropped epoch is in place");
	/* What was dropped comes again. */
	commits(&p, prepared(&p));
	expect(taken(&p, &first) == 1 && first == 3, "page 3 was not applied");
}

/* A cache has pages as they come; what was given up comes again. */
static void external_in_place(void)
{
	struct kcolo_stats stats;
	u64 first, epoch;
	struct pair p;

	pair_up_in_place(&p, 60000);
	expect(p.rb.info.in_place, "the region is not in-place");
	commits(&p, prepared(&p));
	taken(&p, &first);
	pair_write(&p, 3 * PAGE, PAGE, 5);
	epoch = prepared(&p);
	expect(p.copy[3 * PAGE] == 5, "a prepared epoch is not in the cache");
	if (kcolo_drop(p.b, epoch))
		fail("drop: %s", kcolo_error(p.b));
	given_up(&p, KCOLO_ABORT_REASON_PEER_REFUSED);
	/* What the cache had at the last commit. */
	pair_write(&p, 3 * PAGE, PAGE, 1);
	commits(&p, prepared(&p));
	expect(p.copy[3 * PAGE] == 1, "page 3 did not come again");
	expect(taken(&p, &first) == 1 && first == 3, "page 3 has no bit");
	if (kcolo_stats_get(p.b, &stats))
		fail("stats: %s", kcolo_error(p.b));
	expect(!stats.value[KCOLO_A_STATS_STAGING_PEAK_BYTES],
	       "pages of a cache were staged");
}

static void external_abort(void)
{
	struct pair p;

	pair_up_with(&p, 60000, EXTERNAL);
	commits(&p, prepared(&p));
	pair_write(&p, 0, PAGE, 6);
	prepared(&p);
	if (kcolo_abort(p.a))
		fail("abort after the end: %s", kcolo_error(p.a));
	given_up(&p, KCOLO_ABORT_REASON_REQUESTED);
	expect(p.copy[0] == 1, "an aborted epoch is in place");
	commits(&p, prepared(&p));
}

/* The link is lost in between: one does not know, the other has dropped it. */
static void external_lost(void)
{
	struct kcolo_session_info info;
	struct pair p;
	struct msg m;
	u64 epoch;

	pair_up_with(&p, 3000 * slow, EXTERNAL);
	commits(&p, prepared(&p));
	pair_write(&p, 0, PAGE, 7);
	epoch = prepared(&p);
	wire(false);
	await_state(p.a, KCOLO_STATE_DOUBT);
	await_state(p.b, KCOLO_STATE_LOST);
	wire(true);
	refused(p.nlb, p.fdb, "apply", ask(&m, KCOLO_CMD_APPLY, p.fdb, epoch),
		EBUSY, "do");
	refused(p.nlb, p.fdb, "drop", ask(&m, KCOLO_CMD_DROP, p.fdb, epoch),
		EBUSY, "do");
	if (kcolo_promote(p.b))
		fail("promote: %s", kcolo_error(p.b));
	await_state(p.b, KCOLO_STATE_PROMOTED);
	read_session(p.b, &info);
	expect(info.committed == epoch - 1 && p.copy[0] == 1,
	       "a prepared epoch was taken over");
}

static void external_promote(void)
{
	struct kcolo_session_info info;
	struct pair p;
	u64 epoch;

	pair_up_with(&p, 60000, EXTERNAL);
	commits(&p, prepared(&p));
	pair_write(&p, 0, PAGE, 8);
	epoch = prepared(&p);
	if (kcolo_promote(p.b))
		fail("promote: %s", kcolo_error(p.b));
	await_state(p.b, KCOLO_STATE_PROMOTED);
	await_state(p.a, KCOLO_STATE_FENCED);
	read_session(p.b, &info);
	expect(info.committed == epoch - 1 && p.copy[0] == 1,
	       "a prepared epoch was taken over");
}

static void external_end(void)
{
	struct pair p;

	pair_up_with(&p, 60000, EXTERNAL);
	commits(&p, prepared(&p));
	pair_write(&p, 0, PAGE, 8);
	prepared(&p);
	if (kcolo_session_del(p.b))
		fail("session-del: %s", kcolo_error(p.b));
	/* Meant, and nothing was committed: no doubt. */
	await_state(p.a, KCOLO_STATE_LOST);
	await_state(p.b, KCOLO_STATE_CLOSED);
	expect(p.copy[0] == 1, "a prepared epoch is in place");
}

const struct scenario external_scenarios[] = {
	{ "external-apply", "prepared, applied, and which pages", external_apply },
	{ "external-io", "no device state in the session", external_io },
	{ "external-drop", "dropped when received and when prepared",
	  external_drop },
	{ "external-in-place", "a cache that pages are put in as they come",
	  external_in_place },
	{ "external-abort", "the primary gives up after the end",
	  external_abort },
	{ "external-lost", "the link is cut when prepared", external_lost },
	{ "external-promote", "promoted when prepared", external_promote },
	{ "external-end", "the secondary ends when prepared", external_end },
	{ 0 }
};
