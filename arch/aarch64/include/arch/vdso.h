/* SPDX-License-Identifier: MIT */
/* vdso.h - what the code of the vDSO, which runs in user mode, needs of aarch64. */
#pragma once

#include <quire/types.h>

/* vdso_counter - the counter that the clock is made of; the isb keeps it from being read early. */
static inline u64 vdso_counter(void)
{
	u64 count;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(count)::"memory");
	return count;
}

/* vdso_divide - n / by, a constant. The divider ends early when the quotient is small, as that of seconds is; the compiler
 * would spend more on loading the reciprocal. */
static inline u64 vdso_divide(u64 n, u64 by)
{
	__asm__("" : "+r"(by));
	return n / by;
}

static inline long vdso_syscall(long nr, u64 a, u64 b)
{
	register u64 x0 __asm__("x0") = a;
	register u64 x1 __asm__("x1") = b;
	register long x8 __asm__("x8") = nr;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x1), "r"(x8) : "memory");
	return (long)x0;
}
