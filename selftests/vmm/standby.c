// SPDX-License-Identifier: GPL-2.0
/*
 * kvmm secondary: holds the last whole checkpoint, compares its RAM with what
 * the primary says it was, and on promotion restores the guest and runs it.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "carry.h"
#include "plug.h"
#include "protect.h"
#include "watch.h"

#define MAX_SIDES	4
#define KNOWN		64
#define SHOW_MAX	20
#define HASH_WAIT_MS	5000
#define PROMOTE_MS	60000

/**
 * struct known - what the primary said of an epoch
 * @epoch: 0 when the entry is free
 * @hashed: RAM was hashed, it is @hash
 */
struct known {
	u64 epoch;
	bool hashed;
	u64 hash;
};

struct standby {
	struct vm *vm;
	struct watch w;
	int listener;
	struct side side[MAX_SIDES];
	struct kcolo_region region[MAX_REGIONS];
	struct known known[KNOWN];
	u64 nr_known;
	u64 committed;		/* epoch of the last commit heard of */
	u64 verified, commits;
	bool untold;		/* nothing was said of the last one committed */
	u64 unverified;		/* those, and more was committed */
	u64 differ_epoch;	/* the pages of this one are being compared */
	u32 differ;
	struct carried arriving, good;	/* device state: any, the committed one */
	u64 base;		/* hash of RAM at the last commit */
	bool base_known;
	u64 prepared, dropped;	/* epochs */
	u64 applied_pages;	/* that the applied log had */
	bool mismatch, compared;
	bool promote, bye;
	bool promoted;		/* by whomever */
};

static atomic_bool asked_to_promote;

static void on_promote(int sig)
{
	(void)sig;
	asked_to_promote = true;
}

static const struct known *known_of(struct standby *s, u64 epoch)
{
	u32 i;

	for (i = 0; i < KNOWN; i++)
		if (s->known[i].epoch == epoch)
			return &s->known[i];
	return NULL;
}

static void learn(struct standby *s, u64 epoch, bool hashed, u64 hash)
{
	s->known[s->nr_known++ % KNOWN] =
		(struct known) { epoch, hashed, hash };
}

/* "REGION FIRST HASH...": the primary's hashes of some pages. */
static void compare_pages(struct standby *s, struct side *side, char *rest)
{
	u32 index = strtoul(rest, &rest, 10);
	u64 page = strtoull(rest, &rest, 10);
	struct region *r = &s->vm->region[index];

	if (index >= s->vm->nr_regions)
		return;
	for (; *rest == ' ' && page < r->size >> KVMM_PAGE_SHIFT; page++) {
		if (strtoull(rest, &rest, 16) == r->page_hash[page])
			continue;
		if (s->differ++ >= SHOW_MAX)
			continue;
		complain("epoch %llu: %s page %llu differs", s->differ_epoch,
			 r->name, page);
		side_send(side, "differs %s %llu", r->name, page);
	}
}

/* RAM is what was copied: kcolo is to know, and nothing of it to be lost. */
static void start_clean(struct standby *s, struct side *side)
{
	if (!carried_whole(&s->arriving, 0))
		die(EXIT_MISMATCH, "the device state was not copied whole");
	carried_keep(&s->good, &s->arriving);
	if (kcolo_clean(s->w.k))
		die(EXIT_SESSION, "clean: %s", kcolo_error(s->w.k));
	s->base = ram_hash(s->vm);
	s->base_known = true;
	applied_note(s->vm);
	side_send(side, "clean");
}

/* Too early: it is part of the image that is committed. */
static void unplug(struct standby *s)
{
	if (plug_del(s->vm, s->w.k)) {
		complain("a part of the committed image could be removed");
		s->mismatch = true;
	}
	s->vm->plug.leaving = true;
}

