/* SPDX-License-Identifier: MIT */
/*
 * sim_lock.c - the locks of kernel/lock.h for simulated CPUs, with the rank checks of a debug kernel.
 *
 * Every thread keeps a stack of the locks it holds. A lock that would be taken out of order, a sleeping
 * lock under a spin lock, a release by somebody else: each panics at once, whether or not another
 * CPU was there to deadlock with. Waiting is a loop that relaxes, so the waiter serves smp_call.
 * Without QUIRE_DEBUG spin locks are the kernel's own inline ones, unchecked.
 */
#include "sim.h"

#include <arch/cpu.h>
#include <quire/assert.h>
#include "kernel/lock.h"

#define MAX_HELD 32

struct held {
	const void *lock;
	u8 rank;
};

static _Thread_local struct held held[MAX_HELD];
static _Thread_local unsigned nr_held;

/* Identifies a thread; the address of a thread-local variable is never NULL and never shared. */
static struct thread *me(void)
{
	return (struct thread *)(void *)&nr_held;
}

static bool is_spin_rank(unsigned rank)
{
	return rank >= RANK_OBJ_VMAS;
}

static void check_order(unsigned rank, bool nested)
{
	for (unsigned i = 0; i < nr_held; i++) {
		if (held[i].rank > rank || (held[i].rank == rank && !nested))
			panic("lock of rank %u taken while one of rank %u is held", rank,
			      held[i].rank);
	}
	if (!is_spin_rank(rank))
		lock_assert_may_sleep();
}

static void push(const void *lock, unsigned rank)
{
	BUG_ON(nr_held == MAX_HELD);
	held[nr_held++] = (struct held){.lock = lock, .rank = (u8)rank};
}

static bool holds(const void *lock)
{
	for (unsigned i = 0; i < nr_held; i++)
		if (held[i].lock == lock)
			return true;
	return false;
}

static void pop(const void *lock)
{
	unsigned i = nr_held;

	while (i > 0 && held[i - 1].lock != lock)
		i--;
	if (!i)
		panic("lock %p released by a thread that does not hold it", lock);
	for (nr_held--; i <= nr_held; i++)
		held[i - 1] = held[i];
}

unsigned sim_locks_held(void)
{
	return nr_held;
}

#ifdef QUIRE_DEBUG

void lock_assert_may_sleep(void)
{
	for (unsigned i = 0; i < nr_held; i++)
		if (is_spin_rank(held[i].rank))
			panic("sleeping while a spin lock of rank %u is held", held[i].rank);
}

void lock_assert_user_access(void)
{
	lock_assert_may_sleep();
	for (unsigned i = 0; i < nr_held; i++)
		if (held[i].rank >= RANK_SPACE)
			panic("user memory touched while a lock of rank %u is held", held[i].rank);
}

/* Locks made elsewhere are known by their rank alone. */
static const char noted_locks[RANK_NR];

void lock_note_acquire(enum lock_rank rank, bool nested)
{
	check_order(rank, nested);
	push(&noted_locks[rank], rank);
}

void lock_note_release(enum lock_rank rank)
{
	pop(&noted_locks[rank]);
}

/* --- spin locks ------------------------------------------------------------------------------------ */

static bool spin_take(struct spinlock *l)
{
	return !__atomic_exchange_n(&l->locked, 1, __ATOMIC_ACQUIRE);
}

static void spin_acquire(struct spinlock *l)
{
	while (!spin_take(l))
		cpu_relax();
	push(l, l->rank);
}

void spin_lock(struct spinlock *l)
{
	BUG_ON(l->rank >= RANK_IRQ_LEAF && cpu_irqs_enabled());
	check_order(l->rank, false);
	spin_acquire(l);
}

void spin_lock_nested(struct spinlock *l)
{
	check_order(l->rank, true);
	spin_acquire(l);
}

bool spin_trylock(struct spinlock *l)
{
	if (!spin_take(l))
		return false;
	push(l, l->rank);
	return true;
}

void spin_unlock(struct spinlock *l)
{
	pop(l);
	__atomic_store_n(&l->locked, 0, __ATOMIC_RELEASE);
	sim_poll();
}

