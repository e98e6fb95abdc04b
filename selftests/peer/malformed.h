/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KPEER_MALFORMED_H
#define KPEER_MALFORMED_H

#include "play.h"

/* When the bytes are sent. */
enum moment {
	AT_CONNECTED,		/* before REGIONS */
	AT_IDLE,		/* epoch 1 is committed */
	AT_OPEN,		/* and 2 is open, pages of it are staged */
};

/**
 * struct bad - bytes that a secondary must not take
 * @name: what is wrong with them
 * @channel: where they go
 * @at: when
 * @make: makes them
 * @error: what the session has to say; NULL is anything
 * @reason: KCOLO_ABORT_REASON_NONE is any
 */
struct bad {
	const char *name;
	int channel;
	enum moment at;
	void (*make)(struct buf *b);
	const char *error;
	enum kcolo_abort_reason reason;
};

extern const struct bad bad_pages[], bad_control[];	/* end without a name */

#define PROTOCOL	KCOLO_ABORT_REASON_PROTOCOL
#define CHECKSUM	KCOLO_ABORT_REASON_CHECKSUM

/* Messages and pages that AT_OPEN has staged in epoch 2. */
#define STAGED_MESSAGES	1
#define STAGED_PAGES	4

struct play *play_at(enum moment at, u32 peer_timeout);
/* The link is lost for this, nothing has changed, and it can be promoted. */
void play_lost(struct play *p, enum moment at, enum kcolo_abort_reason reason,
	       const char *error);

#endif /* KPEER_MALFORMED_H */
