/* SPDX-License-Identifier: MIT */
/*
 * sigreturn.S - where a signal handler returns to that was installed without a restorer.
 *
 * Debuggers and unwinders know a signal frame by these two instructions, and look one byte before the return
 * address for the function that it belongs to: hence the nop, and no unwind information of our own. The
 * kernel finds it as the image's entry point (vdso.map, Makefile).
 */
#define NR_RT_SIGRETURN 139

	.text
	.balign	16
	nop
	.globl	__kernel_rt_sigreturn
	.type	__kernel_rt_sigreturn, %function
__kernel_rt_sigreturn:
	mov	x8, #NR_RT_SIGRETURN
	svc	#0
	.size	__kernel_rt_sigreturn, . - __kernel_rt_sigreturn

	.section .note.GNU-stack, "", %progbits
