// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the kernel of test_kernel.c has to say.
 */
#include <stdio.h>
#include <string.h>
#include "internal.h"
#include "test_kernel.h"

static void put_text(struct nl_msg *msg, int attr, const char *text)
{
	char buf[64];

	snprintf(buf, sizeof(buf), "%s%s", text, fake.raw ? FAKE_RAW : "");
	nla_put_string(msg, attr, buf);
}

void fake_put_region(struct nl_msg *msg, const char *name, uint64_t size)
{
	struct nlattr *nest;

	nest = nla_nest_start(msg, KCOLO_A_SESSION_REGION | NLA_F_NESTED);
	nla_put_u32(msg, KCOLO_A_REGION_ID, 0);
	put_text(msg, KCOLO_A_REGION_NAME, name);
	nla_put_u64(msg, KCOLO_A_REGION_ADDRESS, 0x7f0000000000);
	nla_put_u64(msg, KCOLO_A_REGION_SIZE, size);
	if (fake.log_size) {
		nla_put_u64(msg, KCOLO_A_REGION_LOG_OFFSET, FAKE_LOG_OFFSET);
		nla_put_u64(msg, KCOLO_A_REGION_LOG_SIZE, fake.log_size);
	}
	nla_nest_end(msg, nest);
}

void fake_put_session(struct nl_msg *msg, unsigned int n)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	char name[16];

	snprintf(name, sizeof(name), "vm%u", n + 1);
	in.sin_port = htons(7000);
	in.sin_addr.s_addr = htonl(0x0a000002);
	nla_put_u32(msg, KCOLO_A_SESSION_ID, FAKE_ID + n + fake.other);
	put_text(msg, KCOLO_A_SESSION_NAME, name);
	nla_put_u32(msg, KCOLO_A_SESSION_ROLE, fake.role);
	nla_put_u32(msg, KCOLO_A_SESSION_STATE, fake.state);
	nla_put(msg, KCOLO_A_SESSION_UUID, 16, "0123456789abcdef");
	nla_put(msg, KCOLO_A_SESSION_PEER, sizeof(in), &in);
	nla_put_flag(msg, KCOLO_A_SESSION_INSECURE);
	nla_put_u64(msg, KCOLO_A_SESSION_THRESHOLD, 64 << 20);
	nla_put_u32(msg, KCOLO_A_SESSION_MAX_ITERATIONS, 10);
	nla_put_u32(msg, KCOLO_A_SESSION_MIN_GAIN, 10);
	nla_put_u32(msg, KCOLO_A_SESSION_PEER_TIMEOUT, 10000);
	nla_put_u32(msg, KCOLO_A_SESSION_PAUSE_LIMIT, 2500);
	nla_put_u8(msg, KCOLO_A_SESSION_CHECKSUM, 1);
	nla_put_u64(msg, KCOLO_A_SESSION_EPOCH, fake.epoch);
	nla_put_u64(msg, KCOLO_A_SESSION_COMMITTED, fake.committed);
	nla_put_u64(msg, KCOLO_A_SESSION_LINKS, fake.links);
	nla_put_u32(msg, KCOLO_A_SESSION_RESYNC, KCOLO_RESYNC_DELTA);
	nla_put_u8(msg, KCOLO_A_SESSION_RECONNECT, fake.reconnect);
	nla_put_u64(msg, KCOLO_A_SESSION_PENDING, UINT64_MAX);
	nla_put_u8(msg, KCOLO_A_SESSION_SYNCED, 1);
	nla_put_u32(msg, KCOLO_A_SESSION_STOP_REASON,
		    KCOLO_STOP_REASON_THRESHOLD);
	nla_put_u32(msg, KCOLO_A_SESSION_ABORT_REASON,
		    fake.abort_reason);
	put_text(msg, KCOLO_A_SESSION_ERROR, "the \"last\" error");
	nla_put_u64(msg, KCOLO_A_SESSION_EVENT_SEQ, fake.event_seq);
	nla_put_u64(msg, KCOLO_A_SESSION_SCRATCH_SIZE, FAKE_SCRATCH);
	nla_put_u32(msg, KCOLO_A_SESSION_DEVICE_STATE,
		    KCOLO_DEVICE_STATE_EXTERNAL);
	nla_put_u8(msg, KCOLO_A_SESSION_LOG_SYNC, 1);
	nla_put_u32(msg, KCOLO_A_SESSION_LOG_SYNC_TIMEOUT, 150);
	nla_put_u8(msg, KCOLO_A_SESSION_CLEAN, 1);
	nla_put_u64(msg, KCOLO_A_SESSION_STAGING_LIMIT, 5 << 20);
	fake_put_region(msg, "ram", 1 << 30);
	fake_put_region(msg, "vram", 16 << 20);
}

void fake_put_stats(struct nl_msg *msg, unsigned int n)
{
	char name[16];
	int i;

	snprintf(name, sizeof(name), "vm%u", n + 1);
	nla_put_u32(msg, KCOLO_A_STATS_SESSION_ID, FAKE_ID + n);
	put_text(msg, KCOLO_A_STATS_SESSION_NAME, name);
	for (i = KCOLO_A_STATS_CHECKPOINTS; i <= KCOLO_A_STATS_MAX; i++)
		nla_put_u64(msg, i, 1000 + i);
}

static enum kcolo_event_type event_type(uint64_t seq)
{
	if (fake.promoted && seq == (uint64_t)fake.promoted)
		return KCOLO_EVENT_TYPE_PROMOTED;
	return seq % 5 ? KCOLO_EVENT_TYPE_CHECKPOINT_READY :
			 KCOLO_EVENT_TYPE_CHECKPOINT_ABORTED;
}

void fake_put_event(struct nl_msg *msg, uint64_t seq)
{
	nla_put_u32(msg, KCOLO_A_EVENT_TYPE, event_type(seq));
	nla_put_u64(msg, KCOLO_A_EVENT_SEQ, seq);
	nla_put_u32(msg, KCOLO_A_EVENT_SESSION_ID, FAKE_ID);
	put_text(msg, KCOLO_A_EVENT_SESSION_NAME, FAKE_NAME);
	nla_put_u32(msg, KCOLO_A_EVENT_STATE, KCOLO_STATE_READY);
	nla_put_u64(msg, KCOLO_A_EVENT_EPOCH, 42);
	nla_put_u32(msg, KCOLO_A_EVENT_KIND, KCOLO_KIND_PERIODIC);
	nla_put_u32(msg, KCOLO_A_EVENT_STOP_REASON, KCOLO_STOP_REASON_GAIN);
	nla_put_u64(msg, KCOLO_A_EVENT_PENDING, 4096);
	nla_put_u32(msg, KCOLO_A_EVENT_ROUNDS, 2);
	nla_put_u64(msg, KCOLO_A_EVENT_PAUSE_US, 1234);
	if (fake.raw)
		put_text(msg, KCOLO_A_EVENT_ERROR, FAKE_NAME);
}
