/* SPDX-License-Identifier: MIT */
/*
 * reference.c - HPET, ACPI PM timer and PIT, as counters. (IA-PC HPET specification 1.0a; ACPI 4.8.3.3;
 * 8254 data sheet.)
 *
 * A counter that firmware describes may not be there or stand still, so each is watched before it is
 * believed.
 */
#include <arch/cpu.h>
#include <arch/io.h>
#include "arch/x86_64/reference.h"
#include "boot/boot_info.h"
#include "kernel/printk.h"
#include "mm/phys/vmalloc.h"

#define HPET_CAPABILITIES  0x000 /* bit 13: 64 bits; upper half: femtoseconds per tick */
#define HPET_CONFIGURATION 0x010
#define HPET_COUNTER       0x0f0
#define HPET_WIDE          0x2000
#define HPET_ENABLE        1
#define HPET_PERIOD_MAX    100000000 /* the specification's limit */
#define FS_PER_SEC         1000000000000000ull

#define PM_TIMER_HZ 3579545
#define PIT_HZ      1193182

#define PIT_CHANNEL2   0x42
#define PIT_COMMAND    0x43
#define PIT_LATCH2     0x80
#define PIT_MODE0_CH2  0xb0 /* channel 2, low byte then high byte, count down once */
#define PORT61         0x61
#define PORT61_GATE2   0x01
#define PORT61_SPEAKER 0x02

static volatile u8 *hpet;

static u64 hpet_read(void)
{
	return *(volatile u64 *)(hpet + HPET_COUNTER);
}

/* Two 32-bit registers may not be read as one. */
static u64 hpet_read32(void)
{
	return *(volatile u32 *)(hpet + HPET_COUNTER);
}

static u64 pm_read(void)
{
	return arch_port_in32((u16)boot_info.pc.pm_timer_port);
}

/* Counts down from 0x10000, again and again. */
static u64 pit_read(void)
{
	u8 low;

	arch_port_out8(PIT_COMMAND, PIT_LATCH2);
	low = arch_port_in8(PIT_CHANNEL2);
	return -(u64)(arch_port_in8(PIT_CHANNEL2) << 8 | low);
}

static struct reference hpet_reference = {
	.name = "HPET",
	.window_ms = 1,
	.is_clock = true,
};
static struct reference pm_reference = {
	.name = "PM timer",
	.read = pm_read,
	.hz = PM_TIMER_HZ,
	.window_ms = 4,
	.is_clock = true,
};
static const struct reference pit_reference = {
	.name = "PIT",
	.read = pit_read,
	.hz = PIT_HZ,
	.mask = 0xffff,
	.window_ms = 10,
};

static bool counts(const struct reference *r)
{
	u64 first = r->read() & r->mask;

	/* Even the slowest changes every microsecond. */
	for (unsigned i = 0; i < 20000; i++) {
		if ((r->read() & r->mask) != first)
			return true;
		cpu_relax();
	}
	printk("clock: %s does not count\n", r->name);
	return false;
}

static bool hpet_setup(void)
{
	u64 capabilities, period;

	if (!boot_info.pc.hpet)
		return false;
	hpet = vmap_mmio(boot_info.pc.hpet, PAGE_SIZE);
	if (!hpet)
		return false;
	capabilities = *(volatile u64 *)(hpet + HPET_CAPABILITIES);
	period = capabilities >> 32;
	if (!period || period > HPET_PERIOD_MAX)
		return false;
	hpet_reference.hz = FS_PER_SEC / period;
	hpet_reference.mask = capabilities & HPET_WIDE ? ~0ul : ~0u;
	hpet_reference.read = capabilities & HPET_WIDE ? hpet_read : hpet_read32;
	*(volatile u64 *)(hpet + HPET_CONFIGURATION) |= HPET_ENABLE;
	return counts(&hpet_reference);
}

static bool pm_setup(void)
{
	if (!boot_info.pc.pm_timer_port)
		return false;
	pm_reference.mask = boot_info.pc.pm_timer_32bit ? ~0u : 0xffffff;
	return counts(&pm_reference);
}

static bool pit_setup(void)
{
	u8 port61 = arch_port_in8(PORT61);

	arch_port_out8(PORT61, (u8)((port61 & ~PORT61_SPEAKER) | PORT61_GATE2));
	arch_port_out8(PIT_COMMAND, PIT_MODE0_CH2);
	arch_port_out8(PIT_CHANNEL2, 0);
	arch_port_out8(PIT_CHANNEL2, 0);
	return counts(&pit_reference);
}

/* reference_find - see reference.h. */
const struct reference *reference_find(void)
{
	if (hpet_setup())
		return &hpet_reference;
	if (pm_setup())
		return &pm_reference;
	return pit_setup() ? &pit_reference : NULL;
}
