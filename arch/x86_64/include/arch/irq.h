/* SPDX-License-Identifier: MIT */
/*
 * irq.h - device interrupts and interrupts between CPUs.
 *
 * A device interrupt is named by its global system interrupt (GSI), the number of an I/O APIC pin.
 */
#pragma once

#include <quire/types.h>

/* irq_register - call fn(arg) for each interrupt of `irq`, interrupts off, on the boot CPU. Several
 * handlers may share one number; polarity and trigger come from boot_info.
 *  sleeps: yes   returns: 0, -ENOENT no such interrupt, -ENOSPC out of vectors, -ENOMEM */
int irq_register(u32 irq, void (*fn)(void *), void *arg, const char *name);

/* arch_irq_init - interrupt controllers and this CPU's interface. Boot CPU, once, after mm_init. */
void arch_irq_init(void);
/* arch_irq_init_cpu - a secondary CPU's interface. Interrupts off. */
void arch_irq_init_cpu(void);

enum ipi {
	IPI_KICK, /* arrives in smp_ipi_kick() */
	IPI_CALL, /* arrives in smp_ipi_call() */
};

/* arch_ipi_send - interrupt another CPU. What was written before is visible to its handler. Any context. */
void arch_ipi_send(unsigned cpu, enum ipi);

/* arch_ipi_stop_others - panic path: halt every other online CPU, whatever it does (NMI). Does not wait. */
void arch_ipi_stop_others(void);
