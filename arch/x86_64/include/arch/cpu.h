/* SPDX-License-Identifier: MIT */
/*
 * cpu.h - the running CPU: interrupt flag, waiting, barriers for devices, and what it can do.
 *
 * Read next: arch/x86_64/cpu.c.
 */
#pragma once

#include <quire/types.h>
#include <quire/compiler.h>

/* cpu_relax - inside every busy-wait loop: saves power, and lets a single-threaded emulator run the
 * CPU that is being waited for. */
static inline void cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

static inline void cpu_irq_enable(void)
{
	__asm__ volatile("sti" ::: "memory");
}

static inline void cpu_irq_disable(void)
{
	__asm__ volatile("cli" ::: "memory");
}

static inline unsigned long cpu_flags(void)
{
	unsigned long flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags)::"memory");
	return flags;
}

/* cpu_irq_save / cpu_irq_restore - interrupts off, and back to how they were. */
static inline unsigned long cpu_irq_save(void)
{
	unsigned long flags = cpu_flags();

	cpu_irq_disable();
	return flags;
}

static inline void cpu_irq_restore(unsigned long flags)
{
	if (flags & 0x200)
		cpu_irq_enable();
}

static inline bool cpu_irqs_enabled(void)
{
	return cpu_flags() & 0x200;
}

/* cpu_idle_wait - sleep until an interrupt. Called with interrupts off, returns with them on: sti takes
 * effect only after the following instruction, so no interrupt can slip in before the hlt. */
static inline void cpu_idle_wait(void)
{
	__asm__ volatile("sti; hlt" ::: "memory");
}

/* cpu_halt_forever - stop this CPU; only an NMI or a reset ends it. */
static inline NORETURN void cpu_halt_forever(void)
{
	for (;;)
		__asm__ volatile("cli; hlt" ::: "memory");
}

/* Ordering of device accesses. */
#define mb()  __asm__ volatile("mfence" ::: "memory")
#define rmb() __asm__ volatile("lfence" ::: "memory")
#define wmb() __asm__ volatile("sfence" ::: "memory")

/* arch_cpu_init - this CPU's control registers, system-call entry and FPU, from what CPUID says. The boot
 * CPU decides which features are used; a later CPU that lacks one of them panics.
 *  context: each CPU once, interrupts off; boot CPU after mm_init   sleeps: no */
void arch_cpu_init(void);

/* arch_cpu_describe - one line on the console: model, and protections that are on. */
void arch_cpu_describe(void);

/* arch_random_get - 64 bits from the CPU's own generator; false where there is none or it is dry. */
bool arch_random_get(u64 *out);
