/* SPDX-License-Identifier: MIT */
/* test_boot_acpi.c - ACPI tables as machines have them, and as no machine should. */
#include "tests/host/boot_arena.h"

#include "boot/acpi.h"
#include "boot/internal.h"

/* Where the test's machine keeps its tables. */
enum {
	RSDP = 0xf5a00,
	RSDT = 0x7fe0000,
	XSDT = 0x7fe1000,
	FADT = 0x7fe2000,
	DSDT = 0x7fe3000,
	MADT = 0x7fe4000,
	HPET = 0x7fe5000,
	MCFG = 0x7fe6000,
	SPCR = 0x7fe7000,
	GTDT = 0x7fe8000,
};

static const paddr_t all_tables[] = {RSDT, FADT, DSDT, MADT, HPET, MCFG, SPCR, GTDT};
static const char *const all_names[] = {"RSDT", "FACP", "DSDT", "APIC",
					"HPET", "MCFG", "SPCR", "GTDT"};
static size_t table_size[ARRAY_SIZE(all_tables)];
static u8 *table_at[ARRAY_SIZE(all_tables)];

static u8 *add_table(unsigned i, const u8 *body, size_t size)
{
	table_size[i] = 36 + size;
	table_at[i] = arena_acpi(all_tables[i], all_names[i], body, size);
	return table_at[i];
}

static void reseal(unsigned i)
{
	acpi_seal(table_at[i], table_size[i], 9);
}

static void add_rsdt(void)
{
	u8 body[8 * 4] = {0};

	for (unsigned i = 1; i < ARRAY_SIZE(all_tables); i++)
		put_le32(body + i * 4, i == 2 ? 0 : all_tables[i]); /* a DSDT is not listed */
	add_table(0, body, sizeof(body));
	arena_rsdp(RSDP, RSDT, 0);
}

/* A MADT body under construction. */
static u8 madt[65536];
static size_t madt_len;

static u8 *madt_entry(u8 type, u8 length)
{
	u8 *e = madt + madt_len;

	memset(e, 0, length);
	e[0] = type;
	e[1] = length;
	madt_len += length;
	return e;
}

static void madt_begin(void)
{
	memset(madt, 0, sizeof(madt));
	put_le32(madt, 0xfee00000);
	put_le32(madt + 4, 1);
	madt_len = 8;
}

static void madt_lapic(u8 uid, u8 id, u32 flags)
{
	u8 *e = madt_entry(0, 8);

	e[2] = uid;
	e[3] = id;
	put_le32(e + 4, flags);
}

static void madt_x2apic(u32 uid, u32 id, u32 flags)
{
	u8 *e = madt_entry(9, 16);

	put_le32(e + 4, id);
	put_le32(e + 8, flags);
	put_le32(e + 12, uid);
}

static void madt_override(u8 isa, u32 gsi, u16 flags)
{
	u8 *e = madt_entry(2, 10);

	e[3] = isa;
	put_le32(e + 4, gsi);
	put_le16(e + 8, flags);
}

static void madt_ioapic(u8 id, u32 address, u32 gsi)
{
	u8 *e = madt_entry(1, 12);

	e[2] = id;
	put_le32(e + 4, address);
	put_le32(e + 8, gsi);
}

static void add_madt_q35(void)
{
	static const u8 level[] = {5, 9, 10, 11};
	u8 *nmi;

	madt_begin();
	for (u8 i = 0; i < 4; i++)
		madt_lapic(i, i, i == 3 ? 0 : 1);
	madt_ioapic(0, 0xfec00000, 0);
	madt_override(0, 2, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(level); i++)
		madt_override(level[i], level[i], 0xd);
	nmi = madt_entry(4, 6);
	nmi[2] = 0xff;
	nmi[5] = 1;
	add_table(3, madt, madt_len);
}

static void put_gas(u8 *p, u8 space, u8 width, u8 access, u64 address)
{
	p[0] = space;
	p[1] = width;
	p[3] = access;
	put_le64(p + 4, address);
}

