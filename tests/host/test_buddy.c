/* SPDX-License-Identifier: MIT */
/* The page allocator, against a flat model: one owner number for each frame. */
#include "harness.h"
#include "sim.h"

#include <sys/mman.h>

#include "boot/boot_info.h"
#include "kernel/lock.h"
#include "kernel/percpu.h"
#include "mm/phys/internal.h"

#define MAX_BLOCKS 4096

static struct block {
	struct page *page;
	unsigned order;
	u32 tag;
} blocks[MAX_BLOCKS];
static unsigned nr_blocks;

static u8 owned[GIB(1) >> PAGE_SHIFT]; /* the model: 1 while a block has the frame */

/* Every frame of a block carries the block's tag at both ends. */
static void block_stamp(const struct block *b)
{
	for (unsigned i = 0; i < 1u << b->order; i++) {
		u32 *words = page_to_virt(b->page + i);

		words[0] = b->tag + i;
		words[PAGE_SIZE / 4 - 1] = ~(b->tag + i);
	}
}

static void block_verify(const struct block *b)
{
	for (unsigned i = 0; i < 1u << b->order; i++) {
		const u32 *words = page_to_virt(b->page + i);

		EXPECT_EQ(words[0], b->tag + i);
		EXPECT_EQ(words[PAGE_SIZE / 4 - 1], ~(b->tag + i));
	}
}

static void check_shape(const struct block *b)
{
	ASSERT(IS_ALIGNED(page_to_pfn(b->page), 1ul << b->order));
	EXPECT_EQ(page_type(b->page), PAGE_KERNEL);
	EXPECT_EQ(page_order(b->page), b->order);
	EXPECT_EQ(b->page->refs, 1);
	for (unsigned i = 0; i < 1u << b->order; i++) {
		pfn_t pfn = page_to_pfn(b->page) + i;

		ASSERT(page_exists(pfn));
		ASSERT_EQ(owned[pfn], 0);
		owned[pfn] = 1;
		EXPECT(page_head(b->page + i) == b->page);
	}
}

static bool block_alloc(unsigned order, unsigned flags)
{
	struct block *b = &blocks[nr_blocks];

	ASSERT(nr_blocks < MAX_BLOCKS);
	*b = (struct block){page_alloc(order, flags), order, (u32)rng()};
	if (!b->page)
		return false;
	nr_blocks++;
	check_shape(b);
	block_stamp(b);
	return true;
}

static void block_free(unsigned i)
{
	struct block b = blocks[i];

	block_verify(&b);
	memset(&owned[page_to_pfn(b.page)], 0, 1ul << b.order);
	blocks[i] = blocks[--nr_blocks];
	if (rng_one_in(2))
		page_free(b.page, b.order);
	else
		page_put(b.page);
}

static void machine(unsigned cpus, u64 mib)
{
	nr_blocks = 0;
	memset(owned, 0, sizeof(owned));
	sim_machine(cpus, mib);
}

static void count_blocks(u64 counts[PAGE_MAX_ORDER + 1])
{
	page_drain_local_cache();
	for (unsigned order = 0; order <= PAGE_MAX_ORDER; order++)
		counts[order] = buddy_count_blocks(order);
}

TEST(all_memory_that_is_not_taken_is_free_at_boot)
{
	u64 blocks_before[PAGE_MAX_ORDER + 1], sum = 0;

	machine(1, 64);
	EXPECT_EQ(page_count_total(), page_count_free());
	/* One page went to the map of sections; sim_machine's RAM lies at 16..80 MiB. */
	EXPECT_EQ(page_count_total(), (MIB(64) >> PAGE_SHIFT) - 1);
	EXPECT_EQ(page_max_pfn, MIB(80) >> PAGE_SHIFT);
	EXPECT(page_exists(MIB(16) >> PAGE_SHIFT));
	EXPECT(!page_exists((MIB(16) >> PAGE_SHIFT) - 1));
	EXPECT(!page_exists(MIB(80) >> PAGE_SHIFT));
	EXPECT(!page_exists(~0ul));
	count_blocks(blocks_before);
	EXPECT_EQ(blocks_before[PAGE_MAX_ORDER], 15);
	for (unsigned order = 0; order <= PAGE_MAX_ORDER; order++)
		sum += blocks_before[order] << order;
	EXPECT_EQ(sum, page_count_free());
}

