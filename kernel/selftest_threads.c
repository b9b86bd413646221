/* SPDX-License-Identifier: MIT */
/* selftest_threads.c - claims about threads, the scheduler, timers, calls between CPUs, and messages. */
#include <arch/cpu.h>
#include <uapi/errno.h>
#include "kernel/printk.h"
#include "kernel/rcu.h"
#include "kernel/selftest.h"
#include "kernel/smp.h"
#include "kernel/symtab.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/phys/page_alloc.h"

/* --- timers --------------------------------------------------------------------------------------- */

#define NR_TIMERS 20

struct timer_test {
	struct timer timer;
	u64 fired_at, order;
};

static u64 fired; /* [a] */

static void test_timer_fired(struct timer *timer)
{
	struct timer_test *t = container_of(timer, struct timer_test, timer);

	t->fired_at = time_now();
	t->order = atomic_fetch_add(&fired, 1ul);
}

static void timers_fire_in_order_and_not_early(void)
{
	struct timer_test t[NR_TIMERS];
	u64 start = time_now() + NSEC_PER_MSEC;

	fired = 0;
	for (unsigned i = 0; i < NR_TIMERS; i++) {
		unsigned rank = i * 7 % NR_TIMERS; /* armed in an order of no meaning */

		timer_init(&t[rank].timer, test_timer_fired);
		timer_arm(&t[rank].timer, start + rank * 50 * NSEC_PER_USEC);
	}
	time_sleep_ns(start + 2 * NSEC_PER_MSEC - time_now());
	for (unsigned i = 0; i < NR_TIMERS; i++) {
		CHECK(!timer_cancel(&t[i].timer));
		CHECK(t[i].order == i);
		CHECK(t[i].fired_at >= start + i * 50 * NSEC_PER_USEC);
	}
}

static void timer_cancelled_does_not_fire(void)
{
	struct timer_test t = {.order = ~0ul};
	unsigned long irq;

	timer_init(&t.timer, test_timer_fired);
	CHECK(!timer_cancel(&t.timer));
	/* However long the host makes us wait in between, nothing fires with interrupts off. */
	irq = cpu_irq_save();
	timer_arm(&t.timer, time_now() + NSEC_PER_MSEC);
	CHECK(timer_cancel(&t.timer));
	timer_arm(&t.timer, time_now() + NSEC_PER_SEC);
	timer_arm(&t.timer, time_now() + 2 * NSEC_PER_MSEC);
	CHECK(timer_cancel(&t.timer));
	cpu_irq_restore(irq);
	time_sleep_ns(3 * NSEC_PER_MSEC);
	CHECK(t.order == ~0ul);
}

/* Threads go to other CPUs, and their timers are cancelled from there. */
static void timer_storm_member(struct crew_member *m)
{
	for (unsigned i = 0; i < 30; i++) {
		struct timer_test t;

		timer_init(&t.timer, test_timer_fired);
		timer_arm(&t.timer, time_now() + (i % 5) * 10 * NSEC_PER_USEC);
		selftest_pin((m->index + i) % nr_cpus_online);
		timer_cancel(&t.timer);
		/* The struct is reused at once: a callback still to come would write to it. */
		memset(&t, 0x5a, sizeof(t));
		barrier();
		CHECK(t.order == 0x5a5a5a5a5a5a5a5aul);
	}
}

static void timer_cancel_waits_for_the_callback(void)
{
	crew_run(MIN(2 * nr_cpus_online, (unsigned)CREW_MAX), timer_storm_member, NULL);
}

static void clock_member(struct crew_member *m)
{
	u64 *latest = m->shared;

	for (unsigned i = 0; i < 2000; i++) {
		u64 before = atomic_load_acquire(latest), now = time_now();

		CHECK(now >= before);
		while (before < now && !atomic_cas(latest, &before, now))
			;
		if (i % 100 == 0)
			sched_yield_cpu();
	}
}

static void clock_never_goes_back_on_any_cpu(void)
{
	u64 latest = 0;

	crew_run(MIN(nr_cpus_online + 1, (unsigned)CREW_MAX), clock_member, &latest);
}

/* --- scheduling ----------------------------------------------------------------------------------- */

static void affinity_member(struct crew_member *m)
{
	for (unsigned i = 0; i < 20; i++) {
		unsigned cpu = (m->index + i) % nr_cpus_online;

		selftest_pin(cpu);
		CHECK(cpu_id() == cpu);
		if (i % 3)
			sched_yield_cpu();
		else
			time_sleep_ns(20 * NSEC_PER_USEC);
		CHECK(cpu_id() == cpu);
	}
}

static void affinity_is_obeyed(void)
{
	struct cpumask none = {0};

	crew_run(MIN(2 * nr_cpus_online + 1, (unsigned)CREW_MAX), affinity_member, NULL);
	CHECK(sched_set_affinity(current, &none) == -EINVAL);
}

struct spread {
	u64 give_up;
	struct cpumask seen; /* [a] CPUs on which a thread found itself */
	u32 nr_seen;         /* [a] */
};

