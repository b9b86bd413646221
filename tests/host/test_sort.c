/* SPDX-License-Identifier: MIT */
/* test_sort.c - lib/sort.c against the C library's qsort, and lib/hash.h. */
#include "harness.h"

#include "lib/hash.h"
#include "lib/sort.h"

static size_t key_size, comparisons;

static int by_bytes(const void *a, const void *b)
{
	comparisons++;
	return memcmp(a, b, key_size);
}

static void check_sort(size_t n, size_t size, unsigned letters, size_t offset)
{
	u8 *block = malloc(n * size + offset + 1), *ours = block + offset;
	u8 *theirs = malloc(n * size + 1);

	for (size_t i = 0; i < n * size; i++)
		ours[i] = (u8)rng_below(letters);
	memcpy(theirs, ours, n * size);
	key_size = size;
	sort(ours, n, size, by_bytes);
	qsort(theirs, n, size, by_bytes);
	EXPECT(!memcmp(ours, theirs, n * size));
	free(block);
	free(theirs);
}

TEST(every_length_size_and_alignment_is_sorted)
{
	for (size_t n = 0; n < 50; n++)
		for (size_t size = 1; size <= 24; size++) {
			check_sort(n, size, 256, 0);
			check_sort(n, size, 2, 0); /* many equal elements */
			check_sort(n, size, 256, 3);
		}
}

static int by_int(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	comparisons++;
	return (x > y) - (x < y);
}

TEST(no_order_of_the_input_is_slow)
{
	enum { N = 4096 };
	static int a[N];

	for (int pattern = 0; pattern < 5; pattern++) {
		for (int i = 0; i < N; i++)
			a[i] = (int[]){i, N - i, 0, i % 7, i < N / 2 ? i : N - i}[pattern];
		comparisons = 0;
		sort(a, N, sizeof(*a), by_int);
		EXPECT(comparisons < 2 * N * 13); /* 2 n log2 n */
		for (int i = 1; i < N; i++)
			ASSERT(a[i - 1] <= a[i]);
	}
}

TEST(hash_changes_half_of_its_output_with_each_input_bit)
{
	for (unsigned bit = 0; bit < 64; bit++) {
		unsigned changed = 0;

		for (int i = 0; i < 1000; i++) {
			u64 x = rng();

			changed += (unsigned)__builtin_popcountll(hash_u64(x) ^
								  hash_u64(x ^ 1ull << bit));
		}
		EXPECT(changed > 30 * 1000 && changed < 34 * 1000);
	}
	EXPECT(hash_pair(1, 2) != hash_pair(2, 1));
	for (u64 x = 0; x < 1000; x++)
		ASSERT(hash_bits(x, 5) < 32);
}
