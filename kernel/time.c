/* SPDX-License-Identifier: MIT */
/*
 * time.c - the time of the machine, and waiting for it to pass.
 *
 * The monotonic clock is the architecture's (arch/<arch>/include/arch/timer.h): ns since the kernel was entered. The time
 * of day is in wall_clock.c.
 */
#include <arch/cpu.h>
#include <arch/timer.h>
#include "kernel/thread.h"
#include "kernel/time.h"

/* time_init - find and calibrate the clock, make this CPU's timer ready. Boot CPU, after arch_irq_init. */
void time_init(void)
{
	arch_clock_init();
	arch_timer_init_cpu();
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
		thread_prepare_sleep(WAIT_UNINTERRUPTIBLE);
		thread_sleep_until(end);
	} while (time_now() < end);
}
