// SPDX-License-Identifier: GPL-2.0
/*
 * The states of a session: which may follow which, and what may be asked in
 * which. The one place that knows; Documentation/design.rst shows the same
 * table to people.
 */
#include <linux/bug.h>
#include "session.h"
#include "trace.h"

#define S(name)	BIT(KCOLO_STATE_##name)

/* From any state a session may close. */
static const u32 primary_next[] = {
	[KCOLO_STATE_CONNECTING] = S(IDLE) | S(LOST) | S(FENCED),
	[KCOLO_STATE_IDLE]	 = S(PRECOPY) | S(LOST) | S(FENCED),
	[KCOLO_STATE_PRECOPY]	 = S(READY) | S(IDLE) | S(LOST) | S(FENCED),
	[KCOLO_STATE_READY]	 = S(FLUSHING) | S(IDLE) | S(LOST) | S(FENCED),
	[KCOLO_STATE_FLUSHING]	 = S(FLUSHED) | S(IDLE) | S(LOST) | S(FENCED),
	[KCOLO_STATE_FLUSHED]	 = S(COMMITTING) | S(IDLE) | S(LOST) |
				   S(FENCED),
	[KCOLO_STATE_COMMITTING] = S(APPLYING) | S(IDLE) | S(LOST) | S(DOUBT) |
				   S(FENCED),
	[KCOLO_STATE_APPLYING]	 = S(IDLE) | S(LOST) | S(FENCED),
	[KCOLO_STATE_DOUBT]	 = S(IDLE) | S(LOST) | S(FENCED),
	[KCOLO_STATE_LOST]	 = S(IDLE) | S(FENCED),
	[KCOLO_STATE_FENCED]	 = 0,
	[KCOLO_STATE_CLOSED]	 = 0,
};

static const u32 secondary_next[] = {
	[KCOLO_STATE_CONNECTING] = S(IDLE) | S(LOST),
	[KCOLO_STATE_IDLE]	 = S(RECEIVING) | S(LOST) | S(PROMOTED),
	[KCOLO_STATE_RECEIVING]	 = S(COMMITTING) | S(IDLE) | S(LOST) |
				   S(PROMOTED),
	[KCOLO_STATE_COMMITTING] = S(APPLYING) | S(PREPARED) | S(IDLE) |
				   S(LOST) | S(PROMOTED),
	[KCOLO_STATE_PREPARED]	 = S(APPLYING) | S(IDLE) | S(LOST) |
				   S(PROMOTED),
	[KCOLO_STATE_APPLYING]	 = S(IDLE) | S(BROKEN),
	[KCOLO_STATE_LOST]	 = S(IDLE) | S(PROMOTED),
	[KCOLO_STATE_PROMOTED]	 = 0,
	[KCOLO_STATE_BROKEN]	 = 0,
	[KCOLO_STATE_CLOSED]	 = 0,
};

/* What may be asked; a command that is not here may be asked at any time. */
static const struct {
	unsigned int cmd;
	enum kcolo_role role;
	u32 states;
} commands[] = {
	/* While rounds run, to end them: an urgent one only. */
	{ KCOLO_CMD_CHECKPOINT, KCOLO_ROLE_PRIMARY, S(IDLE) | S(PRECOPY) },
	{ KCOLO_CMD_FLUSH, KCOLO_ROLE_PRIMARY, S(READY) },
	{ KCOLO_CMD_COMMIT, KCOLO_ROLE_PRIMARY, S(FLUSHING) | S(FLUSHED) },
	{ KCOLO_CMD_ABORT, KCOLO_ROLE_PRIMARY,
	  S(PRECOPY) | S(READY) | S(FLUSHING) | S(FLUSHED) | S(COMMITTING) |
	  S(DOUBT) },
	{ KCOLO_CMD_PROMOTE, KCOLO_ROLE_SECONDARY,
	  S(IDLE) | S(RECEIVING) | S(COMMITTING) | S(PREPARED) | S(APPLYING) |
	  S(LOST) },
	{ KCOLO_CMD_APPLY, KCOLO_ROLE_SECONDARY, S(PREPARED) },
	{ KCOLO_CMD_DROP, KCOLO_ROLE_SECONDARY,
	  S(RECEIVING) | S(COMMITTING) | S(PREPARED) },
	{ KCOLO_CMD_CONNECT, KCOLO_ROLE_NONE,
	  S(CONNECTING) | S(LOST) | S(DOUBT) },
	{ KCOLO_CMD_VERIFY, KCOLO_ROLE_PRIMARY, (u32)~S(CLOSED) & ~S(FENCED) },
	/* A late answer does no harm. */
	{ KCOLO_CMD_LOG_SYNCED, KCOLO_ROLE_PRIMARY, (u32)~S(CLOSED) },
	{ KCOLO_CMD_CLEAN, KCOLO_ROLE_NONE, S(CONNECTING) | S(IDLE) },
	{ KCOLO_CMD_VM_ATTACH, KCOLO_ROLE_PRIMARY, S(CONNECTING) | S(IDLE) },
	{ KCOLO_CMD_REGION_ADD, KCOLO_ROLE_NONE,
	  S(CONNECTING) | S(IDLE) | S(LOST) },
	{ KCOLO_CMD_REGION_DEL, KCOLO_ROLE_NONE,
	  S(CONNECTING) | S(IDLE) | S(LOST) },
};

