/* SPDX-License-Identifier: MIT */
/*
 * sys_time.c - clocks and sleeping.
 *
 * A clock is a small number, or a negative one that names the CPU time of a process or thread:
 * ~pid << 3 | 4 for a thread | what is counted (0: all, 1: user time, 2: all).
 *
 * Read next: wall_clock.c, vdso.h.
 */
#include <uapi/capability.h>
#include <uapi/errno.h>
#include <uapi/time.h>
#include <uapi/timex.h>
#include "kernel/cred.h"
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

#define CPU_CLOCK_THREAD 4
#define CPU_CLOCK_KIND   3 /* mask; 3 itself would be the clock of an open file */

static u64 process_cpu_time(struct process *p)
{
	u64 sum;

	spin_lock(&p->lock);
	sum = process_cpu_time_locked(p, NULL);
	spin_unlock(&p->lock);
	return sum;
}

static int read_thread_clock(u32 tid, u64 *ns)
{
	struct user_thread *u = tid ? thread_find(tid) : NULL;
	int err = 0;

	if (!tid)
		*ns = thread_cpu_time(current);
	else if (!u || u->proc != current_process)
		err = -EINVAL; /* others' threads are private */
	else
		*ns = thread_cpu_time(u->thread);
	if (u)
		user_thread_put(u);
	return err;
}

static int read_process_clock(u32 pid, u64 *ns)
{
	struct process *p = pid ? process_find(pid) : NULL;

	if (pid && !p)
		return -EINVAL;
	*ns = process_cpu_time(pid ? p : current_process);
	if (p)
		process_put(p);
	return 0;
}

static int read_cpu_clock(int clock, u64 *ns)
{
	u32 pid = (u32)~clock >> 3;

	if ((clock & CPU_CLOCK_KIND) == CPU_CLOCK_KIND)
		return -EINVAL;
	return clock & CPU_CLOCK_THREAD ? read_thread_clock(pid, ns) : read_process_clock(pid, ns);
}

