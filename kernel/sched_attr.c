/* SPDX-License-Identifier: MIT */
/*
 * sched_attr.c - what a thread is to the scheduler: its weight among others, and the time it has used.
 *
 * All of it is under the lock of the thread's run queue. Which CPUs it may use: sched_balance.c.
 */
#include <arch/cpu.h>
#include "kernel/sched.h"
#include "lib/atomic.h"

#define SCHED_IDLE_WEIGHT 3

/* 1024 * 1.25^-nice: one step of niceness is worth about a tenth of the CPU between two threads. */
static const u32 nice_weights[40] = {
	88818, 71054, 56843, 45475, 36380, 29104, 23283, 18626, 14901, 11921,
	9537,  7629,  6104,  4883,  3906,  3125,  2500,  2000,  1600,  1280,
	1024,  819,   655,   524,   419,   336,   268,   215,   172,   137,
	110,   88,    70,    56,    45,    36,    29,    23,    18,    15,
};

/* sched_set_nice - see thread.h. */
void sched_set_nice(struct thread *t, int nice, bool idle)
{
	unsigned long irq = cpu_irq_save();
	struct runqueue *rq = runqueue_lock_of(t);

	if (rq->curr == t)
		sched_account(rq);
	t->nice = (s8)nice;
	t->weight = idle ? SCHED_IDLE_WEIGHT : nice_weights[nice + 20];
	spin_unlock_irqrestore(&rq->lock, irq);
}

/* --- user and system time ------------------------------------------------------------------------------
 * Nobody reads the clock when a system call begins or ends. While programs run, a timer looks every few milliseconds where
 * the interrupt came from, and what the running thread has used since its last sample goes to that side. An idle CPU stays
 * without timers: what a sleeping program has used since is attributed when it is sampled again, else it counts as
 * user time. */

PERCPU bool sched_irq_from_user;

/* sched_sample_due - see sched.h. */
void sched_sample_due(struct timer *timer)
{
	struct runqueue *rq = container_of(timer, struct runqueue, sample);
	struct thread *t;

	spin_lock(&rq->lock);
	t = rq->curr;
	if (t->proc) {
		sched_account(rq);
		if (!this_cpu(sched_irq_from_user))
			t->system_ns += t->cpu_time_ns - t->sampled_ns;
		t->sampled_ns = t->cpu_time_ns;
		if (atomic_load(&t->cpu_timed))
			atomic_or(&t->work, THREAD_WORK_CPU_TIME);
		timer_arm(timer, rq->clock_ns + SCHED_SAMPLE_NS);
	}
	spin_unlock(&rq->lock);
}

/* thread_cpu_time - see thread.h. */
u64 thread_cpu_time(struct thread *t)
{
	unsigned long irq = cpu_irq_save();
	struct runqueue *rq = runqueue_lock_of(t);
	u64 ns = t->cpu_time_ns;

	if (rq->curr == t)
		ns += time_now() - rq->clock_ns;
	spin_unlock_irqrestore(&rq->lock, irq);
	return ns;
}

/* thread_system_time - see thread.h. */
u64 thread_system_time(struct thread *t)
{
	unsigned long irq = cpu_irq_save();
	struct runqueue *rq = runqueue_lock_of(t);
	u64 ns = t->system_ns;

	spin_unlock_irqrestore(&rq->lock, irq);
	return ns;
}
