/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a session is. Lock order, outermost first:
 *
 *	sessions_lock (session.c)  which sessions there are
 *	session.lock               state, parameters, requests, event numbers
 *	session.staging_lock       staging and the counts of received pages
 *	conn.tx_lock, then conn.sock_lock
 *	session.map_lock, session.sub_lock, scratch.lock, guest.lock: leaves
 *
 * guest.adopt_lock is taken under none of these, and over guest.lock: to adopt a
 * VMM's memory waits for its mmap_lock. Saying that RAM is clean takes KVM's own
 * locks (kvm->lock, each vcpu->mutex, kvm->slots_lock) under session.lock.
 * map_lock and scratch.lock are taken under a task's mmap_lock (mmap and page
 * faults of the session fd), so no user memory is touched under them. Under
 * staging_lock it may be: it is not taken under an mmap_lock, nor, while pages
 * are taken, under session.lock. Nothing is sent or received, and no thread and
 * no memory of a VMM is waited for, under session.lock: an administrator who
 * asks for all sessions takes each one's.
 */
#ifndef KCOLO_SESSION_H
#define KCOLO_SESSION_H

#include <linux/kcolo.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "dirty.h"
#include "events.h"
#include "guest.h"
#include "policy.h"
#include "staging.h"
#include "transport.h"

#define KCOLO_MAX_SUBSCRIBERS	4
#define KCOLO_ERROR_MAX		256
/* Device state of one epoch, at most: what a host may be asked to hold. */
#define KCOLO_DEVSTATE_MAX	(256ULL << 20)

struct file;
struct kcolo_verify;
struct mem_cgroup;
struct net;

/* What somebody wants of the session's worker; bits of session.req. */
enum kcolo_req {
	KCOLO_REQ_CHECKPOINT,
	KCOLO_REQ_FLUSH,
	KCOLO_REQ_COMMIT,
	KCOLO_REQ_ABORT,
	KCOLO_REQ_PROMOTE,
	KCOLO_REQ_START,	/* the session is published: it can be found */
	KCOLO_REQ_STOP,		/* the session is ending */
	KCOLO_REQ_LINK,		/* a connection failed; session.link_* say why */
	KCOLO_REQ_LINKED,	/* there is a link, though it may have failed */
	KCOLO_REQ_CONNECT,	/* primary: try to connect now */
	KCOLO_REQ_END,		/* secondary: the end of the epoch is known */
	KCOLO_REQ_APPLY,	/* secondary: the epoch was committed by apply */
	KCOLO_REQ_DROP,		/* secondary: drop_epoch is to be dropped */
	KCOLO_REQ_OVER,		/* secondary: over_epoch does not fit */
	KCOLO_REQ_LOG_SYNCED,	/* the VMM's log is in the user log */
	KCOLO_REQ_VM_GONE,	/* the VMM died */
};

/**
 * struct kcolo_devstate - the device state of an epoch
 * @ref: the session and a reader may both hold it
 * @len: bytes there are
 * @size: bytes there are to be (secondary)
 * @cap: bytes allocated
 * @data: kvmalloc()ed
 */
struct kcolo_devstate {
	struct kref ref;
	size_t len;
	size_t size;
	size_t cap;
	u8 *data;
};

/* One counter for each attribute of the statistics. */
#define KCOLO_STAT(s, name)	((s)->stats[KCOLO_A_STATS_##name])

/*
 * One protected VM on one host.
 *
 * Fields without a word on locking are set before the session can be found.
 */
struct kcolo_session {
	struct kref ref;		/* the table, the fd, each user */
	u32 id;
	char name[KCOLO_NAME_MAX + 1];
	enum kcolo_role role;
	bool insecure;
	bool external;			/* device state goes another way */
	bool sockets;			/* connections are handed in */
	struct net *net;		/* held */
	struct mem_cgroup *memcg;	/* of who made it, held, or NULL */
	union kcolo_addr local;
	union kcolo_addr peer;		/* secondary: under lock */
	struct work_struct end_work;
	atomic_t ended;			/* the end has begun */
	bool orderly;			/* end_work: the peer is told */

