/* SPDX-License-Identifier: MIT */
/*
 * rcu.h - readers without locks, frees after every reader that could see the object is done.
 *
 * The kernel is not preempted outside sleeping points, so a reader is simply code that does not
 * sleep. A CPU is quiescent while in user mode or idle: a per-CPU counter, odd inside the kernel, is
 * flipped with a full barrier at kernel entry and exit. A context switch counts as well. A sleeping
 * CPU is never woken to prove anything.
 *
 * Grace periods are numbered and there is one at a time for the whole machine. It starts with a snapshot
 * of the counters and is over when each CPU's counter was even or has changed. A callback waits
 * for the first grace period that starts after it was queued. Whoever polls pushes it on; a CPU that has
 * callbacks polls when it goes idle, and else keeps a timer of a few milliseconds until they have run.
 * A CPU with RCU_PRESSURE callbacks polls at its next return to user mode.
 *
 * There are only callbacks: nobody waits for a grace period under a lock, and exit and fork never
 * wait for one.
 */
#pragma once

#include <quire/types.h>
#include "kernel/percpu.h"
#include "lib/atomic.h"

struct rcu_head {
	struct rcu_head *next;
	void (*fn)(struct rcu_head *);
};

#ifdef QUIRE_DEBUG
void rcu_read_lock(void);
void rcu_read_unlock(void);
#else
static inline void rcu_read_lock(void)
{
	barrier();
}
static inline void rcu_read_unlock(void)
{
	barrier();
}
#endif

#define rcu_dereference(p) __atomic_load_n(&(p), __ATOMIC_ACQUIRE)
#define rcu_assign(p, v)   __atomic_store_n(&(p), v, __ATOMIC_RELEASE)

/* rcu_call - run head->fn after all current readers are done. Any context; never fails. */
void rcu_call(struct rcu_head *, void (*fn)(struct rcu_head *));
/* rcu_synchronize - sleep until all current readers are done. Not for exit or fork paths. */
void rcu_synchronize(void);

/* rcu_backlog - callbacks of all CPUs that have not run yet; a hint. */
u64 rcu_backlog(void);

/* Called by the entry code: from user mode (or idle) into the kernel, and on the way back. */
extern PERCPU u64 rcu_counter; /* odd: in the kernel */
static inline void rcu_kernel_enter(void)
{
	u64 *counter = &this_cpu(rcu_counter);

	/* Only this CPU writes it. The barrier keeps what readers load from being loaded earlier. */
	atomic_store(counter, *counter + 1);
	smp_mb();
}
static inline void rcu_kernel_exit(void)
{
	u64 *counter = &this_cpu(rcu_counter);

	atomic_store_release(counter, *counter + 1);
}

/* rcu_irq_enter, rcu_irq_exit - around an interrupt that was taken in kernel mode. It came from the idle
 * loop, where the counter is even, or from code inside the kernel, where there is nothing to do. */
static inline bool rcu_irq_enter(void)
{
	if (likely(this_cpu(rcu_counter) & 1))
		return false;
	rcu_kernel_enter();
	return true;
}
static inline void rcu_irq_exit(bool entered)
{
	if (entered)
		rcu_kernel_exit();
}

/* rcu_note_switch - no reader is active on this CPU at this point. From the scheduler, interrupts off. */
static inline void rcu_note_switch(void)
{
	u64 *counter = &this_cpu(rcu_counter);

	atomic_store_release(counter, *counter + 2);
	smp_mb();
}

/* rcu_poll - push the grace period on and run callbacks that are due. The caller guarantees that no
 * reader is active on this CPU: on the way from an interrupt to user mode, in thread_return_to_user,
 * and in the idle loop. Callbacks run with interrupts as they are here and may not sleep. */
void rcu_poll(void);
extern PERCPU bool rcu_due;      /* the timer has asked for a poll */
extern PERCPU u64 rcu_callbacks; /* how many this CPU has */
#define rcu_poll_due()      (READ_ONCE(this_cpu(rcu_due)))
#define rcu_has_callbacks() (READ_ONCE(this_cpu(rcu_callbacks)) != 0)
