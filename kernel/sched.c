/* SPDX-License-Identifier: MIT */
/*
 * sched.c - sharing CPUs among threads: virtual run time, switching, waking.
 *
 * Each CPU has a queue of waiting threads ordered by virtual run time: the time a thread has run, scaled
 * by 1024 / weight. The one that has had least runs next, for a slice of a few milliseconds if
 * others wait and for as long as it likes if none do: without competitors there is no timer. A thread that
 * slept keeps a small part of its arrears, enough to run soon and too little to starve the others.
 *
 * The kernel is not preempted. A CPU switches when a thread sleeps, exits or yields, and on the way to
 * user mode when THREAD_WORK_RESCHED is set (by the slice timer, or by a waker).
 *
 * A queue's lock is held, interrupts off, from the decision to switch through the switch itself, and is
 * released by the thread that was switched to (switch_finish). So whoever has the lock never sees a
 * thread that is half switched, and a thread that is asleep may be continued on another CPU at once.
 *
 * Sleeping without lost wake-ups: a thread declares itself SLEEPING, then looks at its condition, then
 * switches away, which does nothing if a waker has made it RUNNING again in between.
 *
 * Address spaces: a CPU keeps the last page tables loaded while it runs kernel threads or idles, and
 * holds a reference to whatever is loaded.
 *
 * Read next: kernel/sched.h for who may touch what, arch/<arch>/switch.S, sched_balance.c, sched_attr.c.
 */
#include <arch/as.h>
#include <arch/boot.h>
#include <arch/call.h>
#include <arch/cpu.h>
#include <quire/assert.h>
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "kernel/smp.h"
#include "kernel/trace.h"
#include "kernel/user_timers.h"
#include "lib/atomic.h"
#include "mm/pt/aspace.h"

static struct thread boot_thread = {
	.name = "idle/0",
	.refs = 1,
	.state = THREAD_RUNNING,
	.weight = 1024,
};

PERCPU struct thread *cpu_current = &boot_thread;
PERCPU struct runqueue runqueue = {.lock = SPINLOCK_INIT(RANK_RUNQUEUE)};

static inline u64 weighted(const struct thread *t, u64 ns)
{
	return likely(t->weight == 1024) ? ns : ns * 1024 / t->weight;
}

/* --- the queue ---------------------------------------------------------------------------------- */

static NOINLINE USED struct runqueue *lock_again(struct thread *t, struct runqueue *rq)
{
	u32 cpu;

	do {
		spin_unlock(&rq->lock);
		cpu = atomic_load(&t->cpu);
		rq = cpu_runqueue(cpu);
		spin_lock(&rq->lock);
	} while (atomic_load(&t->cpu) != cpu);
	return rq;
}
RARE_FUNCTION(lock_again);

static ALWAYS_INLINE struct runqueue *lock_queue_of(struct thread *t)
{
	struct runqueue *rq = cpu_runqueue(atomic_load(&t->cpu));

	spin_lock(&rq->lock);
	return likely(atomic_load(&t->cpu) == rq->cpu) ? rq : rare_call(lock_again, t, rq);
}

struct runqueue *runqueue_lock_of(struct thread *t)
{
	return lock_queue_of(t);
}

/* Where there are others. The one that was first until now goes before all of them. */
static NOINLINE USED void enqueue_among(struct runqueue *rq, struct thread *t)
{
	struct rb_node **link = &rq->others.node, *parent = NULL;
	struct thread *first = rq->first;
	bool demote = (s64)(t->vruntime - first->vruntime) < 0;

	if (demote) {
		rq->first = t;
		t = first;
	}
	while (*link) {
		struct thread *other = rb_entry(*link, struct thread, rq_node);

		parent = *link;
		link = &parent->child[!demote && (s64)(t->vruntime - other->vruntime) >= 0];
	}
	rb_insert(&rq->others, &t->rq_node, parent, link, NULL);
}
RARE_FUNCTION(enqueue_among);

/* True: it is the only one. */
static ALWAYS_INLINE bool enqueue(struct runqueue *rq, struct thread *t)
{
	t->on_rq = true;
	atomic_store(&rq->nr_queued, rq->nr_queued + 1);
	if (likely(!rq->first)) {
		rq->first = t;
		return true;
	}
	rare_call(enqueue_among, rq, t);
	return false;
}

static NOINLINE USED void dequeue_from_others(struct runqueue *rq, struct thread *t)
{
	if (rq->first == t) {
		t = rb_entry(rb_first(&rq->others), struct thread, rq_node);
		rq->first = t;
	}
	rb_erase(&rq->others, &t->rq_node, NULL);
}
RARE_FUNCTION(dequeue_from_others);

