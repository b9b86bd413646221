/* SPDX-License-Identifier: MIT */
/*
 * acpi.c - finding and checking ACPI tables, and the small ones: MCFG, HPET, SPCR, GTDT.
 *
 *      RSDP --+-- (revision 2) XSDT: 64-bit addresses --+
 *             +-- RSDT: 32-bit addresses ---------------+--> tables, each with a 36 byte header:
 *                  0 signature  4 length  8 revision  9 checksum ... (all bytes add up to 0)
 *
 * Tables are looked up by signature, first sound one first, so that the order in which they are
 * listed does not matter and a list that names a table twice, or itself, does no harm.
 *
 * Reference: ACPI specification 6.4, chapter 5; PCI Firmware 3.2 (MCFG); IA-PC HPET 1.0a; Serial
 * Port Console Redirection Table 1.07.
 *
 * Read next: acpi_madt.c, acpi_fadt.c.
 */
#include "boot/acpi.h"
#include "boot/internal.h"
#include "kernel/printk.h"
#include "lib/string.h"

#define RSDP_V1_SIZE   20
#define RSDP_V2_SIZE   36
#define RSDP_MAX_SIZE  4096
#define TABLE_MAX_SIZE MIB(4) /* the largest DSDTs have a few hundred KiB */
#define ROOT_MAX_ENTRY 512

/* The table of tables, and how wide its addresses are. */
static struct acpi_table root;
static u32 root_entry_size;

static bool sum_is_zero(const u8 *p, u32 length)
{
	u8 sum = 0;

	for (u32 i = 0; i < length; i++)
		sum = (u8)(sum + p[i]);
	return sum == 0;
}

/* acpi_rsdp_valid - see acpi.h. */
bool acpi_rsdp_valid(paddr_t pa)
{
	const u8 *p = boot_map(pa, RSDP_V1_SIZE);

	return p && !memcmp(p, "RSD PTR ", 8) && sum_is_zero(p, RSDP_V1_SIZE);
}

/* acpi_map_table - see acpi.h. */
bool acpi_map_table(paddr_t pa, const char *signature, struct acpi_table *table)
{
	const u8 *p = boot_map(pa, ACPI_HEADER_SIZE);

	if (!p || memcmp(p, signature, 4)) {
		printk("acpi: no %s at 0x%lx, skipped\n", signature, pa);
		return false;
	}
	table->length = le32_at(p + 4);
	if (table->length < ACPI_HEADER_SIZE || table->length > TABLE_MAX_SIZE) {
		printk("acpi: %s has length %u, skipped\n", signature, table->length);
		return false;
	}
	table->data = boot_map(pa, table->length);
	if (!table->data) {
		printk("acpi: %s at 0x%lx, %u bytes, is out of reach, skipped\n", signature, pa,
		       table->length);
		return false;
	}
	if (!sum_is_zero(table->data, table->length)) {
		printk("acpi: %s has a wrong checksum, skipped\n", signature);
		return false;
	}
	return true;
}

/* acpi_gas_at - see acpi.h. */
struct acpi_gas acpi_gas_at(const struct acpi_table *table, u32 offset)
{
	const u8 *p = table->data + offset;

	if (offset > table->length || table->length - offset < 12)
		return (struct acpi_gas){0};
	return (struct acpi_gas){
		.space = p[0], .bit_width = p[1], .access = p[3], .address = le64_at(p + 4)};
}

/* acpi_isa_gsi - see acpi.h. */
u32 acpi_isa_gsi(u8 isa_irq)
{
	for (u32 i = 0; i < boot_info.pc.nr_overrides; i++) {
		if (boot_info.pc.overrides[i].isa_irq == isa_irq)
			return boot_info.pc.overrides[i].gsi;
	}
	return isa_irq;
}

static paddr_t root_entry(u32 i)
{
	const u8 *p = root.data + ACPI_HEADER_SIZE + i * root_entry_size;

	return root_entry_size == 8 ? le64_at(p) : le32_at(p);
}

/* Finds the first sound table with this signature. */
static bool table_find(const char *signature, struct acpi_table *table)
{
	u32 count = MIN((root.length - ACPI_HEADER_SIZE) / root_entry_size, ROOT_MAX_ENTRY);

	for (u32 i = 0; i < count; i++) {
		paddr_t pa = root_entry(i);
		const u8 *p = boot_map(pa, 4);

		if (p && !memcmp(p, signature, 4) && acpi_map_table(pa, signature, table))
			return true;
	}
	return false;
}

static bool root_open_xsdt(paddr_t rsdp)
{
	const u8 *p = boot_map(rsdp, RSDP_V2_SIZE);
	u32 length = p ? le32_at(p + 20) : 0;

	if (length < RSDP_V2_SIZE || length > RSDP_MAX_SIZE || !boot_map(rsdp, length) ||
	    !sum_is_zero(p, length)) {
		printk("acpi: extended root pointer is damaged, using the old one\n");
		return false;
	}
	root_entry_size = 8;
	return le64_at(p + 24) && acpi_map_table(le64_at(p + 24), "XSDT", &root);
}

