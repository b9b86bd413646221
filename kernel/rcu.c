/* SPDX-License-Identifier: MIT */
/*
 * rcu.c - grace periods and callbacks.
 *
 * Each CPU has its callbacks in three lists, through which they move in order:
 *
 *	fresh    queued by rcu_call, waiting for a number
 *	waiting  all for one grace period: the first to start after they got their number
 *	done     that grace period is over; about to be called
 *
 * One grace period at a time runs for the whole machine, under rcu_lock. At its start the counter of every
 * online CPU is noted. A CPU is out of it when its counter is even (user mode, idle) or has changed
 * since (it has switched threads, or been in user mode). Why that is enough: the start comes after a full
 * barrier, as does everything a CPU reads after it changed its counter. So either the start finds the new
 * value, or the CPU's later reads find what was stored before the start: the object unlinked.
 *
 * Progress: a CPU polls when it goes idle, and the timer makes it poll every few milliseconds while it has
 * callbacks. Polling CPUs are quiescent themselves, so on one CPU a single poll does everything.
 *
 * Locks: a CPU's lists are its own, interrupts off; rcu_lock (RANK_RCU) for the grace period.
 */
#include <arch/cpu.h>
#include "kernel/lock.h"
#include "kernel/rcu.h"
#include "kernel/smp.h"
#include "kernel/thread.h"
#include "kernel/time.h"

#define RCU_POLL_NS  (2 * NSEC_PER_MSEC)
#define RCU_PRESSURE 1024 /* callbacks of one CPU that make it poll at the next chance */
#define RCU_BATCH    256  /* called in one poll */
#define RCU_SHARE    8    /* .. or this part of what there is */

struct rcu_list {
	struct rcu_head *first, *last; /* last: meaningless when first is NULL */
};

struct rcu_cpu {
	struct rcu_list fresh, waiting, done;
	u64 waiting_for; /* grace period of `waiting` */
	struct timer timer;
};

static void poll_timer_expired(struct timer *);

PERCPU u64 rcu_counter = 1; /* a CPU starts inside the kernel */
PERCPU bool rcu_due;
PERCPU u64 rcu_callbacks;
static PERCPU struct rcu_cpu rcu_cpu = {.timer = {.fn = poll_timer_expired}};

/* The grace period; under rcu_lock. */
static struct spinlock rcu_lock = SPINLOCK_INIT(RANK_RCU);
static u64 gp_started, gp_completed; /* numbers; equal: none is running */
static u64 gp_wanted;                /* the last one that anyone waits for */
static struct cpumask gp_pending;    /* CPUs that may still have readers of it */
static u64 gp_snapshot[MAX_CPUS];

static void list_append(struct rcu_list *list, struct rcu_head *head)
{
	head->next = NULL;
	if (list->first)
		list->last->next = head;
	else
		list->first = head;
	list->last = head;
}

static void list_move(struct rcu_list *from, struct rcu_list *to)
{
	if (!from->first)
		return;
	if (to->first)
		to->last->next = from->first;
	else
		to->first = from->first;
	to->last = from->last;
	from->first = NULL;
}

/* --- the grace period: rcu_lock held, this CPU quiescent ---------------------------------------------- */

static void gp_start(void)
{
	unsigned self = cpu_id();

	gp_started++;
	smp_mb();
	cpumask_for_each (cpu, &cpus_online) {
		/* Acquire: if it is out already, its last reader is over for us. */
		u64 counter = atomic_load_acquire(&cpu_var(rcu_counter, cpu));

		if (cpu != self && (counter & 1)) {
			gp_snapshot[cpu] = counter;
			cpumask_set(&gp_pending, cpu);
		}
	}
}

static void gp_check(void)
{
	cpumask_for_each (cpu, &gp_pending) {
		u64 counter = atomic_load_acquire(&cpu_var(rcu_counter, cpu));

		if (cpu == cpu_id() || !(counter & 1) || counter != gp_snapshot[cpu])
			cpumask_clear(&gp_pending, cpu);
	}
	if (cpumask_empty(&gp_pending))
		gp_completed = gp_started;
}

/* Finish the running grace period if possible and start the next if somebody wants it. */
static void gp_advance(void)
{
	if (gp_completed != gp_started)
		gp_check();
	if (gp_completed == gp_started && gp_wanted > gp_completed) {
		gp_start();
		gp_check();
	}
}