/* How many are left. */
static ALWAYS_INLINE u32 dequeue(struct runqueue *rq, struct thread *t)
{
	u32 left = rq->nr_queued - 1;

	t->on_rq = false;
	atomic_store(&rq->nr_queued, left);
	if (likely(!left))
		rq->first = NULL;
	else
		rare_call(dequeue_from_others, rq, t);
	return left;
}

void sched_dequeue(struct runqueue *rq, struct thread *t)
{
	dequeue(rq, t);
}

struct thread *sched_next_queued(struct runqueue *rq, struct thread *t)
{
	struct rb_node *node = t == rq->first ? rb_first(&rq->others) : rb_next(&t->rq_node);

	return rb_entry_safe(node, struct thread, rq_node);
}

/* The time. The idle thread is charged like any other. */
static ALWAYS_INLINE u64 account(struct runqueue *rq)
{
	struct thread *t = rq->curr;
	u64 now = time_now(), ns = now - rq->clock_ns;

	rq->clock_ns = now;
	t->cpu_time_ns += ns;
	t->vruntime += weighted(t, ns);
	return now;
}

static ALWAYS_INLINE void raise_floor(struct runqueue *rq, u64 vruntime)
{
	if ((s64)(vruntime - rq->min_vruntime) > 0)
		rq->min_vruntime = vruntime;
}

/* The thread that runs, NULL: the CPU idles. */
static ALWAYS_INLINE struct thread *running(const struct runqueue *rq)
{
	return likely(rq->curr != rq->idle) ? rq->curr : NULL;
}

/* The floor of virtual time follows whoever has had least of those that compete. Queue accounted. */
static ALWAYS_INLINE u64 find_floor(struct runqueue *rq, const struct thread *curr)
{
	const struct thread *first = rq->first;
	u64 floor = rq->min_vruntime, least = floor;

	if (likely(curr))
		least = curr->vruntime;
	if (unlikely(first) && (!curr || (s64)(first->vruntime - least) < 0))
		least = first->vruntime;
	if ((s64)(least - floor) > 0)
		rq->min_vruntime = floor = least;
	return floor;
}

/* While a thread runs alone nobody looks at the clock, so what is compared with a queue's virtual time
 * comes after this. */
void sched_account(struct runqueue *rq)
{
	account(rq);
	find_floor(rq, running(rq));
}

/* runnable_ns is the time, negative, at which each thread that can run here began to, and the time at which each of the
 * others ceased: a thread comes and goes with one addition. */
u64 sched_runnable_ns(struct runqueue *rq)
{
	u64 runnable = rq->nr_queued + (rq->curr != rq->idle);

	return rq->runnable_ns + runnable * account(rq);
}

/* --- time slices -------------------------------------------------------------------------------- */

/* Arming is left out when the timer runs for an earlier slice: it finds out when it fires. This CPU's
 * queue, locked. */
static NOINLINE USED void slice_start(struct runqueue *rq)
{
	timer_arm(&rq->slice, rq->clock_ns + SCHED_SLICE_NS);
}
RARE_FUNCTION(slice_start);

static void slice_expired(struct timer *timer)
{
	struct runqueue *rq = container_of(timer, struct runqueue, slice);
	bool others;

	spin_lock(&rq->lock);
	sched_account(rq);
	others = rq->nr_queued && rq->curr != rq->idle;
	if (others) {
		u64 end = rq->curr->slice_start_ns + SCHED_SLICE_NS;

		if (rq->clock_ns < end) {
			timer_arm(timer, end);
			others = false;
		} else {
			atomic_or(&rq->curr->work, THREAD_WORK_RESCHED);
		}
	}
	spin_unlock(&rq->lock);
	if (others)
		sched_push();
}

/* Programs are sampled while they run: sched_attr.c. This CPU's queue, locked. */
static NOINLINE USED void sample_start(struct runqueue *rq, const struct thread *next)
{
	if (next->proc)
		timer_arm(&rq->sample, rq->clock_ns + SCHED_SAMPLE_NS);
}
RARE_FUNCTION(sample_start);

/* --- switching ---------------------------------------------------------------------------------- */

static ALWAYS_INLINE void switch_aspace(struct runqueue *rq, struct aspace *as)
{
	if (likely(as == rq->loaded) || !as)
		return;
	as_get(as);
	arch_as_switch(as);
	rq->to_put = rq->loaded;
	rq->loaded = as;
}

