/* SPDX-License-Identifier: MIT */
/*
 * selftest_locks.c - claims about locks, wait queues and RCU, each with as many threads as help.
 *
 * Every race here is between threads on different CPUs; on one CPU the same code checks switching.
 */
#include <arch/cpu.h>
#include <uapi/errno.h>
#include "kernel/lock.h"
#include "kernel/rcu.h"
#include "kernel/selftest.h"
#include "kernel/smp.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "kernel/wait.h"
#include "lib/atomic.h"
#include "mm/phys/slab.h"

#define ROUNDS 100

static unsigned crew_size(void)
{
	return MIN(2 * nr_cpus_online + 2, (unsigned)CREW_MAX);
}

/* Something that takes several loads and stores, with a pause in the middle. */
struct counter {
	u64 a, b;
};

static void counter_add(struct counter *c)
{
	u64 old = READ_ONCE(c->a);

	CHECK(READ_ONCE(c->b) == old);
	WRITE_ONCE(c->a, old + 1);
	for (unsigned i = 0; i < 20; i++)
		cpu_relax();
	WRITE_ONCE(c->b, old + 1);
}

/* --- spin locks ----------------------------------------------------------------------------------- */

struct spin_test {
	struct spinlock lock;
	struct counter counter;
};

static void spin_member(struct crew_member *m)
{
	struct spin_test *t = m->shared;

	for (unsigned i = 0; i < ROUNDS; i++) {
		spin_lock(&t->lock);
		counter_add(&t->counter);
		spin_unlock(&t->lock);
		sched_point();
	}
}

static void spin_lock_excludes(void)
{
	struct spin_test t = {.lock = SPINLOCK_INIT(RANK_SWAP)};

	crew_run(crew_size(), spin_member, &t);
	CHECK(t.counter.a == (u64)crew_size() * ROUNDS && t.counter.b == t.counter.a);
}

static void trylock_member(struct crew_member *m)
{
	struct spin_test *t = m->shared;

	for (unsigned i = 0; i < ROUNDS; i++) {
		while (!spin_trylock(&t->lock)) {
			cpu_relax();
			sched_yield_cpu();
		}
		counter_add(&t->counter);
		spin_unlock(&t->lock);
	}
}

static void spin_trylock_excludes(void)
{
	struct spin_test t = {.lock = SPINLOCK_INIT(RANK_SWAP)};

	crew_run(crew_size(), trylock_member, &t);
	CHECK(t.counter.a == (u64)crew_size() * ROUNDS);
	spin_lock(&t.lock);
	CHECK(!spin_trylock(&t.lock));
	CHECK(spin_is_held(&t.lock));
	spin_unlock(&t.lock);
	CHECK(!spin_is_held(&t.lock));
}

/* --- mutex ---------------------------------------------------------------------------------------- */

struct mutex_test {
	struct mutex lock;
	struct counter counter;
};

static void mutex_member(struct crew_member *m)
{
	struct mutex_test *t = m->shared;

	for (unsigned i = 0; i < ROUNDS; i++) {
		if (i % 4 || !mutex_trylock(&t->lock))
			mutex_lock(&t->lock);
		CHECK(mutex_is_held(&t->lock));
		counter_add(&t->counter);
		if (i % 16 == m->index)
			time_sleep_ns(20 * NSEC_PER_USEC);
		mutex_unlock(&t->lock);
	}
}

static void mutex_excludes(void)
{
	struct mutex_test t = {0};

	mutex_init(&t.lock, RANK_INODE);
	crew_run(crew_size(), mutex_member, &t);
	CHECK(t.counter.a == (u64)crew_size() * ROUNDS);
	CHECK(t.lock.owner == 0);
}

/* --- reader-writer lock --------------------------------------------------------------------------- */

struct rw_test {
	struct rwlock lock;
	struct counter counter;
	u32 readers, most_readers; /* [a] */
	u32 writes;                /* [a] */
};