/* A FADT of `length` bytes with all fields that fit. */
static void add_fadt(size_t length, u32 flags)
{
	u8 t[276] = {0};

	put_le32(t + 40, DSDT);
	put_le32(t + 48, 0xb2);
	t[52] = 2;
	put_le32(t + 64, 0x604);
	put_le32(t + 76, 0x608);
	put_le32(t + 112, flags);
	put_gas(t + 116, 1, 8, 1, 0xcf9);
	t[128] = 0xf;
	put_le64(t + 140, DSDT);
	put_gas(t + 172, 1, 16, 2, 0x1604);
	put_gas(t + 244, 0, 8, 1, 0xfea00200);
	add_table(1, t + 36, length - 36);
}

static void add_dsdt(const u8 *aml, size_t size)
{
	add_table(2, aml, size);
}

static const u8 s5_qemu[] = {0x5b, 0x80, 0x08, '_',  'S', '5',  '_',  0x12, 0x06,
			     0x04, 0x0a, 0x05, 0x01, 0,   0x00, 0x00, 0xa4};

static void add_q35(void)
{
	u8 hpet[20] = {0}, mcfg[8 + 16] = {0}, spcr[44] = {0}, gtdt[36] = {0};

	add_rsdt();
	add_fadt(244, 1 << 10 | 1 << 8);
	add_dsdt(s5_qemu, sizeof(s5_qemu));
	add_madt_q35();
	put_gas(hpet + 4, 0, 0, 0, 0xfed00000);
	add_table(4, hpet, sizeof(hpet));
	put_le64(mcfg + 8, 0xb0000000);
	mcfg[8 + 11] = 255;
	add_table(5, mcfg, sizeof(mcfg));
	put_gas(spcr + 4, 1, 8, 1, 0x2f8);
	spcr[52 - 36] = 1;
	spcr[53 - 36] = 9;
	spcr[58 - 36] = 7;
	add_table(6, spcr, sizeof(spcr));
	put_le32(gtdt + (56 - 36), 30);
	put_le32(gtdt + (64 - 36), 27);
	add_table(7, gtdt, sizeof(gtdt));
}

/* As a protocol reader would run it. */
static void boot(paddr_t rsdp)
{
	boot_info.protocol = "test";
	boot_add_range(MIB(1), MIB(126), BOOT_MEM_RAM);
	boot_read_pc(rsdp);
	boot_info_finish();
}

static void expect_defaults_of_interrupts(void)
{
	EXPECT_EQ(boot_info.nr_cpus, 1);
	EXPECT_EQ(boot_info.pc.lapic, 0xfee00000);
	ASSERT_EQ(boot_info.pc.nr_ioapics, 1);
	EXPECT_EQ(boot_info.pc.ioapics[0].base, 0xfec00000);
	EXPECT_EQ(acpi_isa_gsi(0), 2);
	EXPECT_EQ(acpi_isa_gsi(4), 4);
}

static void expect_q35(void)
{
	const struct boot_pc *pc = &boot_info.pc;

	ASSERT_EQ(boot_info.nr_cpus, 3);
	EXPECT_EQ(boot_info.cpus[2].hw_id, 2);
	EXPECT_EQ(pc->lapic, 0xfee00000);
	EXPECT(pc->has_8259);
	ASSERT_EQ(pc->nr_ioapics, 1);
	EXPECT_EQ(pc->ioapics[0].base, 0xfec00000);
	ASSERT_EQ(pc->nr_overrides, 5);
	EXPECT(!pc->overrides[0].level && !pc->overrides[0].active_low);
	EXPECT(pc->overrides[2].level && !pc->overrides[2].active_low);
	EXPECT(pc->has_nmi_lint && pc->nmi_lint == 1);
	EXPECT_EQ(pc->hpet, 0xfed00000);
	EXPECT_EQ(pc->pm_timer_port, 0x608);
	EXPECT(pc->pm_timer_32bit);
	EXPECT(pc->has_s5);
	EXPECT_EQ(pc->slp_typ_a, 5);
	EXPECT_EQ(pc->slp_typ_b, 1);
	EXPECT_EQ(pc->pm1a_cnt_port, 0x1604); /* the address structure, not the old field */
	EXPECT_EQ(pc->smi_cmd_port, 0xb2);
	EXPECT_EQ(pc->acpi_enable, 2);
	EXPECT(pc->has_reset_reg);
	EXPECT_EQ(pc->reset_addr, 0xcf9);
	EXPECT_EQ(pc->reset_value, 0xf);
	ASSERT_EQ(boot_info.nr_pci, 1);
	EXPECT_EQ(boot_info.pci[0].ecam, 0xb0000000);
	EXPECT_EQ(boot_info.pci[0].bus_last, 255);
	EXPECT_EQ(boot_info.console.kind, BOOT_UART_16550_PIO);
	EXPECT_EQ(boot_info.console.base, 0x2f8);
	EXPECT_EQ(boot_info.console.irq, 9);
	EXPECT_EQ(boot_info.console.baud, 115200);
}