/* What seldom is left to do for the thread switched away from: it has to go to another CPU, or it is dead. */
static NOINLINE void finish_prev(struct runqueue *rq, struct thread *prev)
{
	rq->leaving = NULL;
	if (prev->state != THREAD_DEAD) {
		sched_account(rq);
		sched_place(rq, prev, sched_choose_cpu(prev));
	} else {
		spin_unlock(&rq->lock);
		thread_finish_dead(prev);
	}
}

/* First thing in the context of the thread switched to, on the CPU that did it: its queue is locked.
 * after: unlocked; interrupts still off */
static ALWAYS_INLINE void switch_finish(struct thread *prev)
{
	struct runqueue *rq = this_runqueue();
	struct aspace *put = rq->to_put;

	if (put)
		rq->to_put = NULL;
	if (likely(!rq->leaving))
		spin_unlock(&rq->lock);
	else
		finish_prev(rq, prev);
	if (put)
		as_put(put);
}

/* The floor of virtual time has to be remembered only where nobody is left. */
static ALWAYS_INLINE struct thread *pick_next(struct runqueue *rq, const struct thread *prev)
{
	struct thread *next = rq->first;

	if (unlikely(!next)) {
		if (prev != rq->idle)
			raise_floor(rq, prev->vruntime);
		return rq->idle;
	}
	if (unlikely(dequeue(rq, next)) && !rq->slice.armed)
		rare_call(slice_start, rq);
	return next;
}

/* What becomes of a thread that stops running and wants to go on. */
static void put_prev(struct runqueue *rq, struct thread *prev)
{
	if (prev == rq->idle)
		return;
	atomic_store(&prev->state, THREAD_RUNNABLE);
	if (likely(sched_cpu_allowed(prev, rq->cpu)))
		enqueue(rq, prev);
	else
		rq->leaving = prev;
}

/* Choose and switch. Interrupts off, queue locked; after: unlocked, on this thread's next turn.
 *  voluntary: the thread's state says that it does not want to go on */
static ALWAYS_INLINE void switch_away(struct runqueue *rq, bool voluntary)
{
	struct thread *prev = rq->curr, *next;
	u64 now;

	assert(prev == current && voluntary == (prev->state != THREAD_RUNNING));
	if (atomic_load(&prev->work) & THREAD_WORK_RESCHED)
		atomic_and(&prev->work, ~(u32)THREAD_WORK_RESCHED);
	now = account(rq);
	if (voluntary)
		rq->runnable_ns += now;
	else
		put_prev(rq, prev);
	next = pick_next(rq, prev);
	atomic_store(&next->state, THREAD_RUNNING);
	next->slice_start_ns = now;
	if (unlikely(!rq->sample.armed))
		rare_call(sample_start, rq, next);
	if (!voluntary && next == prev) {
		spin_unlock(&rq->lock);
		return;
	}
	if (voluntary)
		prev->nvcsw++;
	else
		prev->nivcsw++;
	rq->nr_switches++;
	rq->curr = next;
	switch_aspace(rq, next->as);
	rcu_note_switch();
	trace_at(now, TRACE_SWITCH, prev->id, next->id, *(const u64 *)next->name, 0);
	this_cpu(cpu_current) = next;
	switch_finish(arch_switch(prev, next));
}

static NOINLINE void schedule(struct runqueue *rq)
{
	switch_away(rq, rq->curr->state != THREAD_RUNNING);
}

/* thread_begin - see thread.h. */
void thread_begin(struct thread *prev)
{
	struct thread *self = current;

	switch_finish(prev);
	cpu_irq_enable();
	if (self->entry) {
		self->entry(self->entry_arg);
		thread_exit();
	}
}

/* thread_exit - end the current thread; does not return. Locks: none held. */
void thread_exit(void)
{
	struct runqueue *rq;

	lock_assert_may_sleep();
	cpu_irq_disable();
	rq = this_runqueue();
	spin_lock(&rq->lock);
	BUG_ON(rq->curr == rq->idle);
	atomic_store(&rq->curr->state, THREAD_DEAD);
	rq->leaving = rq->curr;
	schedule(rq);
	panic("a dead thread runs");
}

void sched_reschedule(void)
{
	unsigned long irq = cpu_irq_save();
	struct runqueue *rq = this_runqueue();

	spin_lock(&rq->lock);
	schedule(rq);
	cpu_irq_restore(irq);
}

/* sched_yield_cpu - let the others on this CPU run first. Who yields and is alone here waits for another
 * CPU, and pauses like any busy wait. Sleeps. */
