/* SPDX-License-Identifier: MIT */
/*
 * lock.h - spin locks and sleeping locks, all with a rank.
 *
 * There is one total order of locks (mm/LOCKING.md tells what each protects). A lock may be taken
 * only while every lock already held by this thread has a lower rank; two locks of one rank only
 * where the second is taken with the _nested form, whose caller has another order to offer (a
 * parent before its child, ascending address, parent space before child space). Debug builds keep
 * the ranks of the held locks per CPU (spin) and per thread (sleeping) and panic on the first
 * inversion, on a sleep under a spin lock, on a release by someone who does not hold it, and on a spin
 * that lasts ten seconds.
 *
 * Locks of rank >= RANK_IRQ_LEAF are the ones taken with interrupts off (_irqsave forms); they are
 * leaves: no lock of lower rank, and no TLB flush, ever waits under one.
 */
#pragma once

#include <quire/types.h>
#include <quire/compiler.h>
#include <quire/assert.h>
#include "lib/list.h"

enum lock_rank {
	/* sleeping locks, outer to inner */
	RANK_FILE_POS, /* one open file: its position, then text that is being made for it */
	RANK_EPOLL,    /* what an epoll watches; held while it asks files whether they are ready */
	RANK_PROCESS_TREE, /* parent/child links, zombies, process groups */
	RANK_FILES,        /* a file table */
	RANK_NAMES,        /* the tree of names and mounts: vfs_rename_lock */
	RANK_INODE,
	RANK_SPACE,      /* address space (read-write) */
	RANK_VMA,        /* one mapping (read-write) */
	RANK_OBJ_RESIZE, /* object size against faults (read-write) */
	RANK_FOLIO,
	/* spin locks */
	RANK_OBJ_VMAS, /* an object's list of mappings; an anonymous family */
	RANK_PT_NODE,  /* page-table node: parent before child */
	RANK_OBJ_INDEX,
	RANK_SWAP,
	RANK_VMALLOC,
	RANK_PROCESS, /* signal state, pid table */
	/* leaves: interrupts off while held */
	RANK_IRQ_LEAF,
	RANK_FUTEX = RANK_IRQ_LEAF,
	RANK_WAITQ,
	RANK_RUNQUEUE,
	RANK_RCU,
	RANK_TIMER,
	RANK_SLAB, /* memory may be allocated (PA_ATOMIC) and freed under any lock above */
	RANK_BUDDY,
	RANK_IRQ_CHIP,
	RANK_CONSOLE,
	RANK_NR
};

/* Eight bytes, so that one fits into every page-table node's struct page.
 *
 * Whoever finds it free takes it; waiters do not queue. A queue would be fair, but it hands the lock
 * to one particular CPU, and where CPUs are threads of a busy host that one may not be running: then
 * all others wait for the host's scheduler at every release. Sections are short and few CPUs meet. */
struct spinlock {
	u32 locked; /* [a] */
	u8 rank;
	u8 unused;
	u16 holder; /* debug: cpu + 1 */
};
BUILD_ASSERT(sizeof(struct spinlock) == 8, "struct page has no room for more");

/* spin_init - a free lock. SPINLOCK_INIT is the same for static data. */
#define SPINLOCK_INIT(r) ((struct spinlock){.rank = (r)})

static inline void spin_init(struct spinlock *l, enum lock_rank rank)
{
	*l = SPINLOCK_INIT(rank);
}

#ifdef QUIRE_DEBUG

void spin_lock(struct spinlock *);
void spin_lock_nested(struct spinlock *); /* a second lock of the same rank */
bool spin_trylock(struct spinlock *);     /* any rank: it cannot deadlock */
void spin_unlock(struct spinlock *);
bool spin_is_held(const struct spinlock *); /* by this CPU */

/* For ranks >= RANK_IRQ_LEAF: interrupts are off from lock to unlock. */
unsigned long spin_lock_irqsave(struct spinlock *);
void spin_unlock_irqrestore(struct spinlock *, unsigned long irq);
/* The same where interrupts are known to be on: a thread, no other such lock held. */
void spin_lock_irq(struct spinlock *);
void spin_unlock_irq(struct spinlock *);

#else

#include <arch/cpu.h>
#include "lib/atomic.h"

/* The waiting is here as well: were it a call, every function that takes a lock would have to save registers for it. */
static inline void spin_lock(struct spinlock *l)
{
	while (unlikely(__atomic_exchange_n(&l->locked, 1, __ATOMIC_ACQUIRE)))
		while (atomic_load(&l->locked))
			cpu_relax();
}

static inline void spin_lock_nested(struct spinlock *l)
{
	spin_lock(l);
}

static inline bool spin_trylock(struct spinlock *l)
{
	return !atomic_load(&l->locked) && !__atomic_exchange_n(&l->locked, 1, __ATOMIC_ACQUIRE);
}