TEST(random_blocks_never_overlap_and_coalesce_completely)
{
	u64 before[PAGE_MAX_ORDER + 1], after[PAGE_MAX_ORDER + 1];

	for (unsigned round = 0; round < 4; round++) {
		machine(1, 32);
		count_blocks(before);
		for (unsigned step = 0; step < 20000; step++) {
			unsigned order =
				rng_one_in(3) ? (unsigned)rng_below(PAGE_MAX_ORDER + 1) : 0;

			if (nr_blocks < MAX_BLOCKS && rng_below(100) < (step / 2000 % 2 ? 35 : 60))
				block_alloc(order, rng_one_in(2) ? PA_ATOMIC : 0);
			else if (nr_blocks)
				block_free((unsigned)rng_below(nr_blocks));
			if (host_test_failed())
				return;
		}
		while (nr_blocks)
			block_free((unsigned)rng_below(nr_blocks));
		count_blocks(after);
		EXPECT(!memcmp(before, after, sizeof(before)));
		EXPECT_EQ(page_count_free(), page_count_total());
	}
}

TEST(every_frame_can_be_had_and_given_back)
{
	u64 before[PAGE_MAX_ORDER + 1], after[PAGE_MAX_ORDER + 1];

	machine(1, 8);
	count_blocks(before);
	while (block_alloc(0, PA_ATOMIC))
		continue;
	EXPECT_EQ(nr_blocks, page_count_total());
	EXPECT_EQ(page_count_free(), 0);
	EXPECT(!page_alloc(0, 0));
	EXPECT(!page_alloc(0, PA_USER | PA_ZERO));
	while (nr_blocks)
		block_free((unsigned)rng_below(nr_blocks));
	count_blocks(after);
	EXPECT(!memcmp(before, after, sizeof(before)));
}

static u64 left_after_allocating(unsigned flags)
{
	machine(1, 64);
	while (page_alloc(0, flags))
		continue;
	return page_count_free();
}

TEST(user_memory_runs_out_first_and_atomic_requests_last)
{
	u64 reserve = page_count_total() / 256;

	machine(1, 64);
	reserve = page_count_total() / 256;
	EXPECT_EQ(left_after_allocating(PA_USER), 2 * reserve);
	EXPECT(!page_alloc(0, PA_USER));
	EXPECT(page_alloc(0, 0) != NULL);
	EXPECT_EQ(left_after_allocating(0), reserve);
	EXPECT(!page_alloc(3, 0));
	EXPECT(page_alloc(3, PA_ATOMIC) != NULL);
	EXPECT_EQ(left_after_allocating(PA_ATOMIC), 0);
	EXPECT_EQ(left_after_allocating(PA_ATOMIC | PA_USER), 0);
}

TEST(zeroed_pages_are_zero_whatever_was_in_them)
{
	static const char zeros[PAGE_SIZE];

	machine(1, 8);
	for (unsigned round = 0; round < 300; round++) {
		unsigned order = (unsigned)rng_below(4);
		struct page *p = page_alloc(order, PA_ZERO);

		ASSERT(p != NULL);
		for (unsigned i = 0; i < 1u << order; i++)
			EXPECT(!memcmp(page_to_virt(p + i), zeros, PAGE_SIZE));
		memset(page_to_virt(p), 0xee, PAGE_SIZE << order);
		page_free(p, order);
	}
}

TEST(orders_above_the_largest_fail)
{
	machine(1, 64);
	EXPECT(!page_alloc(PAGE_MAX_ORDER + 1, 0));
	EXPECT(!page_alloc(63, PA_ATOMIC));
	EXPECT(!page_alloc(~0u, 0));
}

