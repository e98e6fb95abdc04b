/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the two kvmm carry to each other themselves, beside kcolo and over the
 * side channel: the device state of an epoch (--device-state external), and all
 * of RAM before protection begins (--clean).
 */
#ifndef KVMM_CARRY_H
#define KVMM_CARRY_H

#include "kvmm.h"
#include "side.h"

/**
 * struct carried - device state that is arriving, or has arrived
 * @epoch: of which; 0 is before the first
 * @buf: @len bytes, of which @have are there
 */
struct carried {
	u64 epoch;
	u8 *buf;
	size_t len;
	size_t have;
};

/* The primary's side. */
void carry_state(struct side *side, u64 epoch, const void *state, size_t len);
void carry_ram(struct side *side, struct vm *vm);

/* The secondary's: what follows the word "state" and its epoch, or "ram". */
void carried_state(struct carried *c, u64 epoch, char *rest);
void carried_ram(struct vm *vm, u64 region, char *rest);
bool carried_whole(const struct carried *c, u64 epoch);
/* @to has what @from had. */
void carried_keep(struct carried *to, struct carried *from);

#endif /* KVMM_CARRY_H */
