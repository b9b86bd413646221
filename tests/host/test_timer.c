/* SPDX-License-Identifier: MIT */
/* test_timer.c - timers against a flat list of what must fire when (simulated time: sim_sched.h). */
#include "harness.h"
#include "sim_sched.h"

#include <arch/cpu.h>
#include "kernel/smp.h"
#include "kernel/time.h"

#define NR 40

struct model_timer {
	struct timer timer;
	u64 deadline; /* 0: not armed */
	unsigned cpu, fired;
	u64 again; /* the callback arms it anew, so many ns later */
};

static struct model_timer timers[NR];
static u64 last_fired[8]; /* deadline, by CPU */

static void fired(struct timer *timer)
{
	struct model_timer *t = container_of(timer, struct model_timer, timer);

	EXPECT(t->deadline && t->deadline <= simsched_now);
	EXPECT_EQ(t->cpu, cpu_id());
	EXPECT(t->deadline >= last_fired[t->cpu]);
	EXPECT(!cpu_irqs_enabled());
	last_fired[t->cpu] = t->deadline;
	t->fired++;
	t->deadline = 0;
	if (t->again) {
		t->deadline = simsched_now + t->again;
		timer_arm(timer, t->deadline);
		t->again = 0;
	}
}

static void start(unsigned cpus)
{
	simsched_start(cpus);
	memset(timers, 0, sizeof(timers));
	memset(last_fired, 0, sizeof(last_fired));
	for (unsigned i = 0; i < NR; i++)
		timer_init(&timers[i].timer, fired);
}

static void arm(struct model_timer *t, unsigned cpu, u64 delay)
{
	simsched_on(cpu);
	t->deadline = simsched_now + delay;
	t->cpu = cpu;
	timer_arm(&t->timer, t->deadline);
}

/* What the hardware waits for is never later than the first timer of the CPU; nothing is overdue. */
static void check(void)
{
	for (unsigned i = 0; i < NR; i++) {
		EXPECT_EQ(timers[i].timer.armed, timers[i].deadline != 0);
		if (timers[i].deadline) {
			EXPECT(simsched_deadline(timers[i].cpu) <= timers[i].deadline);
			EXPECT(timers[i].deadline > simsched_now);
		}
	}
}

TEST(timers_fire_once_at_their_time_in_order)
{
	start(1);
	for (unsigned i = 0; i < NR; i++)
		arm(&timers[i], 0, 1000 + i * 7919 % NR * 100);
	simsched_run(999);
	for (unsigned i = 0; i < NR; i++)
		EXPECT_EQ(timers[i].fired, 0);
	for (unsigned step = 0; step < NR; step++) {
		simsched_run(step ? 100 : 1);
		check();
	}
	for (unsigned i = 0; i < NR; i++)
		EXPECT_EQ(timers[i].fired, 1);
	simsched_run(NSEC_PER_SEC);
	EXPECT_EQ(simsched_deadline(0), SIMSCHED_NEVER);
}

TEST(cancelled_timers_do_not_fire)
{
	start(1);
	EXPECT(!timer_cancel(&timers[0].timer));
	arm(&timers[0], 0, 100);
	arm(&timers[1], 0, 200);
	timers[0].deadline = 0;
	EXPECT(timer_cancel(&timers[0].timer));
	EXPECT(!timer_cancel(&timers[0].timer));
	simsched_run(1000);
	EXPECT_EQ(timers[0].fired, 0);
	EXPECT_EQ(timers[1].fired, 1);
}

TEST(arming_again_replaces_the_deadline)
{
	start(2);
	arm(&timers[0], 0, 100);
	arm(&timers[0], 0, 500);
	simsched_run(499);
	EXPECT_EQ(timers[0].fired, 0);
	arm(&timers[0], 1, 50); /* and moves it to the CPU that asks */
	simsched_run(50);
	EXPECT_EQ(timers[0].fired, 1);
	simsched_run(1000);
	EXPECT_EQ(timers[0].fired, 1);
}

TEST(a_deadline_in_the_past_fires_at_once)
{
	start(1);
	arm(&timers[0], 0, 0);
	simsched_settle();
	EXPECT_EQ(timers[0].fired, 1);
}

static void random_act(void)
{
	struct model_timer *t = &timers[rng_below(NR)];

	switch (rng_below(4)) {
	case 0:
	case 1:
		arm(t, (unsigned)rng_below(nr_cpus), 1 + rng_below(10000));
		t->again = rng_one_in(4) ? 1 + rng_below(1000) : 0;
		break;
	case 2:
		simsched_on((unsigned)rng_below(nr_cpus));
		EXPECT_EQ(timer_cancel(&t->timer), t->deadline != 0);
		t->deadline = 0;
		break;
	default:
		simsched_run(rng_below(3000));
	}
}

TEST(random_timers_do_what_the_model_says)
{
	for (unsigned round = 0; round < 100 && !host_test_failed(); round++) {
		start(1 + (unsigned)rng_below(4));
		for (unsigned i = 0; i < 300 && !host_test_failed(); i++) {
			random_act();
			simsched_settle();
			check();
		}
	}
}