bool spin_is_held(const struct spinlock *l)
{
	return holds(l);
}

unsigned long spin_lock_irqsave(struct spinlock *l)
{
	unsigned long irq = cpu_irq_save();

	BUG_ON(l->rank < RANK_IRQ_LEAF);
	check_order(l->rank, false);
	spin_acquire(l);
	return irq;
}

void spin_unlock_irqrestore(struct spinlock *l, unsigned long irq)
{
	pop(l);
	__atomic_store_n(&l->locked, 0, __ATOMIC_RELEASE);
	cpu_irq_restore(irq);
}

#endif

/* --- sleeping locks: a "thread" here never gives its CPU up, so they spin as well -------------------- */

void mutex_init(struct mutex *m, enum lock_rank rank)
{
	*m = (struct mutex){.rank = (u8)rank};
	list_init(&m->waiters);
}

bool mutex_trylock(struct mutex *m)
{
	u64 nobody = 0;

	if (!__atomic_compare_exchange_n(&m->owner, &nobody, (u64)me(), false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		return false;
	push(m, m->rank);
	return true;
}

static void mutex_acquire(struct mutex *m, bool nested)
{
	check_order(m->rank, nested);
	while (!mutex_trylock(m))
		cpu_relax();
}

void mutex_lock(struct mutex *m)
{
	mutex_acquire(m, false);
}

void mutex_lock_nested(struct mutex *m)
{
	mutex_acquire(m, true);
}

void mutex_unlock(struct mutex *m)
{
	pop(m);
	__atomic_store_n(&m->owner, 0, __ATOMIC_RELEASE);
}

bool mutex_is_held(const struct mutex *m)
{
	return holds(m);
}

bool rw_try_read_lock(struct rwlock *l)
{
	u32 state = __atomic_load_n(&l->state, __ATOMIC_RELAXED);

	do {
		if (state & RWLOCK_WRITER)
			return false;
	} while (!__atomic_compare_exchange_n(&l->state, &state, state + 1, false, __ATOMIC_ACQUIRE,
					      __ATOMIC_RELAXED));
	push(l, l->rank);
	return true;
}

void rw_read_lock(struct rwlock *l)
{
	check_order(l->rank, false);
	while (!rw_try_read_lock(l))
		cpu_relax();
}

void rw_read_unlock(struct rwlock *l)
{
	pop(l);
	__atomic_fetch_sub(&l->state, 1, __ATOMIC_RELEASE);
}

bool rw_try_write_lock(struct rwlock *l)
{
	u32 nobody = 0;

	if (!__atomic_compare_exchange_n(&l->state, &nobody, (u32)RWLOCK_WRITER, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	__atomic_store_n(&l->writer, me(), __ATOMIC_RELAXED);
	push(l, l->rank);
	return true;
}

static void rw_write_acquire(struct rwlock *l, bool nested)
{
	check_order(l->rank, nested);
	while (!rw_try_write_lock(l))
		cpu_relax();
}

void rw_write_lock(struct rwlock *l)
{
	rw_write_acquire(l, false);
}

void rw_write_lock_nested(struct rwlock *l)
{
	rw_write_acquire(l, true);
}

void rw_write_unlock(struct rwlock *l)
{
	BUG_ON(!rw_is_write_held(l));
	pop(l);
	__atomic_store_n(&l->writer, NULL, __ATOMIC_RELAXED);
	__atomic_store_n(&l->state, 0, __ATOMIC_RELEASE);
}

void rw_downgrade(struct rwlock *l)
{
	BUG_ON(!rw_is_write_held(l));
	__atomic_store_n(&l->writer, NULL, __ATOMIC_RELAXED);
	__atomic_store_n(&l->state, 1, __ATOMIC_RELEASE);
}

bool rw_is_held(const struct rwlock *l)
{
	return holds(l);
}

bool rw_is_write_held(const struct rwlock *l)
{
	return __atomic_load_n(&l->writer, __ATOMIC_RELAXED) == me();
}
