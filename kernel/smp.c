/* SPDX-License-Identifier: MIT */
/*
 * smp.c - starting CPUs, and calls from one CPU to others.
 *
 * A call is synchronous, so each CPU has at most one outstanding: it fills in its own struct smp_request,
 * sets its bit in the `callers` mask of each target, interrupts them and waits until all have
 * counted themselves off. A target runs the request of every caller it finds in its mask. No lock is
 * involved, any number of CPUs may call at the same time, and a waiting caller serves others because its
 * interrupts are on.
 */
#include <arch/cpu.h>
#include <arch/irq.h>
#include <arch/smp.h>
#include <arch/timer.h>
#include <quire/assert.h>
#include <uapi/errno.h>
#include "boot/boot_info.h"
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "kernel/smp.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "lib/atomic.h"

#define STOP_WAIT_NS (100 * NSEC_PER_MSEC)

struct smp_request {
	void (*fn)(void *);
	void *arg;
	u32 pending; /* [a] targets that have not finished */
};

struct cpumask cpus_online = {.bits = {1}};
unsigned nr_cpus_online = 1;

static PERCPU struct smp_request smp_request;
static PERCPU struct cpumask smp_callers; /* [a] CPUs whose request this one is to run */
static u32 nr_stopped;                    /* [a] */

/* --- calls -------------------------------------------------------------------------------------------- */

/* smp_call - see smp.h. */
void smp_call(const struct cpumask *mask, void (*fn)(void *), void *arg)
{
	struct smp_request *request = &this_cpu(smp_request);
	unsigned self = cpu_id();
	u32 targets = 0;

	if (nr_cpus_online == 1)
		return;
	assert(cpu_irqs_enabled());
	request->fn = fn;
	request->arg = arg;
	/* One too many until all are told, so that the count cannot reach zero in between. */
	atomic_store_release(&request->pending, 1u);
	cpumask_for_each (cpu, mask) {
		if (cpu == self || !cpumask_test(&cpus_online, cpu))
			continue;
		atomic_inc(&request->pending);
		cpumask_set_atomic(&cpu_var(smp_callers, cpu), self);
		arch_ipi_send(cpu, IPI_CALL);
		targets++;
	}
	atomic_dec(&request->pending);
	while (targets && atomic_load_acquire(&request->pending))
		cpu_relax();
}

/* smp_ipi_call - another CPU wants something. */
void smp_ipi_call(void)
{
	struct cpumask *callers = &this_cpu(smp_callers);

	for (unsigned w = 0; w < ARRAY_SIZE(callers->bits); w++) {
		u64 bits = atomic_load(&callers->bits[w]) ? atomic_xchg(&callers->bits[w], 0ul) : 0;

		for (; bits; bits &= bits - 1) {
			unsigned caller = w * 64 + (unsigned)__builtin_ctzl(bits);
			struct smp_request *request = &cpu_var(smp_request, caller);

			request->fn(request->arg);
			atomic_dec(&request->pending);
		}
	}
}

/* smp_kick - see smp.h. */
void smp_kick(unsigned cpu)
{
	arch_ipi_send(cpu, IPI_KICK);
}

/* smp_ipi_kick - the interrupt itself has ended an idle wait; the run queue may want a timer. */
void smp_ipi_kick(void)
{
	sched_ipi();
}

/* --- the end ------------------------------------------------------------------------------------------ */

/* smp_stop_others - see smp.h. */
void smp_stop_others(void)
{
	u64 end = time_now() + STOP_WAIT_NS;

	if (nr_cpus_online == 1)
		return;
	arch_ipi_stop_others();
	/* The count of rounds ends the wait should the clock be what is broken. */
	for (u64 i = 0; i < 100000000 && time_now() < end; i++) {
		if (atomic_load(&nr_stopped) >= nr_cpus_online - 1)
			return;
		cpu_relax();
	}
}

/* smp_ipi_stop - a CPU has panicked, and this is another one. */
void smp_ipi_stop(void)
{
	atomic_inc(&nr_stopped);
	cpu_halt_forever();
}

/* --- bring-up ----------------------------------------------------------------------------------------- */

static bool start_one(unsigned cpu)
{
	vaddr_t stack_top;
	u64 end;
	int err;

	err = sched_prepare_cpu(cpu, &stack_top);
	if (!err)
		err = arch_cpu_start(cpu, stack_top);
	end = time_now() + NSEC_PER_SEC;
	while (!err && !cpumask_test(&cpus_online, cpu)) {
		if (time_now() > end)
			err = -ETIMEDOUT;
		time_sleep_ns(20 * NSEC_PER_USEC);
	}
	/* Its stack is not freed: it might yet come to life. */
	if (err)
		printk("smp: CPU %u (id %#lx) does not start: error %d\n", cpu,
		       boot_info.cpus[cpu].hw_id, -err);
	return !err;
}

/* smp_start_all - see smp.h. */
void smp_start_all(void)
{
	unsigned started = 1;

	for (unsigned cpu = 1; cpu < nr_cpus; cpu++)
		started += start_one(cpu);
	if (boot_info.nr_cpus > 1)
		printk("smp: %u of %u CPUs are running\n", started, boot_info.nr_cpus);
}

/* smp_secondary_main - see smp.h. */
void smp_secondary_main(void)
{
	arch_irq_init_cpu();
	arch_timer_init_cpu();
	sched_init_cpu();
	cpumask_set_atomic(&cpus_online, cpu_id());
	atomic_inc(&nr_cpus_online);
	smp_mb();
	sched_idle_loop();
}
