/* SPDX-License-Identifier: MIT */
/*
 * timer.c - each CPU's one-shot timer, in its local APIC.
 *
 * Where the CPU can compare the TSC with a deadline, that is used: exact, one MSR write, any distance.
 * Otherwise the APIC counts ticks down; 32 bits last for a few seconds, after which the interrupt comes
 * early and the caller arms again.
 */
#include <arch/apic.h>
#include <arch/cpu.h>
#include <arch/msr.h>
#include <arch/timer.h>
#include "arch/x86_64/internal.h"
#include "kernel/time.h"

#define TIMER_MAX_WAIT (3600 * NSEC_PER_SEC) /* far from any overflow */

/* arch_timer_init_cpu - see arch/timer.h. */
void arch_timer_init_cpu(void)
{
	apic_timer_setup(cpu_features.tsc_deadline, false);
}

static void timer_stop(void)
{
	if (cpu_features.tsc_deadline)
		msr_write(MSR_TSC_DEADLINE, 0);
	else
		apic_timer_set(0);
}

/* arch_timer_arm - see arch/timer.h. */
void arch_timer_arm(u64 deadline_ns)
{
	u64 now = arch_clock_ns(), wait, ticks;

	if (deadline_ns == ~0ul && clock_max_sleep() == ~0ul) {
		timer_stop();
		return;
	}
	wait = deadline_ns > now ? deadline_ns - now : 0;
	wait = MIN(wait, MIN(clock_max_sleep(), TIMER_MAX_WAIT));
	if (cpu_features.tsc_deadline) {
		msr_write(MSR_TSC_DEADLINE, tsc_read() + clock_ns_to_tsc(wait) + 1);
		return;
	}
	/* Rounded up: an interrupt just before the deadline would be one for nothing. */
	ticks = clock_ns_to_apic(wait) + 1;
	apic_timer_set((u32)MIN(ticks, (u64)~0u));
}
