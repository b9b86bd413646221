/* SPDX-License-Identifier: MIT */
/*
 * thread.c - building and switching threads; the user TLS registers.
 *
 * FS and GS base are switched as values. A program that loads FS or GS selectors itself changes the base
 * behind our back where it cannot be read cheaply (no FSGSBASE): it then finds the base that it asked
 * the kernel for, after the next switch. 64-bit programs have no reason to do so.
 *
 * Read next: switch.S, fpu.c.
 */
#include <quire/assert.h>
#include <arch/cpu.h>
#include <arch/gdt.h>
#include <arch/msr.h>
#include <arch/thread.h>
#include <arch/layout.h>
#include <arch/trap.h>
#include "arch/x86_64/internal.h"
#include "kernel/thread.h"
#include "lib/string.h"

BUILD_ASSERT(offsetof(struct thread, work) == THREAD_WORK_OFFSET, "the entry code tests it");
BUILD_ASSERT(offsetof(struct thread, arch.sp) == 0, "switch.S finds it there");

/* What switch_stacks pops. */
struct switch_frame {
	u64 rbp, rip;
};

/* arch_thread_frame - see arch/thread.h. */
struct trap_frame *arch_thread_frame(const struct thread *t)
{
	return (struct trap_frame *)t->arch.fp_area - 1;
}

/* arch_thread_init_kernel - see arch/thread.h. */
void arch_thread_init_kernel(struct thread *t)
{
	void *fp_area = (void *)(t->kstack + KSTACK_SIZE - arch_fpu_state_size());
	struct switch_frame *saved = (struct switch_frame *)((struct trap_frame *)fp_area - 1) - 1;

	memset(saved, 0, sizeof(*saved));
	saved->rip = (u64)switch_first;
	t->arch = (struct arch_thread){.sp = (vaddr_t)saved, .fp_area = fp_area};
}

/* arch_thread_init_user - see arch/thread.h. */
void arch_thread_init_user(struct thread *t, const struct trap_frame *regs)
{
	arch_thread_init_kernel(t);
	t->arch.user = true;
	if (!regs) {
		arch_thread_reset_fp(t);
		frame_init_user(arch_thread_frame(t), 0, 0);
		return;
	}
	*arch_thread_frame(t) = *regs;
	frame_set_syscall_result(arch_thread_frame(t), 0);
	t->arch.fs_base = arch_thread_tls(current);
	t->arch.gs_base = arch_thread_gs(current);
	arch_thread_copy_fp(t, current);
}

static u64 fs_base_read(void)
{
	u64 base;

	__asm__ volatile("rdfsbase %0" : "=r"(base));
	return base;
}

static void fs_base_write(u64 base)
{
	if (cpu_features.fsgsbase)
		__asm__ volatile("wrfsbase %0" ::"r"(base));
	else
		msr_write(MSR_FS_BASE, base);
}

/* The program's GS base waits in the MSR that swapgs exchanges; between the two swaps below nothing but
 * an NMI or machine check can run, and those do not trust GS base. Interrupts off. */
static u64 user_gs_read(void)
{
	u64 base;

	__asm__ volatile("swapgs; rdgsbase %0; swapgs" : "=r"(base));
	return base;
}

static void user_gs_write(u64 base)
{
	if (cpu_features.fsgsbase)
		__asm__ volatile("swapgs; wrgsbase %0; swapgs" ::"r"(base));
	else
		msr_write(MSR_KERNEL_GS, base);
}

/* switch_threads - arch_switch; it preserves RBP alone, and gives its value in RDI. Kernel threads leave FS and GS base of
 * the last program loaded. */
struct thread *switch_threads(struct thread *prev, struct thread *next)
{
	uintptr_t here = arch_percpu_offset();

	if (prev->arch.user) {
		fpu_switch_out(prev);
		if (likely(cpu_features.fsgsbase)) {
			prev->arch.fs_base = fs_base_read();
			prev->arch.gs_base = user_gs_read();
		}
	}
	if (next->arch.user) {
		fs_base_write(next->arch.fs_base);
		user_gs_write(next->arch.gs_base);
		fpu_switch_in(next);
		percpu_at(cpu_tss, here)->rsp[0] = (u64)next->arch.fp_area;
	}
	if (unlikely(*percpu_at(cpu_as_parked, here)) && next->as)
		as_unpark();
	return switch_stacks(prev, next);
}

/* arch_thread_set_tls - see arch/thread.h. */
void arch_thread_set_tls(struct thread *t, u64 base)
{
	t->arch.fs_base = base;
	if (t == current)
		fs_base_write(base);
}

/* arch_tls_is_valid - see arch/thread.h. */
bool arch_tls_is_valid(u64 base)
{
	return base < USER_TOP;
}

/* arch_thread_tls - see arch/thread.h. */
u64 arch_thread_tls(const struct thread *t)
{
	return t == current && cpu_features.fsgsbase ? fs_base_read() : t->arch.fs_base;
}

/* arch_thread_set_gs - see arch/thread.h. */
void arch_thread_set_gs(struct thread *t, u64 base)
{
	unsigned long irq = cpu_irq_save();

	t->arch.gs_base = base;
	if (t == current)
		user_gs_write(base);
	cpu_irq_restore(irq);
}

/* arch_thread_gs - see arch/thread.h. */
u64 arch_thread_gs(const struct thread *t)
{
	u64 base = t->arch.gs_base;

	if (t == current && cpu_features.fsgsbase) {
		unsigned long irq = cpu_irq_save();

		base = user_gs_read();
		cpu_irq_restore(irq);
	}
	return base;
}
