// SPDX-License-Identifier: GPL-2.0
/*
 * kvmm primary: a guest that runs and is protected. The loop that kcolo.h tells,
 * with everything that can come in between.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "carry.h"
#include "plug.h"
#include "protect.h"

#define LATE_LOG_MS	500	/* in which the guest writes to most of its RAM */
#define OUTCOME_MS	120000	/* a checkpoint without an end is a bug */

static const char *const outcomes[] = {
	"none", "committed", "aborted", "doubt", "lost", "fenced", "ended",
	"guest-failed",
};

static enum outcome outcome_of(const struct kcolo_event *ev, u64 epoch)
{
	switch (ev->type) {
	case KCOLO_EVENT_TYPE_CHECKPOINT_COMMITTED:
		return ev->epoch == epoch ? OUTCOME_COMMITTED : OUTCOME_NONE;
	case KCOLO_EVENT_TYPE_CHECKPOINT_ABORTED:
		return ev->epoch == epoch ? OUTCOME_ABORTED : OUTCOME_NONE;
	case KCOLO_EVENT_TYPE_CHECKPOINT_DOUBT:
		return OUTCOME_DOUBT;
	case KCOLO_EVENT_TYPE_PEER_LOST:
		return OUTCOME_LOST;
	case KCOLO_EVENT_TYPE_FENCED:
		return OUTCOME_FENCED;
	case KCOLO_EVENT_TYPE_SESSION_DEL:
	case KCOLO_EVENT_TYPE_VM_GONE:
		return OUTCOME_ENDED;
	default:
		return OUTCOME_NONE;
	}
}

/*
 * The next event. With --reconnect that the peer is lost is no end of anything:
 * what was in doubt is decided before it is there again.
 */
static bool next_event(struct primary *p, struct kcolo_event *ev, int timeout_ms)
{
	bool lost;

	if (!watch_next(&p->w, ev, timeout_ms))
		return false;
	lost = ev->type == KCOLO_EVENT_TYPE_PEER_LOST ||
	       ev->type == KCOLO_EVENT_TYPE_CHECKPOINT_DOUBT;
	if (opt.reconnect && lost) {
		say("the peer is lost: %s", ev->error);
		p->lost = true;
		return false;
	}
	if (p->lost && ev->type == KCOLO_EVENT_TYPE_PEER_CONNECTED) {
		p->lost = false;
		p->relinks++;
	}
	return true;
}

/* Late is as good as never: an error is of no consequence. */
static void log_wanted(struct primary *p)
{
	if (opt.deaf)
		return;
	if (opt.log_again)
		ram_log(p->vm, p->vm->region[0].mem, 1);
	ram_log_sync(p->vm);
	kcolo_log_synced(p->w.k);
}

/*
 * Wait for an event of this checkpoint, or for how it ends. True when it is the
 * event; else the outcome is set.
 */
static bool wait_for(struct primary *p, struct checkpoint *c,
		     enum kcolo_event_type type, struct kcolo_event *ev)
{
	u64 end = now_us() + OUTCOME_MS * 1000ull;
	bool was_lost;

	while (now_us() < end) {
		if (vm_failed(p->vm)) {
			c->outcome = OUTCOME_GUEST;
			return false;
		}
		was_lost = p->lost;
		if (!next_event(p, ev, 200))
			continue;
		if (ev->type == KCOLO_EVENT_TYPE_HARVEST_WANTED)
			log_wanted(p);
		if (ev->type == type && ev->epoch == c->epoch)
			return true;
		c->outcome = outcome_of(ev, c->epoch);
		/* There again, and nothing was said of the epoch. */
		if (was_lost && !p->lost && ev->epoch >= c->epoch)
			c->outcome = OUTCOME_LOST;
		if (c->outcome) {
			c->end = *ev;
			return false;
		}
	}
	die(EXIT_SESSION, "checkpoint %llu: nothing was heard of epoch %llu for %u ms",
	    c->n, c->epoch, OUTCOME_MS);
}

/* A request was refused: what it was waiting for has ended before. */
static void refused(struct primary *p, struct checkpoint *c, const char *what)
{
	struct kcolo_event ev;

	say("%s of epoch %llu: %s", what, c->epoch, kcolo_error(p->w.k));
	wait_for(p, c, KCOLO_EVENT_TYPE_NONE, &ev);
}

