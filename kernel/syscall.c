/* SPDX-License-Identifier: MIT */
/* syscall.c - from a number in a register to a C function, and back. */
#include "kernel/syscall.h"

#include <arch/syscall_nr.h>
#include <arch/trap.h>
#include <uapi/errno.h>
#include "kernel/signal.h"
#include "lib/atomic.h"

/* Every function is entered with six argument registers; those that declare fewer or narrower ones look only at
 * what they declared, which is what both calling conventions promise. */
#define ENTRY(nr, name) [nr] = (syscall_fn)(void *)sys_##name,
const syscall_fn syscall_table[SYSCALL_MAX + 1] = {SYSCALL_LIST(ENTRY)};

static u64 unknown[SYSCALL_MAX + 1]; /* [a] calls of numbers without a function */

unsigned syscall_max(void)
{
	return SYSCALL_MAX;
}

u64 syscall_unknown_count(unsigned nr)
{
	return nr <= SYSCALL_MAX ? atomic_load(&unknown[nr]) : 0;
}

long syscall_unknown(const struct trap_frame *f)
{
	u32 nr = (u32)frame_syscall_nr(f); /* the upper half of the register does not count */

	if (nr <= SYSCALL_MAX)
		atomic_inc(&unknown[nr]);
	return -ENOSYS;
}

static long repeat(const struct trap_frame *f)
{
	return syscall_table[(u32)frame_syscall_nr(f)](
		frame_syscall_arg(f, 0), frame_syscall_arg(f, 1), frame_syscall_arg(f, 2),
		frame_syscall_arg(f, 3), frame_syscall_arg(f, 4), frame_syscall_arg(f, 5));
}

static bool was_interrupted(long result)
{
	return result <= -RESTART_SYS && result >= -RESTART_NOHAND;
}

/* Only a function of the table gives such a result, so there is one for the number; unless the frame is that of a call no
 * longer: after sigreturn the register holds what the program had in it, which may be any number. */
void syscall_interrupted(struct trap_frame *frame, long result)
{
	while (was_interrupted(result) && frame_syscall_nr(frame) >= 0) {
		if (!signal_restart(frame, -result))
			return;
		result = repeat(frame);
	}
	frame_set_syscall_result(frame, result);
}
