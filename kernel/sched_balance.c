/* SPDX-License-Identifier: MIT */
/*
 * sched_balance.c - which CPU runs a thread.
 *
 * Three simple rules keep the CPUs busy:
 *   - a thread that wakes goes to an idle CPU if there is one, best its last, else back to its last;
 *   - a CPU that runs out of work takes a waiting thread from the longest queue;
 *   - a CPU whose slice ends while others wait gives one of them to a CPU with much less to do.
 *
 * Lengths and the idle mask are read without locks: a stale answer costs a little time, never correctness,
 * because affinity is checked again under the lock of the queue where the thread ends up.
 */
#include <arch/cpu.h>
#include <uapi/errno.h>
#include "kernel/sched.h"
#include "kernel/smp.h"
#include "lib/atomic.h"

struct cpumask idle_cpus;

/* How far into a queue stealing looks for a thread that may come. */
#define STEAL_SCAN 16

bool sched_cpu_allowed(const struct thread *t, unsigned cpu)
{
	return cpumask_test(&t->affinity, cpu) && cpumask_test(&cpus_online, cpu);
}

/* Waiting and running threads, the idle thread not counted. */
static u32 cpu_load(unsigned cpu)
{
	return atomic_load(&cpu_runqueue(cpu)->nr_queued) + !cpumask_test(&idle_cpus, cpu);
}

static unsigned find_idle(const struct thread *t)
{
	cpumask_for_each (cpu, &idle_cpus) {
		if (sched_cpu_allowed(t, cpu) && !atomic_load(&cpu_runqueue(cpu)->nr_queued))
			return cpu;
	}
	return MAX_CPUS;
}

static unsigned find_least_loaded(const struct thread *t)
{
	unsigned best = MAX_CPUS;
	u32 best_load = ~0u;

	cpumask_for_each (cpu, &cpus_online) {
		u32 load = cpu_load(cpu);

		if (cpumask_test(&t->affinity, cpu) && load < best_load) {
			best = cpu;
			best_load = load;
		}
	}
	/* The mask always names an online CPU (sched_set_affinity); offline CPUs never come back. */
	BUG_ON(best == MAX_CPUS);
	return best;
}

unsigned sched_choose_cpu(const struct thread *t)
{
	unsigned last = t->cpu, idle;
	bool last_ok;

	if (nr_cpus_online == 1) /* every affinity has an online CPU */
		return last;
	last_ok = sched_cpu_allowed(t, last);
	if (likely(last_ok) && cpu_load(last) == 0)
		return last;
	idle = find_idle(t);
	if (idle < MAX_CPUS)
		return idle;
	return last_ok && t->state != THREAD_NEW ? last : find_least_loaded(t);
}

/* --- moving waiting threads ------------------------------------------------------------------------- */

/* The first waiting thread that may run on `cpu`, off its queue and in hand. Queue locked. */
static struct thread *take_waiting(struct runqueue *rq, unsigned cpu)
{
	struct thread *t = rq->first;

	for (unsigned i = 0; t && i < STEAL_SCAN; i++, t = sched_next_queued(rq, t)) {
		if (cpumask_test(&t->affinity, cpu)) {
			sched_dequeue(rq, t);
			return t;
		}
	}
	return NULL;
}

static bool move_one(unsigned from, unsigned to)
{
	struct runqueue *rq = cpu_runqueue(from);
	struct thread *t;

	spin_lock(&rq->lock);
	sched_account(rq);
	t = take_waiting(rq, to);
	if (t)
		sched_place(rq, t, to);
	else
		spin_unlock(&rq->lock);
	return t;
}

bool sched_steal(void)
{
	unsigned self = cpu_id(), victim = MAX_CPUS;
	u32 most = 0;

	if (nr_cpus_online == 1)
		return false;
	cpumask_for_each (cpu, &cpus_online) {
		u32 queued = atomic_load(&cpu_runqueue(cpu)->nr_queued);

		if (cpu != self && queued > most) {
			most = queued;
			victim = cpu;
		}
	}
	return victim < MAX_CPUS && move_one(victim, self);
}

void sched_push(void)
{
	unsigned self = cpu_id(), target = self;
	u32 least = cpu_load(self);

	if (nr_cpus_online == 1)
		return;
	cpumask_for_each (cpu, &cpus_online) {
		u32 load = cpu_load(cpu);

		if (load + 1 < least) {
			least = load;
			target = cpu;
		}
	}
	if (target != self)
		move_one(self, target);
}

/* --- affinity --------------------------------------------------------------------------------------- */

/* sched_set_affinity - let t run only on these CPUs. A waiting or sleeping thread obeys at once, and so does
 * the current one; one that runs on another CPU moves when it next leaves the kernel or sleeps.
 *  sleeps: yes   returns: 0, or -EINVAL when none of the CPUs is online */
int sched_set_affinity(struct thread *t, const struct cpumask *mask)
{
	struct cpumask allowed;
	struct runqueue *rq;
	unsigned long irq;
	bool move_self = false;

	for (unsigned i = 0; i < ARRAY_SIZE(allowed.bits); i++)
		allowed.bits[i] = mask->bits[i] & cpus_online.bits[i];
	if (cpumask_empty(&allowed))
		return -EINVAL;
	irq = cpu_irq_save();
	rq = runqueue_lock_of(t);
	t->affinity = *mask;
	if (cpumask_test(&allowed, rq->cpu) || t->state == THREAD_DEAD) {
		spin_unlock(&rq->lock);
	} else if (t->on_rq) {
		sched_dequeue(rq, t);
		sched_account(rq);
		sched_place(rq, t, sched_choose_cpu(t));
	} else {
		if (rq->curr == t) {
			atomic_or(&t->work, THREAD_WORK_RESCHED);
			move_self = t == current;
			if (!move_self)
				smp_kick(rq->cpu);
		}
		spin_unlock(&rq->lock);
	}
	cpu_irq_restore(irq);
	if (move_self)
		sched_reschedule();
	return 0;
}