static void resume(struct primary *p, struct checkpoint *c)
{
	if (!c->paused)
		return;
	c->paused = false;
	vm_resume(p->vm);
	c->pause_us = now_us() - c->paused_at;
}

static bool aborts(const struct checkpoint *c, enum moment m)
{
	return opt.abort_at == m &&
		(c->n <= opt.abort_first ||
		 (opt.abort_each && !(c->n % opt.abort_each)));
}

/*
 * Until some of the full sync is sent, each time more of it, or the checkpoint is
 * further than that.
 */
static void wait_syncing(struct primary *p, struct checkpoint *c)
{
	u64 some = c->n * ram_pages(p->vm) / (opt.abort_first + 2);
	struct kcolo_session_info info;

	do {
		sleep_ms(1);
		watch_info(&p->w, &info);
	} while (info.state == KCOLO_STATE_PRECOPY &&
		 watch_stat(&p->w, KCOLO_A_STATS_PAGES_SYNC) < c->synced + some);
}

/* Faults and aborts that are wanted at this moment. */
static void moment(struct primary *p, struct checkpoint *c, enum moment m)
{
	fault_at(m, c->n);
	if (!aborts(c, m))
		return;
	if (m == MOMENT_PRECOPY && c->n <= opt.abort_first)
		wait_syncing(p, c);
	else if (m == MOMENT_PRECOPY)
		sleep_ms(random_below(5));
	if (kcolo_abort(p->w.k))
		say("abort of epoch %llu: %s", c->epoch, kcolo_error(p->w.k));
}

/* A VMM that hangs: kcolo has to end the checkpoint. */
static bool stalled(struct primary *p, struct checkpoint *c, enum moment m)
{
	struct kcolo_event ev;

	if (opt.stall.moment != m || opt.stall.checkpoint != c->n)
		return false;
	complain("nothing more for checkpoint %llu, as asked for", c->n);
	wait_for(p, c, KCOLO_EVENT_TYPE_NONE, &ev);
	return true;
}

static bool wants(const struct checkpoint *c, enum moment m)
{
	return fault_wants(m, c->n) || opt.abort_at == m ||
		opt.stall.moment == m;
}

static void wait_flushed(struct primary *p)
{
	u64 end = now_us() + 5000000;
	struct kcolo_session_info info;

	do {
		sleep_ms(1);
		watch_info(&p->w, &info);
	} while (info.state == KCOLO_STATE_FLUSHING && now_us() < end);
}

/* From checkpoint-ready to the commit; the guest stands still. */
static bool pause_and_commit(struct primary *p, struct checkpoint *c)
{
	struct kcolo *k = p->w.k;
	const char *what = NULL;
	void *state;

	c->paused_at = now_us();
	vm_pause(p->vm);
	c->paused = true;
	state = state_save(p->vm, &c->state_len);
	c->steps = steps_note(p->vm);
	if (!opt.verify_late)
		announce(p, c);
	if (opt.log_sync)
		ram_log_sync(p->vm);
	if (kcolo_flush(k)) {
		what = "flush";
	} else {
		moment(p, c, MOMENT_FLUSHING);
		if (wants(c, MOMENT_FLUSHED)) {
			wait_flushed(p);
			moment(p, c, MOMENT_FLUSHED);
			if (stalled(p, c, MOMENT_FLUSHED)) {
				free(state);
				return false;
			}
		}
		if (opt.external)
			carry_state(&p->side, c->epoch, state, c->state_len);
		else if (kcolo_devstate_write(k, state, c->state_len))
			what = "device state";
	}
	free(state);
	if (!what) {
		if (!opt.verify_late)
			wait_announced(p, c);
		if (kcolo_commit(k))
			what = "commit";
	}
	if (what) {
		refused(p, c, what);
		return false;
	}
	moment(p, c, MOMENT_COMMITTING);
	return true;
}

static enum kcolo_kind next_kind(void)
{
	if (opt.kinds == KINDS_MIXED)
		return random_below(3) ? KCOLO_KIND_PERIODIC :
			KCOLO_KIND_URGENT;
	return opt.kinds == KINDS_URGENT ? KCOLO_KIND_URGENT :
		KCOLO_KIND_PERIODIC;
}

