/* SPDX-License-Identifier: MIT */
/*
 * time.c - the time of day and of the machine, and waiting for time to pass.
 *
 * The monotonic clock is the architecture's (arch/<arch>/timer.c): ns since the kernel was entered. Wall-clock
 * time is that plus one offset.
 */
#include <arch/cpu.h>
#include <arch/timer.h>
#include "kernel/thread.h"
#include "kernel/time.h"

s64 time_realtime_offset;

/* time_init - find and calibrate the clock, make this CPU's timer ready. Boot CPU, after arch_irq_init. */
void time_init(void)
{
	arch_clock_init();
	arch_timer_init_cpu();
}

/* time_now - monotonic ns. 0 until time_init. Any context. */
u64 time_now(void)
{
	return arch_clock_ns();
}

/* time_delay_ns - wait awake. After time_init; any context. */
void time_delay_ns(u64 ns)
{
	u64 end = time_now() + ns;

	while (time_now() < end)
		cpu_relax();
}

/* time_sleep_ns - sleep at least this long; no signal ends it. Sleeps. */
void time_sleep_ns(u64 ns)
{
	u64 end = time_now() + ns;

	do {
		thread_prepare_sleep();
		thread_sleep_until(end);
	} while (time_now() < end);
}
