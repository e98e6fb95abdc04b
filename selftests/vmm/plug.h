/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMM_PLUG_H
#define KVMM_PLUG_H

#include "kvmm.h"

struct kcolo;

void plug_add(struct vm *vm, struct kcolo *k);
/* False when it has to stay for now: it is part of what is committed. */
bool plug_del(struct vm *vm, struct kcolo *k);
/* Some pages of it, if it is there. */
void plug_write(struct vm *vm);
/* 0 when it is not there. */
u64 plug_hash(const struct vm *vm);

#endif /* KVMM_PLUG_H */
