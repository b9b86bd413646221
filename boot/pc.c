/* SPDX-License-Identifier: MIT */
/*
 * pc.c - what both PC boot protocols have in common: finding ACPI, and what to assume without it.
 *
 * The defaults are those of every PC since the Multiprocessor Specification: local APICs at
 * 0xfee00000, one I/O APIC at 0xfec00000, the timer's ISA interrupt 0 on its pin 2, the first serial
 * port at 0x3f8 on ISA interrupt 4.
 *
 * Read next: acpi.c.
 */
#include "boot/acpi.h"
#include "boot/internal.h"
#include "kernel/printk.h"
#include "lib/string.h"

#define LAPIC_DEFAULT  0xfee00000
#define IOAPIC_DEFAULT 0xfec00000
#define COM1_PORT      0x3f8
#define COM1_ISA_IRQ   4
#define COM1_CLOCK_HZ  1843200
#define COM1_BAUD      115200

#define KEYBOARD_ISA_IRQ 1

#define BDA_EBDA_SEGMENT 0x40e
#define LOW_MEMORY_END   0xa0000
#define BIOS_ROM_START   0xe0000
#define BIOS_ROM_END     0x100000

static paddr_t rsdp_scan(paddr_t start, u64 size)
{
	const u8 *p = boot_map(start, size);

	for (u64 at = 0; p && at + 16 <= size; at += 16) {
		if (!memcmp(p + at, "RSD PTR ", 8) && acpi_rsdp_valid(start + at))
			return start + at;
	}
	return 0;
}

/* Looks where ACPI 5.2.5.1 tells a BIOS to put it: the first KiB of the EBDA, then the ROM. */
static paddr_t rsdp_search(void)
{
	const u8 *bda = boot_map(BDA_EBDA_SEGMENT, 2);
	paddr_t ebda = bda ? (paddr_t)le16_at(bda) << 4 : 0, found = 0;

	if (ebda >= 0x80000 && ebda <= LOW_MEMORY_END - KIB(1))
		found = rsdp_scan(ebda, KIB(1));
	return found ? found : rsdp_scan(BIOS_ROM_START, BIOS_ROM_END - BIOS_ROM_START);
}

static void default_interrupts(void)
{
	struct boot_pc *pc = &boot_info.pc;

	if (!pc->lapic)
		pc->lapic = LAPIC_DEFAULT;
	if (pc->nr_ioapics)
		return;
	printk("boot: no I/O APIC listed, assuming one at 0x%x\n", IOAPIC_DEFAULT);
	pc->ioapics[0] = (struct boot_ioapic){.base = IOAPIC_DEFAULT};
	pc->nr_ioapics = 1;
	pc->overrides[0] = (struct boot_irq_override){.isa_irq = 0, .gsi = 2};
	pc->nr_overrides = 1;
	pc->has_8259 = true;
}

static void default_console(void)
{
	if (boot_info.console.kind != BOOT_UART_NONE)
		return;
	boot_info.console = (struct boot_uart){
		.kind = BOOT_UART_16550_PIO,
		.base = COM1_PORT,
		.reg_width = 1,
		.clock_hz = COM1_CLOCK_HZ,
		.baud = COM1_BAUD,
		.irq = acpi_isa_gsi(COM1_ISA_IRQ),
	};
}

/* boot_read_pc - see internal.h. */
void boot_read_pc(paddr_t rsdp)
{
	if (!rsdp || !acpi_rsdp_valid(rsdp))
		rsdp = rsdp_search();
	boot_info.rsdp = rsdp;
	if (rsdp)
		acpi_read(rsdp);
	else
		printk("acpi: no tables found\n");
	default_interrupts();
	default_console();
	boot_info.pc.keyboard_irq = acpi_isa_gsi(KEYBOARD_ISA_IRQ);
	/* Page 0 holds the real-mode vectors and firmware's notes; besides, address 0 means "none". */
	boot_reserve(0, PAGE_SIZE);
}
