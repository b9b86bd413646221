/* SPDX-License-Identifier: MIT */
/*
 * trap.S - every way into the kernel but the system call (syscall.S), and every way out to user mode.
 *
 * Each of the 256 vectors has a stub that completes the CPU's frame to a struct trap_frame and then
 * goes one of three ways:
 *
 *   trap_entry     ordinary: on the kernel stack of the running thread. From user mode, GS base is the
 *		    program's and must be exchanged; from kernel mode it is ours already.
 *   trap_paranoid  NMI, #MC, #DF, #DB in kernel mode: on a stack of their own, possibly between
 *		    those two states, so they load GS base with what lies at the top of their stack
 *		    and put back what was there.
 *   trap_debug     #DB from user mode moves to the thread's stack, as it ends in a signal.
 *
 * On the way to user mode, trap_return_user tests the thread's work flags with interrupts off, and
 * does the work (trap_user_work) until there is none.
 *
 * Invariant: the RCU counter is odd from the entry from user mode to the last steps of the return.
 */
#include <arch/gdt.h>
#include <arch/msr.h>
#include <arch/smap.h>
#include <arch/thread.h>
#include <arch/trap.h>
#include <arch/save.h>

	.section .text.entry, "ax"
	.code64

/* --- the stubs ------------------------------------------------------------------------------------- */
	.balign	16
	.globl	trap_stubs
trap_stubs:
	vector = 0
	.rept	256
	.balign	16
	/* These push an error code themselves. (SDM vol. 3, table 6-1; 29 and 30 are AMD's.) */
	.if	!((vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21) || \
		  (vector == 29) || (vector == 30))
	pushq	$0
	.endif
	pushq	$vector
	.if	(vector == TRAP_NMI) || (vector == TRAP_DF) || (vector == TRAP_MC)
	jmp	trap_paranoid
	.elseif	vector == TRAP_DB
	jmp	trap_debug
	.else
	jmp	trap_entry
	.endif
	vector = vector + 1
	.endr
	.balign	16

/* --- ordinary traps -------------------------------------------------------------------------------- */
trap_entry:
	cld
	USER_ACCESS_END				/* user mode may have set RFLAGS.AC */
	SAVE_REGISTERS
	testb	$3, FRAME_CS(%rsp)
	jz	trap_entry_kernel
	swapgs
trap_entry_user:
	lock incq %gs:rcu_counter		/* a full barrier: kernel/rcu.h */
	movq	%rsp, %rdi
	call	trap_from_user			/* returns with interrupts off */

	/* New threads come here too. rsp: the frame at the top of the current thread's stack; interrupts off */
	.globl	trap_return_user
trap_return_user:
	movq	%gs:cpu_current, %rax
	cmpl	$0, THREAD_WORK_OFFSET(%rax)
	jne	trap_work
	incq	%gs:rcu_counter
	RESTORE_REGISTERS
	swapgs
	addq	$16, %rsp			/* vector, error */
trap_iretq:
	iretq

/* void arch_enter_user(void): what lies below the frame is forgotten. */
	.globl	arch_enter_user
arch_enter_user:
	cli
	movq	%gs:cpu_tss + TSS_RSP0, %rsp
	subq	$FRAME_SIZE, %rsp
	jmp	trap_return_user

trap_work:
	movq	%rsp, %rdi
	call	trap_user_work
	jmp	trap_return_user

trap_entry_kernel:
	/* The one instruction that runs in kernel mode with the user's GS base and may fault. */
	leaq	trap_iretq(%rip), %rax
	cmpq	%rax, FRAME_RIP(%rsp)
	je	trap_bad_iret
	movq	%rsp, %rdi
	call	trap_from_kernel
	RESTORE_REGISTERS
	addq	$16, %rsp
	iretq

/* The user registers were not acceptable to iretq: make it look as if user mode had faulted. */
trap_bad_iret:
	swapgs
	movq	%rsp, %rdi
	call	trap_rebuild_frame
	movq	%rax, %rsp
	jmp	trap_entry_user

/* --- traps on stacks of their own --------------------------------------------------------------------- */
trap_debug:
	testb	$3, 24(%rsp)			/* cs: above vector, error, rip */
	jz	trap_paranoid
	cld
	USER_ACCESS_END
	swapgs
	pushq	%rdi
	movq	%rsp, %rdi
	movq	%gs:cpu_tss + TSS_RSP0, %rsp
	pushq	56(%rdi)			/* ss */
	pushq	48(%rdi)
	pushq	40(%rdi)
	pushq	32(%rdi)
	pushq	24(%rdi)
	pushq	16(%rdi)
	pushq	8(%rdi)				/* vector */
	movq	(%rdi), %rdi
	SAVE_REGISTERS
	jmp	trap_entry_user

trap_paranoid:
	cld
	USER_ACCESS_END
	SAVE_REGISTERS
	movl	$MSR_GS_BASE, %ecx
	rdmsr
	movl	%eax, %ebx			/* callee-saved: the base to put back */
	movl	%edx, %ebp
	movl	FRAME_SIZE(%rsp), %eax		/* this CPU's offset: ist_top() in desc.c */
	movl	FRAME_SIZE + 4(%rsp), %edx
	wrmsr
	movq	%rsp, %rdi
	call	trap_paranoid_handler
	movl	$MSR_GS_BASE, %ecx
	movl	%ebx, %eax
	movl	%ebp, %edx
	wrmsr
	RESTORE_REGISTERS
	addq	$16, %rsp
	iretq

	.section .note.GNU-stack, "", @progbits
