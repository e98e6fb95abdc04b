/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A secondary played by hand, and the kernel's primary. The VMM of the primary
 * is kpeer itself, with a VM that has no vCPU, or another process, which then
 * drives the checkpoints by itself (--vmm).
 */
#ifndef KPEER_SERVE_H
#define KPEER_SERVE_H

#include "play.h"

/**
 * struct serve - both ends
 * @k: the primary's session
 * @mem: RAM of a guest of our own
 * @size: bytes of it, 0 when the session has no VM
 * @region: all of it
 * @want: a checkpoint is to be asked for
 * @stay_ready: the VMM does not flush yet
 * @listener: where the primary connects
 * @l: its connections
 * @hello: what it said, by channel
 * @take: PAGES are taken
 * @epoch: the last that was asked for
 * @nr_regions: that it has said
 * @region_pages: of each
 * @got: PAGES messages and pages of the epoch
 * @hashes: HASHES messages, since the scenario has set it to 0
 * @has: the epoch that it says it has of this primary, 0 is nothing of anybody's
 * @base: what the primary builds upon, as it has said
 * @whole: regions that come whole, likewise
 */
struct serve {
	struct kcolo *k;
	u8 *mem;
	size_t size;
	struct kcolo_region region;
	bool want;
	bool stay_ready;
	int listener;
	struct link *l;
	struct kcolo_wire_hello hello[2];
	bool take;
	u64 epoch;
	u32 nr_regions;
	u64 region_pages[KCOLO_WIRE_REGIONS_MAX];
	struct kcolo_wire_end got;
	unsigned int hashes;
	u64 has;
	u64 base;
	u32 whole;
};

/* watch.c: the primary */
/* Listen, and have a primary; its guest has @size bytes of RAM, or is none. */
struct serve *serve_new(u32 peer_timeout, size_t size);
void primary_info(struct serve *s, struct kcolo_session_info *info);
/* Do what a VMM does next, if it is ours. */
void primary_drive(struct serve *s);
/*
 * Until the session is in @state, and @state2 will do; @busy: the connections are
 * served meanwhile. Says how long it took.
 */
void primary_wait(struct serve *s, enum kcolo_state state, enum kcolo_state state2,
		  u32 ms, bool busy, const char *when);
/* What it says of the end of its link or of a checkpoint; NULL and 0 are any. */
void primary_says(struct serve *s, enum kcolo_abort_reason reason,
		  const char *error);
/* Delete the session: it is gone soon. */
void primary_del(struct serve *s);

/* serve.c: the secondary */
void serve_accept(struct serve *s, int channel);	/* and hear its HELLO */
void serve_hello(struct serve *s, struct kcolo_wire_hello *hello, int channel);
void serve_greet(struct serve *s, int channel);
void serve_pair(struct serve *s);
/* Of a primary that tries again: tries that it has given up are gone through. */
void serve_pair_again(struct serve *s);
/* The next on control that is neither PING nor PONG; PAGES are taken. TCP_* */
int serve_hear(struct serve *s, u32 ms);
void serve_expect(struct serve *s, u32 type);
void serve_regions(struct serve *s);	/* REGIONS, and nothing is answered */
/* Until REQUEST; REGIONS is answered. */
void serve_request(struct serve *s);
void serve_reply(struct serve *s);
/* Until END, which has to say what came. */
void serve_end(struct serve *s);
void serve_answer(struct serve *s, u32 type, u64 epoch);
void serve_abort(struct serve *s, u64 epoch, const char *text);
/* END, and the answers to it. */
void serve_finish(struct serve *s);
/* All of an epoch. */
void serve_commit(struct serve *s);

#endif /* KPEER_SERVE_H */
