/* SPDX-License-Identifier: MIT */
/*
 * wall_clock.c - the time of day: the monotonic clock plus one offset.
 *
 * It starts with what the machine's battery-backed clock says and is changed by clock_settime(2). Programs compute it
 * themselves (kernel/vdso.h); what they need for that is published here.
 *
 * Locks: clock_lock (RANK_TIMER, interrupts off) for changes of the offsets. They are read without.
 */
#include <arch/timer.h>
#include <uapi/errno.h>
#include "kernel/lock.h"
#include "kernel/printk.h"
#include "kernel/time.h"
#include "kernel/vdso.h"
#include "kernel/wait.h"

static struct spinlock clock_lock = SPINLOCK_INIT(RANK_TIMER);
s64 time_realtime_offset;
static s64 tai_offset;

/* Sleepers until a time of the wall clock: they look again when it is set. */
struct waitq time_was_set = WAITQ_INIT(time_was_set);

void time_init_realtime(void)
{
	u64 seconds;

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
