/* SPDX-License-Identifier: MIT */
/*
 * gicv3.c - Generic Interrupt Controller version 3 and 4 (Arm IHI 0069).
 *
 * One distributor (GICD) for shared interrupts, routed by affinity; per CPU a redistributor (GICR: two 64 KiB
 * frames, four with virtual LPIs) for its private ones; the CPU interface is system registers.
 * All interrupts are in non-secure group 1.
 *
 * The redistributors of all CPUs are found and mapped by the boot CPU, because a starting CPU cannot sleep
 * for memory.
 */
#include <quire/assert.h>
#include <arch/cpu.h>
#include <arch/gic.h>
#include "boot/boot_info.h"
#include "kernel/percpu.h"
#include "kernel/printk.h"
#include "mm/phys/vmalloc.h"

#define GICD_SIZE         0x10000
#define GICD_CTLR_GRP1    BIT(1)
#define GICD_CTLR_ARE     BIT(4)
#define GICD_CTLR_RWP     BIT(31)
#define GICR_CTLR         0x0000
#define GICR_CTLR_RWP     BIT(3)
#define GICR_TYPER        0x0008
#define GICR_TYPER_VLPIS  BIT(1)
#define GICR_TYPER_LAST   BIT(4)
#define GICR_WAKER        0x0014
#define GICR_WAKER_SLEEP  BIT(1)
#define GICR_WAKER_ASLEEP BIT(2)
#define GICR_FRAME        0x10000 /* RD_base; SGI_base follows */
#define GICR_SIZE         (2 * GICR_FRAME)
#define WAIT_LIMIT        1000000

static char *gicd;
static PERCPU char *gicr; /* RD_base; NULL: this CPU has none */

/* wait_clear - until the bits are 0. A controller that never gets there is broken; go on without. */
static void wait_clear(char *base, u32 reg, u32 bits, const char *what)
{
	for (unsigned i = 0; i < WAIT_LIMIT; i++) {
		if (!(gic_read(base, reg) & bits))
			return;
		cpu_relax();
	}
	printk("gic: cpu %u: %s does not finish\n", cpu_id(), what);
}

static void gicv3_init_cpu(void)
{
	char *rd = this_cpu(gicr), *sgi;

	if (!rd)
		panic("cpu %u has no interrupt redistributor", cpu_id());
	sgi = rd + GICR_FRAME;
	gic_write(rd, GICR_WAKER, gic_read(rd, GICR_WAKER) & ~(u32)GICR_WAKER_SLEEP);
	wait_clear(rd, GICR_WAKER, GICR_WAKER_ASLEEP, "waking the redistributor");
	gic_write(sgi, GICD_ICENABLER, ~0u);
	gic_write(sgi, GICD_ICPENDR, ~0u);
	gic_write(sgi, GICD_ICACTIVER, ~0u);
	gic_write(sgi, GICD_IGROUPR, ~0u);
	for (u32 i = 0; i < GIC_FIRST_SPI; i += 4)
		gic_write(sgi, GICD_IPRIORITYR + i, GIC_PRIO_WORDS);
	wait_clear(rd, GICR_CTLR, GICR_CTLR_RWP, "disabling interrupts");

	sysreg_write(SYS_ICC_SRE, sysreg_read(SYS_ICC_SRE) | 1);
	isb();
	sysreg_write(SYS_ICC_PMR, GIC_PMR);
	sysreg_write(SYS_ICC_BPR1, 0);
	sysreg_write(SYS_ICC_CTLR, 0); /* one write ends an interrupt */
	sysreg_write(SYS_ICC_IGRPEN1, 1);
	isb();
}

/* Affinity 3..0 as it stands in MPIDR; a route register has the same layout. */
static void gicv3_enable(u32 intid)
{
	char *base = gicd;

	if (intid < GIC_FIRST_SPI)
		base = this_cpu(gicr) + GICR_FRAME;
	else
		arch_mmio_write64(gicd + GICD_IROUTER + intid * 8ul, boot_info.cpus[0].hw_id);
	gic_write(base, GICD_ISENABLER + intid / 32 * 4, 1u << intid % 32);
}

