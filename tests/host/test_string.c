/* SPDX-License-Identifier: MIT */
/* test_string.c - lib/string.c and lib/str.c against the C library, byte for byte. */
#include "harness.h"
#include "renamed_string.h"

#define AREA 160

/* A buffer that ends where its memory ends, so that one byte too many is caught. */
static u8 *exact(size_t n)
{
	u8 *p = malloc(n ? n : 1);

	if (!p)
		abort();
	return p;
}

static void fill_random(u8 *p, size_t n)
{
	while (n--)
		*p++ = (u8)rng();
}

static int sign(int x)
{
	return (x > 0) - (x < 0);
}

TEST(memcpy_copies_every_length_at_every_alignment)
{
	u8 src[AREA], ours[AREA], theirs[AREA];

	for (size_t to = 0; to < 16; to++)
		for (size_t from = 0; from < 16; from++)
			for (size_t n = 0; n < 70; n++) {
				fill_random(src, AREA);
				memset(ours, 0x5a, AREA);
				memset(theirs, 0x5a, AREA);
				ASSERT(q_memcpy(ours + to, src + from, n) == ours + to);
				memcpy(theirs + to, src + from, n);
				ASSERT(!memcmp(ours, theirs, AREA));
			}
}

TEST(memmove_copies_overlapping_areas_both_ways)
{
	u8 ours[AREA], theirs[AREA];

	for (size_t to = 0; to < 40; to++)
		for (size_t from = 0; from < 40; from++)
			for (size_t n = 0; n < 70; n++) {
				fill_random(ours, AREA);
				memcpy(theirs, ours, AREA);
				ASSERT(q_memmove(ours + to, ours + from, n) == ours + to);
				memmove(theirs + to, theirs + from, n);
				ASSERT(!memcmp(ours, theirs, AREA));
			}
}

TEST(memset_fills_exactly_what_it_is_told)
{
	u8 ours[AREA], theirs[AREA];

	for (size_t to = 0; to < 16; to++)
		for (size_t n = 0; n < 70; n++) {
			int c = (int)rng();

			memset(ours, 0x5a, AREA);
			memset(theirs, 0x5a, AREA);
			ASSERT(q_memset(ours + to, c, n) == ours + to);
			memset(theirs + to, c, n);
			ASSERT(!memcmp(ours, theirs, AREA));
		}
}

TEST(no_function_touches_a_byte_beyond_its_areas)
{
	for (size_t n = 0; n < 70; n++) {
		u8 *a = exact(n), *b = exact(n);

		q_memset(a, 7, n);
		q_memcpy(b, a, n);
		q_memmove(a, b, n);
		EXPECT_EQ(q_memcmp(a, b, n), 0);
		EXPECT(!q_memchr(a, 8, n));
		EXPECT_EQ(q_strnlen((char *)a, n), n);
		EXPECT_EQ(q_strncmp((char *)a, (char *)b, n), 0);
		free(a);
		free(b);
	}
}

TEST(memcmp_finds_the_first_difference)
{
	u8 a[AREA], b[AREA];

	for (int round = 0; round < 100000; round++) {
		size_t n = rng_below(70), at_a = rng_below(16), at_b = rng_below(16);

		fill_random(a, AREA);
		memcpy(b + at_b, a + at_a, n);
		if (n && !rng_one_in(4))
			b[at_b + rng_below(n)] ^= 1u << rng_below(8);
		ASSERT_EQ(sign(q_memcmp(a + at_a, b + at_b, n)),
			  sign(memcmp(a + at_a, b + at_b, n)));
	}
}

/* Strings of few different letters, so that matches and near misses are common. */
static void random_string(char *s, size_t max)
{
	size_t n = rng_below(max);

	for (size_t i = 0; i < n; i++)
		s[i] = rng_one_in(20) ? (char)0xe9 : (char)('a' + rng_below(3));
	s[n] = '\0';
}

TEST(string_functions_agree_with_the_c_library)
{
	char a[40], b[40], little[5];

	for (int round = 0; round < 100000; round++) {
		size_t n = rng_below(40);
		int c = rng_one_in(8) ? 0 : rng_one_in(8) ? 0xe9 : (int)('a' + rng_below(4));

		random_string(a, sizeof(a));
		if (rng_one_in(3))
			random_string(b, sizeof(b));
		else
			strcpy(b, a);
		if (rng_one_in(2))
			b[rng_below(strlen(b) + 1)] = '\0';
		random_string(little, sizeof(little));

		ASSERT_EQ(q_strlen(a), strlen(a));
		ASSERT_EQ(q_strnlen(a, n), strnlen(a, n));
		ASSERT_EQ(sign(q_strcmp(a, b)), sign(strcmp(a, b)));
		ASSERT_EQ(sign(q_strncmp(a, b, n)), sign(strncmp(a, b, n)));
		ASSERT(q_strchr(a, c) == strchr(a, c));
		ASSERT(q_strrchr(a, c) == strrchr(a, c));
		ASSERT(q_strstr(a, little) == strstr(a, little));
		ASSERT(q_memchr(a, c, strlen(a) + 1) == memchr(a, c, strlen(a) + 1));
	}
}

TEST(strlcpy_cuts_terminates_and_tells)
{
	for (size_t size = 0; size < 10; size++) {
		char *dst = (char *)exact(size);

		EXPECT_EQ(q_strlcpy(dst, "abcdef", size), 6);
		if (size) {
			EXPECT_EQ(strlen(dst), MIN(size - 1, (size_t)6));
			EXPECT(!strncmp(dst, "abcdef", size - 1));
		}
		free(dst);
	}
}

static void expect_number(const char *s, unsigned base, u64 value, size_t used)
{
	char *end;

	EXPECT_EQ(str_to_u64(s, &end, base), value);
	EXPECT_EQ(end - s, used);
	EXPECT_EQ(str_to_u64(s, NULL, base), value);
}

TEST(numbers_are_read_by_base_and_prefix)
{
	expect_number("", 0, 0, 0);
	expect_number("z", 10, 0, 0);
	expect_number("-1", 10, 0, 0);
	expect_number(" 1", 10, 0, 0);
	expect_number("0", 0, 0, 1);
	expect_number("0x", 0, 0, 1);
	expect_number("0xg", 16, 0, 1);
	expect_number("0b2", 0, 0, 1);
	expect_number("08", 0, 0, 1);
	expect_number("0777k", 0, 0777, 4);
	expect_number("0x1fG", 0, 0x1f, 4);
	expect_number("0X1F", 16, 0x1f, 4);
	expect_number("1f", 16, 0x1f, 2);
	expect_number("0b101", 0, 5, 5);
	expect_number("0b101", 16, 0xb101, 5);
	expect_number("123M", 0, 123, 3);
	expect_number("zZ", 36, 35 * 36 + 35, 2);
}

TEST(numbers_too_large_are_the_largest)
{
	expect_number("18446744073709551615", 10, ~0ull, 20);
	expect_number("18446744073709551614,", 10, ~0ull - 1, 20);
	expect_number("18446744073709551616", 10, ~0ull, 20);
	expect_number("99999999999999999999999x", 10, ~0ull, 23);
	expect_number("0xffffffffffffffff", 0, ~0ull, 18);
	expect_number("0x10000000000000000", 0, ~0ull, 19);
}
