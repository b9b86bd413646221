/* SPDX-License-Identifier: MIT */
/* syscall.c - from a number in a register to a C function, and back. */
#include "kernel/syscall.h"

#include <arch/syscall_nr.h>
#include <arch/trap.h>
#include <uapi/errno.h>
#include "kernel/signal.h"
#include "lib/atomic.h"

/* Every function takes the six argument registers; those that declare fewer or narrower ones look only at
 * what they declared, which is what both calling conventions promise. */
typedef long (*syscall_fn)(u64, u64, u64, u64, u64, u64);

#define ENTRY(nr, name) [nr] = (syscall_fn)(void *)sys_##name,
static const syscall_fn table[SYSCALL_MAX + 1] = {SYSCALL_LIST(ENTRY)};

static u64 unknown[SYSCALL_MAX + 1]; /* [a] calls of numbers without a function */

u64 syscall_unknown_count(unsigned nr)
{
	return nr <= SYSCALL_MAX ? atomic_load(&unknown[nr]) : 0;
}

static long call(const struct trap_frame *f)
{
	u32 nr = (u32)frame_syscall_nr(f); /* the upper half of the register does not count */

	if (unlikely(nr > SYSCALL_MAX))
		return -ENOSYS;
	if (unlikely(!table[nr])) {
		atomic_inc(&unknown[nr]);
		return -ENOSYS;
	}
	return table[nr](frame_syscall_arg(f, 0), frame_syscall_arg(f, 1), frame_syscall_arg(f, 2),
			 frame_syscall_arg(f, 3), frame_syscall_arg(f, 4), frame_syscall_arg(f, 5));
}

static bool was_interrupted(long result)
{
	return result <= -RESTART_SYS && result >= -RESTART_NOHAND;
}

void syscall_dispatch(struct trap_frame *frame)
{
	long result;

	while (unlikely(was_interrupted(result = call(frame))))
		if (!signal_restart(frame, -result))
			return;
	frame_set_syscall_result(frame, result);
}
