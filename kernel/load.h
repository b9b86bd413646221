/* SPDX-License-Identifier: MIT */
/*
 * load.h - how busy the machine is: for /proc/stat, /proc/loadavg and sysinfo(2).
 *
 * The run queues add up how long how many threads were runnable. The averages are made of these sums when
 * somebody asks, and when a process is made, so that an idle machine has nothing to do for them.
 */
#pragma once

#include <quire/types.h>
#include "kernel/percpu.h"

struct load_cpu {
	u64 idle_ns, busy_ns;
	u64 switches;
};

/* load_cpu - of one CPU since boot. load_count - threads that are running or could be, now. */
void load_cpu(unsigned cpu, struct load_cpu *out);
u32 load_count_runnable(void);

/* load_update - bring the averages up to date if that is due. Cheap when it is not. Any context that may spin.
 * load_averages - over 1, 5 and 15 minutes, in units of 1 / LOAD_ONE; includes load_update. */
#define LOAD_SHIFT 11
#define LOAD_ONE   (1u << LOAD_SHIFT)
void load_update(u64 now);
void load_averages(u64 out[3]);

/* load_interrupts - that all CPUs have taken since boot; each adds to its own count. */
extern PERCPU u64 irq_count;
u64 load_interrupts(void);
