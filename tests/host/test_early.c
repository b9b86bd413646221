/* SPDX-License-Identifier: MIT */
/* The boot allocator, against a map with one byte for each page of RAM. */
#include "harness.h"
#include "sim.h"

#include "boot/boot_info.h"
#include "mm/phys/internal.h"

#define MAP_PAGES 8192 /* 32 MiB of physical address space */

enum { NONE, RAM, RESERVED, TAKEN, GIVEN };
static u8 map[MAP_PAGES];

static void mark(paddr_t base, u64 size, u8 from, u8 to)
{
	for (pfn_t pfn = base >> PAGE_SHIFT; pfn < DIV_ROUND_UP(base + size, PAGE_SIZE); pfn++) {
		ASSERT(pfn < MAP_PAGES);
		ASSERT_EQ(map[pfn], from);
		map[pfn] = to;
	}
}

static void machine(const struct sim_range *ram, unsigned n)
{
	memset(map, NONE, sizeof(map));
	sim_start(1);
	sim_ram(ram, n);
	for (unsigned i = 0; i < n; i++)
		mark(ram[i].base, ram[i].size, NONE, RAM);
	phys_early_init(~0ul);
}

/* Reservations are byte ranges and may overlap each other. */
static void reserve(paddr_t base, u64 size)
{
	boot_info.reserved[boot_info.nr_reserved++] =
		(struct boot_range){base, size, BOOT_MEM_RESERVED};
	for (pfn_t pfn = base >> PAGE_SHIFT; pfn < DIV_ROUND_UP(base + size, PAGE_SIZE); pfn++)
		if (map[pfn] == RAM)
			map[pfn] = RESERVED;
}

static void random_machine(void)
{
	struct sim_range ram[8];
	pfn_t pfn = rng_below(3);
	unsigned n = 0;

	while (n < ARRAY_SIZE(ram)) {
		pfn_t size = 1 + rng_below(n % 2 ? 900 : 40);

		ram[n++] = (struct sim_range){pfn << PAGE_SHIFT, size << PAGE_SHIFT};
		pfn += size + 1 + rng_below(300);
	}
	machine(ram, n);
	for (unsigned i = 0; i < 20; i++) {
		const struct sim_range *r = &ram[rng_below(n)];
		u64 at = rng_below(r->size);

		reserve(r->base + at, 1 + rng_below(MIN(r->size - at, KIB(40))));
	}
}

static bool is_zero(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

TEST(early_memory_is_zeroed_aligned_and_nobody_elses)
{
	for (unsigned round = 0; round < 50; round++) {
		random_machine();
		for (unsigned i = 0; i < 60; i++) {
			u64 size = 1 + rng_below(rng_one_in(4) ? KIB(40) : KIB(4));
			u64 align = PAGE_SIZE << rng_below(4);
			paddr_t pa = phys_early_alloc(size, align);

			ASSERT(pa != 0);
			ASSERT(IS_ALIGNED(pa, align));
			mark(pa, size, RAM, TAKEN);
			ASSERT(is_zero(phys_to_virt(pa), ALIGN_UP(size, PAGE_SIZE)));
		}
	}
}

TEST(early_memory_comes_from_the_top_below_the_limit)
{
	const struct sim_range ram[] = {{MIB(1), MIB(4)}, {MIB(8), MIB(4)}, {MIB(16), MIB(4)}};

	machine(ram, 3);
	phys_early_init(MIB(10) + 123);
	EXPECT_EQ(phys_early_alloc(PAGE_SIZE, 1), MIB(10) - PAGE_SIZE);
	EXPECT_EQ(phys_early_alloc(MIB(1), MIB(1)), MIB(8));
	EXPECT_EQ(phys_early_alloc(MIB(2), 1), MIB(3)); /* the second range is too full */
	EXPECT_EQ(phys_early_alloc(2 * PAGE_SIZE, 1), MIB(10) - 3 * PAGE_SIZE);
}

TEST(early_memory_running_out_is_a_panic)
{
	const struct sim_range ram = {MIB(1), MIB(1)};

	machine(&ram, 1);
	EXPECT_EQ(phys_early_alloc(MIB(1), 1), MIB(1));
	EXPECT_PANIC((void)phys_early_alloc(1, 1));
	machine(&ram, 1);
	EXPECT_PANIC((void)phys_early_alloc(MIB(1) + 1, 1));
	EXPECT_PANIC((void)phys_early_alloc(~0ul - KIB(16), 1));
	phys_early_init(MIB(1));
	EXPECT_PANIC((void)phys_early_alloc(1, 1));
}

static void give(paddr_t base, u64 size)
{
	ASSERT(IS_ALIGNED(base | size, PAGE_SIZE) && size);
	mark(base, size, RAM, GIVEN);
}

TEST(closing_gives_away_each_free_page_once_except_frame_0)
{
	for (unsigned round = 0; round < 50; round++) {
		random_machine();
		for (unsigned i = 0; i < 20; i++) {
			u64 size = 1 + rng_below(KIB(20));

			mark(phys_early_alloc(size, 1), size, RAM, TAKEN);
		}
		early_close(give);
		EXPECT(map[0] != GIVEN);
		for (pfn_t pfn = 1; pfn < MAP_PAGES; pfn++)
			EXPECT(map[pfn] != RAM);
	}
	EXPECT_PANIC((void)phys_early_alloc(1, 1));
}

TEST(sections_are_rounded_outwards_and_touching_ones_joined)
{
	const struct sim_range ram[] = {
		{KIB(4), KIB(636)},        /* section 0 */
		{MIB(1), KIB(4)},          /* section 0 again */
		{MIB(2), MIB(2)},          /* 1: touches */
		{MIB(6) + KIB(8), KIB(4)}, /* 3 */
		{MIB(8) - KIB(4), KIB(8)}, /* 3 and 4 */
		{MIB(16), MIB(4)},         /* 8, 9 */
	};
	const pfn_t expected[][2] = {{0, 1024}, {1536, 2560}, {4096, 5120}};
	u32 cursor = 0;
	pfn_t lo, hi;

	machine(ram, ARRAY_SIZE(ram));
	for (unsigned i = 0; i < ARRAY_SIZE(expected); i++) {
		ASSERT(phys_early_next_ram(&cursor, &lo, &hi));
		EXPECT_EQ(lo, expected[i][0]);
		EXPECT_EQ(hi, expected[i][1]);
	}
	EXPECT(!phys_early_next_ram(&cursor, &lo, &hi));
	EXPECT(!phys_early_next_ram(&cursor, &lo, &hi));
}
