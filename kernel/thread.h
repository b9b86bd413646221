/* SPDX-License-Identifier: MIT */
/*
 * thread.h - the unit of scheduling, and the calls that switch between threads.
 *
 * A thread is a kernel stack plus saved registers. User threads also point at the process and the
 * address space they run in; kernel threads have neither and borrow whatever space was loaded.
 *
 * Life: thread_create (NEW) -> thread_wake -> RUNNABLE <-> RUNNING -> SLEEPING -> ... -> thread_exit
 * (DEAD). The next thread on that CPU takes its stack away; the struct goes with the last reference,
 * after a grace period, so that code that does not sleep may look at any thread it finds.
 *
 * Fields are keyed: [i] immutable after creation, [r] run-queue lock of its CPU, [t] the thread
 * itself, [p] see kernel/process.h, [a] atomic.
 */
#pragma once

#include <quire/types.h>
#include <arch/thread.h> /* struct arch_thread: saved stack pointer, FP state, TLS register .. */
#include "kernel/cpumask.h"
#include "kernel/lock.h"
#include "kernel/percpu.h"
#include "kernel/rcu.h"
#include "lib/atomic.h"
#include "lib/list.h"
#include "lib/rbtree.h"

#define KSTACK_PAGES 4 /* plus one unmapped guard page below */
#define KSTACK_SIZE  (KSTACK_PAGES * PAGE_SIZE)

struct process;
struct space;
struct aspace;

/* The first two can be woken. */
enum thread_state { THREAD_NEW, THREAD_SLEEPING, THREAD_RUNNABLE, THREAD_RUNNING, THREAD_DEAD };

/* What ends a sleep besides what it is for. */
enum wait_mode {
	WAIT_UNINTERRUPTIBLE,
	WAIT_KILLABLE,      /* the process is being killed: -EINTR */
	WAIT_INTERRUPTIBLE, /* any signal is deliverable: -EINTR */
};

struct thread {
	struct arch_thread arch; /* [t] first: the entry code finds it from the thread pointer */
	vaddr_t kstack; /* [i] lowest usable byte, 0 once dead; the top is kstack + KSTACK_SIZE */
	u32 refs;       /* [a] */
	u32 state;      /* [a] enum thread_state; changed under [r] except SLEEPING by itself */
	u32 work;       /* [a] THREAD_WORK_*: looked at before every return to user mode */
	u32 cpu;        /* [r] where it runs or last ran */
	char name[16];  /* [t] */

	/* scheduling */
	struct rb_node rq_node;  /* [r] by vruntime */
	u64 vruntime;            /* [r] ns weighted */
	u64 slice_start_ns;      /* [r] */
	u64 cpu_time_ns;         /* [r] total, for times() and top */
	u64 sampled_ns;          /* [r] how much of it was attributed at the last sample .. */
	u64 system_ns;           /* [r] .. and how much of that to the kernel */
	u32 weight;              /* [r] 1024 = nice 0 */
	s8 nice;                 /* [r] */
	bool cpu_timed;          /* [a] looks at timers of CPU time at each sample */
	bool on_rq;              /* [r] */
	struct cpumask affinity; /* [r] */
	u64 nvcsw, nivcsw;       /* [t] voluntary and involuntary switches */
	u32 id;                  /* [i] serial number, for traces */

	/* sleeping */
	void *wait_on; /* [t] what it sleeps on, for debugging */
	u8 sleep_mode; /* [t] enum wait_mode of the current sleep; stale while awake */

	/* user side; NULL in kernel threads */
	struct process *proc;     /* [i] */
	struct space *space;      /* [t] */
	struct aspace *as;        /* [t] page tables loaded while it runs; NULL: borrow */
	struct user_thread *user; /* [i] tid, signal mask, robust list ..: kernel/process.h */

	u32 locks_held[12]; /* [t] debug: how many sleeping locks of each rank */

	void (*entry)(void *); /* [i] kernel threads: entry point */
	void *entry_arg;
	struct rcu_head rcu; /* frees it */
};
BUILD_ASSERT(RANK_FOLIO < 12, "thread.locks_held has a counter for each sleeping rank");

#define THREAD_WORK_RESCHED  BIT(0) /* give up the CPU */
#define THREAD_WORK_SIGNAL   BIT(1) /* look for signals or exit */
#define THREAD_WORK_CPU_TIME BIT(3) /* a sample, and it is cpu_timed: see kernel/user_timers.h */
#define THREAD_WORK_FPU      BIT(2) /* arch: user FP registers are to be loaded */

extern PERCPU struct thread *cpu_current; /* for others to look at, and for arch_current */
#define current (arch_current())