TEST(q35_tables_are_read)
{
	arena_reset();
	add_q35();
	boot(RSDP);
	arena_check();
	expect_q35();
}

TEST(rsdp_in_the_rom_is_found_when_the_protocol_names_none)
{
	u8 *rom;

	arena_reset();
	rom = arena_add(0xe0000, 0x20000);
	add_q35();
	memcpy(rom + 0x100, "RSD PTR decoy with wrong sum", 28);
	memcpy(rom + RSDP - 0xe0000, arena_rsdp(0x500000, RSDT, 0), 20);
	boot(0);
	expect_q35();
	EXPECT_EQ(boot_info.rsdp, RSDP);
}

TEST(rsdp_in_the_ebda_is_found)
{
	arena_reset();
	add_q35();
	put_le16(arena_add(0x40e, 2), 0x9fc0);
	memcpy(arena_add(0x9fc00, 1024) + 1008 - 16, arena_rsdp(0x500000, RSDT, 0), 20);
	boot(0x123); /* a wrong address is no better than none */
	expect_q35();
}

TEST(without_acpi_there_is_one_cpu_com1_and_one_ioapic)
{
	arena_reset();
	arena_boot_hw_id = 7;
	boot(0);
	arena_check();
	EXPECT(arena_said("acpi: no tables found"));
	expect_defaults_of_interrupts();
	EXPECT_EQ(boot_info.cpus[0].hw_id, 7);
	EXPECT_EQ(boot_info.console.kind, BOOT_UART_16550_PIO);
	EXPECT_EQ(boot_info.console.base, 0x3f8);
	EXPECT_EQ(boot_info.console.irq, 4);
	EXPECT(!boot_info.pc.has_s5 && !boot_info.pc.hpet);
}

TEST(xsdt_is_preferred_and_rsdt_is_the_fallback)
{
	u8 body[8];

	for (int damage = 0; damage < 3; damage++) {
		u8 *xsdt, *rsdp;

		arena_reset();
		add_q35();
		put_le64(body, HPET);
		xsdt = arena_acpi(XSDT, "XSDT", body, sizeof(body));
		rsdp = arena_rsdp(RSDP, RSDT, XSDT);
		if (damage == 1)
			xsdt[40]++;
		if (damage == 2)
			rsdp[33]++; /* in the extended part only */
		boot(RSDP);
		EXPECT_EQ(boot_info.pc.hpet, 0xfed00000);
		EXPECT_EQ(boot_info.nr_cpus, damage ? 3 : 1); /* the XSDT lists no MADT */
		if (damage == 1)
			EXPECT(arena_said("XSDT has a wrong checksum"));
		if (damage == 2)
			EXPECT(arena_said("root pointer is damaged"));
	}
}

TEST(fadt_of_revision_1_has_no_reset_register)
{
	arena_reset();
	add_q35();
	add_fadt(116, 1 << 10); /* the flag lies: the register is behind the table's end */
	boot(RSDP);
	EXPECT(!boot_info.pc.has_reset_reg);
	EXPECT_EQ(boot_info.pc.pm1a_cnt_port, 0x604);
	EXPECT(boot_info.pc.has_s5);
	EXPECT_EQ(boot_info.pc.slp_typ_a, 5);
}

TEST(hardware_reduced_machine_sleeps_by_a_memory_register)
{
	arena_reset();
	add_q35();
	add_fadt(268, 1 << 20 | 1 << 10);
	boot(RSDP);
	EXPECT(boot_info.pc.has_s5);
	EXPECT_EQ(boot_info.pc.sleep_control, 0xfea00200);
	EXPECT_EQ(boot_info.pc.pm1a_cnt_port, 0);
	EXPECT_EQ(boot_info.pc.pm_timer_port, 0);
}

