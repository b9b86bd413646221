/* SPDX-License-Identifier: MIT */
/* test_vma_tree.c - mappings by address and the search for gaps, against an array of pages. */
#include "mm/vma/vma.h"
#include "tests/host/harness.h"

#define PAGES 2048
#define LO    (16 * PAGE_SIZE)
#define HI    (LO + PAGES * PAGE_SIZE)

static struct vma_tree tree;
static struct vma *owner[PAGES];
static unsigned live;

static struct vma **page(vaddr_t va)
{
	return &owner[(va - LO) >> PAGE_SHIFT];
}

static void claim(struct vma *v, struct vma *as)
{
	for (vaddr_t va = v->start; va < v->end; va += PAGE_SIZE)
		*page(va) = as;
}

static bool range_free(vaddr_t lo, vaddr_t hi)
{
	if (lo < LO || hi > HI)
		return false;
	for (vaddr_t va = lo; va < hi; va += PAGE_SIZE)
		if (*page(va))
			return false;
	return true;
}

static struct vma *new_vma(vaddr_t start, u64 pages)
{
	struct vma *v = calloc(1, sizeof(*v));

	v->start = start;
	v->end = start + pages * PAGE_SIZE;
	vma_insert(&tree, v, vma_find(&tree, start));
	claim(v, v);
	live++;
	return v;
}

static void drop(struct vma *v)
{
	vma_remove(&tree, v);
	claim(v, NULL);
	free(v);
	live--;
}

/* The model's answer: the highest start of `pages` free pages inside [lo, hi). */
static vaddr_t model_gap(u64 pages, vaddr_t lo, vaddr_t hi)
{
	for (vaddr_t at = hi - pages * PAGE_SIZE; at >= lo && at < hi; at -= PAGE_SIZE)
		if (range_free(at, at + pages * PAGE_SIZE))
			return at;
	return 0;
}

static void check_lookups(void)
{
	vaddr_t va = LO + rng_below(PAGES) * PAGE_SIZE;
	struct vma *expect = *page(va), *found = vma_find(&tree, va);
	vaddr_t next = va;

	ASSERT(vma_find_exact(&tree, va) == expect);
	while (next < HI && !*page(next))
		next += PAGE_SIZE;
	ASSERT(found == (next < HI ? *page(next) : NULL));
}

/* What vma_gap finds, with the mapping above it. */
static vaddr_t gap(u64 len, vaddr_t lo, vaddr_t hi)
{
	struct vma *next;
	vaddr_t at = vma_gap(&tree, len, lo, hi, &next);

	ASSERT(!at || next == vma_find(&tree, at));
	return at;
}

static void check_gap(void)
{
	u64 pages = 1 + rng_below(rng_one_in(4) ? 200 : 8);
	vaddr_t lo = LO + rng_below(PAGES / 2) * PAGE_SIZE,
		hi = HI - rng_below(PAGES / 2) * PAGE_SIZE;

	if (rng_one_in(2)) {
		lo = LO;
		hi = HI;
	}
	if (hi <= lo + pages * PAGE_SIZE)
		return;
	ASSERT_EQ(gap(pages * PAGE_SIZE, lo, hi), model_gap(pages, lo, hi));
}

static void random_step(void)
{
	vaddr_t va = LO + rng_below(PAGES) * PAGE_SIZE;
	u64 pages = 1 + rng_below(12);
	struct vma *v = *page(va);

	if (!v) {
		if (live < 200 && range_free(va, va + pages * PAGE_SIZE))
			new_vma(va, pages);
	} else if (rng_one_in(2)) {
		drop(v);
	} else if (va > v->start) { /* cut the tail off */
		claim(v, NULL);
		vma_resize(v, v->start, va);
		claim(v, v);
	} else if (range_free(v->end, v->end + PAGE_SIZE)) {
		vma_resize(v, v->start, v->end + PAGE_SIZE);
		claim(v, v);
	}
}

TEST(lookups_and_gaps_agree_with_a_page_array)
{
	for (unsigned i = 0; i < 20000; i++) {
		random_step();
		check_lookups();
		check_gap();
		if (i % 16 == 0)
			vma_check_tree(&tree);
	}
	while (tree.root.node)
		drop(rb_entry(tree.root.node, struct vma, node));
	EXPECT_EQ(live, 0);
}

TEST(an_empty_space_gives_its_highest_end)
{
	EXPECT_EQ(gap(PAGE_SIZE, LO, HI), HI - PAGE_SIZE);
	EXPECT_EQ(gap(HI - LO, LO, HI), LO);
	EXPECT_EQ(gap(HI - LO + PAGE_SIZE, LO, HI), 0);
}

TEST(nothing_is_placed_into_the_guard_gap_of_a_stack)
{
	struct vma *stack = new_vma(LO + 400 * PAGE_SIZE, 8);

	vma_remove(&tree, stack);
	stack->flags = VM_GROWSDOWN;
	vma_insert(&tree, stack, vma_find(&tree, stack->start));
	EXPECT_EQ(gap(PAGE_SIZE, LO, stack->start), stack->start - STACK_GUARD - PAGE_SIZE);
	drop(stack);
}
