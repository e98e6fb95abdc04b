/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_STREAM_H
#define KCOLO_STREAM_H

#include <linux/types.h>

struct kcolo_session;
struct kcolo_stream;

/* When pages are sent, for the statistics. */
enum kcolo_phase {
	KCOLO_PHASE_SYNC,	/* the initial full sync */
	KCOLO_PHASE_PRECOPY,
	KCOLO_PHASE_PAUSE,
};

int kcolo_away_from_round(void *session);
int kcolo_away_from_pause(void *session);
struct kcolo_stream *kcolo_stream_new(void);
void kcolo_stream_free(struct kcolo_stream *stream);
int kcolo_stream_pass(struct kcolo_session *s, u32 round,
		      enum kcolo_phase phase, u64 *sent);

#endif
