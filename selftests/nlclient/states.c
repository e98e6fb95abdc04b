// SPDX-License-Identifier: GPL-2.0
/*
 * Each command in each state in which it has no place: refused, with the state
 * in words, and nothing has changed. The session is brought into its states by
 * cutting the wire and by pages whose access waits.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include "pair.h"

#define S(name)	(1u << KCOLO_STATE_##name)
#define NEVER	0

/* Which command may be given where, as the design has it. */
static const struct command {
	const char *name;
	int cmd;
	u32 primary, secondary;
} commands[] = {
	{ "vm-attach", KCOLO_CMD_VM_ATTACH, S(CONNECTING) | S(IDLE), NEVER },
	{ "region-add", KCOLO_CMD_REGION_ADD, S(CONNECTING) | S(IDLE) | S(LOST),
	  S(CONNECTING) | S(IDLE) | S(LOST) },
	{ "region-del", KCOLO_CMD_REGION_DEL, S(CONNECTING) | S(IDLE) | S(LOST),
	  S(CONNECTING) | S(IDLE) | S(LOST) },
	{ "checkpoint", KCOLO_CMD_CHECKPOINT, S(IDLE), NEVER },
	{ "flush", KCOLO_CMD_FLUSH, S(READY), NEVER },
	{ "commit", KCOLO_CMD_COMMIT, S(FLUSHING) | S(FLUSHED), NEVER },
	{ "abort", KCOLO_CMD_ABORT, S(PRECOPY) | S(READY) | S(FLUSHING) |
	  S(FLUSHED) | S(COMMITTING) | S(DOUBT), NEVER },
	{ "promote", KCOLO_CMD_PROMOTE, NEVER, S(IDLE) | S(RECEIVING) |
	  S(COMMITTING) | S(APPLYING) | S(LOST) },
	{ "apply", KCOLO_CMD_APPLY, NEVER, NEVER },
	{ "drop", KCOLO_CMD_DROP, NEVER, NEVER },
	{ "log-synced", KCOLO_CMD_LOG_SYNCED, ~S(CLOSED), NEVER },
	{ "verify", KCOLO_CMD_VERIFY, ~(S(CLOSED) | S(FENCED)), NEVER },
	{ "clean", KCOLO_CMD_CLEAN, S(CONNECTING) | S(IDLE),
	  S(CONNECTING) | S(IDLE) },
};

#define CARRIED	"the end of an epoch commits it here: apply and drop are for device-state external"

static bool of_epoch(int cmd)
{
	return cmd == KCOLO_CMD_APPLY || cmd == KCOLO_CMD_DROP;
}

static struct msg *build(struct msg *m, int cmd, int fd, struct pair *p)
{
	msg_u32(msg_cmd(m, cmd), KCOLO_A_SESSION_FD, fd);
	if (cmd == KCOLO_CMD_VM_ATTACH)
		msg_u32(m, KCOLO_A_SESSION_VM_FD, p->vm);
	if (cmd == KCOLO_CMD_REGION_ADD)
		msg_region(m, "more", 16 * MIB, PAGE);
	if (cmd == KCOLO_CMD_REGION_DEL)
		msg_region(m, "ram", 16 * MIB, PAGE);
	if (of_epoch(cmd))
		msg_u64(m, KCOLO_A_SESSION_EPOCH, 1);
	return m;
}

/* Bits of the states that were looked at, by role. */
static u32 seen[2];

