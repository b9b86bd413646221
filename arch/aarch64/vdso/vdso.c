/* SPDX-License-Identifier: MIT */
/*
 * vdso.c - the functions that C libraries for aarch64 look for in the vDSO, version LINUX_2.6.39 (vdso.map). The
 * one that ends signal handlers is in sigreturn.S.
 *
 * User code, shared by all programs: no kernel symbol is within reach but the data page.
 */
#include "kernel/vdso/clock.h"

int __kernel_clock_gettime(int clock, struct uapi_timespec *ts);
int __kernel_clock_getres(int clock, struct uapi_timespec *ts);
int __kernel_gettimeofday(struct uapi_timeval *tv, struct uapi_timezone *tz);

int __kernel_clock_gettime(int clock, struct uapi_timespec *ts)
{
	return vdso_clock_gettime(clock, ts);
}

int __kernel_clock_getres(int clock, struct uapi_timespec *ts)
{
	return vdso_clock_getres(clock, ts);
}

int __kernel_gettimeofday(struct uapi_timeval *tv, struct uapi_timezone *tz)
{
	return vdso_gettimeofday(tv, tz);
}
