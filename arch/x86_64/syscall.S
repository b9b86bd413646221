/* SPDX-License-Identifier: MIT */
/*
 * syscall.S - system calls. (Intel SDM vol. 2, SYSCALL and SYSRET; the register convention is the
 * System V ABI's, appendix A.2.)
 *
 * The instruction leaves the return address in rcx and the flags in r11, clears the flags in
 * MSR_FMASK (interrupts among them) and changes neither stack nor GS base. The frame that is built
 * here is the same as a trap's, so that signals, fork and exec need not know how user mode was left.
 *
 * sysret is several times faster than iretq but restores less: rip from rcx, the flags from r11, and no other flag
 * than those. After a system call that nobody has interfered with that is what the frame says; whoever gives
 * the thread another rip, other flags or callee-saved registers (signals, exec) also changes frame.vector, and then
 * trap_return_iret restores everything. The address in rcx is one behind an instruction in user memory, hence
 * canonical: for others sysret would fault in kernel mode on Intel CPUs. The last page below the hole is never mapped.
 */
#include <arch/gdt.h>
#include <arch/msr.h>
#include <arch/save.h>
#include <arch/syscall_nr.h>
#include <arch/thread.h>
#include <arch/trap.h>

/* Results that only syscall_interrupted understands: -514 to -512. (kernel/signal.h) */
#define RESTART_FIRST 512
#define RESTART_LAST  514

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
	movl	%eax, %eax			/* the upper half of the number does not count */
	cmpl	$SYSCALL_MAX, %eax
	ja	syscall_no_function
	movq	syscall_table(, %rax, 8), %rax
	testq	%rax, %rax
	jz	syscall_no_function
	movq	%r10, %rcx			/* the fourth argument; the others are in place */
	call	*%rax
syscall_store:
	movq	%rax, FRAME_RAX(%rsp)
	addq	$RESTART_LAST, %rax
	cmpq	$RESTART_LAST - RESTART_FIRST, %rax
	jbe	syscall_restart
syscall_leave:
	cli

	/* rsp: the frame at the top of the stack; interrupts off */
syscall_return:
	movq	%gs:cpu_current, %rax
	cmpl	$0, THREAD_WORK_OFFSET(%rax)
	jne	syscall_work
	cmpl	$TRAP_SYSCALL, FRAME_VECTOR(%rsp)
	jne	trap_return_iret
	testl	$(RFLAGS_TF | RFLAGS_RF), FRAME_RFLAGS(%rsp)
	jnz	trap_return_iret		/* sysret cannot restore RF; TF would trap too early */
	incq	%gs:rcu_counter
	addq	$FRAME_R11, %rsp		/* what C functions preserve is still in the registers */
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
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

syscall_no_function:
	movq	%rsp, %rdi
	call	syscall_unknown
	jmp	syscall_store

syscall_restart:
	subq	$RESTART_LAST, %rax
	movq	%rsp, %rdi
	movq	%rax, %rsi
	call	syscall_interrupted
	jmp	syscall_leave

	.section .note.GNU-stack, "", @progbits
