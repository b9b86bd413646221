/* SPDX-License-Identifier: MIT */
/*
 * percpu.h - how x86_64 finds the running CPU's copy of per-CPU variables.
 *
 * In the kernel, GS base is the distance from the template to this CPU's copy, so assembler reaches a
 * per-CPU variable x with %gs:x in one instruction. C code wants the distance itself, which not
 * every CPU can read cheaply; it is therefore stored in the copy too. In user mode GS base belongs to
 * the program and the kernel's value waits in the MSR that swapgs exchanges it with.
 */
#pragma once

#include <stdint.h>

extern uintptr_t arch_percpu_self; /* the per-CPU variable that holds the distance */

/* arch_percpu_offset - distance from the per-CPU template to this CPU's copy; 0 on the boot CPU. The asm
 * is volatile because a thread may sleep and wake up on another CPU between two uses. */
static inline uintptr_t arch_percpu_offset(void)
{
	uintptr_t offset;

	__asm__ volatile("movq %%gs:arch_percpu_self, %0" : "=r"(offset));
	return offset;
}

/* arch_percpu_set - make the copy at this distance the running CPU's own. Bring-up, interrupts off. */
void arch_percpu_set(uintptr_t offset);

/* arch_current - the current thread, cpu_current of this CPU. It is the same for a thread wherever it runs, so the compiler may
 * read it once and keep it. */
#define arch_current()                                                                     \
	({                                                                                 \
		struct thread *current_thread;                                             \
		__asm__("movq %%gs:%c1, %0" : "=r"(current_thread) : "i"(&(cpu_current))); \
		current_thread;                                                            \
	})