void sched_yield_cpu(void)
{
	struct runqueue *rq;
	struct thread *first;
	unsigned long irq;

	lock_assert_may_sleep();
	irq = cpu_irq_save();
	rq = this_runqueue();
	spin_lock(&rq->lock);
	sched_account(rq);
	first = rq->first;
	if (first && (s64)(first->vruntime - rq->curr->vruntime) >= 0)
		rq->curr->vruntime = first->vruntime;
	schedule(rq);
	cpu_irq_restore(irq);
	if (!first)
		cpu_relax();
}

/* sched_point - for long loops in the kernel: let others run when the slice is over. May sleep. */
void sched_point(void)
{
	lock_assert_may_sleep();
	if (atomic_load(&current->work) & THREAD_WORK_RESCHED)
		sched_reschedule();
	if (rcu_poll_due())
		rcu_poll();
}

#define RETURN_WORK (THREAD_WORK_RESCHED | THREAD_WORK_SIGNAL | THREAD_WORK_CPU_TIME)

/* thread_return_to_user - see thread.h. */
void thread_return_to_user(struct trap_frame *frame)
{
	struct thread *self = current;
	u32 work;

	while ((work = atomic_load(&self->work) & RETURN_WORK)) {
		if (work & THREAD_WORK_CPU_TIME)
			cpu_timers_check();
		if (work & THREAD_WORK_RESCHED)
			sched_point();
		if (work & THREAD_WORK_SIGNAL)
			signal_deliver(frame);
	}
}

/* --- sleeping and waking -------------------------------------------------------------------------- */

/* thread_sleep - switch away until woken, unless that has happened. May return without reason: look at the
 * condition again. */
void thread_sleep(void)
{
	struct runqueue *rq;

	cpu_irq_disable();
	rq = this_runqueue();
	spin_lock(&rq->lock);
	assert(rq->curr != rq->idle);
	if (unlikely(rq->curr->state == THREAD_RUNNING))
		spin_unlock(&rq->lock);
	else
		switch_away(rq, true);
	cpu_irq_enable();
}

struct sleep_timer {
	struct timer timer;
	struct thread *thread;
};

static void sleep_timer_expired(struct timer *timer)
{
	thread_wake(container_of(timer, struct sleep_timer, timer)->thread);
}

/* thread_sleep_until - thread_sleep with a deadline; true if it ended before. */
bool thread_sleep_until(u64 deadline_ns)
{
	struct sleep_timer s = {.thread = current};

	if (!deadline_ns) {
		thread_sleep();
		return true;
	}
	timer_init(&s.timer, sleep_timer_expired);
	timer_arm(&s.timer, deadline_ns);
	thread_sleep();
	return timer_cancel(&s.timer);
}

static NOINLINE USED void kick(u32 cpu)
{
	smp_kick(cpu);
}
RARE_FUNCTION(kick);

/* t was put on this queue, locked and accounted: should its CPU do something about it?
 *  curr: the thread that runs there   alone: no other waits   local: it is this CPU */
static ALWAYS_INLINE void notify(struct runqueue *rq, struct thread *t, struct thread *curr,
				 bool alone, bool local)
{
	if (likely(curr)) {
		if (unlikely((s64)(curr->vruntime - t->vruntime) > (s64)SCHED_WAKE_GRAN_NS))
			atomic_or(&curr->work, THREAD_WORK_RESCHED);
		else if (!alone)
			return;
		if (local && unlikely(!rq->slice.armed))
			rare_call(slice_start, rq);
	}
	if (!local)
		rare_call(kick, rq->cpu);
}

static ALWAYS_INLINE void place_here(struct runqueue *rq, struct thread *t, struct thread *curr,
				     bool local)
{
	bool alone = enqueue(rq, t);

	notify(rq, t, curr, alone, local);
	spin_unlock(&rq->lock);
}

void sched_place(struct runqueue *rq, struct thread *t, unsigned target)
{
	while (target != rq->cpu) {
		u64 lag = t->vruntime - rq->min_vruntime;

		rq->runnable_ns += rq->clock_ns;
		atomic_store(&t->cpu, target);
		spin_unlock(&rq->lock);
		rq = cpu_runqueue(target);
		spin_lock(&rq->lock);
		sched_account(rq);
		rq->runnable_ns -= rq->clock_ns;
		t->vruntime = rq->min_vruntime + lag;
		if (!sched_cpu_allowed(t, target))
			target = sched_choose_cpu(t);
	}
	place_here(rq, t, running(rq), rq == this_runqueue());
}

/* A NEW thread gets a reference of its own, until it is dead, and starts where the others are. */
static NOINLINE USED void begin_life(struct runqueue *rq, struct thread *t)
{
	thread_get(t);
	t->vruntime = rq->min_vruntime;
}
RARE_FUNCTION(begin_life);

