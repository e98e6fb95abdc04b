/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kcolo

#if !defined(KCOLO_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define KCOLO_TRACE_H

#include <linux/tracepoint.h>
#include <linux/types.h>

TRACE_EVENT(kcolo_event,
	TP_PROTO(const char *name, u32 type, u64 epoch, u32 state),
	TP_ARGS(name, type, epoch, state),
	TP_STRUCT__entry(
		__string(name, name)
		__field(u32, type)
		__field(u64, epoch)
		__field(u32, state)
	),
	TP_fast_assign(
		kcolo_trace_str(name, name);
		__entry->type = type;
		__entry->epoch = epoch;
		__entry->state = state;
	),
	TP_printk("%s type=%u epoch=%llu state=%u", __get_str(name),
		  __entry->type, __entry->epoch, __entry->state)
);

TRACE_EVENT(kcolo_state,
	TP_PROTO(const char *name, const char *from, const char *to),
	TP_ARGS(name, from, to),
	TP_STRUCT__entry(
		__string(name, name)
		__string(from, from)
		__string(to, to)
	),
	TP_fast_assign(
		kcolo_trace_str(name, name);
		kcolo_trace_str(from, from);
		kcolo_trace_str(to, to);
	),
	TP_printk("%s %s to %s", __get_str(name), __get_str(from),
		  __get_str(to))
);

TRACE_EVENT(kcolo_migrate_pending,
	TP_PROTO(const char *name, u64 epoch, u32 rounds, u64 size,
		 u64 threshold),
	TP_ARGS(name, epoch, rounds, size, threshold),
	TP_STRUCT__entry(
		__string(name, name)
		__field(u64, epoch)
		__field(u32, rounds)
		__field(u64, size)
		__field(u64, threshold)
	),
	TP_fast_assign(
		kcolo_trace_str(name, name);
		__entry->epoch = epoch;
		__entry->rounds = rounds;
		__entry->size = size;
		__entry->threshold = threshold;
	),
	TP_printk("%s epoch=%llu rounds=%u size=%llu threshold=%llu",
		  __get_str(name), __entry->epoch, __entry->rounds,
		  __entry->size, __entry->threshold)
);

/* A secondary does not know what there was, nor what is sent: 0. */
TRACE_EVENT(kcolo_round,
	TP_PROTO(const char *name, u64 epoch, u32 round, u64 before, u64 sent),
	TP_ARGS(name, epoch, round, before, sent),
	TP_STRUCT__entry(
		__string(name, name)
		__field(u64, epoch)
		__field(u32, round)
		__field(u64, before)
		__field(u64, sent)
	),
	TP_fast_assign(
		kcolo_trace_str(name, name);
		__entry->epoch = epoch;
		__entry->round = round;
		__entry->before = before;
		__entry->sent = sent;
	),
	TP_printk("%s epoch=%llu round=%u before=%llu sent=%llu",
		  __get_str(name), __entry->epoch, __entry->round,
		  __entry->before, __entry->sent)
);

DECLARE_EVENT_CLASS(kcolo_epoch,
	TP_PROTO(const char *name, u64 epoch, u64 value),
	TP_ARGS(name, epoch, value),
	TP_STRUCT__entry(
		__string(name, name)
		__field(u64, epoch)
		__field(u64, value)
	),
	TP_fast_assign(
		kcolo_trace_str(name, name);
		__entry->epoch = epoch;
		__entry->value = value;
	),
	TP_printk("%s epoch=%llu value=%llu", __get_str(name), __entry->epoch,
		  __entry->value)
);

/* value: bytes left for the pause */
DEFINE_EVENT(kcolo_epoch, kcolo_migration_low_pending,
	TP_PROTO(const char *name, u64 epoch, u64 value),
	TP_ARGS(name, epoch, value)
);

/* value: microseconds of the pause */
DEFINE_EVENT(kcolo_epoch, kcolo_commit,
	TP_PROTO(const char *name, u64 epoch, u64 value),
	TP_ARGS(name, epoch, value)
);

/* value: enum kcolo_abort_reason */
DEFINE_EVENT(kcolo_epoch, kcolo_abort,
	TP_PROTO(const char *name, u64 epoch, u64 value),
	TP_ARGS(name, epoch, value)
);

/* value: pages put in place on the secondary since it began */
DEFINE_EVENT(kcolo_epoch, kcolo_apply,
	TP_PROTO(const char *name, u64 epoch, u64 value),
	TP_ARGS(name, epoch, value)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
