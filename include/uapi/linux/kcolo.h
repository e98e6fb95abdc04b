/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/kcolo.yaml */
/* YNL-GEN uapi header */

#ifndef _UAPI_LINUX_KCOLO_H
#define _UAPI_LINUX_KCOLO_H

#define KCOLO_GENL_NAME		"kcolo"
#define KCOLO_GENL_VERSION	1

#define KCOLO_NAME_MAX			63
#define KCOLO_THRESHOLD_DEFAULT		104857600
#define KCOLO_MAX_ITERATIONS_DEFAULT	10
#define KCOLO_MIN_GAIN_DEFAULT		10
#define KCOLO_PEER_TIMEOUT_DEFAULT	10000
#define KCOLO_PAUSE_LIMIT_DEFAULT	2000
#define KCOLO_LOG_SYNC_TIMEOUT_DEFAULT	100

/**
 * enum kcolo_role - Which end of the pair a session is.
 * @KCOLO_ROLE_NONE: No role, never reported.
 * @KCOLO_ROLE_PRIMARY: The guest runs here and is protected.
 * @KCOLO_ROLE_SECONDARY: The last whole checkpoint is kept here.
 */
enum kcolo_role {
	KCOLO_ROLE_NONE,
	KCOLO_ROLE_PRIMARY,
	KCOLO_ROLE_SECONDARY,
};

/**
 * enum kcolo_state - What a session is doing; the table of transitions is in
 *   the design.
 * @KCOLO_STATE_NONE: No state, never reported.
 * @KCOLO_STATE_CONNECTING: Waiting for the peer, which was never there.
 * @KCOLO_STATE_IDLE: Connected, no checkpoint under way.
 * @KCOLO_STATE_PRECOPY: Primary, rounds run while the guest runs.
 * @KCOLO_STATE_READY: Primary, the VMM is asked to pause the guest and to
 *   flush.
 * @KCOLO_STATE_FLUSHING: Primary, the last pages of the epoch are sent.
 * @KCOLO_STATE_FLUSHED: Primary, all pages are sent, the device state is
 *   awaited.
 * @KCOLO_STATE_COMMITTING: Primary, the end of the epoch is sent or being
 *   sent; secondary, the end of the epoch is known and the rest of it is
 *   awaited.
 * @KCOLO_STATE_APPLYING: The epoch is committed and being put in place on the
 *   secondary.
 * @KCOLO_STATE_RECEIVING: Secondary, an epoch is open and being staged.
 * @KCOLO_STATE_DOUBT: Primary, the link was lost after the end of an epoch was
 *   sent; it may or may not be committed. Output of the guest stays withheld.
 * @KCOLO_STATE_LOST: The peer is lost; with reconnect it is looked for. A
 *   secondary can be promoted.
 * @KCOLO_STATE_PROMOTED: Secondary, it has taken over; nothing of the old
 *   primary is taken.
 * @KCOLO_STATE_FENCED: Primary, the secondary has taken over; the guest must
 *   not run here.
 * @KCOLO_STATE_BROKEN: Secondary, putting a committed epoch in place has
 *   failed; promotion is refused.
 * @KCOLO_STATE_CLOSED: The session has ended; its file descriptor is still
 *   open.
 * @KCOLO_STATE_PREPARED: Secondary of a session with external device state,
 *   all pages of the epoch are there; apply commits it, drop discards it.
 */
enum kcolo_state {
	KCOLO_STATE_NONE,
	KCOLO_STATE_CONNECTING,
	KCOLO_STATE_IDLE,
	KCOLO_STATE_PRECOPY,
	KCOLO_STATE_READY,
	KCOLO_STATE_FLUSHING,
	KCOLO_STATE_FLUSHED,
	KCOLO_STATE_COMMITTING,
	KCOLO_STATE_APPLYING,
	KCOLO_STATE_RECEIVING,
	KCOLO_STATE_DOUBT,
	KCOLO_STATE_LOST,
	KCOLO_STATE_PROMOTED,
	KCOLO_STATE_FENCED,
	KCOLO_STATE_BROKEN,
	KCOLO_STATE_CLOSED,
	KCOLO_STATE_PREPARED,
};

