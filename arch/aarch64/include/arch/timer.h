/* SPDX-License-Identifier: MIT */
/* timer.h - the clock and the one-shot timer of each CPU: the generic timer's virtual counter. */
#pragma once

#include <quire/types.h>
#include <arch/sysreg.h>

struct clock_params;

/* arch_clock_init - learn the counter's frequency. Panics when firmware did not set it. Before it,
 * arch_clock_ns() is 0. */
void arch_clock_init(void);

/* arch_clock_describe - one line on the console: which clock, how fast. */
void arch_clock_describe(void);

/* Constant once arch_clock_init has been called. */
struct arch_clock {
	u64 start;        /* counter at time 0 */
	u64 ns_per_count; /* times 2^32; 0 before */
};
extern struct arch_clock arch_clock;

/* counter_read - the isb keeps it from being read ahead of earlier instructions. */
static inline u64 counter_read(void)
{
	isb();
	return sysreg_read(cntvct_el0);
}

/* arch_clock_ns - monotonic ns since boot, the same on all CPUs. Any context. */
static inline u64 arch_clock_ns(void)
{
	return (u64)((unsigned __int128)(counter_read() - arch_clock.start) *
			     arch_clock.ns_per_count >>
		     32);
}

/* arch_clock_params - how it is computed (kernel/time.h); false: from something that programs cannot read. */
bool arch_clock_params(struct clock_params *);

/* arch_rtc_read - seconds since 1970 by the battery-backed clock; false: there is none, or it makes no sense.
 * Boot CPU. */
bool arch_rtc_read(u64 *seconds);

/* arch_timer_init_cpu - this CPU's timer: enabled, not armed. After arch_irq_init(_cpu). */
void arch_timer_init_cpu(void);

/* arch_timer_arm - call timer_interrupt() on this CPU at or shortly after deadline_ns, at once when it
 * has passed; ~0: never. Replaces the previous deadline. Interrupts off. */
void arch_timer_arm(u64 deadline_ns);
