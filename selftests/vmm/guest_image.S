/* SPDX-License-Identifier: GPL-2.0 */
/* The flat image of the guest's code, as data of the VMM. */
	.section .rodata
	.globl	guest_image, guest_image_end
	.balign	16
guest_image:
	.incbin	GUEST_IMAGE
guest_image_end:
	.section .note.GNU-stack, "", @progbits
