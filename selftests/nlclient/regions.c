// SPDX-License-Identifier: GPL-2.0
/* What region-add and region-del refuse. */
#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include "pair.h"

static const char rule[] =
	"a region is whole pages of the caller's memory, at most 2^31 of them";

static int nl, fd;

static struct msg *add(struct msg *m)
{
	return msg_u32(msg_cmd(m, KCOLO_CMD_REGION_ADD), KCOLO_A_SESSION_FD, fd);
}

static struct msg *del(struct msg *m, const char *name)
{
	u32 nest;

	msg_u32(msg_cmd(m, KCOLO_CMD_REGION_DEL), KCOLO_A_SESSION_FD, fd);
	nest = msg_nest(m, KCOLO_A_SESSION_REGION);
	if (name)
		msg_str(m, KCOLO_A_REGION_NAME, name);
	return msg_nest_end(m, nest);
}

/* A region of only some of its parts. */
static struct msg *part(struct msg *m, const char *name, u64 addr, u64 size)
{
	u32 nest = msg_nest(add(m), KCOLO_A_SESSION_REGION);

	if (name)
		msg_str(m, KCOLO_A_REGION_NAME, name);
	if (addr)
		msg_u64(m, KCOLO_A_REGION_ADDRESS, addr);
	if (size)
		msg_u64(m, KCOLO_A_REGION_SIZE, size);
	return msg_nest_end(m, nest);
}

static void bad_places(u64 ram)
{
	const struct {
		const char *what;
		u64 addr, size;
	} bad[] = {
		{ "no size", ram, 0 },
		{ "an address within a page", ram + 1, PAGE },
		{ "half a page", ram, PAGE / 2 },
		{ "a page and a byte", ram, PAGE + 1 },
		{ "one that wraps", ~0ull - PAGE + 1, 2 * PAGE },
		{ "one that wraps to 0", ~0ull - PAGE + 1, PAGE },
		{ "one of all there is", PAGE, ~0ull - PAGE + 1 },
		{ "more than 2^31 pages", PAGE, (1ull << 43) + PAGE },
		{ "one beyond user memory", 1ull << 63, PAGE },
		{ "one of the kernel", 0xffff888000000000, PAGE },
		{ "one over the end of user memory", (1ull << 56) - PAGE,
		  2 * PAGE },
	};
	unsigned int i;
	struct msg m;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		refused(nl, fd, bad[i].what,
			msg_region(add(&m), "r", bad[i].addr, bad[i].size),
			EINVAL, rule);
}

static void bad_nests(u64 ram)
{
	static const char * const bad_name[] = { "", " ", "a b", "\33[2J", "\377" };
	char long_name[KCOLO_NAME_MAX + 2];
	unsigned int i;
	struct msg m;
	u32 nest;

	memset(long_name, 'x', sizeof(long_name));
	long_name[KCOLO_NAME_MAX + 1] = 0;
	refused(nl, fd, "no region", add(&m), EINVAL, "which region?");
	refused(nl, fd, "a region without a name", part(&m, NULL, ram, PAGE),
		EINVAL, "a region needs a name");
	refused(nl, fd, "a region without an address", part(&m, "r", 0, PAGE),
		EINVAL, "a region needs address and size");
	refused(nl, fd, "a region without a size", part(&m, "r", ram, 0),
		EINVAL, "a region needs address and size");
	for (i = 0; i < ARRAY_SIZE(bad_name); i++)
		refused(nl, fd, "a name that cannot be shown",
			msg_region(add(&m), bad_name[i], ram, PAGE), EINVAL,
			"a region's name is printable ASCII without spaces");
	refused(nl, fd, "a long name",
		msg_region(add(&m), long_name, ram, PAGE), EINVAL,
		"Attribute failed policy validation");
	refused(nl, fd, "no nest",
		msg_u64(add(&m), KCOLO_A_SESSION_REGION, ram), EINVAL,
		"NLA_F_NESTED is missing");
	nest = msg_nest(add(&m), KCOLO_A_SESSION_REGION);
	msg_str(&m, KCOLO_A_REGION_NAME, "r");
	msg_u64(&m, KCOLO_A_REGION_ADDRESS, ram);
	msg_u64(&m, KCOLO_A_REGION_SIZE, PAGE);
	msg_u32(&m, KCOLO_A_REGION_MAX + 1, 1);
	refused(nl, fd, "an attribute that no region has",
		msg_nest_end(&m, nest), EINVAL, "Unknown attribute type");
	nest = msg_nest(add(&m), KCOLO_A_SESSION_REGION);
	msg_str(&m, KCOLO_A_REGION_NAME, "r");
	msg_u32(&m, KCOLO_A_REGION_ADDRESS, ram);
	msg_u64(&m, KCOLO_A_REGION_SIZE, PAGE);
	refused(nl, fd, "an address of 32 bits", msg_nest_end(&m, nest), EINVAL,
		"invalid attribute length");
}