static NOINLINE void place_where_best(struct runqueue *rq, struct thread *t)
{
	unsigned target = sched_choose_cpu(t);

	atomic_store(&t->state, THREAD_RUNNABLE);
	sched_place(rq, t, target);
}

/* To the queue of some CPU. rq, the queue that t->cpu names, is locked; after: nothing is. A thread on its way back is not
 * so far behind that it would monopolise the CPU. */
static ALWAYS_INLINE void wake_up(struct runqueue *rq, struct thread *t, u32 state)
{
	struct thread *curr = running(rq);
	u64 now = account(rq), least = find_floor(rq, curr) - weighted(t, SCHED_WAKE_CREDIT_NS);

	rq->runnable_ns -= now;
	if ((s64)(t->vruntime - least) < 0)
		t->vruntime = least;
	if (unlikely(state == THREAD_NEW))
		rare_call(begin_life, rq, t);
	if (unlikely(nr_cpus_online > 1)) {
		place_where_best(rq, t);
		return;
	}
	atomic_store(&t->state, THREAD_RUNNABLE);
	place_here(rq, t, curr, true);
}

/* thread_wake_queued - see thread.h. */
bool thread_wake_queued(struct thread *t)
{
	struct runqueue *rq = lock_queue_of(t);
	u32 state = t->state;

	if (unlikely(rq->curr == t || state > THREAD_SLEEPING)) {
		if (state <= THREAD_SLEEPING)
			atomic_store(&t->state, THREAD_RUNNING);
		spin_unlock(&rq->lock);
		return state <= THREAD_SLEEPING;
	}
	wake_up(rq, t, state);
	return true;
}

/* thread_wake - see thread.h.
 *  context: any; takes a run queue's lock. t is held by a reference or by RCU */
bool thread_wake(struct thread *t)
{
	unsigned long irq;
	bool woken;

	/* The caller's condition is visible before we look whether t is awake. */
	smp_mb();
	if (atomic_load(&t->state) > THREAD_SLEEPING)
		return false;
	irq = cpu_irq_save();
	woken = thread_wake_queued(t);
	cpu_irq_restore(irq);
	return woken;
}

void sched_ipi(void)
{
	struct runqueue *rq = this_runqueue();

	spin_lock(&rq->lock);
	if (rq->nr_queued && rq->curr != rq->idle && !rq->slice.armed)
		rare_call(slice_start, rq);
	spin_unlock(&rq->lock);
}

/* --- address spaces --------------------------------------------------------------------------------- */

/* sched_use_aspace - see thread.h. */
void sched_use_aspace(struct aspace *as)
{
	unsigned long irq = cpu_irq_save();
	struct runqueue *rq = this_runqueue();
	struct aspace *put;

	current->as = as;
	switch_aspace(rq, as);
	/* Loaded already, perhaps, but for nobody: the architecture may have stopped looking after it. */
	if (as)
		arch_as_switch(as);
	put = rq->to_put;
	rq->to_put = NULL;
	cpu_irq_restore(irq);
	if (put)
		as_put(put);
}

/* --- bring-up --------------------------------------------------------------------------------------- */

/* The CPU runs its idle thread; kernel_as is loaded. */
static void init_runqueue(struct runqueue *rq, unsigned cpu, struct thread *idle)
{
	rq->cpu = cpu;
	rq->curr = rq->idle = idle;
	rq->loaded = &kernel_as;
	rq->clock_ns = time_now();
	timer_init(&rq->slice, slice_expired);
	timer_init(&rq->sample, sched_sample_due);
	as_get(&kernel_as);
}

/* sched_init - the boot CPU's queue; the code that runs is its idle thread. After mm_init. */
void sched_init(void)
{
	thread_init();
	wait_init();
	thread_init_fields(&boot_thread, "idle/0");
	boot_thread.kstack = (vaddr_t)boot_stack;
	init_runqueue(this_runqueue(), 0, &boot_thread);
}

int sched_prepare_cpu(unsigned cpu, vaddr_t *stack_top)
{
	struct thread *idle;
	int err = thread_alloc(&idle, "idle");

	if (err)
		return err;
	idle->state = THREAD_RUNNING;
	idle->cpu = cpu;
	cpu_var(cpu_current, cpu) = idle;
	init_runqueue(cpu_runqueue(cpu), cpu, idle);
	*stack_top = idle->kstack + KSTACK_SIZE;
	return 0;
}

/* sched_init_cpu - on the CPU itself, before it is online. */
void sched_init_cpu(void)
{
	this_runqueue()->clock_ns = time_now();
}