TEST(blocks_do_not_merge_across_memory_that_is_not_there)
{
	/* 2 MiB at an odd section whose buddy has no page structs, 4 MiB, and 2 MiB at an even one. */
	const struct sim_range ram[] = {{MIB(18), MIB(2)}, {MIB(24), MIB(4)}, {MIB(36), MIB(2)}};
	struct page *p;

	sim_start(1);
	sim_ram(ram, 3);
	phys_early_init(MIB(38));
	sim_page_array();
	phys_init();
	EXPECT_EQ(page_count_total(), (MIB(8) >> PAGE_SHIFT) - 1);
	p = page_alloc(PAGE_MAX_ORDER, PA_ATOMIC);
	ASSERT(p != NULL);
	EXPECT_EQ(page_to_phys(p), MIB(24));
	EXPECT(!page_alloc(PAGE_MAX_ORDER, PA_ATOMIC));
	page_free(p, PAGE_MAX_ORDER);
	p = page_alloc(SECTION_ORDER, PA_ATOMIC);
	ASSERT(p != NULL);
	EXPECT_EQ(page_to_phys(p), MIB(18));
	page_free(p, SECTION_ORDER);
	EXPECT_EQ(buddy_count_blocks(SECTION_ORDER), 1);
}

TEST(reserved_ranges_stay_out_until_they_are_given)
{
	const struct sim_range ram = {MIB(16), MIB(8)};
	u64 before;

	sim_start(1);
	sim_ram(&ram, 1);
	boot_info.reserved[0] = (struct boot_range){MIB(17) + 5, KIB(64), BOOT_MEM_RESERVED};
	boot_info.nr_reserved = 1;
	phys_early_init(~0ul);
	sim_page_array();
	phys_init();
	before = page_count_total();
	EXPECT_EQ(before, (MIB(8) >> PAGE_SHIFT) - 17 - 1); /* 17: not aligned */
	while (true) {
		struct page *p = page_alloc(0, PA_ATOMIC);

		if (!p)
			break;
		EXPECT(page_to_phys(p) < MIB(17) || page_to_phys(p) >= MIB(17) + KIB(68));
	}
	phys_free_range(MIB(17) + 5, KIB(64));
	EXPECT_EQ(page_count_total(), before + 15); /* whole pages inside */
	EXPECT_EQ(page_count_free(), 15);
	EXPECT_PANIC(phys_free_range(MIB(17) + KIB(8), KIB(4))); /* first of a block */
	EXPECT_PANIC(phys_free_range(MIB(17) + KIB(12), KIB(4)));
	EXPECT_PANIC(phys_free_range(MIB(18), KIB(4)));
	phys_free_range(GIB(8), MIB(1)); /* not RAM: nothing to give */
	EXPECT_EQ(page_count_total(), before + 15);
}

TEST(references_keep_a_page)
{
	struct page *p;

	machine(1, 8);
	p = page_alloc(2, 0);
	ASSERT(p != NULL);
	page_get(p);
	EXPECT(page_try_get(p));
	EXPECT_EQ(p->refs, 3);
	page_put(p);
	page_put(p);
	EXPECT_EQ(page_count_free(), page_count_total() - 4);
	page_put(p);
	EXPECT_EQ(page_count_free(), page_count_total());
	EXPECT(!page_try_get(p));
	EXPECT_EQ(p->refs, 0);
	EXPECT_PANIC(page_put(p));
}

TEST(many_references_are_dropped_at_once)
{
	struct page *pages[200];

	machine(1, 8);
	for (unsigned i = 0; i < ARRAY_SIZE(pages); i++) {
		pages[i] = page_alloc(i % 5 ? 0 : 1, 0);
		ASSERT(pages[i] != NULL);
		if (i % 2)
			page_get(pages[i]);
	}
	page_put_many(pages, ARRAY_SIZE(pages));
	for (unsigned i = 1; i < ARRAY_SIZE(pages); i += 2)
		EXPECT_EQ(pages[i]->refs, 1);
	EXPECT_EQ(page_count_total() - page_count_free(), 120);
	for (unsigned i = 1; i < ARRAY_SIZE(pages); i += 2)
		page_put_many(&pages[i], 1);
	EXPECT_EQ(page_count_free(), page_count_total());
	page_put_many(NULL, 0);
}