/**
 * enum kcolo_kind - What a checkpoint was asked for.
 * @KCOLO_KIND_PERIODIC: Pre-copy rounds run first, as the threshold and the
 *   limit say.
 * @KCOLO_KIND_URGENT: No round runs, or no more; the guest is paused at once.
 */
enum kcolo_kind {
	KCOLO_KIND_PERIODIC,
	KCOLO_KIND_URGENT,
};

/**
 * enum kcolo_device_state - How the device state of a checkpoint gets to the
 *   secondary.
 * @KCOLO_DEVICE_STATE_SESSION: It is written to the session fd and read there;
 *   the end of an epoch commits it.
 * @KCOLO_DEVICE_STATE_EXTERNAL: The VMMs have a channel of their own; an epoch
 *   is prepared, and committed by apply.
 */
enum kcolo_device_state {
	KCOLO_DEVICE_STATE_SESSION,
	KCOLO_DEVICE_STATE_EXTERNAL,
};

/**
 * enum kcolo_resync - What the peer had to build upon when it connected last.
 * @KCOLO_RESYNC_NONE: The peer has not connected yet.
 * @KCOLO_RESYNC_DELTA: The last commit, or what was clean; only what was dirty
 *   or unacked then is sent.
 * @KCOLO_RESYNC_FULL: Nothing that this end knows of; all of RAM is sent.
 */
enum kcolo_resync {
	KCOLO_RESYNC_NONE,
	KCOLO_RESYNC_DELTA,
	KCOLO_RESYNC_FULL,
};

/**
 * enum kcolo_stop_reason - Why the rounds of a pre-copy ended.
 * @KCOLO_STOP_REASON_NONE: No pre-copy has ended yet.
 * @KCOLO_STOP_REASON_DISABLED: The threshold is 0.
 * @KCOLO_STOP_REASON_THRESHOLD: Fewer bytes are pending than the threshold.
 * @KCOLO_STOP_REASON_ITERATIONS: The limit of rounds was reached.
 * @KCOLO_STOP_REASON_GAIN: A round gained less than min-gain per cent of what
 *   it sent.
 * @KCOLO_STOP_REASON_URGENT: An urgent checkpoint runs no round, or no more.
 */
enum kcolo_stop_reason {
	KCOLO_STOP_REASON_NONE,
	KCOLO_STOP_REASON_DISABLED,
	KCOLO_STOP_REASON_THRESHOLD,
	KCOLO_STOP_REASON_ITERATIONS,
	KCOLO_STOP_REASON_GAIN,
	KCOLO_STOP_REASON_URGENT,
};

/**
 * enum kcolo_abort_reason - Why a checkpoint was aborted or a session lost its
 *   peer.
 * @KCOLO_ABORT_REASON_NONE: Nothing was aborted.
 * @KCOLO_ABORT_REASON_REQUESTED: The VMM or the administrator asked for it.
 * @KCOLO_ABORT_REASON_PEER_LOST: The connection was closed or reset.
 * @KCOLO_ABORT_REASON_PEER_TIMEOUT: The peer did not answer within
 *   peer-timeout.
 * @KCOLO_ABORT_REASON_PEER_REFUSED: The peer refused; its text is in the error
 *   attribute.
 * @KCOLO_ABORT_REASON_PROTOCOL: The peer sent a malformed or unexpected
 *   message.
 * @KCOLO_ABORT_REASON_CHECKSUM: What the peer sent does not have the checksum
 *   it says.
 * @KCOLO_ABORT_REASON_PAUSE_LIMIT: The guest was paused for longer than
 *   pause-limit.
 * @KCOLO_ABORT_REASON_NO_MEMORY: Memory could not be had on this host.
 * @KCOLO_ABORT_REASON_GUEST_MEMORY: A page of a region could not be read or
 *   written.
 * @KCOLO_ABORT_REASON_DIRTY_LOG: KVM's dirty log of a memslot could not be
 *   used, a memslot over a region does not log dirty pages, or KVM does not
 *   log large pages.
 * @KCOLO_ABORT_REASON_MEMSLOTS: The memslots changed without a break during
 *   the pause.
 * @KCOLO_ABORT_REASON_SCRATCH: The VMM has unmapped the scratch area of the
 *   session.
 * @KCOLO_ABORT_REASON_VM_GONE: The VMM has died.
 * @KCOLO_ABORT_REASON_FENCED: The secondary was promoted.
 * @KCOLO_ABORT_REASON_CLOSED: The session is being closed.
 * @KCOLO_ABORT_REASON_STAGING_LIMIT: The pages of the epoch did not fit into
 *   the secondary's staging-limit.
 */
