/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libkcolo: protect a running KVM guest with the kcolo kernel module.
 *
 * A handle (struct kcolo) talks to the module and drives at most one session.
 * A handle belongs to one thread at a time; several handles may drive the same
 * session, but one has all its regions. No function keeps global state
 * (Documentation/libkcolo.rst has the rules, and a VMM in 60 lines). Functions
 * return 0 (or what they say) on success and a negative errno on failure;
 * kcolo_error() then has the reason in words, the kernel's own where the kernel
 * refused. No request waits for longer than five seconds (-ETIMEDOUT); the kernel
 * answers at once.
 *
 * A primary VMM in short (Documentation/protecting-a-vm.rst has a whole one, and
 * a secondary):
 *
 *	kcolo_open(&k);
 *	kcolo_session_use_fd(k, atoi(getenv("KCOLO_FD")));
 *					from kcoloctl session add ... -- VMM,
 *					or kcolo_session_new(k, &config)
 *	kcolo_vm_attach(k, vm_fd);
 *	kcolo_region_add(k, "ram", mem, size, &region);
 *	kcolo_subscribe(k);
 *	kcolo_wait_connected(k, timeout_ms);
 *	for (;;) {
 *		kcolo_checkpoint(k, KCOLO_KIND_PERIODIC, &epoch);
 *		... kcolo_event_next() until KCOLO_EVENT_TYPE_CHECKPOINT_READY
 *		... pause the vCPUs, serialise the devices
 *		kcolo_flush(k);
 *		kcolo_devstate_write(k, buf, len);
 *		kcolo_commit(k);
 *		... until KCOLO_EVENT_TYPE_CHECKPOINT_RECEIVED, resume
 *	}
 *
 * and after each write of its own to guest memory (a device's DMA):
 *
 *	kcolo_log_dirty(&region, offset, len);
 *
 * A VMM that sends the device state on a channel of its own says so on both ends
 * (device_state of struct kcolo_session_config) and writes none to kcolo. On its
 * secondary, at KCOLO_EVENT_TYPE_CHECKPOINT_PREPARED:
 *
 *	... wait for the device state of ev.epoch, stop the guest
 *	kcolo_apply(k, ev.epoch);              or kcolo_drop(k, ev.epoch)
 *	... wait for KCOLO_EVENT_TYPE_CHECKPOINT_COMMITTED
 *	... kcolo_applied_take() the pages, load the device state
 *
 * Link with pkg-config --cflags --libs kcolo.
 */
#ifndef KCOLO_H
#define KCOLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <linux/kcolo.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kcolo;

union kcolo_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* Which members of struct kcolo_params are meant. */
#define KCOLO_PARAM_THRESHOLD		(1u << 0)
#define KCOLO_PARAM_MAX_ITERATIONS	(1u << 1)
#define KCOLO_PARAM_MIN_GAIN		(1u << 2)
#define KCOLO_PARAM_PEER_TIMEOUT	(1u << 3)
#define KCOLO_PARAM_PAUSE_LIMIT		(1u << 4)
#define KCOLO_PARAM_CHECKSUM		(1u << 5)
#define KCOLO_PARAM_LOG_SYNC		(1u << 6)
#define KCOLO_PARAM_LOG_SYNC_TIMEOUT	(1u << 7)
#define KCOLO_PARAM_RECONNECT		(1u << 8)
#define KCOLO_PARAM_PEER		(1u << 9)
#define KCOLO_PARAM_STAGING_LIMIT	(1u << 10)

/**
 * struct kcolo_params - what can be set while a session lives
 * @mask: KCOLO_PARAM_* of the members that are meant
 * @threshold: bytes; pre-copy goes on while so many are pending, 0 is off
 * @max_iterations: rounds at most
 * @min_gain: per cent
 * @peer_timeout: milliseconds
 * @pause_limit: milliseconds, 0 is none
 * @checksum: payload has a CRC32C
 * @log_sync: KCOLO_EVENT_TYPE_HARVEST_WANTED comes before the dirty sources are
 *	read while the guest runs
 * @log_sync_timeout: milliseconds that kcolo_log_synced() is waited for then
 * @reconnect: a peer that is lost is looked for, or may come back
 * @peer: where a primary that has none connects to from now on (CAP_NET_ADMIN);
 *	only for kcolo_session_set()
 * @staging_limit: bytes that the pages of an open epoch may take on a secondary,
 *	0 is no limit
 */
struct kcolo_params {
	unsigned int mask;
	uint64_t threshold;
	uint32_t max_iterations;
	uint32_t min_gain;
	uint32_t peer_timeout;
	uint32_t pause_limit;
	bool checksum;
	bool log_sync;
	uint32_t log_sync_timeout;
	bool reconnect;
	union kcolo_addr peer;
	uint64_t staging_limit;
};

/**
 * struct kcolo_session_config - a session to be
 * @name: the same on both hosts
 * @role: KCOLO_ROLE_PRIMARY or KCOLO_ROLE_SECONDARY
 * @local: where a secondary listens; for a primary optional (family 0 is none)
 * @peer: where a primary connects to; family 0 for a secondary
 * @sockets: it makes no connections, but is given them by kcolo_connect(); no
 *	addresses then
 * @insecure: must be true until sessions have keys
 * @device_state: the same on both hosts
 * @params: parameters other than their defaults
 */
struct kcolo_session_config {
	const char *name;
	enum kcolo_role role;
	union kcolo_addr local;
	union kcolo_addr peer;
	bool sockets;
	bool insecure;
	enum kcolo_device_state device_state;
	struct kcolo_params params;
};

/**
 * struct kcolo_region_info - a region as the kernel tells it
 * @id: number, from 0
 * @name: the same on both hosts
 * @address: where it begins in the memory of the process that has added it
 * @size: bytes
 * @log_offset: of its log in the session fd
 * @log_size: bytes of its log, 0 is none
 * @in_place: see kcolo_region_add_in_place()
 */
struct kcolo_region_info {
	uint32_t id;
	char name[KCOLO_NAME_MAX + 1];
	uint64_t address;
	uint64_t size;
	uint64_t log_offset;
	uint64_t log_size;
	bool in_place;
};

/**
 * struct kcolo_region - a region that this process has added
 * @info: what it is
 * @log: a bit per page, mapped. Primary: the user log. Secondary with external
 *	device state: the applied log. Else NULL.
 */
struct kcolo_region {
	struct kcolo_region_info info;
	unsigned long *log;
};

/**
 * struct kcolo_session_info - a session as the kernel tells it
 * @id: number, unique on this host
 * @name: the same on both hosts
 * @role: KCOLO_ROLE_PRIMARY or KCOLO_ROLE_SECONDARY
 * @state: now
 * @uuid: of the pair, all 0 while it has not agreed on one
 * @local: where it listens or comes from; family 0 is none
 * @peer: address of the peer; family 0 is none
 * @sockets: its connections are handed in
 * @insecure: there is no key
 * @device_state: who carries it
 * @params: all of them
 * @epoch: the last one opened
 * @committed: the last one committed
 * @pending: bytes known dirty and not yet sent
 * @synced: every page was sent at least once, or is clean
 * @clean: the VMM has said that the peer has the same RAM already
 * @links: times that the peer has connected
 * @resync: what the peer had to build upon then (primary)
 * @stop_reason: why the last pre-copy ended
 * @abort_reason: why the last checkpoint was aborted or the peer lost
 * @error: the same in words, "" is none
 * @event_seq: number of the last event
 * @scratch_size: bytes to map at offset 0 of a primary's session fd
 * @nr_regions: how many @regions there are
 * @regions: malloc()ed; kcolo_session_info_free() frees it
 */
struct kcolo_session_info {
	uint32_t id;
	char name[KCOLO_NAME_MAX + 1];
	enum kcolo_role role;
	enum kcolo_state state;
	uint8_t uuid[16];
	union kcolo_addr local;
	union kcolo_addr peer;
	bool sockets;
	bool insecure;
	enum kcolo_device_state device_state;
	struct kcolo_params params;
	uint64_t epoch;
	uint64_t committed;
	uint64_t pending;
	bool synced;
	bool clean;
	uint64_t links;
	enum kcolo_resync resync;
	enum kcolo_stop_reason stop_reason;
	enum kcolo_abort_reason abort_reason;
	char error[256];
	uint64_t event_seq;
	uint64_t scratch_size;
	size_t nr_regions;
	struct kcolo_region_info *regions;
};

/**
 * struct kcolo_event - something happened to a session
 * @type: what
 * @reread: it was not sent, but made: see kcolo_event_next()
 * @seq: number in its session, from 1 and without a gap
 * @session_id: of the session
 * @session_name: of the session
 * @state: of the session after it
 * @epoch: the one it is about; else a primary's last, a secondary's last committed
 * @kind: of the epoch
 * @stop_reason: why pre-copy ended
 * @abort_reason: why the epoch was aborted or the peer lost
 * @pending: bytes left for the pause
 * @rounds: that ran before the pause
 * @pause_us: microseconds since checkpoint-ready
 * @error: in words, "" is none
 * @different: pages that are not equal, of KCOLO_EVENT_TYPE_VERIFIED
 *
 * A member that an event does not carry is 0.
 */
struct kcolo_event {
	enum kcolo_event_type type;
	bool reread;
	uint64_t seq;
	uint32_t session_id;
	char session_name[KCOLO_NAME_MAX + 1];
	enum kcolo_state state;
	uint64_t epoch;
	enum kcolo_kind kind;
	enum kcolo_stop_reason stop_reason;
	enum kcolo_abort_reason abort_reason;
	uint64_t pending;
	uint32_t rounds;
	uint64_t pause_us;
	char error[256];
	uint64_t different;
};

/* More counters than there are: one that is new does not change the structure. */
#define KCOLO_STATS_ROOM	128

/**
 * struct kcolo_verified - what a verification has found
 * @epoch: that was verified
 * @pages: that were compared, all of all regions
 * @different: of them, that were not equal
 * @nr: entries of @difference, 64 at most
 * @difference: the first of them: name of the region, index of the page
 */
struct kcolo_verified {
	uint64_t epoch;
	uint64_t pages;
	uint64_t different;
	size_t nr;
	struct kcolo_difference {
		char region[KCOLO_NAME_MAX + 1];
		uint64_t page;
	} difference[64];
};

/**
 * struct kcolo_stats - counters of a session
 * @session_id: of the session
 * @session_name: of the session
 * @value: indexed by KCOLO_A_STATS_*, up to the KCOLO_A_STATS_MAX that the caller
 *	knows; kcolo_stats_name() names the index
 */
struct kcolo_stats {
	uint32_t session_id;
	char session_name[KCOLO_NAME_MAX + 1];
	uint64_t value[KCOLO_STATS_ROOM];
};

/*
 * The handle. kcolo_open() returns -EPROTONOSUPPORT when the module is not
 * loaded; on failure *@kp is NULL and errno is set, too. kcolo_close() closes
 * the session fd and unmaps the user logs, since either keeps the session
 * alive: no thread may use a region of the handle's after that.
 */
int kcolo_open(struct kcolo **kp);
void kcolo_close(struct kcolo *k);
const char *kcolo_error(const struct kcolo *k);	/* never NULL */

/*
 * Which session the handle drives. The session fd is closed on exec, also one
 * that kcolo_session_use_fd() takes over: a child that had it would keep the
 * session alive after this process has died. On failure that function leaves
 * the fd to the caller. By id and name CAP_NET_ADMIN is needed.
 */
int kcolo_session_new(struct kcolo *k, const struct kcolo_session_config *c);
int kcolo_session_use_fd(struct kcolo *k, int fd);
int kcolo_session_use_id(struct kcolo *k, uint32_t id);
int kcolo_session_use_name(struct kcolo *k, const char *name);
int kcolo_session_fd(const struct kcolo *k);		/* -1 when there is none */
int kcolo_session_del(struct kcolo *k);
/*
 * Give a session that was made with @sockets its two connections to the peer, TCP
 * sockets, with kTLS if they are to be encrypted, while it has no peer. The peer's
 * session is given the other ends. Whether they take each other is told by
 * KCOLO_EVENT_TYPE_PEER_CONNECTED. The caller may close its fds, and must not read
 * or write them any more. When the peer is lost, two new ones are needed.
 */
int kcolo_connect(struct kcolo *k, int control_fd, int data_fd);

/*
 * Reading and setting. A dump's @cb may use the handle; what it returns, if not
 * 0, ends the dump and is returned.
 */
int kcolo_session_get(struct kcolo *k, struct kcolo_session_info *info);
void kcolo_session_info_free(struct kcolo_session_info *info);
int kcolo_session_set(struct kcolo *k, const struct kcolo_params *params);
typedef int (*kcolo_session_cb)(const struct kcolo_session_info *info, void *arg);
int kcolo_session_dump(struct kcolo *k, kcolo_session_cb cb, void *arg);
int kcolo_stats_get(struct kcolo *k, struct kcolo_stats *stats);
typedef int (*kcolo_stats_cb)(const struct kcolo_stats *stats, void *arg);
int kcolo_stats_dump(struct kcolo *k, kcolo_stats_cb cb, void *arg);

/*
 * The guest. kcolo_region_add() maps the region's log, where it has one, and, on
 * a primary, (re)maps the scratch area when the kernel says it must grow. There is
 * one of it, which the handle owns: all regions of a session go through one handle
 * that stays open as long as the session lives. Another gets -EBUSY, and without
 * the area each checkpoint is aborted.
 */
int kcolo_vm_attach(struct kcolo *k, int vm_fd);
int kcolo_region_add(struct kcolo *k, const char *name, void *addr, size_t size,
		     struct kcolo_region *region);
int kcolo_region_add_in_place(struct kcolo *k, const char *name, void *addr,
			      size_t size, struct kcolo_region *region);
int kcolo_region_del(struct kcolo *k, struct kcolo_region *region);
/*
 * Every region is what the peer has already. On both ends or on none, after the
 * last region was added and before the first checkpoint. On a primary by the
 * process whose VM it is, which does not write to RAM meanwhile; -EBUSY while a
 * vCPU runs. A clean secondary can be promoted before anything is committed.
 */
int kcolo_clean(struct kcolo *k);
/* After a write of the VMM's own, never before: async-signal- and thread-safe. */
void kcolo_log_dirty(const struct kcolo_region *region, uint64_t offset,
		     uint64_t len);
/*
 * The answer to KCOLO_EVENT_TYPE_HARVEST_WANTED: what the VMM had logged elsewhere
 * was said by kcolo_log_dirty(). A late one does no harm. Before kcolo_flush() the
 * VMM does the same unasked.
 */
int kcolo_log_synced(struct kcolo *k);

/* Checkpoints; each completes by an event. */
int kcolo_checkpoint(struct kcolo *k, enum kcolo_kind kind, uint64_t *epoch);
int kcolo_flush(struct kcolo *k);
int kcolo_devstate_write(struct kcolo *k, const void *buf, size_t len);
int kcolo_commit(struct kcolo *k);
int kcolo_abort(struct kcolo *k);

/*
 * For users who want to know that all of a VMM's writes are logged: at the next
 * checkpoint both ends hash every page of every region, in its pause, which gets
 * longer by that, and compare. KCOLO_EVENT_TYPE_VERIFIED says how many differ,
 * kcolo_verify_get() which, on either end; -ENODATA when nothing was verified yet.
 */
int kcolo_verify(struct kcolo *k);
int kcolo_verify_get(struct kcolo *k, struct kcolo_verified *verified);

/*
 * The secondary. kcolo_devstate_read() allocates *@buf (free() it) with the
 * device state of the last committed epoch.
 *
 * With external device state: kcolo_apply() commits the epoch that is prepared,
 * and when it returns 0 the epoch is committed; it is in place with the event
 * checkpoint-committed (or broken). kcolo_drop() discards an epoch that is being
 * received or is prepared. Both return -ESTALE when @epoch is not the one that is
 * open. kcolo_applied_take() returns and clears the bits of the 64 pages from
 * @page on, a multiple of 64, that were put in place since they were last taken.
 */
int kcolo_apply(struct kcolo *k, uint64_t epoch);
int kcolo_drop(struct kcolo *k, uint64_t epoch);
uint64_t kcolo_applied_take(const struct kcolo_region *region, uint64_t page);
int kcolo_promote(struct kcolo *k);
int kcolo_devstate_read(struct kcolo *k, void **buf, size_t *len);

/*
 * Events. kcolo_subscribe() asks for the session's own, by its fd or name;
 * kcolo_subscribe_all() joins the multicast group (CAP_NET_ADMIN).
 * kcolo_event_fd() is for polling only and the same as long as the handle lives.
 * When it is readable there may be an event: call kcolo_event_next() with
 * @timeout_ms 0 until it returns 0.
 *
 * kcolo_event_next() returns 1 and an event, 0 when @timeout_ms have passed (-1
 * is for ever), or a negative errno; -EINTR says that a signal came.
 *
 * Events that come faster than they are read are lost. Then kcolo_event_next()
 * reads the session and makes events of what that says and was not told, in an
 * order in which they may come, so that a caller that goes by events needs to
 * know nothing of losses:
 *
 *	primary		peer-lost, checkpoint-received and -committed (the last
 *			one only), -aborted (of one after that only),
 *			peer-connected, -ready, -doubt, fenced, vm-gone,
 *			session-del
 *	secondary	peer-connected, checkpoint-committed (the last one only),
 *			peer-lost, promoted, broken, vm-gone, session-del
 *
 * They have @reread set, the @seq of the session's last event, @state,
 * @stop_reason, @abort_reason and @error as they are now, and no @kind, @rounds
 * and @pause_us. What has passed is not told: checkpoint-ready of an epoch that
 * has ended, what became of one before the last commit, or session-set. Events
 * that were on their way meanwhile, and are included in what was read, are
 * dropped. So no event is told twice, and none that was told is contradicted by
 * an older one. For events it is all the same which handle has asked for a
 * checkpoint.
 *
 * kcolo_event_reread() has the next kcolo_event_next() do so without a loss. A
 * VMM that does not want to subscribe may call the two now and then.
 *
 * kcolo_event_next_raw() is for who shows events rather than acts on them: it
 * makes none, and returns -ENOBUFS when some were lost. Then read the session,
 * or all of them, and skip events whose seq is not above its event_seq. Use one
 * of the two on a handle. With kcolo_subscribe_all() both return -ENOBUFS.
 */
int kcolo_subscribe(struct kcolo *k);
int kcolo_subscribe_all(struct kcolo *k);
int kcolo_event_fd(const struct kcolo *k);
int kcolo_event_next(struct kcolo *k, struct kcolo_event *ev, int timeout_ms);
int kcolo_event_next_raw(struct kcolo *k, struct kcolo_event *ev,
			 int timeout_ms);
void kcolo_event_reread(struct kcolo *k);
/*
 * Wait until the session is connected to its peer, also again: 0, -ETIMEDOUT, or
 * another negative errno when it cannot be any more. No event is taken from the queue.
 */
int kcolo_wait_connected(struct kcolo *k, int timeout_ms);

/* Names, as in the specification ("checkpoint-ready"); NULL when unknown. */
const char *kcolo_role_name(enum kcolo_role v);
const char *kcolo_state_name(enum kcolo_state v);
const char *kcolo_kind_name(enum kcolo_kind v);
const char *kcolo_device_state_name(enum kcolo_device_state v);
const char *kcolo_resync_name(enum kcolo_resync v);
const char *kcolo_stop_reason_name(enum kcolo_stop_reason v);
const char *kcolo_abort_reason_name(enum kcolo_abort_reason v);
const char *kcolo_event_type_name(enum kcolo_event_type v);
const char *kcolo_stats_name(unsigned int attr);

/*
 * "10.0.0.1:7000", "[fe80::1%eth0]:7000", "*:7000" (any IPv4 address) to an
 * address and back; port 0 is taken, host names are not. For no address (family
 * 0) kcolo_addr_format() says "".
 */
int kcolo_addr_parse(const char *text, union kcolo_addr *addr);
const char *kcolo_addr_format(const union kcolo_addr *addr, char *buf, size_t len);

#ifdef __cplusplus
}
#endif
#endif /* KCOLO_H */
