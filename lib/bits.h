/* SPDX-License-Identifier: MIT */
/* bits.h - arithmetic on the bits of one 64-bit word. Pure functions, usable anywhere. */
#pragma once

#include <quire/types.h>

/* ctz64 - index of the lowest set bit; x is not 0. */
static inline unsigned ctz64(u64 x)
{
	return (unsigned)__builtin_ctzll(x);
}

/* ilog2 - index of the highest set bit, the logarithm rounded down; x is not 0. */
static inline unsigned ilog2(u64 x)
{
	return 63 - (unsigned)__builtin_clzll(x);
}

/* ffs64, fls64 - one plus the index of the lowest or highest set bit; 0 for 0. */
static inline unsigned ffs64(u64 x)
{
	return x ? ctz64(x) + 1 : 0;
}

static inline unsigned fls64(u64 x)
{
	return x ? ilog2(x) + 1 : 0;
}

/* ilog2_up - the logarithm rounded up: the least n with x <= 2^n; x is not 0. */
static inline unsigned ilog2_up(u64 x)
{
	return fls64(x - 1);
}

static inline bool is_pow2(u64 x)
{
	return x && !(x & (x - 1));
}

/* roundup_pow2 - the least power of two >= x; 1 for 0. x is at most 2^63. */
static inline u64 roundup_pow2(u64 x)
{
	return x <= 1 ? 1 : 1ull << ilog2_up(x);
}

/* rounddown_pow2 - the greatest power of two <= x; x is not 0. */
static inline u64 rounddown_pow2(u64 x)
{
	return 1ull << ilog2(x);
}

/* popcount64 - how many bits are set. The builtin would call into libgcc or use SIMD registers. */
static inline unsigned popcount64(u64 x)
{
	x -= x >> 1 & 0x5555555555555555ull;
	x = (x & 0x3333333333333333ull) + (x >> 2 & 0x3333333333333333ull);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return (unsigned)(x * 0x0101010101010101ull >> 56);
}

/* low_mask - the n lowest bits set, n = 0..64. */
static inline u64 low_mask(unsigned n)
{
	return n >= 64 ? ~0ull : (1ull << n) - 1;
}
