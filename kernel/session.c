// SPDX-License-Identifier: GPL-2.0
/*
 * Which sessions there are: made by a request, found by id, name or fd. What
 * all threads of a session have in common: requests, errors, the link.
 */
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/memcontrol.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>
#include "gfp.h"
#include "mutate.h"
#include "session.h"

static DEFINE_XARRAY_ALLOC1(sessions);
static DEFINE_MUTEX(sessions_lock);
static u32 next_id;		/* under sessions_lock */

static void session_free(struct kref *ref)
{
	struct kcolo_session *s = container_of(ref, struct kcolo_session, ref);
	struct kcolo_region *r;
	unsigned int i;

	for (i = 0; (r = kcolo_next_region(s, &i)); i++)
		kcolo_region_free(r);
	/* Handed in while it was ending. */
	for (i = 0; i < ARRAY_SIZE(s->handed); i++)
		if (s->handed[i])
			fput(s->handed[i]);
	kcolo_slots_free(&s->tracker.slots);
	kcolo_scratch_free(&s->scratch);
	kcolo_staging_destroy(&s->staging);
	kcolo_devstate_put(s->devstate);
	kcolo_devstate_put(s->saved);
	kcolo_verify_free(s->verify);
	put_net(s->net);
	mem_cgroup_put(s->memcg);
	kfree(s);
}

/**
 * kcolo_session_put - give a reference back
 * @s: session; of no use to the caller afterwards
 *
 * Context: may sleep.
 */
void kcolo_session_put(struct kcolo_session *s)
{
	kref_put(&s->ref, session_free);
}

static void session_vm_gone(struct kcolo_guest *guest)
{
	kcolo_session_request(container_of(guest, struct kcolo_session, guest),
			      KCOLO_REQ_VM_GONE);
}

/**
 * kcolo_session_alloc - make a session that nobody can find yet
 * @net: where its sockets live; a reference is taken
 * @name: at most KCOLO_NAME_MAX long
 * @role: primary or secondary
 *
 * Return: a session with one reference, the caller's, or NULL.
 */
struct kcolo_session *kcolo_session_alloc(struct net *net, const char *name,
					  enum kcolo_role role)
{
	struct kcolo_session *s = kzalloc(sizeof(*s), KCOLO_GFP);

	if (!s)
		return NULL;
	kref_init(&s->ref);
	strscpy(s->name, name, sizeof(s->name));
	s->role = role;
	s->net = get_net(net);
	s->memcg = get_mem_cgroup_from_mm(current->mm);
	s->state = KCOLO_STATE_CONNECTING;
	s->policy.threshold = KCOLO_THRESHOLD_DEFAULT;
	s->policy.max_iterations = KCOLO_MAX_ITERATIONS_DEFAULT;
	s->policy.min_gain = KCOLO_MIN_GAIN_DEFAULT;
	s->peer_timeout = KCOLO_PEER_TIMEOUT_DEFAULT;
	s->pause_limit = KCOLO_PAUSE_LIMIT_DEFAULT;
	s->checksum = true;
	s->reconnect = true;
	s->log_sync_timeout = KCOLO_LOG_SYNC_TIMEOUT_DEFAULT;
	mutex_init(&s->lock);
	mutex_init(&s->map_lock);
	mutex_init(&s->staging_lock);
	init_waitqueue_head(&s->wq);
	kcolo_guest_init(&s->guest, session_vm_gone);
	kcolo_notify_init(s);
	kcolo_scratch_init(&s->scratch);
	kcolo_staging_init(&s->staging);
	kcolo_conn_init(&s->listener, s->peer_timeout);
	kcolo_conn_init(&s->control, s->peer_timeout);
	kcolo_conn_init(&s->data, s->peer_timeout);
	s->tracker.guest = &s->guest;
	s->tracker.scratch = &s->scratch;
	if (role == KCOLO_ROLE_PRIMARY) {
		get_random_bytes(s->uuid, sizeof(s->uuid));
		s->uuid_known = true;
		s->incarnation = get_random_u32();
	}
	return s;
}

static struct kcolo_session *find_name(struct net *net, const char *name)
{
	struct kcolo_session *s;
	unsigned long id;

