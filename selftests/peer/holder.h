/* SPDX-License-Identifier: GPL-2.0 */
/* A secondary of the kernel's, whose RAM is this process' memory. */
#ifndef KPEER_HOLDER_H
#define KPEER_HOLDER_H

#include "pages.h"

/**
 * struct holder - a session and what it has to hold
 * @k: handle that has the session's fd
 * @ram: the base image, written to by the kernel
 * @should: what it was at the last commit
 * @committed: the last committed epoch
 * @state: device state of that epoch
 * @state_len: bytes of it
 */
struct holder {
	struct kcolo *k;
	struct ram ram;
	struct ram should;
	u64 committed;
	const void *state;
	size_t state_len;
};

/* How long the end of a session may take: it waits for nobody. */
#define GONE_MS		(9000 * opt.slow)

void holder_up(struct holder *h, u32 peer_timeout);
void holder_info(struct holder *h, struct kcolo_session_info *info);
/* Until the session is in a state; -1 when it is not within @ms. */
int holder_wait(struct holder *h, enum kcolo_state state, u32 ms,
		struct kcolo_session_info *info);
void holder_must(struct holder *h, enum kcolo_state state, const char *when);
/* RAM and the committed epoch are what they have to be. */
void holder_check(struct holder *h, const char *when);
/*
 * The link was lost for this reason and with these words; NONE and NULL are any.
 * Nothing else has changed.
 */
void holder_lost(struct holder *h, enum kcolo_abort_reason reason,
		 const char *error);
/* Take over, with RAM and device state of the last commit. */
void holder_promote(struct holder *h);
/* The epoch that is prepared is to be committed. */
void holder_apply(struct holder *h, u64 epoch);
void holder_down(struct holder *h);
u64 holder_stat(struct holder *h, unsigned int which);

/* Until there is no session of this name. */
void session_gone(const char *name, u32 ms);
/* What a session says of its end; NULL and 0 are any. */
void session_says(const struct kcolo_session_info *info,
		  enum kcolo_abort_reason reason, const char *error);

#endif /* KPEER_HOLDER_H */
