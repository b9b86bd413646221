/* SPDX-License-Identifier: MIT */
/*
 * acpi_fadt.c - the Fixed ACPI Description Table: power off, reset, the PM timer, PSCI.
 *
 * The table grew with every revision and some firmware misstates the revision, so each field counts
 * as present when the table is long enough for it. Blocks given twice, as a 32-bit port and as an
 * address structure, are taken from the structure where that is filled in.
 *
 * Powering off needs two numbers from the _S5_ package in the DSDT, which is byte code. They are
 * found without interpreting it, by the one shape every compiler gives them:
 *
 *      08 [5c] '_' 'S' '5' '_'   Name(\_S5_,
 *      12 <length> <count>       Package() {
 *      00 | 01 | 0a xx | ...       PM1a value, PM1b value, ...
 *
 * Reference: ACPI specification 6.4, sections 5.2.9, 4.8.3.7 (sleep registers), 7.4.2, 20.2.
 */
#include "boot/acpi.h"
#include "boot/internal.h"
#include "kernel/printk.h"
#include "lib/string.h"

#define FADT_DSDT          40
#define FADT_SMI_CMD       48
#define FADT_ACPI_ENABLE   52
#define FADT_PM1A_CNT      64
#define FADT_PM1B_CNT      68
#define FADT_PM_TMR        76
#define FADT_FLAGS         112
#define FADT_V1_SIZE       116
#define FADT_RESET_REG     116
#define FADT_RESET_VALUE   128
#define FADT_ARM_FLAGS     129
#define FADT_X_DSDT        140
#define FADT_X_PM1A_CNT    172
#define FADT_X_PM1B_CNT    184
#define FADT_X_PM_TMR      208
#define FADT_SLEEP_CONTROL 244

#define FLAG_TMR_32BIT  (1u << 8)
#define FLAG_RESET_REG  (1u << 10)
#define FLAG_HW_REDUCED (1u << 20)

#define ARM_PSCI     1u
#define ARM_PSCI_HVC 2u

#define AML_ZERO     0x00
#define AML_ONE      0x01
#define AML_BYTE     0x0a
#define AML_WORD     0x0b
#define AML_DWORD    0x0c
#define AML_PACKAGE  0x12
#define AML_NAME     0x08
#define AML_ROOT     0x5c
#define SLP_TYP_MASK 7

/* A port given as address structure or, failing that, as plain number. 0: none. */
static u32 port_at(const struct acpi_table *t, u32 x_offset, u32 offset)
{
	struct acpi_gas gas = acpi_gas_at(t, x_offset);

	if (gas.address && gas.space == ACPI_SPACE_IO && gas.address <= 0xffff)
		return (u32)gas.address;
	return le32_at(t->data + offset) & 0xffff;
}

/* Reads a small integer at *p and moves behind it. */
static bool aml_integer(const u8 **p, const u8 *end, u8 *value)
{
	static const u8 operand_size[] = {[AML_BYTE] = 1, [AML_WORD] = 2, [AML_DWORD] = 4};
	u8 op, size;

	if (*p == end)
		return false;
	op = *(*p)++;
	*value = op == AML_ONE;
	if (op == AML_ZERO || op == AML_ONE)
		return true;
	size = op < ARRAY_SIZE(operand_size) ? operand_size[op] : 0;
	if (!size || end - *p < size)
		return false;
	*value = **p;
	*p += size;
	return true;
}

/* Reads the package that follows the name: length (its top bits count further bytes), count, values. */
static bool s5_package(const u8 *p, const u8 *end)
{
	struct boot_pc *pc = &boot_info.pc;
	u8 a, b;

	if (end - p < 3 || p[0] != AML_PACKAGE || end - p < 3 + (p[1] >> 6))
		return false;
	p += 2 + (p[1] >> 6);
	u8 count = *p++;

	if (count < 1 || !aml_integer(&p, end, &a))
		return false;
	if (count < 2 || !aml_integer(&p, end, &b))
		b = a;
	pc->slp_typ_a = a & SLP_TYP_MASK;
	pc->slp_typ_b = b & SLP_TYP_MASK;
	return true;
}

