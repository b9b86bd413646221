/* SPDX-License-Identifier: MIT */
/*
 * syscall.S - system calls. (Intel SDM vol. 2, SYSCALL and SYSRET; the register convention is the
 * System V ABI's, appendix A.2.)
 *
 * The instruction leaves the return address in rcx and the flags in r11, clears the flags in
 * MSR_FMASK (interrupts among them) and changes neither stack nor GS base. The frame that is built
 * here is the same as a trap's, so that signals, fork and exec need not know how user mode was left.
 *
 * sysret is several times faster than iretq but restores less and has a trap of its own: given a
 * non-canonical return address, Intel CPUs fault in kernel mode on the user's stack. It is used only
 * when the frame says what sysret would do anyway; else trap_return_iret.
 */
#include <arch/gdt.h>
#include <arch/msr.h>
#include <arch/save.h>
#include <arch/thread.h>
#include <arch/trap.h>

	.section .text.entry, "ax"
	.code64
	.balign	64
	.globl	syscall_entry
syscall_entry:
	swapgs
	movq	%rsp, %gs:syscall_user_rsp
	movq	%gs:cpu_tss + TSS_RSP0, %rsp
	pushq	$USER_DS
	pushq	%gs:syscall_user_rsp
	pushq	%r11
	pushq	$USER_CS
	pushq	%rcx
	pushq	%rax
	pushq	$TRAP_SYSCALL
	SAVE_REGISTERS
	lock incq %gs:rcu_counter
	sti
	movq	%rsp, %rdi
	call	syscall_dispatch
	cli

	/* New threads come here too. rsp: the frame at the top of the stack; interrupts off */
	.globl	syscall_return
syscall_return:
	movq	%gs:cpu_current, %rax
	cmpl	$0, THREAD_WORK_OFFSET(%rax)
	jne	syscall_work
	movq	FRAME_RCX(%rsp), %rcx
	movq	FRAME_R11(%rsp), %r11
	cmpq	FRAME_RIP(%rsp), %rcx
	jne	trap_return_iret
	movq	%rcx, %rdx
	shrq	$47, %rdx			/* not canonical, or not user memory */
	jnz	trap_return_iret
	cmpq	FRAME_RFLAGS(%rsp), %r11
	jne	trap_return_iret
	testl	$(RFLAGS_TF | RFLAGS_RF), %r11d	/* sysret cannot restore RF; TF would trap too early */
	jnz	trap_return_iret
	incq	%gs:rcu_counter
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	addq	$8, %rsp			/* r11 */
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	addq	$8, %rsp			/* rcx */
	popq	%rdx
	popq	%rsi
	popq	%rdi
	movq	FRAME_RSP - FRAME_VECTOR(%rsp), %rsp
	swapgs
	sysretq

syscall_work:
	movq	%rsp, %rdi
	call	trap_user_work
	jmp	syscall_return

	.section .note.GNU-stack, "", @progbits
