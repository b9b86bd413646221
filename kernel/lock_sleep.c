/* SPDX-License-Identifier: MIT */
/*
 * lock_sleep.c - the sleeping locks: mutex and reader-writer lock.
 *
 * Both work the same way. One word says who holds the lock and whether anyone waits; taking and
 * releasing without contention is one compare-and-swap on it. Waiters stand in a queue under
 * wait_lock, each as a struct lock_waiter on its own stack. A release that finds waiters makes the
 * first of them (or the readers at the front) the new holder and then wakes it, so nobody can
 * overtake and a woken thread has the lock.
 *
 * Sleeping costs two switches. Before it a thread therefore spins for a moment, as long as the holder
 * is about to run or running on another CPU and nobody is queued. Looking at the holder is safe
 * without a reference, because threads are freed after an RCU grace period and spinning is not sleeping.
 *
 * A waiter may see `granted` and go on before the granter has called thread_wake: the wake-up then is a
 * spurious one, which every sleeper expects.
 */
#include <arch/cpu.h>
#include "kernel/lock_check.h"
#include "kernel/smp.h"
#include "kernel/thread.h"
#include "lib/atomic.h"

#define SPIN_ROUNDS 1000

struct lock_waiter {
	struct list_head link; /* under wait_lock */
	struct thread *thread;
	bool write;
	bool granted; /* [a] the lock is ours */
};

static void waiter_sleep(struct lock_waiter *w, void *lock)
{
	current->wait_on = lock;
	for (;;) {
		thread_prepare_sleep(WAIT_UNINTERRUPTIBLE);
		if (atomic_load_acquire(&w->granted))
			break;
		thread_sleep();
	}
	thread_cancel_sleep();
	current->wait_on = NULL;
}

static void waiter_grant(struct lock_waiter *w)
{
	struct thread *thread = w->thread;

	list_del(&w->link);
	atomic_store_release(&w->granted, true);
	thread_wake(thread);
}

/* Is it worth waiting awake for this holder (NULL: just changing)? */
static bool holder_is_active(const struct thread *holder)
{
	if (nr_cpus_online == 1 || (atomic_load(&current->work) & THREAD_WORK_RESCHED))
		return false;
	if (!holder)
		return true;
	return atomic_load(&holder->cpu) != cpu_id() &&
	       atomic_load(&holder->state) != THREAD_SLEEPING;
}

/* --- mutex ------------------------------------------------------------------------------------ */

#define OWNER_WAITERS 1ul

static struct thread *mutex_owner(u64 word)
{
	return (struct thread *)(word & ~OWNER_WAITERS);
}

/* mutex_init - a free mutex of this rank. */
void mutex_init(struct mutex *m, enum lock_rank rank)
{
	spin_init(&m->wait_lock, RANK_WAITQ);
	m->owner = 0;
	list_init(&m->waiters);
	m->rank = (u8)rank;
}

static bool mutex_take_free(struct mutex *m)
{
	u64 old = 0;

	return atomic_cas(&m->owner, &old, (u64)current);
}

static bool mutex_spin(struct mutex *m)
{
	for (unsigned i = 0; i < SPIN_ROUNDS; i++) {
		u64 word = atomic_load(&m->owner);

		if (!word && mutex_take_free(m))
			return true;
		if ((word & OWNER_WAITERS) || !holder_is_active(mutex_owner(word)))
			return false;
		cpu_relax();
	}
	return false;
}

static NOINLINE void mutex_wait(struct mutex *m)
{
	struct lock_waiter self = {.thread = current};
	unsigned long irq;

	if (mutex_spin(m))
		return;
	irq = spin_lock_irqsave(&m->wait_lock);
	if (atomic_fetch_or(&m->owner, OWNER_WAITERS) == 0) {
		/* Released meanwhile; with the bit set only we, under wait_lock, can take it. */
		atomic_store(&m->owner, (u64)current);
		spin_unlock_irqrestore(&m->wait_lock, irq);
		return;
	}
	list_add_tail(&self.link, &m->waiters);
	spin_unlock_irqrestore(&m->wait_lock, irq);
	waiter_sleep(&self, m);
}

static NOINLINE void mutex_hand_over(struct mutex *m)
{
	unsigned long irq = spin_lock_irqsave(&m->wait_lock);
	struct lock_waiter *first = list_first(&m->waiters, struct lock_waiter, link);
	bool more = first->link.next != &m->waiters;

	atomic_store_release(&m->owner, (u64)first->thread | (more ? OWNER_WAITERS : 0));
	waiter_grant(first);
	spin_unlock_irqrestore(&m->wait_lock, irq);
}

/* mutex_lock - take it, sleeping if need be. Not for interrupt handlers; not recursive. */
void mutex_lock(struct mutex *m)
{
	lock_note_acquire(m->rank, false);
	if (!mutex_take_free(m))
		mutex_wait(m);
}

/* mutex_lock_nested - the same while another mutex of this rank is held; the caller knows an order. */
void mutex_lock_nested(struct mutex *m)
{
	lock_note_acquire(m->rank, true);
	if (!mutex_take_free(m))
		mutex_wait(m);
}

/* mutex_trylock - take it if it is free. Does not sleep; any rank. */
bool mutex_trylock(struct mutex *m)
{
	if (!mutex_take_free(m))
		return false;
	lock_check_took(m->rank);
	return true;
}

/* mutex_unlock - by the thread that took it. */
void mutex_unlock(struct mutex *m)
{
	u64 old = (u64)current;

	assert(mutex_owner(m->owner) == current);
	lock_note_release(m->rank);
	if (!atomic_cas(&m->owner, &old, 0ul))
		mutex_hand_over(m);
}