static const char * const names[] = {
	[KCOLO_STATE_NONE] = "none",
	[KCOLO_STATE_CONNECTING] = "connecting",
	[KCOLO_STATE_IDLE] = "idle",
	[KCOLO_STATE_PRECOPY] = "precopy",
	[KCOLO_STATE_READY] = "ready",
	[KCOLO_STATE_FLUSHING] = "flushing",
	[KCOLO_STATE_FLUSHED] = "flushed",
	[KCOLO_STATE_COMMITTING] = "committing",
	[KCOLO_STATE_APPLYING] = "applying",
	[KCOLO_STATE_RECEIVING] = "receiving",
	[KCOLO_STATE_DOUBT] = "doubt",
	[KCOLO_STATE_LOST] = "lost",
	[KCOLO_STATE_PROMOTED] = "promoted",
	[KCOLO_STATE_FENCED] = "fenced",
	[KCOLO_STATE_BROKEN] = "broken",
	[KCOLO_STATE_CLOSED] = "closed",
	[KCOLO_STATE_PREPARED] = "prepared",
};

/**
 * kcolo_state_name - a state in a word
 * @state: any
 *
 * Return: a constant string.
 */
const char *kcolo_state_name(enum kcolo_state state)
{
	if (state < ARRAY_SIZE(names) && names[state])
		return names[state];
	return "unknown";
}

static u32 next_states(const struct kcolo_session *s)
{
	const u32 *table = primary_next;
	size_t nr = ARRAY_SIZE(primary_next);

	if (s->role == KCOLO_ROLE_SECONDARY) {
		table = secondary_next;
		nr = ARRAY_SIZE(secondary_next);
	}
	return s->state < nr ? table[s->state] | S(CLOSED) : 0;
}

/**
 * kcolo_state_set - go to another state
 * @s: session; its lock is held
 * @to: where to
 *
 * A transition that the table does not have is a bug: it is reported and not
 * made. A session that has closed stays closed; that is no bug, since closing
 * comes from outside at any time.
 *
 * Return: whether the session is in state @to.
 */
bool kcolo_state_set(struct kcolo_session *s, enum kcolo_state to)
{
	lockdep_assert_held(&s->lock);

	if (s->state == to)
		return true;
	if (s->state == KCOLO_STATE_CLOSED)
		return false;
	if (WARN_ONCE(!(next_states(s) & BIT(to)), "kcolo: %s: %s to %s\n",
		      s->name, kcolo_state_name(s->state),
		      kcolo_state_name(to)))
		return false;
	trace_kcolo_state(s->name, kcolo_state_name(s->state),
			  kcolo_state_name(to));
	WRITE_ONCE(s->state, to);
	return true;
}

/**
 * kcolo_state_allows - whether a command may be given now
 * @s: session; its lock is held
 * @cmd: KCOLO_CMD_*
 *
 * Return: whether role and state allow it, and the session is not ending.
 */
bool kcolo_state_allows(const struct kcolo_session *s, unsigned int cmd)
{
	unsigned int i;

	lockdep_assert_held(&s->lock);

	if (atomic_read(&s->ended))
		return false;
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (commands[i].cmd != cmd)
			continue;
		return (commands[i].role == KCOLO_ROLE_NONE ||
			commands[i].role == s->role) &&
		       commands[i].states & BIT(s->state);
	}
	return s->state != KCOLO_STATE_CLOSED;
}
