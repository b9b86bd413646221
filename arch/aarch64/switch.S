/* SPDX-License-Identifier: MIT */
/*
 * switch.S - from one kernel stack to another.
 *
 * A thread that is switched out has the callee-saved registers on its stack, in the order below, and
 * arch.sp (the first field of struct thread) points at them. A new thread's stack is made to look
 * the same by thread.c, with the address of one of the two stubs as return address.
 */
#include <arch/thread.h>

	.text

/* switch_stacks(prev, next) - returns prev, in the context of next. */
	.globl	switch_stacks
switch_stacks:
	stp	x29, x30, [sp, #-96]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	mov	x9, sp
	str	x9, [x0]
	ldr	x10, [x0, #THREAD_RCU]
	str	x10, [x1, #THREAD_RCU]
	ldr	x9, [x1]
	mov	sp, x9
	mov	x18, x1				/* current */
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #96
	ret

/* First instructions of new threads; x0: the thread that ran before, interrupts off. The frame pointer
 * is 0, so backtraces end here. */
	.globl	thread_begin_kernel
thread_begin_kernel:
	bl	thread_begin
	b	.

	.globl	thread_begin_user
thread_begin_user:
	bl	thread_begin
	b	arch_enter_user
