/* SPDX-License-Identifier: MIT */
/*
 * test_rcu.c - kernel/rcu.c among threads that are CPUs: readers, writers, user mode and idle, at random.
 *
 * A freed object is poisoned and really freed, so a reader that still holds it is caught by the poison,
 * AddressSanitizer or ThreadSanitizer, whichever looks first.
 */
#include "harness.h"
#include "sim.h"
#include "sim_sched.h"

#include "kernel/rcu.h"
#include "kernel/smp.h"
#include "lib/atomic.h"

#define ALIVE  0x600d600d600d600dull
#define NR     8
#define ROUNDS 4000

struct object {
	u64 state;
	struct rcu_head rcu;
};

static struct object *objects[NR];
static u64 made, freed; /* [a] */
static u64 bad_reads;   /* [a] */

static void object_free(struct rcu_head *head)
{
	struct object *o = container_of(head, struct object, rcu);

	atomic_store(&o->state, 0ull);
	atomic_inc(&freed);
	free(o);
}

static void replace(unsigned i)
{
	struct object *o = malloc(sizeof(*o)), *old;

	o->state = ALIVE;
	atomic_inc(&made);
	old = __atomic_exchange_n(&objects[i], o, __ATOMIC_ACQ_REL);
	if (old)
		rcu_call(&old->rcu, object_free);
}

static void read_one(unsigned i, unsigned spins)
{
	struct object *o;

	rcu_read_lock();
	o = rcu_dereference(objects[i]);
	while (o && spins--) {
		if (atomic_load(&o->state) != ALIVE)
			atomic_inc(&bad_reads);
	}
	rcu_read_unlock();
}

static void user_mode(unsigned spins)
{
	rcu_kernel_exit();
	while (spins--)
		barrier();
	if (rcu_irq_enter()) {
		rcu_poll();
		rcu_irq_exit(true);
	}
	rcu_kernel_enter();
}

struct lcg { /* rng() is for one thread */
	u64 x;
};

static unsigned lcg_below(struct lcg *g, unsigned n)
{
	g->x = g->x * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(g->x >> 33) % n;
}

static void live(unsigned cpu, void *arg)
{
	struct lcg g = {*(u64 *)arg + cpu};

	for (unsigned n = 0; n < ROUNDS; n++) {
		switch (lcg_below(&g, 8)) {
		case 0:
			replace(lcg_below(&g, NR));
			break;
		case 1:
			user_mode(lcg_below(&g, 200));
			break;
		case 2:
			rcu_note_switch();
			break;
		case 3:
			rcu_poll();
			break;
		default:
			read_one(lcg_below(&g, NR), lcg_below(&g, 200));
		}
	}
	rcu_kernel_exit(); /* idle from here on */
}

/* Each CPU in turn comes out of idle and calls what it has left, while nobody holds it up. */
static void drain(unsigned cpus)
{
	for (unsigned cpu = 0; cpu < cpus; cpu++) {
		simsched_on(cpu);
		rcu_kernel_enter();
		while (rcu_has_callbacks() && !host_test_failed()) {
			u64 left = this_cpu(rcu_callbacks);

			rcu_poll();
			EXPECT(this_cpu(rcu_callbacks) < left);
		}
		rcu_kernel_exit();
	}
	simsched_on(0);
}

static void start(unsigned cpus)
{
	simsched_start(cpus);
	memset(objects, 0, sizeof(objects));
	made = freed = bad_reads = 0;
}

static void finish(unsigned cpus)
{
	for (unsigned i = 0; i < NR; i++) {
		free(objects[i]);
		freed += objects[i] != NULL;
	}
	for (unsigned cpu = 0; cpu < cpus; cpu++)
		EXPECT_EQ(cpu_var(rcu_callbacks, cpu), 0);
	EXPECT_EQ(made, freed);
	EXPECT_EQ(bad_reads, 0);
}

TEST(readers_never_meet_a_freed_object)
{
	for (unsigned cpus = 1; cpus <= 4; cpus++) {
		u64 seed = rng();

		start(cpus);
		sim_run(cpus, live, &seed);
		drain(cpus);
		finish(cpus);
	}
}

TEST(one_cpu_needs_one_poll)
{
	start(1);
	for (unsigned i = 0; i < 200; i++)
		replace(0);
	EXPECT_EQ(freed, 0);
	rcu_poll();
	EXPECT_EQ(freed, 199);
	finish(1);
}

TEST(a_cpu_in_user_mode_or_idle_is_not_waited_for)
{
	start(3);
	simsched_on(1);
	rcu_kernel_exit();
	simsched_on(2);
	rcu_kernel_exit();
	simsched_on(0);
	replace(0);
	replace(0);
	rcu_poll();
	EXPECT_EQ(freed, 1);
	finish(3);
}

TEST(a_cpu_in_the_kernel_is_waited_for)
{
	start(2);
	replace(0);
	replace(0);
	for (unsigned i = 0; i < 5; i++)
		rcu_poll();
	EXPECT_EQ(freed, 0);
	simsched_on(1);
	rcu_note_switch();
	simsched_on(0);
	rcu_poll();
	EXPECT_EQ(freed, 1);
	finish(2);
}

/* What is queued while a grace period runs waits for the next one. */
TEST(a_running_grace_period_does_not_cover_later_callbacks)
{
	start(2);
	replace(0);
	replace(0);
	rcu_poll(); /* waits for CPU 1 */
	simsched_on(1);
	replace(1);
	replace(1);
	simsched_on(0);
	replace(0);
	simsched_on(1);
	rcu_poll(); /* CPU 1 is out: the first one ends; CPU 0 polls later */
	simsched_on(0);
	rcu_poll();
	EXPECT_EQ(freed, 1);
	for (unsigned i = 0; i < 4; i++) {
		simsched_on(i % 2);
		rcu_poll();
	}
	EXPECT_EQ(freed, 3);
	simsched_on(0);
	finish(2);
}

TEST(many_callbacks_ask_for_a_poll_and_run_in_batches)
{
	start(1);
	for (unsigned i = 0; i < 1500; i++)
		replace(0);
	EXPECT(rcu_poll_due());
	rcu_poll();
	EXPECT(freed > 0 && freed < 1499);
	EXPECT(rcu_has_callbacks());
	EXPECT(simsched_deadline(0) != SIMSCHED_NEVER);
	while (rcu_has_callbacks())
		rcu_poll();
	finish(1);
}
