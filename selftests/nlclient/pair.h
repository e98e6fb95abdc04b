/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sessions to ask for things: both ends of one in this process, in two network
 * namespaces, with a VM that has RAM and no vCPU.
 */
#ifndef NLCLIENT_PAIR_H
#define NLCLIENT_PAIR_H

#include "nlclient.h"

/**
 * struct pair - both ends of a session
 * @a: the primary, here
 * @b: the secondary, in network namespace b; either may be NULL
 * @fda: session fd of the primary
 * @fdb: of the secondary
 * @nla: netlink socket here
 * @nlb: netlink socket of network namespace b
 * @vm: fd of the VM
 * @mem: RAM of the guest, region "ram"
 * @copy: RAM of the secondary, the same
 * @ra: region of the primary
 * @rb: region of the secondary
 * @name: of the sessions
 */
struct pair {
	struct kcolo *a, *b;
	int fda, fdb;
	int nla, nlb;
	int vm;
	u8 *mem, *copy;
	struct kcolo_region ra, rb;
	char name[32];
};

#define RAM_SIZE	(1 * MIB)

/* A new name, and a port that nobody has listened on. */
void new_name(char *name, size_t size);
u16 new_port(void);
/* "10.1.0.1" here, "10.1.0.2" in b. */
union kcolo_addr address(const char *host, u16 port);

/* To network namespace b of this thread, and back. */
void enter_b(void);
void leave_b(void);

/* A primary that nobody answers, and a secondary that nobody asks, both here. */
struct kcolo *lone_primary(u32 peer_timeout);
struct kcolo *lone_secondary(void);

/* A VM with one slot over @mem, and the capability with @manual as argument. */
int make_vm(u8 *mem, size_t size, u64 manual);
u8 *make_ram(size_t size);

/* A name, RAM for both ends, and a VM with it: a pair without sessions. */
void pair_guest(struct pair *p);
/* Both ends connected and with their regions, no checkpoint yet. */
void pair_up(struct pair *p, u32 peer_timeout);
/* With external device state, and a cache on the secondary. */
void pair_up_in_place(struct pair *p, u32 peer_timeout);
void pair_up_with(struct pair *p, u32 peer_timeout,
		  enum kcolo_device_state device_state);
void pair_down(struct pair *p);
void await_state(struct kcolo *k, enum kcolo_state state);
enum kcolo_state state_of(struct kcolo *k, struct kcolo_session_info *info);
/* The state there is now, and what comes with it; regions are not kept. */
void read_session(struct kcolo *k, struct kcolo_session_info *info);
void set_threshold(struct kcolo *k, u64 threshold);
void set_peer_timeout(struct kcolo *k, u32 ms);
void pair_write(struct pair *p, size_t offset, size_t len, u8 value);
/* A checkpoint up to the state ready; up to flushed; and all of it. */
void pair_ready(struct pair *p);
void pair_flush(struct pair *p);
void pair_checkpoint(struct pair *p);
/* A checkpoint that is aborted, in these words. */
void pair_gives_up(struct pair *p, enum kcolo_abort_reason reason,
		   const char *text);
/* Commit while the wire is down: until the end of the epoch is sent, into the void. */
void pair_commit_unheard(struct pair *p);
/* The end of a flushed epoch is lost on the wire: in doubt after @ms. */
void pair_doubt(struct pair *p, u32 ms);
/* Until no session of that name is in the network namespace of @k. */
void await_gone(const char *name, u32 ms);
/* The wire between the two, up or down. */
void wire(bool up);

/* fault.c: accesses to a page wait until they are let go */
int hold_page(void *page);
/* Until one waits. */
void await_held(int uffd);
void let_go(int uffd, void *page);

#endif /* NLCLIENT_PAIR_H */
