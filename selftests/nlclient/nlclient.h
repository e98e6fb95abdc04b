/* SPDX-License-Identifier: GPL-2.0 */
/*
 * nlclient: requests as the kernel should not get them, and sessions that end
 * in all the ways there are. A scenario runs in a process of its own. What is
 * not as demanded is said and counted; the scenario goes on, unless fail() says
 * that nothing after it would mean anything.
 */
#ifndef NLCLIENT_H
#define NLCLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/netlink.h>
#include <kcolo.h>
#include "say.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define PAGE		4096UL
#define MIB		(1UL << 20)
/* Long enough for an emulated host that shares its CPU with others. */
#define SOON_MS		(10000 * slow)

extern u32 slow;	/* factor for all times, for a kernel that is slow */
extern const char *session_name;	/* that helpers work with, or NULL */

/**
 * struct scenario - something to try
 * @name: as asked for
 * @what: in a line
 * @run: returns when it is over; what was wrong was counted
 */
struct scenario {
	const char *name;
	const char *what;
	void (*run)(void);
};

/* Each group ends with an entry without a name. */
extern const struct scenario attrs_scenarios[], new_scenarios[],
	regions_scenarios[], vm_scenarios[], states_scenarios[],
	rights_scenarios[], maps_scenarios[], devstate_scenarios[],
	subscribers_scenarios[], flood_scenarios[], gone_scenarios[],
	ends_scenarios[], race_scenarios[], helpers_scenarios[],
	sockets_scenarios[], cycles_scenarios[], unload_scenarios[],
	external_scenarios[], clean_scenarios[], pause_scenarios[];

/* util.c */
void __printf(1, 2) wrong(const char *fmt, ...);
/* Counts as wrong unless @good. */
#define expect(good, ...)	((good) ? (void)0 : wrong(__VA_ARGS__))
unsigned int wrongs(void);
/* The kernel's version as major * 1000 + minor. */
unsigned int kernel_version(void);
/* A number that a file holds, or -1. */
long read_number(const char *path);
void shell(const char *command);
/* Ends with the scenario's process; the child's exit code, or -signal. */
int in_child(void (*run)(void *arg), void *arg);

/* message.c: netlink messages by hand, also such as no library would make */
struct msg {
	u16 family;
	u32 len;
	char buf[8192] __attr(aligned(4));
};

struct msg *msg_cmd(struct msg *m, int cmd);
struct msg *msg_flags(struct msg *m, u16 flags);
struct msg *msg_bytes(struct msg *m, u16 attr, const void *data, size_t len);
struct msg *msg_u8(struct msg *m, u16 attr, u8 v);
struct msg *msg_u32(struct msg *m, u16 attr, u32 v);
struct msg *msg_u64(struct msg *m, u16 attr, u64 v);
struct msg *msg_str(struct msg *m, u16 attr, const char *s);
struct msg *msg_flag(struct msg *m, u16 attr);
u32 msg_nest(struct msg *m, u16 attr);
struct msg *msg_nest_end(struct msg *m, u32 nest);
/* The parts of a region that are not NULL or 0. */
struct msg *msg_region(struct msg *m, const char *name, u64 addr, u64 size);

/* ask.c: send one and look at the answer */
struct answer {
	int err;		/* positive errno, 0 is none */
	char text[256];		/* the extack's */
	u32 len;		/* of the last message that is no error */
	u8 data[16384];
};

/* A netlink socket of the network namespace the caller is in. */
int nl_open(void);
void nl_ask(int nl, struct msg *m, struct answer *a);
/*
 * The same, of a module that comes and goes: false when it is not there. Once it is
 * there again nl_renew() has to find its family, which the kernel calls modprobe for
 * when there is none: that is not for each of many threads.
 */
void nl_renew(int nl);
bool nl_try(int nl, struct msg *m, struct answer *a);
const void *answer_attr(const struct answer *a, u16 attr);
/*
 * The kernel has to refuse with @err and a text that has @text in it, and the
 * session that has @fd, if that is not -1, has to be what it was.
 */
void refused(int nl, int fd, const char *what, struct msg *m, int err,
	     const char *text);
void granted(int nl, const char *what, struct msg *m);

#endif /* NLCLIENT_H */
