/* SPDX-License-Identifier: MIT */
/* timer.h - how a timer of timer_create tells that it fired. */
#pragma once

#include <quire/types.h>

#define SIGEV_SIGNAL    0
#define SIGEV_NONE      1
#define SIGEV_THREAD    2 /* to the kernel the same as SIGNAL */
#define SIGEV_THREAD_ID 4

struct uapi_sigevent {
	u64 sigev_value;
	s32 sigev_signo, sigev_notify;
	s32 sigev_tid;
	s32 pad[11];
};
_Static_assert(sizeof(struct uapi_sigevent) == 64, "the ABI's size");