static u32 gicv3_ack(void)
{
	u32 intid = (u32)sysreg_read(SYS_ICC_IAR1);

	__asm__ volatile("dsb sy" : : : "memory"); /* acknowledged before the handler looks */
	return intid;
}

static void gicv3_eoi(u32 token)
{
	sysreg_write(SYS_ICC_EOIR1, token);
	isb();
}

/* The target list holds 16 CPUs that share affinity 3..1, selected by the high bits of affinity 0. */
static void gicv3_send_sgi(unsigned cpu, u32 sgi)
{
	u64 id = boot_info.cpus[cpu].hw_id;
	u64 v = (id >> 32 & 0xff) << 48 | (id >> 16 & 0xff) << 32 | (id >> 8 & 0xff) << 16;

	v |= (id & 0xf0) << 40; /* range selector, bits 47..44 */
	v |= 1ul << (id & 0xf);
	sysreg_write(SYS_ICC_SGI1R, v | (u64)sgi << 24);
	isb();
}

/* claim - if a CPU of ours has the affinity that this redistributor names, keep the mapping for it. */
static bool claim(char *rd, u64 typer)
{
	u64 aff = typer >> 32;
	u64 hw_id = (aff & 0xff000000) << 8 | (aff & 0xffffff);

	for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
		if (boot_info.cpus[cpu].hw_id == hw_id && !cpu_var(gicr, cpu)) {
			cpu_var(gicr, cpu) = rd;
			return true;
		}
	}
	return false;
}

/* scan_region - look at each redistributor in a row of them. */
static void scan_region(const struct boot_gicr_region *r)
{
	u64 offset = 0, typer = 0;

	while (offset + GICR_SIZE <= r->size && !(typer & GICR_TYPER_LAST)) {
		char *rd = vmap_mmio(r->base + offset, GICR_SIZE);

		if (!rd)
			return;
		typer = arch_mmio_read64(rd + GICR_TYPER);
		if (!claim(rd, typer))
			vunmap_mmio(rd);
		offset += typer & GICR_TYPER_VLPIS ? 2 * GICR_SIZE : GICR_SIZE;
	}
}

static struct irq_chip gicv3 = {
	.name = "GICv3",
	.init_cpu = gicv3_init_cpu,
	.enable = gicv3_enable,
	.ack = gicv3_ack,
	.eoi = gicv3_eoi,
	.send_sgi = gicv3_send_sgi,
};

static void reset_distributor(void)
{
	gicv3.nr_intid = gicd_reset(gicd);
	wait_clear(gicd, GICD_CTLR, GICD_CTLR_RWP, "resetting the distributor");
	for (u32 i = GIC_FIRST_SPI; i < gicv3.nr_intid; i += 32)
		gic_write(gicd, GICD_IGROUPR + i / 8, ~0u);
	gic_write(gicd, GICD_CTLR, GICD_CTLR_ARE);
	wait_clear(gicd, GICD_CTLR, GICD_CTLR_RWP, "affinity routing");
	gic_write(gicd, GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_GRP1);
	wait_clear(gicd, GICD_CTLR, GICD_CTLR_RWP, "enabling group 1");
}

/* gicv3_init - see arch/gic.h. */
struct irq_chip *gicv3_init(void)
{
	gicd = vmap_mmio(boot_info.arm.gicd, GICD_SIZE);
	if (!gicd)
		return NULL;
	reset_distributor();
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
		if (boot_info.cpus[cpu].gicr)
			cpu_var(gicr, cpu) = vmap_mmio(boot_info.cpus[cpu].gicr, GICR_SIZE);
	for (u32 i = 0; i < boot_info.arm.nr_gicr; i++)
		scan_region(&boot_info.arm.gicr[i]);
	return this_cpu(gicr) ? &gicv3 : NULL;
}
