/* SPDX-License-Identifier: MIT */
/*
 * page_debug.c - making allocation bugs show themselves.
 *
 * Debug builds fill frames that become free with a pattern and look whether it is still there when they
 * are given out again: whoever wrote to memory after freeing it is caught at the next allocation of that
 * frame. Frames that were never freed (given at boot) have no pattern and no PG_POISONED.
 *
 * In every build the n-th allocation from now can be made to fail, so that each error path can be
 * walked: a test repeats an operation with n = 1, 2, 3 .. until it succeeds without a failure.
 */
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/phys/internal.h"

u64 alloc_fail_left;

/* alloc_fail_nth - see page_alloc.h. */
void alloc_fail_nth(u64 n)
{
	atomic_store(&alloc_fail_left, n);
}

/* alloc_fail_step - count one allocation; true for the one that must fail. */
bool alloc_fail_step(void)
{
	u64 left = atomic_load(&alloc_fail_left);

	do {
		if (!left)
			return false;
	} while (!atomic_cas(&alloc_fail_left, &left, left - 1));
	return left == 1;
}

#ifdef QUIRE_DEBUG

#define PAGE_POISON      0xdbdbdbdbdbdbdbdbul
#define PAGE_POISON_BYTE 0xdb

/* page_poison - see internal.h. */
void page_poison(struct page *p, unsigned order)
{
	memset(page_to_virt(p), PAGE_POISON_BYTE, PAGE_SIZE << order);
	for (unsigned i = 0; i < 1u << order; i++)
		page_set(&p[i], PG_POISONED);
}

static void check_poison(struct page *p)
{
	const u64 *word = page_to_virt(p);

	for (size_t i = 0; i < PAGE_SIZE / sizeof(*word); i++) {
		if (unlikely(word[i] != PAGE_POISON))
			panic("frame 0x%lx was written after it was freed: 0x%016lx at offset 0x%lx",
			      page_to_pfn(p), word[i], i * sizeof(*word));
	}
}

/* page_unpoison - see internal.h. */
void page_unpoison(struct page *p, unsigned order)
{
	for (unsigned i = 0; i < 1u << order; i++) {
		if (atomic_load(&p[i].refs) || page_type(&p[i]) != PAGE_RESERVED)
			panic("frame 0x%lx is in use (type %u, %u references) and was in the free lists",
			      page_to_pfn(&p[i]), page_type(&p[i]), p[i].refs);
		if (page_test(&p[i], PG_POISONED))
			check_poison(&p[i]);
	}
}

#endif
