/* SPDX-License-Identifier: MIT */
/*
 * sim_sched.c - see sim_sched.h: the environment of the scheduler, and the checks of its state.
 */
#include "sim_sched.h"

#include <setjmp.h>

#include "harness.h"
#include "sim.h"

#include <arch/as.h>
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/thread.h>
#include <arch/timer.h>
#include "kernel/vdso.h"
#include "kernel/user_timers.h"
#include "kernel/rcu.h"
#include "kernel/signal.h"
#include "kernel/smp.h"
#include "kernel/trace.h"
#include "kernel/wait.h"
#include "mm/pt/aspace.h"

struct simsched_thread simsched_threads[SIMSCHED_MAX_THREADS];
unsigned simsched_nr_threads;
u64 simsched_now;
char boot_stack[1];
struct aspace kernel_as;

static struct thread idle_threads[SIM_MAX_CPUS];
static u64 deadlines[SIM_MAX_CPUS];
static bool kicked[SIM_MAX_CPUS];
static jmp_buf after_exit;

/* --- what the scheduler finds around itself --------------------------------------------------------- */

void arch_clock_init(void)
{
}

bool arch_clock_params(struct clock_params *params)
{
	(void)params;
	return false;
}

/* No thread here has timers of CPU time. */
void cpu_timers_check(void)
{
}

/* Nobody waits for the wall clock to be set. */
unsigned waitq_wake(struct waitq *q, unsigned n)
{
	(void)q;
	(void)n;
	return 0;
}

bool arch_rtc_read(u64 *seconds)
{
	(void)seconds;
	return false;
}

void vdso_set_clock(const struct clock_params *params, s64 realtime_offset, s64 tai_offset)
{
	(void)params;
	(void)realtime_offset;
	(void)tai_offset;
}

u64 arch_clock_ns(void)
{
	return simsched_now;
}

void arch_timer_init_cpu(void)
{
}

void arch_timer_arm(u64 deadline_ns)
{
	BUG_ON(cpu_irqs_enabled());
	deadlines[cpu_id()] = deadline_ns;
}

/* The code that follows in the caller goes on as next's; a dead thread has none. */
struct thread *arch_switch(struct thread *prev, struct thread *next)
{
	next->arch.switches++;
	if (prev->state != THREAD_DEAD)
		return prev;
	thread_begin(prev);
	longjmp(after_exit, 1);
}

void arch_as_switch(struct aspace *next UNUSED)
{
}

void as_get(struct aspace *as)
{
	as->refs++;
}

void as_put(struct aspace *as)
{
	as->refs--;
}

void smp_kick(unsigned cpu)
{
	kicked[cpu] = true;
}

void signal_deliver(struct trap_frame *frame UNUSED)
{
}

static struct trace_ring ring;
PERCPU struct trace_ring *trace_ring = &ring;

void wait_init(void)
{
}

void thread_init(void)
{
}

void thread_init_fields(struct thread *t, const char *name)
{
	snprintf(t->name, sizeof(t->name), "%s", name);
	t->weight = 1024;
	memset(&t->affinity, 0xff, sizeof(t->affinity));
}

int thread_alloc(struct thread **out, const char *name)
{
	static unsigned used;
	struct thread *t = &idle_threads[used++ % SIM_MAX_CPUS];

	memset(t, 0, sizeof(*t));
	thread_init_fields(t, name);
	*out = t;
	return 0;
}

void thread_get(struct thread *t)
{
	t->refs++;
}

void thread_finish_dead(struct thread *t)
{
	t->refs--;
	container_of(t, struct simsched_thread, thread)->exited = true;
}

bool sched_is_running(void)
{
	return true;
}

/* --- driving ---------------------------------------------------------------------------------------- */

void simsched_on(unsigned cpu)
{
	sim_percpu_offset = percpu_offset[cpu];
}

void simsched_start(unsigned cpus)
{
	sim_start(cpus);
	memset(&idle_cpus, 0, sizeof(idle_cpus));
	memset(simsched_threads, 0, sizeof(simsched_threads));
	simsched_nr_threads = 0;
	simsched_now = NSEC_PER_SEC;
	sched_init();
	for (unsigned cpu = 0; cpu < cpus; cpu++) {
		vaddr_t stack_top;

		deadlines[cpu] = SIMSCHED_NEVER;
		kicked[cpu] = false;
		if (cpu)
			BUG_ON(sched_prepare_cpu(cpu, &stack_top) != 0);
		cpumask_set(&idle_cpus, cpu);
	}
}

struct thread *simsched_thread(void)
{
	struct simsched_thread *t = &simsched_threads[simsched_nr_threads];

	if (simsched_nr_threads == SIMSCHED_MAX_THREADS)
		return NULL;
	simsched_nr_threads++;
	t->thread.refs = 1;
	t->thread.cpu = cpu_id();
	thread_init_fields(&t->thread, "sim");
	return &t->thread;
}

