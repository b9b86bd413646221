/* SPDX-License-Identifier: MIT */
/*
 * thread.h - what x86_64 keeps of a thread that is not running, and switching between threads.
 *
 * Every kernel stack looks like this, from its top (page-aligned) downwards:
 *
 *   FP state      room for the XSAVE area, whose size depends on the CPU (fpu.c)
 *   trap_frame    the user registers of the last entry from user mode (arch_thread_frame)
 *   C frames      of whatever the kernel does for the thread
 *   saved         frame pointer and return address while it is switched out; arch.sp points at them
 *
 * So a user thread needs no memory beyond its stack. In kernel threads the first two are unused.
 *
 * FP state: the registers hold the state of the last user thread that ran on this CPU. It is saved when that thread is
 * switched out and loaded when it is switched in, unless it is still there. THREAD_WORK_FPU says that the saved state was
 * changed; the return path then loads it before user mode continues.
 *
 * Read next: arch/x86_64/switch.S, thread.c, fpu.c.
 */
#pragma once

/* Offset of struct thread's `work`, which the entry code tests. Checked in thread.c. */
#define THREAD_WORK_OFFSET 0x40

#ifndef __ASSEMBLY__
#include <quire/compiler.h>
#include <quire/types.h>

struct thread;
struct trap_frame;

struct arch_thread {
	vaddr_t sp;           /* while switched out */
	u64 fs_base, gs_base; /* user TLS registers; those of the current thread live in the CPU */
	void *fp_area;        /* [i] the top of the kernel stack */
	bool user;            /* has user registers: FP state and TLS are switched with it */
	struct thread **
		fpu_home; /* names whose CPU's registers may still equal the saved FP state; NULL: nobody's */
};

/* arch_thread_init_kernel - prepare the stack of a NEW thread so that the first switch to it enters
 * thread_begin (kernel/thread.h). needs: thread->kstack   fails: no */
void arch_thread_init_kernel(struct thread *);

/* arch_thread_init_user - the same for a thread that goes on to user mode when thread_begin returns.
 *  regs: the parent's user registers: the child gets a copy with system call result 0, and the TLS
 *        registers and FP state of the current thread. NULL: the caller fills in arch_thread_frame() in
 *        time, and FP state is clean.
 *  fails: no */
void arch_thread_init_user(struct thread *, const struct trap_frame *regs);

/* arch_thread_frame - the registers with which the thread last left user mode. */
struct trap_frame *arch_thread_frame(const struct thread *);

/* arch_enter_user - leave the kernel with the registers in current's frame, all of them. Locks: none held. */
void arch_enter_user(void) __attribute__((noreturn));

/* arch_switch - run next in place of prev, the current thread. Interrupts off. The caller's frame keeps all registers
 * that functions preserve: whoever calls this has saved most of them itself.
 *  returns: in the context of the thread switched to, the one that ran before it */
static ALWAYS_INLINE struct thread *arch_switch(struct thread *prev, struct thread *next)
{
	__asm__ volatile("call switch_threads"
			 : "+D"(prev), "+S"(next)
			 :
			 : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13",
			   "r14", "r15", "cc", "memory");
	return prev;
}

/* arch_thread_set_tls / arch_thread_tls - the user TLS register (FS base) of the current thread or one
 * that is NEW. The _gs forms are for arch_prctl. Bases are below USER_TOP. */
void arch_thread_set_tls(struct thread *, u64 base);
u64 arch_thread_tls(const struct thread *);
/* arch_tls_is_valid - may user space choose this FS base? Only user addresses. */
bool arch_tls_is_valid(u64 base);
void arch_thread_set_gs(struct thread *, u64 base);
u64 arch_thread_gs(const struct thread *);

/* arch_thread_copy_fp - child (NEW) gets the current thread's FP state.
 * arch_thread_reset_fp - current, or a NEW thread, starts with clean FP registers and no TLS.
 * arch_thread_fp_begin_edit - make the saved state of the current thread the truth, so that it can be
 *  read or changed; the registers follow on the return to user mode. fpu_state_size() bytes. */
void arch_thread_copy_fp(struct thread *child, struct thread *parent);
void arch_thread_reset_fp(struct thread *);
void *arch_thread_fp_begin_edit(struct thread *);

/* arch_fpu_state_size - bytes of FP state, a multiple of 64. Constant after arch_cpu_init. */
u64 arch_fpu_state_size(void);
#endif
