/* SPDX-License-Identifier: MIT */
/* memory.h - what the memory tests share: page arithmetic, anonymous mappings, fill patterns. */
#pragma once

#include "ktap.h"

#define PAGE 4096ul
#define RW   (PROT_READ | PROT_WRITE)

/* The first address above what user space may map. With five-level tables the kernel still hands out
 * only 47 bits unless asked otherwise. */
#ifdef __x86_64__
#define USER_END 0x7ffffffff000ul
#else
#define USER_END (1ul << 48)
#endif

static inline uint8_t *map_at(void *addr, size_t length, int prot, int extra_flags)
{
	return mmap(addr, length, prot, MAP_PRIVATE | MAP_ANONYMOUS | extra_flags, -1, 0);
}

static inline uint8_t *map_anon(size_t length)
{
	uint8_t *p = map_at(NULL, length, RW, 0);

	ASSERT(p != MAP_FAILED);
	return p;
}

/* An aligned stretch of address space in which a test may use MAP_FIXED: mapped PROT_NONE. */
static inline uint8_t *reserve(size_t length)
{
	uint8_t *p = map_at(NULL, length, PROT_NONE, MAP_NORESERVE);

	ASSERT(p != MAP_FAILED);
	return p;
}

/* One word per page, different for every page and every seed. */
static inline uint64_t page_word(size_t page, uint64_t seed)
{
	return (page + 1) * 0x9e3779b97f4a7c15ull + seed;
}

static inline void fill_pages(void *start, size_t pages, uint64_t seed)
{
	for (size_t i = 0; i < pages; i++)
		*(volatile uint64_t *)((char *)start + i * PAGE + (i * 64) % PAGE) =
			page_word(i, seed);
}

/* How many of the pages do not hold what fill_pages stored. */
static inline size_t count_wrong_pages(const void *start, size_t pages, uint64_t seed)
{
	size_t wrong = 0;

	for (size_t i = 0; i < pages; i++)
		wrong += *(const volatile uint64_t *)((const char *)start + i * PAGE +
						      (i * 64) % PAGE) != page_word(i, seed);
	return wrong;
}

static inline bool is_zero(const volatile uint8_t *p, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (p[i])
			return false;
	return true;
}