enum kcolo_abort_reason {
	KCOLO_ABORT_REASON_NONE,
	KCOLO_ABORT_REASON_REQUESTED,
	KCOLO_ABORT_REASON_PEER_LOST,
	KCOLO_ABORT_REASON_PEER_TIMEOUT,
	KCOLO_ABORT_REASON_PEER_REFUSED,
	KCOLO_ABORT_REASON_PROTOCOL,
	KCOLO_ABORT_REASON_CHECKSUM,
	KCOLO_ABORT_REASON_PAUSE_LIMIT,
	KCOLO_ABORT_REASON_NO_MEMORY,
	KCOLO_ABORT_REASON_GUEST_MEMORY,
	KCOLO_ABORT_REASON_DIRTY_LOG,
	KCOLO_ABORT_REASON_MEMSLOTS,
	KCOLO_ABORT_REASON_SCRATCH,
	KCOLO_ABORT_REASON_VM_GONE,
	KCOLO_ABORT_REASON_FENCED,
	KCOLO_ABORT_REASON_CLOSED,
	KCOLO_ABORT_REASON_STAGING_LIMIT,
};

/**
 * enum kcolo_event_type - What happened to a session.
 * @KCOLO_EVENT_TYPE_NONE: No event, never sent.
 * @KCOLO_EVENT_TYPE_SESSION_NEW: The session was created.
 * @KCOLO_EVENT_TYPE_SESSION_DEL: The session has ended.
 * @KCOLO_EVENT_TYPE_SESSION_SET: Parameters of the session were changed.
 * @KCOLO_EVENT_TYPE_PEER_CONNECTED: Both connections to the peer stand and the
 *   peer was accepted, for the first time or again. What became of an epoch
 *   that was in doubt, or not in place yet, was said before:
 *   checkpoint-received, -committed, -aborted. Of one that nothing was said of
 *   nothing is known.
 * @KCOLO_EVENT_TYPE_PEER_LOST: The peer is lost, for the abort-reason given.
 * @KCOLO_EVENT_TYPE_CHECKPOINT_READY: Primary, pre-copy has ended for the
 *   stop-reason given; the VMM pauses the guest, serialises its devices, and
 *   flushes.
 * @KCOLO_EVENT_TYPE_CHECKPOINT_RECEIVED: Primary, the epoch is committed on
 *   the secondary; withheld output may be released and a VMM that does not
 *   lock-step may run again.
 * @KCOLO_EVENT_TYPE_CHECKPOINT_COMMITTED: The epoch is in place on the
 *   secondary.
 * @KCOLO_EVENT_TYPE_CHECKPOINT_ABORTED: The epoch was given up, for the
 *   abort-reason given. On the primary the guest goes on and its pages are
 *   dirty again; on the secondary what has come is discarded.
 * @KCOLO_EVENT_TYPE_CHECKPOINT_DOUBT: Primary, the link was lost after the end
 *   of the epoch was sent; only the peer knows whether it is committed.
 * @KCOLO_EVENT_TYPE_PROMOTED: Secondary, it has taken over with the epoch
 *   given.
 * @KCOLO_EVENT_TYPE_FENCED: Primary, the secondary has taken over; the guest
 *   must be stopped.
 * @KCOLO_EVENT_TYPE_BROKEN: Secondary, a committed epoch could not be put in
 *   place.
 * @KCOLO_EVENT_TYPE_VM_GONE: The VMM whose memory the regions were has died.
 * @KCOLO_EVENT_TYPE_HARVEST_WANTED: Primary, log-sync is on and the dirty
 *   sources are about to be read while the guest runs; the VMM brings what it
 *   has logged elsewhere to the user log, and says log-synced.
 * @KCOLO_EVENT_TYPE_CHECKPOINT_PREPARED: Secondary, all pages of the epoch
 *   given are there; the VMM says apply once it has the device state, or drop.
 * @KCOLO_EVENT_TYPE_VERIFIED: All pages of the epoch given were compared;
 *   different says how many are not equal, verify-get which.
 */
