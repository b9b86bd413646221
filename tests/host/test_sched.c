/* SPDX-License-Identifier: MIT */
/*
 * test_sched.c - the scheduler's promises, in simulated time (sim_sched.h), and random lives of threads.
 */
#include "harness.h"
#include "sim_sched.h"

#include "kernel/smp.h"
#include "kernel/time.h"

#define MS NSEC_PER_MSEC

static struct thread *start_thread(void)
{
	struct thread *t = simsched_thread();

	ASSERT(t);
	EXPECT(thread_wake(t));
	simsched_settle();
	return t;
}

static void pin(struct thread *t, unsigned cpu)
{
	struct cpumask mask = {0};

	cpumask_set(&mask, cpu);
	simsched_on(t->cpu);
	EXPECT_EQ(sched_set_affinity(t, &mask), 0);
	simsched_settle();
}

static struct simsched_thread *sim(struct thread *t)
{
	return container_of(t, struct simsched_thread, thread);
}

TEST(a_thread_alone_runs_without_timer)
{
	struct thread *t;

	simsched_start(1);
	t = start_thread();
	EXPECT(simsched_running(0) == t);
	EXPECT_EQ(simsched_deadline(0), SIMSCHED_NEVER);
	simsched_run(500 * MS);
	EXPECT_EQ(thread_cpu_time(t), 500 * MS);
	EXPECT_EQ(simsched_deadline(0), SIMSCHED_NEVER);
	simsched_check();
}

TEST(an_idle_machine_has_no_timer)
{
	struct thread *t;

	simsched_start(4);
	t = start_thread();
	simsched_sleep(t);
	simsched_run(MS);
	for (unsigned cpu = 0; cpu < 4; cpu++) {
		EXPECT(!simsched_running(cpu));
		EXPECT_EQ(simsched_deadline(cpu), SIMSCHED_NEVER);
	}
}

TEST(equal_threads_get_equal_time)
{
	struct thread *t[5];

	simsched_start(1);
	for (unsigned i = 0; i < 5; i++)
		t[i] = start_thread();
	simsched_run(1000 * MS);
	for (unsigned i = 0; i < 5; i++) {
		EXPECT(thread_cpu_time(t[i]) + 2 * SCHED_SLICE_NS >= 200 * MS);
		EXPECT(thread_cpu_time(t[i]) <= 200 * MS + 2 * SCHED_SLICE_NS);
		EXPECT(sim(t[i])->longest_wait <= 6 * SCHED_SLICE_NS);
	}
	simsched_check();
}

TEST(time_is_shared_by_weight)
{
	struct thread *t[3];
	u64 total_weight = 0;

	simsched_start(1);
	for (unsigned i = 0; i < 3; i++) {
		t[i] = start_thread();
		sched_set_nice(t[i], (int)i * 5 - 5, false);
		total_weight += t[i]->weight;
	}
	simsched_run(4000 * MS);
	for (unsigned i = 0; i < 3; i++) {
		u64 share = 4000 * MS / total_weight * t[i]->weight;

		EXPECT(thread_cpu_time(t[i]) + 5 * SCHED_SLICE_NS >= share);
		EXPECT(thread_cpu_time(t[i]) <= share + 5 * SCHED_SLICE_NS);
	}
}

TEST(a_thread_that_slept_preempts_one_that_computes)
{
	struct thread *hog, *t;

	simsched_start(1);
	hog = start_thread();
	t = start_thread();
	simsched_run(20 * MS);
	while (simsched_running(0) != t)
		simsched_run(MS);
	simsched_sleep(t);
	simsched_run(50 * MS);
	EXPECT(simsched_running(0) == hog);
	EXPECT(thread_wake(t));
	simsched_settle();
	EXPECT(simsched_running(0) == t);
	simsched_check();
}

TEST(sleeping_saves_up_no_more_than_a_few_milliseconds)
{
	struct thread *hog, *t;
	u64 before;

	simsched_start(1);
	hog = start_thread();
	t = start_thread();
	while (simsched_running(0) != t)
		simsched_run(MS);
	simsched_sleep(t);
	simsched_run(10000 * MS);
	EXPECT(thread_wake(t));
	before = thread_cpu_time(hog);
	simsched_run(100 * MS);
	EXPECT(thread_cpu_time(hog) - before >= 50 * MS - 3 * SCHED_SLICE_NS);
}

TEST(yield_lets_the_others_run_first)
{
	struct thread *a, *b;

	simsched_start(1);
	a = start_thread();
	b = start_thread();
	for (unsigned i = 0; i < 10; i++) {
		struct thread *running = simsched_running(0);

		simsched_run(MS / 10);
		simsched_yield(simsched_running(0));
		EXPECT(simsched_running(0) == (running == a ? b : a));
	}
	simsched_check();
}

TEST(a_wake_up_before_the_switch_is_not_lost)
{
	struct thread *t;

	simsched_start(1);
	t = start_thread();
	simsched_on(0);
	thread_prepare_sleep(WAIT_UNINTERRUPTIBLE);
	EXPECT(thread_wake(t));
	EXPECT(!thread_wake(t));
	thread_sleep();
	EXPECT(simsched_running(0) == t && t->state == THREAD_RUNNING);
	thread_prepare_sleep(WAIT_UNINTERRUPTIBLE);
	thread_cancel_sleep();
	EXPECT(!thread_wake(t));
	simsched_check();
}

