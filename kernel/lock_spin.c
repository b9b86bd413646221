/* SPDX-License-Identifier: MIT */
/*
 * lock_spin.c - spin locks: the checked forms of debug builds.
 *
 * Taking is one exchange. Who does not get the lock reads it until it looks free before trying again,
 * so that waiting takes nothing from the holder. In release builds everything is inlined by kernel/lock.h.
 *
 * A CPU that waits keeps interrupts as they are: for all but the leaf ranks they are on, so that it
 * answers the flush requests of whoever holds the lock.
 */
#include <arch/cpu.h>
#include "kernel/lock_check.h"
#include "kernel/percpu.h"
#include "lib/atomic.h"

#ifdef QUIRE_DEBUG

#define SPINS_PER_CLOCK_READ 4096u

static void spin_acquire(struct spinlock *l)
{
	u64 start = 0;

	while (__atomic_exchange_n(&l->locked, 1, __ATOMIC_ACQUIRE)) {
		for (unsigned n = 1; atomic_load(&l->locked); n++) {
			cpu_relax();
			if (n % SPINS_PER_CLOCK_READ == 0)
				lock_check_stuck(l, &start);
		}
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
	if (atomic_load(&l->locked) || __atomic_exchange_n(&l->locked, 1, __ATOMIC_ACQUIRE))
		return false;
	lock_check_push(l);
	return true;
}

void spin_unlock(struct spinlock *l)
{
	lock_check_pop(l);
	atomic_store_release(&l->locked, 0u);
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

void spin_lock_irq(struct spinlock *l)
{
	assert(cpu_irqs_enabled());
	cpu_irq_disable();
	spin_lock(l);
}

void spin_unlock_irq(struct spinlock *l)
{
	spin_unlock(l);
	cpu_irq_enable();
}

#endif
