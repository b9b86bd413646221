/* SPDX-License-Identifier: MIT */
/*
 * early.c - memory before there is an allocator.
 *
 * What firmware left us is a list of RAM ranges and a list of ranges inside them that are taken. The
 * kernel needs memory for the struct page array and the kernel's own page tables before it can
 * build anything cleverer than these lists, so this file allocates straight from them: whole pages,
 * from the top of the highest RAM that the boot page tables map (low memory is what picky devices
 * and starting CPUs want), remembered in a third list. Neighbouring allocations merge, so that
 * list stays short.
 *
 * early_close() sweeps what is left into the buddy allocator and ends this file's life.
 *
 * Runs on the boot CPU alone: no locks. Read next: phys.c.
 */
#include "boot/boot_info.h"
#include "lib/sort.h"
#include "lib/string.h"
#include "mm/phys/internal.h"

#define EARLY_MAX_TAKEN 64

static struct {
	paddr_t limit; /* the boot page tables map no RAM at or above */
	u32 nr_taken;
	bool closed;
	struct boot_range taken[EARLY_MAX_TAKEN];
} early INIT_DATA;

static struct boot_range busy[BOOT_MAX_RESERVED + EARLY_MAX_TAKEN] INIT_DATA;

static paddr_t range_end(const struct boot_range *r)
{
	return r->base + r->size;
}

/* phys_early_init - start the boot allocator.
 *  mapped_end: bytes; first physical address that the boot page tables do not map */
void phys_early_init(paddr_t mapped_end)
{
	early.limit = ALIGN_DOWN(mapped_end, PAGE_SIZE);
	early.nr_taken = 0;
	early.closed = false;
}

/* The lowest-based range of a list that overlaps [lo, hi), NULL when none does. */
static const struct boot_range *find_overlap(const struct boot_range *list, u32 n, paddr_t lo,
					     paddr_t hi)
{
	const struct boot_range *lowest = NULL;

	for (u32 i = 0; i < n; i++) {
		if (list[i].base >= hi || range_end(&list[i]) <= lo)
			continue;
		if (!lowest || list[i].base < lowest->base)
			lowest = &list[i];
	}
	return lowest;
}

/* The highest aligned place for size bytes in [base, end) that nobody has taken; 0 when there is none,
 * or none but address 0. */
static paddr_t find_place(paddr_t base, paddr_t end, u64 size, u64 align)
{
	while (end > base && end - base >= size) {
		paddr_t lo = ALIGN_DOWN(end - size, align);
		const struct boot_range *hit;

		if (lo < base)
			return 0;
		hit = find_overlap(early.taken, early.nr_taken, lo, lo + size);
		if (!hit)
			hit = find_overlap(boot_info.reserved, boot_info.nr_reserved, lo,
					   lo + size);
		if (!hit)
			return lo;
		end = hit->base;
	}
	return 0;
}

/* Remembers an allocation; it nearly always ends where the one before begins. */
static bool take(paddr_t base, u64 size)
{
	for (u32 i = 0; i < early.nr_taken; i++) {
		if (early.taken[i].base == base + size) {
			early.taken[i].base = base;
			early.taken[i].size += size;
			return true;
		}
	}
	if (early.nr_taken == EARLY_MAX_TAKEN)
		return false;
	early.taken[early.nr_taken++] = (struct boot_range){.base = base, .size = size};
	return true;
}

/* phys_early_alloc - memory that lives as long as the kernel.
 *  size:  bytes, rounded up to pages    align: a power of two, at least a page is used
 *  returns: physical address of zeroed memory that the boot page tables map
 *  fails: panics; a machine that is short of memory here cannot be started */
paddr_t phys_early_alloc(u64 size, u64 align)
{
	BUG_ON(early.closed || !size);
	size = ALIGN_UP(size, PAGE_SIZE);
	align = MAX(align, PAGE_SIZE);
	for (u32 i = boot_info.nr_ram; i-- > 0;) {
		const struct boot_range *ram = &boot_info.ram[i];
		paddr_t pa = find_place(ram->base, MIN(range_end(ram), early.limit), size, align);

		if (!pa)
			continue;
		if (!take(pa, size))
			panic("boot memory is in more than %u pieces", EARLY_MAX_TAKEN);
		memset(phys_to_virt(pa), 0, size);
		return pa;
	}
	panic("not enough memory to start: no %lu KiB free below 0x%lx", size >> 10, early.limit);
}

/* phys_early_next_ram - iterate over RAM in whole 2 MiB sections; touching neighbours come as one.
 *  cursor: 0 before the first call    lo, hi: frames, multiples of 512, hi exclusive
 *  returns: false at the end. Sections may contain frames that are not RAM. */
bool phys_early_next_ram(u32 *cursor, pfn_t *lo, pfn_t *hi)
{
	u32 i = *cursor;
	paddr_t start, end;

	if (i >= boot_info.nr_ram)
		return false;
	start = ALIGN_DOWN(boot_info.ram[i].base, BIT(SECTION_SHIFT));
	do {
		end = ALIGN_UP(range_end(&boot_info.ram[i]), BIT(SECTION_SHIFT));
		i++;
	} while (i < boot_info.nr_ram &&
		 ALIGN_DOWN(boot_info.ram[i].base, BIT(SECTION_SHIFT)) <= end);
	*cursor = i;
	*lo = start >> PAGE_SHIFT;
	*hi = end >> PAGE_SHIFT;
	return true;
}

static int busy_compare(const void *a, const void *b)
{
	paddr_t x = ((const struct boot_range *)a)->base, y = ((const struct boot_range *)b)->base;

	return x < y ? -1 : x > y;
}

/* Both lists of taken ranges, page-aligned outwards and sorted; they may overlap each other. */
static u32 busy_collect(void)
{
	u32 n = 0;

	for (u32 i = 0; i < boot_info.nr_reserved; i++)
		busy[n++] = boot_info.reserved[i];
	for (u32 i = 0; i < early.nr_taken; i++)
		busy[n++] = early.taken[i];
	for (u32 i = 0; i < n; i++) {
		paddr_t end = ALIGN_UP(range_end(&busy[i]), PAGE_SIZE);

		busy[i].base = ALIGN_DOWN(busy[i].base, PAGE_SIZE);
		busy[i].size = end - busy[i].base;
	}
	sort(busy, n, sizeof(busy[0]), busy_compare);
	return n;
}

/* Gives [base, end) without the busy ranges to fn. */
static void sweep(paddr_t base, paddr_t end, u32 nr_busy, void (*fn)(paddr_t base, u64 size))
{
	for (u32 i = 0; i < nr_busy && busy[i].base < end; i++) {
		if (busy[i].base > base)
			fn(base, busy[i].base - base);
		base = MAX(base, range_end(&busy[i]));
	}
	if (base < end)
		fn(base, end - base);
}

/* early_close - see internal.h. */
void early_close(void (*fn)(paddr_t base, u64 size))
{
	u32 nr_busy = busy_collect();

	BUG_ON(early.closed);
	early.closed = true;
	for (u32 i = 0; i < boot_info.nr_ram; i++) {
		const struct boot_range *ram = &boot_info.ram[i];

		/* Address 0 means "none" in too many places to be anybody's memory. */
		sweep(MAX(ram->base, PAGE_SIZE), range_end(ram), nr_busy, fn);
	}
}
