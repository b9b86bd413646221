/* SPDX-License-Identifier: MIT */
/* test_boot_mb2.c - GRUB's boot information under BIOS and UEFI, sound and damaged. */
#include "tests/host/boot_arena.h"

#define INFO 0x100740

static u8 image[65536];
static u32 image_size;

/* Appends a tag with `size` bytes of data and returns the place for them. */
static u8 *tag(u32 type, u32 size)
{
	u8 *t = image + image_size;

	put_le32(t, type);
	put_le32(t + 4, 8 + size);
	image_size += ALIGN_UP(8 + size, 8u);
	return t + 8;
}

static void begin(void)
{
	memset(image, 0, sizeof(image));
	image_size = 8;
}

static u8 *finish(void)
{
	u8 *p;

	tag(0, 0);
	put_le32(image, image_size);
	p = arena_add(INFO, image_size);
	memcpy(p, image, image_size);
	return p;
}

static void e820(u8 *p, unsigned i, u64 base, u64 size, u32 type)
{
	put_le64(p + 8 + i * 24, base);
	put_le64(p + 8 + i * 24 + 8, size);
	put_le32(p + 8 + i * 24 + 16, type);
}

static u8 *tag_mmap(void)
{
	u8 *p = tag(6, 8 + 4 * 24);

	put_le32(p, 24);
	e820(p, 0, 0, 0xa0000, 1);
	e820(p, 1, 0x100000, 0x7f00000, 1);
	e820(p, 2, 0x806000, 0x2000, 4);
	e820(p, 3, 0x7f00000, 0x10000, 20); /* GRUB's own number for EFI runtime code */
	return p;
}

static u8 *tag_efi_mmap(void)
{
	static const u32 types[] = {7, 4, 5, 9, 2, 10};
	u8 *p = tag(17, 8 + 6 * 48);

	put_le32(p, 48);
	put_le32(p + 4, 1);
	for (unsigned i = 0; i < 6; i++) {
		put_le32(p + 8 + i * 48, types[i]);
		put_le64(p + 8 + i * 48 + 8, MIB(i + 1));
		put_le64(p + 8 + i * 48 + 24, 256);
	}
	return p;
}

static void tag_string(u32 type, const char *text)
{
	memcpy(tag(type, (u32)strlen(text) + 1), text, strlen(text) + 1);
}

static void tag_module(u32 start, u32 end, const char *name)
{
	u8 *p = tag(3, 8 + (u32)strlen(name) + 1);

	put_le32(p, start);
	put_le32(p + 4, end);
	memcpy(p + 8, name, strlen(name) + 1);
}

static void tag_rsdp(u32 type, u32 rsdt, u64 xsdt)
{
	u8 *p = tag(type, xsdt ? 36 : 20);

	memcpy(p, arena_rsdp(0x90000000, rsdt, xsdt), xsdt ? 36 : 20);
}

/* A boot from GRUB under UEFI: all tags that matter, and some that do not. */
static void add_grub(void)
{
	u8 *basic, hpet[20] = {0};

	put_le64(hpet + 8, 0xfed00000);
	arena_acpi(0x7f20000, "HPET", hpet, sizeof(hpet));
	put_le64(hpet + 8, 0xfed80000);
	arena_acpi(0x7f21000, "HPET", hpet, sizeof(hpet));
	put_le64(hpet, 0x7f20000);
	arena_acpi(0x7f22000, "XSDT", hpet, 8);
	put_le64(hpet, 0x7f21000);
	arena_acpi(0x7f23000, "RSDT", hpet, 4);
	begin();
	tag_string(1, "init=/init \"a b\"");
	tag_string(2, "GRUB 2.06");
	tag_module(0x4000000, 0x4012345, "initramfs.cpio");
	basic = tag(4, 8);
	put_le32(basic, 640);
	put_le32(basic + 4, 64 * 1024);
	tag_rsdp(15, 0x7f23000, 0x7f22000);
	tag_rsdp(14, 0x7f23000, 0);
	tag(9, 100);
	tag_mmap();
	tag_efi_mmap();
	tag(0x1234, 3);
}

TEST(grub_handover_is_read)
{
	arena_reset();
	add_grub();
	finish();
	ASSERT(!arena_panics(boot_from_multiboot2, INFO));
	arena_check();
	EXPECT_STREQ(boot_info.protocol, "multiboot2");
	EXPECT_STREQ(boot_info.cmdline, "init=/init \"a b\"");
	EXPECT_EQ(boot_info.initrd, 0x4000000);
	EXPECT_EQ(boot_info.initrd_size, 0x12345);
	EXPECT_EQ(boot_info.pc.hpet, 0xfed00000); /* through tag 15, not 14 */
	ASSERT_EQ(boot_info.nr_ram, 4);
	EXPECT_EQ(boot_info.ram[0].size, 0xa0000);
	EXPECT_EQ(boot_info.ram[1].size, 0x706000);
	EXPECT_EQ(boot_info.ram[2].base, 0x808000);
	EXPECT_EQ(boot_info.ram[2].size, 0x7f00000 - 0x808000);
	EXPECT_EQ(boot_info.ram[3].base, 0x7f10000); /* behind the unknown type */
}

