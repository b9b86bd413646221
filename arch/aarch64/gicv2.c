/* SPDX-License-Identifier: MIT */
/*
 * gicv2.c - Generic Interrupt Controller version 2 (Arm IHI 0048), also what the two versions have in
 * common in the distributor.
 *
 * One distributor (GICD) for all CPUs, whose registers for INTIDs below 32 are banked per CPU, and a CPU
 * interface (GICC) at one address, banked too. At most eight CPUs, named by a bit each: the
 * distributor tells a CPU its own bit.
 */
#include <arch/cpu.h>
#include <arch/gic.h>
#include "boot/boot_info.h"
#include "kernel/percpu.h"
#include "kernel/printk.h"
#include "mm/phys/vmalloc.h"

#define GICC_CTLR 0x00
#define GICC_PMR  0x04
#define GICC_BPR  0x08
#define GICC_IAR  0x0c
#define GICC_EOIR 0x10

#define GICD_SIZE 0x1000
#define GICC_SIZE 0x1000

static char *gicd, *gicc;
static PERCPU u8 target_bit;
static u8 boot_target;
static struct irq_chip gicv2;

/* gicd_reset - see arch/gic.h. */
u32 gicd_reset(char *base)
{
	u32 lines = MIN(32 * ((gic_read(base, GICD_TYPER) & 0x1f) + 1), GIC_NR_INTID);

	gic_write(base, GICD_CTLR, 0);
	for (u32 i = GIC_FIRST_SPI; i < lines; i += 32) {
		gic_write(base, GICD_ICENABLER + i / 8, ~0u);
		gic_write(base, GICD_ICPENDR + i / 8, ~0u);
		gic_write(base, GICD_ICACTIVER + i / 8, ~0u);
	}
	for (u32 i = GIC_FIRST_SPI; i < lines; i += 16)
		gic_write(base, GICD_ICFGR + i / 4, 0);
	for (u32 i = GIC_FIRST_SPI; i < lines; i += 4)
		gic_write(base, GICD_IPRIORITYR + i, GIC_PRIO_WORDS);
	return lines;
}

/* The banked registers ITARGETSR0..7 read as the reading CPU's bit. */
static u8 read_own_target(void)
{
	u32 bits = 0;

	for (u32 i = 0; i < GIC_FIRST_SPI; i += 4)
		bits |= gic_read(gicd, GICD_ITARGETSR + i);
	bits |= bits >> 16;
	bits |= bits >> 8;
	return (u8)bits;
}

static void gicv2_init_cpu(void)
{
	this_cpu(target_bit) = read_own_target();
	gic_write(gicd, GICD_ICENABLER, ~0u);
	gic_write(gicd, GICD_ICPENDR, ~0u);
	for (u32 i = 0; i < GIC_FIRST_SPI; i += 4)
		gic_write(gicd, GICD_IPRIORITYR + i, GIC_PRIO_WORDS);
	gic_write(gicc, GICC_PMR, GIC_PMR);
	gic_write(gicc, GICC_BPR, 0);
	gic_write(gicc, GICC_CTLR, 1);
}

static void gicv2_enable(u32 intid)
{
	if (intid >= GIC_FIRST_SPI)
		arch_mmio_write8(gicd + GICD_ITARGETSR + intid, boot_target);
	gic_write(gicd, GICD_ISENABLER + intid / 32 * 4, 1u << intid % 32);
}

static u32 gicv2_ack(void)
{
	return gic_read(gicc, GICC_IAR);
}

/* The token of an SGI names its sender as well and must come back whole. */
static void gicv2_eoi(u32 token)
{
	gic_write(gicc, GICC_EOIR, token);
}

static void gicv2_send_sgi(unsigned cpu, u32 sgi)
{
	gic_write(gicd, GICD_SGIR, (u32)cpu_var(target_bit, cpu) << 16 | sgi);
}

static struct irq_chip gicv2 = {
	.name = "GICv2",
	.init_cpu = gicv2_init_cpu,
	.enable = gicv2_enable,
	.ack = gicv2_ack,
	.eoi = gicv2_eoi,
	.send_sgi = gicv2_send_sgi,
};

/* gicv2_init - see arch/gic.h. */
struct irq_chip *gicv2_init(void)
{
	gicd = vmap_mmio(boot_info.arm.gicd, GICD_SIZE);
	gicc = vmap_mmio(boot_info.arm.gicc, GICC_SIZE);
	if (!gicd || !gicc)
		return NULL;
	gicv2.nr_intid = gicd_reset(gicd);
	boot_target = read_own_target();
	if (!boot_target)
		boot_target = 1; /* one CPU: the register may read as zero */
	gic_write(gicd, GICD_CTLR, 1);
	return &gicv2;
}
