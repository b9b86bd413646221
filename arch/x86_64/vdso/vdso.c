/* SPDX-License-Identifier: MIT */
/*
 * vdso.c - the functions that C libraries for x86_64 look for in the vDSO, version LINUX_2.6 (vdso.map).
 *
 * User code, shared by all programs: no kernel symbol is within reach but the data page.
 */
#include <arch/gdt.h>
#include "kernel/vdso/clock.h"

int __vdso_clock_gettime(int clock, struct uapi_timespec *ts);
int __vdso_clock_getres(int clock, struct uapi_timespec *ts);
int __vdso_gettimeofday(struct uapi_timeval *tv, struct uapi_timezone *tz);
s64 __vdso_time(s64 *out);
int __vdso_getcpu(u32 *cpu, u32 *node, void *unused);

int __vdso_clock_gettime(int clock, struct uapi_timespec *ts)
{
	return vdso_clock_gettime(clock, ts);
}

int __vdso_clock_getres(int clock, struct uapi_timespec *ts)
{
	return vdso_clock_getres(clock, ts);
}

int __vdso_gettimeofday(struct uapi_timeval *tv, struct uapi_timezone *tz)
{
	return vdso_gettimeofday(tv, tz);
}

s64 __vdso_time(s64 *out)
{
	u64 ns;
	s64 now;

	if (!vdso_read(CLOCK_REALTIME, true, &ns))
		return vdso_syscall(VDSO_NR_time, (u64)out, 0);
	now = (s64)(ns / NS_PER_SEC);
	if (out)
		*out = now;
	return now;
}

/* The number is in a register that RDPID reads, and the limit of a segment that any program may ask for. There is
 * one node. */
int __vdso_getcpu(u32 *cpu, u32 *node, void *unused UNUSED)
{
	u64 number;

	if (vdso_data.flags & VDSO_RDPID)
		__asm__ volatile(".byte 0xf3, 0x0f, 0xc7, 0xf8" : "=a"(number)); /* rdpid %rax */
	else
		__asm__ volatile("lsl %1, %k0" : "=r"(number) : "r"(CPU_NUMBER_SEL));
	if (cpu)
		*cpu = (u32)number;
	if (node)
		*node = 0;
	return 0;
}
