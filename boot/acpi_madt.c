/* SPDX-License-Identifier: MIT */
/*
 * acpi_madt.c - the Multiple APIC Description Table: CPUs and interrupt controllers.
 *
 *      36 local APIC address u32   40 flags u32 (bit 0: 8259s present)
 *      44 entries: type u8, length u8, data; for both architectures
 *
 * An entry that is shorter than its type needs is skipped; one that is shorter than its own header
 * or reaches behind the table ends the walk, for there is no telling where the next one begins.
 * CPUs that firmware calls disabled are not recorded: we cannot plug CPUs.
 *
 * Reference: ACPI specification 6.4, section 5.2.12.
 */
#include "boot/acpi.h"
#include "boot/internal.h"
#include "kernel/printk.h"

#define CPU_ENABLED 1u

static void read_lapic(const u8 *e)
{
	struct boot_cpu cpu = {.acpi_uid = e[2], .hw_id = e[3]};

	if (le32_at(e + 4) & CPU_ENABLED)
		boot_add_cpu(&cpu);
}

static void read_x2apic(const u8 *e)
{
	struct boot_cpu cpu = {.acpi_uid = le32_at(e + 12), .hw_id = le32_at(e + 4)};

	if (le32_at(e + 8) & CPU_ENABLED)
		boot_add_cpu(&cpu);
}

static void read_ioapic(const u8 *e)
{
	struct boot_pc *pc = &boot_info.pc;

	if (pc->nr_ioapics == ARRAY_SIZE(pc->ioapics)) {
		printk("acpi: more than %u I/O APICs, number %u skipped\n", pc->nr_ioapics, e[2]);
		return;
	}
	pc->ioapics[pc->nr_ioapics++] = (struct boot_ioapic){
		.id = e[2], .base = le32_at(e + 4), .gsi_base = le32_at(e + 8)};
}

static void read_override(const u8 *e)
{
	struct boot_pc *pc = &boot_info.pc;
	u16 flags = le16_at(e + 8);

	if (e[3] >= 16 || pc->nr_overrides == ARRAY_SIZE(pc->overrides)) {
		printk("acpi: override of ISA interrupt %u skipped\n", e[3]);
		return;
	}
	/* 0 in either field means "as the bus has it": ISA is edge, active high. */
	pc->overrides[pc->nr_overrides++] = (struct boot_irq_override){
		.isa_irq = e[3],
		.gsi = le32_at(e + 4),
		.active_low = (flags & 3) == 3,
		.level = (flags >> 2 & 3) == 3,
	};
}

/* The pin that carries NMI: usually said once for all CPUs, and where it is not, the same for all. */
static void read_nmi(const u8 *e)
{
	boot_info.pc.nmi_lint = e[5] & 1;
	boot_info.pc.has_nmi_lint = true;
}

static void read_x2apic_nmi(const u8 *e)
{
	boot_info.pc.nmi_lint = e[8] & 1;
	boot_info.pc.has_nmi_lint = true;
}

static void read_lapic_address(const u8 *e)
{
	boot_info.pc.lapic = le64_at(e + 4);
}

static void read_gicc(const u8 *e)
{
	struct boot_cpu cpu = {
		.acpi_uid = le32_at(e + 8), .hw_id = le64_at(e + 68), .gicr = le64_at(e + 60)};

	if (!(le32_at(e + 12) & CPU_ENABLED))
		return;
	boot_add_cpu(&cpu);
	boot_info.arm.gicc = le64_at(e + 32);
}

static void read_gicd(const u8 *e)
{
	boot_info.arm.gicd = le64_at(e + 8);
	boot_info.arm.gic_version = e[20];
}

static void read_gicr(const u8 *e)
{
	boot_add_gicr(le64_at(e + 4), le32_at(e + 12));
}

static const struct {
	u8 type, least;
	void (*read)(const u8 *entry);
} entry_readers[] = {
	{0, 8, read_lapic},        {1, 12, read_ioapic}, {2, 10, read_override},
	{4, 6, read_nmi},          {9, 16, read_x2apic}, {5, 12, read_lapic_address},
	{10, 12, read_x2apic_nmi}, {11, 76, read_gicc},  {12, 24, read_gicd},
	{14, 16, read_gicr},
};

static void read_entry(const u8 *e, u8 length)
{
	for (u32 i = 0; i < ARRAY_SIZE(entry_readers); i++) {
		if (entry_readers[i].type != e[0])
			continue;
		if (length < entry_readers[i].least)
			printk("acpi: MADT entry of type %u has length %u, skipped\n", e[0],
			       length);
		else
			entry_readers[i].read(e);
		return;
	}
}

/* GIC architecture versions that GICD entries of old tables (version 0) leave to the reader. */
static void settle_gic_version(void)
{
	struct boot_arm *arm = &boot_info.arm;

	if (arm->gicd && !arm->gic_version)
		arm->gic_version = arm->nr_gicr || boot_info.cpus[0].gicr ? 3 : 2;
	if (arm->gic_version == 4) /* version 3 with more for virtual machines */
		arm->gic_version = 3;
}

/* acpi_read_madt - see acpi.h. */
void acpi_read_madt(const struct acpi_table *madt)
{
	u32 at = 44;

	if (madt->length < at) {
		printk("acpi: MADT has length %u, skipped\n", madt->length);
		return;
	}
	boot_info.pc.lapic = le32_at(madt->data + 36);
	boot_info.pc.has_8259 = le32_at(madt->data + 40) & 1;
	while (madt->length - at >= 2) {
		const u8 *e = madt->data + at;
		u8 length = e[1];

		if (length < 2 || length > madt->length - at) {
			printk("acpi: MADT entry at %u has length %u, the rest is skipped\n", at,
			       length);
			break;
		}
		read_entry(e, length);
		at += length;
	}
	settle_gic_version();
}