static void take_line(struct standby *s, struct side *side, char *line)
{
	char *word = strsep(&line, " "), *rest = line ? line : "";
	u64 epoch = strtoull(rest, &rest, 10);

	if (!strcmp(word, "hash")) {
		learn(s, epoch, true, strtoull(rest, NULL, 16));
		side_send(side, "have %llu", epoch);
	} else if (!strcmp(word, "skip")) {
		learn(s, epoch, false, 0);
	} else if (!strcmp(word, "state")) {
		carried_state(&s->arriving, epoch, rest);
	} else if (!strcmp(word, "ram")) {
		carried_ram(s->vm, epoch, rest);
	} else if (!strcmp(word, "copied")) {
		start_clean(s, side);
	} else if (!strcmp(word, "pages")) {
		compare_pages(s, side, rest);
	} else if (!strcmp(word, "end")) {
		complain("epoch %llu: %u pages differ", epoch, s->differ);
		side_send(side, "end %llu", epoch);
		s->compared = true;
	} else if (!strcmp(word, "plug")) {
		s->vm->plug.counts = false;
		plug_add(s->vm, s->w.k);
		side_send(side, "plugged");
	} else if (!strcmp(word, "unplug")) {
		unplug(s);
	} else if (!strcmp(word, "promote")) {
		s->promote = true;
	} else if (!strcmp(word, "bye")) {
		s->bye = true;
	}
}

/* Take what has come on the side channel, waiting @ms for the first of it. */
static void take_lines(struct standby *s, int ms)
{
	struct pollfd pfd[MAX_SIDES + 2] = {};
	char line[SIDE_LINE_MAX];
	int free_side = -1, i;

	if (s->listener < 0)
		return sleep_ms(ms < 20 ? ms : 20);
	for (i = 0; i < MAX_SIDES; i++) {
		pfd[i].fd = s->side[i].fd;
		pfd[i].events = POLLIN;
		if (s->side[i].fd < 0)
			free_side = i;
	}
	pfd[i].fd = free_side < 0 ? -1 : s->listener;
	pfd[i].events = POLLIN;
	pfd[i + 1].fd = opt.no_events ? -1 : kcolo_event_fd(s->w.k);
	pfd[i + 1].events = POLLIN;
	if (poll(pfd, MAX_SIDES + 2, ms) < 1)
		return;
	if (pfd[i].revents)
		side_accept(&s->side[free_side], s->listener);
	for (i = 0; i < MAX_SIDES; i++)
		while (side_line(&s->side[i], line, 0) == 1)
			take_line(s, &s->side[i], line);
}

static void send_verdict(struct standby *s, u64 epoch, bool equal)
{
	u32 i;

	for (i = 0; i < MAX_SIDES; i++)
		side_send(&s->side[i], "verdict %llu %s", epoch,
			  equal ? "ok" : "bad");
}

/* What the primary said of @epoch; it says so before it commits. */
static const struct known *wait_known(struct standby *s, u64 epoch)
{
	u64 end = now_us() + HASH_WAIT_MS * 1000ull;

	while (opt.verify_each && !known_of(s, epoch) && now_us() < end)
		take_lines(s, 10);
	return known_of(s, epoch);
}

/* Negative control: nobody hears of what is compared. */
static void mute(struct standby *s)
{
	u32 i;

	for (i = 0; i < MAX_SIDES; i++)
		side_close(&s->side[i]);
}