	struct mutex lock;		/* over what follows, up to req */
	enum kcolo_state state;
	struct kcolo_policy policy;
	u32 peer_timeout;
	u32 pause_limit;
	bool checksum;
	bool log_sync;
	u32 log_sync_timeout;
	u8 uuid[KCOLO_WIRE_UUID];
	bool uuid_known;
	u64 epoch;
	u64 committed;
	enum kcolo_kind kind;
	bool synced;
	bool clean;			/* RAM is what the peer has */
	bool reconnect;
	struct file *handed[2];		/* by enum kcolo_wire_channel; both or none */
	u64 links;
	enum kcolo_resync resync;
	u64 drop_epoch;			/* secondary: of KCOLO_REQ_DROP */
	u64 dropped;			/* secondary: the last epoch dropped */
	u64 too_small;			/* secondary: a staging-limit that did not do */
	bool end_sent;
	bool applying;			/* primary: committed, not in place yet */
	u64 verify_from;		/* primary: the next epoch to verify, 0 is none */
	u64 verify_last;		/* primary: what was last asked for */
	struct kcolo_verify *verify;	/* or NULL: see verify.h */
	bool regions_agreed;
	bool regions_gone;		/* secondary: one that was agreed is no more */
	enum kcolo_stop_reason stop_reason;
	enum kcolo_abort_reason abort_reason;
	enum kcolo_abort_reason link_reason;
	char error[KCOLO_ERROR_MAX];
	char link_error[KCOLO_ERROR_MAX];
	u64 event_seq;
	struct kcolo_event owed_event;
	struct delayed_work owed_work;
	u32 rounds;
	ktime_t ready_time;
	ktime_t received_time;
	struct kcolo_devstate *devstate;	/* of the open epoch */
	struct kcolo_devstate *saved;		/* of the committed epoch */

	struct mutex sub_lock;		/* leaf, over the next two */
	u32 subscriber[KCOLO_MAX_SUBSCRIBERS];
	unsigned long owed;		/* bits of who misses owed_event */

	/* Bits of enum kcolo_req, set by anybody, then wake wq. */
	unsigned long req;
	/* Primary: bits of enum kcolo_wire_type that came for this epoch. */
	unsigned long rx;
	char peer_error[KCOLO_WIRE_TEXT_MAX + 1];	/* under lock */
	enum kcolo_abort_reason peer_reason;		/* of KCOLO_WIRE_ABORT in rx */
	wait_queue_head_t wq;

	/* Changed under lock and map_lock, while no epoch is open. */
	struct mutex map_lock;		/* leaf, see above */
	struct kcolo_region *region[KCOLO_MAX_REGIONS];	/* by id, NULL is free */

	struct kcolo_guest guest;
	struct kcolo_scratch scratch;

	struct kcolo_conn listener;	/* secondary */
	struct kcolo_conn control;
	struct kcolo_conn data;
	/* Bits of enum kcolo_wire_channel: who receives, see link_life.c. */
	unsigned long receiving;
	u64 incarnation;
	bool greeted;			/* primary: control stands, data not yet */
	struct task_struct *worker;
	struct task_struct *listen;	/* secondary: whom others connect to */
	struct task_struct *ctl;	/* receives on control */
	struct task_struct *rx_data;	/* secondary: receives on data */

	/* Primary: the worker's own; its regions change when no epoch is open. */
	struct kcolo_tracker tracker;
	struct kcolo_stream *stream;
	struct kcolo_wire_end sent;	/* of the open epoch */

	/* Secondary: under staging_lock. */
	struct mutex staging_lock;	/* over what follows, up to stats */
	struct kcolo_staging staging;
	bool take_pages;		/* an epoch is open */
	u64 rx_epoch;
	struct kcolo_wire_end got;
	struct kcolo_wire_end expect;
	u64 region_pages[KCOLO_MAX_REGIONS];	/* by the primary's numbers */
	struct kcolo_region *peer_region[KCOLO_MAX_REGIONS];
	unsigned int nr_peer_regions;
	u64 compare;			/* bits of those that come whole again */
	u64 over_epoch;			/* the last that did not fit, and into what */
	u64 over_limit;

	/* Each written by one thread, or under a lock of its writers. */
	u64 stats[KCOLO_A_STATS_MAX + 1];
};

static_assert(KCOLO_MAX_REGIONS == KCOLO_WIRE_REGIONS_MAX);

