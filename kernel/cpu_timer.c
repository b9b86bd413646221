/* SPDX-License-Identifier: MIT */
/*
 * cpu_timer.c - what happens when a process has used so much CPU time: ITIMER_VIRTUAL, ITIMER_PROF, RLIMIT_CPU.
 *
 * A thread of a process that has such a timer or limit is marked (cpu_timed). Each sample of a marked one that runs
 * (sched.c) sends it here before it returns to user mode.
 */
#include <uapi/resource.h>
#include "kernel/process.h"
#include "kernel/user_timers.h"
#include "lib/atomic.h"

static const int itimer_signals[NR_CPU_ITIMERS] = {
	[CPU_ITIMER_VIRTUAL] = SIGVTALRM,
	[CPU_ITIMER_PROF] = SIGPROF,
};

bool cpu_timers_wanted(const struct process *p)
{
	const struct process_timers *t = p->timers;

	return p->rlimits[RLIMIT_CPU].cur != RLIM_INFINITY ||
	       p->rlimits[RLIMIT_CPU].max != RLIM_INFINITY ||
	       (t && (t->cpu[CPU_ITIMER_VIRTUAL].expiry || t->cpu[CPU_ITIMER_PROF].expiry));
}

void cpu_timers_start(struct process *p)
{
	struct user_thread *u;

	spin_lock(&p->lock);
	if (cpu_timers_wanted(p))
		list_for_each (u, &p->threads, link)
			atomic_store(&u->thread->cpu_timed, true);
	spin_unlock(&p->lock);
}

/* due - has it fired? Then the next time is set. */
static bool due(struct cpu_itimer *t, u64 now)
{
	if (!t->expiry || now < t->expiry)
		return false;
	t->expiry = t->period ? t->expiry + ((now - t->expiry) / t->period + 1) * t->period : 0;
	return true;
}

/* check_limit - the signal for having used too much, 0: none. Above the soft limit there is one each second. */
static int check_limit(struct process *p, u64 now)
{
	struct uapi_rlimit *r = &p->rlimits[RLIMIT_CPU];
	u64 seconds = now / NSEC_PER_SEC;

	if (seconds >= r->max)
		return SIGKILL;
	if (seconds < r->cur)
		return 0;
	r->cur = seconds + 1;
	return SIGXCPU;
}

static void send(struct process *p, int sig)
{
	struct uapi_siginfo info = {.si_signo = sig, .si_code = SI_KERNEL};

	signal_send_process(p, &info);
}

void cpu_timers_check(void)
{
	struct process *p = current_process;
	bool itimer[NR_CPU_ITIMERS] = {false, false};
	u64 now, user;
	int limit;

	atomic_and(&current->work, ~(u32)THREAD_WORK_CPU_TIME);
	spin_lock(&p->lock);
	now = process_cpu_time_locked(p, &user);
	if (p->timers) {
		itimer[CPU_ITIMER_VIRTUAL] = due(&p->timers->cpu[CPU_ITIMER_VIRTUAL], user);
		itimer[CPU_ITIMER_PROF] = due(&p->timers->cpu[CPU_ITIMER_PROF], now);
	}
	limit = check_limit(p, now);
	atomic_store(&current->cpu_timed, cpu_timers_wanted(p));
	spin_unlock(&p->lock);
	for (int i = 0; i < NR_CPU_ITIMERS; i++)
		if (itimer[i])
			send(p, itimer_signals[i]);
	if (limit)
		send(p, limit);
}
