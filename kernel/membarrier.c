/* SPDX-License-Identifier: MIT */
/*
 * membarrier.c - a memory barrier on all CPUs at once, for programs whose fast paths want to do without: membarrier(2).
 *
 * Every command interrupts the other CPUs. A grace period would be no substitute: it takes a CPU in user mode as it
 * is, without a barrier there.
 */
#include <uapi/errno.h>
#include <uapi/membarrier.h>
#include "kernel/smp.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"
#include "lib/atomic.h"
#include "mm/vma/space.h"

#define COMMANDS                                                                       \
	(MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |                     \
	 MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED | \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED | MEMBARRIER_CMD_GET_REGISTRATIONS)

static void barrier_here(void *unused)
{
	(void)unused;
	smp_mb();
}

static long barrier_everywhere(void)
{
	smp_mb();
	smp_call(&cpus_online, barrier_here, NULL);
	smp_mb();
	return 0;
}

static long announce(struct space *s, unsigned command)
{
	__atomic_fetch_or(&s->barriers, command, __ATOMIC_RELAXED);
	return 0;
}

long sys_membarrier(int command, unsigned flags, int cpu)
{
	struct space *s = current->space;

	(void)cpu;
	if (flags)
		return -EINVAL;
	switch (command) {
	case MEMBARRIER_CMD_QUERY:
		return COMMANDS;
	case MEMBARRIER_CMD_GLOBAL:
	case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
		return barrier_everywhere();
	case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
		return announce(s, (unsigned)command);
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
		if (!(READ_ONCE(s->barriers) & MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED))
			return -EPERM;
		return barrier_everywhere();
	case MEMBARRIER_CMD_GET_REGISTRATIONS:
		return READ_ONCE(s->barriers);
	default:
		return -EINVAL;
	}
}
