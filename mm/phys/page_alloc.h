/* SPDX-License-Identifier: MIT */
/*
 * page_alloc.h - physical memory: the boot allocator, the buddy allocator and its per-CPU caches.
 */
#pragma once

#include "mm/phys/page.h"

#define PAGE_MAX_ORDER 10 /* 4 MiB; larger runs come from the huge-page pool */

/* Allocation flags. Without PA_ATOMIC the caller must be able to sleep (reclaim will live there). */
#define PA_ZERO    BIT(0) /* contents cleared */
#define PA_ATOMIC  BIT(1) /* do not sleep; may dip into the reserve */
#define PA_USER    BIT(2) /* page for user space: counted against the reserve first */
#define PA_NOFAIL_TEST BIT(3) /* exempt from fault injection (boot) */

/* page_alloc - 2^order frames, physically contiguous and aligned to their size.
 *  returns: the first page with refs == 1 and type PAGE_KERNEL, NULL when memory is short
 *  sleeps:  unless PA_ATOMIC. Any context with PA_ATOMIC. */
struct page *page_alloc(unsigned order, unsigned flags) MUST_CHECK;
/* page_free - give back what page_alloc returned; refs must be 0 or 1. Any context. */
void page_free(struct page *, unsigned order);

/* Reference counts. page_put frees order-0 and folio pages at zero (page_free of its order). */
static inline void page_get(struct page *p)
{
	__atomic_fetch_add(&p->refs, 1, __ATOMIC_RELAXED);
}
bool page_try_get(struct page *); /* false when refs is 0: lockless lookups */
void page_put(struct page *);

/* Counters in pages, for meminfo and the tests' leak checks. */
u64 page_count_total(void); /* managed by the allocator */
u64 page_count_free(void);  /* includes per-CPU caches */
void page_drain_local_cache(void);

/* --- boot ----------------------------------------------------------------------------------------
 * phys_early_* works from boot_info before the page array exists: memory below `limit` that the boot
 * page tables map, page granularity, never freed individually. phys_init() hands the rest of RAM
 * to the buddy allocator. */
void phys_early_init(paddr_t mapped_end);              /* highest address boot page tables reach + 1 */
paddr_t phys_early_alloc(u64 size, u64 align);         /* zeroed; panics "not enough memory" when short */
bool phys_early_next_ram(u32 *cursor, pfn_t *lo, pfn_t *hi); /* RAM in 2 MiB sections, rounded outwards */
void phys_init(void);                                  /* page_array is in place: fill the buddy lists */
void phys_free_range(paddr_t base, u64 size);          /* later gifts: init text, initrd, ACPI tables */

/* Debug: fail the n-th allocation from now (0: off); counts page_alloc and slab_alloc calls alike. */
void alloc_fail_nth(u64 n);
bool alloc_should_fail(void);
