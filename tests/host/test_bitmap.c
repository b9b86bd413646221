/* SPDX-License-Identifier: MIT */
/* test_bitmap.c - lib/bitmap.c and lib/bits.h against one bool per bit. */
#include "harness.h"

#include "lib/bitmap.h"
#include "lib/bits.h"

#define BITS 200

static u64 *map;
static bool model[BITS];
static size_t size;

/* The map ends where its memory ends; what lies beyond size in the last word is noise. */
static void new_map(size_t bits)
{
	free(map);
	size = bits;
	map = malloc(BITMAP_WORDS(bits) * sizeof(u64) + !bits);
	for (size_t w = 0; w < BITMAP_WORDS(bits); w++)
		map[w] = rng();
	for (size_t i = 0; i < bits; i++)
		model[i] = bitmap_test(map, i);
}

static void check_map(void)
{
	for (size_t i = 0; i < size; i++)
		ASSERT_EQ(bitmap_test(map, i), model[i]);
}

static size_t model_next(size_t from, bool value)
{
	while (from < size && model[from] != value)
		from++;
	return MIN(from, size);
}

static size_t model_area(size_t from, size_t count, size_t align)
{
	for (size_t start = ALIGN_UP(from, align); start + count <= size; start += align) {
		size_t n = 0;

		while (n < count && !model[start + n])
			n++;
		if (n == count)
			return start;
	}
	return size;
}

/* Runs of equal bits, as allocators make them. */
static void random_runs(void)
{
	for (int i = 0; i < 10; i++) {
		size_t from = rng_below(size), count = rng_below(size - from + 1);
		bool value = rng_one_in(2);

		(value ? bitmap_set_range : bitmap_clear_range)(map, from, count);
		for (size_t n = 0; n < count; n++)
			model[from + n] = value;
		check_map();
	}
}

TEST(ranges_change_no_bit_outside)
{
	for (size_t bits = 1; bits <= BITS; bits++) {
		u64 beyond;

		new_map(bits);
		beyond = bits % 64 ? map[bits / 64] >> (bits % 64) : 0;
		random_runs();
		if (bits % 64)
			EXPECT_EQ(map[bits / 64] >> (bits % 64), beyond);
	}
}

TEST(searches_agree_with_the_model_at_every_size)
{
	for (size_t bits = 0; bits <= BITS; bits++) {
		size_t weight = 0;

		new_map(bits);
		if (bits)
			random_runs();
		for (size_t from = 0; from < bits + 2; from++) {
			ASSERT_EQ(bitmap_next(map, bits, from), model_next(from, true));
			ASSERT_EQ(bitmap_next_zero(map, bits, from), model_next(from, false));
		}
		for (size_t i = 0; i < bits; i++)
			weight += model[i];
		ASSERT_EQ(bitmap_weight(map, bits), weight);
	}
}

TEST(areas_are_free_aligned_and_the_first)
{
	for (int round = 0; round < 3000; round++) {
		size_t bits = 1 + rng_below(BITS), from, count, align;

		new_map(bits);
		random_runs();
		from = rng_below(bits + 2);
		count = 1 + rng_below(rng_one_in(2) ? 5 : bits);
		align = 1ull << rng_below(5);
		ASSERT_EQ(bitmap_find_area(map, bits, from, count, align),
			  model_area(from, count, align));
	}
}

TEST(allocated_areas_do_not_overlap)
{
	size_t at, total = 0;

	new_map(BITS);
	bitmap_clear_range(map, 0, BITS);
	memset(model, 0, sizeof(model));
	while ((at = bitmap_alloc_area(map, BITS, 1 + rng_below(7), 1)) != BITS) {
		ASSERT(!model[at]);
		for (; at < BITS && bitmap_test(map, at) && !model[at]; at++, total++)
			model[at] = true;
	}
	check_map();
	EXPECT_EQ(bitmap_weight(map, BITS), total);
	EXPECT_EQ(bitmap_find_area(map, BITS, 0, BITS + 1, 1), BITS);
	EXPECT_EQ(bitmap_find_area(map, BITS, 0, ~(size_t)0, 1), BITS);
}

TEST(bit_arithmetic_agrees_with_counting)
{
	for (int round = 0; round < 100000; round++) {
		u64 x = rng() >> rng_below(64) << rng_below(64);
		unsigned low = 0, high = 0, count = 0;

		if (round < 300)
			x = (u64)round;
		for (unsigned i = 0; i < 64; i++)
			if (x >> i & 1) {
				low = low ? low : i + 1;
				high = i + 1;
				count++;
			}
		ASSERT_EQ(ffs64(x), low);
		ASSERT_EQ(fls64(x), high);
		ASSERT_EQ(popcount64(x), count);
		ASSERT_EQ(is_pow2(x), count == 1);
		if (!x)
			continue;
		ASSERT_EQ(ctz64(x), low - 1);
		ASSERT_EQ(ilog2(x), high - 1);
		ASSERT_EQ(ilog2_up(x), high - (count == 1));
		ASSERT_EQ(rounddown_pow2(x), 1ull << (high - 1));
		if (x <= 1ull << 63)
			ASSERT_EQ(roundup_pow2(x), 1ull << (high - (count == 1)));
	}
	EXPECT_EQ(roundup_pow2(0), 1);
	EXPECT_EQ(low_mask(0), 0);
	EXPECT_EQ(low_mask(63), ~0ull >> 1);
	EXPECT_EQ(low_mask(64), ~0ull);
	free(map);
	map = NULL;
}
