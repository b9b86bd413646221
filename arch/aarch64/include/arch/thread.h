/* SPDX-License-Identifier: MIT */
/*
 * thread.h - what aarch64 keeps of a thread that is not running, and switching between threads.
 *
 * The kernel stack of every thread starts (at its top) with room for one trap frame. Below that lie
 * the frames of the C functions that are running; a thread that is switched out has its frame pointer and return
 * address on top of them and arch.sp points there.
 *
 * FP state: the registers hold the state of the last user thread that returned to user mode on this CPU; the
 * kernel uses none (page_copy.S puts back those it borrows). It is saved when that thread is switched out and loaded when
 * it is switched in, unless it is still there. THREAD_WORK_FPU says that the saved state was changed; the return path
 * then loads it before user mode continues.
 *
 * Read next: arch/aarch64/switch.S, thread.c, fpu.c.
 */
#pragma once

/* Offset of struct thread's `work`, which the entry code tests. Checked in thread.c. */
#define THREAD_WORK_OFFSET 0x248
/* .. and of arch.rcu, through which it counts the edges to and from user mode. */
#define THREAD_RCU 8

#ifndef __ASSEMBLY__

#include <quire/compiler.h>
#include <quire/types.h>

struct thread;
struct trap_frame;

struct fpu_state { /* in the order of a signal frame's record */
	u64 q[64]; /* Q0 .. Q31 */
	u32 fpsr, fpcr;
};

struct arch_thread {
	vaddr_t sp; /* while switched out; first: switch.S */
	u64 *rcu;   /* rcu_counter of the CPU on which it runs; switch.S hands it on */
	u64 tls;    /* TPIDR_EL0; current's lives in the CPU */
	u64 esr;    /* of the latest exception in user mode, for the frame of its signal */
	bool user;  /* has TLS and FP state */
	struct thread **
		fpu_home; /* names whose CPU's registers may still hold the content of fpu; NULL: nobody's */
	struct fpu_state fpu;
};

/* arch_thread_init_kernel - prepare the stack so that the first switch to the thread enters
 * thread_begin(prev) (kernel/thread.h) with interrupts off. fails: no */
void arch_thread_init_kernel(struct thread *);

/* arch_thread_init_user - the same for a thread that goes straight to user mode.
 *  regs:  what it continues with, system-call result 0 (fork, clone); TLS and FP state are those of the
 *	  current thread. NULL: the caller fills arch_thread_frame() before waking it; FP state is clean
 *  sleeps: no     returns: 0 */
int arch_thread_init_user(struct thread *, const struct trap_frame *regs);

/* arch_thread_frame - its user registers, valid while it is in the kernel. */
struct trap_frame *arch_thread_frame(struct thread *);

/* arch_enter_user - leave the kernel with the registers in current's frame. Locks: none held. */
void arch_enter_user(void) __attribute__((noreturn));

/* arch_switch - run next in place of prev, the current thread; returns when prev is switched to
 * again, with the thread that ran before it. Interrupts off. The caller's frame keeps all registers that functions preserve:
 * whoever calls this has saved most of them itself. */
static ALWAYS_INLINE struct thread *arch_switch(struct thread *prev, struct thread *next)
{
	register struct thread *x0 __asm__("x0") = prev;
	register struct thread *x1 __asm__("x1") = next;

	__asm__ volatile("bl switch_threads"
			 : "+r"(x0), "+r"(x1)
			 :
			 : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12",
			   "x13", "x14", "x15", "x16", "x17", "x19", "x20", "x21", "x22", "x23",
			   "x24", "x25", "x26", "x27", "x28", "x30", "cc", "memory");
	return x0;
}

/* arch_thread_set_tls / arch_thread_tls - the thread pointer (TPIDR_EL0); of current or of a thread that
 * does not run yet. Any value is harmless. */
void arch_thread_set_tls(struct thread *, u64 base);
u64 arch_thread_tls(struct thread *);
/* arch_tls_is_valid - may user space choose this thread pointer? */
static inline bool arch_tls_is_valid(u64 base)
{
	(void)base;
	return true;
}

/* arch_thread_copy_fp - child gets a copy of parent's FP state; parent is current. */
void arch_thread_copy_fp(struct thread *child, struct thread *parent);
/* arch_thread_reset_fp - current starts with clean FP registers and thread pointer (exec). */
void arch_thread_reset_fp(struct thread *);
#endif
