/* SPDX-License-Identifier: MIT */
/*
 * syscall.S - system calls. (Intel SDM vol. 2, SYSCALL and SYSRET; the register convention is the
 * System V ABI's, appendix A.2.)
 *
 * The instruction leaves the return address in rcx and the flags in r11, clears the flags in
 * MSR_FMASK (interrupts among them) and changes neither stack nor GS base. The frame that is built
 * here has the form of a trap's, so that signals, fork and exec need not know how user mode was left.
 *
 * Most calls need little of it. What C functions preserve stays in the registers, and of the others only those are saved that
 * user mode finds unchanged. FRAME_COMPLETE adds the rest: before work that looks at the frame, such as the delivery of a
 * signal, and in the entries of the calls that copy it. Who changes it, which is work and the calls that end in
 * arch_enter_user, leaves by iretq, with all registers from the frame.
 *
 * sysret is several times faster than iretq but restores less: rip from rcx, the flags from r11, and no other flag
 * than those. The address in rcx is one behind an instruction in user memory, hence
 * canonical: for others sysret would fault in kernel mode on Intel CPUs. The last page below the hole is never mapped.
 */
#include <arch/gdt.h>
#include <arch/msr.h>
#include <arch/syscall_nr.h>
#include <arch/thread.h>
#include <arch/trap.h>

/* Results that only signal_restart understands: -514 to -512. (kernel/signal.h) */
#define RESTART_FIRST 512
#define RESTART_LAST  514

/* The frame lies `at` bytes above rsp. Changes r11. */
.macro FRAME_COMPLETE at=0
	movq	%r15, \at + FRAME_R15(%rsp)
	movq	%r14, \at + FRAME_R14(%rsp)
	movq	%r13, \at + FRAME_R13(%rsp)
	movq	%r12, \at + FRAME_R12(%rsp)
	movq	%rbp, \at + FRAME_RBP(%rsp)
	movq	%rbx, \at + FRAME_RBX(%rsp)
	movq	\at + FRAME_RFLAGS(%rsp), %r11
	movq	%r11, \at + FRAME_R11(%rsp)
	movq	\at + FRAME_RIP(%rsp), %r11
	movq	%r11, \at + FRAME_RCX(%rsp)
	movq	$TRAP_SYSCALL, \at + FRAME_VECTOR(%rsp)
.endm

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
	subq	$(FRAME_ERROR - FRAME_RDI - 8), %rsp
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%r10
	pushq	%r8
	pushq	%r9
	lock incq %gs:rcu_counter
	sti
syscall_again:
	movl	%eax, %eax			/* the upper half of the number does not count */
	cmpl	$SYSCALL_MAX, %eax
	ja	syscall_out_of_range
	movq	%r10, %rcx			/* the fourth argument; the others are in place */
	call	*syscall_table(, %rax, 8)

	/* rax: the result; rsp: the frame at the top of the stack */
syscall_return:
	cli
	movq	%gs:cpu_current, %rcx
	cmpl	$0, THREAD_WORK_OFFSET(%rcx)
	jne	syscall_work
	testl	$(RFLAGS_TF | RFLAGS_RF), FRAME_RFLAGS(%rsp)
	jnz	syscall_work			/* sysret cannot restore RF; TF would trap too early */
	incq	%gs:rcu_counter
	popq	%r9
	popq	%r8
	popq	%r10
	popq	%rdx
	popq	%rsi
	popq	%rdi
	movq	FRAME_RIP - FRAME_RDI - 8(%rsp), %rcx
	movq	FRAME_RFLAGS - FRAME_RDI - 8(%rsp), %r11
	movq	FRAME_RSP - FRAME_RDI - 8(%rsp), %rsp
	swapgs
	sysretq

syscall_out_of_range:
	call	syscall_unknown
	jmp	syscall_return

	/* A call is interrupted only by what is work as well. */
syscall_work:
	FRAME_COMPLETE
	movq	%rax, FRAME_RAX(%rsp)
	leaq	RESTART_LAST(%rax), %rcx
	cmpq	$RESTART_LAST - RESTART_FIRST, %rcx
	ja	trap_return_user
	sti
	movq	%rsp, %rdi
	negq	%rax
	movq	%rax, %rsi
	call	signal_restart
	testb	%al, %al
	jz	arch_enter_user
	movq	FRAME_ERROR(%rsp), %rax
	movq	FRAME_RDI(%rsp), %rdi
	movq	FRAME_RSI(%rsp), %rsi
	movq	FRAME_RDX(%rsp), %rdx
	movq	FRAME_R10(%rsp), %r10
	movq	FRAME_R8(%rsp), %r8
	movq	FRAME_R9(%rsp), %r9
	jmp	syscall_again

/* What those calls are entered by that make a copy of the frame for another thread, or signal handlers from it at once. */
	.macro	needs_frame name
	.globl	sys_\name\()_entry
sys_\name\()_entry:
	FRAME_COMPLETE at=8			/* above the return address */
	jmp	sys_\name
	.endm

	needs_frame clone_ctid_tls
	needs_frame clone3
	needs_frame fork
	needs_frame vfork
	needs_frame kill
	needs_frame tkill
	needs_frame tgkill
	needs_frame rt_sigqueueinfo
	needs_frame rt_tgsigqueueinfo

	.section .note.GNU-stack, "", @progbits
