/* SPDX-License-Identifier: GPL-2.0 */
/* Guest-physical addresses and ports, shared with the code in the guest. */
#ifndef KVMM_LAYOUT_H
#define KVMM_LAYOUT_H

/* The boot area: the first pages of ram0. */
#define BOOT_PML4	0x1000
#define BOOT_PDPT	0x2000
#define BOOT_PD		0x3000		/* one page a GiB */
#define BOOT_GIB	8
#define BOOT_GDT	0xb000
#define BOOT_IDT	0xc000
#define BOOT_CODE	0x10000
#define BOOT_CODE_MAX	0x10000
#define BOOT_STUBS	(BOOT_CODE + 0x10)	/* of 32 exceptions, 16 bytes each */
#define BOOT_STREAM	0x20000		/* a page a vCPU */
/* What the first vCPU does in SMM is done here: SMBASE is what it is at reset. */
#define BOOT_SMRAM	0x30000
#define BOOT_SMRAM_SIZE	0x10000
#define BOOT_SMM_CODE	(BOOT_SMRAM + 0x8000)
#define BOOT_SMM_COUNT	(BOOT_SMRAM + 0x1000)	/* of SMIs */
#define BOOT_SMM_DATA	(BOOT_SMRAM + 0x2000)	/* of the last four, a page each */
/* What the first vCPU does in SMM is done here; SMBASE is what it is at reset. */
#define BOOT_SMRAM	0x30000
#define BOOT_SMRAM_SIZE	0x10000
#define BOOT_SMM_CODE	(BOOT_SMRAM + 0x8000)
#define BOOT_SMM_COUNT	(BOOT_SMRAM + 0x1000)	/* of SMIs */
#define BOOT_SMM_DATA	(BOOT_SMRAM + 0x2000)	/* four pages in turn */
#define BOOT_STACK	0x40000
#define BOOT_STACK_SIZE	0x4000
#define BOOT_PAGES	256

#define GPA_RAM0	0x0ull
#define GPA_VRAM	0xc0000000ull
#define GPA_RAM1	0x100000000ull
#define GPA_ALIAS0	0x180005000ull
#define GPA_ALIAS1	0x1c000b000ull
#define GPA_DIMM	0x200000000ull
#define GPA_RAM_MAX	0x80000000ull	/* so much room is at each of them */
#define GPA_VRAM_MAX	0x30000000ull

#define PORT_BATCH	0x10	/* in: a batch is done; answers the window */
#define PORT_ERROR	0x14	/* out: an enum guest_error */
#define PORT_DETAIL	0x18	/* out, before: details, 32 bits a time */

#define MSR_SENTINEL	0xc0000102	/* KERNEL_GS_BASE, unused otherwise */

#ifndef __ASSEMBLER__
enum guest_error {
	GUEST_ERROR_NONE,
	GUEST_ERROR_PAGE,	/* a page is not what was written to it */
	GUEST_ERROR_XMM,	/* the FPU's registers were lost */
	GUEST_ERROR_MSR,	/* an MSR was lost */
	GUEST_ERROR_STREAM,	/* the stream's state is not one */
	GUEST_ERROR_EXCEPTION,	/* details: vector, code, rip and address */
};
#endif

#endif /* KVMM_LAYOUT_H */