/* Opens the XSDT, or the RSDT where there is no sound XSDT. */
static bool root_open(paddr_t rsdp)
{
	const u8 *p = boot_map(rsdp, RSDP_V1_SIZE);

	if (p && p[15] >= 2 && root_open_xsdt(rsdp))
		return true;
	root_entry_size = 4;
	return p && acpi_map_table(le32_at(p + 16), "RSDT", &root);
}

/* MCFG: 44 bytes, then 16 per window: 0 address  8 segment u16  10 first bus  11 last bus */
static void read_mcfg(const struct acpi_table *t)
{
	for (u32 at = 44; at + 16 <= t->length; at += 16) {
		const u8 *e = t->data + at;

		boot_add_pci(le64_at(e), le16_at(e + 8), e[10], e[11]);
	}
}

static void read_hpet(const struct acpi_table *t)
{
	struct acpi_gas gas = acpi_gas_at(t, 40);

	if (gas.space != ACPI_SPACE_MEMORY || !gas.address)
		printk("acpi: HPET table names no memory address, skipped\n");
	else
		boot_info.pc.hpet = gas.address;
}

static u32 spcr_irq(const u8 *p)
{
	if (p[52] & (1 << 3 | 1 << 1)) /* GIC; I/O APIC */
		return le32_at(p + 54);
	return p[52] & 1 ? acpi_isa_gsi(p[53]) : BOOT_NO_IRQ;
}

static u32 spcr_baud(u8 code)
{
	switch (code) {
	case 3:
		return 9600;
	case 4:
		return 19200;
	case 6:
		return 57600;
	case 7:
		return 115200;
	default: /* 0: as the firmware left it */
		return 0;
	}
}

/* SPCR: 36 interface type  40 address  52 interrupt type  53 ISA irq  54 GSI  58 baud rate */
static void read_spcr(const struct acpi_table *t)
{
	struct acpi_gas gas = acpi_gas_at(t, 40);
	struct boot_uart uart = {.base = gas.address, .reg_width = 1};
	bool wide = gas.access == 3 || (gas.access == 0 && gas.bit_width == 32);

	if (t->length < 80 || !gas.address) {
		printk("acpi: SPCR names no console\n");
		return;
	}
	switch (t->data[36]) {
	case 0x00: /* 16550 */
	case 0x01: /* 16450 */
	case 0x12: /* 16550 as the address structure says */
		uart.kind = gas.space == ACPI_SPACE_IO ? BOOT_UART_16550_PIO : BOOT_UART_16550_MMIO;
		break;
	case 0x03: /* PL011 */
	case 0x0d: /* SBSA generic UART, a subset of it */
	case 0x0e:
		uart.kind = BOOT_UART_PL011;
		wide = true;
		break;
	default:
		printk("acpi: SPCR: interface type 0x%x is not supported\n", t->data[36]);
		return;
	}
	if (wide && uart.kind != BOOT_UART_16550_PIO) {
		uart.reg_shift = 2;
		uart.reg_width = 4;
	}
	uart.irq = spcr_irq(t->data);
	uart.baud = spcr_baud(t->data[58]);
	if (uart.kind == BOOT_UART_16550_PIO)
		uart.clock_hz = 1843200; /* the PC's, whatever drives it */
	boot_info.console = uart;
}

/* GTDT: 56 EL1 physical timer's interrupt, 64 virtual timer's */
static void read_gtdt(const struct acpi_table *t)
{
	if (t->length < 72) {
		printk("acpi: GTDT has length %u, skipped\n", t->length);
		return;
	}
	boot_info.arm.timer_phys_intid = le32_at(t->data + 56);
	boot_info.arm.timer_virt_intid = le32_at(t->data + 64);
}

/* acpi_read - see acpi.h.
 * MADT before SPCR: an ISA interrupt number is translated by the MADT's overrides. */
void acpi_read(paddr_t rsdp)
{
	static const struct {
		char signature[5];
		void (*read)(const struct acpi_table *);
	} readers[] = {
		{"APIC", acpi_read_madt}, {"FACP", acpi_read_fadt}, {"MCFG", read_mcfg},
		{"HPET", read_hpet},      {"SPCR", read_spcr},      {"GTDT", read_gtdt},
	};
	struct acpi_table table;

	if (!root_open(rsdp)) {
		printk("acpi: no sound table list, ACPI is not used\n");
		return;
	}
	for (u32 i = 0; i < ARRAY_SIZE(readers); i++) {
		if (table_find(readers[i].signature, &table))
			readers[i].read(&table);
	}
}
