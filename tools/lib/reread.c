// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What became of a session whose events were lost, made out of what it is now:
 * the events, in an order that the kernel could have had them in, that bring the
 * caller from what it was told to what is.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "internal.h"

/* Times that a reading is tried whose answer the kernel has no memory for. */
#define READ_TRIES	4

#define S(name)		(1u << KCOLO_STATE_##name)

/* An epoch is open, and its end is not decided on this host. */
#define OPEN_STATES	(S(PRECOPY) | S(READY) | S(FLUSHING) | S(FLUSHED) | \
			 S(COMMITTING) | S(DOUBT))
#define END_STATES	(S(DOUBT) | S(LOST) | S(PROMOTED) | S(FENCED) | \
			 S(BROKEN) | S(CLOSED))

/* What comes once in a session's life, or never; and once in that of a link. */
#define E(name)		(1u << KCOLO_EVENT_TYPE_##name)
#define ONCE		(E(PROMOTED) | E(FENCED) | E(BROKEN) | E(VM_GONE) | \
			 E(SESSION_DEL))
#define NO_LINK		(E(PEER_LOST) | E(CHECKPOINT_DOUBT))

static bool in(const struct kcolo_session_info *info, unsigned int states)
{
	return info->state < 32 && states & 1u << info->state;
}

static void ended(struct kcolo_told *t, uint64_t epoch)
{
	if (t->open <= epoch)
		t->open = 0;
	if (t->epoch < epoch)
		t->epoch = epoch;
}

/**
 * kcolo_told_open - the caller knows of an open epoch
 * @k: handle
 * @epoch: which
 */
void kcolo_told_open(struct kcolo *k, uint64_t epoch)
{
	k->told.open = epoch;
	k->told.epoch = epoch;
}

/**
 * kcolo_told_event - the caller knows of an event
 * @k: handle
 * @ev: which
 */
void kcolo_told_event(struct kcolo *k, const struct kcolo_event *ev)
{
	struct kcolo_told *t = &k->told;

	if (ev->type < 32)
		t->once |= 1u << ev->type;
	switch (ev->type) {
	case KCOLO_EVENT_TYPE_CHECKPOINT_READY:
	case KCOLO_EVENT_TYPE_CHECKPOINT_PREPARED:
		t->ready = ev->epoch;
		kcolo_told_open(k, ev->epoch);
		break;
	case KCOLO_EVENT_TYPE_CHECKPOINT_COMMITTED:
		t->committed = ev->epoch;
		t->received = ev->epoch;
		ended(t, ev->epoch);
		break;
	case KCOLO_EVENT_TYPE_CHECKPOINT_RECEIVED:
		t->received = ev->epoch;
		ended(t, ev->epoch);
		break;
	case KCOLO_EVENT_TYPE_CHECKPOINT_ABORTED:
		ended(t, ev->epoch);
		break;
	case KCOLO_EVENT_TYPE_PEER_CONNECTED:
		t->once &= ~NO_LINK;
		/* The number of one that is made is that of the reading. */
		if (!ev->reread)
			t->links++;
		break;
	case KCOLO_EVENT_TYPE_PEER_LOST:
	case KCOLO_EVENT_TYPE_CHECKPOINT_DOUBT:
		t->once &= ~E(PEER_CONNECTED);
		break;
	default:
		break;
	}
}

static void tell(struct kcolo *k, const struct kcolo_session_info *info,
		 enum kcolo_event_type type, uint64_t epoch)
{
	struct kcolo_told *t = &k->told;
	struct kcolo_event *ev;

	if (t->len == ARRAY_SIZE(t->made))
		return;
	ev = &t->made[t->len++];
	memset(ev, 0, sizeof(*ev));
	ev->type = type;
	ev->reread = true;
	ev->seq = info->event_seq;
	ev->session_id = info->id;
	memcpy(ev->session_name, info->name, sizeof(ev->session_name));
	ev->state = info->state;
	ev->epoch = epoch;
	ev->stop_reason = info->stop_reason;
	ev->abort_reason = info->abort_reason;
	if (type == KCOLO_EVENT_TYPE_CHECKPOINT_READY)
		ev->pending = info->pending;
	memcpy(ev->error, info->error, sizeof(ev->error));
	kcolo_told_event(k, ev);
}

