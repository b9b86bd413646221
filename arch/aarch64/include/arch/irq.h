/* SPDX-License-Identifier: MIT */
/*
 * irq.h - device interrupts and interrupts between CPUs. An interrupt is named by its GIC INTID.
 */
#pragma once

#include <quire/types.h>

enum ipi { IPI_KICK, IPI_CALL };

/* irq_register - call fn(arg), interrupts off, on each interrupt `irq`, and enable it.
 *  irq: INTID of a shared peripheral interrupt, level triggered; delivered to the boot CPU
 *  sleeps: no   returns: 0; -EINVAL: no such line; -EBUSY: taken; -ENODEV: no controller */
int irq_register(u32 irq, void (*fn)(void *), void *arg, const char *name);

/* arch_irq_init - find and start the interrupt controller, and this CPU's part of it. Boot CPU, after
 * mm_init. Panics without a controller. arch_irq_init_cpu - a secondary's part; interrupts off. */
void arch_irq_init(void);
void arch_irq_init_cpu(void);

/* arch_ipi_send - interrupt another CPU (or this one). Any context. What was stored before is visible to
 * the handler. arch_ipi_stop_others - halt all other online CPUs for good: panic path, returns at
 * once; a CPU with interrupts off follows when it enables them. */
void arch_ipi_send(unsigned cpu, enum ipi);
void arch_ipi_stop_others(void);
