/* SPDX-License-Identifier: MIT */
/* sys_time.c - clocks and sleeping. */
#include <uapi/errno.h>
#include <uapi/time.h>
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/timespec.h"
#include "kernel/uaccess.h"

/* --- conversions ------------------------------------------------------------------------------------- */

int timespec_to_ns(const struct uapi_timespec *ts, u64 *ns)
{
	if (ts->tv_sec < 0 || (u64)ts->tv_nsec >= NSEC_PER_SEC)
		return -EINVAL;
	*ns = (u64)ts->tv_sec >= INT64_MAX / NSEC_PER_SEC
		      ? INT64_MAX
		      : (u64)ts->tv_sec * NSEC_PER_SEC + (u64)ts->tv_nsec;
	return 0;
}

struct uapi_timespec timespec_from_ns(u64 ns)
{
	return (struct uapi_timespec){(s64)(ns / NSEC_PER_SEC), (s64)(ns % NSEC_PER_SEC)};
}

int timeval_to_ns(const struct uapi_timeval *tv, u64 *ns)
{
	struct uapi_timespec ts = {tv->tv_sec, tv->tv_usec % 1000000 * (s64)NSEC_PER_USEC};

	if (tv->tv_sec < 0 || tv->tv_usec < 0 ||
	    __builtin_add_overflow(ts.tv_sec, tv->tv_usec / 1000000, &ts.tv_sec))
		return -EINVAL;
	return timespec_to_ns(&ts, ns);
}

u64 time_deadline_after(u64 ns)
{
	return time_now() + ns;
}

/* Deadlines of 0 mean "none" to wait_step, so one in the past becomes 1. */
u64 time_deadline_absolute(u64 ns, bool realtime)
{
	s64 deadline = (s64)ns - (realtime ? time_realtime_offset : 0);

	return deadline > 0 ? (u64)deadline : 1;
}

/* --- reading clocks ---------------------------------------------------------------------------------- */

static u64 process_cpu_time(void)
{
	struct process *p = current_process;
	struct user_thread *u;
	u64 sum;

	spin_lock(&p->lock);
	sum = p->dead.cpu_ns;
	list_for_each (u, &p->threads, link)
		sum += thread_cpu_time(u->thread);
	spin_unlock(&p->lock);
	return sum;
}

static int read_clock(int clock, u64 *ns)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		*ns = time_now() + (u64)time_realtime_offset;
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		*ns = time_now();
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
		*ns = process_cpu_time();
		return 0;
	case CLOCK_THREAD_CPUTIME_ID:
		*ns = thread_cpu_time(current);
		return 0;
	default:
		return -EINVAL;
	}
}

long sys_clock_gettime(int clock, vaddr_t out)
{
	struct uapi_timespec ts;
	u64 ns;
	int err = read_clock(clock, &ns);

	if (err)
		return err;
	ts = timespec_from_ns(ns);
	return copy_to_user(out, &ts, sizeof(ts));
}

long sys_clock_getres(int clock, vaddr_t out)
{
	struct uapi_timespec ts = {0, 1};
	u64 ns;
	int err = read_clock(clock, &ns);

	if (err || !out)
		return err;
	return copy_to_user(out, &ts, sizeof(ts));
}

long sys_gettimeofday(vaddr_t utv, vaddr_t utz)
{
	u64 ns = time_now() + (u64)time_realtime_offset;
	struct uapi_timeval tv = {(s64)(ns / NSEC_PER_SEC),
				  (s64)(ns % NSEC_PER_SEC / NSEC_PER_USEC)};
	struct uapi_timezone tz = {0, 0};

	if (utv && copy_to_user(utv, &tv, sizeof(tv)))
		return -EFAULT;
	if (utz && copy_to_user(utz, &tz, sizeof(tz)))
		return -EFAULT;
	return 0;
}

/* --- sleeping ---------------------------------------------------------------------------------------- */

static int sleep_until(u64 deadline)
{
	while (time_now() < deadline) {
		int err;

		thread_prepare_sleep();
		err = wait_step(WAIT_INTERRUPTIBLE, deadline);
		if (err)
			return err;
	}
	return -ETIMEDOUT;
}

static int put_remaining(vaddr_t out, u64 deadline)
{
	u64 now = time_now();
	struct uapi_timespec ts = timespec_from_ns(deadline > now ? deadline - now : 0);

	return copy_to_user(out, &ts, sizeof(ts));
}

/* do_sleep - to the end, or until a signal. A relative sleep that is made again because no handler ran goes
 * on towards the end it had at first. */
static long do_sleep(u64 deadline, bool relative, vaddr_t remain)
{
	struct user_thread *u = current_user;

	if (relative && u->sleep_deadline)
		deadline = u->sleep_deadline;
	u->sleep_deadline = 0;
	if (sleep_until(deadline) == -ETIMEDOUT)
		return 0;
	if (relative) {
		u->sleep_deadline = deadline;
		if (remain && put_remaining(remain, deadline))
			return -EFAULT;
	}
	return -RESTART_NOHAND;
}

long sys_clock_nanosleep(int clock, int flags, vaddr_t request, vaddr_t remain)
{
	bool relative = !(flags & TIMER_ABSTIME);
	struct uapi_timespec ts;
	u64 ns;

	if (clock == CLOCK_THREAD_CPUTIME_ID)
		return -EINVAL;
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME)
		return read_clock(clock, &ns) ? -EINVAL : -EOPNOTSUPP;
	if (copy_from_user(&ts, request, sizeof(ts)))
		return -EFAULT;
	if (timespec_to_ns(&ts, &ns))
		return -EINVAL;
	if (relative)
		return do_sleep(time_deadline_after(ns), true, remain);
	return do_sleep(time_deadline_absolute(ns, clock == CLOCK_REALTIME), false, 0);
}

long sys_nanosleep(vaddr_t request, vaddr_t remain)
{
	return sys_clock_nanosleep(CLOCK_MONOTONIC, 0, request, remain);
}
