/* SPDX-License-Identifier: MIT */
/*
 * timer.c - the generic timer: one counter for the whole machine, a comparator per CPU.
 *
 * The virtual counter and timer are used: they work at EL1 under any hypervisor, and head.S made the
 * virtual count equal the physical one when it came from EL2. Nothing needs calibrating, firmware tells
 * the frequency.
 *
 * Both conversions multiply by a 64-bit fixed-point factor: ns = count * ns_per_count / 2^64 would lose the
 * integer part, so the factors have 32 fraction bits and the product 128 bits.
 */
#include <quire/assert.h>
#include <arch/cpu.h>
#include <arch/timer.h>
#include "arch/aarch64/internal.h"
#include "boot/boot_info.h"
#include "kernel/printk.h"
#include "kernel/time.h"

#define FRACTION      32
#define CNTV_ENABLE   BIT(0)
#define DEFAULT_INTID 27 /* the virtual timer's usual PPI */

static u64 clock_hz;
struct arch_clock arch_clock;
static u64 count_per_ns; /* with FRACTION fraction bits */

static u64 scale(u64 n, u64 factor)
{
	return (u64)((unsigned __int128)n * factor >> FRACTION);
}

/* arch_clock_init - see arch/timer.h. */
void arch_clock_init(void)
{
	clock_hz = sysreg_read(cntfrq_el0);
	if (clock_hz < 1000000 || clock_hz > 10000000000ul)
		panic("the generic timer's frequency (CNTFRQ_EL0) is %lu Hz", clock_hz);
	count_per_ns = (clock_hz << FRACTION) / NSEC_PER_SEC;
	arch_clock.start = counter_read();
	arch_clock.ns_per_count = (NSEC_PER_SEC << FRACTION) / clock_hz;
}

/* arch_clock_describe - see arch/timer.h. */
void arch_clock_describe(void)
{
	printk("clock: generic timer at %lu Hz\n", clock_hz);
}

/* arch_clock_params - see arch/timer.h. */
bool arch_clock_params(struct clock_params *out)
{
	BUILD_ASSERT(FRACTION == 32, "what the vDSO computes with");
	*out = (struct clock_params){.counter_base = arch_clock.start,
				     .mult = arch_clock.ns_per_count};
	return true;
}

/* The line is level triggered, so the timer is stopped before anything else. */
static void timer_fired(void)
{
	sysreg_write(cntv_ctl_el0, 0);
	isb();
	timer_interrupt();
}

/* arch_timer_init_cpu - see arch/timer.h. */
void arch_timer_init_cpu(void)
{
	u32 intid = boot_info.arm.timer_virt_intid;

	sysreg_write(cntv_ctl_el0, 0);
	isb();
	irq_enable_private(intid ? intid : DEFAULT_INTID, timer_fired);
}

/* arch_timer_arm - see arch/timer.h. One count more than computed: never early, the factor is rounded
 * down. */
void arch_timer_arm(u64 deadline_ns)
{
	if (deadline_ns == ~0ul) {
		sysreg_write(cntv_ctl_el0, 0);
		return;
	}
	sysreg_write(cntv_cval_el0, arch_clock.start + scale(deadline_ns, count_per_ns) + 1);
	sysreg_write(cntv_ctl_el0, CNTV_ENABLE);
	isb();
}
