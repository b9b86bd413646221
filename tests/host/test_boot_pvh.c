/* SPDX-License-Identifier: MIT */
/* test_boot_pvh.c - the direct-boot handover, sound and damaged. */
#include "tests/host/boot_arena.h"

enum {
	START_INFO = 0x21e0,
	MODULES = 0x21c0 + 0x100,
	CMDLINE = 0x11c0,
	MAP = 0x5a8,
	INITRD = 0x6000000,
};

static u8 *start_info, *modules, *map;

static void map_entry(unsigned i, u64 base, u64 size, u32 type)
{
	put_le64(map + i * 24, base);
	put_le64(map + i * 24 + 8, size);
	put_le32(map + i * 24 + 16, type);
}

/* What QEMU hands over for 128 MiB on q35. */
static void add_qemu(void)
{
	static const char line[] = "console=ttyS0 init=/init";

	start_info = arena_add(START_INFO, 56);
	put_le32(start_info, 0x336ec578);
	put_le32(start_info + 4, 1);
	put_le32(start_info + 12, 1);
	put_le64(start_info + 16, MODULES);
	put_le64(start_info + 24, CMDLINE);
	put_le64(start_info + 40, MAP);
	put_le32(start_info + 48, 6);
	modules = arena_add(MODULES, 32);
	put_le64(modules, INITRD);
	put_le64(modules + 8, 123456);
	memcpy(arena_add(CMDLINE, PAGE_SIZE - CMDLINE % PAGE_SIZE), line, sizeof(line));
	map = arena_add(MAP, 6 * 24);
	map_entry(0, 0, 0x9fc00, 1);
	map_entry(1, 0x9fc00, 0x400, 2);
	map_entry(2, 0xf0000, 0x10000, 2);
	map_entry(3, 0x100000, 0x7edf000, 1);
	map_entry(4, 0x7fdf000, 0x21000, 2);
	map_entry(5, 0xfeffc000, 0x4000, 2);
}

TEST(qemu_handover_is_read)
{
	arena_reset();
	add_qemu();
	ASSERT(!arena_panics(boot_from_pvh, START_INFO));
	arena_check();
	EXPECT_STREQ(boot_info.protocol, "pvh");
	EXPECT_STREQ(boot_info.cmdline, "console=ttyS0 init=/init");
	EXPECT_EQ(boot_info.initrd, INITRD);
	EXPECT_EQ(boot_info.initrd_size, 123456);
	ASSERT_EQ(boot_info.nr_ram, 2);
	EXPECT_EQ(boot_info.ram[0].size, 0x9f000);
	EXPECT_EQ(boot_info.ram[1].base, 0x100000);
	EXPECT_EQ(boot_info.ram[1].size, 0x7edf000);
	ASSERT_EQ(boot_info.nr_reserved, 3); /* page 0, kernel, initramfs */
	EXPECT_EQ(boot_info.reserved[0].size, PAGE_SIZE);
	EXPECT_EQ(boot_info.reserved[1].base, ARENA_KERNEL_BASE);
	EXPECT_EQ(boot_info.reserved[2].base, INITRD);
}

TEST(no_memory_map_is_the_only_panic)
{
	arena_reset();
	EXPECT(arena_panics(boot_from_pvh, START_INFO));
	EXPECT(arena_said("no start info"));
	EXPECT(arena_said("no memory map"));

	arena_reset();
	add_qemu();
	start_info[0] ^= 1;
	EXPECT(arena_panics(boot_from_pvh, START_INFO));
	EXPECT(arena_said("no start info"));

	arena_reset();
	add_qemu();
	put_le32(start_info + 4, 0);
	EXPECT(arena_panics(boot_from_pvh, START_INFO));
	EXPECT(arena_said("without memory map"));
}

TEST(everything_but_the_map_may_be_absent)
{
	arena_reset();
	add_qemu();
	memset(start_info + 12, 0, 24);
	ASSERT(!arena_panics(boot_from_pvh, START_INFO));
	arena_check();
	EXPECT_STREQ(boot_info.cmdline, "");
	EXPECT_EQ(boot_info.initrd_size, 0);

	arena_reset();
	add_qemu();
	put_le64(start_info + 16, 0xdead0000);
	put_le64(start_info + 24, 0xdead0000);
	put_le64(start_info + 32, 0xdead0000);
	ASSERT(!arena_panics(boot_from_pvh, START_INFO));
	arena_check();
	EXPECT(arena_said("module list at 0xdead0000 is out of reach"));
	EXPECT(arena_said("command line at 0xdead0000 is out of reach"));
}