static void run_checkpoint(struct primary *p, struct checkpoint *c)
{
	struct kcolo_event ev;

	if (!wait_for(p, c, KCOLO_EVENT_TYPE_CHECKPOINT_READY, &c->ready))
		return;
	moment(p, c, MOMENT_READY);
	if (stalled(p, c, MOMENT_READY) || !pause_and_commit(p, c))
		return;
	if (wait_for(p, c, KCOLO_EVENT_TYPE_CHECKPOINT_RECEIVED, &ev)) {
		moment(p, c, MOMENT_RECEIVED);
		/* RAM is what was sent: the guest stands still until here. */
		if (opt.verify_late)
			announce(p, c);
		if (!opt.lock_step)
			resume(p, c);
		if (wait_for(p, c, KCOLO_EVENT_TYPE_CHECKPOINT_COMMITTED, &ev))
			c->outcome = OUTCOME_COMMITTED;
	}
	if (c->outcome == OUTCOME_COMMITTED)
		moment(p, c, MOMENT_COMMITTED);
}

static void report_checkpoint(struct primary *p, struct checkpoint *c)
{
	say("#%llu epoch %llu, %s: %s%s%s%s", c->n, c->epoch,
	    kcolo_kind_name(c->kind), outcomes[c->outcome],
	    c->end.abort_reason ? " " : "", c->end.abort_reason ?
	    kcolo_abort_reason_name(c->end.abort_reason) : "",
	    !c->verdict_known ? "" :
	    c->hash_equal ? ", RAM equal" : ", RAM DIFFERENT");
	say("   %s, %u rounds, %llu pages dirtied, %llu bytes left, pause %llu us (%llu checks)",
	    kcolo_stop_reason_name(c->ready.stop_reason), c->ready.rounds,
	    c->dirtied, (u64)c->ready.pending, c->pause_us, c->verify_us);
	report_begin("checkpoint");
	report_u64("n", c->n);
	report_u64("epoch", c->epoch);
	report_str("kind", kcolo_kind_name(c->kind));
	report_str("outcome", outcomes[c->outcome]);
	report_str("abort_reason", kcolo_abort_reason_name(c->end.abort_reason));
	report_str("error", c->end.error);
	report_str("stop_reason", kcolo_stop_reason_name(c->ready.stop_reason));
	report_u64("rounds", c->ready.rounds);
	report_u64("pending", c->ready.pending);
	report_u64("dirtied_pages", c->dirtied);
	report_u64("steps", c->steps);
	report_u64("state_bytes", c->state_len);
	report_u64("pause_us", c->pause_us);
	report_u64("verify_us", c->verify_us);
	watch_report_stats(&p->w, "last-");
	watch_report_stats(&p->w, "pages-");
	if (c->verdict_known)
		report_bool("hash_equal", c->hash_equal);
	report_end();
}

/* The other kvmm does the same; until then checkpoints would be refused. */
static void plug_step(struct primary *p)
{
	char line[SIDE_LINE_MAX];

	if (opt.plug_at && p->n + 1 == opt.plug_at) {
		plug_add(p->vm, p->w.k);
		p->vm->plug.counts = true;
		side_send(&p->side, "plug");
		do {
			if (side_line(&p->side, line, 60000) != 1)
				die(EXIT_LOST, "no DIMM at the other end");
		} while (strcmp(line, "plugged"));
	}
	if (opt.unplug_at && p->n + 1 == opt.unplug_at) {
		if (!plug_del(p->vm, p->w.k))
			die(EXIT_SESSION, "the DIMM cannot be unplugged");
		side_send(&p->side, "unplug");
	}
	plug_write(p->vm);
}

static enum outcome one_checkpoint(struct primary *p)
{
	struct checkpoint *c = xcalloc(1, sizeof(*c));
	enum outcome outcome;
	unsigned long epoch = 0;

