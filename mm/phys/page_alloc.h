/* SPDX-License-Identifier: MIT */
/*
 * page_alloc.h - physical memory: the boot allocator, the buddy allocator and its per-CPU caches.
 *
 * Read next: page_alloc.c (caches and policy), buddy.c (the free lists), early.c (before there are any).
 */
#pragma once

#include "kernel/percpu.h"
#include "mm/phys/page.h"

#define PAGE_MAX_ORDER 10 /* 4 MiB; larger runs come from the huge-page pool */

/* Allocation flags. Without PA_ATOMIC the caller must be able to sleep (reclaim will live there). */
#define PA_ZERO        BIT(0) /* contents cleared */
#define PA_ATOMIC      BIT(1) /* do not sleep; may dip into the reserve */
#define PA_USER        BIT(2) /* page for user space: counted against the reserve first */
#define PA_NOFAIL_TEST BIT(3) /* exempt from fault injection */
#define PA_TABLE       BIT(4) /* one page, an empty page table: cleared, or one that was freed */
#define PA_CACHED      BIT(5) /* one page, if this CPU has one at hand: does not sleep */

/* page_alloc - 2^order frames, physically contiguous and aligned to their size.
 *  returns: the first page with refs == 1, type PAGE_KERNEL and kernel_order set (the rest of the
 *           union is garbage); the others are PAGE_TAIL. NULL when memory is short or the order too large
 *  keeps:   a reserve: PA_USER fails first, then plain requests; PA_ATOMIC may take the last page
 *  sleeps:  unless PA_ATOMIC or PA_CACHED. Any context with these. */
struct page *page_alloc(unsigned order, unsigned flags) MUST_CHECK;
/* page_free - give back what page_alloc returned, all of it. Any context.
 *  after:  the frames are free once lockless lookups that hold a reference have dropped it
 *  panics: on a page that is free already, reserved, or a tail */
void page_free(struct page *, unsigned order);

/* Reference counts. page_put frees order-0 and folio pages at zero (page_free of its order). */
static inline void page_get(struct page *p)
{
	__atomic_fetch_add(&p->refs, 1, __ATOMIC_RELAXED);
}
/* page_try_get - false when refs is 0: lockless lookups. What was found must be looked up again once
 * the reference is held: the page may have become another's in between. */
static inline bool page_try_get(struct page *p)
{
	u32 refs = atomic_load(&p->refs);

	do {
		if (!refs)
			return false;
	} while (!__atomic_compare_exchange_n(&p->refs, &refs, refs + 1, true, __ATOMIC_ACQUIRE,
					      __ATOMIC_RELAXED));
	return true;
}
/* page_put - drop a reference to a head page; frees at zero. Any context. */
void page_put(struct page *);
/* page_put_shared - page_put where others are likely to have references as well: then not even a call. Only debug builds check
 * that there was one.
 * page_put_last - its other case: the count is zero. */
void page_put_last(struct page *);
static ALWAYS_INLINE void page_put_shared(struct page *p)
{
	assert(atomic_load(&p->refs));
	if (unlikely(__atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL) == 0))
		page_put_last(p);
}
/* page_put_many - page_put for each of n head pages: less work per page. */
void page_put_many(struct page *const *pages, unsigned n);

/* Counters in pages, for meminfo and the tests' leak checks. */
u64 page_count_total(void); /* managed by the allocator */
u64 page_count_free(void);  /* includes per-CPU caches */
/* page_count_type - pages of a type now, all their frames: PAGE_TABLE, PAGE_ANON, PAGE_OBJ. page_account - the
 * owner has made n frames, which come from page_alloc, its type; freeing counts them back by itself. */
u64 page_count_type(enum page_type);
extern PERCPU s64 page_type_counts[PAGE_TYPES];
static inline void page_account(enum page_type type, s64 n)
{
	__atomic_fetch_add(&this_cpu(page_type_counts)[type], n, __ATOMIC_RELAXED);
}
/* page_drain_local_cache - give this CPU's cached pages back to the free lists. Any context. */
void page_drain_local_cache(void);

/* page_dump_counts - one line for people: total, free, per order. Takes no lock. */
void page_dump_counts(void (*print)(const char *fmt, ...));

/* --- boot ----------------------------------------------------------------------------------------
 * phys_early_* works from boot_info before the page array exists: memory below `limit` that the boot
 * page tables map, page granularity, never freed individually. phys_init() hands the rest of RAM
 * to the buddy allocator. */
void phys_early_init(paddr_t mapped_end);      /* highest address boot page tables reach + 1 */
paddr_t phys_early_alloc(u64 size, u64 align); /* zeroed; panics "not enough memory" when short */
bool phys_early_next_ram(u32 *cursor, pfn_t *lo,
			 pfn_t *hi);          /* RAM in 2 MiB sections, rounded outwards */
void phys_init(void);                         /* page_array is in place: fill the buddy lists */
void phys_free_range(paddr_t base, u64 size); /* later gifts: init data, initrd, ACPI tables */
/* phys_percpu_start - percpu_init() is done: from here on pages and objects are cached per CPU. */
void phys_percpu_start(void);

/* alloc_fail_nth - fail the n-th allocation from now, on whichever CPU (0: off), and go off again;
 * page_alloc, slab_alloc and kmalloc count alike, one for each call.
 * alloc_should_fail - is this the one? */
extern u64 alloc_fail_left; /* [a] */
void alloc_fail_nth(u64 n);
bool alloc_fail_step(void);
static inline bool alloc_should_fail(void)
{
	return unlikely(__atomic_load_n(&alloc_fail_left, __ATOMIC_RELAXED)) && alloc_fail_step();
}
