/* SPDX-License-Identifier: GPL-2.0 */
/*
 * When pre-copy goes on and when it stops. Pure: no locks, no allocation, no
 * kernel types, so that it runs in a unit test as it runs in the kernel.
 */
#ifndef KCOLO_POLICY_H
#define KCOLO_POLICY_H

#include <linux/types.h>
#include <linux/kcolo.h>

/**
 * struct kcolo_policy - what the user has set
 * @threshold: bytes; rounds run while at least so many are pending, 0 is off
 * @max_iterations: rounds at most
 * @min_gain: per cent of what a round sent by which it must shrink what is
 *	pending for another round to run, 0 is off
 */
struct kcolo_policy {
	__u64 threshold;
	__u32 max_iterations;
	__u32 min_gain;
};

/**
 * struct kcolo_round - what the last round achieved
 * @before: bytes pending when it began
 * @sent: bytes it sent
 */
struct kcolo_round {
	__u64 before;
	__u64 sent;
};

enum kcolo_stop_reason kcolo_policy_decide(const struct kcolo_policy *policy,
					   enum kcolo_kind kind, __u64 pending,
					   __u32 rounds,
					   const struct kcolo_round *last);

#endif