/* --- callbacks ---------------------------------------------------------------------------------------- */

static void arm_poll_timer(struct rcu_cpu *rcu)
{
	if (!rcu->timer.armed && sched_is_running())
		timer_arm(&rcu->timer, time_now() + RCU_POLL_NS);
}

static void poll_timer_expired(struct timer *timer UNUSED)
{
	if (!this_cpu(rcu_callbacks))
		return;
	WRITE_ONCE(this_cpu(rcu_due), true);
	atomic_or(&current->work, THREAD_WORK_RESCHED); /* comes by sched_point */
}

/* rcu_call - see rcu.h. */
void rcu_call(struct rcu_head *head, void (*fn)(struct rcu_head *))
{
	unsigned long irq = cpu_irq_save();
	struct rcu_cpu *rcu = &this_cpu(rcu_cpu);

	head->fn = fn;
	list_append(&rcu->fresh, head);
	if (++this_cpu(rcu_callbacks) == RCU_PRESSURE) {
		WRITE_ONCE(this_cpu(rcu_due), true);
		atomic_or(&current->work, THREAD_WORK_RESCHED);
	}
	arm_poll_timer(rcu);
	cpu_irq_restore(irq);
}

/* Let the lists move on as far as grace periods allow. Interrupts off. */
static void rcu_advance(struct rcu_cpu *rcu)
{
	spin_lock(&rcu_lock);
	gp_advance();
	if (rcu->waiting_for <= gp_completed)
		list_move(&rcu->waiting, &rcu->done);
	if (!rcu->waiting.first && rcu->fresh.first) {
		list_move(&rcu->fresh, &rcu->waiting);
		rcu->waiting_for = gp_started + 1;
		gp_wanted = rcu->waiting_for;
		gp_advance();
		if (rcu->waiting_for <= gp_completed)
			list_move(&rcu->waiting, &rcu->done);
	}
	spin_unlock(&rcu_lock);
}

/* A few at a time, so that nobody waits long behind them; but of very many a good part, because they may be most of memory. */
static void call_done(struct rcu_cpu *rcu)
{
	unsigned long irq = cpu_irq_save();
	u64 batch = MAX(this_cpu(rcu_callbacks) / RCU_SHARE, (u64)RCU_BATCH);

	for (u64 n = 0; rcu->done.first && n < batch; n++) {
		struct rcu_head *head = rcu->done.first;

		rcu->done.first = head->next;
		this_cpu(rcu_callbacks)--;
		cpu_irq_restore(irq);
		head->fn(head);
		irq = cpu_irq_save();
	}
	if (this_cpu(rcu_callbacks))
		arm_poll_timer(rcu);
	cpu_irq_restore(irq);
}

/* rcu_poll - see rcu.h. */
void rcu_poll(void)
{
	unsigned long irq = cpu_irq_save();
	struct rcu_cpu *rcu = &this_cpu(rcu_cpu);

	WRITE_ONCE(this_cpu(rcu_due), false);
	rcu_note_switch();
	rcu_advance(rcu);
	cpu_irq_restore(irq);
	call_done(rcu);
}

u64 rcu_backlog(void)
{
	u64 n = 0;

	cpumask_for_each (cpu, &cpus_online)
		n += READ_ONCE(cpu_var(rcu_callbacks, cpu));
	return n;
}

struct sync_wait {
	struct rcu_head head;
	struct thread *thread;
	bool done;
};

static void sync_done(struct rcu_head *head)
{
	struct sync_wait *w = container_of(head, struct sync_wait, head);
	struct thread *thread = w->thread;

	atomic_store_release(&w->done, true);
	thread_wake(thread);
}

/* rcu_synchronize - see rcu.h. The thread may be gone when sync_done wakes it, but its struct is not: that
 * takes another grace period, which sync_done is inside of. */
void rcu_synchronize(void)
{
	struct sync_wait w = {.thread = current};

	rcu_call(&w.head, sync_done);
	for (;;) {
		thread_prepare_sleep(WAIT_UNINTERRUPTIBLE);
		if (atomic_load_acquire(&w.done))
			break;
		thread_sleep();
	}
	thread_cancel_sleep();
}
