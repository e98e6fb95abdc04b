// SPDX-License-Identifier: GPL-2.0
/*
 * What a session says to who listens to it: its administrators by multicast,
 * the holders of its fd each by themselves. Nobody misses an event without a
 * sign of it: a number that is missing, ENOBUFS, or, when there was not even
 * memory for that, the last event once more, as soon as there is.
 */
#include <linux/delay.h>
#include <linux/workqueue.h>
#include "mutate.h"
#include "session.h"
#include "trace.h"

/* Between two tries to say what there was no memory for. */
#define OWED_MS		100
/* How many the end of a session waits for. */
#define OWED_TRIES	50

/* The last event to each in a mask of subscribers; who has it owes it no more. */
static void deliver(struct kcolo_session *s, const struct kcolo_event *ev,
		    unsigned long to)
{
	unsigned int i;
	int err;

	lockdep_assert_held(&s->sub_lock);
	for_each_set_bit(i, &to, KCOLO_MAX_SUBSCRIBERS) {
		if (!s->subscriber[i])
			continue;
		err = kcolo_event_unicast(s->net, s->subscriber[i], ev);
		if (err == -ECONNREFUSED)
			s->subscriber[i] = 0;
		__assign_bit(i, &s->owed, err == -ENOMEM);
	}
}

/* One that comes after it tells as well that something is missing. */
static void owed_work(struct work_struct *work)
{
	struct kcolo_session *s = container_of(to_delayed_work(work),
					       struct kcolo_session, owed_work);

	mutex_lock(&s->lock);
	mutex_lock(&s->sub_lock);
	deliver(s, &s->owed_event, s->owed);
	if (s->owed)
		schedule_delayed_work(&s->owed_work, msecs_to_jiffies(OWED_MS));
	mutex_unlock(&s->sub_lock);
	mutex_unlock(&s->lock);
}

/**
 * kcolo_notify_init - make a session ready to say something
 * @s: new session
 */
void kcolo_notify_init(struct kcolo_session *s)
{
	mutex_init(&s->sub_lock);
	INIT_DELAYED_WORK(&s->owed_work, owed_work);
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
		.seq = kcolo_mutant(seq_stuck) ? 1 : ++s->event_seq,
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
		.different = notice->different,
	};

	lockdep_assert_held(&s->lock);

	if (notice->epoch)
		ev.epoch = notice->epoch;
	if (s->ready_time && s->role == KCOLO_ROLE_PRIMARY)
		ev.pause_us = ktime_us_delta(ktime_get(), s->ready_time);
	trace_kcolo_event(s->name, ev.type, ev.epoch, ev.state);
	kcolo_event_multicast(s->net, &ev);
	mutex_lock(&s->sub_lock);
	deliver(s, &ev, GENMASK(KCOLO_MAX_SUBSCRIBERS - 1, 0));
	if (s->owed) {
		/* Its words are the session's own, and last as long. */
		s->owed_event = ev;
		schedule_delayed_work(&s->owed_work, msecs_to_jiffies(OWED_MS));
	}
	mutex_unlock(&s->sub_lock);
	wake_up_all(&s->wq);
}

/**
 * kcolo_notify_add - send a session's events to a socket, too
 * @s: session
 * @portid: number of the socket in the session's network namespace
 *
 * Return: 0, also when it gets them already, or -ENOSPC.
 */
int kcolo_notify_add(struct kcolo_session *s, u32 portid)
{
	int err = -ENOSPC;
	unsigned int i;

	mutex_lock(&s->sub_lock);
	for (i = 0; i < KCOLO_MAX_SUBSCRIBERS && err; i++)
		if (s->subscriber[i] == portid)
			err = 0;
	for (i = 0; i < KCOLO_MAX_SUBSCRIBERS && err; i++) {
		if (s->subscriber[i])
			continue;
		s->subscriber[i] = portid;
		err = 0;
	}
	mutex_unlock(&s->sub_lock);
	return err;
}

/**
 * kcolo_notify_forget - send no more events to a socket
 * @s: session
 * @portid: number of the socket in the session's network namespace
 *
 * Waits for no lock under which a VMM is waited for: any socket that closes
 * comes here.
 */
void kcolo_notify_forget(struct kcolo_session *s, u32 portid)
{
	unsigned int i;

	mutex_lock(&s->sub_lock);
	for (i = 0; i < KCOLO_MAX_SUBSCRIBERS; i++) {
		if (s->subscriber[i] != portid)
			continue;
		s->subscriber[i] = 0;
		__clear_bit(i, &s->owed);
	}
	mutex_unlock(&s->sub_lock);
}

/**
 * kcolo_notify_end - wait until the last event of a session is said
 * @s: session that has ended; nothing happens in it any more
 *
 * Context: sleeps, for as long as there is no memory up to OWED_TRIES * OWED_MS.
 */
void kcolo_notify_end(struct kcolo_session *s)
{
	unsigned int tries = OWED_TRIES;

	while (READ_ONCE(s->owed) && tries--)
		msleep(OWED_MS);
	cancel_delayed_work_sync(&s->owed_work);
}