static bool s5_find(const struct acpi_table *dsdt)
{
	const u8 *end = dsdt->data + dsdt->length;

	for (const u8 *p = dsdt->data + ACPI_HEADER_SIZE + 1; end - p >= 4; p++) {
		bool named = p[-1] == AML_NAME || (p[-1] == AML_ROOT && p[-2] == AML_NAME);

		if (named && !memcmp(p, "_S5_", 4) && s5_package(p + 4, end))
			return true;
	}
	return false;
}

static void read_power_off(const struct acpi_table *t, bool hw_reduced)
{
	struct boot_pc *pc = &boot_info.pc;
	struct acpi_gas sleep = acpi_gas_at(t, FADT_SLEEP_CONTROL);
	paddr_t dsdt_pa = t->length >= FADT_X_DSDT + 8 ? le64_at(t->data + FADT_X_DSDT) : 0;
	struct acpi_table dsdt;

	if (!dsdt_pa)
		dsdt_pa = le32_at(t->data + FADT_DSDT);
	if (!acpi_map_table(dsdt_pa, "DSDT", &dsdt) || !s5_find(&dsdt)) {
		printk("acpi: no _S5_ package, power-off is not available\n");
		return;
	}
	if (hw_reduced) {
		if (sleep.space == ACPI_SPACE_MEMORY)
			pc->sleep_control = sleep.address;
	} else {
		pc->pm1a_cnt_port = port_at(t, FADT_X_PM1A_CNT, FADT_PM1A_CNT);
		pc->pm1b_cnt_port = port_at(t, FADT_X_PM1B_CNT, FADT_PM1B_CNT);
	}
	pc->has_s5 = pc->pm1a_cnt_port || pc->sleep_control;
}

static void read_reset(const struct acpi_table *t, u32 flags)
{
	struct acpi_gas reset = acpi_gas_at(t, FADT_RESET_REG);
	struct boot_pc *pc = &boot_info.pc;

	if (!(flags & FLAG_RESET_REG) || t->length <= FADT_RESET_VALUE || !reset.address ||
	    reset.space > ACPI_SPACE_IO)
		return;
	pc->has_reset_reg = true;
	pc->reset_space = reset.space;
	pc->reset_addr = reset.address;
	pc->reset_value = t->data[FADT_RESET_VALUE];
}

static void read_psci(const struct acpi_table *t)
{
	u16 flags = t->length >= FADT_ARM_FLAGS + 2 ? le16_at(t->data + FADT_ARM_FLAGS) : 0;

	if (flags & ARM_PSCI)
		boot_info.arm.psci = flags & ARM_PSCI_HVC ? BOOT_PSCI_HVC : BOOT_PSCI_SMC;
}

/* acpi_read_fadt - see acpi.h. */
void acpi_read_fadt(const struct acpi_table *fadt)
{
	struct boot_pc *pc = &boot_info.pc;
	u32 flags;

	if (fadt->length < FADT_V1_SIZE) {
		printk("acpi: FADT has length %u, skipped\n", fadt->length);
		return;
	}
	flags = le32_at(fadt->data + FADT_FLAGS);
	if (!(flags & FLAG_HW_REDUCED)) {
		pc->pm_timer_port = port_at(fadt, FADT_X_PM_TMR, FADT_PM_TMR);
		pc->pm_timer_32bit = flags & FLAG_TMR_32BIT;
		pc->smi_cmd_port = le32_at(fadt->data + FADT_SMI_CMD) & 0xffff;
		pc->acpi_enable = fadt->data[FADT_ACPI_ENABLE];
	}
	read_psci(fadt);
	if (boot_info.arm.psci == BOOT_PSCI_NONE) /* which switches off by itself */
		read_power_off(fadt, flags & FLAG_HW_REDUCED);
	read_reset(fadt, flags);
}
