// SPDX-License-Identifier: GPL-2.0
/*
 * A session in JSON.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "kcoloctl.h"
#include "parse.h"
#include "show.h"

/**
 * format_uuid - an identity in words
 * @uuid: of the pair
 * @buf: where to
 *
 * Return: @buf, "" while the pair has not agreed on one.
 */
const char *format_uuid(const uint8_t uuid[16], char buf[UUID_MAX])
{
	static const uint8_t none[16];
	unsigned int i, n = 0;

	buf[0] = '\0';
	if (!memcmp(uuid, none, sizeof(none)))
		return buf;
	for (i = 0; i < 16; i++)
		n += snprintf(buf + n, UUID_MAX - n, "%s%02x", i == 4 ||
			      i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
	return buf;
}

static void add_params(struct json_object *o, const struct kcolo_params *p)
{
	json_add_u64(o, "threshold", p->threshold);
	json_add_u64(o, "max-iterations", p->max_iterations);
	json_add_u64(o, "min-gain", p->min_gain);
	json_add_u64(o, "peer-timeout", p->peer_timeout);
	json_add_u64(o, "pause-limit", p->pause_limit);
	json_add_bool(o, "checksum", p->checksum);
	json_add_bool(o, "log-sync", p->log_sync);
	json_add_u64(o, "log-sync-timeout", p->log_sync_timeout);
	json_add_bool(o, "reconnect", p->reconnect);
	json_add_u64(o, "staging-limit", p->staging_limit);
}

static void add_regions(struct json_object *o,
			const struct kcolo_session_info *info)
{
	struct json_object *array = json_object_new_array(), *r;
	size_t i;

	/* First: without memory it says so, and exits. */
	json_add(o, "regions", array);
	for (i = 0; array && i < info->nr_regions; i++) {
		r = json_new();
		json_add_u64(r, "id", info->regions[i].id);
		json_add_string(r, "name", info->regions[i].name);
		json_add_u64(r, "address", info->regions[i].address);
		json_add_u64(r, "size", info->regions[i].size);
		json_add_u64(r, "log-offset", info->regions[i].log_offset);
		json_add_u64(r, "log-size", info->regions[i].log_size);
		json_add_bool(r, "in-place", info->regions[i].in_place);
		json_append(array, r);
	}
}

/**
 * session_json - a session in JSON
 * @info: session
 *
 * The members are documented in kcoloctl(8); "get" prints them, too.
 *
 * Return: an object that the caller puts.
 */
struct json_object *session_json(const struct kcolo_session_info *info)
{
	struct json_object *o = json_new();
	char buf[ADDR_MAX];

	json_add_u64(o, "id", info->id);
	json_add_string(o, "name", info->name);
	json_add_word(o, "role", kcolo_role_name(info->role), info->role);
	json_add_word(o, "state", kcolo_state_name(info->state), info->state);
	json_add_string(o, "uuid", format_uuid(info->uuid, buf));
	json_add_string(o, "local",
			kcolo_addr_format(&info->local, buf, sizeof(buf)));
	json_add_string(o, "peer",
			kcolo_addr_format(&info->peer, buf, sizeof(buf)));
	json_add_bool(o, "insecure", info->insecure);
	json_add_bool(o, "sockets", info->sockets);
	json_add_word(o, "device-state",
		      kcolo_device_state_name(info->device_state),
		      info->device_state);
	add_params(o, &info->params);
	json_add_u64(o, "epoch", info->epoch);
	json_add_u64(o, "committed", info->committed);
	json_add_u64(o, "pending", info->pending);
	json_add_bool(o, "synced", info->synced);
	json_add_bool(o, "clean", info->clean);
	json_add_u64(o, "links", info->links);
	json_add_word(o, "resync", kcolo_resync_name(info->resync), info->resync);
	json_add_word(o, "stop-reason",
		      kcolo_stop_reason_name(info->stop_reason),
		      info->stop_reason);
	json_add_word(o, "abort-reason",
		      kcolo_abort_reason_name(info->abort_reason),
		      info->abort_reason);
	json_add_string(o, "error", info->error);
	json_add_u64(o, "event-seq", info->event_seq);
	json_add_u64(o, "scratch-size", info->scratch_size);
	add_regions(o, info);
	return o;
}