static void overlapping(u64 ram)
{
	static const char text[] = "the region overlaps another one of the session";
	struct msg m;

	granted(nl, "a region", msg_region(add(&m), "one", ram + 4 * PAGE,
					   4 * PAGE));
	refused(nl, fd, "a name that is taken",
		msg_region(add(&m), "one", ram, PAGE), EEXIST,
		"the session has a region of this name");
	refused(nl, fd, "the same place",
		msg_region(add(&m), "two", ram + 4 * PAGE, 4 * PAGE), EEXIST,
		text);
	refused(nl, fd, "its first page",
		msg_region(add(&m), "two", ram, 5 * PAGE), EEXIST, text);
	refused(nl, fd, "its last page",
		msg_region(add(&m), "two", ram + 7 * PAGE, 5 * PAGE), EEXIST,
		text);
	refused(nl, fd, "within it",
		msg_region(add(&m), "two", ram + 5 * PAGE, PAGE), EEXIST, text);
	refused(nl, fd, "around it",
		msg_region(add(&m), "two", ram, 16 * PAGE), EEXIST, text);
	granted(nl, "one before it", msg_region(add(&m), "before", ram,
						4 * PAGE));
	granted(nl, "one behind it", msg_region(add(&m), "behind",
						ram + 8 * PAGE, PAGE));
}

static void deletions(u64 ram)
{
	static const char text[] = "the session has no region of this name";
	struct msg m;

	refused(nl, fd, "no region",
		msg_u32(msg_cmd(&m, KCOLO_CMD_REGION_DEL), KCOLO_A_SESSION_FD,
			fd), EINVAL, "which region?");
	refused(nl, fd, "no name", del(&m, NULL), EINVAL,
		"a region needs a name");
	refused(nl, fd, "an unknown region", del(&m, "nothing"), ENOENT, text);
	refused(nl, fd, "an empty name", del(&m, ""), ENOENT, text);
	granted(nl, "the first", del(&m, "one"));
	refused(nl, fd, "it again", del(&m, "one"), ENOENT, text);
	granted(nl, "the first again", msg_region(add(&m), "one", ram + 4 * PAGE,
						  4 * PAGE));
	granted(nl, "the last", del(&m, "behind"));
	granted(nl, "the last again", msg_region(add(&m), "behind",
						 ram + 8 * PAGE, PAGE));
	granted(nl, "the last", del(&m, "behind"));
	granted(nl, "the first", del(&m, "one"));
	granted(nl, "the one before", del(&m, "before"));
	refused(nl, fd, "none is left", del(&m, "one"), ENOENT, text);
}

/* The sessions here carry the device state. */
static void in_place(u64 ram)
{
	struct msg m;
	u32 nest;

	nest = msg_nest(add(&m), KCOLO_A_SESSION_REGION);
	msg_str(&m, KCOLO_A_REGION_NAME, "cache");
	msg_u64(&m, KCOLO_A_REGION_ADDRESS, ram);
	msg_u64(&m, KCOLO_A_REGION_SIZE, PAGE);
	msg_flag(&m, KCOLO_A_REGION_IN_PLACE);
	refused(nl, fd, "in-place", msg_nest_end(&m, nest), EINVAL,
		"in-place is for a secondary with external device state");
}

