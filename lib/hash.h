/* SPDX-License-Identifier: MIT */
/* hash.h - mixing of integers for hash tables. Not for secrets: the functions can be inverted. */
#pragma once

#include <quire/types.h>

/* hash_u64 - every input bit changes about half of the output bits (the finaliser of splitmix64). */
static inline u64 hash_u64(u64 x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

/* hash_pair - one hash of two words; order matters. */
static inline u64 hash_pair(u64 a, u64 b)
{
	return hash_u64(hash_u64(a + 0x9e3779b97f4a7c15ull) + b);
}

/* hash_quick - a table index below 2^bits of two words, in a few instructions: for tables where collisions cost little. */
static inline u64 hash_quick(u64 a, u64 b, unsigned bits)
{
	return (a + b) * 0x9e3779b97f4a7c15ull >> (64 - bits);
}

/* hash_bits - a table index below 2^bits, bits = 1..64. */
static inline u64 hash_bits(u64 x, unsigned bits)
{
	return hash_u64(x) >> (64 - bits);
}