static void try_all(struct pair *p, bool primary, enum kcolo_state state)
{
	int fd = primary ? p->fda : p->fdb, nl = primary ? p->nla : p->nlb;
	struct kcolo *k = primary ? p->a : p->b;
	struct kcolo_session_info info;
	char text[96], what[64];
	unsigned int i;
	struct msg m;
	bool other;

	snprintf(text, sizeof(text), "a %s in state %s cannot do this",
		 primary ? "primary" : "secondary", kcolo_state_name(state));
	if (kernel_version() < 6003)
		strcpy(text, "the session's state does not allow this: see session get");
	if (state == KCOLO_STATE_CLOSED)
		strcpy(text, "the session is ending");
	if (state_of(k, &info) != state)
		fail("the %s is %s and not %s", primary ? "primary" : "secondary",
		     kcolo_state_name(info.state), kcolo_state_name(state));
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if ((primary ? commands[i].primary : commands[i].secondary) &
		    1u << state)
			continue;
		snprintf(what, sizeof(what), "%s of a %s in %s",
			 commands[i].name, primary ? "primary" : "secondary",
			 kcolo_state_name(state));
		other = of_epoch(commands[i].cmd) && state != KCOLO_STATE_CLOSED;
		refused(nl, fd, what, build(&m, commands[i].cmd, fd, p),
			state == KCOLO_STATE_CLOSED ? ESHUTDOWN :
			other ? EOPNOTSUPP : EBUSY, other ? CARRIED : text);
	}
	if (state_of(k, &info) != state)
		fail("the state was left: %s", kcolo_state_name(info.state));
	seen[primary] |= 1u << state;
}

#define A(p, state)	try_all(p, true, KCOLO_STATE_##state)
#define B(p, state)	try_all(p, false, KCOLO_STATE_##state)

static void all_were(bool primary, u32 states)
{
	expect(seen[primary] == states, "states looked at: %#x, not %#x",
	       seen[primary], states);
}

static void states_lone(void)
{
	struct pair p = { .a = lone_primary(60000), .b = lone_secondary() };

	p.nla = nl_open();
	p.nlb = p.nla;
	p.fda = kcolo_session_fd(p.a);
	p.fdb = kcolo_session_fd(p.b);
	A(&p, CONNECTING);
	B(&p, CONNECTING);
	if (kcolo_session_del(p.a) || kcolo_session_del(p.b))
		fail("session del");
	await_state(p.a, KCOLO_STATE_CLOSED);
	await_state(p.b, KCOLO_STATE_CLOSED);
	A(&p, CLOSED);
	B(&p, CLOSED);
	all_were(true, S(CONNECTING) | S(CLOSED));
	all_were(false, S(CONNECTING) | S(CLOSED));
}

static void nothing_to_promote(struct pair *p)
{
	struct msg m;

	refused(p->nlb, p->fdb, "promote",
		build(&m, KCOLO_CMD_PROMOTE, p->fdb, p), ENODATA,
		"nothing was committed yet: there is nothing to take over with");
}

static void states_idle(void)
{
	struct pair p;
	struct msg m;

	pair_up(&p, 60000);
	A(&p, IDLE);
	B(&p, IDLE);
	nothing_to_promote(&p);
	if (kcolo_region_del(p.a, &p.ra))
		fail("region-del: %s", kcolo_error(p.a));
	refused(p.nla, p.fda, "checkpoint without a region",
		build(&m, KCOLO_CMD_CHECKPOINT, p.fda, &p), ENOTCONN,
		"attach the VM and add its regions first");
	if (kcolo_region_add(p.a, "ram", p.mem, RAM_SIZE, &p.ra))
		fail("region-add: %s", kcolo_error(p.a));
	pair_ready(&p);
	A(&p, READY);
	B(&p, RECEIVING);
	nothing_to_promote(&p);
	pair_flush(&p);
	A(&p, FLUSHED);
	if (kcolo_abort(p.a))
		fail("abort: %s", kcolo_error(p.a));
	await_state(p.a, KCOLO_STATE_IDLE);
	await_state(p.b, KCOLO_STATE_IDLE);
	A(&p, IDLE);
	B(&p, IDLE);
	pair_checkpoint(&p);
	all_were(true, S(IDLE) | S(READY) | S(FLUSHED));
	all_were(false, S(IDLE) | S(RECEIVING));
}