TEST(a_folio_is_freed_by_its_order)
{
	struct page *p;

	machine(1, 16);
	p = page_alloc(SECTION_ORDER, 0);
	ASSERT(p != NULL);
	p->flags = PAGE_ANON | PG_EXCLUSIVE | PG_DIRTY;
	p->order = SECTION_ORDER;
	p->mapcount = 1;
	page_put(p);
	EXPECT_EQ(page_count_free(), page_count_total());
	for (unsigned i = 0; i < 1u << SECTION_ORDER; i++)
		EXPECT_EQ(p[i].refs, 0);
	for (unsigned i = 1; i < 1u << SECTION_ORDER; i++)
		EXPECT_EQ(page_type(&p[i]), PAGE_RESERVED);
}

/* It found the frame when that was somebody else's, and will notice when it looks again. */
TEST(a_reference_of_a_lockless_lookup_only_delays_the_free)
{
	struct page *p;

	machine(1, 8);
	for (unsigned order = 0; order < 3; order++) {
		p = page_alloc(order, 0);
		ASSERT(p && page_try_get(p));
		page_free(p, order);
		EXPECT_EQ(page_count_free(), page_count_total() - (1u << order));
		page_put(p);
		EXPECT_EQ(page_count_free(), page_count_total());
	}
	p = page_alloc(0, 0);
	ASSERT(p && page_try_get(p));
	page_put(p);
	page_free(p, 0);
	EXPECT_EQ(page_count_free(), page_count_total());
}

TEST(wrong_frees_are_caught)
{
	struct page *p, *q;

	machine(1, 8);
	p = page_alloc(0, 0);
	q = page_alloc(2, 0);
	ASSERT(p && q);
	EXPECT_PANIC(page_free(q + 1, 0));
	if (DEBUG_BUILD)
		EXPECT_PANIC(page_free(q, 1));
	page_free(p, 0);
	EXPECT_PANIC(page_free(p, 0)); /* in this CPU's stack */
	page_drain_local_cache();
	EXPECT_PANIC(page_free(p, 0)); /* in the lists */
	page_free(q, 2);
	EXPECT_PANIC(page_free(q, 2));
	EXPECT_PANIC(page_free(q + 1, 0));
	q = pfn_to_page(page_max_pfn - 1); /* the boot allocator's */
	EXPECT_PANIC(page_free(q, 0));
}

TEST(writing_to_a_free_page_is_caught)
{
	struct page *p;
	char *va;

	if (!DEBUG_BUILD)
		return;
	machine(1, 8);
	p = page_alloc(0, 0);
	ASSERT(p != NULL);
	va = page_to_virt(p);
	page_free(p, 0);
	va[1234] = 1;
	EXPECT_PANIC((void)!page_alloc(0, 0));
	va[1234] = (char)0xdb;
	EXPECT(page_alloc(0, 0) == p);
}

TEST(sleeping_allocations_under_a_spin_lock_are_caught)
{
	struct spinlock lock = SPINLOCK_INIT(RANK_PT_NODE);

	if (!DEBUG_BUILD)
		return;
	machine(1, 8);
	EXPECT_PANIC((spin_lock(&lock), (void)!page_alloc(0, 0)));
	spin_lock(&lock);
	EXPECT(page_alloc(0, PA_ATOMIC) != NULL);
	spin_unlock(&lock);
}

TEST(exactly_the_nth_allocation_fails)
{
	machine(1, 8);
	for (u64 n = 1; n < 80; n++) {
		alloc_fail_nth(n);
		for (u64 i = 1; i < 100; i++) {
			struct page *p = page_alloc(i % 3 ? 0 : 1, i % 2 ? PA_ATOMIC : PA_ZERO);

			EXPECT_EQ(p == NULL, i == n);
			if (p)
				page_put(p);
		}
	}
	alloc_fail_nth(1);
	EXPECT(page_alloc(0, PA_NOFAIL_TEST) != NULL);
	alloc_fail_nth(0);
	EXPECT(page_alloc(0, 0) != NULL);
}

TEST(pages_come_in_ascending_runs)
{
	struct page *last, *p;
	unsigned breaks = 0;

	machine(1, 64);
	last = page_alloc(0, 0);
	for (unsigned i = 0; i < 4096; i++, last = p) {
		p = page_alloc(0, 0);
		breaks += p != last + 1;
	}
	EXPECT(breaks < 32);
}

