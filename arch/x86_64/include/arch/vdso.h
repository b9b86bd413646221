/* SPDX-License-Identifier: MIT */
/* vdso.h - what the code of the vDSO, which runs in user mode, needs of x86_64. */
#pragma once

#include <quire/types.h>

/* vdso_counter - the counter that the clock is made of, not before earlier loads are done. */
static inline u64 vdso_counter(void)
{
	u32 lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi)::"memory");
	return (u64)hi << 32 | lo;
}

/* vdso_divide - n / by, a constant: the compiler multiplies by the reciprocal. */
static inline u64 vdso_divide(u64 n, u64 by)
{
	return n / by;
}

static inline long vdso_syscall(long nr, u64 a, u64 b)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(nr), "D"(a), "S"(b)
			 : "rcx", "r11", "memory");
	return result;
}
