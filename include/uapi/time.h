/* SPDX-License-Identifier: MIT */
/* time.h - clocks and time structures. */
#pragma once

#include <quire/types.h>

#define CLOCK_REALTIME           0
#define CLOCK_MONOTONIC          1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID  3
#define CLOCK_MONOTONIC_RAW      4
#define CLOCK_REALTIME_COARSE    5
#define CLOCK_MONOTONIC_COARSE   6
#define CLOCK_BOOTTIME           7
#define CLOCK_TAI                11
#define CLOCK_REALTIME_ALARM     8
#define CLOCK_BOOTTIME_ALARM     9
#define TIMER_ABSTIME            1
#define USER_HZ                  100 /* AT_CLKTCK: the unit of times(2) */

struct uapi_timespec {
	s64 tv_sec, tv_nsec;
};

struct uapi_itimerspec {
	struct uapi_timespec it_interval, it_value;
};

struct uapi_timeval {
	s64 tv_sec, tv_usec;
};

struct uapi_timezone {
	s32 tz_minuteswest, tz_dsttime;
};

struct uapi_tms {
	s64 tms_utime, tms_stime, tms_cutime, tms_cstime; /* in USER_HZ */
};