TEST(efi_map_is_used_without_tag_6)
{
	arena_reset();
	begin();
	tag_efi_mmap();
	finish();
	ASSERT(!arena_panics(boot_from_multiboot2, INFO));
	ASSERT_EQ(boot_info.nr_ram, 2);
	EXPECT_EQ(boot_info.ram[0].base, MIB(1));
	EXPECT_EQ(boot_info.ram[0].size, MIB(2));
	EXPECT_EQ(boot_info.ram[1].base, MIB(5));
	EXPECT_EQ(boot_info.ram[1].size, MIB(1));
}

TEST(basic_memory_is_the_last_resort)
{
	u8 *p;

	arena_reset();
	begin();
	p = tag(4, 8);
	put_le32(p, 640);
	put_le32(p + 4, 65536);
	put_le32(tag(6, 8 + 24), 7); /* impossible entry size */
	finish();
	ASSERT(!arena_panics(boot_from_multiboot2, INFO));
	EXPECT(arena_said("tag 6: entry size 7, skipped"));
	EXPECT(arena_said("no memory map"));
	ASSERT_EQ(boot_info.nr_ram, 2);
	EXPECT_EQ(boot_info.ram[1].size, MIB(64));
}

TEST(no_memory_is_a_panic)
{
	arena_reset();
	begin();
	finish();
	EXPECT(arena_panics(boot_from_multiboot2, INFO));
	arena_reset();
	EXPECT(arena_panics(boot_from_multiboot2, INFO));
	EXPECT(arena_said("no boot information at 0x100740"));
}

TEST(larger_map_entries_are_stepped_over)
{
	u8 *p;

	arena_reset();
	begin();
	p = tag(6, 8 + 2 * 40);
	put_le32(p, 40);
	put_le64(p + 8, MIB(1));
	put_le64(p + 16, MIB(1));
	put_le32(p + 24, 1);
	memset(p + 28, 0xff, 20);
	put_le64(p + 48, MIB(4));
	put_le64(p + 56, MIB(1));
	put_le32(p + 64, 1);
	finish();
	ASSERT(!arena_panics(boot_from_multiboot2, INFO));
	ASSERT_EQ(boot_info.nr_ram, 2);
	EXPECT_EQ(boot_info.ram[1].base, MIB(4));
}

TEST(piece_of_a_map_entry_is_not_an_entry)
{
	u8 *p;

	arena_reset();
	begin();
	p = tag(6, 8 + 24 + 16);
	put_le32(p, 24);
	e820(p, 0, MIB(1), MIB(1), 1);
	put_le64(p + 32, MIB(8));
	put_le64(p + 40, MIB(1));
	tag_string(1, "x"); /* its tag number would make the piece RAM */
	finish();
	ASSERT(!arena_panics(boot_from_multiboot2, INFO));
	EXPECT_EQ(boot_info.nr_ram, 1);
}

TEST(odd_modules_are_reported)
{
	arena_reset();
	begin();
	tag_mmap();
	tag(3, 7);
	tag_module(0x5000, 0x4000, "backwards");
	tag_module(0x4000000, 0x4001000, "first");
	tag_module(0x5000000, 0x5001000, "second");
	finish();
	ASSERT(!arena_panics(boot_from_multiboot2, INFO));
	EXPECT_EQ(boot_info.initrd, 0x4000000);
	EXPECT(arena_said("module from 0x5000 to 0x4000 ignored"));
	EXPECT(arena_said("the one at 0x5000000 is ignored"));
}

TEST(unterminated_command_line_ends_with_its_tag)
{
	arena_reset();
	begin();
	tag_mmap();
	memcpy(tag(1, 5), "hello", 5);
	tag(9, 16);
	finish();
	ASSERT(!arena_panics(boot_from_multiboot2, INFO));
	EXPECT_STREQ(boot_info.cmdline, "hello");
}

TEST(tag_of_impossible_size_ends_the_list)
{
	static const u32 sizes[] = {0, 7, 0x7fffffff, 0xffffffff, 0xfffffff8};

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		u8 *p;

		arena_reset();
		begin();
		tag_mmap();
		p = image + image_size;
		tag_string(1, "unseen");
		put_le32(p + 4, sizes[i]);
		finish();
		ASSERT(!arena_panics(boot_from_multiboot2, INFO));
		arena_check();
		EXPECT(arena_said("the rest is skipped"));
		EXPECT_STREQ(boot_info.cmdline, "");
	}
}

