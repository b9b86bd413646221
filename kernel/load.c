/* SPDX-License-Identifier: MIT */
/*
 * load.c - busy times, and averages of how many threads were runnable.
 *
 * The average decays in steps of five seconds as on Linux, but with the mean over the time since the last update
 * in place of samples: so it need not be updated at any particular moment.
 */
#include "kernel/load.h"

#include <arch/cpu.h>
#include "kernel/sched.h"
#include "kernel/smp.h"
#include "lib/atomic.h"

#define STEP_NS (5 * NSEC_PER_SEC)

static const u64 decay[3] = {1884, 2014, 2037}; /* e^(-5s/1min), 5min, 15min, in LOAD_ONE */

PERCPU u64 irq_count;

static struct spinlock load_lock = SPINLOCK_INIT(RANK_PROCESS);
static u64 next_update = STEP_NS;   /* written under load_lock */
static u64 updated_ns, runnable_ns; /* [load_lock] as of the last update */
static u64 averages[3];             /* [load_lock] */

void load_cpu(unsigned cpu, struct load_cpu *out)
{
	struct runqueue *rq = cpu_runqueue(cpu);
	u64 now = time_now();

	out->idle_ns = thread_cpu_time(rq->idle);
	out->busy_ns = now > out->idle_ns ? now - out->idle_ns : 0;
	out->switches = READ_ONCE(rq->nr_switches);
}

u32 load_count_runnable(void)
{
	u32 n = 0;

	cpumask_for_each (cpu, &cpus_online) {
		struct runqueue *rq = cpu_runqueue(cpu);

		n += atomic_load(&rq->nr_queued) + (READ_ONCE(rq->curr) != rq->idle);
	}
	return n;
}

u64 load_interrupts(void)
{
	u64 n = 0;

	for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
		n += READ_ONCE(cpu_var(irq_count, cpu));
	return n;
}

/* sum_runnable - thread-nanoseconds up to now on all CPUs. */
static u64 sum_runnable(void)
{
	u64 sum = 0;

	cpumask_for_each (cpu, &cpus_online) {
		struct runqueue *rq = cpu_runqueue(cpu);
		unsigned long irq = cpu_irq_save();

		spin_lock(&rq->lock);
		sum += sched_runnable_ns(rq);
		spin_unlock_irqrestore(&rq->lock, irq);
	}
	return sum;
}

/* power - x^n for a fraction x of LOAD_ONE. */
static u64 power(u64 x, u64 n)
{
	u64 result = LOAD_ONE;

	for (; n; n >>= 1, x = x * x >> LOAD_SHIFT)
		if (n & 1)
			result = result * x >> LOAD_SHIFT;
	return result;
}

static void update_locked(u64 now)
{
	u64 steps = (now - updated_ns) / STEP_NS, sum = sum_runnable(), mean;

	if (!steps)
		return;
	mean = (sum - runnable_ns) / ((now - updated_ns) >> LOAD_SHIFT);
	for (unsigned i = 0; i < 3; i++) {
		u64 keep = power(decay[i], steps);

		/* Rounded up while it rises, so that it gets to where it is going. */
		averages[i] = (averages[i] * keep + mean * (LOAD_ONE - keep) +
			       (mean >= averages[i] ? LOAD_ONE - 1 : 0)) >>
			      LOAD_SHIFT;
	}
	updated_ns = now;
	runnable_ns = sum;
	WRITE_ONCE(next_update, now + STEP_NS);
}

void load_update(u64 now)
{
	if (likely(now < READ_ONCE(next_update)))
		return;
	spin_lock(&load_lock);
	if (now >= next_update)
		update_locked(now);
	spin_unlock(&load_lock);
}

void load_averages(u64 out[3])
{
	load_update(time_now());
	spin_lock(&load_lock);
	for (unsigned i = 0; i < 3; i++)
		out[i] = averages[i];
	spin_unlock(&load_lock);
}