static void rw_reader_part(struct rw_test *t)
{
	u32 n = atomic_add_return(&t->readers, 1u);

	if (n > atomic_load(&t->most_readers))
		atomic_store(&t->most_readers, n);
	CHECK(READ_ONCE(t->counter.a) == READ_ONCE(t->counter.b));
	time_sleep_ns(20 * NSEC_PER_USEC);
	CHECK(READ_ONCE(t->counter.a) == READ_ONCE(t->counter.b));
	atomic_dec(&t->readers);
}

static void rw_writer_part(struct rw_test *t)
{
	CHECK(atomic_load(&t->readers) == 0);
	CHECK(rw_is_write_held(&t->lock));
	counter_add(&t->counter);
	atomic_inc(&t->writes);
}

static void rw_member(struct crew_member *m)
{
	struct rw_test *t = m->shared;

	for (unsigned i = 0; i < ROUNDS / 3; i++) {
		if (i % 4 != m->index % 4) {
			rw_read_lock(&t->lock);
			rw_reader_part(t);
			rw_read_unlock(&t->lock);
			continue;
		}
		if (i % 8 || !rw_try_write_lock(&t->lock))
			rw_write_lock(&t->lock);
		rw_writer_part(t);
		if (i % 3 == 0) {
			rw_downgrade(&t->lock);
			rw_reader_part(t);
			rw_read_unlock(&t->lock);
		} else {
			rw_write_unlock(&t->lock);
		}
	}
}

static void rwlock_readers_share_and_writers_exclude(void)
{
	struct rw_test t = {0};

	rw_init(&t.lock, RANK_SPACE);
	crew_run(crew_size(), rw_member, &t);
	CHECK(t.counter.a == t.writes && t.counter.b == t.writes);
	CHECK(t.most_readers > 1);
	CHECK(t.lock.state == 0);
}

/* --- wait queues ---------------------------------------------------------------------------------- */

struct ping_pong {
	struct waitq queue;
	u64 turn; /* [a] whose: turn % 2 */
};

static void ping_pong_member(struct crew_member *m)
{
	struct ping_pong *p = m->shared;

	for (unsigned i = 0; i < ROUNDS; i++) {
		CHECK(wait_event(&p->queue, atomic_load(&p->turn) % 2 == m->index,
				 WAIT_UNINTERRUPTIBLE) == 0);
		atomic_inc(&p->turn);
		waitq_wake_all(&p->queue);
	}
}

static void wait_queue_loses_no_wakeup(void)
{
	struct ping_pong p = {0};

	waitq_init(&p.queue);
	crew_run(2, ping_pong_member, &p);
	CHECK(p.turn == 2 * ROUNDS);
}

struct tickets {
	struct waitq queue;
	u32 available, taken; /* [a] */
};

static bool ticket_take(struct tickets *t)
{
	u32 old = atomic_load(&t->available);

	do {
		if (!old)
			return false;
	} while (!atomic_cas(&t->available, &old, old - 1));
	return true;
}

static void ticket_member(struct crew_member *m)
{
	struct tickets *t = m->shared;

	if (m->index == 0) {
		for (unsigned i = 1; i < crew_size(); i++) {
			atomic_inc(&t->available);
			/* One may have helped himself without sleeping and still get the wake-up. */
			do {
				CHECK(waitq_wake(&t->queue, 1) <= 1);
				time_sleep_ns(10 * NSEC_PER_USEC);
			} while (atomic_load(&t->available));
		}
		return;
	}
	/* A condition is asked more often than it is answered, so it may not take the ticket itself. */
	do {
		CHECK(wait_event(&t->queue, atomic_load(&t->available), WAIT_UNINTERRUPTIBLE) == 0);
	} while (!ticket_take(t));
	atomic_inc(&t->taken);
}

static void wait_queue_wakes_as_many_as_asked(void)
{
	struct tickets t = {0};

	waitq_init(&t.queue);
	crew_run(crew_size(), ticket_member, &t);
	CHECK(t.taken == crew_size() - 1 && t.available == 0);
}

