/* SPDX-License-Identifier: MIT */
/*
 * phys.c - which frames exist, and how they reach the page allocator.
 *
 * page_array is one virtual array for all of physical address space. Whoever builds the kernel's page
 * tables backs it with (zeroed) memory for the 2 MiB sections that phys_early_next_ram() reports;
 * here a bitmap remembers which those were. Zero means PAGE_RESERVED: nothing is initialised frame
 * by frame.
 *
 * Locks: none; boot only, except for the late gifts, which the buddy lock orders, and the reference
 * counts, which are atomic.
 *
 * Read next: buddy.c.
 */
#include "lib/atomic.h"
#include "lib/bitmap.h"
#include "mm/phys/internal.h"

struct page *page_array = (struct page *)PAGES_BASE;
pfn_t page_max_pfn;

static u64 *section_map; /* constant after phys_init: one bit per section */
static u64 nr_managed;   /* [a] frames given to the buddy allocator so far */

/* page_exists - see page.h. */
bool page_exists(pfn_t pfn)
{
	return pfn < page_max_pfn && bitmap_test(section_map, pfn >> SECTION_ORDER);
}

static void sections_init(void)
{
	u32 cursor = 0;
	pfn_t lo, hi, max = 0;

	while (phys_early_next_ram(&cursor, &lo, &hi))
		max = hi;
	section_map = phys_to_virt(
		phys_early_alloc(BITMAP_WORDS(max >> SECTION_ORDER) * sizeof(u64), PAGE_SIZE));
	cursor = 0;
	while (phys_early_next_ram(&cursor, &lo, &hi))
		bitmap_set_range(section_map, lo >> SECTION_ORDER, (hi - lo) >> SECTION_ORDER);
	page_max_pfn = max;
}

static void gift(paddr_t base, u64 size)
{
	pfn_t lo = base >> PAGE_SHIFT, hi = (base + size) >> PAGE_SHIFT;

	atomic_add(&nr_managed, hi - lo);
	buddy_give_range(lo, hi);
}

/* phys_init - hand all RAM that is not taken to the buddy allocator.
 *  needs: page_array backed by zeroed memory for each section of RAM; boot CPU
 *  after: page_alloc works, phys_early_alloc does not; each CPU-local cache still off */
void phys_init(void)
{
	nr_managed = 0;
	sections_init();
	buddy_init();
	early_close(gift);
	page_set_reserve(nr_managed);
	if (!nr_managed)
		panic("not enough memory to start: none is left after the page array");
}

/* phys_free_range - a reserved range of RAM is not needed any more: let everybody use its whole pages.
 *  base, size: bytes    panics: on frames that are owned or free
 *  Frames without a struct page (a firmware range outside every section of RAM) are left alone. */
void phys_free_range(paddr_t base, u64 size)
{
	pfn_t lo = DIV_ROUND_UP(base, PAGE_SIZE), hi = (base + size) >> PAGE_SHIFT;

	for (pfn_t pfn = lo; pfn < hi; pfn++) {
		struct page *p = pfn_to_page(pfn);

		if (!pfn || !page_exists(pfn))
			continue;
		if (page_type(p) != PAGE_RESERVED || p->refs || buddy_contains(pfn))
			panic("phys_free_range: frame 0x%lx has type %u, %u references", pfn,
			      page_type(p), p->refs);
		gift(pfn << PAGE_SHIFT, PAGE_SIZE);
	}
}

/* phys_percpu_start - see page_alloc.h. Boot CPU, before the others start. */
void phys_percpu_start(void)
{
	page_caches_start();
	slab_magazines_start();
}

/* page_count_total - see page_alloc.h. */
u64 page_count_total(void)
{
	return atomic_load(&nr_managed);
}

/* page_dump_counts - see page_alloc.h. */
void page_dump_counts(void (*print)(const char *fmt, ...))
{
	print("memory: %lu of %lu KiB free; blocks of 4 KiB, 8 KiB ..:", page_count_free() * 4,
	      page_count_total() * 4);
	for (unsigned order = 0; order <= PAGE_MAX_ORDER; order++)
		print(" %lu", buddy_count_blocks(order));
	print("\n");
}
