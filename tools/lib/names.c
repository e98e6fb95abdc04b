// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Names, as in the specification: a table for each enum. test_parse checks the
 * tables against the specification's header.
 */
#include "internal.h"

static const char *name_of(const char * const *table, size_t nr, unsigned int v)
{
	return v < nr ? table[v] : NULL;
}

static const char * const role_names[] = {
	[KCOLO_ROLE_NONE] = "none",
	[KCOLO_ROLE_PRIMARY] = "primary",
	[KCOLO_ROLE_SECONDARY] = "secondary",
};

/**
 * kcolo_role_name - a role in a word
 * @v: any
 *
 * Return: a constant string, or NULL when the library does not know it.
 */
const char *kcolo_role_name(enum kcolo_role v)
{
	return name_of(role_names, ARRAY_SIZE(role_names), v);
}

static const char * const state_names[] = {
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
 * @v: any
 *
 * Return: a constant string, or NULL when the library does not know it.
 */
const char *kcolo_state_name(enum kcolo_state v)
{
	return name_of(state_names, ARRAY_SIZE(state_names), v);
}

static const char * const kind_names[] = {
	[KCOLO_KIND_PERIODIC] = "periodic",
	[KCOLO_KIND_URGENT] = "urgent",
};

/**
 * kcolo_kind_name - a kind of checkpoint in a word
 * @v: any
 *
 * Return: a constant string, or NULL when the library does not know it.
 */
const char *kcolo_kind_name(enum kcolo_kind v)
{
	return name_of(kind_names, ARRAY_SIZE(kind_names), v);
}

static const char * const device_state_names[] = {
	[KCOLO_DEVICE_STATE_SESSION] = "session",
	[KCOLO_DEVICE_STATE_EXTERNAL] = "external",
};

/**
 * kcolo_device_state_name - how the device state gets over, in a word
 * @v: any
 *
 * Return: a constant string, or NULL when the library does not know it.
 */
const char *kcolo_device_state_name(enum kcolo_device_state v)
{
	return name_of(device_state_names, ARRAY_SIZE(device_state_names), v);
}

static const char * const resync_names[] = {
	[KCOLO_RESYNC_NONE] = "none",
	[KCOLO_RESYNC_DELTA] = "delta",
	[KCOLO_RESYNC_FULL] = "full",
};

/**
 * kcolo_resync_name - what a peer had to build upon, in a word
 * @v: any
 *
 * Return: a constant string, or NULL when the library does not know it.
 */
const char *kcolo_resync_name(enum kcolo_resync v)
{
	return name_of(resync_names, ARRAY_SIZE(resync_names), v);
}

static const char * const stop_reason_names[] = {
	[KCOLO_STOP_REASON_NONE] = "none",
	[KCOLO_STOP_REASON_DISABLED] = "disabled",
	[KCOLO_STOP_REASON_THRESHOLD] = "threshold",
	[KCOLO_STOP_REASON_ITERATIONS] = "iterations",
	[KCOLO_STOP_REASON_GAIN] = "gain",
	[KCOLO_STOP_REASON_URGENT] = "urgent",
};

/**
 * kcolo_stop_reason_name - why a pre-copy ended in a word
 * @v: any
 *
 * Return: a constant string, or NULL when the library does not know it.
 */
const char *kcolo_stop_reason_name(enum kcolo_stop_reason v)
{
	return name_of(stop_reason_names, ARRAY_SIZE(stop_reason_names), v);
}

static const char * const abort_reason_names[] = {
	[KCOLO_ABORT_REASON_NONE] = "none",
	[KCOLO_ABORT_REASON_REQUESTED] = "requested",
	[KCOLO_ABORT_REASON_PEER_LOST] = "peer-lost",
	[KCOLO_ABORT_REASON_PEER_TIMEOUT] = "peer-timeout",
	[KCOLO_ABORT_REASON_PEER_REFUSED] = "peer-refused",
	[KCOLO_ABORT_REASON_PROTOCOL] = "protocol",
	[KCOLO_ABORT_REASON_CHECKSUM] = "checksum",
	[KCOLO_ABORT_REASON_PAUSE_LIMIT] = "pause-limit",
	[KCOLO_ABORT_REASON_NO_MEMORY] = "no-memory",
	[KCOLO_ABORT_REASON_GUEST_MEMORY] = "guest-memory",
	[KCOLO_ABORT_REASON_DIRTY_LOG] = "dirty-log",
	[KCOLO_ABORT_REASON_MEMSLOTS] = "memslots",
	[KCOLO_ABORT_REASON_SCRATCH] = "scratch",
	[KCOLO_ABORT_REASON_VM_GONE] = "vm-gone",
	[KCOLO_ABORT_REASON_FENCED] = "fenced",
	[KCOLO_ABORT_REASON_CLOSED] = "closed",
	[KCOLO_ABORT_REASON_STAGING_LIMIT] = "staging-limit",
};

/**
 * kcolo_abort_reason_name - why a checkpoint was aborted in a word
 * @v: any
 *
 * Return: a constant string, or NULL when the library does not know it.
 */
const char *kcolo_abort_reason_name(enum kcolo_abort_reason v)
{
	return name_of(abort_reason_names, ARRAY_SIZE(abort_reason_names), v);
}

static const char * const event_type_names[] = {
	[KCOLO_EVENT_TYPE_NONE] = "none",
	[KCOLO_EVENT_TYPE_SESSION_NEW] = "session-new",
	[KCOLO_EVENT_TYPE_SESSION_DEL] = "session-del",
	[KCOLO_EVENT_TYPE_SESSION_SET] = "session-set",
	[KCOLO_EVENT_TYPE_PEER_CONNECTED] = "peer-connected",
	[KCOLO_EVENT_TYPE_PEER_LOST] = "peer-lost",
	[KCOLO_EVENT_TYPE_CHECKPOINT_READY] = "checkpoint-ready",
	[KCOLO_EVENT_TYPE_CHECKPOINT_RECEIVED] = "checkpoint-received",
	[KCOLO_EVENT_TYPE_CHECKPOINT_COMMITTED] = "checkpoint-committed",
	[KCOLO_EVENT_TYPE_CHECKPOINT_ABORTED] = "checkpoint-aborted",
	[KCOLO_EVENT_TYPE_CHECKPOINT_DOUBT] = "checkpoint-doubt",
	[KCOLO_EVENT_TYPE_PROMOTED] = "promoted",
	[KCOLO_EVENT_TYPE_FENCED] = "fenced",
	[KCOLO_EVENT_TYPE_BROKEN] = "broken",
	[KCOLO_EVENT_TYPE_VM_GONE] = "vm-gone",
	[KCOLO_EVENT_TYPE_HARVEST_WANTED] = "harvest-wanted",
	[KCOLO_EVENT_TYPE_CHECKPOINT_PREPARED] = "checkpoint-prepared",
	[KCOLO_EVENT_TYPE_VERIFIED] = "verified",
};

/**
 * kcolo_event_type_name - a type of event in a word
 * @v: any
 *
 * Return: a constant string, or NULL when the library does not know it.
 */
const char *kcolo_event_type_name(enum kcolo_event_type v)
{
	return name_of(event_type_names, ARRAY_SIZE(event_type_names), v);
}

static const char * const stats_names[] = {
	[KCOLO_A_STATS_CHECKPOINTS] = "checkpoints",
	[KCOLO_A_STATS_CHECKPOINTS_URGENT] = "checkpoints-urgent",
	[KCOLO_A_STATS_ABORTS] = "aborts",
	[KCOLO_A_STATS_ROUNDS] = "rounds",
	[KCOLO_A_STATS_STOP_DISABLED] = "stop-disabled",
	[KCOLO_A_STATS_STOP_THRESHOLD] = "stop-threshold",
	[KCOLO_A_STATS_STOP_ITERATIONS] = "stop-iterations",
	[KCOLO_A_STATS_STOP_GAIN] = "stop-gain",
	[KCOLO_A_STATS_STOP_URGENT] = "stop-urgent",
	[KCOLO_A_STATS_PAGES_RAW] = "pages-raw",
	[KCOLO_A_STATS_PAGES_ZERO] = "pages-zero",
	[KCOLO_A_STATS_BYTES_RAW] = "bytes-raw",
	[KCOLO_A_STATS_BYTES_ZERO] = "bytes-zero",
	[KCOLO_A_STATS_PAGES_PRECOPY] = "pages-precopy",
	[KCOLO_A_STATS_PAGES_PAUSE] = "pages-pause",
	[KCOLO_A_STATS_PAGES_SYNC] = "pages-sync",
	[KCOLO_A_STATS_PAGES_RESENT] = "pages-resent",
	[KCOLO_A_STATS_PAGES_DROPPED] = "pages-dropped",
	[KCOLO_A_STATS_WIRE_BYTES] = "wire-bytes",
	[KCOLO_A_STATS_PENDING] = "pending",
	[KCOLO_A_STATS_LAST_ROUNDS] = "last-rounds",
	[KCOLO_A_STATS_LAST_PRECOPY_PAGES] = "last-precopy-pages",
	[KCOLO_A_STATS_LAST_PAUSE_PAGES] = "last-pause-pages",
	[KCOLO_A_STATS_LAST_PRECOPY_US] = "last-precopy-us",
	[KCOLO_A_STATS_LAST_STOP_US] = "last-stop-us",
	[KCOLO_A_STATS_LAST_HARVEST_US] = "last-harvest-us",
	[KCOLO_A_STATS_LAST_FLUSH_US] = "last-flush-us",
	[KCOLO_A_STATS_LAST_RECEIVED_US] = "last-received-us",
	[KCOLO_A_STATS_LAST_APPLIED_US] = "last-applied-us",
	[KCOLO_A_STATS_LAST_PAUSE_US] = "last-pause-us",
	[KCOLO_A_STATS_STAGING_PAGES] = "staging-pages",
	[KCOLO_A_STATS_STAGING_BYTES] = "staging-bytes",
	[KCOLO_A_STATS_STAGING_PEAK_BYTES] = "staging-peak-bytes",
	[KCOLO_A_STATS_STAGING_SPARE_BYTES] = "staging-spare-bytes",
	[KCOLO_A_STATS_APPLY_PAGES] = "apply-pages",
	[KCOLO_A_STATS_HARVESTS] = "harvests",
	[KCOLO_A_STATS_MEMSLOT_CHANGES] = "memslot-changes",
	[KCOLO_A_STATS_LOG_ERRORS] = "log-errors",
	[KCOLO_A_STATS_ABORTS_REQUESTED] = "aborts-requested",
	[KCOLO_A_STATS_ABORTS_PEER_LOST] = "aborts-peer-lost",
	[KCOLO_A_STATS_ABORTS_PEER_TIMEOUT] = "aborts-peer-timeout",
	[KCOLO_A_STATS_ABORTS_PEER_REFUSED] = "aborts-peer-refused",
	[KCOLO_A_STATS_ABORTS_PROTOCOL] = "aborts-protocol",
	[KCOLO_A_STATS_ABORTS_CHECKSUM] = "aborts-checksum",
	[KCOLO_A_STATS_ABORTS_PAUSE_LIMIT] = "aborts-pause-limit",
	[KCOLO_A_STATS_ABORTS_NO_MEMORY] = "aborts-no-memory",
	[KCOLO_A_STATS_ABORTS_GUEST_MEMORY] = "aborts-guest-memory",
	[KCOLO_A_STATS_ABORTS_DIRTY_LOG] = "aborts-dirty-log",
	[KCOLO_A_STATS_ABORTS_MEMSLOTS] = "aborts-memslots",
	[KCOLO_A_STATS_ABORTS_SCRATCH] = "aborts-scratch",
	[KCOLO_A_STATS_ABORTS_VM_GONE] = "aborts-vm-gone",
	[KCOLO_A_STATS_ABORTS_FENCED] = "aborts-fenced",
	[KCOLO_A_STATS_ABORTS_CLOSED] = "aborts-closed",
	[KCOLO_A_STATS_ABORTS_STAGING_LIMIT] = "aborts-staging-limit",
	[KCOLO_A_STATS_LOG_SYNCS] = "log-syncs",
	[KCOLO_A_STATS_LOG_SYNC_LATE] = "log-sync-late",
	[KCOLO_A_STATS_RESYNCS_DELTA] = "resyncs-delta",
	[KCOLO_A_STATS_RESYNCS_FULL] = "resyncs-full",
	[KCOLO_A_STATS_PAGES_EQUAL] = "pages-equal",
};

/**
 * kcolo_stats_name - the name of a counter
 * @attr: KCOLO_A_STATS_*
 *
 * Return: a constant string, or NULL when it is not a counter.
 */
const char *kcolo_stats_name(unsigned int attr)
{
	return name_of(stats_names, ARRAY_SIZE(stats_names), attr);
}

static const char * const session_attr_names[] = {
	[KCOLO_A_SESSION_FD] = "fd",
	[KCOLO_A_SESSION_ID] = "id",
	[KCOLO_A_SESSION_NAME] = "name",
	[KCOLO_A_SESSION_ROLE] = "role",
	[KCOLO_A_SESSION_STATE] = "state",
	[KCOLO_A_SESSION_UUID] = "uuid",
	[KCOLO_A_SESSION_LOCAL] = "local",
	[KCOLO_A_SESSION_PEER] = "peer",
	[KCOLO_A_SESSION_INSECURE] = "insecure",
	[KCOLO_A_SESSION_THRESHOLD] = "threshold",
	[KCOLO_A_SESSION_MAX_ITERATIONS] = "max-iterations",
	[KCOLO_A_SESSION_MIN_GAIN] = "min-gain",
	[KCOLO_A_SESSION_PEER_TIMEOUT] = "peer-timeout",
	[KCOLO_A_SESSION_PAUSE_LIMIT] = "pause-limit",
	[KCOLO_A_SESSION_CHECKSUM] = "checksum",
	[KCOLO_A_SESSION_EPOCH] = "epoch",
	[KCOLO_A_SESSION_COMMITTED] = "committed",
	[KCOLO_A_SESSION_PENDING] = "pending",
	[KCOLO_A_SESSION_SYNCED] = "synced",
	[KCOLO_A_SESSION_STOP_REASON] = "stop-reason",
	[KCOLO_A_SESSION_ABORT_REASON] = "abort-reason",
	[KCOLO_A_SESSION_ERROR] = "error",
	[KCOLO_A_SESSION_EVENT_SEQ] = "event-seq",
	[KCOLO_A_SESSION_SCRATCH_SIZE] = "scratch-size",
	[KCOLO_A_SESSION_VM_FD] = "vm-fd",
	[KCOLO_A_SESSION_KIND] = "kind",
	[KCOLO_A_SESSION_REGION] = "region",
	[KCOLO_A_SESSION_DEVICE_STATE] = "device-state",
	[KCOLO_A_SESSION_LOG_SYNC] = "log-sync",
	[KCOLO_A_SESSION_LOG_SYNC_TIMEOUT] = "log-sync-timeout",
	[KCOLO_A_SESSION_CLEAN] = "clean",
	[KCOLO_A_SESSION_RECONNECT] = "reconnect",
	[KCOLO_A_SESSION_LINKS] = "links",
	[KCOLO_A_SESSION_RESYNC] = "resync",
	[KCOLO_A_SESSION_STAGING_LIMIT] = "staging-limit",
	[KCOLO_A_SESSION_SOCKETS] = "sockets",
	[KCOLO_A_SESSION_CONTROL_FD] = "control-fd",
	[KCOLO_A_SESSION_DATA_FD] = "data-fd",
	[KCOLO_A_SESSION_VERIFIED_PAGES] = "verified-pages",
	[KCOLO_A_SESSION_DIFFERENT] = "different",
	[KCOLO_A_SESSION_DIFFERENCE] = "difference",
};

/**
 * kcolo_session_attr_name - the name of an attribute of a session
 * @attr: KCOLO_A_SESSION_*
 *
 * Return: a constant string, or NULL when the library does not know it.
 */
const char *kcolo_session_attr_name(unsigned int attr)
{
	return name_of(session_attr_names, ARRAY_SIZE(session_attr_names), attr);
}