static void wait_ends_at_its_deadline(void)
{
	struct waitq q = WAITQ_INIT(q);
	u64 start = time_now();

	CHECK(wait_event_deadline(&q, false, WAIT_UNINTERRUPTIBLE, start + 2 * NSEC_PER_MSEC) ==
	      -ETIMEDOUT);
	CHECK(time_now() - start >= 2 * NSEC_PER_MSEC);
	CHECK(wait_event_deadline(&q, true, WAIT_UNINTERRUPTIBLE, start) == 0);
}

/* --- RCU ------------------------------------------------------------------------------------------ */

#define ALIVE 0x600d600d600d600dull

struct rcu_object {
	u64 state;
	struct rcu_head rcu;
};

struct rcu_test {
	struct rcu_object *current_object;
	u32 freed, made; /* [a] */
	u32 stop;        /* [a] */
};

static struct rcu_test *rcu_test;

static void rcu_object_free(struct rcu_head *head)
{
	struct rcu_object *o = container_of(head, struct rcu_object, rcu);

	WRITE_ONCE(o->state, 0);
	atomic_inc(&rcu_test->freed);
	kfree(o);
}

static bool rcu_replace(struct rcu_test *t)
{
	struct rcu_object *old, *o = kmalloc(sizeof(*o), 0);

	if (!o)
		return false;
	o->state = ALIVE;
	old = t->current_object;
	rcu_assign(t->current_object, o);
	atomic_inc(&t->made);
	if (old)
		rcu_call(&old->rcu, rcu_object_free);
	return true;
}

static void rcu_read_once(struct rcu_test *t)
{
	struct rcu_object *o;

	rcu_read_lock();
	o = rcu_dereference(t->current_object);
	for (unsigned i = 0; i < 50; i++) {
		CHECK(READ_ONCE(o->state) == ALIVE);
		cpu_relax();
	}
	rcu_read_unlock();
}

static void rcu_member(struct crew_member *m)
{
	struct rcu_test *t = m->shared;

	if (m->index == 0) {
		for (unsigned i = 0; i < ROUNDS; i++) {
			CHECK(rcu_replace(t));
			if (i % 16 == 0)
				time_sleep_ns(50 * NSEC_PER_USEC);
			sched_point();
		}
		atomic_store(&t->stop, 1u);
		return;
	}
	while (!atomic_load(&t->stop)) {
		rcu_read_once(t);
		cpu_relax();
		sched_yield_cpu();
	}
}

static void rcu_readers_never_see_freed_objects(void)
{
	struct rcu_test t = {0};

	rcu_test = &t;
	CHECK(rcu_replace(&t));
	crew_run(MIN(nr_cpus_online + 1, (unsigned)CREW_MAX), rcu_member, &t);
	rcu_call(&t.current_object->rcu, rcu_object_free);
	for (unsigned i = 0; i < 1000 && atomic_load(&t.freed) != t.made; i++)
		time_sleep_ns(NSEC_PER_MSEC);
	CHECK(t.made == ROUNDS + 1 && atomic_load(&t.freed) == t.made);
}

/* The other CPUs sleep, and nobody wakes them for it. */
static void rcu_grace_period_passes_on_an_idle_machine(void)
{
	u64 start = time_now();

	for (unsigned i = 0; i < 5; i++)
		rcu_synchronize();
	CHECK(time_now() - start < NSEC_PER_SEC);
}

const struct selftest selftest_locks[] = {
	{"spin_lock_excludes", spin_lock_excludes},
	{"spin_trylock_excludes", spin_trylock_excludes},
	{"mutex_excludes", mutex_excludes},
	{"rwlock_readers_share_and_writers_exclude", rwlock_readers_share_and_writers_exclude},
	{"wait_queue_loses_no_wakeup", wait_queue_loses_no_wakeup},
	{"wait_queue_wakes_as_many_as_asked", wait_queue_wakes_as_many_as_asked},
	{"wait_ends_at_its_deadline", wait_ends_at_its_deadline},
	{"rcu_readers_never_see_freed_objects", rcu_readers_never_see_freed_objects},
	{"rcu_grace_period_passes_on_an_idle_machine", rcu_grace_period_passes_on_an_idle_machine},
	{NULL, NULL},
};