TEST(s5_encodings)
{
	static const struct {
		u8 aml[16];
		size_t size;
		bool found;
		u8 a, b;
	} cases[] = {
		{{8, '_', 'S', '5', '_', 0x12, 6, 4, 0, 0, 0, 0}, 12, true, 0, 0},
		{{8, 0x5c, '_', 'S', '5', '_', 0x12, 8, 4, 0xa, 7, 0xa, 6, 0, 0}, 15, true, 7, 6},
		{{8, '_', 'S', '5', '_', 0x12, 0x40, 0, 2, 1, 0xb, 3, 0}, 13, true, 1, 3},
		{{8, '_', 'S', '5', '_', 0x12, 4, 1, 0xc, 2, 0, 0, 0}, 13, true, 2, 2},
		{{8, '_', 'S', '5', '_', 0x12, 4, 0, 0, 0}, 10, false, 0, 0},
		{{0x10, '_', 'S', '5', '_', 0x12, 6, 4, 0, 0, 0, 0}, 12, false, 0, 0},
		{{8, '_', 'S', '5', '_', 0x14, 6, 4, 0, 0, 0, 0}, 12, false, 0, 0},
		{{8, '_', 'S', '5', '_', 0x12, 6, 4, 0x70, 0, 0, 0}, 12, false, 0, 0},
		{{8, '_', 'S', '5', '_'}, 5, false, 0, 0},
		{{8, '_', 'S', '5', '_', 0x12, 0xc0, 0}, 8, false, 0, 0},
		{{8, '_', 'S', '5', '_', 0x12, 3, 1}, 8, false, 0, 0},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		arena_reset();
		add_q35();
		add_dsdt(cases[i].aml, cases[i].size);
		boot(RSDP);
		EXPECT_EQ(boot_info.pc.has_s5, cases[i].found);
		if (cases[i].found) {
			EXPECT_EQ(boot_info.pc.slp_typ_a, cases[i].a);
			EXPECT_EQ(boot_info.pc.slp_typ_b, cases[i].b);
		} else {
			EXPECT(arena_said("no _S5_ package"));
		}
	}
}

TEST(arm_tables_are_read)
{
	u8 spcr[44] = {0}, *e;

	arena_reset();
	arena_boot_hw_id = 0x80000100; /* affinity, as the MADT has it */
	add_q35();
	madt_begin();
	for (unsigned i = 0; i < 2; i++) {
		e = madt_entry(11, 80);
		put_le32(e + 8, i);
		put_le32(e + 12, 1);
		put_le64(e + 32, 0x8010000);
		put_le64(e + 60, 0x80a0000 + i * 0x20000);
		put_le64(e + 68, 0x80000000 + i * 0x100);
	}
	e = madt_entry(12, 24);
	put_le64(e + 8, 0x8000000);
	e = madt_entry(14, 16);
	put_le64(e + 4, 0x80a0000);
	put_le32(e + 12, 0xf60000);
	add_table(3, madt, madt_len);
	spcr[0] = 3;
	put_gas(spcr + 4, 0, 32, 3, 0x9000000);
	spcr[52 - 36] = 8;
	put_le32(spcr + (54 - 36), 33);
	add_table(6, spcr, sizeof(spcr));
	put_le16(table_at[1] + 129, 3);
	reseal(1);
	boot(RSDP);
	arena_check();
	ASSERT_EQ(boot_info.nr_cpus, 2);
	EXPECT_EQ(boot_info.cpus[0].gicr, 0x80c0000); /* the boot CPU came second */
	EXPECT_EQ(boot_info.cpus[1].hw_id, 0x80000000);
	EXPECT_EQ(boot_info.arm.gicd, 0x8000000);
	EXPECT_EQ(boot_info.arm.gicc, 0x8010000);
	EXPECT_EQ(boot_info.arm.gic_version, 3);
	ASSERT_EQ(boot_info.arm.nr_gicr, 1);
	EXPECT_EQ(boot_info.arm.gicr[0].size, 0xf60000);
	EXPECT_EQ(boot_info.arm.psci, BOOT_PSCI_HVC);
	EXPECT_EQ(boot_info.arm.timer_phys_intid, 30);
	EXPECT_EQ(boot_info.arm.timer_virt_intid, 27);
	EXPECT_EQ(boot_info.console.kind, BOOT_UART_PL011);
	EXPECT_EQ(boot_info.console.irq, 33);
}