enum kcolo_event_type {
	KCOLO_EVENT_TYPE_NONE,
	KCOLO_EVENT_TYPE_SESSION_NEW,
	KCOLO_EVENT_TYPE_SESSION_DEL,
	KCOLO_EVENT_TYPE_SESSION_SET,
	KCOLO_EVENT_TYPE_PEER_CONNECTED,
	KCOLO_EVENT_TYPE_PEER_LOST,
	KCOLO_EVENT_TYPE_CHECKPOINT_READY,
	KCOLO_EVENT_TYPE_CHECKPOINT_RECEIVED,
	KCOLO_EVENT_TYPE_CHECKPOINT_COMMITTED,
	KCOLO_EVENT_TYPE_CHECKPOINT_ABORTED,
	KCOLO_EVENT_TYPE_CHECKPOINT_DOUBT,
	KCOLO_EVENT_TYPE_PROMOTED,
	KCOLO_EVENT_TYPE_FENCED,
	KCOLO_EVENT_TYPE_BROKEN,
	KCOLO_EVENT_TYPE_VM_GONE,
	KCOLO_EVENT_TYPE_HARVEST_WANTED,
	KCOLO_EVENT_TYPE_CHECKPOINT_PREPARED,
	KCOLO_EVENT_TYPE_VERIFIED,
};

enum {
	KCOLO_A_REGION_PAD = 1,
	KCOLO_A_REGION_ID,
	KCOLO_A_REGION_NAME,
	KCOLO_A_REGION_ADDRESS,
	KCOLO_A_REGION_SIZE,
	KCOLO_A_REGION_LOG_OFFSET,
	KCOLO_A_REGION_LOG_SIZE,
	KCOLO_A_REGION_IN_PLACE,

	__KCOLO_A_REGION_MAX
};
#define KCOLO_A_REGION_MAX (__KCOLO_A_REGION_MAX - 1)

enum {
	KCOLO_A_DIFFERENCE_PAD = 1,
	KCOLO_A_DIFFERENCE_REGION,
	KCOLO_A_DIFFERENCE_PAGE,

	__KCOLO_A_DIFFERENCE_MAX
};
#define KCOLO_A_DIFFERENCE_MAX (__KCOLO_A_DIFFERENCE_MAX - 1)

