/* SPDX-License-Identifier: MIT */
/*
 * memory_map.c - from what firmware claims to what may be allocated.
 *
 * Firmware lists overlap, touch, come unsorted and end in the middle of pages. Here they become two
 * sorted lists of disjoint byte ranges: memory that somebody called RAM, and memory that somebody
 * called anything else. What may be used is the first without the second, cut to whole pages:
 *
 *      RAM      [==============================)        [=====)
 *      taken          [---)        [-)                      [-------)
 *      ram    [===)        [=====)     [=======)        [===)              (page-aligned inwards)
 *
 * So the most restrictive claim wins whatever the order, and losing information can only be made
 * safe in one direction: a full list of RAM drops the new range, a full list of taken or reserved
 * ranges joins its two closest neighbours, which takes the gap between them out of use.
 *
 * All of this runs on one CPU before any allocator; nothing is locked.
 *
 * Read next: boot_info.c (who calls boot_map_resolve), mm/phys (who reads the result).
 */
#include "boot/internal.h"
#include "kernel/printk.h"
#include "lib/string.h"

#define PHYS_LIMIT (1ull << 52) /* no supported page table reaches further */

/* Sorted by base, disjoint and not touching. */
struct range_list {
	struct boot_range *ranges;
	u32 *nr;
	u32 max;
	const char *name;
	bool overflowed; /* reported once */
};

static struct boot_range firmware_ram[BOOT_MAX_RANGES], firmware_taken[BOOT_MAX_RANGES];
static u32 nr_firmware_ram, nr_firmware_taken;

static struct range_list ram_list = {
	.ranges = firmware_ram, .nr = &nr_firmware_ram, .max = BOOT_MAX_RANGES, .name = "RAM"};
static struct range_list taken_list = {.ranges = firmware_taken,
				       .nr = &nr_firmware_taken,
				       .max = BOOT_MAX_RANGES,
				       .name = "firmware-owned"};
static struct range_list reserved_list = {.ranges = boot_info.reserved,
					  .nr = &boot_info.nr_reserved,
					  .max = BOOT_MAX_RESERVED,
					  .name = "reserved"};

static u64 range_end(const struct boot_range *r)
{
	return r->base + r->size;
}

/* Clips [base, base + size) to the physical address space; false when nothing remains. */
static bool range_clip(struct boot_range *r, paddr_t base, u64 size, enum boot_mem_kind kind)
{
	if (base >= PHYS_LIMIT || !size)
		return false;
	*r = (struct boot_range){base, MIN(size, PHYS_LIMIT - base), kind};
	return true;
}

static void list_remove(struct range_list *l, u32 first, u32 count)
{
	memmove(&l->ranges[first], &l->ranges[first + count],
		(*l->nr - first - count) * sizeof(l->ranges[0]));
	*l->nr -= count;
}

/* Inserts a range and joins it with all that it overlaps or touches. False when the list is full. */
static bool list_insert(struct range_list *l, struct boot_range add)
{
	u32 first = 0, last;

	while (first < *l->nr && range_end(&l->ranges[first]) < add.base)
		first++;
	for (last = first; last < *l->nr && l->ranges[last].base <= range_end(&add); last++) {
		u64 base = MIN(add.base, l->ranges[last].base);
		u64 end = MAX(range_end(&add), range_end(&l->ranges[last]));

		add.base = base;
		add.size = end - base;
	}
	if (last > first) {
		l->ranges[first] = add;
		list_remove(l, first + 1, last - first - 1);
		return true;
	}
	if (*l->nr == l->max)
		return false;
	memmove(&l->ranges[first + 1], &l->ranges[first], (*l->nr - first) * sizeof(l->ranges[0]));
	l->ranges[first] = add;
	++*l->nr;
	return true;
}

static void list_report_full(struct range_list *l, const char *consequence)
{
	if (!l->overflowed)
		printk("memory map: more than %u %s ranges: %s\n", l->max, l->name, consequence);
	l->overflowed = true;
}

/* Makes room by joining the two neighbours with the smallest gap between them. */
static void list_join_closest(struct range_list *l)
{
	u64 smallest = ~0ull;
	u32 at = 0;

	for (u32 i = 0; i + 1 < *l->nr; i++) {
		u64 gap = l->ranges[i + 1].base - range_end(&l->ranges[i]);

		if (gap < smallest) {
			smallest = gap;
			at = i;
		}
	}
	l->ranges[at].size = range_end(&l->ranges[at + 1]) - l->ranges[at].base;
	list_remove(l, at + 1, 1);
}

