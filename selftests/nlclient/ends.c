// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions that are ended, in each state and at each end: within bounds, and
 * the other end knows whether it was meant.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "pair.h"

/* It waits a second at most, for the peer to hang up. */
#define END_MS	(8000 * slow)

enum point { IDLE, PRECOPY, READY, FLUSHED, COMMITTING, DOUBT, LOST, FENCED };

static const char * const point_name[] = {
	"idle", "precopy", "ready", "flushed", "committing", "doubt", "lost",
	"fenced",
};

/* Return: whether the two can still talk to each other. */
static bool bring_to(struct pair *p, enum point point)
{
	uint64_t epoch;

	pair_up(p, 60000);
	pair_checkpoint(p);
	switch (point) {
	case IDLE:
		return true;
	case PRECOPY:
		wire(false);
		if (kcolo_checkpoint(p->a, KCOLO_KIND_PERIODIC, &epoch))
			fail("checkpoint: %s", kcolo_error(p->a));
		sleep_ms(50);
		return false;
	case LOST:
		if (kcolo_session_del(p->b))
			fail("session del: %s", kcolo_error(p->b));
		await_state(p->a, KCOLO_STATE_LOST);
		return false;
	case FENCED:
		if (kcolo_promote(p->b))
			fail("promote: %s", kcolo_error(p->b));
		await_state(p->a, KCOLO_STATE_FENCED);
		return false;
	default:
		break;
	}
	pair_ready(p);
	if (point == READY)
		return true;
	pair_flush(p);
	if (point == FLUSHED)
		return true;
	wire(false);
	if (point == DOUBT)
		pair_doubt(p, 300);
	else if (kcolo_commit(p->a))
		fail("commit: %s", kcolo_error(p->a));
	sleep_ms(50);
	return false;
}

static void closes(struct kcolo *k, const char *who, const char *when)
{
	u64 begin = now_ms();

	if (kcolo_session_del(k)) {
		/* It has ended with its peer already. */
		expect(!strcmp(when, "lost"), "%s cannot be deleted in %s: %s",
		       who, when, kcolo_error(k));
		return;
	}
	await_state(k, KCOLO_STATE_CLOSED);
	expect(now_ms() - begin < END_MS, "the end of %s in %s took %llu ms",
	       who, when, (unsigned long long)(now_ms() - begin));
}

/* What the ends say last: for @reason, and whether the peer was lost. */
static void last_words(struct kcolo *k, enum kcolo_event_type type,
		       const char *when)
{
	struct kcolo_event ev;
	bool lost = false;

	while (kcolo_event_next(k, &ev, END_MS) == 1) {
		lost |= ev.type == KCOLO_EVENT_TYPE_PEER_LOST;
		if (ev.type != type)
			continue;
		expect(ev.abort_reason == KCOLO_ABORT_REASON_CLOSED,
		       "%s in %s is for %s: %s", kcolo_event_type_name(type),
		       when, kcolo_abort_reason_name(ev.abort_reason), ev.error);
		expect(!lost || type == KCOLO_EVENT_TYPE_PEER_LOST,
		       "the peer is said to be lost in %s", when);
		return;
	}
	wrong("no %s in %s", kcolo_event_type_name(type), when);
}

static void ends_primary(void)
{
	enum point point;
	struct pair p;
	bool linked;

	for (point = IDLE; point <= FENCED; point++) {
		linked = bring_to(&p, point);
		if (kcolo_subscribe(p.b))
			fail("subscribe: %s", kcolo_error(p.b));
		closes(p.a, "a primary", point_name[point]);
		if (linked) {
			last_words(p.b, KCOLO_EVENT_TYPE_SESSION_DEL,
				   point_name[point]);
			await_state(p.b, KCOLO_STATE_CLOSED);
		}
		wire(true);
		pair_down(&p);
		await_gone(p.name, END_MS);
	}
}

static void ends_secondary(void)
{
	struct kcolo_session_info info;
	enum point point;
	struct pair p;
	bool linked;

	for (point = IDLE; point <= FENCED; point++) {
		linked = bring_to(&p, point);
		if (kcolo_subscribe(p.a))
			fail("subscribe: %s", kcolo_error(p.a));
		closes(p.b, "a secondary", point_name[point]);
		if (linked) {
			last_words(p.a, KCOLO_EVENT_TYPE_PEER_LOST,
				   point_name[point]);
			await_state(p.a, KCOLO_STATE_LOST);
			read_session(p.a, &info);
			expect(info.abort_reason == KCOLO_ABORT_REASON_CLOSED,
			       "the primary is lost for %s: %s",
			       kcolo_abort_reason_name(info.abort_reason),
			       info.error);
		}
		wire(true);
		pair_down(&p);
		await_gone(p.name, END_MS);
	}
}

/* A close() is meant as session del is. */
static void ends_close(void)
{
	struct pair p;

	pair_up(&p, 60000);
	pair_checkpoint(&p);
	if (kcolo_subscribe(p.b))
		fail("subscribe: %s", kcolo_error(p.b));
	kcolo_close(p.a);
	last_words(p.b, KCOLO_EVENT_TYPE_SESSION_DEL, "idle");
	await_state(p.b, KCOLO_STATE_CLOSED);

	pair_up(&p, 60000);
	pair_ready(&p);
	if (kcolo_subscribe(p.a))
		fail("subscribe: %s", kcolo_error(p.a));
	kcolo_close(p.b);
	last_words(p.a, KCOLO_EVENT_TYPE_PEER_LOST, "ready");
	await_state(p.a, KCOLO_STATE_LOST);
}