enum {
	KCOLO_A_SESSION_PAD = 1,
	KCOLO_A_SESSION_FD,
	KCOLO_A_SESSION_ID,
	KCOLO_A_SESSION_NAME,
	KCOLO_A_SESSION_ROLE,
	KCOLO_A_SESSION_STATE,
	KCOLO_A_SESSION_UUID,
	KCOLO_A_SESSION_LOCAL,
	KCOLO_A_SESSION_PEER,
	KCOLO_A_SESSION_INSECURE,
	KCOLO_A_SESSION_THRESHOLD,
	KCOLO_A_SESSION_MAX_ITERATIONS,
	KCOLO_A_SESSION_MIN_GAIN,
	KCOLO_A_SESSION_PEER_TIMEOUT,
	KCOLO_A_SESSION_PAUSE_LIMIT,
	KCOLO_A_SESSION_CHECKSUM,
	KCOLO_A_SESSION_EPOCH,
	KCOLO_A_SESSION_COMMITTED,
	KCOLO_A_SESSION_PENDING,
	KCOLO_A_SESSION_SYNCED,
	KCOLO_A_SESSION_STOP_REASON,
	KCOLO_A_SESSION_ABORT_REASON,
	KCOLO_A_SESSION_ERROR,
	KCOLO_A_SESSION_EVENT_SEQ,
	KCOLO_A_SESSION_SCRATCH_SIZE,
	KCOLO_A_SESSION_VM_FD,
	KCOLO_A_SESSION_KIND,
	KCOLO_A_SESSION_REGION,
	KCOLO_A_SESSION_DEVICE_STATE,
	KCOLO_A_SESSION_LOG_SYNC,
	KCOLO_A_SESSION_LOG_SYNC_TIMEOUT,
	KCOLO_A_SESSION_CLEAN,
	KCOLO_A_SESSION_RECONNECT,
	KCOLO_A_SESSION_LINKS,
	KCOLO_A_SESSION_RESYNC,
	KCOLO_A_SESSION_STAGING_LIMIT,
	KCOLO_A_SESSION_SOCKETS,
	KCOLO_A_SESSION_CONTROL_FD,
	KCOLO_A_SESSION_DATA_FD,
	KCOLO_A_SESSION_VERIFIED_PAGES,
	KCOLO_A_SESSION_DIFFERENT,
	KCOLO_A_SESSION_DIFFERENCE,

	__KCOLO_A_SESSION_MAX
};
#define KCOLO_A_SESSION_MAX (__KCOLO_A_SESSION_MAX - 1)

enum {
	KCOLO_A_EVENT_PAD = 1,
	KCOLO_A_EVENT_TYPE,
	KCOLO_A_EVENT_SEQ,
	KCOLO_A_EVENT_SESSION_ID,
	KCOLO_A_EVENT_SESSION_NAME,
	KCOLO_A_EVENT_STATE,
	KCOLO_A_EVENT_EPOCH,
	KCOLO_A_EVENT_KIND,
	KCOLO_A_EVENT_STOP_REASON,
	KCOLO_A_EVENT_ABORT_REASON,
	KCOLO_A_EVENT_PENDING,
	KCOLO_A_EVENT_ROUNDS,
	KCOLO_A_EVENT_PAUSE_US,
	KCOLO_A_EVENT_ERROR,
	KCOLO_A_EVENT_DIFFERENT,

	__KCOLO_A_EVENT_MAX
};
#define KCOLO_A_EVENT_MAX (__KCOLO_A_EVENT_MAX - 1)

