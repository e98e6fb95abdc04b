/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_EVENTS_H
#define KCOLO_EVENTS_H

#include <linux/kcolo.h>
#include <linux/types.h>

struct genl_family;
struct net;

/**
 * struct kcolo_event - something that happened, ready to be said
 * @type: what
 * @seq: its number in the session
 * @id: the session's
 * @name: the session's
 * @state: of the session afterwards
 * @epoch: the epoch meant, 0 for none
 * @kind: of the checkpoint
 * @stop_reason: why pre-copy ended
 * @abort_reason: why something was given up
 * @pending: bytes left for the pause
 * @rounds: rounds before the pause
 * @pause_us: microseconds since checkpoint-ready
 * @error: in words, or NULL
 * @different: pages that are not equal
 */
struct kcolo_event {
	enum kcolo_event_type type;
	u64 seq;
	u32 id;
	const char *name;
	enum kcolo_state state;
	u64 epoch;
	enum kcolo_kind kind;
	enum kcolo_stop_reason stop_reason;
	enum kcolo_abort_reason abort_reason;
	u64 pending;
	u32 rounds;
	u64 pause_us;
	const char *error;
	u64 different;
};

void kcolo_events_init(struct genl_family *family);
void kcolo_event_multicast(struct net *net, const struct kcolo_event *ev);
int kcolo_event_unicast(struct net *net, u32 portid,
			const struct kcolo_event *ev);

#endif
