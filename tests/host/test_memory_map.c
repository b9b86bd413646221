/* SPDX-License-Identifier: MIT */
/* test_memory_map.c - firmware ranges become exactly the pages that a flat model allows. */
#include "tests/host/boot_arena.h"

#include "boot/internal.h"

/* A small world in granules of 256 bytes, so that ranges begin and end inside pages. */
#define GRANULE     256
#define GRANULES    8192
#define PER_PAGE    (PAGE_SIZE / GRANULE)
#define WORLD_PAGES (GRANULES / PER_PAGE)

static u8 model_ram[GRANULES], model_taken[GRANULES], model_reserved[GRANULES];

static void model_reset(void)
{
	memset(model_ram, 0, sizeof(model_ram));
	memset(model_taken, 0, sizeof(model_taken));
	memset(model_reserved, 0, sizeof(model_reserved));
}

static bool model_page_usable(u64 page)
{
	for (u64 g = page * PER_PAGE; g < (page + 1) * PER_PAGE; g++) {
		if (!model_ram[g] || model_taken[g])
			return false;
	}
	return true;
}

static bool page_usable(u64 page)
{
	return boot_ram_contains(page * PAGE_SIZE, PAGE_SIZE);
}

static bool granule_reserved(u64 g)
{
	for (u32 i = 0; i < boot_info.nr_reserved; i++) {
		const struct boot_range *r = &boot_info.reserved[i];

		if (g * GRANULE >= r->base && g * GRANULE < r->base + r->size)
			return true;
	}
	return false;
}

static void add_random(u64 largest)
{
	u64 first = rng_below(GRANULES), n = rng_below(MIN(GRANULES - first, largest) + 1);

	switch (rng_below(4)) {
	case 0:
		boot_add_range(first * GRANULE, n * GRANULE, 1 + rng_below(3));
		memset(model_taken + first, 1, n);
		break;
	case 1:
		boot_reserve(first * GRANULE, n * GRANULE);
		memset(model_reserved + first, 1, n);
		break;
	default:
		boot_add_range(first * GRANULE, n * GRANULE, BOOT_MEM_RAM);
		memset(model_ram + first, 1, n);
		break;
	}
}

static void check_order(void)
{
	for (u32 i = 0; i < boot_info.nr_ram; i++) {
		EXPECT(boot_info.ram[i].kind == BOOT_MEM_RAM && boot_info.ram[i].size > 0);
		EXPECT(!i || boot_info.ram[i - 1].base + boot_info.ram[i - 1].size <=
				     boot_info.ram[i].base);
	}
	for (u32 i = 1; i < boot_info.nr_reserved; i++)
		EXPECT(boot_info.reserved[i - 1].base + boot_info.reserved[i - 1].size <
		       boot_info.reserved[i].base);
}

TEST(random_ranges_equal_a_flat_model)
{
	for (unsigned round = 0; round < 3000 && !host_test_failed(); round++) {
		unsigned n = (unsigned)rng_below(60);

		arena_reset();
		model_reset();
		while (n--)
			add_random(rng_one_in(2) ? 100 : 2000);
		boot_map_resolve();
		check_order();
		for (u64 p = 0; p < WORLD_PAGES; p++)
			EXPECT_EQ(page_usable(p), model_page_usable(p));
		for (u64 g = 0; g < GRANULES; g++)
			EXPECT_EQ(granule_reserved(g), model_reserved[g]);
	}
}

TEST(full_lists_lose_memory_but_never_give_away_taken_memory)
{
	for (unsigned round = 0; round < 500 && !host_test_failed(); round++) {
		arena_reset();
		model_reset();
		for (unsigned i = 0; i < 2000; i++)
			add_random(4);
		boot_map_resolve();
		check_order();
		for (u64 p = 0; p < WORLD_PAGES; p++)
			EXPECT(!page_usable(p) || model_page_usable(p));
		for (u64 g = 0; g < GRANULES; g++)
			EXPECT(granule_reserved(g) || !model_reserved[g]);
	}
}

TEST(full_lists_are_reported_once)
{
	arena_reset();
	for (u64 i = 0; i < BOOT_MAX_RESERVED; i++)
		boot_reserve(i * 2 * PAGE_SIZE, PAGE_SIZE);
	EXPECT(!arena_said("reserved ranges"));
	boot_reserve(MIB(64), PAGE_SIZE);
	EXPECT(arena_said("more than 64 reserved ranges"));
	EXPECT_EQ(boot_info.nr_reserved, BOOT_MAX_RESERVED);
	for (u64 i = 0; i < BOOT_MAX_RANGES; i++)
		boot_add_range(i * 2 * PAGE_SIZE, PAGE_SIZE, BOOT_MEM_RAM);
	EXPECT(!arena_said("RAM ranges"));
	boot_add_range(MIB(64), PAGE_SIZE, BOOT_MEM_RAM);
	EXPECT(arena_said("more than 128 RAM ranges"));
}

TEST(closest_neighbours_are_joined_first)
{
	arena_reset();
	for (u64 i = 0; i < BOOT_MAX_RESERVED; i++)
		boot_reserve(i * MIB(1), i == 20 ? MIB(1) - 1 : PAGE_SIZE);
	boot_reserve(MIB(100), PAGE_SIZE);
	ASSERT_EQ(boot_info.nr_reserved, BOOT_MAX_RESERVED);
	EXPECT_EQ(boot_info.reserved[20].size, MIB(1) + PAGE_SIZE);
}

