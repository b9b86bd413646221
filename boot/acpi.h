/* SPDX-License-Identifier: MIT */
/*
 * acpi.h - the static ACPI tables, read once at boot. No AML is interpreted.
 *
 * Internal to boot/: acpi.c finds tables and checks them, acpi_madt.c and acpi_fadt.c read the two
 * large ones. A reader gets a table whose length is mapped and whose checksum is right; everything
 * inside it is still to be distrusted.
 */
#pragma once

#include <quire/types.h>

#define ACPI_HEADER_SIZE 36

struct acpi_table {
	const u8 *data; /* the header first */
	u32 length;     /* bytes, at least ACPI_HEADER_SIZE */
};

/* Generic Address Structure, 12 bytes in a table. */
struct acpi_gas {
	u8 space; /* ACPI_SPACE_* */
	u8 bit_width;
	u8 access; /* 0 unspecified, 1 byte, 2 word, 3 double word, 4 quad word */
	u64 address;
};
#define ACPI_SPACE_MEMORY 0
#define ACPI_SPACE_IO     1

/* acpi_rsdp_valid - whether a root pointer with right checksum lies at pa. */
bool acpi_rsdp_valid(paddr_t pa);

/* acpi_read - fill boot_info from the tables that a valid root pointer leads to.
 *  fails: no; a table that is missing or damaged leaves its part of boot_info as it was */
void acpi_read(paddr_t rsdp);

/* acpi_map_table - map a table and check signature, length and checksum.
 *  args:    signature: four characters
 *  returns: false, with a message, when the table cannot be used */
bool acpi_map_table(paddr_t pa, const char *signature, struct acpi_table *table);

/* acpi_gas_at - the address structure at an offset; all zero when the table ends before its end. */
struct acpi_gas acpi_gas_at(const struct acpi_table *table, u32 offset);

/* acpi_isa_gsi - the global interrupt that an ISA interrupt arrives at, by the MADT's overrides. */
u32 acpi_isa_gsi(u8 isa_irq);

void acpi_read_madt(const struct acpi_table *madt);
void acpi_read_fadt(const struct acpi_table *fadt);
