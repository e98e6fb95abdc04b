/* SPDX-License-Identifier: GPL-2.0 */
/* Integer types for code that is built both for the guest and for the host. */
#ifndef KVMM_TYPES_H
#define KVMM_TYPES_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long s64;

/* As in the kernel. */
#define __attr(x)	__attribute__((x))
#define __printf(a, b)	__attr(__format__(__printf__, a, b))
#define __noreturn	__attr(__noreturn__)
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define fallthrough	__attr(__fallthrough__)
#define BIT_ULL(n)	(1ull << (n))

#define KVMM_PAGE_SHIFT	12
#define KVMM_PAGE_SIZE	4096u
#define KVMM_PAGE_WORDS	512u

#endif /* KVMM_TYPES_H */