static struct page *hoard[256];

static void take_and_free_some(unsigned cpu, void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 30; i++)
		hoard[cpu * 30 + i] = page_alloc(0, PA_ATOMIC);
	for (unsigned i = 0; i < 30; i++)
		page_free(hoard[cpu * 30 + i], 0);
}

TEST(pages_in_other_cpus_stacks_are_found_when_memory_is_short)
{
	u64 before[PAGE_MAX_ORDER + 1], after[PAGE_MAX_ORDER + 1];
	struct page *p;

	machine(4, 64);
	count_blocks(before);
	sim_run(4, take_and_free_some, NULL);
	EXPECT_EQ(page_count_free(), page_count_total());
	EXPECT(buddy_count_free() < page_count_total());
	/* More than there is makes it look everywhere. */
	while ((p = page_alloc(PAGE_MAX_ORDER, 0)))
		blocks[nr_blocks++] = (struct block){.page = p, .order = PAGE_MAX_ORDER};
	EXPECT_EQ(buddy_count_free(), page_count_free());
	while (nr_blocks)
		page_free(blocks[--nr_blocks].page, PAGE_MAX_ORDER);
	count_blocks(after);
	EXPECT(!memcmp(before, after, sizeof(before)));
}

TEST(stacks_stay_small_on_small_machines_with_many_cpus)
{
	struct page *pages[128];

	machine(16, 8);
	for (unsigned i = 0; i < ARRAY_SIZE(pages); i++)
		pages[i] = page_alloc(0, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(pages); i++)
		page_free(pages[i], 0);
	EXPECT(page_count_free() - buddy_count_free() <= 8);
}

/* Interrupts arrive between any two instructions of the stack operations. */
static struct page *irq_pages[64];
static unsigned irq_nr, irq_count;

static void interrupt(void)
{
	irq_count++;
	for (unsigned i = 0; i < 3; i++) {
		if (irq_nr < ARRAY_SIZE(irq_pages) && irq_count % 16 < 9) {
			struct page *p = page_alloc(0, PA_ATOMIC);

			if (p)
				irq_pages[irq_nr++] = p;
		} else if (irq_nr) {
			page_free(irq_pages[--irq_nr], 0);
		}
	}
}

TEST(interrupts_may_allocate_and_free_at_any_point)
{
	machine(1, 8);
	irq_nr = irq_count = 0;
	sim_interrupts(interrupt, 20);
	for (unsigned step = 0; irq_count < 20000 && step < 3000000; step++) {
		if (nr_blocks < 500 && rng_one_in(2))
			block_alloc(0, PA_ATOMIC);
		else if (nr_blocks)
			block_free((unsigned)rng_below(nr_blocks));
		if (host_test_failed())
			break;
	}
	sim_interrupts(NULL, 0);
	EXPECT(irq_count > 1000);
	while (irq_nr)
		page_free(irq_pages[--irq_nr], 0);
	while (nr_blocks)
		block_free(0);
	EXPECT_EQ(page_count_free(), page_count_total());
	page_drain_local_cache();
	EXPECT_EQ(buddy_count_free(), page_count_total());
}

/* Boot on a large machine must not write every struct page. */
TEST(filling_the_lists_touches_one_struct_page_in_a_thousand)
{
	static u8 resident[(GIB(16) >> PAGE_SHIFT) * sizeof(struct page) / PAGE_SIZE];
	const struct sim_range ram = {MIB(16), GIB(16)};
	u64 touched = 0;

	sim_start(1);
	sim_ram(&ram, 1);
	phys_early_init(~0ul);
	sim_page_array();
	phys_init();
	EXPECT_EQ(page_count_total(), (GIB(16) >> PAGE_SHIFT) - 1);
	ASSERT(!mincore(pfn_to_page(MIB(16) >> PAGE_SHIFT), sizeof(resident), resident));
	for (size_t i = 0; i < sizeof(resident); i++)
		touched += resident[i] & 1;
	EXPECT(touched <= (GIB(16) >> (PAGE_SHIFT + PAGE_MAX_ORDER)) + 32);
}
