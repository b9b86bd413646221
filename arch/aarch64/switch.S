/* SPDX-License-Identifier: MIT */
/*
 * switch.S - from one kernel stack to another.
 *
 * A thread that is switched out has its frame pointer and where it goes on on its stack, and arch.sp (the first field
 * of struct thread) points at them: the compiler has been told that all other registers are lost (arch_switch). A new
 * thread's stack is made to look the same by thread.c, with the address of one of the two stubs as return address.
 */
#include <arch/thread.h>

	.text

/* switch_stacks(prev, next) - returns prev, in the context of next. */
	.globl	switch_stacks
switch_stacks:
	stp	x29, x30, [sp, #-16]!
	mov	x9, sp
	str	x9, [x0]
	ldr	x10, [x0, #THREAD_RCU]
	str	x10, [x1, #THREAD_RCU]
	ldr	x9, [x1]
	mov	sp, x9
	mov	x18, x1				/* current */
	ldp	x29, x30, [sp], #16
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