TEST(initramfs_that_is_not_in_memory_is_ignored)
{
	static const struct {
		u64 base, size;
		const char *message;
	} cases[] = {
		{0x7fd0000, 0x20000, "is not in RAM"},
		{INITRD, ~0ull, "is not in RAM"},
		{~0ull, 5, "is not in RAM"},
		{0x9f000, 0x1000, "is not in RAM"},
		{ARENA_KERNEL_BASE - 1, 2, "overlaps the kernel"},
		{ARENA_KERNEL_BASE + ARENA_KERNEL_SIZE - 1, 1, "overlaps the kernel"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		arena_reset();
		add_qemu();
		put_le64(modules, cases[i].base);
		put_le64(modules + 8, cases[i].size);
		ASSERT(!arena_panics(boot_from_pvh, START_INFO));
		arena_check();
		EXPECT_EQ(boot_info.initrd_size, 0);
		EXPECT(arena_said(cases[i].message));
	}
}

TEST(long_command_line_is_cut_and_may_end_anywhere)
{
	for (unsigned len = BOOT_CMDLINE_SIZE - 2; len < BOOT_CMDLINE_SIZE + 3; len++) {
		u8 *text;

		arena_reset();
		add_qemu();
		put_le64(start_info + 24, 0x200000 - 100);
		text = arena_add(0x200000 - 100, 100 + PAGE_SIZE);
		memset(text, 'x', len);
		ASSERT(!arena_panics(boot_from_pvh, START_INFO));
		EXPECT_EQ(strlen(boot_info.cmdline), MIN(len, BOOT_CMDLINE_SIZE - 1u));
		EXPECT_EQ(arena_said("command line cut"), len >= BOOT_CMDLINE_SIZE);
	}
}

TEST(command_line_at_the_last_byte_of_memory)
{
	arena_reset();
	add_qemu();
	put_le64(start_info + 24, 0x201ff0);
	memcpy(arena_add(0x201000, PAGE_SIZE) + 0xff0, "0123456789abcde", 16);
	ASSERT(!arena_panics(boot_from_pvh, START_INFO));
	EXPECT_STREQ(boot_info.cmdline, "0123456789abcde");

	arena_reset();
	add_qemu();
	put_le64(start_info + 24, 0x201ff0);
	memset(arena_add(0x201000, PAGE_SIZE), 'y', PAGE_SIZE); /* unterminated */
	ASSERT(!arena_panics(boot_from_pvh, START_INFO));
	EXPECT_EQ(strlen(boot_info.cmdline), 16);
	EXPECT(arena_said("out of reach"));
}

TEST(map_with_too_many_entries_is_cut)
{
	arena_reset();
	add_qemu();
	put_le32(start_info + 48, 0xffffffff);
	ASSERT(!arena_panics(boot_from_pvh, START_INFO));
	arena_check();
	EXPECT(arena_said("4294967295 memory map entries"));
	EXPECT(arena_said("ends out of reach after 6 entries"));
	EXPECT_EQ(boot_info.nr_ram, 2);
}

TEST(structures_cut_at_any_length_are_read_within_their_bounds)
{
	static const struct {
		paddr_t pa;
		size_t size;
	} parts[] = {{START_INFO, 56}, {MODULES, 32}, {MAP, 6 * 24}, {CMDLINE, 100}};

	for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
		for (size_t size = 0; size < parts[i].size; size++) {
			arena_reset();
			add_qemu();
			arena_cut(parts[i].pa, size);
			if (!arena_panics(boot_from_pvh, START_INFO))
				arena_check();
		}
	}
}

TEST(random_corruption_is_harmless)
{
	for (unsigned round = 0; round < 20000 && !host_test_failed(); round++) {
		arena_reset();
		add_qemu();
		arena_add(0x40e, 2);
		for (u64 n = 1 + rng_below(6); n; n--) {
			switch (rng_below(3)) {
			case 0:
				start_info[4 + rng_below(52)] ^= 1 << rng_below(8);
				break;
			case 1:
				modules[rng_below(32)] ^= 1 << rng_below(8);
				break;
			default:
				map[rng_below(6 * 24)] ^= 1 << rng_below(8);
				break;
			}
		}
		if (!arena_panics(boot_from_pvh, START_INFO))
			arena_check();
	}
}
