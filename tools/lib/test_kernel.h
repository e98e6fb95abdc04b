/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's side of the family, for tests without a kernel. */
#ifndef KCOLO_TEST_KERNEL_H
#define KCOLO_TEST_KERNEL_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#define FAKE_FAMILY	31
#define FAKE_GROUP	7
#define FAKE_ID		3
#define FAKE_NAME	"vm1"
#define FAKE_RAW	"\033[2J\351"
#define FAKE_SCRATCH	16384
#define FAKE_LOG_OFFSET	65536

/**
 * struct fake - what the kernel is to be like
 * @no_module: it has no such family
 * @sessions: how many there are
 * @torn: so many dumps are not of one moment
 * @role: of the session
 * @state: of the session
 * @epoch: of the session
 * @committed: of the session; so @links, @reconnect
 * @abort_reason: of the session
 * @event_seq: of the session
 * @other: the name is now that of another session
 * @gone: there is no session of that id or name any more
 * @no_stats: it has ended when its counters are asked for
 * @ends: when it is subscribed to it 1 has closed, 2 is gone, 3 is gone and its
 *	name another's
 * @log_size: of a region, 0 on a secondary
 * @early_events: sent before the answer to a subscription
 * @late_events: sent after it
 * @promoted: the number of the event promoted, 0 is none
 * @gap: the number of an event that is not sent
 * @silent: it answers nothing
 * @lose: the next so many reads of a socket fail with ENOBUFS
 * @full: the socket of events is: 1 is to be said by its next read, and until it
 *	is empty, 2, what is sent is dropped
 * @mutate: seed, 0 is none; replies are changed at random, not their end
 * @session_fd: the session's file, given away by session-new
 * @mapped: no more of it can be mapped
 * @hang_up: that file hangs up at once
 * @subscribes: how often it was subscribed
 * @dels: how often a region was removed
 * @raw: names and words have FAKE_RAW, and are no text
 * @params: attributes that session-set was given, a bit each
 */
struct fake {
	_Atomic int no_module, sessions, torn, state, log_size;
	_Atomic int role, epoch, committed, abort_reason, event_seq, links;
	_Atomic int reconnect;
	_Atomic int other, gone, no_stats, ends, promoted, gap;
	_Atomic int early_events, late_events, silent, lose, full, session_fd;
	_Atomic int mapped, raw, hang_up, subscribes, dels;
	_Atomic uint64_t params, mutate;
};

extern struct fake fake;

struct nl_msg;

/* test_messages.c */
void fake_put_region(struct nl_msg *msg, const char *name, uint64_t size);
void fake_put_session(struct nl_msg *msg, unsigned int n);
void fake_put_stats(struct nl_msg *msg, unsigned int n);
void fake_put_event(struct nl_msg *msg, uint64_t seq);

/* test_kernel.c: what the linker puts in the place of the originals. */
struct kcolo_nl;
struct msghdr;
int __wrap_kcolo_nl_open(struct kcolo_nl *nl);
int __wrap_kcolo_nl_send(struct kcolo_nl *nl, struct nlmsghdr *nlh);
int __real_kcolo_nl_send(struct kcolo_nl *nl, struct nlmsghdr *nlh);
ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags);
ssize_t __real_recvmsg(int fd, struct msghdr *msg, int flags);
void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd,
		    off_t offset);
void *__real_mmap64(void *addr, size_t len, int prot, int flags, int fd,
		    off_t offset);

#endif
