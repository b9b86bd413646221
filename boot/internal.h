/* SPDX-License-Identifier: MIT */
/*
 * internal.h - shared by the files of boot/ and by nobody else.
 *
 * Firmware tables are byte strings: fields are unaligned as often as not and are written in one
 * fixed byte order, so every field is read through the little helpers below and no struct is ever
 * laid over a table. The rule for all readers is the same: a length is compared with what is known
 * to be mapped *before* the bytes it covers are read.
 */
#pragma once

#include <quire/types.h>
#include "boot/boot_info.h"

static inline u16 le16_at(const u8 *p)
{
	return (u16)(p[0] | p[1] << 8);
}

static inline u32 le32_at(const u8 *p)
{
	return le16_at(p) | (u32)le16_at(p + 2) << 16;
}

static inline u64 le64_at(const u8 *p)
{
	return le32_at(p) | (u64)le32_at(p + 4) << 32;
}

static inline u32 be32_at(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static inline u64 be64_at(const u8 *p)
{
	return (u64)be32_at(p) << 32 | be32_at(p + 4);
}

/* boot_map - arch_early_map for tables.
 *  returns: NULL for address 0, for an empty or wrapping range, and for memory out of reach */
const u8 *boot_map(paddr_t pa, u64 size);

/* boot_set_cmdline - copy the command line, at most `max` bytes, up to the first NUL.
 *  after: always terminated; a longer line is cut and a message says so */
void boot_set_cmdline(const char *line, size_t max);
/* boot_load_cmdline - the same from physical memory, whose mapped extent is not known. */
void boot_load_cmdline(paddr_t pa);

/* boot_add_cpu - append one startable CPU. A second entry with the same hw_id is ignored; more than
 * BOOT_MAX_CPUS are counted and reported by boot_info_finish. */
void boot_add_cpu(const struct boot_cpu *cpu);

/* boot_add_pci - append one ECAM window; a full list and impossible bus ranges are reported. */
void boot_add_pci(paddr_t ecam, u16 segment, u8 bus_first, u8 bus_last);

/* boot_add_gicr - append one region of GIC redistributors; a full list is reported. */
void boot_add_gicr(paddr_t base, u64 size);

/* boot_add_e820 - one entry of a PC memory map (type numbers of the ACPI specification, 15.1). */
void boot_add_e820(paddr_t base, u64 size, u32 type);

/* boot_add_efi - one descriptor of an EFI memory map, after whose BOOT_EFI_DESCRIPTOR bytes firmware may have more. */
#define BOOT_EFI_DESCRIPTOR 40
void boot_add_efi(const u8 *descriptor);

/* boot_map_resolve - turn the ranges added so far into boot_info.ram and forget them.
 *  after: boot_info.ram is sorted, disjoint, page-aligned inwards; holds only memory that some
 *         RAM range covers entirely and no other range touches */
void boot_map_resolve(void);

/* boot_ram_contains - whether one range of boot_info.ram covers [base, base + size). */
bool boot_ram_contains(paddr_t base, u64 size);

/* boot_read_fdt - all that a device tree says, memory only when asked for.
 *  returns: whether it describes a machine, that is, names CPUs; a loader's tree may have only /chosen */
bool boot_read_fdt(paddr_t pa, bool with_memory);

/* boot_read_pc - all that a PC's firmware tables say, with defaults for what they do not.
 *  args:  rsdp: physical address, 0 when the boot protocol did not tell
 *  fails: no; without ACPI: one CPU, I/O APIC and COM1 at their customary places */
void boot_read_pc(paddr_t rsdp);
