/* SPDX-License-Identifier: GPL-2.0 */
/* Where a vCPU begins: rdi is its stream, rsp its stack, long mode is on. */
	.section .text.start, "ax"
	.globl	_start
_start:
	xorl	%ebp, %ebp
	call	guest_main
1:	hlt
	jmp	1b
	.section .note.GNU-stack, "", @progbits
