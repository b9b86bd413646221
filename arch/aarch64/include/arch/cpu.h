/* SPDX-License-Identifier: MIT */
/*
 * cpu.h - the processor: interrupts on and off, waiting, barriers for devices, features.
 *
 * DAIF: the kernel runs with debug exceptions (D) and FIQ (F) masked. "Interrupts" is the I bit, and A
 * (system errors) goes with it: an exception masks both, and neither may come between setting up
 * ELR_EL1 and returning by it.
 */
#pragma once

#include <quire/types.h>
#include <quire/compiler.h>
#include <arch/sysreg.h>

/* cpu_relax - inside a spin loop: lets another hardware thread or emulated CPU run. */
static inline void cpu_relax(void)
{
	__asm__ volatile("yield" : : : "memory");
}

static inline bool cpu_irqs_enabled(void)
{
	return !(sysreg_read(daif) & SPSR_I);
}

static inline void cpu_irq_enable(void)
{
	__asm__ volatile("msr daifclr, #6" : : : "memory");
}

static inline void cpu_irq_disable(void)
{
	__asm__ volatile("msr daifset, #6" : : : "memory");
}

/* cpu_irq_save - interrupts off; returns what cpu_irq_restore needs to undo it. */
static inline unsigned long cpu_irq_save(void)
{
	unsigned long daif = sysreg_read(daif);

	cpu_irq_disable();
	return daif;
}

static inline void cpu_irq_restore(unsigned long daif)
{
	sysreg_write(daif, daif);
}

/* cpu_idle_wait - sleep until an interrupt is pending, then take it. Called with interrupts off, returns
 * with them on. A masked interrupt ends WFI, so one that came just before is not slept over. */
static inline void cpu_idle_wait(void)
{
	__asm__ volatile("dsb sy\n\twfi" : : : "memory");
	cpu_irq_enable();
}

/* cpu_halt_forever - stop this CPU, interrupts off. */
NORETURN static inline void cpu_halt_forever(void)
{
	__asm__ volatile("msr daifset, #15" : : : "memory");
	for (;;)
		__asm__ volatile("wfi");
}

/* Barriers between memory and devices (between CPUs: lib/atomic.h). */
static inline void mb(void)
{
	__asm__ volatile("dsb sy" : : : "memory");
}

static inline void rmb(void)
{
	__asm__ volatile("dsb ld" : : : "memory");
}

static inline void wmb(void)
{
	__asm__ volatile("dsb st" : : : "memory");
}

/* arch_cpu_init - this CPU's control registers from what its ID registers say. The boot CPU decides which
 * features are used; smp.c refuses a later CPU that lacks one of them.
 *  context: interrupts off; again changes nothing   sleeps: no */
void arch_cpu_init(void);

/* arch_cpu_describe - one line on the console: model, and features that are on. */
void arch_cpu_describe(void);

/* arch_random_get - 64 bits from the CPU's generator; false: it has none or it is exhausted. */
bool arch_random_get(u64 *out);
