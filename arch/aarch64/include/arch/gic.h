/* SPDX-License-Identifier: MIT */
/*
 * gic.h - private to irq.c and the interrupt controller drivers.
 *
 * INTIDs: 0..15 between CPUs (SGI), 16..31 of one CPU (PPI), 32..1019 shared devices (SPI), 1020 and above
 * "nothing to see".
 */
#pragma once

#include <quire/types.h>
#include <arch/io.h>

#define GIC_NR_SGI     16u
#define GIC_FIRST_SPI  32u
#define GIC_NR_INTID   1020u
#define GIC_PRIORITY   0xa0 /* of everything; the mask lets 0xf0 and more urgent through */
#define GIC_PMR        0xf0
#define GIC_PRIO_WORDS 0xa0a0a0a0u

/* Distributor registers, the same in both versions. */
#define GICD_CTLR       0x000
#define GICD_TYPER      0x004
#define GICD_IGROUPR    0x080
#define GICD_ISENABLER  0x100
#define GICD_ICENABLER  0x180
#define GICD_ICPENDR    0x280
#define GICD_ICACTIVER  0x380
#define GICD_IPRIORITYR 0x400
#define GICD_ITARGETSR  0x800
#define GICD_ICFGR      0xc00
#define GICD_SGIR       0xf00
#define GICD_IROUTER    0x6000

struct irq_chip {
	const char *name;
	u32 nr_intid; /* lines that exist */
	void (*init_cpu)(void);
	void (*enable)(u32 intid); /* SPI: to the boot CPU, level; SGI and PPI: on this CPU */
	u32 (*ack)(void);          /* a token: INTID in the low 10 or 24 bits */
	void (*eoi)(u32 token);
	void (*send_sgi)(unsigned cpu, u32 sgi);
};

/* gicv2_init, gicv3_init - map and reset the distributor that boot_info names. NULL: not usable. */
struct irq_chip *gicv2_init(void);
struct irq_chip *gicv3_init(void);
/* bcm2836_init - the same for the controllers of a Raspberry Pi 3. */
struct irq_chip *bcm2836_init(void);

/* gicd_reset - every SPI disabled, not pending, level triggered, equal priority. Returns the number of
 * INTIDs. */
u32 gicd_reset(char *gicd);

static inline u32 gic_read(const char *base, u32 reg)
{
	return arch_mmio_read32(base + reg);
}

static inline void gic_write(char *base, u32 reg, u32 v)
{
	arch_mmio_write32(base + reg, v);
}
