/* SPDX-License-Identifier: MIT */
/*
 * sched.h - the run queues, shared by the files of the scheduler: sched.c (switching and waking),
 * sched_balance.c (which CPU), sched_attr.c (weights and times), sched_idle.c (nothing to do). Others use kernel/thread.h.
 *
 * A runnable thread is in one of three places, and whoever holds the lock of the queue that thread->cpu names
 * knows which: on the queue (on_rq), running (curr of the queue), or in hand: RUNNABLE and
 * neither, on its way from one queue to another, owned by the CPU that carries it. Because of the
 * last one nobody ever holds two queue locks.
 */
#pragma once

#include "kernel/thread.h"
#include "kernel/time.h"

struct aspace;

struct runqueue {
	struct spinlock lock;  /* RANK_RUNQUEUE */
	u32 cpu;               /* [i] */
	u32 nr_queued;         /* [r] waiting threads; read by others as a hint */
	struct thread *first;  /* [r] of those the one with the smallest vruntime .. */
	struct rb_root others; /* [r] .. and the others: mostly there are none */
	struct thread *curr;   /* [r] */
	struct thread *idle;   /* [i] */
	u64 clock_ns;          /* [r] until when curr's time is accounted */
	u64 min_vruntime;      /* [r] never decreases */
	u64 runnable_ns;       /* [r] see sched_runnable_ns */
	u64 nr_switches;       /* [r] */

	/* only by this CPU, interrupts off */
	struct aspace *loaded;  /* the page tables in use; holds a reference */
	struct aspace *to_put;  /* reference to drop once the switch is over */
	struct thread *leaving; /* switched away from, does not stay: dead, or for another CPU */
	struct timer slice;
	struct timer sample; /* what a program is doing: user code or the kernel's */
};

#define SCHED_SLICE_NS       (4 * NSEC_PER_MSEC)
#define SCHED_SAMPLE_NS      (10 * NSEC_PER_MSEC)
#define SCHED_WAKE_CREDIT_NS (3 * NSEC_PER_MSEC) /* how far a sleeper may lag behind the others */
#define SCHED_WAKE_GRAN_NS   (1 * NSEC_PER_MSEC) /* lead that makes a woken thread preempt */

extern PERCPU struct runqueue runqueue;
extern struct cpumask idle_cpus; /* [a] in their idle loop, looking for work or asleep */

#define this_runqueue() (&this_cpu(runqueue))
#define cpu_runqueue(c) (&cpu_var(runqueue, c))

/* runqueue_lock_of - lock the queue that t->cpu names. Interrupts off. */
struct runqueue *runqueue_lock_of(struct thread *);

/* sched_dequeue - out of a locked queue's tree. The thread's vruntime is relative to this queue. */
void sched_dequeue(struct runqueue *, struct thread *);

/* sched_next_queued - the waiting thread that comes after this one. Queue locked. */
struct thread *sched_next_queued(struct runqueue *, struct thread *);

/* sched_account - charge curr for its time up to now. Queue locked. */
void sched_account(struct runqueue *);

/* sched_sample_due - runqueue.sample: what curr has used since its last sample was used by one side. Timer interrupt. */
void sched_sample_due(struct timer *);

/* sched_runnable_ns - sum over time of how many threads could run here: kernel/load.h. Queue locked. */
u64 sched_runnable_ns(struct runqueue *);

/* sched_place - put a thread in hand on the queue of `target`, or of another CPU when its affinity has
 * changed, and make that CPU look at it.
 *  needs: rq, the queue that t->cpu names, locked and accounted   after: nothing is locked */
void sched_place(struct runqueue *rq, struct thread *, unsigned target);

/* sched_choose_cpu - where a thread in hand should run: its last CPU or an idle one. Queue locked. */
unsigned sched_choose_cpu(const struct thread *);
bool sched_cpu_allowed(const struct thread *, unsigned cpu);

/* sched_steal - take a waiting thread from the longest queue to this CPU's. Interrupts off, no lock
 * held. False: nobody has one for us. */
bool sched_steal(void);

/* sched_push - give a waiting thread to a CPU that has at least two fewer. As sched_steal. */
void sched_push(void);

/* sched_reschedule - pick again, whether or not curr's slice is over. */
void sched_reschedule(void);

/* thread_finish_dead - off its stack for good: recycle that, drop the thread's own reference.
 * Interrupts off. */
void thread_finish_dead(struct thread *);
void thread_init(void); /* boot CPU: caches */
/* thread_init_fields - the scheduler's part of a zeroed struct thread. */
void thread_init_fields(struct thread *, const char *name);
