/* SPDX-License-Identifier: MIT */
/*
 * selftest_panic.c - the mistakes that must end in a panic, each made on purpose.
 *
 * The test runner looks for the message, for a backtrace with function, file and line, and for a failing
 * status. Those marked (debug) are noticed by debug builds only.
 */
#include <arch/cpu.h>
#include <quire/assert.h>
#include <quire/image.h>
#include "kernel/lock.h"
#include "kernel/rcu.h"
#include "kernel/selftest.h"
#include "kernel/smp.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "lib/atomic.h"

static struct spinlock outer = SPINLOCK_INIT(RANK_PT_NODE);
static struct spinlock inner = SPINLOCK_INIT(RANK_OBJ_INDEX);

static void by_panic(void)
{
	panic("asked for on the command line");
}

static void by_bug(void)
{
	BUG_ON(nr_cpus_online > 0);
}

static void by_assert(void)
{
	assert(nr_cpus_online == 0);
}

static void by_null_pointer(void)
{
	u32 *volatile p = NULL;

	(void)*(volatile u32 *)p;
}

static void by_user_access(void)
{
	u64 *volatile p = (u64 *)0x400000;

	*(volatile u64 *)p = 1;
}

static void by_write_to_text(void)
{
	*(volatile u32 *)text_start = 0;
}

static void by_write_to_constant(void)
{
	*(volatile u32 *)rodata_start = 0;
}

static void by_execution_of_data(void)
{
	static u32 data[4];
	void (*volatile fn)(void) = (void (*)(void))(void *)data;

	fn();
}

static void by_undefined_instruction(void)
{
	__builtin_trap();
}

static NOINLINE u64 recurse(volatile u64 *below)
{
	volatile u64 frame[64];

	frame[0] = frame[63] = *below + 1;
	return frame[0] ? recurse(frame) + frame[63] : 0;
}

static void by_stack_overflow(void)
{
	volatile u64 bottom = 1;

	recurse(&bottom);
}

/* The report itself faults when it comes to the string. */
static void by_nested_panic(void)
{
	const char *volatile nowhere = (const char *)16;

	panic("string %s", nowhere);
}

static void irq_panics(struct timer *t UNUSED)
{
	panic("asked for in an interrupt");
}

static void by_interrupt(void)
{
	static struct timer timer;

	timer_init(&timer, irq_panics);
	timer_arm(&timer, time_now() + NSEC_PER_MSEC);
	time_sleep_ns(NSEC_PER_SEC);
}

static u32 stubborn; /* [a] */

/* All but the second CPU do not answer interrupts any more when that one panics. */
static void stubborn_member(struct crew_member *m)
{
	selftest_pin(m->index);
	if (m->index == 1) {
		while (atomic_load(&stubborn) < nr_cpus_online - 1)
			cpu_relax();
		panic("asked for on CPU %u, which the others ignore", cpu_id());
	}
	cpu_irq_disable();
	atomic_inc(&stubborn);
	for (;;)
		cpu_relax();
}

static void by_smp(void)
{
	if (nr_cpus_online == 1)
		panic("asked for, on the only CPU");
	crew_run(MIN(nr_cpus_online, (unsigned)CREW_MAX), stubborn_member, NULL);
}

static void by_lock_rank(void)
{
	spin_lock(&inner);
	spin_lock(&outer);
}

static void by_lock_taken_twice(void)
{
	spin_lock(&outer);
	spin_lock(&outer);
}

static void by_foreign_unlock(void)
{
	spin_unlock(&outer);
}

static void by_sleep_under_lock(void)
{
	spin_lock(&outer);
	time_sleep_ns(NSEC_PER_MSEC);
}

static void by_sleep_in_reader(void)
{
	rcu_read_lock();
	time_sleep_ns(NSEC_PER_MSEC);
}

static void by_user_access_under_lock(void)
{
	static struct mutex m;

	mutex_init(&m, RANK_FOLIO);
	mutex_lock(&m);
	lock_assert_user_access();
}

static void by_interruptible_leaf(void)
{
	static struct spinlock leaf = SPINLOCK_INIT(RANK_TIMER);

	spin_lock(&leaf);
}

static void holder(struct crew_member *m UNUSED)
{
	spin_lock(&outer);
	for (;;)
		cpu_relax();
}

static void by_stuck_lock(void)
{
	crew_run(2, holder, NULL);
}

const struct selftest selftest_panics[] = {
	{"panic", by_panic},
	{"bug", by_bug},
	{"assert", by_assert}, /* debug */
	{"nullptr", by_null_pointer},
	{"user_access", by_user_access},
	{"wx", by_write_to_text},
	{"write_rodata", by_write_to_constant},
	{"nx", by_execution_of_data},
	{"undefined", by_undefined_instruction},
	{"stack_overflow", by_stack_overflow},
	{"panic_nested", by_nested_panic},
	{"panic_irq", by_interrupt},
	{"panic_smp", by_smp},
	{"lock_rank", by_lock_rank},              /* debug */
	{"lock_twice", by_lock_taken_twice},      /* debug */
	{"lock_foreign", by_foreign_unlock},      /* debug */
	{"lock_sleep", by_sleep_under_lock},      /* debug */
	{"lock_rcu", by_sleep_in_reader},         /* debug */
	{"lock_user", by_user_access_under_lock}, /* debug */
	{"lock_irq", by_interruptible_leaf},      /* debug */
	{"lock_stuck", by_stuck_lock},            /* debug, two CPUs */
	{NULL, NULL},
};