	xa_for_each(&sessions, id, s)
		if (s->net == net && !strcmp(s->name, name))
			return s;
	return NULL;
}

/**
 * kcolo_session_reserve - give a session its name and number
 * @s: session; the table takes a reference of its own
 *
 * Nobody finds it there before kcolo_session_publish().
 *
 * Return: 0, -EEXIST when the network namespace has one of this name, or
 * another negative errno.
 */
int kcolo_session_reserve(struct kcolo_session *s)
{
	int err = -EEXIST;

	mutex_lock(&sessions_lock);
	if (!find_name(s->net, s->name))
		/* Cyclic: an old number is not soon another session's. */
		err = xa_alloc_cyclic(&sessions, &s->id, s, xa_limit_31b,
				      &next_id, GFP_KERNEL);
	if (err >= 0)
		kref_get(&s->ref);
	mutex_unlock(&sessions_lock);
	return min(err, 0);
}

/*
 * The guest dirties while it is sent what it has dirtied. Where CPUs are scarce an
 * even share among vCPUs and senders has rounds that hardly converge; this is three
 * times a vCPU's, and renice(1) changes it.
 */
#define THREAD_NICE	(-5)

/**
 * kcolo_session_thread - start a thread of a session
 * @s: reserved session; its end stops the thread
 * @thread: where in the session it stands afterwards, with a reference
 * @fn: what it does, with the session for its argument, until it has to stop
 * @what: its name
 *
 * Return: 0 or a negative errno.
 */
int kcolo_session_thread(struct kcolo_session *s, struct task_struct **thread,
			 int (*fn)(void *), const char *what)
{
	struct task_struct *task;

	task = kthread_create(fn, s, "kcolo-%s/%u", what, s->id);
	if (IS_ERR(task))
		return PTR_ERR(task);
	set_user_nice(task, THREAD_NICE);
	*thread = get_task_struct(task);
	wake_up_process(task);
	return 0;
}

/**
 * kcolo_session_charge - have the memory that a thread takes charged to the VMM
 * @s: session; called by one of its threads, and again when the VMM may be known
 *
 * To the memory cgroup that the VMM was in when it became known, until then to that
 * of who made the session. What the thread has taken before stays where it is. To
 * be ended by kcolo_session_charge_end().
 */
void kcolo_session_charge(const struct kcolo_session *s)
{
	struct mem_cgroup *memcg = READ_ONCE(s->guest.memcg);

	if (!kcolo_mutant(charge_nobody))
		set_active_memcg(memcg ? memcg : s->memcg);
}

/**
 * kcolo_session_charge_end - end what kcolo_session_charge() began
 *
 * A socket is made without: for one the VMM might be killed.
 */
void kcolo_session_charge_end(void)
{
	set_active_memcg(NULL);
}

/**
 * kcolo_session_publish - let a session be found, and its threads begin
 * @s: reserved session, all of whose threads there are
 */
void kcolo_session_publish(struct kcolo_session *s)
{
	/* Under the lock: before a thread has anything to say. */
	mutex_lock(&s->lock);
	kcolo_session_request(s, KCOLO_REQ_START);
	kcolo_session_notify(s, &(struct kcolo_notice) {
				.type = KCOLO_EVENT_TYPE_SESSION_NEW });
	mutex_unlock(&s->lock);
}

/**
 * kcolo_session_await_start - wait until a session is published
 * @s: session; called by its threads
 *
 * Return: false when it ends instead.
 */
bool kcolo_session_await_start(struct kcolo_session *s)
{
	wait_event_idle(s->wq, READ_ONCE(s->req) & (BIT(KCOLO_REQ_START) |
						    BIT(KCOLO_REQ_STOP)));
	return !kcolo_session_stopping(s);
}

static bool published(const struct kcolo_session *s)
{
	return test_bit(KCOLO_REQ_START, &s->req);
}

/**
 * kcolo_session_by_id - find a session
 * @net: network namespace it has to be of
 * @id: its number
 *
 * Return: a reference that the caller owns, or NULL.
 */
struct kcolo_session *kcolo_session_by_id(struct net *net, u32 id)
{
	struct kcolo_session *s;

	mutex_lock(&sessions_lock);
	s = xa_load(&sessions, id);
	if (s && s->net == net && published(s))
		kref_get(&s->ref);
	else
		s = NULL;
	mutex_unlock(&sessions_lock);
	return s;
}