TEST(table_with_wrong_checksum_is_named_and_skipped)
{
	for (unsigned i = 0; i < ARRAY_SIZE(all_tables); i++) {
		char expected[64];

		arena_reset();
		add_q35();
		table_at[i][table_size[i] - 1] ^= 0x40;
		boot(RSDP);
		arena_check();
		snprintf(expected, sizeof(expected), "%s has a wrong checksum, skipped",
			 all_names[i]);
		EXPECT(arena_said(expected));
		if (i == 0)
			EXPECT(arena_said("ACPI is not used"));
		if (i == 0 || i == 3)
			expect_defaults_of_interrupts();
		EXPECT_EQ(boot_info.pc.hpet != 0, i != 0 && i != 4);
	}
}

TEST(impossible_lengths_are_named_and_skipped)
{
	static const u32 lengths[] = {0, 1, 35, MIB(4) + 1, 0x80000000, 0xffffffff};

	for (unsigned i = 0; i < ARRAY_SIZE(all_tables); i++) {
		for (unsigned l = 0; l < ARRAY_SIZE(lengths); l++) {
			char expected[64];

			arena_reset();
			add_q35();
			put_le32(table_at[i] + 4, lengths[l]);
			boot(RSDP);
			arena_check();
			snprintf(expected, sizeof(expected), "%s has length %u, skipped",
				 all_names[i], lengths[l]);
			EXPECT(arena_said(expected));
		}
	}
}

TEST(table_reaching_into_absent_memory_is_skipped)
{
	for (unsigned i = 0; i < ARRAY_SIZE(all_tables); i++) {
		for (size_t size = 0; size < table_size[i] || !size; size++) {
			arena_reset();
			add_q35();
			arena_cut(all_tables[i], size);
			boot(RSDP);
			arena_check();
			if (i == 0 || i == 3)
				expect_defaults_of_interrupts();
			EXPECT(arena_said("skipped") || size < 4);
		}
	}
}

TEST(table_shortened_to_any_length_is_read_within_its_bounds)
{
	for (unsigned i = 0; i < ARRAY_SIZE(all_tables); i++) {
		for (size_t size = 36; size < table_size[i] || size == 36; size++) {
			arena_reset();
			add_q35();
			put_le32(table_at[i] + 4, size);
			acpi_seal(table_at[i], size, 9);
			arena_cut(all_tables[i], size);
			boot(RSDP);
			arena_check();
		}
	}
}

TEST(rsdp_shortened_to_any_length_is_read_within_its_bounds)
{
	for (size_t size = 0; size < 36; size++) {
		arena_reset();
		add_q35();
		arena_rsdp(RSDP, RSDT, RSDT);
		arena_cut(RSDP, size);
		boot(RSDP);
		arena_check();
	}
}

TEST(madt_entries_of_every_type_and_length)
{
	for (unsigned type = 0; type < 32; type++) {
		for (unsigned length = 0; length < 100; length++) {
			arena_reset();
			add_q35();
			madt_begin();
			madt_lapic(0, 0, 1);
			if (length >= 2)
				memset(madt_entry((u8)type, (u8)length) + 2, 0xff, length - 2);
			else
				madt_entry((u8)type, 2)[1] = (u8)length;
			madt_lapic(1, 1, 1);
			add_table(3, madt, madt_len);
			boot(RSDP);
			arena_check();
			if (length < 2) {
				EXPECT(arena_said("the rest is skipped"));
				EXPECT_EQ(boot_info.nr_cpus, 1);
			} else {
				EXPECT(boot_info.nr_cpus >= 2);
			}
		}
	}
}

