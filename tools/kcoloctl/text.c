// SPDX-License-Identifier: GPL-2.0
/*
 * A session for people: in groups, with units. Scripts have "dump" and --json.
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>
#include "color.h"
#include "kcoloctl.h"
#include "show.h"

static void head(const char *indent, const char *name)
{
	printf("%s%s%s:%s", indent, paint(STYLE_HEAD), name, paint(STYLE_END));
}

/* Nothing is said of what there is not. */
static void line(const char *indent, const char *key, const char *value)
{
	char buf[ERROR_PLAIN];

	if (!value[0])
		return;
	head(indent, key);
	printf(" %s\n", plain(value, buf, sizeof(buf)));
}

static void top(const char *key, const char *value)
{
	line("  ", key, value);
}

static void sub(const char *key, const char *value)
{
	line("    ", key, value);
}

static void group(const char *name)
{
	putchar('\n');
	head("  ", name);
	putchar('\n');
}

static void state_text(enum kcolo_state state)
{
	char buf[WORD_MAX];

	head("  ", "state");
	printf(" %s%s%s\n", paint(style_of_state(state)),
	       word(kcolo_state_name(state), state, buf), paint(STYLE_END));
}

static void identity_text(const struct kcolo_session_info *info)
{
	char buf[ADDR_MAX];

	snprintf(buf, sizeof(buf), "%" PRIu32, info->id);
	top("id", buf);
	top("role", word(kcolo_role_name(info->role), info->role, buf));
	state_text(info->state);
	top("error", info->error);
	top("local", kcolo_addr_format(&info->local, buf, sizeof(buf)));
	top("peer", kcolo_addr_format(&info->peer, buf, sizeof(buf)));
	if (info->sockets)
		top("connections", "handed in");
	top("security", info->insecure ? "none (insecure)" : "key");
	top("device-state", word(kcolo_device_state_name(info->device_state),
				 info->device_state, buf));
	top("uuid", format_uuid(info->uuid, buf));
	snprintf(buf, sizeof(buf), "%" PRIu64, info->links);
	top("links", buf);
	if (info->resync)
		top("resync", word(kcolo_resync_name(info->resync), info->resync,
				   buf));
}

static const char *format_ms(uint32_t ms, char buf[FORMAT_MAX])
{
	return format_us((uint64_t)ms * 1000, buf, FORMAT_MAX);
}

static void params_text(const struct kcolo_params *p)
{
	char buf[2 * FORMAT_MAX];

	group("parameters");
	sub("threshold", p->threshold ?
	    format_bytes(p->threshold, buf, FORMAT_MAX) : "0, no pre-copy");
	snprintf(buf, sizeof(buf), "%" PRIu32, p->max_iterations);
	sub("max-iterations", buf);
	snprintf(buf, sizeof(buf), "%" PRIu32 " %%", p->min_gain);
	sub("min-gain", p->min_gain ? buf : "off");
	sub("peer-timeout", format_ms(p->peer_timeout, buf));
	sub("pause-limit", p->pause_limit ? format_ms(p->pause_limit, buf) :
					    "none");
	sub("checksum", p->checksum ? "on" : "off");
	sub("log-sync", p->log_sync ? "on" : "off");
	sub("log-sync-timeout", format_ms(p->log_sync_timeout, buf));
	sub("reconnect", p->reconnect ? "on" : "off");
	sub("staging-limit", p->staging_limit ?
	    format_bytes(p->staging_limit, buf, FORMAT_MAX) : "none");
}

static uint64_t bytes_of(uint64_t pages)
{
	return pages * sysconf(_SC_PAGESIZE);
}

static void counts_text(const struct kcolo_stats *stats)
{
	char buf[128];

	snprintf(buf, sizeof(buf),
		 "%" PRIu64 " committed, %" PRIu64 " of them urgent; %" PRIu64 " aborted",
		 stats->value[KCOLO_A_STATS_CHECKPOINTS],
		 stats->value[KCOLO_A_STATS_CHECKPOINTS_URGENT],
		 stats->value[KCOLO_A_STATS_ABORTS]);
	sub("so far", buf);
}

