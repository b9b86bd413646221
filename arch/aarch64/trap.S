/* SPDX-License-Identifier: MIT */
/*
 * trap.S - exception vectors: save the registers, call C, put them back.
 *
 * On every exception the CPU masks everything, switches to SP_EL1 and leaves the return address in ELR_EL1 and
 * the state in SPSR_EL1. Coming from user mode SP_EL1 is the top of the thread's kernel stack, so
 * the frame lands in the place reserved for it.
 *
 * Coming from kernel mode SP may be just above a guard page, or anywhere in it: the exception may be the
 * very fault that a stack overflow caused. So nothing is pushed before the MMU was asked whether the new
 * frame's place is mapped; if not, the report is made on the CPU's emergency stack. One
 * register is needed for that, and TPIDRRO_EL0 lends it (user mode can read it, so it is cleared again).
 *
 * System calls come first, and most of them need little of the frame. What C functions preserve stays in the registers, and of the
 * others only those are saved that user mode finds unchanged. frame_complete adds the rest: before work that looks at
 * the frame, such as the delivery of a signal, and in the entries of the calls that copy it. Who changes it, which is
 * work and the calls that end in arch_enter_user, leaves by exit_to_user, with all registers from the frame.
 *
 * In the kernel x18 is the current thread; at the entry from user mode it comes from the word above the frame.
 *
 * The RCU counter is odd from the entry from user mode to the last steps of the return, which find no work left to do
 * for the thread, with interrupts off.
 *
 * Read next: trap.c.
 */
#include <arch/syscall_nr.h>
#include <arch/thread.h>
#include <arch/trap.h>

#define ESR_EC_SHIFT 26
#define ESR_EC_SVC64 0x15

/* Results that only signal_restart understands: -514 to -512. (kernel/signal.h) */
#define RESTART_FIRST 512
#define RESTART_LAST  514

