/* SPDX-License-Identifier: MIT */
/*
 * thread.c - making threads, and switching between them.
 *
 * A user thread's frame lies at the top of its kernel stack, where entries from user mode find SP_EL1
 * (trap.S), below a word that tells them which thread it is. So every thread's first C frame starts below the two.
 */
#include <quire/assert.h>
#include <arch/cpu.h>
#include <arch/thread.h>
#include <arch/trap.h>
#include "arch/aarch64/internal.h"
#include "kernel/thread.h"
#include "lib/atomic.h"
#include "lib/string.h"

BUILD_ASSERT(offsetof(struct thread, arch) == 0, "switch.S takes a thread for its arch part");
BUILD_ASSERT(offsetof(struct thread, work) == THREAD_WORK_OFFSET, "trap.S tests it");
BUILD_ASSERT(offsetof(struct arch_thread, sp) == 0, "switch.S stores SP through the pointer");
BUILD_ASSERT(offsetof(struct arch_thread, rcu) == THREAD_RCU, "trap.S, switch.S");

struct stack_top {
	struct trap_frame frame;
	struct thread *thread;
};
BUILD_ASSERT(sizeof(struct stack_top) == FRAME_ROOM, "trap.S");

struct switch_frame { /* as pushed by switch.S */
	u64 x29, x30;
};

static struct stack_top *stack_top(struct thread *t)
{
	return (struct stack_top *)(t->kstack + KSTACK_SIZE) - 1;
}

/* arch_thread_frame - see arch/thread.h. */
struct trap_frame *arch_thread_frame(struct thread *t)
{
	return &stack_top(t)->frame;
}

static void stack_prepare(struct thread *t, void (*stub)(void))
{
	struct switch_frame *s = (struct switch_frame *)arch_thread_frame(t) - 1;

	memset(s, 0, sizeof(*s));
	s->x30 = (u64)stub;
	stack_top(t)->thread = t;
	t->arch.sp = (vaddr_t)s;
}

/* arch_thread_init_kernel - see arch/thread.h. */
void arch_thread_init_kernel(struct thread *t)
{
	stack_prepare(t, thread_begin_kernel);
	t->arch.user = false;
}

/* arch_thread_init_user - see arch/thread.h. */
int arch_thread_init_user(struct thread *t, const struct trap_frame *regs)
{
	stack_prepare(t, thread_begin_user);
	t->arch.user = true;
	if (regs) {
		struct trap_frame *f = arch_thread_frame(t);

		*f = *regs;
		frame_set_syscall_result(f, 0);
		t->arch.tls = arch_thread_tls(current);
		arch_thread_copy_fp(t, current);
	} else {
		t->arch.tls = 0;
		arch_thread_reset_fp(t);
	}
	return 0;
}

/* arch_enter_user - see arch/thread.h. */
void arch_enter_user(void)
{
	struct trap_frame *f = arch_thread_frame(current);

	assert(frame_is_user(f));
	trap_exit_to_user(f);
}

/* switch_threads - arch_switch, which tells the compiler that it preserves X29 alone. */
struct thread *switch_threads(struct thread *prev, struct thread *next)
{
	if (prev->arch.user) {
		prev->arch.tls = sysreg_read(tpidr_el0);
		fpu_switch_out(prev);
	}
	if (next->arch.user) {
		sysreg_write(tpidr_el0, next->arch.tls);
		fpu_switch_in(next);
	}
	return switch_stacks(prev, next);
}

/* arch_thread_set_tls - see arch/thread.h. */
void arch_thread_set_tls(struct thread *t, u64 base)
{
	unsigned long irq = cpu_irq_save();

	t->arch.tls = base;
	if (t == current)
		sysreg_write(tpidr_el0, base);
	cpu_irq_restore(irq);
}

/* arch_thread_tls - see arch/thread.h. */
u64 arch_thread_tls(struct thread *t)
{
	return t == current ? sysreg_read(tpidr_el0) : t->arch.tls;
}