TEST(information_cut_at_any_length_is_read_within_its_bounds)
{
	u32 whole;

	arena_reset();
	add_grub();
	finish();
	whole = image_size;
	for (u32 size = 0; size < whole; size++) {
		u8 *p;

		arena_reset();
		add_grub();
		p = finish();
		if (size >= 4)
			put_le32(p, size);
		arena_cut(INFO, size);
		if (!arena_panics(boot_from_multiboot2, INFO))
			arena_check();
	}
}

TEST(total_size_beyond_memory_is_refused)
{
	static const u32 sizes[] = {0, 7, 0x10000, 0xffffffff};

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		arena_reset();
		add_grub();
		put_le32(finish(), sizes[i]);
		EXPECT(arena_panics(boot_from_multiboot2, INFO));
		EXPECT(arena_said("no boot information"));
	}
}

TEST(random_corruption_is_harmless)
{
	for (unsigned round = 0; round < 20000 && !host_test_failed(); round++) {
		u8 *p;

		arena_reset();
		add_grub();
		p = finish();
		for (u64 n = 1 + rng_below(6); n; n--)
			p[4 + rng_below(image_size - 4)] = (u8)rng();
		if (!arena_panics(boot_from_multiboot2, INFO))
			arena_check();
	}
}

/* --- screens ----------------------------------------------------------------------------------------- */

static u8 *tag_framebuffer(u64 base, u32 width, u32 height, u32 pitch, u8 bits, u8 kind)
{
	static const u8 colours[] = {16, 8, 8, 8, 0, 8};
	u8 *p = tag(8, 30);

	put_le64(p, base);
	put_le32(p + 8, pitch);
	put_le32(p + 12, width);
	put_le32(p + 16, height);
	p[20] = bits;
	p[21] = kind;
	memcpy(p + 24, colours, sizeof(colours));
	return p;
}

static void read_with_screen(void)
{
	tag_mmap();
	finish();
	ASSERT(!arena_panics(boot_from_multiboot2, INFO));
}

TEST(framebuffer_is_read)
{
	arena_reset();
	begin();
	tag_framebuffer(0x80000000, 1366, 768, 5504, 32, 1);
	read_with_screen();
	EXPECT_EQ(boot_info.framebuffer.base, 0x80000000);
	EXPECT_EQ(boot_info.framebuffer.width, 1366);
	EXPECT_EQ(boot_info.framebuffer.pitch, 5504);
	EXPECT_EQ(boot_info.framebuffer.pixel_size, 4);
	EXPECT_EQ(boot_info.framebuffer.red.shift, 16);
	EXPECT_EQ(boot_info.framebuffer.blue.bits, 8);
}

TEST(framebuffer_in_ram_is_no_ram)
{
	arena_reset();
	begin();
	tag_framebuffer(MIB(16) + 100, 100, 10, 400, 32, 1);
	read_with_screen();
	EXPECT_EQ(boot_info.framebuffer.base, MIB(16) + 100);
	for (u32 i = 0; i < boot_info.nr_ram; i++)
		EXPECT(boot_info.ram[i].base + boot_info.ram[i].size <= MIB(16) ||
		       boot_info.ram[i].base > MIB(16));
}

TEST(other_kinds_of_screen_are_left_alone)
{
	static const struct {
		u64 base;
		u32 width, height, pitch;
		u8 bits, kind, red_shift;
	} bad[] = {
		{0xb8000, 80, 25, 160, 16, 2, 16},       /* text */
		{0xa0000, 640, 480, 80, 1, 0, 16},       /* what GRUB says where there is none */
		{0xfd000000, 640, 480, 640, 8, 0, 16},   /* a palette */
		{0xfd000000, 640, 480, 640, 8, 1, 16},   /* too few bits for its colours */
		{0xfd000000, 640, 480, 2559, 32, 1, 16}, /* rows shorter than their pixels */
		{0xfd000000, 0, 480, 2560, 32, 1, 16},
		{0xfd000000, 0xffffffff, 480, 2560, 32, 1, 16},
		{0xfd000000, 640, 480, 2560, 32, 1, 25}, /* red beyond the pixel */
		{0, 640, 480, 2560, 32, 1, 16},
		{~0ull - 100, 640, 480, 2560, 32, 1, 16},
		{0xfd000000, 640, 480, 2560, 255, 1, 16},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		u8 *p;

		arena_reset();
		begin();
		p = tag_framebuffer(bad[i].base, bad[i].width, bad[i].height, bad[i].pitch,
				    bad[i].bits, bad[i].kind);
		p[24] = bad[i].red_shift;
		read_with_screen();
		EXPECT_EQ(boot_info.framebuffer.base, 0);
		EXPECT(arena_said("not used"));
	}
}