static void on_commit(struct standby *s, u64 epoch)
{
	const struct known *known = wait_known(s, epoch);
	bool hashed = known && known->hashed, equal = true;
	u64 hash = 0, set = 0;

	if (s->untold)
		s->unverified++;
	s->untold = opt.verify_each && !known;
	s->committed = epoch;
	s->commits++;
	if (opt.mute)
		mute(s);
	if (opt.corrupt && hashed)
		ram_corrupt(s->vm);
	/* The one that is committed now is without it. */
	if (s->vm->plug.leaving && !plug_del(s->vm, s->w.k))
		s->mismatch = true;
	s->vm->plug.leaving = false;
	/* Before, it was no part of an epoch. */
	s->vm->plug.counts = true;
	if (hashed || opt.external) {
		hash = ram_hash(s->vm);
		s->base = hash;
		s->base_known = true;
	}
	/* Before the primary is told: pages of its next epoch may be put in place. */
	if (opt.external && !applied_check(s->vm, s->region, &set))
		s->mismatch = true;
	if (hashed) {
		equal = hash == known->hash;
		s->verified++;
		send_verdict(s, epoch, equal);
	}
	s->applied_pages += set;
	say("epoch %llu is committed%s", epoch, !hashed ? "" :
	    equal ? ", RAM equal" : ", RAM DIFFERENT");
	report_begin("committed");
	report_u64("epoch", epoch);
	if (hashed)
		report_bool("hash_equal", equal);
	report_end();
	if (s->untold)
		complain("epoch %llu: the primary said nothing of it", epoch);
	if (!equal) {
		s->mismatch = true;
		s->differ_epoch = epoch;
	}
}

static bool wait_state(struct standby *s, u64 epoch)
{
	u64 end = now_us() + HASH_WAIT_MS * 1000ull;

	while (!carried_whole(&s->arriving, epoch) && now_us() < end)
		take_lines(s, 10);
	return carried_whole(&s->arriving, epoch);
}

/* Until it says apply, the base image is the last committed epoch. */
static void on_prepared(struct standby *s, u64 epoch)
{
	s->prepared++;
	if (s->base_known && opt.verify_each && !opt.in_place &&
	    ram_hash(s->vm) != s->base) {
		complain("epoch %llu is only prepared, and RAM has changed",
			 epoch);
		s->mismatch = true;
	}
	if (opt.no_apply)
		return;
	if ((opt.drop_each && s->prepared % opt.drop_each == 0) ||
	    !wait_state(s, epoch)) {
		if (kcolo_drop(s->w.k, epoch))
			say("drop of epoch %llu: %s", epoch,
			    kcolo_error(s->w.k));
		s->dropped++;
		return;
	}
	sleep_ms(opt.apply_ms);
	if (kcolo_apply(s->w.k, epoch))
		say("apply of epoch %llu: %s", epoch, kcolo_error(s->w.k));
	else
		carried_keep(&s->good, &s->arriving);
}

/* Returns whether it is the end of the session. */
static bool handle(struct standby *s, const struct kcolo_event *ev)
{
	switch (ev->type) {
	case KCOLO_EVENT_TYPE_CHECKPOINT_COMMITTED:
		if (ev->epoch <= s->committed)
			break;
		on_commit(s, ev->epoch);
		if (opt.promote_epoch && ev->epoch >= opt.promote_epoch)
			s->promote = true;
		break;
	case KCOLO_EVENT_TYPE_CHECKPOINT_PREPARED:
		on_prepared(s, ev->epoch);
		break;
	case KCOLO_EVENT_TYPE_CHECKPOINT_ABORTED:
		say("epoch %llu aborted: %s", (u64)ev->epoch,
		    kcolo_abort_reason_name(ev->abort_reason));
		break;
	case KCOLO_EVENT_TYPE_PEER_LOST:
		say("the primary is lost: %s",
		    kcolo_abort_reason_name(ev->abort_reason));
		take_lines(s, 100);
		if (opt.promote == PROMOTE_LOST && !s->bye)
			s->promote = true;
		break;
	case KCOLO_EVENT_TYPE_PROMOTED:
		s->promoted = true;
		s->promote = true;
		break;
	case KCOLO_EVENT_TYPE_SESSION_DEL:
		take_lines(s, 100);
		if (ev->abort_reason == KCOLO_ABORT_REASON_CLOSED && s->bye)
			break;
		fallthrough;
	case KCOLO_EVENT_TYPE_BROKEN:
		complain("the session has ended: %s %s",
			 kcolo_event_type_name(ev->type), ev->error);
		return true;
	default:
		break;
	}
	return false;
}

