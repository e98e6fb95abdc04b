// SPDX-License-Identifier: GPL-2.0
#include "policy.h"

/*
 * gain = (pending before - pending after) / sent. A round that leaves as much
 * as it found has gained nothing, however much it sent.
 */
static int gains_enough(const struct kcolo_policy *policy, __u64 pending,
			const struct kcolo_round *last)
{
	__u64 gained;

	if (!policy->min_gain || !last->sent)
		return 1;
	if (pending >= last->before)
		return 0;
	gained = last->before - pending;
	/* Sizes are bytes of RAM: a hundredfold is far from overflowing. */
	return gained * 100 >= last->sent * policy->min_gain;
}

/**
 * kcolo_policy_decide - whether another round of pre-copy runs
 * @policy: what the user has set
 * @kind: what the checkpoint was asked for
 * @pending: bytes dirty and not sent, now
 * @rounds: rounds that have run for this checkpoint
 * @last: the last of them; not looked at when @rounds is 0
 *
 * The rule of the patch that the project started from, "go on while pending
 * is at least the threshold, at most so many rounds, and a threshold of 0 is
 * off", and beyond it: stop when a round gains too little, and never delay an
 * urgent checkpoint.
 *
 * Return: KCOLO_STOP_REASON_NONE to run a round, else why pre-copy stops.
 */
enum kcolo_stop_reason kcolo_policy_decide(const struct kcolo_policy *policy,
					   enum kcolo_kind kind, __u64 pending,
					   __u32 rounds,
					   const struct kcolo_round *last)
{
	if (kind == KCOLO_KIND_URGENT)
		return KCOLO_STOP_REASON_URGENT;
	if (!policy->threshold)
		return KCOLO_STOP_REASON_DISABLED;
	if (pending < policy->threshold)
		return KCOLO_STOP_REASON_THRESHOLD;
	if (rounds >= policy->max_iterations)
		return KCOLO_STOP_REASON_ITERATIONS;
	if (rounds && !gains_enough(policy, pending, last))
		return KCOLO_STOP_REASON_GAIN;
	return KCOLO_STOP_REASON_NONE;
}