/* The next region of a session from number @i on, which is set to its own; or NULL. */
static inline struct kcolo_region *
kcolo_next_region(const struct kcolo_session *s, unsigned int *i)
{
	while (*i < KCOLO_MAX_REGIONS && !s->region[*i])
		++*i;
	return *i < KCOLO_MAX_REGIONS ? s->region[*i] : NULL;
}

/* The region of a session that has this name, or NULL. */
static inline struct kcolo_region *
kcolo_find_region(const struct kcolo_session *s, const char *name)
{
	struct kcolo_region *r;
	unsigned int i;

	for (i = 0; (r = kcolo_next_region(s, &i)); i++)
		if (!strcmp(r->name, name))
			return r;
	return NULL;
}

/* What to say in an event beyond what the session says of itself. */
struct kcolo_notice {
	enum kcolo_event_type type;
	u64 epoch;			/* when it is not the session's own */
	enum kcolo_stop_reason stop_reason;
	enum kcolo_abort_reason abort_reason;
	u64 pending;
	u64 different;
	const char *error;
};

/* session.c */
struct kcolo_session *kcolo_session_alloc(struct net *net, const char *name,
					  enum kcolo_role role);
int kcolo_session_reserve(struct kcolo_session *s);
int kcolo_session_thread(struct kcolo_session *s, struct task_struct **thread,
			 int (*fn)(void *), const char *what);
void kcolo_session_charge(const struct kcolo_session *s);
void kcolo_session_charge_end(void);
void kcolo_session_publish(struct kcolo_session *s);
bool kcolo_session_await_start(struct kcolo_session *s);
struct kcolo_session *kcolo_session_by_id(struct net *net, u32 id);
struct kcolo_session *kcolo_session_by_name(struct net *net, const char *name);
struct kcolo_session *kcolo_session_next(struct net *net, unsigned long *id);
void kcolo_session_put(struct kcolo_session *s);
void kcolo_session_request(struct kcolo_session *s, enum kcolo_req req);
bool kcolo_session_stopping(const struct kcolo_session *s);
void kcolo_session_link_failed(struct kcolo_session *s,
			       enum kcolo_abort_reason reason, const char *why);
void kcolo_session_vm_gone(struct kcolo_session *s);
void kcolo_session_committed(struct kcolo_session *s);
unsigned int kcolo_session_nr_regions(const struct kcolo_session *s);
bool kcolo_session_all_based(const struct kcolo_session *s);
void kcolo_session_count_abort(struct kcolo_session *s,
			       enum kcolo_abort_reason reason);
void kcolo_session_set_error(struct kcolo_session *s, const char *why);
void kcolo_session_forget_port(struct net *net, u32 portid);
void kcolo_session_erase(struct kcolo_session *s);
void kcolo_session_exit(void);

/* notify.c */
void kcolo_notify_init(struct kcolo_session *s);
void kcolo_session_notify(struct kcolo_session *s,
			  const struct kcolo_notice *notice);
int kcolo_notify_add(struct kcolo_session *s, u32 portid);
void kcolo_notify_forget(struct kcolo_session *s, u32 portid);
void kcolo_notify_end(struct kcolo_session *s);

/* link_life.c */
void kcolo_link_begin(struct kcolo_session *s);
bool kcolo_link_await(struct kcolo_session *s, enum kcolo_wire_channel channel);
void kcolo_link_leave(struct kcolo_session *s, enum kcolo_wire_channel channel);
bool kcolo_link_over(const struct kcolo_session *s);
void kcolo_link_reap(struct kcolo_session *s);
void kcolo_link_hand_in(struct kcolo_session *s, struct file *control,
			struct file *data);
bool kcolo_link_handed(const struct kcolo_session *s);
bool kcolo_link_take(struct kcolo_session *s, struct file *file[2]);

/* verify_data.c */
void kcolo_verify_free(struct kcolo_verify *v);

/* state.c */
bool kcolo_state_set(struct kcolo_session *s, enum kcolo_state to);
bool kcolo_state_allows(const struct kcolo_session *s, unsigned int cmd);
const char *kcolo_state_name(enum kcolo_state state);

/* devstate.c */
struct kcolo_devstate *kcolo_devstate_new(void);
int kcolo_devstate_reserve(struct kcolo_devstate *ds, size_t size);
void kcolo_devstate_put(struct kcolo_devstate *ds);

#endif