static void checkpoints_text(const struct kcolo_session_info *info,
			     const struct kcolo_stats *stats)
{
	char buf[FORMAT_MAX];

	group("checkpoints");
	snprintf(buf, sizeof(buf), "%" PRIu64, info->epoch);
	sub("last opened", buf);
	snprintf(buf, sizeof(buf), "%" PRIu64, info->committed);
	sub("last committed", info->committed ? buf : "none");
	if (stats)
		counts_text(stats);
	if (info->abort_reason)
		sub("last aborted for",
		    word(kcolo_abort_reason_name(info->abort_reason),
			 info->abort_reason, buf));
	if (info->role == KCOLO_ROLE_SECONDARY)
		return;
	sub("synced", info->clean ? "clean" : info->synced ? "yes" : "no");
	sub("pending", format_bytes(info->pending, buf, sizeof(buf)));
}

/* A primary's: what it cost, and why its pre-copy ended. */
static void last_text(const struct kcolo_session_info *info,
		      const struct kcolo_stats *stats)
{
	char buf[4 * FORMAT_MAX], bytes[FORMAT_MAX], time[FORMAT_MAX];
	const uint64_t *v = stats->value;

	group("last checkpoint");
	snprintf(buf, sizeof(buf), "%" PRIu64 " %s, %s sent in %s",
		 v[KCOLO_A_STATS_LAST_ROUNDS],
		 v[KCOLO_A_STATS_LAST_ROUNDS] == 1 ? "round" : "rounds",
		 format_bytes(bytes_of(v[KCOLO_A_STATS_LAST_PRECOPY_PAGES]),
			      bytes, sizeof(bytes)),
		 format_us(v[KCOLO_A_STATS_LAST_PRECOPY_US], time,
			   sizeof(time)));
	sub("pre-copy", buf);
	sub("stopped by", word(kcolo_stop_reason_name(info->stop_reason),
			       info->stop_reason, buf));
	snprintf(buf, sizeof(buf), "%s, %s sent in it",
		 format_us(v[KCOLO_A_STATS_LAST_PAUSE_US], time, sizeof(time)),
		 format_bytes(bytes_of(v[KCOLO_A_STATS_LAST_PAUSE_PAGES]),
			      bytes, sizeof(bytes)));
	sub("pause", buf);
}

static void staging_text(const struct kcolo_stats *stats)
{
	char buf[4 * FORMAT_MAX], now[FORMAT_MAX], peak[FORMAT_MAX];

	group("memory");
	snprintf(buf, sizeof(buf), "%s, %s at most so far",
		 format_bytes(stats->value[KCOLO_A_STATS_STAGING_BYTES], now,
			      sizeof(now)),
		 format_bytes(stats->value[KCOLO_A_STATS_STAGING_PEAK_BYTES],
			      peak, sizeof(peak)));
	sub("staging", buf);
}

static void regions_text(const struct kcolo_session_info *info)
{
	char size[FORMAT_MAX], name[NAME_PLAIN];
	size_t i;

	if (info->nr_regions)
		group("regions");
	for (i = 0; i < info->nr_regions; i++) {
		head("    ", plain(info->regions[i].name, name, sizeof(name)));
		printf(" %s at 0x%" PRIx64 "%s\n",
		       format_bytes(info->regions[i].size, size, sizeof(size)),
		       info->regions[i].address,
		       info->regions[i].in_place ? ", in place" : "");
	}
}

/**
 * session_text - print a session for people
 * @info: session
 * @stats: its counters, or NULL when they are not known
 */
void session_text(const struct kcolo_session_info *info,
		  const struct kcolo_stats *stats)
{
	char name[NAME_PLAIN];

	head("", "session");
	printf(" %s%s%s\n", paint(style_of_state(info->state)),
	       plain(info->name, name, sizeof(name)), paint(STYLE_END));
	identity_text(info);
	params_text(&info->params);
	checkpoints_text(info, stats);
	if (stats && info->stop_reason)
		last_text(info, stats);
	if (stats && info->role == KCOLO_ROLE_SECONDARY)
		staging_text(stats);
	regions_text(info);
}
