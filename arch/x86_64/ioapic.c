/* SPDX-License-Identifier: MIT */
/*
 * ioapic.c - I/O APICs: where devices' interrupt wires end. Each pin has a 64-bit redirection entry that
 * says which vector goes to which CPU. (82093AA data sheet.)
 *
 * Registers are reached through an index and a data window, so every access holds ioapic_lock.
 */
#include <arch/apic.h>
#include "boot/boot_info.h"
#include "kernel/lock.h"
#include "kernel/printk.h"
#include "mm/phys/vmalloc.h"

#define IOREGSEL 0x00
#define IOWIN    0x10

#define REG_VERSION  0x01 /* bits 16-23: highest pin */
#define REG_PIN(pin) (0x10 + (pin)*2)

#define PIN_ACTIVE_LOW 0x02000
#define PIN_LEVEL      0x08000
#define PIN_MASKED     0x10000

struct ioapic {
	volatile u32 *regs;
	u32 gsi_base, nr_pins;
};

static struct ioapic ioapics[ARRAY_SIZE(boot_info.pc.ioapics)];
static struct spinlock ioapic_lock = {.rank = RANK_IRQ_CHIP};

/* needs: ioapic_lock */
static u32 reg_read(const struct ioapic *a, u32 reg)
{
	a->regs[IOREGSEL / 4] = reg;
	return a->regs[IOWIN / 4];
}

static void reg_write(const struct ioapic *a, u32 reg, u32 v)
{
	a->regs[IOREGSEL / 4] = reg;
	a->regs[IOWIN / 4] = v;
}

static void pin_set(const struct ioapic *a, u32 pin, u64 entry)
{
	unsigned long irq = spin_lock_irqsave(&ioapic_lock);

	/* Masked while the halves do not belong together. */
	reg_write(a, REG_PIN(pin), PIN_MASKED);
	reg_write(a, REG_PIN(pin) + 1, (u32)(entry >> 32));
	reg_write(a, REG_PIN(pin), (u32)entry);
	spin_unlock_irqrestore(&ioapic_lock, irq);
}

static void ioapic_setup(struct ioapic *a, const struct boot_ioapic *b)
{
	a->regs = vmap_mmio(b->base, PAGE_SIZE);
	if (!a->regs) {
		printk("ioapic: no memory to map the one at %#lx\n", b->base);
		return;
	}
	a->gsi_base = b->gsi_base;
	a->nr_pins = (reg_read(a, REG_VERSION) >> 16 & 0xff) + 1;
	for (u32 pin = 0; pin < a->nr_pins; pin++)
		pin_set(a, pin, PIN_MASKED);
	printk("ioapic: interrupts %u-%u at %#lx\n", a->gsi_base, a->gsi_base + a->nr_pins - 1,
	       b->base);
}

/* ioapic_init - see arch/apic.h. */
void ioapic_init(void)
{
	for (u32 i = 0; i < boot_info.pc.nr_ioapics; i++)
		ioapic_setup(&ioapics[i], &boot_info.pc.ioapics[i]);
}

static const struct ioapic *ioapic_of(u32 gsi)
{
	for (unsigned i = 0; i < ARRAY_SIZE(ioapics); i++) {
		const struct ioapic *a = &ioapics[i];

		if (a->regs && gsi >= a->gsi_base && gsi - a->gsi_base < a->nr_pins)
			return a;
	}
	return NULL;
}

/* ioapic_serves, ioapic_route - see arch/apic.h. */
bool ioapic_serves(u32 gsi)
{
	return ioapic_of(gsi) != NULL;
}

void ioapic_route(u32 gsi, u8 vector, u32 apic_id, bool level, bool active_low)
{
	const struct ioapic *a = ioapic_of(gsi);

	pin_set(a, gsi - a->gsi_base,
		(u64)apic_id << 56 | vector | (level ? PIN_LEVEL : 0) |
			(active_low ? PIN_ACTIVE_LOW : 0));
}
