/* SPDX-License-Identifier: MIT */
/*
 * internal.h - what the files of mm/phys share with each other and with nobody else.
 */
#pragma once

#include "mm/phys/page_alloc.h"

/* --- early.c ------------------------------------------------------------------------------------- */

/* early_close - end the boot allocator's life and hand every piece of RAM that it did not give away,
 * and that boot_info does not reserve, to fn: page-aligned, ascending. Frame 0 is never among them. */
void early_close(void (*fn)(paddr_t base, u64 size));

/* --- buddy.c: free blocks of 2^order frames. All may be called from any context. ------------------
 * Pages cross this border with type 0 (PAGE_RESERVED) and refs 0, except for PG_POISONED. */

void buddy_init(void);

/* buddy_take - remove one block. NULL when there is none, or when fewer than `keep` frames would stay. */
struct page *buddy_take(unsigned order, u64 keep);

/* buddy_take_many - up to n single pages into out, under the same condition.
 *  returns: how many; neighbours come in descending order, so that a stack hands them out ascending */
unsigned buddy_take_many(struct page **out, unsigned n, u64 keep);

/* buddy_give, buddy_give_many - put one block, or n single pages, back and merge with free neighbours. */
void buddy_give(struct page *, unsigned order);
void buddy_give_many(struct page **pages, unsigned n);

/* buddy_give_range - the frames [lo, hi), cut into the largest aligned blocks. */
void buddy_give_range(pfn_t lo, pfn_t hi);

/* buddy_contains - is the frame in one of the lists, alone or inside a block? */
bool buddy_contains(pfn_t pfn);

/* buddy_count_free, buddy_count_blocks - frames in the lists; blocks of one order. No lock. */
u64 buddy_count_free(void);
u64 buddy_count_blocks(unsigned order);

/* --- page_alloc.c, slab.c: what phys.c starts ------------------------------------ */

/* page_set_reserve - how many frames are kept back, from the number that is managed. */
void page_set_reserve(u64 managed);
void page_caches_start(void);
void slab_magazines_start(void);

/* --- page_debug.c ---------------------------------------------------------------------------------- */
#ifdef QUIRE_DEBUG
/* page_poison - fill 2^order frames that are about to become free.
 * page_unpoison - they are about to be used: panic if one was written since, and unmark them. */
void page_poison(struct page *, unsigned order);
void page_unpoison(struct page *, unsigned order);
#else
static inline void page_poison(struct page *p, unsigned order)
{
	(void)p, (void)order;
}
static inline void page_unpoison(struct page *p, unsigned order)
{
	(void)p, (void)order;
}
#endif
