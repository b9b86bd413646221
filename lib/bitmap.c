/* SPDX-License-Identifier: MIT */
/* bitmap.c - searching and filling bitmaps a word at a time. See bitmap.h. */
#include "lib/bitmap.h"
#include "lib/bits.h"

/* The bits of word w that belong to from .. end - 1. */
static u64 word_mask(size_t w, size_t from, size_t end)
{
	u64 mask = ~0ull;

	if (w == from / 64)
		mask &= ~0ull << (from % 64);
	if (w == end / 64)
		mask &= low_mask(end % 64);
	return mask;
}

void bitmap_set_range(u64 *map, size_t from, size_t count)
{
	for (size_t w = from / 64; w < BITMAP_WORDS(from + count); w++)
		map[w] |= word_mask(w, from, from + count);
}

void bitmap_clear_range(u64 *map, size_t from, size_t count)
{
	for (size_t w = from / 64; w < BITMAP_WORDS(from + count); w++)
		map[w] &= ~word_mask(w, from, from + count);
}

size_t bitmap_weight(const u64 *map, size_t size)
{
	size_t n = 0;

	for (size_t w = 0; w < BITMAP_WORDS(size); w++)
		n += popcount64(map[w] & word_mask(w, 0, size));
	return n;
}

size_t bitmap_find_area(const u64 *map, size_t size, size_t from, size_t count, size_t align)
{
	while (from < size) {
		size_t start = bitmap_next_zero(map, size, from), taken;

		/* Written so that no size, however large, wraps around. */
		if (start >= size || start > SIZE_MAX - (align - 1))
			break;
		start = ALIGN_UP(start, align);
		if (start >= size || count > size - start)
			break;
		taken = bitmap_next(map, start + count, start);
		if (taken == start + count)
			return start;
		from = taken + 1;
	}
	return size;
}

size_t bitmap_alloc_area(u64 *map, size_t size, size_t count, size_t align)
{
	size_t start = bitmap_find_area(map, size, 0, count, align);

	if (start != size)
		bitmap_set_range(map, start, count);
	return start;
}
