/* SPDX-License-Identifier: MIT */
/*
 * irq.c - from an interrupt to its handler, and interrupts between CPUs.
 *
 * The controller (gicv2.c, gicv3.c or bcm2836.c) is behind struct irq_chip. A handler's slot is filled in before its
 * line is enabled and never changes again, so dispatch takes no lock.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include <arch/cpu.h>
#include <arch/gic.h>
#include <arch/irq.h>
#include "arch/aarch64/internal.h"
#include "boot/boot_info.h"
#include "kernel/load.h"
#include "kernel/lock.h"
#include "kernel/percpu.h"
#include "kernel/printk.h"
#include "kernel/smp.h"
#include "lib/atomic.h"

#define SGI_STOP 2u /* after those of enum ipi, which are their own numbers */

struct irq_line {
	void (*fn)(void *);
	void *arg;
	const char *name;
};

static struct irq_chip *chip;
static struct spinlock irq_lock = SPINLOCK_INIT(RANK_IRQ_CHIP); /* who takes a slot */
static struct irq_line lines[GIC_NR_INTID - GIC_FIRST_SPI];
static void (*private_fns[GIC_FIRST_SPI])(void); /* the same on every CPU */
static PERCPU u64 irq_spurious;

/* arch_irq_init - see arch/irq.h. */
void arch_irq_init(void)
{
	if (boot_info.arm.gic_version == 3 && cpu_features.gic_sysregs)
		chip = gicv3_init();
	else if (boot_info.arm.gic_version == 2)
		chip = gicv2_init();
	else if (boot_info.arm.bcm_local)
		chip = bcm2836_init();
	if (!chip)
		panic("no usable interrupt controller (GIC version %u)", boot_info.arm.gic_version);
	printk("irq: %s, %u lines\n", chip->name, chip->nr_intid);
	arch_irq_init_cpu();
}

/* arch_irq_init_cpu - see arch/irq.h. */
void arch_irq_init_cpu(void)
{
	chip->init_cpu();
	chip->enable(IPI_KICK);
	chip->enable(IPI_CALL);
	chip->enable(SGI_STOP);
}

/* irq_register - see arch/irq.h. */
int irq_register(u32 irq, void (*fn)(void *), void *arg, const char *name)
{
	struct irq_line *line;
	unsigned long flags;
	int err = -EBUSY;

	if (!chip)
		return -ENODEV;
	if (irq < GIC_FIRST_SPI || irq >= chip->nr_intid)
		return -EINVAL;
	line = &lines[irq - GIC_FIRST_SPI];
	flags = spin_lock_irqsave(&irq_lock);
	if (!line->fn) {
		line->arg = arg;
		line->name = name;
		atomic_store_release(&line->fn, fn);
		chip->enable(irq);
		err = 0;
	}
	spin_unlock_irqrestore(&irq_lock, flags);
	return err;
}

/* irq_enable_private - see internal.h. */
void irq_enable_private(u32 intid, void (*fn)(void))
{
	assert(intid >= GIC_NR_SGI && intid < GIC_FIRST_SPI);
	atomic_store_release(&private_fns[intid], fn);
	chip->enable(intid);
}

static void dispatch_sgi(u32 intid)
{
	switch (intid) {
	case IPI_KICK:
		smp_ipi_kick();
		break;
	case IPI_CALL:
		smp_ipi_call();
		break;
	case SGI_STOP:
		smp_ipi_stop();
	}
}

static void dispatch_one(u32 intid)
{
	if (intid < GIC_FIRST_SPI) {
		void (*fn)(void) = atomic_load_acquire(&private_fns[intid]);

		if (fn)
			fn();
		else
			this_cpu(irq_spurious)++;
	} else {
		struct irq_line *line = &lines[intid - GIC_FIRST_SPI];
		void (*fn)(void *) = atomic_load_acquire(&line->fn);

		if (fn)
			fn(line->arg);
		else
			this_cpu(irq_spurious)++;
	}
}

/* irq_dispatch - handle everything that is pending. Interrupts off. */
void irq_dispatch(void)
{
	for (;;) {
		u32 token = chip->ack();
		u32 intid = token & 0x3ff;

		if (intid >= GIC_NR_INTID)
			return;
		this_cpu(irq_count)++;
		/* An SGI is ended first: its handler may stop this CPU for good. */
		if (intid < GIC_NR_SGI) {
			chip->eoi(token);
			dispatch_sgi(intid);
		} else {
			dispatch_one(intid);
			chip->eoi(token);
		}
	}
}

/* arch_ipi_send - see arch/irq.h. */
void arch_ipi_send(unsigned cpu, enum ipi ipi)
{
	wmb();
	chip->send_sgi(cpu, (u32)ipi);
}

/* arch_ipi_stop_others - see arch/irq.h. Panics may come before there is a controller. */
void arch_ipi_stop_others(void)
{
	if (!chip)
		return;
	wmb();
	cpumask_for_each (cpu, &cpus_online) {
		if (cpu != cpu_id())
			chip->send_sgi(cpu, SGI_STOP);
	}
}
