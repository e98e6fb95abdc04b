// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a session: by the last close of its fd, by a request, or by its
 * peer's end. It is asynchronous: sockets are shut down first, so that whoever
 * waits on one returns at once, then the threads are stopped.
 */
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include "end.h"
#include "link.h"
#include "session.h"
#include "stream.h"

static struct workqueue_struct *end_wq;

static void stop_thread(struct task_struct **thread)
{
	if (!*thread)
		return;
	/*
	 * It may wait for a page that the VMM does not serve (userfaultfd, FUSE),
	 * and nothing else ends that.
	 */
	send_sig(SIGKILL, *thread, 1);
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

	/* A request that was let in before is done, none is let in after. */
	mutex_lock(&s->lock);
	mutex_unlock(&s->lock);
	if (s->orderly)
		kcolo_link_close(s);
	kcolo_session_request(s, KCOLO_REQ_STOP);
	kcolo_conn_stop(&s->listener);
	kcolo_conn_stop(&s->control);
	kcolo_conn_stop(&s->data);
	stop_thread(&s->worker);
	stop_thread(&s->listen);
	stop_thread(&s->ctl);
	stop_thread(&s->rx_data);
	/* Not the worker's to free: one that was stopped at once never ran. */
	kcolo_stream_free(s->stream);
	s->stream = NULL;
	kcolo_conn_release(&s->listener);
	kcolo_conn_release(&s->control);
	kcolo_conn_release(&s->data);
	kcolo_link_hand_in(s, NULL, NULL);
	kcolo_guest_release(&s->guest);

	/* The spare pages as well: who has the fd may keep it. */
	mutex_lock(&s->staging_lock);
	kcolo_staging_destroy(&s->staging);
	mutex_unlock(&s->staging_lock);

	mutex_lock(&s->lock);
	kcolo_state_set(s, KCOLO_STATE_CLOSED);
	/* One that was never published has nothing to say to anybody. */
	if (test_bit(KCOLO_REQ_START, &s->req))
		kcolo_session_notify(s, &(struct kcolo_notice) {
				.type = KCOLO_EVENT_TYPE_SESSION_DEL,
				.abort_reason = s->link_reason,
				.error = s->link_error });
	mutex_unlock(&s->lock);

	kcolo_notify_end(s);
	kcolo_session_erase(s);
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
	INIT_WORK(&s->end_work, session_end_work);
	queue_work(end_wq, &s->end_work);
}

/**
 * kcolo_end_init - make ready for sessions that end
 *
 * Return: 0 or -ENOMEM.
 */
int kcolo_end_init(void)
{
	end_wq = alloc_workqueue("kcolo", WQ_UNBOUND, 0);
	return end_wq ? 0 : -ENOMEM;
}

/**
 * kcolo_end_flush - wait for the ends that have begun
 */
void kcolo_end_flush(void)
{
	flush_workqueue(end_wq);
}

/**
 * kcolo_end_exit - wait for the ends of all sessions
 *
 * No session is left but those that are ending: each fd holds the module.
 */
void kcolo_end_exit(void)
{
	destroy_workqueue(end_wq);
}
