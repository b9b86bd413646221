/* SPDX-License-Identifier: MIT */
/*
 * time.c - the time of day and of the machine, and waiting for time to pass.
 *
 * The monotonic clock is the architecture's (arch/<arch>/clock.c or timer.c): ns since the kernel was entered.
 * Wall-clock time is that plus one offset, which starts with what the machine's battery-backed clock says and is
 * changed by clock_settime(2). Programs compute both themselves (kernel/vdso.h); what they need for it is
 * published here.
 *
 * Locks: clock_lock (RANK_TIMER, interrupts off) for changes of the offsets. They are read without.
 */
#include <arch/cpu.h>
#include <arch/timer.h>
#include <uapi/errno.h>
#include "kernel/printk.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "kernel/vdso.h"
#include "kernel/wait.h"
#include "lib/atomic.h"

static struct spinlock clock_lock = SPINLOCK_INIT(RANK_TIMER);
s64 time_realtime_offset;
static s64 tai_offset;

/* Sleepers until a time of the wall clock: they look again when it is set. */
struct waitq time_was_set = WAITQ_INIT(time_was_set);

/* time_init - find and calibrate the clock, make this CPU's timer ready. Boot CPU, after arch_irq_init. */
void time_init(void)
{
	u64 seconds;

	arch_clock_init();
	arch_timer_init_cpu();
	if (arch_rtc_read(&seconds))
		time_realtime_offset = (s64)(seconds * NSEC_PER_SEC - time_now());
	else
		printk("clock: no battery-backed clock: it is 1970\n");
}

u64 time_realtime(void)
{
	return time_now() + (u64)READ_ONCE(time_realtime_offset);
}

s64 time_tai_offset(void)
{
	return READ_ONCE(tai_offset);
}

static void publish_locked(void)
{
	struct clock_params clock;

	vdso_set_clock(arch_clock_params(&clock) ? &clock : NULL, time_realtime_offset, tai_offset);
}

void time_publish(void)
{
	unsigned long irq = spin_lock_irqsave(&clock_lock);

	publish_locked();
	spin_unlock_irqrestore(&clock_lock, irq);
}

/* The wall clock never shows less than the time since boot; so its offset is never negative. */
int time_set_realtime(u64 ns)
{
	unsigned long irq = spin_lock_irqsave(&clock_lock);
	u64 now = time_now();
	int err = ns < now ? -EINVAL : 0;

	if (!err) {
		WRITE_ONCE(time_realtime_offset, (s64)(ns - now));
		publish_locked();
	}
	spin_unlock_irqrestore(&clock_lock, irq);
	if (!err)
		waitq_wake_all(&time_was_set);
	return err;
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
