/* SPDX-License-Identifier: MIT */
/* sys_sched.c - scheduling from user space: yield, affinity, which CPU. */
#include <uapi/errno.h>
#include "kernel/percpu.h"
#include "kernel/process.h"
#include "kernel/smp.h"
#include "kernel/sys_sched.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"
#include "lib/string.h"

long sys_sched_yield(void)
{
	sched_yield_cpu();
	return 0;
}

struct user_thread *sched_find_thread(int tid)
{
	if (tid)
		return tid > 0 ? thread_find((u32)tid) : NULL;
	user_thread_get(current_user);
	return current_user;
}

long sys_sched_setaffinity(int tid, u32 len, vaddr_t umask)
{
	struct cpumask mask = {{0}};
	struct user_thread *u;
	long err;

	if (copy_from_user(&mask, umask, MIN(len, sizeof(mask))))
		return -EFAULT;
	u = sched_find_thread(tid);
	if (!u)
		return -ESRCH;
	err = sched_may_change(u) ? sched_set_affinity(u->thread, &mask) : -EPERM;
	user_thread_put(u);
	return err;
}

/* The result is the size of the kernel's mask: as many words as the CPUs of this machine need. */
long sys_sched_getaffinity(int tid, u32 len, vaddr_t umask)
{
	u32 size = (u32)ALIGN_UP(nr_cpus, 64u) / 8;
	struct cpumask mask;
	struct user_thread *u;

	if (len < size || len % 8)
		return -EINVAL;
	u = sched_find_thread(tid);
	if (!u)
		return -ESRCH;
	mask = u->thread->affinity;
	user_thread_put(u);
	for (size_t i = 0; i < ARRAY_SIZE(mask.bits); i++)
		mask.bits[i] &= cpus_online.bits[i];
	return copy_to_user(umask, &mask, size) ? -EFAULT : (long)size;
}

long sys_getcpu(vaddr_t ucpu, vaddr_t unode, vaddr_t cache)
{
	(void)cache;
	if (ucpu && put_user_u32(ucpu, cpu_id()))
		return -EFAULT;
	if (unode && put_user_u32(unode, 0))
		return -EFAULT;
	return 0;
}
