/* SPDX-License-Identifier: MIT */
/*
 * rcu.h - readers without locks, frees after every reader that could see the object is done.
 *
 * The kernel is not preempted outside sleeping points, so a reader is simply code that does not
 * sleep. A CPU is quiescent while in user mode or idle: a per-CPU counter, odd inside the kernel, is
 * flipped with a full barrier at kernel entry and exit. A context switch counts as well. A sleeping
 * CPU is never woken to prove anything.
 *
 * There are only callbacks: nobody waits for a grace period under a lock, and exit and fork never
 * wait for one.
 */
#pragma once

#include <quire/types.h>
#include "kernel/percpu.h"

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

/* Called by the entry code: from user mode (or idle) into the kernel, and on the way back. */
extern PERCPU u64 rcu_counter; /* odd: in the kernel */
static inline void rcu_kernel_enter(void)
{
	__atomic_fetch_add(&this_cpu(rcu_counter), 1, __ATOMIC_SEQ_CST);
}
static inline void rcu_kernel_exit(void)
{
	__atomic_fetch_add(&this_cpu(rcu_counter), 1, __ATOMIC_SEQ_CST);
}
void rcu_note_switch(void);  /* from the scheduler, interrupts off */
bool rcu_needs_cpu(void);    /* this CPU still has callbacks: idle keeps a timer */
void rcu_poll(void);         /* run what is due; from the timer interrupt's return path and idle */
void rcu_init(void);