	plug_step(p);
	c->n = ++p->n;
	c->kind = next_kind();
	if (c->n <= opt.abort_first)
		c->synced = watch_stat(&p->w, KCOLO_A_STATS_PAGES_SYNC);
	fault_begin(c->n);
	if (kcolo_checkpoint(p->w.k, c->kind, &epoch)) {
		refused(p, c, "request");
	} else {
		c->epoch = epoch;
		moment(p, c, MOMENT_PRECOPY);
		run_checkpoint(p, c);
	}
	/* Whatever came of it, the guest goes on, unless it runs elsewhere. */
	if (c->outcome != OUTCOME_FENCED)
		resume(p, c);
	if (c->steps)
		c->dirtied = dirtied_count(p->vm);
	if (c->outcome == OUTCOME_COMMITTED) {
		dirtied_forget(p->vm);
		wait_verdict(p, c);
	}
	/* The peer has no such region: it said so. */
	if (c->outcome == OUTCOME_ABORTED)
		watch_extra_del(&p->w);
	p->count[c->outcome]++;
	report_checkpoint(p, c);
	outcome = c->outcome;
	free(c);
	return outcome;
}

/* Until the next checkpoint is due; says if the session ends meanwhile. */
static enum outcome idle(struct primary *p, u64 until)
{
	struct kcolo_event ev;
	enum outcome outcome;
	u64 now;

	while (!asked_to_stop && (now = now_us()) < until) {
		if (vm_failed(p->vm))
			return OUTCOME_GUEST;
		now = (until - now) / 1000 + 1;
		if (!next_event(p, &ev, now < 200 ? now : 200))
			continue;
		outcome = outcome_of(&ev, 0);
		if (outcome > OUTCOME_ABORTED)
			return outcome;
	}
	return OUTCOME_NONE;
}

/* Until there is a peer again. */
static enum outcome await_peer(struct primary *p)
{
	u64 end = now_us() + opt.lost_ms * 1000ull;
	enum outcome outcome = OUTCOME_NONE;

	while (!asked_to_stop && p->lost && !outcome && now_us() < end)
		outcome = idle(p, now_us() + 50000);
	return outcome || !p->lost ? outcome : OUTCOME_LOST;
}

static enum outcome checkpoints(struct primary *p)
{
	enum outcome outcome = OUTCOME_NONE;

	while (!asked_to_stop && !p->mismatch && !p->unverified &&
	       outcome <= OUTCOME_ABORTED) {
		if (opt.count && p->count[OUTCOME_COMMITTED] >= opt.count &&
		    p->relinks >= opt.relinks)
			break;
		outcome = idle(p, now_us() + opt.interval_ms * 1000ull);
		if (outcome == OUTCOME_NONE && p->lost)
			outcome = await_peer(p);
		if (!asked_to_stop && outcome == OUTCOME_NONE)
			outcome = one_checkpoint(p);
		if (opt.reconnect && outcome == OUTCOME_LOST)
			outcome = await_peer(p);
	}
	return outcome;
}

static bool end_check(struct primary *p)
{
	if (!vm_pause_at_batch(p->vm)) {
		complain("%s", p->vm->failed);
		return false;
	}
	return !opt.verify || replay_check(p->vm);
}

static int finish(struct primary *p, enum outcome outcome)
{
	struct kcolo_session_info info;
	bool good = true;

	if (outcome == OUTCOME_DOUBT || outcome == OUTCOME_LOST) {
		say("the peer is lost (%s); the guest goes on",
		    outcomes[outcome]);
		if (!opt.exit_on_lost)
			outcome = idle(p, now_us() + opt.lost_ms * 1000ull) ==
				OUTCOME_FENCED ? OUTCOME_FENCED : outcome;
	}
	if (p->silent && outcome <= OUTCOME_ABORTED)
		p->unverified++;
	if (outcome == OUTCOME_FENCED)
		vm_pause(p->vm);
	else
		good = end_check(p);
	memset(&info, 0, sizeof(info));
	kcolo_session_get(p->w.k, &info);
	report_begin("summary");
	report_str("role", "primary");
	report_u64("committed_epoch", info.committed);
	report_str("outcome", outcomes[outcome]);
	report_u64("committed", p->count[OUTCOME_COMMITTED]);
	report_u64("verified", p->verified);
	report_u64("unverified", p->unverified);
	report_u64("aborted", p->count[OUTCOME_ABORTED]);
	report_u64("steps", steps_of(p->vm));
	report_u64("churns", atomic_load(&p->vm->churns));
	report_u64("toggles", atomic_load(&p->vm->toggles));
	report_u64("smis", vm_smis(p->vm));
	report_u64("reread_events", p->w.reread);
	report_u64("relinks", p->relinks);
	report_bool("guest_good", good);
	report_bool("mismatch", p->mismatch);
	watch_report_stats(&p->w, "");
	report_end();
	kcolo_session_info_free(&info);
	say("%s: %llu committed, %llu verified, %llu aborted, %lu memslot changes, %u SMIs",
	    outcomes[outcome], p->count[OUTCOME_COMMITTED], p->verified,
	    p->count[OUTCOME_ABORTED], atomic_load(&p->vm->churns),
	    vm_smis(p->vm));
	if (p->unverified)
		complain("%llu commits without a verdict", p->unverified);
	if (!good || p->mismatch || p->unverified || outcome == OUTCOME_GUEST)
		return EXIT_MISMATCH;
	if (outcome == OUTCOME_FENCED)
		return EXIT_FENCED;
	if (outcome == OUTCOME_DOUBT || outcome == OUTCOME_LOST)
		return EXIT_LOST;
	if (outcome == OUTCOME_ENDED)
		return EXIT_SESSION;
	side_send(&p->side, "bye");
	return EXIT_GOOD;
}