/**
 * kcolo_session_by_name - find a session
 * @net: network namespace it has to be of
 * @name: its name
 *
 * Return: a reference that the caller owns, or NULL.
 */
struct kcolo_session *kcolo_session_by_name(struct net *net, const char *name)
{
	struct kcolo_session *s;

	mutex_lock(&sessions_lock);
	s = find_name(net, name);
	if (s && published(s))
		kref_get(&s->ref);
	else
		s = NULL;
	mutex_unlock(&sessions_lock);
	return s;
}

/**
 * kcolo_session_next - go through all sessions of a network namespace
 * @net: network namespace
 * @id: the least id wanted; set to that of the session found
 *
 * Return: a reference that the caller owns, or NULL at the end.
 */
struct kcolo_session *kcolo_session_next(struct net *net, unsigned long *id)
{
	struct kcolo_session *s;

	mutex_lock(&sessions_lock);
	xa_for_each_start(&sessions, *id, s, *id)
		if (s->net == net && published(s))
			break;
	if (s)
		kref_get(&s->ref);
	mutex_unlock(&sessions_lock);
	return s;
}

/**
 * kcolo_session_request - ask something of a session's threads
 * @s: session
 * @req: what
 *
 * Context: any in which a spinlock may be taken.
 */
void kcolo_session_request(struct kcolo_session *s, enum kcolo_req req)
{
	set_bit(req, &s->req);
	wake_up_all(&s->wq);
}

/**
 * kcolo_session_stopping - whether a session's threads are to end
 * @s: session
 *
 * Return: true when they are.
 */
bool kcolo_session_stopping(const struct kcolo_session *s)
{
	return test_bit(KCOLO_REQ_STOP, &s->req);
}

static_assert(KCOLO_A_STATS_ABORTS_STAGING_LIMIT -
	      KCOLO_A_STATS_ABORTS_REQUESTED ==
	      KCOLO_ABORT_REASON_STAGING_LIMIT - KCOLO_ABORT_REASON_REQUESTED);

/**
 * kcolo_session_count_abort - count a checkpoint that was given up
 * @s: session; its lock is held
 * @reason: why; not none
 */
void kcolo_session_count_abort(struct kcolo_session *s,
			       enum kcolo_abort_reason reason)
{
	lockdep_assert_held(&s->lock);
	KCOLO_STAT(s, ABORTS)++;
	s->stats[KCOLO_A_STATS_ABORTS_REQUESTED + reason -
		 KCOLO_ABORT_REASON_REQUESTED]++;
}

/**
 * kcolo_session_nr_regions - how many regions a session has
 * @s: session; its lock is held, or the caller is its worker in an epoch
 *
 * Return: the number.
 */
unsigned int kcolo_session_nr_regions(const struct kcolo_session *s)
{
	unsigned int i, nr = 0;

	for (i = 0; i < KCOLO_MAX_REGIONS; i++)
		nr += !!s->region[i];
	return nr;
}

/**
 * kcolo_session_all_based - whether nothing is to be sent whole
 * @s: session; its lock is held, or the caller is its worker in an epoch
 *
 * Return: true when all regions are what was committed, or clean.
 */
bool kcolo_session_all_based(const struct kcolo_session *s)
{
	const struct kcolo_region *r;
	unsigned int i;

	for (i = 0; (r = kcolo_next_region(s, &i)); i++)
		if (!r->based)
			return false;
	return true;
}

/**
 * kcolo_session_committed - the open epoch is committed
 * @s: primary; its lock is held
 */
void kcolo_session_committed(struct kcolo_session *s)
{
	struct kcolo_region *r;
	unsigned int i;

	lockdep_assert_held(&s->lock);
	s->committed = s->epoch;
	s->end_sent = false;
	s->applying = true;
	for (i = 0; (r = kcolo_next_region(s, &i)); i++)
		r->based = true;
	KCOLO_STAT(s, CHECKPOINTS)++;
	KCOLO_STAT(s, CHECKPOINTS_URGENT) += s->kind == KCOLO_KIND_URGENT;
}

/**
 * kcolo_session_set_error - keep an error in words
 * @s: session; its lock is held
 * @why: the words
 */