/* Of one of ONCE, or about the link that there is, or is no more. */
static void tell_once(struct kcolo *k, const struct kcolo_session_info *info,
		      enum kcolo_event_type type)
{
	if (!(k->told.once & 1u << type))
		tell(k, info, type, info->role == KCOLO_ROLE_SECONDARY ?
		     info->committed : info->epoch);
}

static void tell_commit(struct kcolo *k, const struct kcolo_session_info *info)
{
	struct kcolo_told *t = &k->told;

	if (info->committed > t->received)
		tell(k, info, KCOLO_EVENT_TYPE_CHECKPOINT_RECEIVED,
		     info->committed);
	/* In place, or else the session would not be idle, nor in another. */
	if (info->committed > t->committed &&
	    (in(info, S(IDLE)) || info->epoch > info->committed))
		tell(k, info, KCOLO_EVENT_TYPE_CHECKPOINT_COMMITTED,
		     info->committed);
}

/*
 * An epoch that has ended without being committed. Of one that is older than
 * the last commit nobody knows: who has asked for it need not have driven it.
 */
static void tell_abort(struct kcolo *k, const struct kcolo_session_info *info)
{
	struct kcolo_told *t = &k->told;
	uint64_t open = t->open;

	if (!open && info->epoch > t->epoch)
		open = info->epoch;
	if (open > info->committed &&
	    (info->epoch > open || in(info, S(IDLE) | S(LOST))))
		tell(k, info, KCOLO_EVENT_TYPE_CHECKPOINT_ABORTED, open);
}

static void tell_primary(struct kcolo *k, const struct kcolo_session_info *info)
{
	tell_commit(k, info);
	tell_abort(k, info);
	if (in(info, S(READY)) && info->epoch > k->told.ready)
		tell(k, info, KCOLO_EVENT_TYPE_CHECKPOINT_READY, info->epoch);
	if (in(info, OPEN_STATES))
		kcolo_told_open(k, info->epoch);
}

static void tell_secondary(struct kcolo *k,
			   const struct kcolo_session_info *info)
{
	struct kcolo_told *t = &k->told;

	/* It was prepared, and is neither that any more nor committed. */
	if (t->open > info->committed &&
	    (info->epoch > t->open || in(info, S(IDLE))))
		tell(k, info, KCOLO_EVENT_TYPE_CHECKPOINT_ABORTED, t->open);
	if (info->committed > t->committed &&
	    !in(info, S(APPLYING) | S(BROKEN)))
		tell(k, info, KCOLO_EVENT_TYPE_CHECKPOINT_COMMITTED,
		     info->committed);
	if (in(info, S(PREPARED)) && info->epoch > t->ready)
		tell(k, info, KCOLO_EVENT_TYPE_CHECKPOINT_PREPARED,
		     info->epoch);
}

/*
 * Whether there is another link than the one that was told of, which then was
 * lost. What became of an epoch that was open comes before the new one: after it,
 * what was not said is not known.
 */
static void tell_relink(struct kcolo *k, const struct kcolo_session_info *info)
{
	struct kcolo_told *t = &k->told;
	bool other = info->links > t->links && t->known;

	t->links = info->links;
	if (!other)
		return;
	if (t->once & E(PEER_CONNECTED))
		tell(k, info, KCOLO_EVENT_TYPE_PEER_LOST,
		     info->role == KCOLO_ROLE_SECONDARY ? info->committed :
							  t->epoch);
	if (info->role != KCOLO_ROLE_PRIMARY || info->committed > t->epoch)
		return;
	tell_commit(k, info);
	if (t->open)
		tell_abort(k, info);
}

static enum kcolo_event_type end_event(const struct kcolo_session_info *info)
{
	switch (info->state) {
	case KCOLO_STATE_DOUBT:
		return KCOLO_EVENT_TYPE_CHECKPOINT_DOUBT;
	case KCOLO_STATE_LOST:
		/* A secondary whose primary has closed ends next, and says so. */
		if (info->role == KCOLO_ROLE_SECONDARY &&
		    info->abort_reason == KCOLO_ABORT_REASON_CLOSED)
			return KCOLO_EVENT_TYPE_NONE;
		return KCOLO_EVENT_TYPE_PEER_LOST;
	case KCOLO_STATE_PROMOTED:
		return KCOLO_EVENT_TYPE_PROMOTED;
	case KCOLO_STATE_FENCED:
		return KCOLO_EVENT_TYPE_FENCED;
	case KCOLO_STATE_BROKEN:
		return KCOLO_EVENT_TYPE_BROKEN;
	case KCOLO_STATE_CLOSED:
		return KCOLO_EVENT_TYPE_SESSION_DEL;
	default:
		return KCOLO_EVENT_TYPE_NONE;
	}
}

