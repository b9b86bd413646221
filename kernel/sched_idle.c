/* SPDX-License-Identifier: MIT */
/*
 * sched_idle.c - what a CPU does when no thread wants it.
 *
 * It looks once for work elsewhere and for RCU callbacks to run, and then sleeps until an interrupt. There
 * is no periodic tick: a CPU without timers is not woken until someone kicks it. While it sleeps its
 * RCU counter is even, so nobody waits for it.
 */
#include <arch/cpu.h>
#include "kernel/sched.h"
#include "lib/atomic.h"

static bool running;

bool sched_is_running(void)
{
	return READ_ONCE(running);
}

static bool has_work(struct runqueue *rq)
{
	return atomic_load(&rq->nr_queued) || sched_steal();
}

/* Sleep until an interrupt, unless a thread is waiting. Called and returns with interrupts off. A
 * thread that is queued here from now on comes with a kick, which ends the wait. */
static void idle_wait(struct runqueue *rq)
{
	if (rcu_has_callbacks())
		rcu_poll();
	if (has_work(rq))
		return;
	rcu_kernel_exit();
	cpu_idle_wait();
	cpu_irq_disable();
	rcu_kernel_enter();
}

/* sched_idle_loop - the current thread is this CPU's idle thread and never sleeps or ends. */
void sched_idle_loop(void)
{
	struct runqueue *rq = this_runqueue();

	WRITE_ONCE(running, true);
	cpu_irq_disable();
	for (;;) {
		cpumask_set_atomic(&idle_cpus, rq->cpu);
		smp_mb();
		while (!atomic_load(&rq->nr_queued))
			idle_wait(rq);
		cpumask_clear_atomic(&idle_cpus, rq->cpu);
		sched_reschedule();
	}
}