static void many(u64 ram)
{
	char name[KCOLO_NAME_MAX + 1];
	struct msg m;
	int i;

	/* As long as they may be: an answer has to hold them all. */
	memset(name, 'n', sizeof(name));
	name[KCOLO_NAME_MAX] = 0;
	for (i = 0; i < 64; i++) {
		snprintf(name, 3, "%02d", i);
		name[2] = 'n';
		granted(nl, "one of 64 regions",
			msg_region(add(&m), name, ram + i * PAGE, PAGE));
	}
	msg_region(add(&m), "65", ram + 64 * PAGE, PAGE);
	refused(nl, fd, "the 65th", &m, ENOSPC,
		"a session has at most 64 regions");
}

static void all(struct kcolo *k)
{
	struct kcolo_session_info info;
	u64 ram = (uintptr_t)make_ram(128 * PAGE);
	int err;

	bad_nests(ram);
	bad_places(ram);
	overlapping(ram);
	deletions(ram);
	in_place(ram);
	many(ram);
	err = kcolo_session_get(k, &info);
	if (err)
		fail("64 regions cannot be read: %s", kcolo_error(k));
	expect(info.nr_regions == 64, "there are %zu regions", info.nr_regions);
	kcolo_session_info_free(&info);
}

static int count_regions(const struct kcolo_session_info *info, void *arg)
{
	*(size_t *)arg += info->nr_regions;
	return 0;
}

static void regions_secondary(void)
{
	struct kcolo *k = lone_secondary();
	static struct answer a;
	struct msg m;
	size_t nr = 0;

	nl = nl_open();
	fd = kcolo_session_fd(k);
	all(k);
	expect(!kcolo_session_dump(k, count_regions, &nr) && nr == 64,
	       "a dump shows %zu regions (%s)", nr, kcolo_error(k));
	/* From a socket that has not shown how much it takes at a time. */
	nl = nl_open();
	nl_ask(nl, msg_flags(msg_cmd(&m, KCOLO_CMD_SESSION_GET),
			     NLM_F_REQUEST | NLM_F_DUMP), &a);
	expect(!a.err && a.len, "a dump is empty (%s)", a.text);
}

static void regions_primary(void)
{
	struct kcolo *k = lone_primary(60000);
	struct msg m;

	nl = nl_open();
	fd = kcolo_session_fd(k);
	refused(nl, fd, "a region before the VM",
		msg_region(add(&m), "r", (uintptr_t)make_ram(PAGE), PAGE),
		ENOTCONN, "attach the VM before its regions");
	if (kcolo_vm_attach(k, make_vm(NULL, 0, 1)))
		fail("vm-attach: %s", kcolo_error(k));
	all(k);
}

static void of_a_child(void *arg)
{
	struct msg m;

	(void)arg;
	nl = nl_open();
	refused(nl, fd, "a region of another process",
		msg_region(add(&m), "r", (uintptr_t)make_ram(PAGE), PAGE),
		EXDEV, "the VM and the regions of a session belong to one process");
}

static void regions_other_process(void)
{
	struct kcolo *a = lone_primary(60000), *b = lone_secondary();
	struct kcolo_region region;

	if (kcolo_vm_attach(a, make_vm(NULL, 0, 1)))
		fail("vm-attach: %s", kcolo_error(a));
	fd = kcolo_session_fd(a);
	expect(!in_child(of_a_child, NULL), "a child of the primary");
	if (kcolo_region_add(b, "first", make_ram(PAGE), PAGE, &region))
		fail("region-add: %s", kcolo_error(b));
	fd = kcolo_session_fd(b);
	expect(!in_child(of_a_child, NULL), "a child of the secondary");
}

/* A checkpoint that is refused, for this reason. */
static void disagrees(struct pair *p, const char *error)
{
	struct kcolo_session_info info;
	uint64_t epoch;

	if (kcolo_checkpoint(p->a, KCOLO_KIND_PERIODIC, &epoch))
		fail("checkpoint: %s", kcolo_error(p->a));
	await_state(p->a, KCOLO_STATE_IDLE);
	read_session(p->a, &info);
	expect(!strcmp(info.error, error), "it says \"%s\", not \"%s\"",
	       info.error, error);
}

