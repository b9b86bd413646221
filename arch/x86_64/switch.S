/* SPDX-License-Identifier: MIT */
/*
 * switch.S - from one kernel stack to another.
 *
 * A thread gives up the CPU by a function call whose caller has told the compiler that all registers are lost
 * but the frame pointer (arch_switch). struct arch_thread starts with the stack pointer, and struct thread with
 * struct arch_thread.
 */
#include <arch/thread.h>

	.text
	.code64

/* rdi: prev, rsi: next; rax and rdi: prev, in the context of next */
	.globl	switch_stacks
switch_stacks:
	pushq	%rbp
	movq	%rsp, (%rdi)
	movq	(%rsi), %rsp
	popq	%rbp
	movq	%rdi, %rax
	ret

/* The first switch to a thread returns here (thread.c made its stack). rdi: the thread that ran before; rsp: its empty trap frame. */
	.globl	switch_first
switch_first:
	call	thread_begin			/* kernel threads stay there */
	cli
	jmp	trap_return_user		/* all registers come from the frame */

	.section .note.GNU-stack, "", @progbits
