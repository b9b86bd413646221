/* SPDX-License-Identifier: MIT */
/*
 * irq.c - from interrupt vectors to handlers.
 *
 * Every device interrupt gets a vector of its own when its first handler is registered, and goes to the
 * boot CPU. Handlers are added, never removed, so irq_dispatch reads the lists without a lock.
 *
 * Read next: apic.c, ioapic.c; trap.c calls irq_dispatch.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include <arch/apic.h>
#include <arch/io.h>
#include <arch/irq.h>
#include "arch/x86_64/internal.h"
#include "boot/boot_info.h"
#include "kernel/load.h"
#include "kernel/lock.h"
#include "kernel/printk.h"
#include "kernel/smp.h"
#include "kernel/time.h"
#include "lib/atomic.h"
#include "mm/phys/slab.h"

#define PIC1_COMMAND 0x20
#define PIC1_DATA    0x21
#define PIC2_COMMAND 0xa0
#define PIC2_DATA    0xa1

#define NR_VECTORS (VEC_IRQ_LAST - VEC_IRQ_FIRST + 1)

struct irq_action {
	void (*fn)(void *);
	void *arg;
	const char *name;
	struct irq_action *next; /* constant once on a list */
};

struct irq_line {
	struct irq_action *actions; /* [a] NULL: vector unused */
	u32 gsi;                    /* irq_lock */
	u64 unhandled;              /* by the boot CPU's interrupts only */
};

static struct irq_line lines[NR_VECTORS];
static struct spinlock irq_lock = {.rank = RANK_IRQ_CHIP};
static bool stop_requested; /* [a] */

/* The 8259 pair is not used, but a spurious interrupt can come through a mask: move its vectors away
 * from the exceptions first. */
static void disable_8259(void)
{
	static const struct {
		u16 port;
		u8 value;
	} steps[] = {
		{PIC1_COMMAND, 0x11},  {PIC2_COMMAND, 0x11},      /* initialise, four words */
		{PIC1_DATA, VEC_8259}, {PIC2_DATA, VEC_8259 + 8}, /* vectors */
		{PIC1_DATA, 0x04},     {PIC2_DATA, 0x02},         /* cascade on line 2 */
		{PIC1_DATA, 0x01},     {PIC2_DATA, 0x01},         /* 8086 mode */
		{PIC1_DATA, 0xff},     {PIC2_DATA, 0xff},         /* all masked */
	};

	for (unsigned i = 0; i < ARRAY_SIZE(steps); i++)
		arch_port_out8(steps[i].port, steps[i].value);
}

/* arch_irq_init - see arch/irq.h. */
void arch_irq_init(void)
{
	if (boot_info.pc.has_8259)
		disable_8259();
	apic_init();
	apic_init_cpu();
	ioapic_init();
	power_init();
}

/* arch_irq_init_cpu - see arch/irq.h. */
void arch_irq_init_cpu(void)
{
	apic_init_cpu();
}

/* ISA interrupts are edge triggered and active high, PCI's level and low, unless firmware says otherwise. */
static void irq_trigger(u32 gsi, bool *level, bool *active_low)
{
	*level = *active_low = gsi >= 16;
	for (u32 i = 0; i < boot_info.pc.nr_overrides; i++) {
		const struct boot_irq_override *o = &boot_info.pc.overrides[i];

		if (o->gsi == gsi) {
			*level = o->level;
			*active_low = o->active_low;
		}
	}
}

/* The line of a GSI, or a free one. needs: irq_lock */
static struct irq_line *line_find(u32 gsi)
{
	for (unsigned i = 0; i < NR_VECTORS; i++) {
		if (!lines[i].actions || lines[i].gsi == gsi)
			return &lines[i];
	}
	return NULL;
}

/* Put the action on the GSI's line; *first: the line was free and is to be routed. */
static struct irq_line *line_add(u32 gsi, struct irq_action *action, bool *first)
{
	unsigned long irq = spin_lock_irqsave(&irq_lock);
	struct irq_line *line = line_find(gsi);

	if (line) {
		*first = !line->actions;
		line->gsi = gsi;
		action->next = line->actions;
		atomic_store_release(&line->actions, action);
	}
	spin_unlock_irqrestore(&irq_lock, irq);
	return line;
}

/* irq_register - see arch/irq.h. */
int irq_register(u32 irq, void (*fn)(void *), void *arg, const char *name)
{
	bool first = false, level, active_low;
	struct irq_action *action;
	struct irq_line *line;

	if (!ioapic_serves(irq))
		return -ENOENT;
	action = kmalloc(sizeof(*action), 0);
	if (!action)
		return -ENOMEM;
	*action = (struct irq_action){.fn = fn, .arg = arg, .name = name};
	line = line_add(irq, action, &first);
	if (!line) {
		kfree(action);
		return -ENOSPC;
	}
	if (first) {
		irq_trigger(irq, &level, &active_low);
		ioapic_route(irq, (u8)(VEC_IRQ_FIRST + (line - lines)),
			     (u32)boot_info.cpus[0].hw_id, level, active_low);
	}
	return 0;
}

static void device_interrupt(struct irq_line *line)
{
	struct irq_action *a = atomic_load_acquire(&line->actions);

	if (!a)
		line->unhandled++;
	for (; a; a = a->next)
		a->fn(a->arg);
}

/* irq_dispatch - see arch/apic.h. Edge-triggered sources may fire again as soon as the APIC has been told
 * that this one is done, level-triggered ones must have been silenced before: so that comes last. */
void irq_dispatch(unsigned vector)
{
	this_cpu(irq_count)++;
	switch (vector) {
	case VEC_TIMER:
		apic_eoi();
		timer_interrupt();
		return;
	case VEC_CALL:
		apic_eoi();
		smp_ipi_call();
		return;
	case VEC_KICK:
		apic_eoi();
		smp_ipi_kick();
		return;
	case VEC_ERROR:
		printk("apic: CPU %u error %#x\n", cpu_id(), apic_error());
		break;
	case VEC_SPURIOUS:
		return; /* not in service: no EOI */
	default:
		if (vector < VEC_IRQ_FIRST || vector > VEC_IRQ_LAST)
			return; /* from a masked 8259: nothing to tell the APIC */
		device_interrupt(&lines[vector - VEC_IRQ_FIRST]);
	}
	apic_eoi();
}

/* arch_ipi_send - see arch/irq.h. */
void arch_ipi_send(unsigned cpu, enum ipi ipi)
{
	apic_send_vector((u32)boot_info.cpus[cpu].hw_id, ipi == IPI_CALL ? VEC_CALL : VEC_KICK);
}

/* arch_ipi_stop_others - see arch/irq.h. */
void arch_ipi_stop_others(void)
{
	atomic_store_release(&stop_requested, true);
	cpumask_for_each (cpu, &cpus_online) {
		if (cpu != cpu_id())
			apic_send_nmi((u32)boot_info.cpus[cpu].hw_id);
	}
}

/* irq_stop_requested - see internal.h. */
bool irq_stop_requested(void)
{
	return atomic_load_acquire(&stop_requested);
}
