/* SPDX-License-Identifier: MIT */
/*
 * clock.h - reading clocks in user mode: the bodies of the vDSO's functions.
 *
 * Compiled into user code by arch/<arch>/vdso/vdso.c, which gives the functions the names and versions that C
 * libraries look for. Nothing here can fail but by making the system call, which then gives the error.
 *
 * Read next: data.h; vdso.ld, which says where the data page is.
 */
#pragma once

#include <arch/syscall_nr.h>
#include <arch/vdso.h> /* vdso_counter, vdso_divide, vdso_syscall */
#include <uapi/time.h>
#include "kernel/vdso/data.h"

#define SYSCALL_NUMBER(nr, name) VDSO_NR_##name = (nr),
enum vdso_syscall_numbers { SYSCALL_LIST(SYSCALL_NUMBER) };

#define NS_PER_SEC 1000000000ul

/* Clocks that run with the monotonic one and with the wall clock. */
#define MONOTONIC_CLOCKS                                                                 \
	(BIT(CLOCK_MONOTONIC) | BIT(CLOCK_MONOTONIC_RAW) | BIT(CLOCK_MONOTONIC_COARSE) | \
	 BIT(CLOCK_BOOTTIME))
#define REALTIME_CLOCKS (BIT(CLOCK_REALTIME) | BIT(CLOCK_REALTIME_COARSE) | BIT(CLOCK_TAI))
#define KNOWN_CLOCKS    (MONOTONIC_CLOCKS | REALTIME_CLOCKS)

extern const struct vdso_data vdso_data __attribute__((visibility("hidden"))); /* vdso.ld */

static inline bool vdso_knows(int clock)
{
	return (unsigned)clock < 32 && (BIT(clock) & KNOWN_CLOCKS);
}

/* vdso_read - ns on one of KNOWN_CLOCKS, realtime: of REALTIME_CLOCKS; false: only the kernel can tell. Plain loads:
 * they stay between the two looks at the count, the second of which says whether they belong together. */
static ALWAYS_INLINE bool vdso_read(int clock, bool realtime, u64 *ns)
{
	const struct vdso_data *d = &vdso_data;
	u64 count;
	u32 seq;

	do {
		/* Knowing the address the compiler would make one for each field before the loop. */
		__asm__("" : "+r"(d));
		seq = seq_read_begin(&d->seq);
		if (unlikely(!(d->flags & VDSO_COUNTER)))
			return false;
		count = vdso_counter() - d->counter_base;
		*ns = (u64)((unsigned __int128)count * d->mult >> 32) + d->ns_base;
		if (realtime)
			*ns += (u64)d->realtime_offset;
		if (realtime && clock == CLOCK_TAI)
			*ns += (u64)d->tai_offset;
	} while (seq_read_retry(&d->seq, seq));
	return true;
}

static inline bool vdso_read_any(int clock, u64 *ns)
{
	if ((unsigned)clock >= 32)
		return false;
	if (likely(MONOTONIC_CLOCKS >> clock & 1))
		return vdso_read(clock, false, ns);
	return (REALTIME_CLOCKS >> clock & 1) && vdso_read(clock, true, ns);
}

static inline int vdso_clock_gettime(int clock, struct uapi_timespec *ts)
{
	u64 ns, sec;

	if (unlikely(!vdso_read_any(clock, &ns)))
		return (int)vdso_syscall(VDSO_NR_clock_gettime, (u64)(s64)clock, (u64)ts);
	sec = vdso_divide(ns, NS_PER_SEC);
	ts->tv_sec = (s64)sec;
	ts->tv_nsec = (s64)(ns - sec * NS_PER_SEC);
	return 0;
}

static inline int vdso_clock_getres(int clock, struct uapi_timespec *ts)
{
	if (!vdso_knows(clock))
		return (int)vdso_syscall(VDSO_NR_clock_getres, (u64)(s64)clock, (u64)ts);
	if (ts)
		*ts = (struct uapi_timespec){0, 1};
	return 0;
}

static inline int vdso_gettimeofday(struct uapi_timeval *tv, struct uapi_timezone *tz)
{
	u64 ns;

	if (unlikely(tz) || !vdso_read(CLOCK_REALTIME, true, &ns))
		return (int)vdso_syscall(VDSO_NR_gettimeofday, (u64)tv, (u64)tz);
	if (tv) {
		tv->tv_sec = (s64)(ns / NS_PER_SEC);
		tv->tv_usec = (s64)(ns % NS_PER_SEC / 1000);
	}
	return 0;
}
