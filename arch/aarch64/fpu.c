/* SPDX-License-Identifier: MIT */
/*
 * fpu.c - whose FP state the registers hold.
 *
 * While a thread runs without THREAD_WORK_FPU, only the registers count; they are saved when it is switched out and loaded
 * when it is switched in. With the flag its memory copy counts, and the registers follow before user mode.
 *
 * cpu_fpu_owner is the thread that loaded this CPU's registers last: they equal the copy of that thread if it does not run, and
 * need no loading. A thread whose copy is changed sets fpu_home to NULL so that stale registers are never taken for it.
 */
#include <arch/cpu.h>
#include <arch/thread.h>
#include "arch/aarch64/internal.h"
#include "kernel/thread.h"
#include "lib/atomic.h"

PERCPU struct thread *cpu_fpu_owner;

/* fpu_load - the last thing before user mode: the registers count again. They may still hold the state. Interrupts off. */
void fpu_load(struct thread *t)
{
	fpu_registers_take(t);
	atomic_and(&t->work, ~(u32)THREAD_WORK_FPU);
}

/* fpu_load_current - see internal.h. */
void fpu_load_current(void)
{
	unsigned long irq = cpu_irq_save();

	fpu_load(current);
	cpu_irq_restore(irq);
}

/* arch_thread_copy_fp - see arch/thread.h. The child's registers are loaded when it is switched to. */
void arch_thread_copy_fp(struct thread *child, struct thread *parent)
{
	unsigned long irq = cpu_irq_save();

	if (parent->arch.user && !(READ_ONCE(parent->work) & THREAD_WORK_FPU))
		fpu_state_save(&child->arch.fpu);
	else
		child->arch.fpu = parent->arch.fpu;
	cpu_irq_restore(irq);
	child->arch.fpu_home = NULL;
}

/* arch_thread_reset_fp - see arch/thread.h. */
void arch_thread_reset_fp(struct thread *t)
{
	unsigned long irq = cpu_irq_save();

	atomic_or(&t->work, THREAD_WORK_FPU); /* the registers no longer count */
	t->arch.fpu = (struct fpu_state){0};
	t->arch.fpu_home = NULL;
	arch_thread_set_tls(t, 0);
	cpu_irq_restore(irq);
}
