/* SPDX-License-Identifier: GPL-2.0 */
/* What protect.c and announce.c share: a primary and one of its checkpoints. */
#ifndef KVMM_PROTECT_H
#define KVMM_PROTECT_H

#include "side.h"
#include "watch.h"

enum outcome {
	OUTCOME_NONE,
	OUTCOME_COMMITTED,
	OUTCOME_ABORTED,
	OUTCOME_DOUBT,
	OUTCOME_LOST,
	OUTCOME_FENCED,
	OUTCOME_ENDED,		/* the session */
	OUTCOME_GUEST,		/* the guest has failed */
};

/**
 * struct checkpoint - one of them
 * @n: counted here, from 1
 * @synced: pages of the full sync sent before, with --abort-first
 * @ready: the event checkpoint-ready
 * @end: the event that ended it, unless it is committed
 * @paused: the guest is
 * @paused_at: when it was told to, us
 * @pause_us: how long it was
 * @verify_us: how much of that was for our own checks
 */
struct checkpoint {
	u64 n;
	u64 synced;
	u64 epoch;
	enum kcolo_kind kind;
	enum outcome outcome;
	struct kcolo_event ready;
	struct kcolo_event end;
	bool paused;
	u64 paused_at;
	u64 pause_us;
	u64 verify_us;
	bool hashed;
	u64 hash;
	bool verdict_known;
	bool hash_equal;
	u64 dirtied;
	u64 steps;
	size_t state_len;
};

/**
 * struct primary - this end
 * @n: checkpoints begun
 * @verified: those after which RAM was found equal
 * @silent: of the last one committed there was no verdict
 * @unverified: those of which there was none, and more was committed
 * @mismatch: a verdict was bad
 * @lost: there is no peer, with --reconnect
 * @relinks: times that there was one again
 */
struct primary {
	struct vm *vm;
	struct watch w;
	struct side side;
	struct kcolo_region region[MAX_REGIONS];
	u64 n;
	u64 count[OUTCOME_GUEST + 1];
	u64 verified, unverified;
	bool silent;
	bool mismatch;
	bool lost;
	u64 relinks;
};

int primary_again(struct vm *vm);

/* announce.c */
void announce(struct primary *p, struct checkpoint *c);
void wait_announced(struct primary *p, struct checkpoint *c);
void wait_verdict(struct primary *p, struct checkpoint *c);

#endif /* KVMM_PROTECT_H */