TEST(new_threads_go_to_idle_cpus)
{
	simsched_start(4);
	for (unsigned i = 0; i < 4; i++)
		start_thread();
	for (unsigned cpu = 0; cpu < 4; cpu++)
		EXPECT(simsched_running(cpu));
	for (unsigned i = 0; i < 4; i++)
		start_thread();
	for (unsigned cpu = 0; cpu < 4; cpu++)
		EXPECT_EQ(cpu_runqueue(cpu)->nr_queued, 1);
	simsched_check();
}

TEST(a_cpu_without_work_takes_some_from_another)
{
	struct thread *t;

	simsched_start(2);
	for (unsigned i = 0; i < 3; i++)
		start_thread();
	t = simsched_running(1 - (unsigned)(cpu_runqueue(1)->nr_queued));
	simsched_sleep(t);
	EXPECT(simsched_running(0) && simsched_running(1));
	simsched_check();
}

TEST(threads_that_may_spread_do_so_within_a_few_slices)
{
	struct thread *t[6];
	struct cpumask all;

	simsched_start(3);
	memset(&all, 0xff, sizeof(all));
	for (unsigned i = 0; i < 6; i++) {
		t[i] = start_thread();
		pin(t[i], 0);
	}
	EXPECT_EQ(cpu_runqueue(0)->nr_queued, 5);
	for (unsigned i = 0; i < 6; i++) {
		simsched_on(t[i]->cpu);
		EXPECT_EQ(sched_set_affinity(t[i], &all), 0);
	}
	simsched_run(6 * SCHED_SLICE_NS);
	for (unsigned cpu = 0; cpu < 3; cpu++)
		EXPECT_EQ(cpu_runqueue(cpu)->nr_queued, 1);
	simsched_check();
}

TEST(affinity_moves_waiting_running_and_sleeping_threads)
{
	struct cpumask none = {0}, offline = {0};
	struct thread *t[4];

	simsched_start(3);
	for (unsigned i = 0; i < 4; i++) {
		t[i] = start_thread();
		pin(t[i], 2);
	}
	EXPECT(!simsched_running(0) && !simsched_running(1));
	EXPECT_EQ(cpu_runqueue(2)->nr_queued, 3);
	pin(simsched_running(2), 1);
	EXPECT(simsched_running(1));
	simsched_sleep(simsched_running(1));
	for (unsigned i = 0; i < 4; i++)
		pin(t[i], 0);
	for (unsigned i = 0; i < 4; i++)
		thread_wake(t[i]);
	simsched_settle();
	EXPECT_EQ(cpu_runqueue(0)->nr_queued, 3);
	EXPECT(sched_set_affinity(t[0], &none) < 0);
	cpumask_set(&offline, 7);
	EXPECT(sched_set_affinity(t[0], &offline) < 0);
	simsched_check();
}

/* --- random lives ----------------------------------------------------------------------------------- */

static void random_affinity(struct thread *t)
{
	struct cpumask mask = {0};

	mask.bits[0] = rng_below(1ul << nr_cpus);
	simsched_on(t->cpu);
	EXPECT_EQ(sched_set_affinity(t, &mask) == 0, mask.bits[0] != 0);
}

/* Something that the running thread does, or that is done to any thread. */
static void random_act(void)
{
	struct thread *running = simsched_running((unsigned)rng_below(nr_cpus));
	struct thread *any = &simsched_threads[rng_below(simsched_nr_threads)].thread;

	switch (rng_below(9)) {
	case 0:
	case 1:
		if (running)
			simsched_sleep(running);
		break;
	case 2:
	case 3:
		thread_wake(any);
		break;
	case 4:
		if (running)
			simsched_yield(running);
		break;
	case 5:
		if (any->state != THREAD_DEAD)
			random_affinity(any);
		break;
	case 6:
		sched_set_nice(any, (int)rng_below(40) - 20, false);
		break;
	case 7:
		if (running && rng_one_in(8))
			simsched_exit(running);
		break;
	default:
		simsched_run(rng_below(3 * SCHED_SLICE_NS));
	}
	simsched_settle();
}

static void random_life(unsigned cpus, unsigned threads)
{
	simsched_start(cpus);
	for (unsigned i = 0; i < threads; i++)
		start_thread();
	for (unsigned i = 0; i < 400 && !host_test_failed(); i++) {
		random_act();
		simsched_check();
	}
}

TEST(queues_stay_sound_whatever_threads_do)
{
	for (unsigned round = 0; round < 60 && !host_test_failed(); round++)
		random_life(1 + (unsigned)rng_below(8), 1 + (unsigned)rng_below(24));
}

/* A thread of any weight gets its turn, among threads that sleep and wake all the time. */
TEST(nobody_starves)
{
	simsched_start(2);
	for (unsigned i = 0; i < 10; i++)
		sched_set_nice(start_thread(), i < 2 ? 19 : (int)rng_below(5) - 2, false);
	for (unsigned i = 0; i < 3000 && !host_test_failed(); i++) {
		struct thread *running = simsched_running((unsigned)rng_below(2));

		simsched_run(rng_below(2 * MS));
		if (running && running->nice < 19 && running->state == THREAD_RUNNING &&
		    simsched_running(running->cpu) == running)
			simsched_sleep(running);
		thread_wake(&simsched_threads[2 + rng_below(8)].thread);
		simsched_settle();
	}
	for (unsigned i = 0; i < 10; i++) {
		EXPECT(thread_cpu_time(&simsched_threads[i].thread) > 0);
		EXPECT(simsched_threads[i].longest_wait < 1500 * MS);
	}
}