/* thread_create - make a kernel thread that will run entry(arg); not started.
 *  sleeps: yes   returns: 0 or -ENOMEM; one reference is the caller's */
int thread_create(struct thread **out, const char *name, void (*entry)(void *), void *arg);

/* thread_alloc - a thread without entry, whose arch state the caller fills in (fork, first user
 * thread: arch_thread_init_user). Niceness and affinity are the current thread's.
 *  sleeps: yes   returns: 0 or -ENOMEM; one reference is the caller's. A thread that is never woken
 *  goes away with it; one that was woken holds a reference of its own until it is dead */
int thread_alloc(struct thread **out, const char *name);

void thread_get(struct thread *);
void thread_put(struct thread *);
void thread_exit(void) NORETURN; /* the current one; holds no locks */

/* thread_begin - the first C code of every new thread, called by the architecture's entry stub with what
 * arch_switch would have returned and interrupts off. Runs thread->entry and never returns if there is one
 * (kernel threads); else returns with interrupts off, and the stub goes on to user mode. */
void thread_begin(struct thread *prev);

/* thread_count - threads that exist, those of the kernel included; idle ones are not counted. */
u32 thread_count(void);

/* thread_cpu_time - ns that the thread has run so far. Any context.
 * thread_system_time - how much of it in the kernel, by samples: see sched.c. */
u64 thread_cpu_time(struct thread *);
u64 thread_system_time(struct thread *);

/* sched_irq_from_user - set by the entry code while it handles an interrupt that was taken in user mode. */
extern PERCPU bool sched_irq_from_user;

/* thread_wake - make a NEW or SLEEPING thread runnable. Any context. False if it was awake.
 * thread_wake_queued - the same for one that was found on a list whose lock the caller holds, interrupts off, and that
 * had declared that it sleeps before it put itself there. */
bool thread_wake(struct thread *);
bool thread_wake_queued(struct thread *);

/* thread_prepare_sleep / thread_sleep - the two halves of every wait, in this order:
 *   thread_prepare_sleep(mode); if (!condition) thread_sleep(); else thread_cancel_sleep();
 * A wake-up between the two makes thread_sleep return at once, so none is lost.
 * thread_sleep_until - the same with an absolute monotonic deadline in ns (0: none); true if woken
 * before it. Neither looks whether a signal came earlier: see kernel/wait.h. Both return with interrupts on. */
void thread_sleep(void);
bool thread_sleep_until(u64 deadline_ns);

/* From here on a wake-up is not lost: look at the condition now. */
static inline void thread_prepare_sleep(enum wait_mode mode)
{
	struct thread *self = current;

	lock_assert_may_sleep();
	atomic_store(&self->sleep_mode, (u8)mode);
	atomic_store(&self->state, THREAD_SLEEPING);
	smp_mb();
}

/* The condition was true. A waker may be looking at the state: to a thread that is on its CPU it does nothing but
 * this store. */
static inline void thread_cancel_sleep(void)
{
	atomic_store(&current->state, THREAD_RUNNING);
}

/* sched_yield_cpu / sched_point - let others run: always / only when the time slice is over. */
void sched_yield_cpu(void);
void sched_point(void);

/* sched_set_affinity - restrict a thread to a set of CPUs and move it there. -EINVAL: none online. */
int sched_set_affinity(struct thread *, const struct cpumask *);
/* sched_set_nice - nice: -20 (most) to 19 (least); idle: hardly any CPU time while others want it, whatever nice
 * says (SCHED_IDLE). Any context. */
void sched_set_nice(struct thread *, int nice, bool idle);

/* sched_use_aspace - the current thread runs in these page tables from now on (exec); NULL: in none of its
 * own (exit), whatever is loaded stays. The caller keeps its reference for as long as the
 * thread runs there. Sleeps: no. */
void sched_use_aspace(struct aspace *);

/* sched_ipi - a kick has arrived: see what the run queue wants. Interrupts off. */
void sched_ipi(void);

/* sched_idle_loop - what a CPU's boot stack becomes. */
void sched_idle_loop(void) NORETURN;
void thread_start_reaper(void); /* boot, once threads run */
void sched_init(void);          /* boot CPU */
void sched_init_cpu(void);      /* each secondary, on its own stack */
/* sched_prepare_cpu - before a CPU is started: its idle thread, whose stack it starts on. 0, -ENOMEM. */
int sched_prepare_cpu(unsigned cpu, vaddr_t *stack_top);
/* sched_is_running - threads are being switched: the boot CPU is in its idle loop. */
bool sched_is_running(void);

/* thread_return_to_user - called by the entry code with interrupts on whenever current->work != 0 and
 * the CPU is about to return to user mode; handles rescheduling and signals. May not return. */
struct trap_frame;
void thread_return_to_user(struct trap_frame *);
