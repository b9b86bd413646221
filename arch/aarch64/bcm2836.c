/* SPDX-License-Identifier: MIT */
/*
 * bcm2836.c - the interrupt controllers of the Raspberry Pi 2 and 3, which have no GIC.
 *
 * Two, one behind the other. The local one belongs to the four cores: for each a word of sources (timers,
 * mailboxes, "the other controller") and mailboxes of 32 bits, through which cores interrupt each other. The
 * other one, older than the cores, collects the devices in three banks of lines and goes to core 0.
 *
 *      INTID 0..15     bits of the core's mailbox 0
 *      16..27          the local sources: 16 + bit, so the virtual timer is 19
 *      32..            device lines: banks 1, 2, then the few of bank 0
 *
 * Sources are levels: there is nothing to acknowledge, they go away when the handler has dealt with the
 * device. Only the mailbox bits are cleared here.
 *
 * Reference: BCM2836 ARM-local peripherals (QA7), chapters 3 and 4; BCM2835 ARM Peripherals, chapter 7.
 */
#include <arch/cpu.h>
#include <arch/gic.h>
#include "boot/boot_info.h"
#include "mm/phys/vmalloc.h"

#define LOCAL_SIZE       0x100
#define LOCAL_TIMERS     0x40 /* + 4 * core: which timers interrupt */
#define LOCAL_MAILBOXES  0x50 /* + 4 * core: which mailboxes do */
#define LOCAL_SOURCE     0x60 /* + 4 * core: what is pending */
#define LOCAL_MAILBOX    0x80 /* + 16 * core: mailbox 0, bits to set */
#define LOCAL_MAILBOX_RC 0xc0 /* + 16 * core: mailbox 0, read, and bits to clear */

#define SOURCE_TIMERS  0x00fu
#define SOURCE_MAILBOX 0x010u
#define SOURCE_DEVICES 0x100u

#define BANKS       3u
#define DEVICE_SIZE 0x200

/* Register offsets by bank, in the order of INTIDs. */
static const u8 pending_at[BANKS] = {0x04, 0x08, 0x00};
static const u8 enable_at[BANKS] = {0x10, 0x14, 0x18};
static const u32 bank_bits[BANKS] = {~0u, ~0u,
				     0xff}; /* above, bank 0 repeats lines of the others */

static char *local, *devices; /* devices NULL: there are none to listen to */
static u32 enabled[BANKS];    /* only ever set, by one CPU at a time: irq_register's lock */

static unsigned core(void)
{
	return sysreg_read(mpidr_el1) & 3;
}

static void bcm2836_init_cpu(void)
{
	gic_write(local, LOCAL_TIMERS + 4 * core(), 0);
	gic_write(local, LOCAL_MAILBOX_RC + 16 * core(), ~0u);
	gic_write(local, LOCAL_MAILBOXES + 4 * core(), 1);
}

static void enable_device(u32 line)
{
	u32 bank = line / 32;

	if (!devices || bank >= BANKS)
		return;
	WRITE_ONCE(enabled[bank], enabled[bank] | 1u << line % 32);
	gic_write(devices, enable_at[bank], 1u << line % 32);
}

static void bcm2836_enable(u32 intid)
{
	u32 at = LOCAL_TIMERS + 4 * core(), bit = intid - GIC_NR_SGI;

	if (intid >= GIC_FIRST_SPI)
		enable_device(intid - GIC_FIRST_SPI);
	else if (intid >= GIC_NR_SGI && bit < 4)
		gic_write(local, at, gic_read(local, at) | 1u << bit);
}

static u32 ack_device(void)
{
	for (u32 bank = 0; devices && bank < BANKS; bank++) {
		u32 pending = gic_read(devices, pending_at[bank]) & bank_bits[bank] &
			      READ_ONCE(enabled[bank]);

		if (pending)
			return GIC_FIRST_SPI + 32 * bank + (u32)__builtin_ctz(pending);
	}
	return GIC_NR_INTID;
}

/* The bit is cleared before its handler looks for work. */
static u32 ack_mailbox(void)
{
	u32 bits = gic_read(local, LOCAL_MAILBOX_RC + 16 * core()), sgi;

	if (!(bits & ((1u << GIC_NR_SGI) - 1)))
		return GIC_NR_INTID;
	sgi = (u32)__builtin_ctz(bits);
	gic_write(local, LOCAL_MAILBOX_RC + 16 * core(), 1u << sgi);
	__asm__ volatile("dsb sy" : : : "memory");
	return sgi;
}

static u32 bcm2836_ack(void)
{
	u32 source = gic_read(local, LOCAL_SOURCE + 4 * core());

	if (source & SOURCE_MAILBOX)
		return ack_mailbox();
	if (source & SOURCE_TIMERS)
		return GIC_NR_SGI + (u32)__builtin_ctz(source & SOURCE_TIMERS);
	return source & SOURCE_DEVICES ? ack_device() : GIC_NR_INTID;
}

static void bcm2836_eoi(u32 token)
{
	(void)token;
}

static void bcm2836_send_sgi(unsigned cpu, u32 sgi)
{
	gic_write(local, LOCAL_MAILBOX + 16 * (boot_info.cpus[cpu].hw_id & 3), 1u << sgi);
}

static struct irq_chip bcm2836 = {
	.name = "BCM2836",
	.nr_intid = GIC_FIRST_SPI + 32 * BANKS,
	.init_cpu = bcm2836_init_cpu,
	.enable = bcm2836_enable,
	.ack = bcm2836_ack,
	.eoi = bcm2836_eoi,
	.send_sgi = bcm2836_send_sgi,
};

/* bcm2836_init - see arch/gic.h. Disabling has registers of its own, 12 bytes behind those for enabling. */
struct irq_chip *bcm2836_init(void)
{
	local = vmap_mmio(boot_info.arm.bcm_local, LOCAL_SIZE);
	if (!local)
		return NULL;
	if (boot_info.arm.bcm_devices)
		devices = vmap_mmio(boot_info.arm.bcm_devices, DEVICE_SIZE);
	for (u32 bank = 0; devices && bank < BANKS; bank++)
		gic_write(devices, enable_at[bank] + 12u, ~0u);
	return &bcm2836;
}
