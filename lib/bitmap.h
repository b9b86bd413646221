/* SPDX-License-Identifier: MIT */
/*
 * bitmap.h - arrays of bits in 64-bit words: bit n is bit n % 64 of word n / 64.
 *
 * Plain operations: the owner of a map provides its lock. Bits beyond the size of a map, in its last
 * word, are neither read into results nor changed.
 */
#pragma once

#include <quire/types.h>
#include "lib/bits.h"

#define BITMAP_WORDS(bits) (((bits) + 63) / 64)

static inline bool bitmap_test(const u64 *map, size_t n)
{
	return map[n / 64] >> (n % 64) & 1;
}

static inline void bitmap_set(u64 *map, size_t n)
{
	map[n / 64] |= 1ull << (n % 64);
}

static inline void bitmap_clear(u64 *map, size_t n)
{
	map[n / 64] &= ~(1ull << (n % 64));
}

/* bitmap_set_range, bitmap_clear_range - bits from .. from + count - 1. */
void bitmap_set_range(u64 *map, size_t from, size_t count);
void bitmap_clear_range(u64 *map, size_t from, size_t count);

/* bitmap_next, bitmap_next_zero - the first set (clear) bit >= from; size when there is none.
 * bitmap_search - the first whose value differs from that in flip, which is all zeros or all ones. */
static inline size_t bitmap_search(const u64 *map, size_t size, size_t from, u64 flip)
{
	size_t w = from / 64, at;
	u64 hits;

	if (from >= size)
		return size;
	hits = (map[w] ^ flip) & ~0ull << from % 64;
	while (!hits) {
		if (++w >= BITMAP_WORDS(size))
			return size;
		hits = map[w] ^ flip;
	}
	at = w * 64 + ctz64(hits);
	return MIN(at, size);
}

static inline size_t bitmap_next(const u64 *map, size_t size, size_t from)
{
	return bitmap_search(map, size, from, 0);
}

static inline size_t bitmap_next_zero(const u64 *map, size_t size, size_t from)
{
	return bitmap_search(map, size, from, ~0ull);
}

/* bitmap_weight - how many of the first size bits are set. */
size_t bitmap_weight(const u64 *map, size_t size);

/* bitmap_find_area - the first run of count > 0 clear bits that starts at a multiple of align (a
 * power of two) at or after from; size when there is none. */
size_t bitmap_find_area(const u64 *map, size_t size, size_t from, size_t count, size_t align);

/* bitmap_alloc_area - bitmap_find_area from bit 0, and set the bits found. Returns size when full. */
size_t bitmap_alloc_area(u64 *map, size_t size, size_t count, size_t align);
