/* SPDX-License-Identifier: GPL-2.0 */
/* A session's connections, and a primary played over them. */
#ifndef KPEER_PLAY_H
#define KPEER_PLAY_H

#include "holder.h"

/**
 * struct message - one that came
 */
struct message {
	struct kcolo_wire_hdr hdr;
	u8 body[KCOLO_WIRE_BODY_MAX];
};

/**
 * struct link - both connections
 * @fd: by enum kcolo_wire_channel; -1 when there is none
 * @mute: PING is not answered
 * @in: the last message that came
 */
struct link {
	int fd[2];
	bool mute;
	struct message in;
};

struct link *link_new(void);
void link_cut(struct link *l);
void link_send(struct link *l, int channel, struct buf *b);	/* empties it */
void say(struct link *l, u32 type, u64 epoch, u32 arg, const void *body, u32 len);
/* The next message on a connection: TCP_*; it must be well-formed. */
int read_message(int fd, struct message *m, u32 ms);
/* The next on control that is neither PING nor PONG: TCP_*. */
int hear(struct link *l, u32 ms);
void expect(struct link *l, u32 type, u64 epoch);
/* The other end closes the connection soon, whatever it says before. */
void expect_closed(struct link *l, int channel);
/* Answer PING for so long. */
void stay(struct link *l, u32 ms);

/*
 * As a primary. In HELLO: which link this is, the epoch that was committed last,
 * which the kernel has to have, too, and whose primary this is.
 */
extern u64 play_incarnation;
extern u64 play_has;
extern u8 play_identity;
void hello_fill(struct kcolo_wire_hello *hello, int channel);
void hello_send(int fd, const struct kcolo_wire_hello *hello);
/* Connect a channel: send @hello and take the answer, which has to fit. */
void connect_channel(struct link *l, int channel,
		     const struct kcolo_wire_hello *hello);
void connect_pair(struct link *l);
/* As a primary does it: again and again, until both connections stand. */
void connect_retrying(struct link *l, u32 ms);
/* All of RAM is to come; or what has changed since the epoch @base. */
void regions_put(struct buf *b, u64 epoch);
void regions_put_on(struct buf *b, u64 epoch, u64 base);
/* On another link, and 0 is no base. */
void agree_again(struct link *l, u64 epoch, u64 base);
void agree_regions(struct link *l);
void open_epoch(struct link *l, u64 epoch);
void send_pages(struct link *l, struct pages *m, u64 epoch, u32 round);
void send_state(struct link *l, u64 epoch, const void *state, u32 len);
void send_end(struct link *l, u64 epoch, u64 messages, u64 pages);

/**
 * struct play - a primary by hand and the kernel's secondary
 * @messages: sent in the open epoch
 * @pages: in them
 */
struct play {
	struct holder h;
	struct link *l;
	struct pages m;
	u64 messages, pages;
};

/* All in one: a session, connected; then epoch 1 committed, and seen to be. */
struct play *play_connected(u32 peer_timeout);
struct play *play_begun(u32 peer_timeout);
/* Send @p->m and count it; RAM that is to be is left to the caller. */
void play_pages(struct play *p, u64 epoch, u32 round);
void play_commit(struct play *p, u64 epoch);
void play_open(struct play *p, u64 epoch);
/* Promote and end: what stands at the end of a scenario. */
void play_over(struct play *p);

#endif /* KPEER_PLAY_H */
