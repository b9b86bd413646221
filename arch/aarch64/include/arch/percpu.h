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

/* arch_current - the current thread. Nothing else uses the register: not the compiler, nor the assembler files. */
struct thread;
register struct thread *arch_current_thread __asm__("x18");
#define arch_current() arch_current_thread
