/* SPDX-License-Identifier: MIT */
/*
 * apic.c - the local APIC: each CPU's end of the interrupt wires. (Intel SDM vol. 3, chapter 11.)
 *
 * It has one set of registers and two ways to reach them: a page of memory that every CPU sees its own
 * APIC behind (xAPIC), or MSRs (x2APIC), which also widens APIC ids from 8 to 32 bits. x2APIC is
 * used where it exists; once firmware has switched to it there is no way back short of a reset.
 */
#include <quire/assert.h>
#include <arch/apic.h>
#include <arch/cpu.h>
#include <arch/msr.h>
#include "arch/x86_64/internal.h"
#include "boot/boot_info.h"
#include "kernel/printk.h"
#include "mm/phys/vmalloc.h"

#define APIC_ID        0x020
#define APIC_TPR       0x080
#define APIC_EOI       0x0b0
#define APIC_SPURIOUS  0x0f0
#define APIC_ESR       0x280
#define APIC_ICR       0x300
#define APIC_ICR_HIGH  0x310
#define APIC_LVT_TIMER 0x320
#define APIC_LVT_LINT0 0x350
#define APIC_LVT_LINT1 0x360
#define APIC_LVT_ERROR 0x370
#define APIC_INITIAL   0x380
#define APIC_CURRENT   0x390
#define APIC_DIVIDE    0x3e0

#define SPURIOUS_ENABLE  0x100
#define LVT_MASKED       0x10000
#define LVT_NMI          0x400
#define LVT_TSC_DEADLINE 0x40000
#define DIVIDE_BY_1      0x0b
#define ICR_NMI          0x0400
#define ICR_INIT         0x0500
#define ICR_STARTUP      0x0600
#define ICR_PENDING      0x1000
#define ICR_ASSERT       0x4000

static volatile u32 *xapic; /* NULL: x2APIC */

static u32 reg_read(unsigned reg)
{
	return xapic ? xapic[reg / 4] : (u32)msr_read(MSR_X2APIC(reg));
}

static void reg_write(unsigned reg, u32 v)
{
	if (xapic)
		xapic[reg / 4] = v;
	else
		msr_write(MSR_X2APIC(reg), v);
}

/* apic_init - see arch/apic.h. */
void apic_init(void)
{
	if (cpu_features.x2apic) {
		printk("apic: x2APIC\n");
		return;
	}
	xapic = vmap_mmio(boot_info.pc.lapic, PAGE_SIZE);
	if (!xapic)
		panic("no memory to map the local APIC");
	printk("apic: xAPIC at %#lx\n", boot_info.pc.lapic);
}

/* apic_init_cpu - see arch/apic.h. */
void apic_init_cpu(void)
{
	u64 base = msr_read(MSR_APIC_BASE) | APIC_BASE_ENABLE;

	/* From off to x2APIC only by way of xAPIC. */
	msr_write(MSR_APIC_BASE, base);
	if (!xapic)
		msr_write(MSR_APIC_BASE, base | APIC_BASE_X2APIC);
	reg_write(APIC_SPURIOUS, SPURIOUS_ENABLE | VEC_SPURIOUS);
	reg_write(APIC_TPR, 0);
	reg_write(APIC_LVT_TIMER, LVT_MASKED | VEC_TIMER);
	reg_write(APIC_LVT_LINT0, LVT_MASKED);
	reg_write(APIC_LVT_LINT1, LVT_NMI);
	reg_write(APIC_LVT_ERROR, VEC_ERROR);
	reg_write(APIC_ESR, 0);
	apic_eoi(); /* whatever firmware left in service */
}

/* apic_eoi - the interrupt in service has been handled. */
void apic_eoi(void)
{
	reg_write(APIC_EOI, 0);
}

/* xAPIC: two writes, the second of which sends; an interrupt handler that sends must not come between,
 * and the previous message must have left. */
static void send_xapic(u32 apic_id, u32 command)
{
	unsigned long irq = cpu_irq_save();

	while (reg_read(APIC_ICR) & ICR_PENDING)
		cpu_relax();
	reg_write(APIC_ICR_HIGH, apic_id << 24);
	reg_write(APIC_ICR, command);
	cpu_irq_restore(irq);
}

static void send(u32 apic_id, u32 command)
{
	if (xapic) {
		send_xapic(apic_id, command);
		return;
	}
	/* A write to this MSR, unlike one to memory, is not ordered after earlier stores. */
	mb();
	msr_write(MSR_X2APIC(APIC_ICR), (u64)apic_id << 32 | command);
}

/* apic_send_* - see arch/apic.h. */
void apic_send_vector(u32 apic_id, u8 vector)
{
	send(apic_id, ICR_ASSERT | vector);
}

void apic_send_nmi(u32 apic_id)
{
	send(apic_id, ICR_ASSERT | ICR_NMI);
}

void apic_send_init(u32 apic_id)
{
	send(apic_id, ICR_ASSERT | ICR_INIT);
}

void apic_send_startup(u32 apic_id, paddr_t page)
{
	send(apic_id, ICR_ASSERT | ICR_STARTUP | (u32)(page >> PAGE_SHIFT));
}

/* apic_timer_setup - see arch/apic.h. */
void apic_timer_setup(bool tsc_deadline, bool masked)
{
	reg_write(APIC_DIVIDE, DIVIDE_BY_1);
	reg_write(APIC_INITIAL, 0);
	reg_write(APIC_LVT_TIMER,
		  VEC_TIMER | (masked ? LVT_MASKED : 0) | (tsc_deadline ? LVT_TSC_DEADLINE : 0));
	/* The mode must have reached the APIC before the deadline is written to an MSR. */
	mb();
}

/* apic_timer_set, apic_timer_left - see arch/apic.h. */
void apic_timer_set(u32 count)
{
	reg_write(APIC_INITIAL, count);
}

u32 apic_timer_left(void)
{
	return reg_read(APIC_CURRENT);
}

/* apic_error - why the error interrupt came; clears it. */
u32 apic_error(void)
{
	reg_write(APIC_ESR, 0); /* latches the errors since the last write */
	return reg_read(APIC_ESR);
}
