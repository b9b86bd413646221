/* SPDX-License-Identifier: MIT */
/*
 * timer.h - the clock that all CPUs share and each CPU's one-shot timer.
 *
 * Read next: arch/x86_64/clock.c (calibration, choice of the clock), timer.c (local APIC timer).
 */
#pragma once

#include <quire/types.h>
#include <quire/compiler.h>
#include <arch/call.h>
#include <arch/msr.h>

struct clock_params;

/* arch_clock_init - calibrate and choose the clock. Boot CPU, after arch_irq_init, interrupts off. */
void arch_clock_init(void);

/* One way to tell the time: ns = ns_base + (counter - counter_base) * mult / 2^32. clock.c decides which. */
struct reference;
struct arch_clock {
	const struct reference *ref; /* NULL: TSC */
	u64 counter_base, ns_base, mult;
};
extern struct arch_clock *clock_now;                 /* [a] */
u64 clock_read_reference(const struct arch_clock *); /* ns by its reference */

static inline u64 clock_ns_at(const struct arch_clock *c, u64 counter)
{
	return c->ns_base + (u64)((unsigned __int128)(counter - c->counter_base) * c->mult >> 32);
}

/* arch_clock_ns - ns since the kernel was entered; the same on all CPUs, never backwards. 0 before
 * arch_clock_init. Any context. */
static inline u64 arch_clock_ns(void)
{
	const struct arch_clock *c = __atomic_load_n(&clock_now, __ATOMIC_ACQUIRE);

	return likely(!c->ref) ? clock_ns_at(c, tsc_read()) : rare_call(clock_read_reference, c);
}

/* arch_clock_describe - one line on the console: which clock, how fast. */
void arch_clock_describe(void);

/* arch_clock_params - how it is computed (kernel/time.h); false: from something that programs cannot read. */
bool arch_clock_params(struct clock_params *);

/* arch_rtc_read - seconds since 1970 by the battery-backed clock; false: there is none, or it makes no sense.
 * Boot CPU. */
bool arch_rtc_read(u64 *seconds);

/* arch_timer_init_cpu - this CPU's timer, stopped. Interrupts off. */
void arch_timer_init_cpu(void);

/* arch_timer_arm - interrupt this CPU at or after deadline (arch_clock_ns time), by timer_interrupt();
 * possibly earlier when it lies further away than the hardware counts. ~0 stops. Interrupts off. */
void arch_timer_arm(u64 deadline_ns);