/* Inserts a range that must not be lost: over-reserving is safe, forgetting is not. */
static void list_insert_always(struct range_list *l, struct boot_range add)
{
	if (list_insert(l, add))
		return;
	list_report_full(l, "neighbours are joined");
	list_join_closest(l);
	list_insert(l, add);
}

/* boot_add_range - see boot_info.h. */
void boot_add_range(paddr_t base, u64 size, enum boot_mem_kind kind)
{
	struct boot_range r;

	if (!range_clip(&r, base, size, kind))
		return;
	if (kind != BOOT_MEM_RAM)
		list_insert_always(&taken_list, r);
	else if (!list_insert(&ram_list, r))
		list_report_full(&ram_list, "the rest of memory is not used");
}

/* boot_reserve - see boot_info.h. */
void boot_reserve(paddr_t base, u64 size)
{
	struct boot_range r;

	if (range_clip(&r, base, size, BOOT_MEM_RESERVED))
		list_insert_always(&reserved_list, r);
}

/* Appends the whole pages of [base, end). Pieces come in ascending order. */
static void ram_emit(u64 base, u64 end)
{
	base = ALIGN_UP(base, PAGE_SIZE);
	end = ALIGN_DOWN(end, PAGE_SIZE);
	if (base >= end)
		return;
	if (boot_info.nr_ram == BOOT_MAX_RANGES) {
		list_report_full(&ram_list, "the rest of memory is not used");
		return;
	}
	boot_info.ram[boot_info.nr_ram++] = (struct boot_range){base, end - base, BOOT_MEM_RAM};
}

/* Emits what remains of one RAM range when every taken range is cut out of it. */
static void ram_emit_without_taken(const struct boot_range *ram)
{
	u64 base = ram->base, end = range_end(ram);

	for (u32 i = 0; i < nr_firmware_taken && base < end; i++) {
		const struct boot_range *taken = &firmware_taken[i];

		if (range_end(taken) <= base)
			continue;
		if (taken->base >= end)
			break;
		if (taken->base > base)
			ram_emit(base, taken->base);
		base = range_end(taken);
	}
	if (base < end)
		ram_emit(base, end);
}

/* boot_map_resolve - see internal.h. */
void boot_map_resolve(void)
{
	boot_info.nr_ram = 0;
	for (u32 i = 0; i < nr_firmware_ram; i++)
		ram_emit_without_taken(&firmware_ram[i]);
	nr_firmware_ram = nr_firmware_taken = 0;
	ram_list.overflowed = taken_list.overflowed = reserved_list.overflowed = false;
}

/* boot_ram_contains - see internal.h. */
bool boot_ram_contains(paddr_t base, u64 size)
{
	for (u32 i = 0; i < boot_info.nr_ram; i++) {
		const struct boot_range *r = &boot_info.ram[i];

		if (base >= r->base && base - r->base < r->size)
			return size <= r->size - (base - r->base);
	}
	return false;
}

static enum boot_mem_kind efi_kind(u32 type)
{
	switch (type) {
	case 1: /* loader code and data: what matters of it is reserved one by one */
	case 2:
	case 3: /* boot services: over once they have been left */
	case 4:
	case 7: /* conventional */
		return BOOT_MEM_RAM;
	case 8:
		return BOOT_MEM_BAD;
	case 9:
	case 10:
		return BOOT_MEM_ACPI;
	default: /* runtime services, device memory, unknown */
		return BOOT_MEM_RESERVED;
	}
}

/* boot_add_efi - see internal.h. */
void boot_add_efi(const u8 *descriptor)
{
	u64 pages = le64_at(descriptor + 24);
	u64 size = pages > ~0ull >> PAGE_SHIFT ? ~0ull : pages << PAGE_SHIFT;

	boot_add_range(le64_at(descriptor + 8), size, efi_kind(le32_at(descriptor)));
}

/* boot_add_e820 - see internal.h. */
void boot_add_e820(paddr_t base, u64 size, u32 type)
{
	switch (type) {
	case 1:
		boot_add_range(base, size, BOOT_MEM_RAM);
		break;
	case 3: /* tables, ours once read */
	case 4: /* firmware's across sleep */
		boot_add_range(base, size, BOOT_MEM_ACPI);
		break;
	case 5:
		boot_add_range(base, size, BOOT_MEM_BAD);
		break;
	default: /* reserved, and whatever a later specification may invent */
		boot_add_range(base, size, BOOT_MEM_RESERVED);
		break;
	}
}