void kcolo_session_set_error(struct kcolo_session *s, const char *why)
{
	lockdep_assert_held(&s->lock);
	strscpy(s->error, why, sizeof(s->error));
}

/*
 * The first reason is believed. Two may come behind another, since control and
 * data are connections of their own: that the peer has taken over, and that the
 * primary has ended its session.
 */
static bool link_news(const struct kcolo_session *s,
		      enum kcolo_abort_reason reason)
{
	switch (s->link_reason) {
	case KCOLO_ABORT_REASON_NONE:
		return true;
	case KCOLO_ABORT_REASON_FENCED:
		return false;
	case KCOLO_ABORT_REASON_PEER_LOST:
	case KCOLO_ABORT_REASON_PEER_TIMEOUT:
		if (s->role == KCOLO_ROLE_SECONDARY &&
		    reason == KCOLO_ABORT_REASON_CLOSED)
			return true;
		break;
	default:
		break;
	}
	return reason == KCOLO_ABORT_REASON_FENCED;
}

/**
 * kcolo_session_link_failed - the peer cannot be talked to any more
 * @s: session
 * @reason: why; the first to say so is believed, and FENCED after any other
 * @why: in words
 *
 * Shuts both connections down, so that all threads notice, and asks the
 * worker to deal with it. A primary still hears its peer out: when the data
 * connection ends, FENCED may be on its way on the other.
 */
void kcolo_session_link_failed(struct kcolo_session *s,
			       enum kcolo_abort_reason reason, const char *why)
{
	bool primary = s->role == KCOLO_ROLE_PRIMARY;

	mutex_lock(&s->lock);
	if (link_news(s, reason)) {
		/* The peer hangs up because it was told to. */
		if (s->orderly && reason != KCOLO_ABORT_REASON_FENCED) {
			reason = KCOLO_ABORT_REASON_CLOSED;
			why = "the session was ended here";
		}
		s->link_reason = reason;
		strscpy(s->link_error, why, sizeof(s->link_error));
	}
	mutex_unlock(&s->lock);
	kcolo_conn_shutdown(&s->control, primary ? SHUT_WR : SHUT_RDWR);
	kcolo_conn_shutdown(&s->data, SHUT_RDWR);
	kcolo_session_request(s, KCOLO_REQ_LINK);
}

/**
 * kcolo_session_vm_gone - deal with the death of the VMM
 * @s: session; called by its worker
 *
 * The VM is let go of, and the peer given up: it is to know. A session that is
 * ending has more to say to it, whether it was meant.
 */
void kcolo_session_vm_gone(struct kcolo_session *s)
{
	static const char why[] = "the VMM has died";

	kcolo_guest_drop_vm(&s->guest);
	mutex_lock(&s->lock);
	s->abort_reason = KCOLO_ABORT_REASON_VM_GONE;
	kcolo_session_set_error(s, why);
	kcolo_session_notify(s, &(struct kcolo_notice) {
				.type = KCOLO_EVENT_TYPE_VM_GONE });
	mutex_unlock(&s->lock);
	if (!atomic_read(&s->ended))
		kcolo_session_link_failed(s, KCOLO_ABORT_REASON_VM_GONE, why);
}

/**
 * kcolo_session_forget_port - send no more events to a socket
 * @net: network namespace of the socket
 * @portid: its number
 */
void kcolo_session_forget_port(struct net *net, u32 portid)
{
	struct kcolo_session *s;
	unsigned long id;

	mutex_lock(&sessions_lock);
	xa_for_each(&sessions, id, s)
		if (s->net == net)
			kcolo_notify_forget(s, portid);
	mutex_unlock(&sessions_lock);
}

/**
 * kcolo_session_erase - forget a session that has ended
 * @s: reserved session; the table's reference is given back
 */
void kcolo_session_erase(struct kcolo_session *s)
{
	mutex_lock(&sessions_lock);
	xa_erase(&sessions, s->id);
	mutex_unlock(&sessions_lock);
	kcolo_session_put(s);
}

/**
 * kcolo_session_exit - free the table, in which nothing is left
 */
void kcolo_session_exit(void)
{
	WARN_ON(!xa_empty(&sessions));
	xa_destroy(&sessions);
}
