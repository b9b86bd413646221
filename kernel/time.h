/* SPDX-License-Identifier: MIT */
/* time.h - clocks and one-shot timers. All times are u64 nanoseconds. */
#pragma once

#include <quire/types.h>
#include "lib/rbtree.h"

#define NSEC_PER_SEC  1000000000ul
#define NSEC_PER_MSEC 1000000ul
#define NSEC_PER_USEC 1000ul

/* time_now - monotonic ns since boot, the same on every CPU, never backwards. */
u64 time_now(void);
/* time_realtime_offset - add to time_now() for the wall clock; 0 until an RTC has been read. */
extern s64 time_realtime_offset;

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