TEST(overlong_lists_are_cut_with_a_message)
{
	u8 mcfg[8 + 16 * 10] = {0};

	arena_reset();
	arena_boot_hw_id = 299; /* listed too late to fit */
	add_q35();
	madt_begin();
	for (u32 i = 0; i < 300; i++)
		madt_x2apic(i, i, 1);
	for (u8 i = 0; i < 20; i++)
		madt_ioapic(i, 0xfec00000 + i * 0x1000, i * 24);
	for (unsigned i = 0; i < 40; i++)
		madt_override((u8)i, i, 0);
	add_table(3, madt, madt_len);
	for (unsigned i = 0; i < 10; i++) {
		put_le64(mcfg + 8 + i * 16, 0xb0000000 + i * MIB(256));
		put_le16(mcfg + 8 + i * 16 + 8, i);
		mcfg[8 + i * 16 + 11] = 255;
	}
	add_table(5, mcfg, sizeof(mcfg));
	boot(RSDP);
	arena_check();
	EXPECT_EQ(boot_info.nr_cpus, 256);
	EXPECT_EQ(boot_info.cpus[0].acpi_uid, 299);
	EXPECT_EQ(boot_info.pc.nr_ioapics, 8);
	EXPECT_EQ(boot_info.pc.nr_overrides, 16);
	EXPECT_EQ(boot_info.nr_pci, 4);
	EXPECT(arena_said("only 256 CPUs"));
	EXPECT(arena_said("more than 8 I/O APICs"));
	EXPECT(arena_said("override of ISA interrupt 16 skipped"));
	EXPECT(arena_said("more than 4 windows"));
}

TEST(cpu_listed_twice_counts_once)
{
	arena_reset();
	add_q35();
	madt_begin();
	for (u8 i = 0; i < 3; i++) {
		madt_lapic(i, i, 1);
		madt_x2apic(i, i, 1);
	}
	add_table(3, madt, madt_len);
	boot(RSDP);
	arena_check();
	EXPECT_EQ(boot_info.nr_cpus, 3);
}

TEST(unlisted_boot_cpu_comes_first)
{
	arena_reset();
	arena_boot_hw_id = 42;
	add_q35();
	boot(RSDP);
	arena_check();
	EXPECT_EQ(boot_info.nr_cpus, 4);
	EXPECT_EQ(boot_info.cpus[1].hw_id, 0);
	EXPECT(arena_said("does not list the boot CPU"));
}

TEST(list_that_names_itself_or_one_table_twice_does_no_harm)
{
	u8 body[600 * 4];

	arena_reset();
	add_q35();
	for (unsigned i = 0; i < 600; i++)
		put_le32(body + i * 4, i % 3 ? MADT : RSDT);
	add_table(0, body, sizeof(body));
	boot(RSDP);
	arena_check();
	EXPECT_EQ(boot_info.nr_cpus, 3);
	EXPECT_EQ(boot_info.pc.nr_ioapics, 1);
}

TEST(second_sound_table_stands_in_for_a_damaged_first)
{
	u8 body[8];

	arena_reset();
	add_q35();
	put_le32(body, 0x8000000);
	put_le32(body + 4, MADT);
	arena_acpi(0x8000000, "APIC", madt, madt_len)[20]++;
	add_table(0, body, sizeof(body));
	boot(RSDP);
	EXPECT(arena_said("APIC has a wrong checksum"));
	EXPECT_EQ(boot_info.nr_cpus, 3);
}

/* Corrupts one table in a few places and makes its checksum right again, so that the damage gets
 * past the first check. */
TEST(random_corruption_behind_a_right_checksum_is_harmless)
{
	for (unsigned round = 0; round < 20000 && !host_test_failed(); round++) {
		unsigned i = (unsigned)rng_below(ARRAY_SIZE(all_tables));

		arena_reset();
		add_q35();
		if (rng_one_in(3))
			add_fadt(268, (u32)rng());
		for (u64 n = 1 + rng_below(8); n; n--) {
			size_t at = 36 + rng_below(table_size[i] - 36);

			table_at[i][at] =
				rng_one_in(2) ? (u8)rng() : table_at[i][at] ^ 1 << rng_below(8);
		}
		reseal(i);
		boot(RSDP);
		arena_check();
	}
}

TEST(random_corruption_anywhere_is_harmless)
{
	for (unsigned round = 0; round < 5000 && !host_test_failed(); round++) {
		u8 *rsdp;

		arena_reset();
		add_q35();
		rsdp = arena_rsdp(RSDP, RSDT, rng_one_in(2) ? RSDT : 0);
		for (u64 n = 1 + rng_below(20); n; n--) {
			unsigned i = (unsigned)rng_below(ARRAY_SIZE(all_tables));

			table_at[i][rng_below(table_size[i])] ^= 1 << rng_below(8);
		}
		if (rng_one_in(3))
			rsdp[rng_below(20)] ^= 1 << rng_below(8);
		boot(RSDP);
		arena_check();
	}
}