/* mutex_is_held - by the current thread. */
bool mutex_is_held(const struct mutex *m)
{
	return mutex_owner(atomic_load(&m->owner)) == current;
}

/* --- reader-writer lock ------------------------------------------------------------------------- */

/* As long as WAITING is set, only rw_grant gives the lock away. */
static bool rw_take_read(struct rwlock *l)
{
	u32 old = atomic_load(&l->state);

	while (!(old & (RWLOCK_WRITER | RWLOCK_WAITING))) {
		if (atomic_cas(&l->state, &old, old + 1))
			return true;
	}
	return false;
}

static bool rw_take_write(struct rwlock *l)
{
	u32 old = 0;

	if (atomic_load(&l->state) || !atomic_cas(&l->state, &old, RWLOCK_WRITER))
		return false;
	atomic_store(&l->writer, current);
	return true;
}

/* Only a writer is worth spinning for: who the readers are is not known. */
static bool rw_spin(struct rwlock *l, bool write)
{
	for (unsigned i = 0; i < SPIN_ROUNDS; i++) {
		u32 state = atomic_load(&l->state);

		if (write ? rw_take_write(l) : rw_take_read(l))
			return true;
		if ((state & RWLOCK_WAITING) || !(state & RWLOCK_WRITER) ||
		    !holder_is_active(atomic_load(&l->writer)))
			return false;
		cpu_relax();
	}
	return false;
}

/* Make the first writer, or all readers up to the first writer, holders if the state allows it. */
static void rw_grant_locked(struct rwlock *l)
{
	struct lock_waiter *first;
	u32 idle = RWLOCK_WAITING;

	while ((first = list_first(&l->waiters, struct lock_waiter, link))) {
		bool more = first->link.next != &l->waiters;

		if (first->write) {
			u32 next = RWLOCK_WRITER | (more ? RWLOCK_WAITING : 0);

			if (!atomic_cas(&l->state, &idle, next))
				return;
			atomic_store(&l->writer, first->thread);
			waiter_grant(first);
			return;
		}
		if (atomic_load(&l->state) & RWLOCK_WRITER)
			return;
		atomic_inc(&l->state);
		waiter_grant(first);
	}
	atomic_and(&l->state, ~RWLOCK_WAITING);
}

static NOINLINE void rw_grant(struct rwlock *l)
{
	unsigned long irq = spin_lock_irqsave(&l->wait_lock);

	rw_grant_locked(l);
	spin_unlock_irqrestore(&l->wait_lock, irq);
}

static NOINLINE void rw_wait(struct rwlock *l, bool write)
{
	struct lock_waiter self = {.thread = current, .write = write};
	unsigned long irq;

	if (rw_spin(l, write))
		return;
	irq = spin_lock_irqsave(&l->wait_lock);
	list_add_tail(&self.link, &l->waiters);
	atomic_or(&l->state, RWLOCK_WAITING);
	rw_grant_locked(l); /* it may have been released before the bit was set */
	spin_unlock_irqrestore(&l->wait_lock, irq);
	waiter_sleep(&self, l);
}

/* rw_read_lock - share it with other readers, sleeping if need be. Not recursive: a writer that
 * comes in between would be waited for by the reader that blocks it. */
void rw_read_lock(struct rwlock *l)
{
	lock_note_acquire(l->rank, false);
	if (!rw_take_read(l))
		rw_wait(l, false);
}

/* rw_try_read_lock - share it if no writer holds or wants it. Does not sleep; any rank. */
bool rw_try_read_lock(struct rwlock *l)
{
	if (!rw_take_read(l))
		return false;
	lock_check_took(l->rank);
	return true;
}

/* rw_read_unlock - any thread that holds it shared. */
void rw_read_unlock(struct rwlock *l)
{
	lock_note_release(l->rank);
	if (atomic_sub_return(&l->state, 1u) == RWLOCK_WAITING)
		rw_grant(l);
}

/* rw_write_lock - have it alone, sleeping if need be. */
void rw_write_lock(struct rwlock *l)
{
	lock_note_acquire(l->rank, false);
	if (!rw_take_write(l))
		rw_wait(l, true);
}

/* rw_write_lock_nested - the same while another lock of this rank is held; the caller knows an order. */
void rw_write_lock_nested(struct rwlock *l)
{
	lock_note_acquire(l->rank, true);
	if (!rw_take_write(l))
		rw_wait(l, true);
}

/* rw_try_write_lock - have it alone if it is free. Does not sleep; any rank. */
bool rw_try_write_lock(struct rwlock *l)
{
	if (!rw_take_write(l))
		return false;
	lock_check_took(l->rank);
	return true;
}

/* rw_write_unlock - by the thread that took it. */
void rw_write_unlock(struct rwlock *l)
{
	assert(l->writer == current);
	lock_note_release(l->rank);
	atomic_store(&l->writer, NULL);
	if (atomic_sub_return(&l->state, RWLOCK_WRITER))
		rw_grant(l);
}

/* rw_downgrade - keep it as one of the readers; no writer gets in between. */
void rw_downgrade(struct rwlock *l)
{
	assert(l->writer == current);
	atomic_store(&l->writer, NULL);
	if (atomic_sub_return(&l->state, RWLOCK_WRITER - 1) & RWLOCK_WAITING)
		rw_grant(l);
}

/* rw_is_held - by anyone, in either way. */
bool rw_is_held(const struct rwlock *l)
{
	return atomic_load(&l->state) & ~RWLOCK_WAITING;
}

/* rw_is_write_held - by the current thread, alone. */
bool rw_is_write_held(const struct rwlock *l)
{
	return atomic_load(&l->writer) == current;
}
