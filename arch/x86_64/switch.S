/* SPDX-License-Identifier: MIT */
/*
 * switch.S - from one kernel stack to another.
 *
 * A thread gives up the CPU by a function call, so only the registers that the C calling convention
 * promises to preserve need saving. struct arch_thread starts with the stack pointer, and struct thread
 * with struct arch_thread.
 */
#include <arch/thread.h>

	.text
	.code64

/* rdi: prev, rsi: next; value: prev, in the context of next */
	.globl	switch_stacks
switch_stacks:
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rdi)
	movq	(%rsi), %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	movq	%rdi, %rax
	ret

/* The first switch to a thread returns here (thread.c made its stack). rsp: its empty trap frame. */
	.globl	switch_first
switch_first:
	movq	%rax, %rdi
	call	thread_begin			/* kernel threads stay there */
	cli
	jmp	trap_return_user		/* all registers come from the frame */

	.section .note.GNU-stack, "", @progbits