static void whole_checkpoint(struct pair *p, u64 epoch)
{
	struct kcolo_session_info info;

	pair_checkpoint(p);
	await_state(p->b, KCOLO_STATE_IDLE);
	read_session(p->b, &info);
	expect(info.committed == epoch, "epoch %lu is committed, not %lu",
	       info.committed, epoch);
}

static const char belongs[] = "the region is part of the committed checkpoint";

/*
 * On the primary at any time without an epoch; on the secondary what was not
 * committed, or is no more.
 */
static void regions_later(void)
{
	struct kcolo_region more, there;
	struct pair p;
	struct msg m;
	u8 *ram;

	pair_up(&p, 60000);
	whole_checkpoint(&p, 1);
	ram = make_ram(2 * PAGE);
	nl = p.nlb;
	fd = p.fdb;
	refused(nl, fd, "what is committed", del(&m, "ram"), EBUSY, belongs);
	if (kcolo_region_add(p.a, "more", ram, PAGE, &more))
		fail("region-add: %s", kcolo_error(p.a));
	disagrees(&p, "the secondary has no region 'more'");
	if (kcolo_region_add(p.b, "more", ram + PAGE, PAGE, &there))
		fail("region-add: %s", kcolo_error(p.b));
	memset(ram, 7, PAGE);
	whole_checkpoint(&p, 3);
	expect(!memcmp(ram, ram + PAGE, PAGE), "the new region is not equal");
	/* Gone there first: it is refused; here first: it goes with the commit. */
	refused(nl, fd, "what is committed", del(&m, "more"), EBUSY, belongs);
	if (kcolo_region_del(p.a, &more))
		fail("region-del: %s", kcolo_error(p.a));
	refused(nl, fd, "what is committed still", del(&m, "more"), EBUSY, belongs);
	whole_checkpoint(&p, 4);
	if (kcolo_region_del(p.b, &there))
		fail("region-del: %s", kcolo_error(p.b));
	whole_checkpoint(&p, 5);
	/* While an epoch is open nothing of it changes. */
	pair_ready(&p);
	nl = p.nla;
	fd = p.fda;
	refused(nl, fd, "a region in an epoch",
		msg_region(add(&m), "r", (uintptr_t)ram, PAGE), EBUSY,
		"state");
	refused(nl, fd, "no region in an epoch", del(&m, "ram"), EBUSY,
		"state");
}

/* Agreed, not committed, and removed on the secondary: they agree again. */
static void regions_gone(void)
{
	struct kcolo_region more, there;
	struct pair p;
	u8 *ram;

	pair_up(&p, 60000);
	whole_checkpoint(&p, 1);
	ram = make_ram(2 * PAGE);
	if (kcolo_region_add(p.a, "more", ram, PAGE, &more) ||
	    kcolo_region_add(p.b, "more", ram + PAGE, PAGE, &there))
		fail("region-add: %s, %s", kcolo_error(p.a), kcolo_error(p.b));
	pair_ready(&p);
	if (kcolo_abort(p.a))
		fail("abort: %s", kcolo_error(p.a));
	await_state(p.a, KCOLO_STATE_IDLE);
	await_state(p.b, KCOLO_STATE_IDLE);
	while (kcolo_region_del(p.b, &there) == -EAGAIN)
		sleep_ms(5);
	disagrees(&p, "a region of the secondary was removed");
	disagrees(&p, "the secondary has no region 'more'");
	if (kcolo_region_del(p.a, &more))
		fail("region-del: %s", kcolo_error(p.a));
	whole_checkpoint(&p, 5);
}

const struct scenario regions_scenarios[] = {
	{ "regions-secondary", "malformed, misplaced, overlapping, too many",
	  regions_secondary },
	{ "regions-primary", "the same, and before the VM", regions_primary },
	{ "regions-other-process", "of another process' memory",
	  regions_other_process },
	{ "regions-later", "after a checkpoint", regions_later },
	{ "regions-gone", "agreed, and removed on the secondary", regions_gone },
	{ 0 }
};
