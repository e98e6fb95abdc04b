/* SPDX-License-Identifier: GPL-2.0 */
/* Integer types for code that is built both for the guest and for the host. */
#ifndef KVMM_TYPES_H
#define KVMM_TYPES_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long s64;

#define KVMM_PAGE_SHIFT	12
#define KVMM_PAGE_SIZE	4096u
#define KVMM_PAGE_WORDS	512u

#endif /* KVMM_TYPES_H */
