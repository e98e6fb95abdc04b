/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kpeer: one end of a session, played by hand. A scenario runs in a process of
 * its own and ends by returning, which is success, or by fail().
 */
#ifndef KPEER_H
#define KPEER_H

#include <stdbool.h>
#include <stddef.h>
#include <kcolo.h>
#include "say.h"
#include "wire.h"

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

#define PAGE		KCOLO_WIRE_PAGE_SIZE

/* Long enough for an emulated host that shares its CPU with others. */
#define SOON_MS		(10000 * opt.slow)
/* peer-timeout where the test is that it runs out, and where it must not. */
#define SHORT_MS	(2000 * opt.slow)
#define LONG_MS		(30000 * opt.slow)

/**
 * struct options - the command line
 * @addr: where the secondary's session listens
 * @name: of the session
 * @seed: of the fuzzer
 * @count: connections of the fuzzer
 * @vmm: the VMM of the primary is another process
 * @external: device state goes another way; a scenario says so for itself
 * @reconnect: of the session; a scenario says so for itself
 * @slow: factor for all times, for a kernel that is slow
 */
struct options {
	union kcolo_addr addr;
	const char *name;
	u64 seed;
	u32 count;
	bool vmm;
	bool external;
	bool reconnect;
	u32 slow;
};

extern struct options opt;

/**
 * struct scenario - something to play
 * @name: as asked for
 * @what: in a line
 * @run: returns when the kernel did what is demanded
 */
struct scenario {
	const char *name;
	const char *what;
	void (*run)(void);
};

/*
 * Those that play a primary, and those that play a secondary; each ends with
 * an entry without a name.
 */
extern const struct scenario epochs_scenarios[], hello_scenarios[],
	malformed_scenarios[], cut_scenarios[], fuzz_scenarios[],
	prepared_scenarios[], again_scenarios[], limit_scenarios[];
extern const struct scenario refuse_scenarios[], hung_scenarios[],
	answers_scenarios[], blocked_scenarios[], verdict_scenarios[],
	doubt_scenarios[], limited_scenarios[];

/* util.c */
void *xalloc(size_t size);
u64 random64(u64 *state);

/* tcp.c: plain sockets. None of these fails the scenario by itself. */
enum { TCP_GOOD, TCP_CLOSED, TCP_LATE };
int tcp_connect(const union kcolo_addr *addr);
int tcp_listen(const union kcolo_addr *addr, int rcvbuf);
int tcp_accept(int listener, u32 ms);
int tcp_read(int fd, void *buf, size_t len, u32 ms);
int tcp_write(int fd, const void *buf, size_t len, u32 ms);
bool tcp_readable(int fd, u32 ms);
void tcp_close(int *fd);

/* message.c */
/**
 * struct buf - bytes to be sent
 */
struct buf {
	u8 *p;
	size_t len, cap;
};

void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_free(struct buf *b);
void buf_message(struct buf *b, u32 type, u64 epoch, u32 arg, const void *body,
		 u32 len);
void buf_size(struct buf *b, u64 epoch, u64 size);
void buf_end(struct buf *b, u64 epoch, u64 messages, u64 pages);
/* Makes the header at @at right again after a change to it. */
void buf_fix_header(struct buf *b, size_t at);

#endif /* KPEER_H */
