/* SPDX-License-Identifier: MIT */
/*
 * thread.h - the unit of scheduling, and the calls that switch between threads.
 *
 * A thread is a kernel stack plus saved registers. User threads also point at the process and the
 * address space they run in; kernel threads have neither and borrow whatever space was loaded.
 *
 * Life: thread_create (NEW) -> thread_wake -> RUNNABLE <-> RUNNING -> SLEEPING -> ... -> thread_exit
 * (DEAD), freed by the next thread on that CPU once it is off the stack and by RCU after that.
 *
 * Fields are keyed: [i] immutable after creation, [r] run-queue lock of its CPU, [t] the thread
 * itself, [p] see kernel/process.h, [a] atomic.
 */
#pragma once

#include <quire/types.h>
#include <arch/thread.h> /* struct arch_thread: saved stack pointer, FP state, TLS register .. */
#include "kernel/cpumask.h"
#include "kernel/percpu.h"
#include "lib/list.h"
#include "lib/rbtree.h"

#define KSTACK_PAGES 4 /* plus one unmapped guard page below */
#define KSTACK_SIZE  (KSTACK_PAGES * PAGE_SIZE)

struct process;
struct space;
struct aspace;

enum thread_state { THREAD_NEW, THREAD_RUNNABLE, THREAD_RUNNING, THREAD_SLEEPING, THREAD_DEAD };

struct thread {
	struct arch_thread arch; /* [t] first: the entry code finds it from the thread pointer */
	vaddr_t kstack;          /* [i] lowest usable byte; the top is kstack + KSTACK_SIZE */
	u32 refs;                /* [a] */
	u32 state;               /* [a] enum thread_state; changed under [r] except SLEEPING by itself */
	u32 work;                /* [a] THREAD_WORK_*: looked at before every return to user mode */
	u32 cpu;                 /* [r] where it runs or last ran */
	char name[16];           /* [t] */

	/* scheduling */
	struct rb_node rq_node;   /* [r] by vruntime */
	u64 vruntime;             /* [r] ns weighted */
	u64 slice_start_ns;       /* [r] */
	u64 cpu_time_ns;          /* [r] total, for times() and top */
	u32 weight;               /* [r] 1024 = nice 0 */
	s8 nice;                  /* [r] */
	bool on_rq;               /* [r] */
	bool on_cpu;              /* [a] still executing on its stack */
	struct cpumask affinity;  /* [r] */
	u64 nvcsw, nivcsw;        /* [t] voluntary and involuntary switches */

	/* sleeping */
	void *wait_on;    /* [t] what it sleeps on, for debugging */
	bool killable;    /* [t] the current sleep ends on a fatal signal */
	bool interruptible; /* [t] the current sleep ends on any deliverable signal */

	/* user side; NULL in kernel threads */
	struct process *proc;            /* [i] */
	struct space *space;             /* [t] */
	struct aspace *as;               /* [t] page tables loaded while it runs; NULL: borrow */
	struct user_thread *user;        /* [i] tid, signal mask, robust list ..: kernel/process.h */

	/* debug: sleeping locks held, innermost last */
	u8 lock_depth;
	u8 lock_ranks[15];

	void (*entry)(void *); /* [i] kernel threads: entry point */
	void *entry_arg;
	struct list_head reap; /* on its CPU's list of dead threads */
};

#define THREAD_WORK_RESCHED BIT(0) /* give up the CPU */
#define THREAD_WORK_SIGNAL  BIT(1) /* look for signals or exit */

extern PERCPU struct thread *cpu_current;
#define current (this_cpu(cpu_current))

/* thread_create - make a kernel thread that will run entry(arg); not started.
 *  sleeps: yes   returns: 0 or -ENOMEM; one reference is the caller's */
int thread_create(struct thread **out, const char *name, void (*entry)(void *), void *arg);

/* thread_alloc - a thread without entry, whose arch state the caller fills in (fork, first user
 * thread: arch_thread_init_user). */
int thread_alloc(struct thread **out, const char *name);

void thread_get(struct thread *);
void thread_put(struct thread *);
void thread_exit(void) NORETURN; /* the current one; holds no locks */

/* thread_wake - make a NEW or SLEEPING thread runnable. Any context. False if it was awake. */
bool thread_wake(struct thread *);

/* thread_prepare_sleep / thread_sleep - the two halves of every wait, in this order:
 *   thread_prepare_sleep(); if (!condition) thread_sleep(); else thread_cancel_sleep();
 * A wake-up between the two makes thread_sleep return at once, so none is lost.
 * thread_sleep_until - the same with an absolute monotonic deadline in ns (0: none); true if woken
 * before it. Neither looks at signals: see kernel/wait.h. */
void thread_prepare_sleep(void);
void thread_cancel_sleep(void);
void thread_sleep(void);
bool thread_sleep_until(u64 deadline_ns);

/* sched_yield_cpu / sched_point - let others run: always / only when the time slice is over. */
void sched_yield_cpu(void);
void sched_point(void);

/* sched_set_affinity - restrict a thread to a set of CPUs and move it there. -EINVAL: none online. */
int sched_set_affinity(struct thread *, const struct cpumask *);
void sched_set_nice(struct thread *, int nice);

/* sched_idle_loop - what a CPU's boot stack becomes. */
void sched_idle_loop(void) NORETURN;
void sched_init(void);     /* boot CPU */
void sched_init_cpu(void); /* each secondary, on its own stack */

/* sched_return_to_user - called by the entry code with interrupts on whenever current->work != 0 and
 * the CPU is about to return to user mode; handles rescheduling and signals. May not return. */
struct trap_frame;
void thread_return_to_user(struct trap_frame *);
