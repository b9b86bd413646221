/* SPDX-License-Identifier: MIT */
/*
 * selftest_string.c - the copying functions of the architecture, against a loop over bytes. The host tests do
 * this only for the architecture of the build machine.
 */
#include "kernel/selftest.h"
#include "lib/string.h"

#define AREA    400
#define OFFSETS 17

static const u16 lengths[] = {0,  1,  2,   3,   4,   5,   7,   8,   9,   12, 15, 16,
			      17, 23, 24,  31,  32,  33,  47,  48,  63,  64, 65, 79,
			      80, 96, 127, 128, 129, 191, 200, 256, 257, 300};

static u8 ours[AREA], wanted[AREA];

static void fill_areas(void)
{
	for (unsigned i = 0; i < AREA; i++)
		ours[i] = wanted[i] = (u8)(i * 7 + (i >> 5));
}

static bool same(void)
{
	for (unsigned i = 0; i < AREA; i++)
		if (ours[i] != wanted[i])
			return false;
	return true;
}

static void move_bytes(u8 *to, const u8 *from, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t at = to < from ? i : n - 1 - i;

		WRITE_ONCE(to[at], from[at]);
	}
}

/* Every overlap of up to 16 bytes either way, and none. */
static void test_move(void)
{
	for (size_t k = 0; k < ARRAY_SIZE(lengths); k++)
		for (unsigned to = 0; to < OFFSETS; to++)
			for (unsigned from = 0; from < OFFSETS; from++) {
				fill_areas();
				CHECK(memmove(ours + to, ours + from, lengths[k]) == ours + to);
				move_bytes(wanted + to, wanted + from, lengths[k]);
				CHECK(same());
			}
}

static void test_copy(void)
{
	static u8 source[AREA];

	for (unsigned i = 0; i < AREA; i++)
		source[i] = (u8)(i * 13 + 5);
	for (size_t k = 0; k < ARRAY_SIZE(lengths); k++)
		for (unsigned at = 0; at < OFFSETS * OFFSETS; at++) {
			unsigned to = at / OFFSETS, from = at % OFFSETS;

			fill_areas();
			CHECK(memcpy(ours + to, source + from, lengths[k]) == ours + to);
			move_bytes(wanted + to, source + from, lengths[k]);
			CHECK(same());
		}
}

static void test_fill(void)
{
	for (size_t k = 0; k < ARRAY_SIZE(lengths); k++)
		for (unsigned at = 0; at < OFFSETS; at++) {
			fill_areas();
			CHECK(memset(ours + at, 0xa5, lengths[k]) == ours + at);
			for (unsigned i = 0; i < lengths[k]; i++)
				WRITE_ONCE(wanted[at + i], 0xa5);
			CHECK(same());
		}
}

const struct selftest selftest_string[] = {
	{"memmove", test_move},
	{"memcpy", test_copy},
	{"memset", test_fill},
	{NULL, NULL},
};