enum {
	KCOLO_A_STATS_PAD = 1,
	KCOLO_A_STATS_SESSION_ID,
	KCOLO_A_STATS_SESSION_NAME,
	KCOLO_A_STATS_SESSION_FD,
	KCOLO_A_STATS_CHECKPOINTS,
	KCOLO_A_STATS_CHECKPOINTS_URGENT,
	KCOLO_A_STATS_ABORTS,
	KCOLO_A_STATS_ROUNDS,
	KCOLO_A_STATS_STOP_DISABLED,
	KCOLO_A_STATS_STOP_THRESHOLD,
	KCOLO_A_STATS_STOP_ITERATIONS,
	KCOLO_A_STATS_STOP_GAIN,
	KCOLO_A_STATS_STOP_URGENT,
	KCOLO_A_STATS_PAGES_RAW,
	KCOLO_A_STATS_PAGES_ZERO,
	KCOLO_A_STATS_BYTES_RAW,
	KCOLO_A_STATS_BYTES_ZERO,
	KCOLO_A_STATS_PAGES_PRECOPY,
	KCOLO_A_STATS_PAGES_PAUSE,
	KCOLO_A_STATS_PAGES_SYNC,
	KCOLO_A_STATS_PAGES_RESENT,
	KCOLO_A_STATS_PAGES_DROPPED,
	KCOLO_A_STATS_WIRE_BYTES,
	KCOLO_A_STATS_PENDING,
	KCOLO_A_STATS_LAST_ROUNDS,
	KCOLO_A_STATS_LAST_PRECOPY_PAGES,
	KCOLO_A_STATS_LAST_PAUSE_PAGES,
	KCOLO_A_STATS_LAST_PRECOPY_US,
	KCOLO_A_STATS_LAST_STOP_US,
	KCOLO_A_STATS_LAST_HARVEST_US,
	KCOLO_A_STATS_LAST_FLUSH_US,
	KCOLO_A_STATS_LAST_RECEIVED_US,
	KCOLO_A_STATS_LAST_APPLIED_US,
	KCOLO_A_STATS_LAST_PAUSE_US,
	KCOLO_A_STATS_STAGING_PAGES,
	KCOLO_A_STATS_STAGING_BYTES,
	KCOLO_A_STATS_STAGING_PEAK_BYTES,
	KCOLO_A_STATS_STAGING_SPARE_BYTES,
	KCOLO_A_STATS_APPLY_PAGES,
	KCOLO_A_STATS_HARVESTS,
	KCOLO_A_STATS_MEMSLOT_CHANGES,
	KCOLO_A_STATS_LOG_ERRORS,
	KCOLO_A_STATS_ABORTS_REQUESTED,
	KCOLO_A_STATS_ABORTS_PEER_LOST,
	KCOLO_A_STATS_ABORTS_PEER_TIMEOUT,
	KCOLO_A_STATS_ABORTS_PEER_REFUSED,
	KCOLO_A_STATS_ABORTS_PROTOCOL,
	KCOLO_A_STATS_ABORTS_CHECKSUM,
	KCOLO_A_STATS_ABORTS_PAUSE_LIMIT,
	KCOLO_A_STATS_ABORTS_NO_MEMORY,
	KCOLO_A_STATS_ABORTS_GUEST_MEMORY,
	KCOLO_A_STATS_ABORTS_DIRTY_LOG,
	KCOLO_A_STATS_ABORTS_MEMSLOTS,
	KCOLO_A_STATS_ABORTS_SCRATCH,
	KCOLO_A_STATS_ABORTS_VM_GONE,
	KCOLO_A_STATS_ABORTS_FENCED,
	KCOLO_A_STATS_ABORTS_CLOSED,
	KCOLO_A_STATS_ABORTS_STAGING_LIMIT,
	KCOLO_A_STATS_LOG_SYNCS,
	KCOLO_A_STATS_LOG_SYNC_LATE,
	KCOLO_A_STATS_RESYNCS_DELTA,
	KCOLO_A_STATS_RESYNCS_FULL,
	KCOLO_A_STATS_PAGES_EQUAL,

	__KCOLO_A_STATS_MAX
};
#define KCOLO_A_STATS_MAX (__KCOLO_A_STATS_MAX - 1)

enum {
	KCOLO_CMD_SESSION_NEW = 1,
	KCOLO_CMD_SESSION_DEL,
	KCOLO_CMD_SESSION_GET,
	KCOLO_CMD_SESSION_SET,
	KCOLO_CMD_VM_ATTACH,
	KCOLO_CMD_REGION_ADD,
	KCOLO_CMD_REGION_DEL,
	KCOLO_CMD_SUBSCRIBE,
	KCOLO_CMD_CHECKPOINT,
	KCOLO_CMD_FLUSH,
	KCOLO_CMD_COMMIT,
	KCOLO_CMD_ABORT,
	KCOLO_CMD_PROMOTE,
	KCOLO_CMD_STATS_GET,
	KCOLO_CMD_EVENT,
	KCOLO_CMD_APPLY,
	KCOLO_CMD_DROP,
	KCOLO_CMD_LOG_SYNCED,
	KCOLO_CMD_CLEAN,
	KCOLO_CMD_CONNECT,
	KCOLO_CMD_VERIFY,
	KCOLO_CMD_VERIFY_GET,

	__KCOLO_CMD_MAX
};
#define KCOLO_CMD_MAX (__KCOLO_CMD_MAX - 1)

#define KCOLO_MCGRP_EVENTS	"events"

#endif /* _UAPI_LINUX_KCOLO_H */