/* The states in which a thread is at work: it is held there. */
static void states_held(void)
{
	struct kcolo_session_info info;
	uint64_t epoch;
	struct pair p;
	struct msg m;
	int uffd;

	pair_up(&p, 60000);
	pair_checkpoint(&p);
	wire(false);
	if (kcolo_checkpoint(p.a, KCOLO_KIND_PERIODIC, &epoch))
		fail("checkpoint: %s", kcolo_error(p.a));
	sleep_ms(100);
	A(&p, PRECOPY);
	wire(true);
	await_state(p.a, KCOLO_STATE_READY);
	pair_write(&p, 0, PAGE, 3);
	uffd = hold_page(p.mem);
	if (kcolo_flush(p.a))
		fail("flush: %s", kcolo_error(p.a));
	sleep_ms(100);
	A(&p, FLUSHING);
	let_go(uffd, p.mem);
	await_state(p.a, KCOLO_STATE_FLUSHED);
	wire(false);
	pair_commit_unheard(&p);
	A(&p, COMMITTING);
	refused(p.nla, p.fda, "abort after the end",
		build(&m, KCOLO_CMD_ABORT, p.fda, &p), EINPROGRESS,
		"the end of the epoch was sent: the peer decides now");
	uffd = hold_page(p.copy);
	wire(true);
	await_state(p.a, KCOLO_STATE_APPLYING);
	A(&p, APPLYING);
	B(&p, APPLYING);
	let_go(uffd, p.copy);
	await_state(p.a, KCOLO_STATE_IDLE);
	read_session(p.a, &info);
	expect(info.committed == epoch, "epoch %llu is committed, not %llu",
	       (unsigned long long)info.committed, (unsigned long long)epoch);
	expect(!memcmp(p.mem, p.copy, RAM_SIZE), "RAM is not equal");
	all_were(true, S(PRECOPY) | S(FLUSHING) | S(COMMITTING) | S(APPLYING));
}

static void hurry(struct pair *p, uint64_t epoch)
{
	uint64_t again = 0;

	expect(kcolo_checkpoint(p->a, KCOLO_KIND_PERIODIC, NULL) == -EBUSY,
	       "a second periodic one: %s", kcolo_error(p->a));
	if (kcolo_checkpoint(p->a, KCOLO_KIND_URGENT, &again))
		fail("checkpoint: %s", kcolo_error(p->a));
	expect(again == epoch, "epoch %llu and not %llu",
	       (unsigned long long)again, (unsigned long long)epoch);
}

/* Pre-copy has ended for that, and has sent so many pages. */
static void hurried(struct pair *p, u64 pages)
{
	struct kcolo_session_info info;
	struct kcolo_stats stats;

	await_state(p->a, KCOLO_STATE_READY);
	read_session(p->a, &info);
	expect(info.stop_reason == KCOLO_STOP_REASON_URGENT,
	       "pre-copy was ended by %s",
	       kcolo_stop_reason_name(info.stop_reason));
	if (kcolo_stats_get(p->a, &stats))
		fail("stats: %s", kcolo_error(p->a));
	expect(stats.value[KCOLO_A_STATS_LAST_PRECOPY_PAGES] == pages,
	       "%llu pages before the pause, not %llu", (unsigned long long)
	       stats.value[KCOLO_A_STATS_LAST_PRECOPY_PAGES],
	       (unsigned long long)pages);
	expect(kcolo_checkpoint(p->a, KCOLO_KIND_URGENT, NULL) == -EBUSY,
	       "an urgent one when it is ready: %s", kcolo_error(p->a));
	pair_flush(p);
	if (kcolo_devstate_write(p->a, "state", 5) || kcolo_commit(p->a))
		fail("commit: %s", kcolo_error(p->a));
	await_state(p->a, KCOLO_STATE_IDLE);
	expect(!memcmp(p->mem, p->copy, RAM_SIZE), "RAM is not equal");
}

/*
 * While pre-copy runs an urgent checkpoint is the open epoch: no round begins,
 * and one that runs ends with its chunk. A chunk is of one region.
 */
