// SPDX-License-Identifier: GPL-2.0
/*
 * What the lines of "events" have. kcoloctl(8) documents the keys.
 */
#include "line.h"
#include "show.h"

/* Of the counters those that tell how it goes. */
static const unsigned int counters[] = {
	KCOLO_A_STATS_CHECKPOINTS,
	KCOLO_A_STATS_CHECKPOINTS_URGENT,
	KCOLO_A_STATS_ABORTS,
	KCOLO_A_STATS_ROUNDS,
	KCOLO_A_STATS_PAGES_RAW,
	KCOLO_A_STATS_PAGES_ZERO,
	KCOLO_A_STATS_PAGES_RESENT,
	KCOLO_A_STATS_WIRE_BYTES,
	KCOLO_A_STATS_LAST_ROUNDS,
	KCOLO_A_STATS_LAST_PRECOPY_PAGES,
	KCOLO_A_STATS_LAST_PAUSE_PAGES,
	KCOLO_A_STATS_LAST_PRECOPY_US,
	KCOLO_A_STATS_LAST_PAUSE_US,
	KCOLO_A_STATS_STAGING_BYTES,
};

static void add_word(struct json_object *line, const char *key,
		     const char *name, unsigned int value)
{
	char buf[WORD_MAX];

	json_add_raw(line, key, word(name, value, buf));
}

/* What a session was made with, which does not change. */
static void add_origin(struct json_object *line,
		       const struct kcolo_session_info *info)
{
	char buf[ADDR_MAX];

	add_word(line, "role", kcolo_role_name(info->role), info->role);
	add_word(line, "device-state",
		 kcolo_device_state_name(info->device_state),
		 info->device_state);
	json_add_raw(line, "local",
		     kcolo_addr_format(&info->local, buf, sizeof(buf)));
	json_add_raw(line, "peer",
		     kcolo_addr_format(&info->peer, buf, sizeof(buf)));
}

/**
 * line_of_session - that a session exists
 * @info: session
 *
 * Return: a line, for line_print().
 */
struct json_object *line_of_session(const struct kcolo_session_info *info)
{
	struct json_object *line = line_new("exists", "session");

	json_add_raw(line, "name", info->name);
	json_add_u64(line, "id", info->id);
	add_origin(line, info);
	json_add_u64(line, "seq", info->event_seq);
	add_word(line, "state", kcolo_state_name(info->state), info->state);
	json_add_u64(line, "epoch", info->epoch);
	json_add_u64(line, "committed", info->committed);
	json_add_u64(line, "pending", info->pending);
	json_add_bool(line, "synced", info->synced);
	add_word(line, "stop-reason", kcolo_stop_reason_name(info->stop_reason),
		 info->stop_reason);
	add_word(line, "abort-reason",
		 kcolo_abort_reason_name(info->abort_reason),
		 info->abort_reason);
	json_add_raw(line, "error", info->error);
	return line;
}

/**
 * line_of_region - that a region exists
 * @info: its session
 * @region: region
 *
 * Return: a line, for line_print().
 */
struct json_object *line_of_region(const struct kcolo_session_info *info,
				   const struct kcolo_region_info *region)
{
	struct json_object *line = line_new("exists", "region");

	json_add_raw(line, "session", info->name);
	json_add_u64(line, "session-id", info->id);
	json_add_raw(line, "name", region->name);
	json_add_u64(line, "id", region->id);
	json_add_u64(line, "size", region->size);
	json_add_bool(line, "in-place", region->in_place);
	return line;
}

static const char *action_of(enum kcolo_event_type type)
{
	switch (type) {
	case KCOLO_EVENT_TYPE_SESSION_NEW:
		return "create";
	case KCOLO_EVENT_TYPE_SESSION_DEL:
		return "destroy";
	default:
		return "change";
	}
}

/**
 * line_of_event - that something happened to a session
 * @ev: event
 * @info: the session that it says is new, or NULL
 *
 * Return: a line, for line_print().
 */
struct json_object *line_of_event(const struct kcolo_event *ev,
				  const struct kcolo_session_info *info)
{
	struct json_object *line = line_new(action_of(ev->type), "session");

	json_add_raw(line, "name", ev->session_name);
	json_add_u64(line, "id", ev->session_id);
	if (info)
		add_origin(line, info);
	add_word(line, "event", kcolo_event_type_name(ev->type), ev->type);
	json_add_u64(line, "seq", ev->seq);
	add_word(line, "state", kcolo_state_name(ev->state), ev->state);
	json_add_u64(line, "epoch", ev->epoch);
	if (ev->epoch)
		add_word(line, "kind", kcolo_kind_name(ev->kind), ev->kind);
	else
		json_add(line, "kind", NULL);
	add_word(line, "stop-reason", kcolo_stop_reason_name(ev->stop_reason),
		 ev->stop_reason);
	add_word(line, "abort-reason",
		 kcolo_abort_reason_name(ev->abort_reason), ev->abort_reason);
	json_add_u64(line, "pending", ev->pending);
	json_add_u64(line, "rounds", ev->rounds);
	json_add_u64(line, "pause-us", ev->pause_us);
	json_add_u64(line, "different", ev->different);
	json_add_raw(line, "error", ev->error);
	return line;
}

/**
 * line_add_stats - counters
 * @line: of a session
 * @stats: its counters
 */
void line_add_stats(struct json_object *line, const struct kcolo_stats *stats)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(counters); i++)
		json_add_u64(line, kcolo_stats_name(counters[i]),
			     stats->value[counters[i]]);
}