/*
 * RAM and device state are copied while the guest is paused, as a VMM does that
 * migrates by itself; from here on kcolo sends what is new.
 */
static void start_clean(struct primary *p)
{
	char line[SIDE_LINE_MAX];
	size_t len;
	void *state;

	vm_pause(p->vm);
	state = state_save(p->vm, &len);
	carry_ram(&p->side, p->vm);
	carry_state(&p->side, 0, state, len);
	free(state);
	side_send(&p->side, "copied");
	do {
		if (side_line(&p->side, line, 60000) != 1)
			die(EXIT_LOST, "RAM was not copied");
	} while (strcmp(line, "clean"));
	if (kcolo_clean(p->w.k))
		die(EXIT_SESSION, "clean: %s", kcolo_error(p->w.k));
	vm_resume(p->vm);
}

static void log_late(struct vm *vm)
{
	sleep_ms(LATE_LOG_MS);
	slots_log(vm);
}

/* A guest that runs is protected until there is an end to it. */
static int protect(struct vm *vm)
{
	struct primary *p = xcalloc(1, sizeof(*p));
	enum outcome outcome;
	int code;

	p->vm = vm;
	p->side.fd = -1;
	if (opt.side)
		side_connect(&p->side, opt.side, opt.connect_ms);
	watch_open(&p->w, KCOLO_ROLE_PRIMARY);
	if (opt.late_log)
		log_late(vm);
	if (kcolo_vm_attach(p->w.k, p->vm->fd))
		die(EXIT_SESSION, "vm-attach: %s", kcolo_error(p->w.k));
	toggle_start(vm);
	watch_regions(&p->w, p->vm, p->region);
	if (opt.extra_region)
		watch_extra_add(&p->w);
	watch_subscribe(&p->w);
	if (kcolo_wait_connected(p->w.k, opt.connect_ms))
		die(EXIT_LOST, "no secondary: %s", kcolo_error(p->w.k));
	if (opt.clean)
		start_clean(p);
	outcome = checkpoints(p);
	code = finish(p, outcome);
	/* The session ends with the process; the guest's RAM is still logged. */
	vm_destroy(p->vm);
	kcolo_close(p->w.k);
	side_close(&p->side);
	return code;
}

int primary_main(void)
{
	struct vm *vm = xcalloc(1, sizeof(*vm));

	vm_create(vm, true);
	vm_start(vm);
	vm_resume(vm);
	return protect(vm);
}

/*
 * The guest was taken over, and is to be protected again: in a session of its own,
 * since that of the pair before has to tell the old primary, should it be there
 * again.
 */
int primary_again(struct vm *vm)
{
	static char name[KCOLO_NAME_MAX + 1];

	snprintf(name, sizeof(name), "%s-2", opt.name);
	opt.name = name;
	opt.address = opt.reprotect;
	opt.side = opt.reprotect_side;
	opt.verify_each = opt.side ? opt.reprotect_verify : 0;
	opt.clean = false;
	unsetenv("KCOLO_FD");
	vm_resume(vm);
	return protect(vm);
}
