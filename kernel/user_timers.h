/* SPDX-License-Identifier: MIT */
/*
 * user_timers.h - timers that end in a signal: alarm and setitimer(2), timer_create(2), limits of CPU time.
 *
 * Those of real time are intervals (interval.h). They fire in an interrupt, where signals cannot be sent, so the work
 * thread sends them; the next period begins when the signal is taken. Those of CPU time are looked at when the
 * running thread is sampled, by itself on its way to user mode.
 *
 * Read next: itimer.c, posix_timer.c, cpu_timer.c.
 */
#pragma once

#include "kernel/interval.h"
#include "kernel/rcu.h"
#include "kernel/work.h"

struct process;
struct uapi_siginfo;

/* On the CPU time of a process: all of it, or (VIRTUAL) that in user mode. */
struct cpu_itimer {
	u64 expiry; /* CPU ns of the process; 0: not set */
	u64 period;
};
enum { CPU_ITIMER_VIRTUAL, CPU_ITIMER_PROF, NR_CPU_ITIMERS };

/* Made when a process first sets a timer, freed after its last thread. */
struct process_timers {
	struct process *proc;
	struct interval real; /* ITIMER_REAL, alarm */
	struct work real_work;
	struct cpu_itimer cpu[NR_CPU_ITIMERS]; /* [process lock] */
	struct list_head posix;                /* [process lock] */
	u32 next_id, nr_posix;                 /* [process lock] */
	struct rcu_head rcu;
};

/* process_timers_get - those of the current process, made if need be; NULL: memory. Sleeps. */
struct process_timers *process_timers_get(void);
/* process_timers_release - its last thread ends. posix_timers_delete_all - a new program begins, or the
 * end. By the only thread; sleep. */
void process_timers_release(struct process *);
void posix_timers_delete_all(struct process *);

/* itimer_alarm - alarm(2). */
long itimer_alarm(u32 seconds);

/* process_timers_taken - a signal is being delivered: if it is a timer's, say how late, and let the next period begin.
 * Process lock held. */
void process_timers_taken(struct process *, struct uapi_siginfo *);
void posix_timer_taken(struct process_timers *, struct uapi_siginfo *);

/* cpu_timers_wanted - must the CPU time of the process be watched? Process lock held.
 * cpu_timers_start - it must from now on: for a changed limit or timer. Takes the process lock.
 * cpu_timers_check - the current thread was sampled: what is due. */
bool cpu_timers_wanted(const struct process *);
void cpu_timers_start(struct process *);
void cpu_timers_check(void);