/* Save everything; `sp` has been moved down by FRAME_ROOM. Leaves x21 = sp, x22 = pc, x23 = pstate. */
.macro save_registers from:req
	stp	x0, x1, [sp, #16 * 0]
	stp	x2, x3, [sp, #16 * 1]
	stp	x4, x5, [sp, #16 * 2]
	stp	x6, x7, [sp, #16 * 3]
	stp	x8, x9, [sp, #16 * 4]
	stp	x10, x11, [sp, #16 * 5]
	stp	x12, x13, [sp, #16 * 6]
	stp	x14, x15, [sp, #16 * 7]
	stp	x16, x17, [sp, #16 * 8]
	stp	x18, x19, [sp, #16 * 9]
	frame_complete
	mrs	x22, elr_el1
	mrs	x23, spsr_el1
	.ifc	\from, user
	mrs	x21, sp_el0
	mov	x29, xzr			/* backtraces end here */
	.else
	add	x21, sp, #FRAME_ROOM
	stp	x29, x22, [sp, #FRAME_RECORD]
	add	x29, sp, #FRAME_RECORD
	.endif
	stp	x30, x21, [sp, #FRAME_X30]
	stp	x22, x23, [sp, #FRAME_PC]
.endm

/* What C functions preserve, but x19, which was stored with x18. */
.macro frame_complete
	stp	x20, x21, [sp, #16 * 10]
	stp	x22, x23, [sp, #16 * 11]
	stp	x24, x25, [sp, #16 * 12]
	stp	x26, x27, [sp, #16 * 13]
	stp	x28, x29, [sp, #16 * 14]
.endm

/* The RCU counter: odd in the kernel. The barrier keeps readers' loads from being done earlier (kernel/rcu.h). */
.macro rcu_enter
	ldr	x16, [x18, #THREAD_RCU]
	ldr	x17, [x16]
	add	x17, x17, #1
	str	x17, [x16]
	dmb	ish
.endm

.macro rcu_exit
	ldr	x16, [x18, #THREAD_RCU]
	ldr	x17, [x16]
	add	x17, x17, #1
	stlr	x17, [x16]
.endm

.macro restore_registers
	ldp	x2, x3, [sp, #16 * 1]
	ldp	x4, x5, [sp, #16 * 2]
	ldp	x6, x7, [sp, #16 * 3]
	ldp	x8, x9, [sp, #16 * 4]
	ldp	x10, x11, [sp, #16 * 5]
	ldp	x12, x13, [sp, #16 * 6]
	ldp	x14, x15, [sp, #16 * 7]
	ldp	x16, x17, [sp, #16 * 8]
	ldp	x18, x19, [sp, #16 * 9]
	ldp	x20, x21, [sp, #16 * 10]
	ldp	x22, x23, [sp, #16 * 11]
	ldp	x24, x25, [sp, #16 * 12]
	ldp	x26, x27, [sp, #16 * 13]
	ldp	x28, x29, [sp, #16 * 14]
	ldr	x30, [sp, #FRAME_X30]
	ldp	x0, x1, [sp], #FRAME_ROOM
	eret
.endm

/* vector - one slot of the table: 128 bytes. */
.macro vector label:req
	.balign	128
	b	\label
.endm

	.section .text.entry, "ax"
	.balign	2048
	.globl	trap_vectors
trap_vectors:
	/* from EL1 using SP_EL0: never */
	vector	bad_entry
	vector	bad_entry
	vector	bad_entry
	vector	bad_entry
	/* from the kernel: synchronous, IRQ, FIQ, SError */
	vector	kernel_sync
	vector	kernel_irq
	vector	bad_entry
	vector	kernel_serror
	/* from 64-bit user mode */
	vector	user_sync
	vector	user_irq
	vector	bad_user_entry
	vector	user_serror
	/* from 32-bit user mode: never entered */
	vector	bad_user_entry
	vector	bad_user_entry
	vector	bad_user_entry
	vector	bad_user_entry
	.balign	128

.macro user_entry label:req, handler:req
\label:
	sub	sp, sp, #FRAME_ROOM
	save_registers user
	ldr	x18, [sp, #FRAME_THREAD]
	rcu_enter
	mov	x0, sp
	bl	\handler
	b	exit_to_user
.endm

	user_entry user_irq, trap_user_irq
	user_entry user_serror, trap_user_serror
	user_entry bad_user_entry, trap_unexpected

/* System calls first: the class of the exception tells. */
user_sync:
	stp	x0, x1, [sp, #-FRAME_ROOM]!
	stp	x2, x3, [sp, #16 * 1]
	stp	x4, x5, [sp, #16 * 2]
	stp	x6, x7, [sp, #16 * 3]
	stp	x8, x9, [sp, #16 * 4]
	stp	x10, x11, [sp, #16 * 5]
	stp	x12, x13, [sp, #16 * 6]
	stp	x14, x15, [sp, #16 * 7]
	stp	x16, x17, [sp, #16 * 8]
	stp	x18, x19, [sp, #16 * 9]
	mrs	x9, sp_el0
	mrs	x10, elr_el1
	mrs	x11, spsr_el1
	stp	x30, x9, [sp, #FRAME_X30]
	stp	x10, x11, [sp, #FRAME_PC]
	ldr	x18, [sp, #FRAME_THREAD]
	rcu_enter
	mrs	x9, esr_el1
	lsr	w9, w9, #ESR_EC_SHIFT
	cmp	w9, #ESR_EC_SVC64
	b.ne	user_exception
	msr	daifclr, #6
syscall_again:
	cmp	w8, #SYSCALL_MAX		/* the upper half of the number does not count */
	b.hi	syscall_out_of_range
	adrp	x9, syscall_table		/* page-aligned */
	ldr	x9, [x9, w8, uxtw #3]
	blr	x9

/* x0: the result; sp: the frame at the top of the stack */
syscall_return:
	msr	daifset, #6
	ldr	w9, [x18, #THREAD_WORK_OFFSET]
	cbnz	w9, syscall_work
	rcu_exit
	ldp	x30, x9, [sp, #FRAME_X30]
	ldp	x10, x11, [sp, #FRAME_PC]
	msr	sp_el0, x9
	msr	elr_el1, x10
	msr	spsr_el1, x11
	ldp	x2, x3, [sp, #16 * 1]
	ldp	x4, x5, [sp, #16 * 2]
	ldp	x6, x7, [sp, #16 * 3]
	ldp	x8, x9, [sp, #16 * 4]
	ldp	x10, x11, [sp, #16 * 5]
	ldp	x12, x13, [sp, #16 * 6]
	ldp	x14, x15, [sp, #16 * 7]
	ldp	x16, x17, [sp, #16 * 8]
	ldr	x18, [sp, #16 * 9]
	ldp	xzr, x1, [sp], #FRAME_ROOM
	eret

syscall_out_of_range:
	bl	syscall_unknown
	b	syscall_return

/* A call is interrupted only by what is work as well. */
syscall_work:
	frame_complete
	ldr	x9, [sp]
	str	x9, [sp, #FRAME_ORIG_X0]
	str	x0, [sp]
	add	x9, x0, #RESTART_LAST
	cmp	x9, #RESTART_LAST - RESTART_FIRST
	b.hi	exit_to_user
	msr	daifclr, #6
	neg	x1, x0
	mov	x0, sp
	bl	signal_restart
	cbz	w0, exit_to_user
	ldr	x0, [sp, #FRAME_ORIG_X0]
	str	x0, [sp]
	ldr	x1, [sp, #8]
	ldp	x2, x3, [sp, #16 * 1]
	ldp	x4, x5, [sp, #16 * 2]
	ldr	x8, [sp, #16 * 4]
	b	syscall_again

/* sp: current's frame at the top of its stack. Interrupts may be on. */
exit_to_user:
	msr	daifset, #6
	ldr	w9, [x18, #THREAD_WORK_OFFSET]
	cbnz	w9, exit_work
	rcu_exit
	ldp	x0, x1, [sp, #FRAME_PC]
	ldr	x2, [sp, #FRAME_SP]
	msr	elr_el1, x0
	msr	spsr_el1, x1
	msr	sp_el0, x2
	restore_registers

exit_work:
	mov	x0, sp
	bl	trap_user_work
	b	exit_to_user

user_exception:
	frame_complete
	mov	x29, xzr
	mov	x0, sp
	bl	trap_user_exception
	b	exit_to_user

/* What those calls are entered by that make a copy of the frame for another thread, or signal handlers from it at once. */
.macro needs_frame name:req
	.globl	sys_\name\()_entry
sys_\name\()_entry:
	frame_complete
	b	sys_\name
.endm

	needs_frame clone_tls_ctid
	needs_frame clone3
	needs_frame kill
	needs_frame tkill
	needs_frame tgkill
	needs_frame rt_sigqueueinfo
	needs_frame rt_tgsigqueueinfo

/* trap_exit_to_user - x0: current's frame at the top of its stack; what lies below is forgotten. */
	.globl	trap_exit_to_user
trap_exit_to_user:
	mov	sp, x0
	b	exit_to_user

.macro kernel_entry label:req, handler:req
\label:
	msr	tpidrro_el0, x0
	sub	x0, sp, #FRAME_ROOM
	at	s1e1r, x0
	isb
	mrs	x0, par_el1
	tbnz	x0, #0, stack_overflow
	mrs	x0, tpidrro_el0
	msr	tpidrro_el0, xzr
	sub	sp, sp, #FRAME_ROOM
	save_registers kernel
	mov	x0, sp
	bl	\handler
	b	exit_to_kernel
.endm

	kernel_entry kernel_sync, trap_kernel_sync
	kernel_entry kernel_irq, trap_kernel_irq
	kernel_entry kernel_serror, trap_kernel_serror
	kernel_entry bad_entry, trap_unexpected

exit_to_kernel:
	ldp	x0, x1, [sp, #FRAME_PC]
	msr	elr_el1, x0
	msr	spsr_el1, x1
	restore_registers

/* stack_overflow - there is no way back, so the interrupted user SP may be overwritten: it holds SP until
 * the frame has it. */
stack_overflow:
	mov	x0, sp
	msr	sp_el0, x0
	mrs	x0, tpidr_el1			/* this CPU's copy of emergency_stack_top */
	mov	sp, x0
	ldr	x0, =emergency_stack_top
	add	sp, sp, x0
	mov	x0, sp
	ldr	x0, [x0]
	mov	sp, x0
	mrs	x0, tpidrro_el0
	msr	tpidrro_el0, xzr
	sub	sp, sp, #FRAME_ROOM
	save_registers kernel
	mrs	x21, sp_el0
	str	x21, [sp, #FRAME_SP]
	mov	x0, sp
	bl	trap_stack_overflow
	b	.
	.ltorg
