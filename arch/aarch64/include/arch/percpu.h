/* SPDX-License-Identifier: MIT */
/* percpu.h - where this CPU's copy of the per-CPU variables lies: its offset, kept in TPIDR_EL1. */
#pragma once

#include <stdint.h>

/* arch_percpu_offset - bytes from the template to this CPU's copy.
 * Volatile, because a thread may be on another CPU after it slept; without a memory clobber, because
 * reading the register orders nothing. */
static inline uintptr_t arch_percpu_offset(void)
{
	uintptr_t offset;

	__asm__ volatile("mrs %0, tpidr_el1" : "=r"(offset));
	return offset;
}

/* arch_percpu_set - from now on this CPU uses the copy at `offset`. */
static inline void arch_percpu_set(uintptr_t offset)
{
	__asm__ volatile("msr tpidr_el1, %0" : : "r"(offset) : "memory");
}

/* percpu_stable - the value of a variable that is the same for a thread wherever it runs (`current`): the compiler may read it
 * once and keep it. */
#define percpu_stable(var)                                                                      \
	({                                                                                      \
		__typeof__(var) stable;                                                         \
		__asm__("mrs %0, tpidr_el1\n\tldr %0, [%0, %1]" : "=&r"(stable) : "r"(&(var))); \
		stable;                                                                         \
	})
