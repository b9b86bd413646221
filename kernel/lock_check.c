/* SPDX-License-Identifier: MIT */
/*
 * lock_check.c - lock ranks, checked at run time in debug builds.
 *
 * Spin locks are held by a CPU: each CPU has the list of those it holds, in the order of taking. An
 * interrupt handler adds its own on top and has removed them when it returns, so the list is
 * right for whoever looks at it on its own CPU. Sleeping locks are held by a thread, which counts
 * how many it holds of each rank; there can be thousands of one (all mappings of a space in fork).
 *
 * Once a panic is under way nothing is checked any more: it must get out with whatever is held.
 */
#ifdef QUIRE_DEBUG

#include <arch/cpu.h>
#include "kernel/lock_check.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/rcu.h"
#include "kernel/smp.h"
#include "kernel/thread.h"
#include "kernel/time.h"

#define MAX_SPIN_DEPTH 16
#define STUCK_NS       (10 * NSEC_PER_SEC)

struct held_locks {
	unsigned depth;
	struct spinlock *locks[MAX_SPIN_DEPTH];
};

static PERCPU struct held_locks held_spinlocks;
static PERCPU unsigned rcu_depth;

static const char *const rank_names[RANK_NR] = {
	[RANK_FILE_POS] = "file position",
	[RANK_EPOLL] = "epoll",
	[RANK_PROCESS_TREE] = "process tree",
	[RANK_FILES] = "files",
	[RANK_NAMES] = "names",
	[RANK_INODE] = "inode",
	[RANK_SPACE] = "space",
	[RANK_VMA] = "vma",
	[RANK_OBJ_RESIZE] = "object resize",
	[RANK_FOLIO] = "folio",
	[RANK_OBJ_VMAS] = "object vmas",
	[RANK_PT_NODE] = "page-table node",
	[RANK_OBJ_INDEX] = "object index",
	[RANK_SWAP] = "swap",
	[RANK_VMALLOC] = "vmalloc",
	[RANK_PROCESS] = "process",
	[RANK_FUTEX] = "futex",
	[RANK_WAITQ] = "wait queue",
	[RANK_RUNQUEUE] = "run queue",
	[RANK_RCU] = "rcu",
	[RANK_TIMER] = "timer",
	[RANK_SLAB] = "slab",
	[RANK_BUDDY] = "buddy",
	[RANK_IRQ_CHIP] = "interrupt controller",
	[RANK_CONSOLE] = "console",
};

static const char *rank_name(unsigned rank)
{
	return rank < RANK_NR && rank_names[rank] ? rank_names[rank] : "unknown";
}

void lock_check_order(const struct spinlock *l, bool nested)
{
	const struct held_locks *held = &this_cpu(held_spinlocks);

	if (panic_in_progress())
		return;
	if (l->rank < RANK_OBJ_VMAS || l->rank >= RANK_NR)
		panic("spin lock %p is not initialised (rank %u)", (const void *)l, l->rank);
	for (unsigned i = 0; i < held->depth; i++) {
		const struct spinlock *h = held->locks[i];

		if (h == l)
			panic("%s lock %p is taken twice", rank_name(l->rank), (const void *)l);
		if (h->rank > l->rank || (h->rank == l->rank && !nested))
			panic("lock order: %s lock %p is taken while %s lock %p is held",
			      rank_name(l->rank), (const void *)l, rank_name(h->rank),
			      (const void *)h);
	}
	if (l->rank >= RANK_IRQ_LEAF && cpu_irqs_enabled())
		panic("%s lock %p is taken with interrupts on", rank_name(l->rank),
		      (const void *)l);
	/* Its holder may wait for this CPU to answer a flush. */
	if (l->rank <= RANK_PT_NODE && nr_cpus_online > 1 && !cpu_irqs_enabled())
		panic("%s lock %p is waited for with interrupts off", rank_name(l->rank),
		      (const void *)l);
}

void lock_check_push(struct spinlock *l)
{
	unsigned long irq = cpu_irq_save();
	struct held_locks *held = &this_cpu(held_spinlocks);

	WRITE_ONCE(l->holder, (u16)(cpu_id() + 1));
	if (held->depth == MAX_SPIN_DEPTH && !panic_in_progress())
		panic("%u spin locks are held", held->depth);
	if (held->depth < MAX_SPIN_DEPTH)
		held->locks[held->depth++] = l;
	cpu_irq_restore(irq);
}

void lock_check_pop(struct spinlock *l)
{
	unsigned long irq = cpu_irq_save();
	struct held_locks *held = &this_cpu(held_spinlocks);
	unsigned i = held->depth;

	while (i > 0 && held->locks[i - 1] != l)
		i--;
	if (i == 0 && !panic_in_progress())
		panic("%s lock %p is released by a CPU that does not hold it", rank_name(l->rank),
		      (void *)l);
	if (i > 0) {
		for (; i < held->depth; i++)
			held->locks[i - 1] = held->locks[i];
		held->depth--;
	}
	WRITE_ONCE(l->holder, 0);
	cpu_irq_restore(irq);
}

void lock_check_stuck(const struct spinlock *l, u64 *start)
{
	u64 now = time_now();

	if (!*start)
		*start = now;
	if (now - *start > STUCK_NS && !panic_in_progress())
		panic("%s lock %p is held for 10 seconds, by CPU %d", rank_name(l->rank),
		      (const void *)l, READ_ONCE(l->holder) - 1);
}

void lock_check_took(enum lock_rank rank)
{
	BUG_ON(rank > RANK_FOLIO);
	current->locks_held[rank]++;
}

void lock_note_acquire(enum lock_rank rank, bool nested)
{
	if (panic_in_progress())
		return;
	lock_assert_may_sleep();
	for (unsigned r = rank; r <= RANK_FOLIO; r++) {
		if (current->locks_held[r] && !(r == rank && nested))
			panic("lock order: a %s lock is taken while a %s lock is held",
			      rank_name(rank), rank_name(r));
	}
	lock_check_took(rank);
}

void lock_note_release(enum lock_rank rank)
{
	if (panic_in_progress())
		return;
	if (!current->locks_held[rank])
		panic("a %s lock is released by a thread that holds none", rank_name(rank));
	current->locks_held[rank]--;
}

/* The interrupt flag says nothing until the boot CPU has turned interrupts on for the first time;
 * until then there is one thread, for which no wait is ever long. */
void lock_assert_may_sleep(void)
{
	const struct held_locks *held = &this_cpu(held_spinlocks);

	if (panic_in_progress())
		return;
	if (held->depth)
		panic("sleep while %s lock %p is held",
		      rank_name(held->locks[held->depth - 1]->rank),
		      (void *)held->locks[held->depth - 1]);
	if (this_cpu(rcu_depth))
		panic("sleep inside an RCU reader");
	if (!cpu_irqs_enabled() && sched_is_running())
		panic("sleep with interrupts off");
}

void lock_assert_user_access(void)
{
	lock_assert_may_sleep();
	for (unsigned r = RANK_SPACE; r <= RANK_FOLIO; r++) {
		if (current->locks_held[r] && !panic_in_progress())
			panic("user memory is touched while a %s lock is held", rank_name(r));
	}
}

void rcu_read_lock(void)
{
	this_cpu(rcu_depth)++;
	barrier();
}

void rcu_read_unlock(void)
{
	barrier();
	if (this_cpu(rcu_depth) == 0)
		panic("rcu_read_unlock without rcu_read_lock");
	this_cpu(rcu_depth)--;
}

#endif
