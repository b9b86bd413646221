/* SPDX-License-Identifier: MIT */
/* timex.h - adjtimex(2): how well the clock keeps time. */
#pragma once

#include <quire/types.h>
#include <uapi/time.h>

struct uapi_timex {
	u32 modes, pad0; /* 0: only report */
	s64 offset, freq, maxerror, esterror;
	s32 status, pad1;
	s64 constant, precision, tolerance;
	struct uapi_timeval time;
	s64 tick; /* us */
	s64 ppsfreq, jitter;
	s32 shift, pad2;
	s64 stabil, jitcnt, calcnt, errcnt, stbcnt;
	s32 tai; /* s */
	s32 pad3[11];
};
_Static_assert(sizeof(struct uapi_timex) == 208, "the ABI's size");

#define ADJ_OFFSET_SS_READ 0xa001u /* adjtime(3) that asks only */
#define STA_UNSYNC         0x0040
#define TIME_ERROR         5 /* not synchronised */