static inline void spin_unlock(struct spinlock *l)
{
	atomic_store_release(&l->locked, 0u);
}

static inline bool spin_is_held(const struct spinlock *l)
{
	return atomic_load(&l->locked);
}

static inline unsigned long spin_lock_irqsave(struct spinlock *l)
{
	unsigned long irq = cpu_irq_save();

	spin_lock(l);
	return irq;
}

static inline void spin_unlock_irqrestore(struct spinlock *l, unsigned long irq)
{
	spin_unlock(l);
	cpu_irq_restore(irq);
}

static inline void spin_lock_irq(struct spinlock *l)
{
	cpu_irq_disable();
	spin_lock(l);
}

static inline void spin_unlock_irq(struct spinlock *l)
{
	spin_unlock(l);
	cpu_irq_enable();
}
#endif

/* Mutual exclusion for threads. A waiter first spins for a while when the owner is running on another
 * CPU; those that sleep are served in the order of arrival, each by a direct hand-over. */
struct thread;
struct mutex {
	struct spinlock wait_lock; /* RANK_WAITQ */
	u64 owner;                 /* [a] struct thread *, bit 0: someone waits; 0: free */
	struct list_head waiters;  /* under wait_lock */
	u8 rank;
};

void mutex_init(struct mutex *, enum lock_rank);
void mutex_lock(struct mutex *);
void mutex_lock_nested(struct mutex *);
bool mutex_trylock(struct mutex *);
void mutex_unlock(struct mutex *);
bool mutex_is_held(const struct mutex *);

/* mutex_lock_by, mutex_unlock_by - the same for short ways, on which a call counts; self: the current thread. */
static inline void mutex_lock_by(struct mutex *m, struct thread *self UNUSED)
{
#ifndef QUIRE_DEBUG
	u64 unowned = 0;

	if (likely(atomic_cas(&m->owner, &unowned, (u64)self)))
		return;
#endif
	mutex_lock(m);
}

static inline void mutex_unlock_by(struct mutex *m, struct thread *self UNUSED)
{
#ifndef QUIRE_DEBUG
	u64 owner = (u64)self;

	if (likely(atomic_cas(&m->owner, &owner, 0ul)))
		return;
#endif
	mutex_unlock(m);
}

/* Many readers or one writer. Once someone waits, later comers queue up behind, so neither side starves.
 * Uncontended paths are one atomic operation. */
#define RWLOCK_WRITER  (1u << 31)
#define RWLOCK_WAITING (1u << 30)
struct rwlock {
	u32 state; /* [a] readers; RWLOCK_WRITER, RWLOCK_WAITING bits */
	u8 rank;
	struct spinlock wait_lock; /* RANK_WAITQ */
	struct list_head waiters;  /* under wait_lock */
	struct thread *writer;     /* [a] */
};

/* rw_init - a free lock of this rank. */
static inline void rw_init(struct rwlock *l, enum lock_rank rank)
{
	l->state = 0;
	l->rank = (u8)rank;
	spin_init(&l->wait_lock, RANK_WAITQ);
	list_init(&l->waiters);
	l->writer = NULL;
}

void rw_read_lock(struct rwlock *);
bool rw_try_read_lock(struct rwlock *);
void rw_read_unlock(struct rwlock *);
void rw_write_lock(struct rwlock *);
void rw_write_lock_nested(struct rwlock *);
bool rw_try_write_lock(struct rwlock *);
void rw_write_unlock(struct rwlock *);
void rw_downgrade(struct rwlock *);     /* writer becomes a reader without a gap */
bool rw_is_held(const struct rwlock *); /* by anyone */
bool rw_is_write_held(const struct rwlock *);

/* lock_assert_may_sleep / lock_assert_user_access - debug checks placed at every sleeping point and in
 * every user accessor: no spin lock held; for user access no sleeping lock of rank SPACE..FOLIO either. */
#ifdef QUIRE_DEBUG
void lock_assert_may_sleep(void);
void lock_assert_user_access(void);
/* lock_note_acquire / lock_note_release - rank checks for sleeping locks that are made elsewhere, such as
 * a bit in a page's flags. Before acquiring; with `nested` another lock of the rank may be held. */
void lock_note_acquire(enum lock_rank, bool nested);
void lock_note_release(enum lock_rank);
#else
static inline void lock_assert_may_sleep(void)
{
}
static inline void lock_assert_user_access(void)
{
}
static inline void lock_note_acquire(enum lock_rank rank UNUSED, bool nested UNUSED)
{
}
static inline void lock_note_release(enum lock_rank rank UNUSED)
{
}
#endif

#define assert_held(l)                                   \
	assert(_Generic((l), struct spinlock *           \
			: spin_is_held, struct mutex *   \
			: mutex_is_held, struct rwlock * \
			: rw_is_held)(l))