struct thread *simsched_running(unsigned cpu)
{
	struct runqueue *rq = cpu_runqueue(cpu);

	return rq->curr == rq->idle ? NULL : rq->curr;
}

static bool interrupt(unsigned cpu)
{
	bool any = false;

	if (kicked[cpu]) {
		kicked[cpu] = false;
		any = true;
		cpu_irq_disable();
		sched_ipi();
		cpu_irq_enable();
	}
	if (deadlines[cpu] <= simsched_now) {
		deadlines[cpu] = SIMSCHED_NEVER;
		any = true;
		cpu_irq_disable();
		timer_interrupt();
		cpu_irq_enable();
	}
	return any;
}

/* One round of sched_idle_loop, or the way back to user mode. */
static bool advance(unsigned cpu)
{
	struct runqueue *rq = cpu_runqueue(cpu);
	bool work;

	if (rq->curr != rq->idle) {
		work = rq->curr->work & THREAD_WORK_RESCHED;
		if (work)
			sched_point();
		return work;
	}
	cpu_irq_disable();
	cpumask_set_atomic(&idle_cpus, cpu);
	work = rq->nr_queued || sched_steal();
	if (work) {
		cpumask_clear_atomic(&idle_cpus, cpu);
		sched_reschedule();
	}
	cpu_irq_enable();
	return work;
}

static void note_waits(void)
{
	for (unsigned i = 0; i < simsched_nr_threads; i++) {
		struct simsched_thread *t = &simsched_threads[i];

		if (!t->thread.on_rq) {
			t->waiting_since = 0;
			continue;
		}
		if (!t->waiting_since)
			t->waiting_since = simsched_now;
		t->longest_wait = MAX(t->longest_wait, simsched_now - t->waiting_since);
	}
}

void simsched_settle(void)
{
	bool again = true;

	for (unsigned rounds = 0; again; rounds++) {
		ASSERT(rounds < 1000);
		again = false;
		for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
			simsched_on(cpu);
			again |= interrupt(cpu);
			again |= advance(cpu);
		}
	}
	simsched_on(0);
	note_waits();
}

void simsched_run(u64 ns)
{
	u64 end = simsched_now + ns;

	simsched_settle();
	while (simsched_now < end) {
		u64 next = end;

		for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
			next = MIN(next, deadlines[cpu]);
		simsched_now = MAX(next, simsched_now);
		simsched_settle();
	}
}

void simsched_sleep(struct thread *t)
{
	simsched_on(t->cpu);
	BUG_ON(current != t);
	thread_prepare_sleep(WAIT_UNINTERRUPTIBLE);
	thread_sleep();
	simsched_settle();
}

void simsched_exit(struct thread *t)
{
	simsched_on(t->cpu);
	BUG_ON(current != t);
	if (!setjmp(after_exit))
		thread_exit();
	simsched_settle();
}

void simsched_yield(struct thread *t)
{
	simsched_on(t->cpu);
	BUG_ON(current != t);
	sched_yield_cpu();
	simsched_settle();
}

u64 simsched_deadline(unsigned cpu)
{
	return deadlines[cpu];
}

/* --- checks ----------------------------------------------------------------------------------------- */

static unsigned check_queue(unsigned cpu)
{
	struct runqueue *rq = cpu_runqueue(cpu);
	struct thread *before = NULL;
	struct thread *t;
	unsigned n = 0;

	EXPECT(rq->first || !rb_first(&rq->others));
	for (t = rq->first; t; t = sched_next_queued(rq, t)) {
		EXPECT(t->on_rq && t->state == THREAD_RUNNABLE && t->cpu == cpu && t != rq->curr);
		EXPECT(sched_cpu_allowed(t, cpu));
		EXPECT(!before || (s64)(t->vruntime - before->vruntime) >= 0);
		before = t;
		n++;
	}
	EXPECT_EQ(n, rq->nr_queued);
	EXPECT(rq->curr->state == THREAD_RUNNING && !rq->curr->on_rq && !rq->lock.locked);
	EXPECT(!rq->to_put && !rq->leaving);
	/* Whoever waits for a thread that runs is told when its time is over. */
	if (n)
		EXPECT(rq->curr != rq->idle && rq->slice.armed);
	return n + (rq->curr != rq->idle);
}

void simsched_check(void)
{
	unsigned runnable = 0, placed = 0;

	for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
		placed += check_queue(cpu);
	for (unsigned i = 0; i < simsched_nr_threads; i++) {
		struct thread *t = &simsched_threads[i].thread;

		runnable += t->state == THREAD_RUNNABLE || t->state == THREAD_RUNNING;
		EXPECT(!t->on_rq || t->state == THREAD_RUNNABLE);
		EXPECT((t->state == THREAD_RUNNING) == (cpu_runqueue(t->cpu)->curr == t));
		EXPECT(simsched_threads[i].exited == (t->state == THREAD_DEAD));
	}
	EXPECT_EQ(placed, runnable);
	EXPECT_EQ(sim_locks_held(), 0);
}
