/* SPDX-License-Identifier: MIT */
/* syscall.c - from a number in a register to a C function. */
#include "kernel/syscall.h"

#include <arch/syscall_nr.h>
#include <arch/trap.h>
#include <uapi/errno.h>
#include "kernel/thread.h"
#include "lib/atomic.h"

/* Numbers without a function have that one, so that the entry code need not ask. The list comes second. */
#pragma GCC diagnostic ignored "-Woverride-init"

/* Every function is entered with six argument registers; those that declare fewer or narrower ones look only at
 * what they declared, which is what both calling conventions promise. */
#define ENTRY(nr, name) [nr] = (syscall_fn)(void *)sys_##name,
const syscall_fn syscall_table[SYSCALL_MAX + 1] ALIGNED(PAGE_SIZE) = {
	[0 ... SYSCALL_MAX] = (syscall_fn)(void *)syscall_unknown, SYSCALL_LIST(ENTRY)};

static u64 unknown[SYSCALL_MAX + 1]; /* [a] calls of numbers without a function */

unsigned syscall_max(void)
{
	return SYSCALL_MAX;
}

u64 syscall_unknown_count(unsigned nr)
{
	return nr <= SYSCALL_MAX ? atomic_load(&unknown[nr]) : 0;
}

long syscall_unknown(void)
{
	u32 nr = frame_syscall_nr(arch_thread_frame(current));

	if (nr <= SYSCALL_MAX)
		atomic_inc(&unknown[nr]);
	return -ENOSYS;
}
