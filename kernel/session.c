// SPDX-License-Identifier: GPL-2.0
/*
 * Which sessions there are, and the life of one: made by a request, found by
 * id, name or fd, ended by the last close of its fd, by a request, or by the
 * module going. Ending is asynchronous: sockets are shut down first, so that
 * whoever waits on one returns at once, then the threads are stopped.
 */
#include <linux/kthread.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>
#include "events.h"
#include "link.h"
#include "session.h"
#include "trace.h"

static DEFINE_XARRAY_ALLOC1(sessions);
static DEFINE_MUTEX(sessions_lock);
static struct workqueue_struct *session_wq;

static void session_free(struct kref *ref)
{
	struct kcolo_session *s = container_of(ref, struct kcolo_session, ref);
	unsigned int i;

	for (i = 0; i < s->nr_regions; i++)
		kcolo_region_free(s->region[i]);
	kcolo_slots_free(&s->tracker.slots);
	kcolo_scratch_free(&s->scratch);
	kcolo_staging_destroy(&s->staging);
	kcolo_devstate_put(s->devstate);
	kcolo_devstate_put(s->saved);
	put_net(s->net);
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

static void stop_thread(struct task_struct **thread)
{
	if (!*thread)
		return;
	kthread_stop(*thread);
	put_task_struct(*thread);
	*thread = NULL;
}

/*
 * The order matters: no new socket, nobody blocked in an old one, no thread,
 * and only then the sockets and the guest themselves.
 */
static void session_end_work(struct work_struct *work)
{
	struct kcolo_session *s = container_of(work, struct kcolo_session,
					       end_work);

	if (s->orderly)
		kcolo_link_close(s);
	kcolo_session_request(s, KCOLO_REQ_STOP);
	kcolo_conn_stop(&s->listener);
	kcolo_conn_stop(&s->control);
	kcolo_conn_stop(&s->data);
	stop_thread(&s->worker);
	stop_thread(&s->ctl);
	stop_thread(&s->rx_data);
	kcolo_conn_release(&s->listener);
	kcolo_conn_release(&s->control);
	kcolo_conn_release(&s->data);
	kcolo_guest_release(&s->guest);

	mutex_lock(&s->staging_lock);
	kcolo_staging_drop(&s->staging);
	mutex_unlock(&s->staging_lock);

	mutex_lock(&s->lock);
	kcolo_state_set(s, KCOLO_STATE_CLOSED);
	kcolo_session_notify(s, &(struct kcolo_notice) {
				.type = KCOLO_EVENT_TYPE_SESSION_DEL,
				.abort_reason = s->link_reason,
				.error = s->link_error });
	mutex_unlock(&s->lock);

	mutex_lock(&sessions_lock);
	xa_erase(&sessions, s->id);
	mutex_unlock(&sessions_lock);
	kcolo_session_put(s);
}

/**
 * kcolo_session_end - end a session
 * @s: reserved session
 * @orderly: it is meant to end, and the peer is told so; or else somebody died
 *
 * Returns at once; the end is done by a worker. The second call does nothing.
 */
void kcolo_session_end(struct kcolo_session *s, bool orderly)
{
	if (atomic_xchg(&s->ended, 1))
		return;
	s->orderly = orderly;
	queue_work(session_wq, &s->end_work);
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
	struct kcolo_session *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return NULL;
	kref_init(&s->ref);
	strscpy(s->name, name, sizeof(s->name));
	s->role = role;
	s->net = get_net(net);
	s->state = KCOLO_STATE_CONNECTING;
	s->policy.threshold = KCOLO_THRESHOLD_DEFAULT;
	s->policy.max_iterations = KCOLO_MAX_ITERATIONS_DEFAULT;
	s->policy.min_gain = KCOLO_MIN_GAIN_DEFAULT;
	s->peer_timeout = KCOLO_PEER_TIMEOUT_DEFAULT;
	s->pause_limit = KCOLO_PAUSE_LIMIT_DEFAULT;
	s->checksum = true;
	mutex_init(&s->lock);
	mutex_init(&s->map_lock);
	mutex_init(&s->staging_lock);
	init_waitqueue_head(&s->wq);
	INIT_WORK(&s->end_work, session_end_work);
	kcolo_guest_init(&s->guest, session_vm_gone);
	kcolo_scratch_init(&s->scratch);
	kcolo_staging_init(&s->staging);
	kcolo_conn_init(&s->listener, s->peer_timeout);
	kcolo_conn_init(&s->control, s->peer_timeout);
	kcolo_conn_init(&s->data, s->peer_timeout);
	s->tracker.guest = &s->guest;
	s->tracker.scratch = &s->scratch;
	s->tracker.region = s->region;
	if (role == KCOLO_ROLE_PRIMARY) {
		get_random_bytes(s->uuid, sizeof(s->uuid));
		s->uuid_known = true;
		s->incarnation = get_random_u64();
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
		err = xa_alloc(&sessions, &s->id, s, xa_limit_31b, GFP_KERNEL);
	if (!err)
		kref_get(&s->ref);
	mutex_unlock(&sessions_lock);
	return err;
}

/**
 * kcolo_session_publish - let a session be found, and its threads begin
 * @s: reserved session, all of whose threads there are
 */
void kcolo_session_publish(struct kcolo_session *s)
{
	mutex_lock(&sessions_lock);
	s->live = true;
	mutex_unlock(&sessions_lock);
	/* Before a thread has anything to say. */
	mutex_lock(&s->lock);
	kcolo_session_notify(s, &(struct kcolo_notice) {
				.type = KCOLO_EVENT_TYPE_SESSION_NEW });
	mutex_unlock(&s->lock);
	kcolo_session_request(s, KCOLO_REQ_START);
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
	if (s && s->net == net && s->live)
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
	if (s && s->live)
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
		if (s->net == net && s->live)
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

/**
 * kcolo_session_link_failed - the peer cannot be talked to any more
 * @s: session
 * @reason: why; the first to say so is believed
 * @why: in words
 *
 * Shuts both connections down, so that all threads notice, and asks the
 * worker to deal with it.
 */
void kcolo_session_link_failed(struct kcolo_session *s,
			       enum kcolo_abort_reason reason, const char *why)
{
	mutex_lock(&s->lock);
	if (s->link_reason == KCOLO_ABORT_REASON_NONE) {
		s->link_reason = reason;
		strscpy(s->link_error, why, sizeof(s->link_error));
	}
	mutex_unlock(&s->lock);
	kcolo_conn_shutdown(&s->control);
	kcolo_conn_shutdown(&s->data);
	kcolo_session_request(s, KCOLO_REQ_LINK);
}

/**
 * kcolo_session_notify - tell who listens that something happened
 * @s: session; its lock is held, so that numbers go out in order
 * @notice: what happened
 */
void kcolo_session_notify(struct kcolo_session *s,
			  const struct kcolo_notice *notice)
{
	struct kcolo_event ev = {
		.type = notice->type,
		.seq = ++s->event_seq,
		.id = s->id,
		.name = s->name,
		.state = s->state,
		.epoch = s->role == KCOLO_ROLE_SECONDARY ? s->committed :
							   s->epoch,
		.kind = s->kind,
		.stop_reason = notice->stop_reason,
		.abort_reason = notice->abort_reason,
		.pending = notice->pending,
		.rounds = s->rounds,
		.error = notice->error,
	};
	unsigned int i;

	lockdep_assert_held(&s->lock);

	if (s->ready_time && s->role == KCOLO_ROLE_PRIMARY)
		ev.pause_us = ktime_us_delta(ktime_get(), s->ready_time);
	trace_kcolo_event(s->name, ev.type, ev.epoch, ev.state);
	kcolo_event_multicast(s->net, &ev);
	for (i = 0; i < KCOLO_MAX_SUBSCRIBERS; i++)
		if (s->subscriber[i] &&
		    kcolo_event_unicast(s->net, s->subscriber[i], &ev) ==
		    -ECONNREFUSED)
			s->subscriber[i] = 0;
	wake_up_all(&s->wq);
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
	unsigned int i;

	mutex_lock(&sessions_lock);
	xa_for_each(&sessions, id, s) {
		if (s->net != net)
			continue;
		mutex_lock(&s->lock);
		for (i = 0; i < KCOLO_MAX_SUBSCRIBERS; i++)
			if (s->subscriber[i] == portid)
				s->subscriber[i] = 0;
		mutex_unlock(&s->lock);
	}
	mutex_unlock(&sessions_lock);
}

/**
 * kcolo_session_init - make ready for sessions
 *
 * Return: 0 or -ENOMEM.
 */
int kcolo_session_init(void)
{
	session_wq = alloc_workqueue("kcolo", WQ_UNBOUND, 0);
	return session_wq ? 0 : -ENOMEM;
}

/**
 * kcolo_session_exit - wait for the ends of all sessions
 *
 * No session is left but those that are ending: each fd holds the module.
 */
void kcolo_session_exit(void)
{
	destroy_workqueue(session_wq);
	WARN_ON(!xa_empty(&sessions));
	xa_destroy(&sessions);
}
