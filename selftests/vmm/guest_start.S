/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a vCPU begins: rdi is its stream, rsp its stack, long mode is on. And
 * where its exceptions go: all to guest_exception(), which does not return.
 */
	.section .text.start, "ax"
	.globl	_start
_start:
	xorl	%ebp, %ebp
	call	guest_main
1:	hlt
	jmp	1b

/* 32 stubs of 16 bytes: an error code, if the CPU has pushed none; the vector. */
	.globl	exception_stubs
	.balign	16
exception_stubs:
	vector = 0
	.rept	32
	.balign	16
	.if	!(0x227d00 >> vector & 1)
	pushq	$0
	.endif
	pushq	$vector
	jmp	exception
	vector = vector + 1
	.endr

exception:
	popq	%rdi
	popq	%rsi
	movq	(%rsp), %rdx
	movq	%cr2, %rcx
	call	guest_exception
	.section .note.GNU-stack, "", @progbits