/* A VMM that closes its session, and exits before that is done. */
static void closer(void *arg)
{
	struct kcolo_session_config *config = arg;
	u8 *mem = make_ram(RAM_SIZE);
	struct kcolo_region region;
	struct kcolo *k;

	if (kcolo_open(&k) || kcolo_session_new(k, config) ||
	    kcolo_vm_attach(k, make_vm(mem, RAM_SIZE,
				       KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE)) ||
	    kcolo_region_add(k, "ram", mem, RAM_SIZE, &region))
		fail("the VMM: %s", kcolo_error(k));
	await_state(k, KCOLO_STATE_IDLE);
	kcolo_close(k);
	_exit(0);
}

static void ends_exit(void)
{
	struct kcolo_session_config config = { .insecure = true };
	struct kcolo *b;
	char name[32];
	int i;

	for (i = 0; i < 10; i++) {
		new_name(name, sizeof(name));
		config.name = name;
		config.role = KCOLO_ROLE_SECONDARY;
		config.local = address("10.1.0.2", new_port());
		memset(&config.peer, 0, sizeof(config.peer));
		enter_b();
		if (kcolo_open(&b) || kcolo_session_new(b, &config) ||
		    kcolo_subscribe(b))
			fail("a secondary: %s", kcolo_error(b));
		leave_b();
		config.role = KCOLO_ROLE_PRIMARY;
		config.peer = config.local;
		memset(&config.local, 0, sizeof(config.local));
		expect(!in_child(closer, &config), "the VMM has failed");
		last_words(b, KCOLO_EVENT_TYPE_SESSION_DEL, "idle");
		kcolo_close(b);
		await_gone(name, END_MS);
	}
}

/* A page that nobody serves keeps no session from its end, nor its name. */
static void ends_unserved(void)
{
	struct kcolo_session_info info;
	struct pair p;
	uint64_t epoch;
	int uffd;

	pair_up(&p, 60000);
	uffd = hold_page(p.mem + 7 * PAGE);
	if (kcolo_checkpoint(p.a, KCOLO_KIND_PERIODIC, &epoch))
		fail("checkpoint: %s", kcolo_error(p.a));
	sleep_ms(300 * slow);
	read_session(p.a, &info);
	expect(info.state == KCOLO_STATE_PRECOPY, "the primary is %s",
	       kcolo_state_name(info.state));
	closes(p.a, "a primary", "a fault");
	close(uffd);
	pair_down(&p);
	await_gone(p.name, END_MS);
}

/* A session that has ended answers to its fd only, and does nothing more. */
static void ends_closed(void)
{
	struct kcolo_session_info info;
	struct kcolo *k = lone_secondary(), *named;
	int fd = kcolo_session_fd(k), nl = nl_open();
	struct kcolo_event ev;
	struct msg m;

	read_session(k, &info);
	if (kcolo_open(&named) || kcolo_session_use_name(named, info.name) ||
	    kcolo_subscribe(k))
		fail("subscribe: %s", kcolo_error(k));
	if (kcolo_session_del(k))
		fail("session del: %s", kcolo_error(k));
	await_state(k, KCOLO_STATE_CLOSED);
	while (kcolo_session_get(named, &info) != -ENOENT)
		sleep_ms(1);
	msg_u32(msg_cmd(&m, KCOLO_CMD_SESSION_GET), KCOLO_A_SESSION_FD, fd);
	granted(nl, "get by fd", &m);
	msg_u32(msg_cmd(&m, KCOLO_CMD_SESSION_DEL), KCOLO_A_SESSION_FD, fd);
	granted(nl, "del again", &m);
	msg_u32(msg_cmd(&m, KCOLO_CMD_SESSION_SET), KCOLO_A_SESSION_FD, fd);
	msg_u64(&m, KCOLO_A_SESSION_THRESHOLD, 5);
	refused(nl, fd, "set", &m, ESHUTDOWN, "the session is ending");
	/* Nothing comes after it. */
	while (kcolo_event_next(k, &ev, 200) == 1)
		if (ev.type == KCOLO_EVENT_TYPE_SESSION_DEL)
			break;
	expect(ev.type == KCOLO_EVENT_TYPE_SESSION_DEL, "no event session-del");
	expect(kcolo_event_next(k, &ev, 200) == 0,
	       "event %s after the end", kcolo_event_type_name(ev.type));
}

const struct scenario ends_scenarios[] = {
	{ "ends-primary", "session del of a primary in each state",
	  ends_primary },
	{ "ends-secondary", "session del of a secondary, by the primary's state",
	  ends_secondary },
	{ "ends-close", "close is meant, too", ends_close },
	{ "ends-exit", "close by a VMM that exits at once", ends_exit },
	{ "ends-unserved", "while its thread waits for a page", ends_unserved },
	{ "ends-closed", "what a session does that has ended", ends_closed },
	{ 0 }
};