/* All start on CPU 0, then may go where they like, and keep going until there is one everywhere. */
static void spread_member(struct crew_member *m)
{
	struct spread *s = m->shared;

	selftest_pin(0);
	selftest_unpin();
	while (atomic_load(&s->nr_seen) < nr_cpus_online && time_now() < s->give_up) {
		unsigned cpu = cpu_id();

		if (!(atomic_fetch_or(&s->seen.bits[cpu / 64], BIT(cpu % 64)) & BIT(cpu % 64)))
			atomic_inc(&s->nr_seen);
		sched_point();
		cpu_relax();
	}
}

static void busy_threads_spread_over_all_cpus(void)
{
	struct spread s = {.give_up = time_now() + 10 * NSEC_PER_SEC};

	if (nr_cpus_online > CREW_MAX)
		return;
	crew_run(nr_cpus_online, spread_member, &s);
	CHECK(s.nr_seen == nr_cpus_online);
}

struct race {
	u64 until;
	u64 ns[3]; /* CPU time that each got */
};

static void race_member(struct crew_member *m)
{
	struct race *r = m->shared;

	selftest_pin(0);
	if (m->index == 2)
		sched_set_nice(current, 15, false);
	while (time_now() < r->until) {
		sched_point();
		cpu_relax();
	}
	r->ns[m->index] = thread_cpu_time(current);
}

/* How much is not asked here: a busy host takes its time from any of them (tests/host/test_sched.c does). */
static void threads_of_any_weight_get_time(void)
{
	struct race r = {.until = time_now() + 100 * NSEC_PER_MSEC};

	crew_run(3, race_member, &r);
	CHECK(r.ns[0] > 0 && r.ns[1] > 0 && r.ns[2] > 0);
}

static void nothing(struct crew_member *m UNUSED)
{
}

static void thread_memory_comes_back(void)
{
	u64 before;

	crew_run(CREW_MAX, nothing, NULL);
	rcu_synchronize();
	before = page_count_free();
	for (unsigned i = 0; i < 4; i++)
		crew_run(CREW_MAX, nothing, NULL);
	rcu_synchronize();
	time_sleep_ns(10 * NSEC_PER_MSEC); /* the reaper */
	/* Each CPU may keep eight stacks and some slabs, but 64 threads are not kept. */
	CHECK(page_count_free() + 64ul * nr_cpus_online >= before);
}

/* --- calls between CPUs --------------------------------------------------------------------------- */

static void count_cpu(void *arg)
{
	u32 *calls = arg;

	CHECK(!cpu_irqs_enabled());
	atomic_inc(&calls[cpu_id()]);
}

static void call_member(struct crew_member *m)
{
	static u32 calls[CREW_MAX][MAX_CPUS];
	u32 *mine = calls[m->index];

	memset(mine, 0, sizeof(calls[0]));
	selftest_pin(m->index);
	for (unsigned i = 1; i <= 20; i++) {
		smp_call(&cpus_online, count_cpu, mine);
		cpumask_for_each (cpu, &cpus_online)
			CHECK(atomic_load(&mine[cpu]) == (cpu == m->index ? 0 : i));
	}
}

static void calls_run_once_on_every_other_cpu(void)
{
	crew_run(MIN(nr_cpus_online, (unsigned)CREW_MAX), call_member, NULL);
}

/* --- messages and names --------------------------------------------------------------------------- */

static NOINLINE void find_caller(struct symtab_pos *pos)
{
	CHECK(symtab_lookup((vaddr_t)__builtin_return_address(0) - 1, pos));
}

static void addresses_have_names_and_lines(void)
{
	struct symtab_pos pos;

	find_caller(&pos); /* the line that must be found */
	CHECK(pos.name && !strcmp(pos.name, "addresses_have_names_and_lines"));
	CHECK(pos.file && !strcmp(pos.file, "kernel/selftest_threads.c"));
	CHECK(pos.line == __LINE__ - 3);
	CHECK(!symtab_lookup(0, &pos) && !symtab_lookup(~0ul, &pos));
}

static void messages_can_be_read_back(void)
{
	static char text[20000];
	u64 pos = 0;
	size_t n;

	printk("selftest: %s\n", "a message to read back");
	n = printk_ring_read(&pos, text, sizeof(text) - 1);
	text[n] = '\0';
	CHECK(n > 0 && strstr(text, "selftest: a message to read back\n"));
	CHECK(printk_ring_read(&pos, text, sizeof(text)) == 0);
}

const struct selftest selftest_threads[] = {
	{"timers_fire_in_order_and_not_early", timers_fire_in_order_and_not_early},
	{"timer_cancelled_does_not_fire", timer_cancelled_does_not_fire},
	{"timer_cancel_waits_for_the_callback", timer_cancel_waits_for_the_callback},
	{"clock_never_goes_back_on_any_cpu", clock_never_goes_back_on_any_cpu},
	{"affinity_is_obeyed", affinity_is_obeyed},
	{"busy_threads_spread_over_all_cpus", busy_threads_spread_over_all_cpus},
	{"threads_of_any_weight_get_time", threads_of_any_weight_get_time},
	{"thread_memory_comes_back", thread_memory_comes_back},
	{"calls_run_once_on_every_other_cpu", calls_run_once_on_every_other_cpu},
	{"addresses_have_names_and_lines", addresses_have_names_and_lines},
	{"messages_can_be_read_back", messages_can_be_read_back},
	{NULL, NULL},
};
