/* SPDX-License-Identifier: MIT */
/*
 * lock_spin.c - ticket spin locks: the waiting, and the checked forms of debug builds.
 *
 * A CPU that wants the lock draws the next ticket and waits until it is served; releasing serves the
 * following one. So the lock is handed out in the order of arrival, with one store per release. In
 * release builds everything but the wait is inlined by kernel/lock.h.
 *
 * A CPU that waits keeps interrupts as they are: for all but the leaf ranks they are on, so that it
 * answers the flush requests of whoever holds the lock.
 */
#include <arch/cpu.h>
#include "kernel/lock_check.h"
#include "kernel/percpu.h"
#include "lib/atomic.h"

#ifndef QUIRE_DEBUG

void spin_wait(struct spinlock *l, u16 ticket)
{
	while (atomic_load_acquire(&l->owner) != ticket)
		cpu_relax();
}

#else

#define SPINS_PER_CLOCK_READ 4096u

static void spin_acquire(struct spinlock *l)
{
	u16 ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_ACQUIRE);
	u64 start = 0;

	for (unsigned n = 1; atomic_load_acquire(&l->owner) != ticket; n++) {
		cpu_relax();
		if (n % SPINS_PER_CLOCK_READ == 0)
			lock_check_stuck(l, &start);
	}
	lock_check_push(l);
}

void spin_lock(struct spinlock *l)
{
	lock_check_order(l, false);
	spin_acquire(l);
}

void spin_lock_nested(struct spinlock *l)
{
	lock_check_order(l, true);
	spin_acquire(l);
}

bool spin_trylock(struct spinlock *l)
{
	u32 old = atomic_load(&l->tickets);

	if ((u16)old != old >> 16 || !atomic_cas(&l->tickets, &old, old + (1u << 16)))
		return false;
	lock_check_push(l);
	return true;
}

void spin_unlock(struct spinlock *l)
{
	lock_check_pop(l);
	atomic_store_release(&l->owner, (u16)(l->owner + 1));
}

bool spin_is_held(const struct spinlock *l)
{
	return READ_ONCE(l->holder) == cpu_id() + 1;
}

unsigned long spin_lock_irqsave(struct spinlock *l)
{
	unsigned long irq = cpu_irq_save();

	spin_lock(l);
	return irq;
}

void spin_unlock_irqrestore(struct spinlock *l, unsigned long irq)
{
	spin_unlock(l);
	cpu_irq_restore(irq);
}

#endif