static void tell_all(struct kcolo *k, const struct kcolo_session_info *info)
{
	enum kcolo_event_type end = end_event(info);

	k->told.head = 0;
	k->told.len = 0;
	tell_relink(k, info);
	if (!in(info, S(CONNECTING) | END_STATES))
		tell_once(k, info, KCOLO_EVENT_TYPE_PEER_CONNECTED);
	if (info->role == KCOLO_ROLE_SECONDARY)
		tell_secondary(k, info);
	else
		tell_primary(k, info);
	if (in(info, END_STATES) &&
	    info->abort_reason == KCOLO_ABORT_REASON_VM_GONE)
		tell_once(k, info, KCOLO_EVENT_TYPE_VM_GONE);
	if (end)
		tell_once(k, info, end);
}

static int read_session(struct kcolo *k, struct kcolo_session_info *info)
{
	int tries = READ_TRIES, err;

	while ((err = kcolo_session_get(k, info)) == -ENOBUFS && --tries)
		;
	if (!err)
		kcolo_session_info_free(info);
	/* To the caller -ENOBUFS would be lost events, which it is not to see. */
	return err == -ENOBUFS ? -ENOMEM : err;
}

/* The session is there no more, or its name is another's now. */
static void tell_gone(struct kcolo *k)
{
	struct kcolo_session_info info = {
		.id = k->told.id,
		.state = KCOLO_STATE_CLOSED,
		.event_seq = k->told.last,
	};

	snprintf(info.name, sizeof(info.name), "%s", k->told.name);
	tell_all(k, &info);
}

static void remember(struct kcolo_told *t,
		     const struct kcolo_session_info *info)
{
	t->known = true;
	t->id = info->id;
	memcpy(t->name, info->name, sizeof(t->name));
}

/**
 * kcolo_told_begin - from here on the caller is to know all that happens
 * @k: handle that is about to subscribe
 *
 * Before the subscription: what happens between the two is told as lost events
 * are, or not at all, and nothing is taken for known that was never told.
 *
 * Return: 0 or a negative errno.
 */
int kcolo_told_begin(struct kcolo *k)
{
	struct kcolo_session_info info;
	int err;

	if (k->told.known)
		return 0;
	err = read_session(k, &info);
	if (err)
		return err;
	tell_all(k, &info);
	k->told.len = 0;
	remember(&k->told, &info);
	return 0;
}

/**
 * kcolo_told_reread - read the session, and make events of what it says
 * @k: handle; of the events made before none is left, and the socket was emptied
 *	after the loss, so that no event is lost that this does not include
 *
 * Return: 0 or a negative errno.
 */
int kcolo_told_reread(struct kcolo *k)
{
	struct kcolo_session_info info;
	struct kcolo_told *t = &k->told;
	int err = read_session(k, &info);

	if (err && (err != -ENOENT || !t->known))
		return err;
	if (err || (t->known && t->id != info.id)) {
		tell_gone(k);
	} else {
		tell_all(k, &info);
		remember(t, &info);
		t->seq = info.event_seq;
		t->last = info.event_seq;
	}
	kcolo_event_wake(k);
	return 0;
}

/**
 * kcolo_told_next - the next event that was made
 * @k: handle
 * @ev: where to
 *
 * Return: whether there is one.
 */
bool kcolo_told_next(struct kcolo *k, struct kcolo_event *ev)
{
	struct kcolo_told *t = &k->told;

	if (t->head == t->len)
		return false;
	*ev = t->made[t->head++];
	t->made_once |= ONCE & 1u << ev->type;
	kcolo_event_wake(k);
	return true;
}

/**
 * kcolo_told_before - whether a reading has included an event
 * @k: handle
 * @ev: that has come since
 *
 * Its number need not tell: the kernel changes the state first, and at times
 * lets go of the lock before it numbers the event.
 *
 * Return: whether it has.
 */
bool kcolo_told_before(const struct kcolo *k, const struct kcolo_event *ev)
{
	const struct kcolo_told *t = &k->told;

	if (!t->known || ev->session_id != t->id)
		return false;
	return ev->seq <= t->seq ||
	       (ev->type < 32 && t->made_once & 1u << ev->type);
}
