// SPDX-License-Identifier: GPL-2.0
/* The policy, with the rule of the seed worked out by hand. */
#include <kselftest_harness.h>
#include "policy.h"

#define MIB (1024ULL * 1024)

static const struct kcolo_policy defaults = {
	.threshold = KCOLO_THRESHOLD_DEFAULT,
	.max_iterations = KCOLO_MAX_ITERATIONS_DEFAULT,
	.min_gain = KCOLO_MIN_GAIN_DEFAULT,
};

static const struct kcolo_policy seed = {
	.threshold = 100 * MIB,
	.max_iterations = 10,
	.min_gain = 0,
};

TEST(defaults_are_the_seeds)
{
	ASSERT_EQ(defaults.threshold, 100 * MIB);
	ASSERT_EQ(defaults.max_iterations, 10);
}

TEST(threshold_is_inclusive)
{
	/* The seed: "pending_size && pending_size >= threshold_size" goes on. */
	ASSERT_EQ(kcolo_policy_decide(&seed, KCOLO_KIND_PERIODIC, 100 * MIB, 0,
				      NULL), KCOLO_STOP_REASON_NONE);
	ASSERT_EQ(kcolo_policy_decide(&seed, KCOLO_KIND_PERIODIC,
				      100 * MIB - 4096, 0, NULL),
		  KCOLO_STOP_REASON_THRESHOLD);
	ASSERT_EQ(kcolo_policy_decide(&seed, KCOLO_KIND_PERIODIC, 0, 0, NULL),
		  KCOLO_STOP_REASON_THRESHOLD);
}

TEST(threshold_zero_is_off)
{
	struct kcolo_policy p = seed;

	p.threshold = 0;
	ASSERT_EQ(kcolo_policy_decide(&p, KCOLO_KIND_PERIODIC, 1ULL << 40, 0,
				      NULL), KCOLO_STOP_REASON_DISABLED);
	ASSERT_EQ(kcolo_policy_decide(&p, KCOLO_KIND_PERIODIC, 0, 0, NULL),
		  KCOLO_STOP_REASON_DISABLED);
}

/* "while (iterate_count++ < 10)": ten rounds run, an eleventh does not. */
TEST(ten_rounds_and_no_more)
{
	struct kcolo_round last = { .before = 200 * MIB, .sent = 200 * MIB };
	unsigned int round = 0;

	while (kcolo_policy_decide(&seed, KCOLO_KIND_PERIODIC, 200 * MIB, round,
				   &last) == KCOLO_STOP_REASON_NONE)
		round++;
	ASSERT_EQ(round, 10);
	ASSERT_EQ(kcolo_policy_decide(&seed, KCOLO_KIND_PERIODIC, 200 * MIB,
				      round, &last),
		  KCOLO_STOP_REASON_ITERATIONS);
}

/*
 * 256 MiB pending, each round leaves half: 256, 128 go on, 64 is below 100:
 * two rounds.
 */
TEST(converging_load_by_hand)
{
	unsigned long long pending = 256 * MIB;
	struct kcolo_round last = {};
	unsigned int round = 0;

	while (kcolo_policy_decide(&defaults, KCOLO_KIND_PERIODIC, pending,
				   round, &last) == KCOLO_STOP_REASON_NONE) {
		last.before = pending;
		last.sent = pending;
		pending /= 2;
		round++;
	}
	ASSERT_EQ(round, 2);
	ASSERT_EQ(pending, 64 * MIB);
}

TEST(no_iterations_means_no_round)
{
	struct kcolo_policy p = seed;

	p.max_iterations = 0;
	ASSERT_EQ(kcolo_policy_decide(&p, KCOLO_KIND_PERIODIC, 200 * MIB, 0,
				      NULL), KCOLO_STOP_REASON_ITERATIONS);
}

TEST(gain_below_the_minimum_stops)
{
	struct kcolo_round last = { .before = 200 * MIB, .sent = 200 * MIB };

	/* 20 MiB of 200 sent is 10 per cent: just enough. */
	ASSERT_EQ(kcolo_policy_decide(&defaults, KCOLO_KIND_PERIODIC, 180 * MIB,
				      1, &last), KCOLO_STOP_REASON_NONE);
	ASSERT_EQ(kcolo_policy_decide(&defaults, KCOLO_KIND_PERIODIC,
				      180 * MIB + 1, 1, &last),
		  KCOLO_STOP_REASON_GAIN);
	/* More pending than before is no gain, and no overflow. */
	ASSERT_EQ(kcolo_policy_decide(&defaults, KCOLO_KIND_PERIODIC, 300 * MIB,
				      1, &last), KCOLO_STOP_REASON_GAIN);
	/* Before the first round there is nothing to judge. */
	ASSERT_EQ(kcolo_policy_decide(&defaults, KCOLO_KIND_PERIODIC, 300 * MIB,
				      0, &last), KCOLO_STOP_REASON_NONE);
}

TEST(gain_off_is_the_seeds_rule)
{
	struct kcolo_round last = { .before = 200 * MIB, .sent = 200 * MIB };

	ASSERT_EQ(kcolo_policy_decide(&seed, KCOLO_KIND_PERIODIC, 300 * MIB, 9,
				      &last), KCOLO_STOP_REASON_NONE);
}

TEST(gain_of_a_tebibyte)
{
	struct kcolo_policy p = defaults;
	struct kcolo_round last = { .before = 64ULL << 40, .sent = 64ULL << 40 };

	ASSERT_EQ(kcolo_policy_decide(&p, KCOLO_KIND_PERIODIC, 60ULL << 40, 1,
				      &last), KCOLO_STOP_REASON_GAIN);
	ASSERT_EQ(kcolo_policy_decide(&p, KCOLO_KIND_PERIODIC, 50ULL << 40, 1,
				      &last), KCOLO_STOP_REASON_NONE);
}

TEST(urgent_runs_no_round)
{
	ASSERT_EQ(kcolo_policy_decide(&defaults, KCOLO_KIND_URGENT, 1ULL << 40,
				      0, NULL), KCOLO_STOP_REASON_URGENT);
}

TEST_HARNESS_MAIN