static void states_hurry(void)
{
	static u8 more[2][PAGE] __attribute__((aligned(PAGE)));
	struct kcolo_region ours, theirs;
	uint64_t epoch;
	struct pair p;
	int uffd;

	pair_up(&p, 60000);
	if (kcolo_region_add(p.a, "more", more[0], PAGE, &ours))
		fail("region-add: %s", kcolo_error(p.a));
	if (kcolo_region_add(p.b, "more", more[1], PAGE, &theirs))
		fail("region-add: %s", kcolo_error(p.b));
	pair_checkpoint(&p);
	set_threshold(p.a, 1);

	pair_write(&p, 0, PAGE, 3);
	wire(false);
	if (kcolo_checkpoint(p.a, KCOLO_KIND_PERIODIC, &epoch))
		fail("checkpoint: %s", kcolo_error(p.a));
	hurry(&p, epoch);
	wire(true);
	hurried(&p, 0);

	pair_write(&p, 0, PAGE, 4);
	more[0][0] = 4;
	kcolo_log_dirty(&ours, 0, 1);
	uffd = hold_page(p.mem);
	if (kcolo_checkpoint(p.a, KCOLO_KIND_PERIODIC, &epoch))
		fail("checkpoint: %s", kcolo_error(p.a));
	await_held(uffd);
	hurry(&p, epoch);
	let_go(uffd, p.mem);
	hurried(&p, 1);
	expect(more[1][0] == 4, "the other region is not equal");
}

/* Until its event, too: that comes when the peer has been told, and is counted. */
static void take_over(struct pair *p)
{
	u64 end = now_ms() + SOON_MS, before;
	struct kcolo_session_info info;

	read_session(p->b, &info);
	before = info.event_seq;
	if (kcolo_promote(p->b))
		fail("promote: %s", kcolo_error(p->b));
	await_state(p->b, KCOLO_STATE_PROMOTED);
	do {
		if (now_ms() > end)
			fail("there is no event of the promotion");
		sleep_ms(2);
		read_session(p->b, &info);
	} while (info.event_seq == before);
}

static void states_doubt(void)
{
	struct pair p;

	pair_up(&p, 60000);
	pair_checkpoint(&p);
	pair_ready(&p);
	pair_flush(&p);
	wire(false);
	pair_doubt(&p, 500);
	sleep_ms(200);
	A(&p, DOUBT);
	wire(true);
	/* The primary may have nobody left that would send this an end. */
	set_peer_timeout(p.b, 500);
	await_state(p.b, KCOLO_STATE_LOST);
	B(&p, LOST);
	take_over(&p);
	B(&p, PROMOTED);
	all_were(true, S(DOUBT));
	all_were(false, S(LOST) | S(PROMOTED));
}

static void states_over(void)
{
	struct pair p;

	pair_up(&p, 60000);
	pair_checkpoint(&p);
	take_over(&p);
	await_state(p.a, KCOLO_STATE_FENCED);
	A(&p, FENCED);
	B(&p, PROMOTED);
	pair_down(&p);

	pair_up(&p, 60000);
	if (kcolo_session_del(p.b))
		fail("session del: %s", kcolo_error(p.b));
	await_state(p.a, KCOLO_STATE_LOST);
	await_state(p.b, KCOLO_STATE_CLOSED);
	A(&p, LOST);
	B(&p, CLOSED);
	pair_down(&p);

	pair_up(&p, 60000);
	pair_checkpoint(&p);
	pair_write(&p, 0, PAGE, 5);
	pair_ready(&p);
	pair_flush(&p);
	mprotect(p.copy, PAGE, PROT_NONE);
	if (kcolo_commit(p.a))
		fail("commit: %s", kcolo_error(p.a));
	await_state(p.b, KCOLO_STATE_BROKEN);
	await_state(p.a, KCOLO_STATE_LOST);
	B(&p, BROKEN);
	A(&p, LOST);
	all_were(true, S(FENCED) | S(LOST));
	all_were(false, S(PROMOTED) | S(CLOSED) | S(BROKEN));
}

const struct scenario states_scenarios[] = {
	{ "states-lone", "connecting and closed", states_lone },
	{ "states-idle", "idle, ready, flushed, receiving", states_idle },
	{ "states-held", "precopy, flushing, committing, applying",
	  states_held },
	{ "states-hurry", "precopy, and wanted at once", states_hurry },
	{ "states-doubt", "doubt, lost, promoted", states_doubt },
	{ "states-over", "fenced, lost, closed, promoted, broken",
	  states_over },
	{ 0 }
};