/* Until there is something to do. Returns whether the session still stands. */
static bool stand_by(struct standby *s)
{
	struct kcolo_event ev;

	while (!s->promote && !s->bye && !asked_to_stop && !s->compared) {
		while (!s->promote && watch_next(&s->w, &ev, 0))
			if (handle(s, &ev))
				return false;
		if (asked_to_promote)
			s->promote = true;
		if (!s->promote)
			take_lines(s, opt.no_events ? 2 : 200);
	}
	return true;
}

/**
 * struct taken - how a promotion went
 * @base_known: the primary had said what RAM was at the last committed epoch
 * @base_equal: that is what RAM was before and after the promotion
 */
struct taken {
	u64 epoch;
	bool base_known, base_equal;
	u64 steps, steps_after;
	bool guest_good;
	u64 restore_us;
};

static bool base_is(struct standby *s, struct taken *t, const char *when)
{
	const struct known *known = known_of(s, t->epoch);
	bool copied = opt.clean && !t->epoch;

	t->base_known = copied || (known && known->hashed);
	if (!t->base_known)
		return true;
	if (ram_hash(s->vm) == (copied ? s->base : known->hash))
		return true;
	complain("%s promotion RAM is not that of epoch %llu", when, t->epoch);
	return false;
}

/* The last commit, once nothing is put in place any more. */
static void wait_settled(struct standby *s, struct kcolo_session_info *info)
{
	u64 end = now_us() + PROMOTE_MS * 1000ull;

	for (;;) {
		watch_info(&s->w, info);
		if (info->state != KCOLO_STATE_APPLYING || now_us() > end)
			return;
		sleep_ms(1);
	}
}

/* Somebody else may have asked for it, or be quicker. */
static bool ask(struct standby *s)
{
	struct kcolo_session_info info;

	if (s->promoted || !kcolo_promote(s->w.k))
		return true;
	watch_info(&s->w, &info);
	if (info.state == KCOLO_STATE_PROMOTED)
		return true;
	complain("promotion: %s", kcolo_error(s->w.k));
	return false;
}

static bool wait_promoted(struct standby *s)
{
	u64 end = now_us() + PROMOTE_MS * 1000ull;
	struct kcolo_event ev;

	while (!s->promoted && now_us() < end)
		if (watch_next(&s->w, &ev, 200) && handle(s, &ev))
			break;
	if (!s->promoted)
		complain("promotion: nothing came of it");
	return s->promoted;
}

static bool take_over(struct standby *s, struct taken *t)
{
	struct kcolo_session_info info;

	wait_settled(s, &info);
	t->epoch = info.committed;
	t->base_equal = true;
	if (info.state == KCOLO_STATE_LOST)
		t->base_equal = base_is(s, t, "before");
	if (!ask(s) || !wait_promoted(s))
		return false;
	watch_info(&s->w, &info);
	t->epoch = info.committed;
	t->base_equal &= base_is(s, t, "after");
	return true;
}

/* What was carried, or what kcolo has. */
static bool load_state(struct standby *s, struct taken *t)
{
	void *state = NULL;
	size_t len;

	if (opt.external || (opt.clean && !t->epoch)) {
		if (!carried_whole(&s->good, t->epoch)) {
			complain("there is no device state of epoch %llu",
				 t->epoch);
			return false;
		}
		state_load(s->vm, s->good.buf, s->good.len);
		return true;
	}
	if (kcolo_devstate_read(s->w.k, &state, &len)) {
		complain("device state: %s", kcolo_error(s->w.k));
		return false;
	}
	state_load(s->vm, state, len);
	free(state);
	return true;
}