TEST(ranges_that_wrap_or_leave_the_address_space_are_clipped)
{
	arena_reset();
	boot_add_range(~0ull - 4096, ~0ull, BOOT_MEM_RAM);
	boot_add_range(1ull << 52, PAGE_SIZE, BOOT_MEM_RAM);
	boot_add_range(MIB(1), ~0ull, BOOT_MEM_RAM);
	boot_add_range(MIB(2), ~0ull - MIB(1), BOOT_MEM_RESERVED);
	boot_add_range(MIB(1), 0, BOOT_MEM_RESERVED);
	boot_reserve(~0ull, 1);
	boot_map_resolve();
	ASSERT_EQ(boot_info.nr_ram, 1);
	EXPECT_EQ(boot_info.ram[0].base, MIB(1));
	EXPECT_EQ(boot_info.ram[0].size, MIB(1));
	EXPECT_EQ(boot_info.nr_reserved, 0);
}

TEST(page_split_between_two_ram_ranges_is_used)
{
	arena_reset();
	boot_add_range(0x1000, 0x800, BOOT_MEM_RAM);
	boot_add_range(0x1800, 0x1000, BOOT_MEM_RAM);
	boot_map_resolve();
	ASSERT_EQ(boot_info.nr_ram, 1);
	EXPECT_EQ(boot_info.ram[0].base, 0x1000);
	EXPECT_EQ(boot_info.ram[0].size, 0x1000);
}

TEST(containment_is_within_one_range)
{
	arena_reset();
	boot_add_range(MIB(1), MIB(1), BOOT_MEM_RAM);
	boot_add_range(MIB(3), MIB(1), BOOT_MEM_RAM);
	boot_map_resolve();
	EXPECT(boot_ram_contains(MIB(1), MIB(1)));
	EXPECT(!boot_ram_contains(MIB(1), MIB(1) + 1));
	EXPECT(!boot_ram_contains(MIB(1) + 1, MIB(1)));
	EXPECT(!boot_ram_contains(MIB(1), ~0ull));
	EXPECT(!boot_ram_contains(MIB(2), 1));
	EXPECT(boot_ram_contains(MIB(3) + 5, 1));
}

TEST(cmdline_keys_are_whole_words)
{
	char buf[32];

	arena_reset();
	strcpy(boot_info.cmdline,
	       "  init=/bin/sh quiet name=\"two words\" x=1\tx=2 \"k e\"=v -- x=3");
	ASSERT(boot_cmdline_get("init", buf, sizeof(buf)));
	EXPECT_STREQ(buf, "/bin/sh");
	ASSERT(boot_cmdline_get("quiet", buf, sizeof(buf)));
	EXPECT_STREQ(buf, "");
	ASSERT(boot_cmdline_get("name", buf, sizeof(buf)));
	EXPECT_STREQ(buf, "two words");
	ASSERT(boot_cmdline_get("x", buf, sizeof(buf)));
	EXPECT_STREQ(buf, "2"); /* the last one, but not init's */
	ASSERT(boot_cmdline_get("k e", buf, sizeof(buf)));
	EXPECT_STREQ(buf, "v");
	EXPECT(!boot_cmdline_get("ini", buf, sizeof(buf)));
	EXPECT(!boot_cmdline_get("inits", buf, sizeof(buf)));
	EXPECT(!boot_cmdline_get("words", buf, sizeof(buf)));
	EXPECT(!boot_cmdline_get("", buf, sizeof(buf)));
	EXPECT(boot_cmdline_get("init", buf, 4));
	EXPECT_STREQ(buf, "/bi");
	EXPECT(boot_cmdline_get("init", NULL, 0));
}

TEST(cmdline_numbers_have_suffixes_and_limits)
{
	static const struct {
		const char *line;
		u64 value;
		bool good;
	} cases[] = {
		{"n=12", 12, true},
		{"n=0x1F", 31, true},
		{"n=010", 10, true},
		{"n=64M", MIB(64), true},
		{"n=2g", GIB(2), true},
		{"n=4k", 4096, true},
		{"n=0x10K", 16384, true},
		{"n=", 0, false},
		{"n", 0, false},
		{"n=-1", 0, false},
		{"n=12x", 0, false},
		{"n=0x", 0, false},
		{"n=1MB", 0, false},
		{"n=18446744073709551616", 0, false},
		{"n=99999999999G", 0, false},
		{"n=k", 0, false},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 value = 77;

		arena_reset();
		strcpy(boot_info.cmdline, cases[i].line);
		if (boot_cmdline_get_u64("n", &value) != cases[i].good)
			host_fail(__FILE__, __LINE__, "%s", cases[i].line);
		EXPECT_EQ(value, cases[i].good ? cases[i].value : 77);
	}
}

TEST(random_command_lines_are_harmless)
{
	static const char alphabet[] = "ab=\" -\t0x9kM";
	char buf[8];
	u64 value;

	arena_reset();
	for (unsigned round = 0; round < 50000; round++) {
		unsigned n = (unsigned)rng_below(40);

		for (unsigned i = 0; i < n; i++)
			boot_info.cmdline[i] = alphabet[rng_below(sizeof(alphabet) - 1)];
		boot_info.cmdline[n] = '\0';
		if (boot_cmdline_get(rng_one_in(2) ? "a" : "ab", buf, sizeof(buf)))
			EXPECT(strlen(buf) < sizeof(buf));
		boot_cmdline_get_u64("b", &value);
	}
}