static int read_clock(int clock, u64 *ns)
{
	if (clock < 0)
		return read_cpu_clock(clock, ns);
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		*ns = time_realtime();
		return 0;
	case CLOCK_TAI:
		*ns = time_realtime() + (u64)time_tai_offset();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		*ns = time_now();
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
		*ns = process_cpu_time(current_process);
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

struct uapi_timeval timeval_from_ns(u64 ns)
{
	return (struct uapi_timeval){(s64)(ns / NSEC_PER_SEC),
				     (s64)(ns % NSEC_PER_SEC / NSEC_PER_USEC)};
}

static struct uapi_timezone timezone; /* kept for those who ask; nothing here depends on it */

long sys_gettimeofday(vaddr_t utv, vaddr_t utz)
{
	struct uapi_timeval tv = timeval_from_ns(time_realtime());
	struct uapi_timezone tz = timezone;

	if (utv && copy_to_user(utv, &tv, sizeof(tv)))
		return -EFAULT;
	if (utz && copy_to_user(utz, &tz, sizeof(tz)))
		return -EFAULT;
	return 0;
}

/* --- setting the wall clock -------------------------------------------------------------------------- */

/* Times are set that leave room for thirty years of 64-bit ns. */
#define SETTABLE_SECONDS ((s64)(INT64_MAX / NSEC_PER_SEC) - 30l * 365 * 24 * 3600)

static int set_realtime(s64 sec, s64 nsec)
{
	if (sec < 0 || sec >= SETTABLE_SECONDS || (u64)nsec >= NSEC_PER_SEC)
		return -EINVAL;
	if (!cred_capable(CAP_SYS_TIME))
		return -EPERM;
	return time_set_realtime((u64)sec * NSEC_PER_SEC + (u64)nsec);
}

long sys_clock_settime(int clock, vaddr_t in)
{
	struct uapi_timespec ts;
	u64 unused;

	if (clock > 0)
		return -EINVAL; /* none of them can be set */
	if (copy_from_user(&ts, in, sizeof(ts)))
		return -EFAULT;
	if (clock < 0)
		return read_cpu_clock(clock, &unused) ? -EINVAL : -EPERM;
	return set_realtime(ts.tv_sec, ts.tv_nsec);
}

long sys_settimeofday(vaddr_t utv, vaddr_t utz)
{
	struct uapi_timeval tv;
	struct uapi_timezone tz;
	int err = 0;

	if (utv && (copy_from_user(&tv, utv, sizeof(tv))))
		return -EFAULT;
	if (utv && (u64)tv.tv_usec > NSEC_PER_SEC / NSEC_PER_USEC)
		return -EINVAL;
	if (utz && copy_from_user(&tz, utz, sizeof(tz)))
		return -EFAULT;
	if (!cred_capable(CAP_SYS_TIME))
		return -EPERM;
	if (utz && (tz.tz_minuteswest > 15 * 60 || tz.tz_minuteswest < -15 * 60))
		return -EINVAL;
	if (utv)
		err = set_realtime(tv.tv_sec, tv.tv_usec * (s64)NSEC_PER_USEC);
	if (!err && utz)
		timezone = tz;
	return err;
}

/* Nobody disciplines this clock; the figures are those of a Linux that nobody has told anything either. */
static long report_clock(vaddr_t out)
{
	struct uapi_timex t = {
		.maxerror = 16000000,
		.esterror = 16000000,
		.status = STA_UNSYNC,
		.constant = 2,
		.precision = 1,
		.tolerance = 500 << 16,
		.time = timeval_from_ns(time_realtime()),
		.tick = NSEC_PER_SEC / NSEC_PER_USEC / USER_HZ,
		.tai = (s32)(time_tai_offset() / (s64)NSEC_PER_SEC),
	};

	return copy_to_user(out, &t, sizeof(t)) ? -EFAULT : TIME_ERROR;
}

/* adjtimex(2) that changes something is not there: steering the clock has no use without a time server. */
long sys_adjtimex(vaddr_t inout)
{
	u32 modes;

	if (get_user_u32(inout, &modes))
		return -EFAULT;
	if (!modes || modes == ADJ_OFFSET_SS_READ)
		return report_clock(inout);
	return cred_capable(CAP_SYS_TIME) ? -ENOSYS : -EPERM;
}

long sys_clock_adjtime(int clock, vaddr_t inout)
{
	u64 unused;

	if (clock != CLOCK_REALTIME)
		return read_clock(clock, &unused) ? -EINVAL : -EOPNOTSUPP;
	return sys_adjtimex(inout);
}

/* --- sleeping ---------------------------------------------------------------------------------------- */

static int sleep_until(u64 deadline)
{
	while (time_now() < deadline) {
		int err;

		thread_prepare_sleep(WAIT_INTERRUPTIBLE);
		err = wait_step(deadline);
		if (err)
			return err;
	}
	return -ETIMEDOUT;
}

/* sleep_until_realtime - the deadline moves when the clock is set. -RESTART_NOHAND: interrupted. */
static long sleep_until_realtime(u64 ns)
{
	while (time_realtime() < ns) {
		s64 offset = READ_ONCE(time_realtime_offset);
		u64 deadline = (s64)ns > offset ? ns - (u64)offset : 1;
		int err = wait_event_deadline(&time_was_set,
					      READ_ONCE(time_realtime_offset) != offset,
					      WAIT_INTERRUPTIBLE, deadline);

		if (err == -EINTR)
			return -RESTART_NOHAND;
	}
	return 0;
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
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME &&
	    clock != CLOCK_TAI)
		return read_clock(clock, &ns) ? -EINVAL : -EOPNOTSUPP;
	if (copy_from_user(&ts, request, sizeof(ts)))
		return -EFAULT;
	if (timespec_to_ns(&ts, &ns))
		return -EINVAL;
	if (relative)
		return do_sleep(time_deadline_after(ns), true, remain);
	if (clock == CLOCK_REALTIME || clock == CLOCK_TAI)
		return sleep_until_realtime(clock == CLOCK_TAI ? ns - (u64)time_tai_offset() : ns);
	return do_sleep(time_deadline_absolute(ns, false), false, 0);
}

long sys_nanosleep(vaddr_t request, vaddr_t remain)
{
	return sys_clock_nanosleep(CLOCK_MONOTONIC, 0, request, remain);
}
