/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The flat image of the guest's code, as data of the VMM; and what a vCPU does in
 * SMM, where it is in a 16-bit mode with flat segments.
 */
#include "layout.h"

	.section .rodata
	.globl	guest_image, guest_image_end
	.balign	16
guest_image:
	.incbin	GUEST_IMAGE
guest_image_end:

	.globl	smm_code, smm_code_end
	.code16
smm_code:
	movl	$BOOT_SMM_COUNT, %ebx
	incl	(%ebx)
	movl	(%ebx), %eax
	movl	%eax, %ecx
	andl	$3, %ecx
	shll	$12, %ecx
	movl	%eax, BOOT_SMM_DATA(%ecx)
	rsm
smm_code_end:
	.section .note.GNU-stack, "", @progbits
