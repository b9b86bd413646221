/* SPDX-License-Identifier: MIT */
/*
 * sim_sched.h - the scheduler and the timers on simulated CPUs that take turns in one host thread.
 *
 * kernel/sched.c, sched_balance.c, timer.c and rcu.c run unchanged. A simulated thread has no code: a
 * switch only changes who `current` is, and the test acts for whoever that is. Time stands still
 * until the test lets it pass; then the interrupts that are due arrive on their CPUs.
 *
 *	simsched_start(2);                  2 CPUs, idle
 *	t = simsched_thread();              a new thread, woken
 *	simsched_run(NSEC_PER_MSEC);        let it run
 *	simsched_sleep(t); thread_wake(t);
 */
#pragma once

#include <quire/types.h>
#include "kernel/sched.h"

#define SIMSCHED_MAX_THREADS 64
#define SIMSCHED_NEVER       (~0ull)

struct simsched_thread {
	struct thread thread;
	u64 waiting_since; /* 0: running, asleep or dead */
	u64 longest_wait;
	bool exited;
};

extern struct simsched_thread simsched_threads[SIMSCHED_MAX_THREADS];
extern unsigned simsched_nr_threads;
extern u64 simsched_now; /* ns */

void simsched_start(unsigned cpus);

/* simsched_on - act as this CPU from here on. */
void simsched_on(unsigned cpu);

/* simsched_thread - a new thread, not yet woken; NULL when there are too many. */
struct thread *simsched_thread(void);

/* simsched_running - the thread that runs on a CPU, NULL when it is idle. */
struct thread *simsched_running(unsigned cpu);

/* simsched_settle - deliver what is pending until nothing is: kicks, due timers, reschedules, and idle CPUs
 * looking for work. */
void simsched_settle(void);

/* simsched_run - let time pass, interrupts arriving as they become due. */
void simsched_run(u64 ns);

/* simsched_sleep, simsched_exit, simsched_yield - what a thread that is running does next. */
void simsched_sleep(struct thread *);
void simsched_exit(struct thread *);
void simsched_yield(struct thread *);

/* simsched_deadline - what a CPU's timer hardware waits for. */
u64 simsched_deadline(unsigned cpu);

/* simsched_check - every thread is in exactly one place, and the queues are what they claim to be. */
void simsched_check(void);
