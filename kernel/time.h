/* SPDX-License-Identifier: MIT */
/* time.h - clocks and one-shot timers. All times are u64 nanoseconds. */
#pragma once

#include <quire/types.h>
#include <arch/timer.h>
#include "lib/rbtree.h"

struct waitq;

#define NSEC_PER_SEC  1000000000ul
#define NSEC_PER_MSEC 1000000ul
#define NSEC_PER_USEC 1000ul

/* time_now - monotonic ns since boot, the same on every CPU, never backwards. 0 until time_init. Any context. */
static inline u64 time_now(void)
{
	return arch_clock_ns();
}

/* time_realtime_offset - add to time_now() for the wall clock. Changes when the clock is set.
 * time_realtime - that sum. time_tai_offset - ns from it to atomic time. */
extern s64 time_realtime_offset;
u64 time_realtime(void);
/* time_init_realtime - from the battery-backed clock. Boot CPU, after time_init. */
void time_init_realtime(void);
s64 time_tai_offset(void);

/* time_set_realtime - set the wall clock; wakes those who sleep until a time of it. Any context but an
 * interrupt's. -EINVAL: earlier than the machine was started. */
int time_set_realtime(u64 ns);
extern struct waitq time_was_set;

/* How time_now() comes from a counter that programs can read, too:
 * ns_base + (counter - counter_base) * mult / 2^32, with a product of 128 bits. */
struct clock_params {
	u64 counter_base, ns_base, mult;
};
/* time_publish - tell programs (kernel/vdso.h). */
void time_publish(void);

/* A callback at a point of monotonic time, on the CPU that armed it, interrupts off: it may wake
 * threads and arm timers, nothing that sleeps. */
struct timer {
	struct rb_node node;
	u64 deadline;
	void (*fn)(struct timer *);
	u32 cpu;
	bool armed;
};

void timer_init(struct timer *, void (*fn)(struct timer *));
void timer_arm(struct timer *, u64 deadline_ns); /* re-arms when armed */
bool timer_cancel(struct timer *); /* true: it had not fired; on return fn is not running */
void timer_interrupt(void);        /* from the arch timer interrupt, interrupts off */
void time_init(void);

/* delay - busy wait for hardware (bring-up only); pauses, so that single-threaded emulation runs on. */
void time_delay_ns(u64 ns);
/* thread_sleep_ns - sleep at least ns; uninterruptible. */
void time_sleep_ns(u64 ns);
