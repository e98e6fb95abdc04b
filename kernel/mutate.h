/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mutants: bugs built in on purpose, one to a build, to see the tests catch
 * them (make KCOLO_MUTANT=skip_page). Without KCOLO_MUTANT all of this folds
 * to nothing.
 */
#ifndef KCOLO_MUTATE_H
#define KCOLO_MUTATE_H

#define KCOLO_MUTANT_none		0
#define KCOLO_MUTANT_skip_page		1
#define KCOLO_MUTANT_read_before_clear	2
#define KCOLO_MUTANT_lose_user_log	3
#define KCOLO_MUTANT_forget_unacked	4
#define KCOLO_MUTANT_apply_before_end	5
#define KCOLO_MUTANT_end_no_wait	6
#define KCOLO_MUTANT_stale_slot		7
#define KCOLO_MUTANT_one_alias		8
#define KCOLO_MUTANT_old_round_wins	9
#define KCOLO_MUTANT_no_fence		10
#define KCOLO_MUTANT_keep_mm		11
#define KCOLO_MUTANT_overlap_ok		12
#define KCOLO_MUTANT_seq_stuck		13
#define KCOLO_MUTANT_apply_before_apply	14
#define KCOLO_MUTANT_applied_bit_missing	15
#define KCOLO_MUTANT_clean_keeps_log	16
#define KCOLO_MUTANT_clean_running	17
#define KCOLO_MUTANT_clean_direct	18
#define KCOLO_MUTANT_log_sync_no_wait	19
#define KCOLO_MUTANT_one_space		20
#define KCOLO_MUTANT_round_goes_on	21
#define KCOLO_MUTANT_trust_epoch	22
#define KCOLO_MUTANT_equal_keeps_staged	23
#define KCOLO_MUTANT_forget_on_loss	24
#define KCOLO_MUTANT_verify_blind	25
#define KCOLO_MUTANT_legacy_forgets	26
#define KCOLO_MUTANT_get_again		27
#define KCOLO_MUTANT_trust_large	28
#define KCOLO_MUTANT_no_staging_limit	29
#define KCOLO_MUTANT_resync_forever	30
#define KCOLO_MUTANT_charge_nobody	31
#define KCOLO_MUTANT_keep_spare		32

#ifndef KCOLO_MUTANT
#define KCOLO_MUTANT none
#endif

#define __kcolo_mutant(x)	KCOLO_MUTANT_##x
#define _kcolo_mutant(x)	__kcolo_mutant(x)
#define kcolo_mutant(which)	(_kcolo_mutant(KCOLO_MUTANT) == \
				 KCOLO_MUTANT_##which)

#endif