static bool run_restored(struct standby *s, struct taken *t)
{
	u64 from = now_us();

	if (!load_state(s, t))
		return false;
	t->steps = steps_of(s->vm);
	vm_start(s->vm);
	vm_resume(s->vm);
	t->restore_us = now_us() - from;
	say("promoted with epoch %llu: the guest goes on from step %llu",
	    t->epoch, t->steps);
	sleep_ms(opt.run_on_ms);
	if (!vm_pause_at_batch(s->vm)) {
		complain("%s", s->vm->failed);
		return false;
	}
	t->steps_after = steps_of(s->vm);
	if (t->steps_after <= t->steps && opt.pattern < PATTERN_NONE) {
		complain("the restored guest does not go on");
		return false;
	}
	return !opt.verify || replay_check(s->vm);
}

static int promotion(struct standby *s, struct taken *t)
{
	if (!take_over(s, t))
		return t->epoch ? EXIT_SESSION : EXIT_LOST;
	t->guest_good = run_restored(s, t);
	say("promoted: %llu steps since, guest %s, base image %s",
	    t->steps_after - t->steps, t->guest_good ? "good" : "BAD",
	    !t->base_known ? "not known" : t->base_equal ? "equal" :
	    "DIFFERENT");
	if (!t->guest_good || !t->base_equal)
		return EXIT_MISMATCH;
	sleep_ms(opt.linger_ms);
	return EXIT_GOOD;
}

static void report_summary(struct standby *s, struct taken *t, int code)
{
	report_begin("summary");
	report_str("role", "secondary");
	report_u64("exit_code", code);
	report_u64("commits", s->commits);
	report_u64("verified", s->verified);
	report_u64("unverified", s->unverified);
	report_u64("prepared", s->prepared);
	report_u64("dropped", s->dropped);
	report_u64("applied_log_pages", s->applied_pages);
	report_bool("mismatch", s->mismatch);
	report_u64("reread_events", s->w.reread);
	report_bool("promoted", t->steps != 0 || t->restore_us != 0);
	report_u64("epoch", t->epoch ? t->epoch : s->committed);
	report_bool("base_known", t->base_known);
	report_bool("base_equal", t->base_equal);
	report_bool("guest_good", t->guest_good);
	report_u64("steps", t->steps);
	report_u64("steps_after", t->steps_after);
	report_u64("restore_us", t->restore_us);
	watch_report_stats(&s->w, "");
	report_end();
}

int secondary_main(void)
{
	struct standby *s = xcalloc(1, sizeof(*s));
	struct sigaction sa = { .sa_handler = on_promote };
	struct taken taken = {};
	int code = EXIT_GOOD;
	u32 i;

	s->vm = xcalloc(1, sizeof(*s->vm));
	for (i = 0; i < MAX_SIDES; i++)
		s->side[i].fd = -1;
	sigaction(SIGUSR2, &sa, NULL);
	vm_create(s->vm, false);
	s->listener = opt.side ? side_listen(opt.side) : -1;
	watch_open(&s->w, KCOLO_ROLE_SECONDARY);
	watch_regions(&s->w, s->vm, s->region);
	watch_subscribe(&s->w);
	say("waiting for a primary");
	if (!stand_by(s))
		code = EXIT_SESSION;
	else if (s->mismatch)
		code = EXIT_MISMATCH;
	else if (s->promote)
		code = promotion(s, &taken);
	/* A primary that takes its leave has said all of the last one, too. */
	if (s->untold && s->bye)
		s->unverified++;
	if (s->mismatch || s->unverified)
		code = EXIT_MISMATCH;
	report_summary(s, &taken, code);
	say("%llu epochs committed, %llu verified, %llu not%s", s->commits,
	    s->verified, s->unverified,
	    s->mismatch ? ", RAM DIFFERENT" : "");
	if (opt.reprotect && taken.guest_good && code == EXIT_GOOD)
		code = primary_again(s->vm);
	else
		vm_destroy(s->vm);
	kcolo_close(s->w.k);
	for (i = 0; i < MAX_SIDES; i++)
		side_close(&s->side[i]);
	return code;
}
