/* SPDX-License-Identifier: MIT */
/*
 * test_space_claims.c - single claims about address spaces: who may write a page in place, what is flushed and
 * dropped, how mappings join, what limits count, where stacks grow.
 */
#include <arch/cache.h>
#include "mm/obj/anon.h"
#include "mm/phys/page_alloc.h"
#include "mm/vma/vma.h"
#include "tests/host/sim_space.h"

TEST(the_last_owner_of_a_shared_page_writes_it_in_place)
{
	struct space *parent, *child;
	u32 word = 1;
	u64 frame;

	start(1);
	parent = space_with(1);
	ASSERT_EQ(touch(parent, BASE, true, &word), FAULT_DONE);
	frame = frame_of(parent, BASE);
	ASSERT_EQ(space_fork(parent, &child), 0);
	EXPECT_EQ(frame_of(child, BASE), frame);
	EXPECT(!page_test(pfn_to_page(frame), PG_EXCLUSIVE));
	space_put(child);
	word = 2;
	ASSERT_EQ(touch(parent, BASE, true, &word), FAULT_DONE);
	EXPECT_EQ(frame_of(parent, BASE), frame);
	EXPECT(page_test(pfn_to_page(frame), PG_EXCLUSIVE));
	end(parent);
}

TEST(a_reference_that_nobody_can_explain_forces_the_copy)
{
	struct space *parent, *child;
	u32 word = 1;
	u64 frame;

	start(1);
	parent = space_with(1);
	ASSERT_EQ(touch(parent, BASE, true, &word), FAULT_DONE);
	frame = frame_of(parent, BASE);
	ASSERT_EQ(space_fork(parent, &child), 0);
	page_get(pfn_to_page(frame)); /* as a pipe would hold it */
	space_put(child);
	word = 2;
	ASSERT_EQ(touch(parent, BASE, true, &word), FAULT_DONE);
	EXPECT(frame_of(parent, BASE) != frame);
	EXPECT_EQ(*(u32 *)page_to_virt(pfn_to_page(frame)), 1);
	page_put(pfn_to_page(frame));
	end(parent);
}

TEST(reads_of_untouched_memory_share_the_zero_page_and_are_not_counted)
{
	struct space *s;
	u32 word = 9;

	start(1);
	s = space_with(2);
	ASSERT_EQ(touch(s, BASE, false, &word), FAULT_DONE);
	EXPECT_EQ(word, 0);
	EXPECT_EQ(frame_of(s, BASE), page_to_pfn(zero_page));
	EXPECT_EQ(s->rss[RSS_ANON], 0);
	word = 5;
	ASSERT_EQ(touch(s, BASE, true, &word), FAULT_DONE);
	EXPECT(frame_of(s, BASE) != page_to_pfn(zero_page));
	EXPECT_EQ(s->rss[RSS_ANON], 1);
	EXPECT_EQ(*(u32 *)page_to_virt(zero_page), 0);
	end(s);
}

TEST(truncation_takes_the_pages_beyond_away_from_every_mapping)
{
	struct map_request r = {.addr = BASE,
				.len = 8 * PAGE_SIZE,
				.prot = PROT_READ | PROT_WRITE,
				.flags = MAP_PRIVATE | MAP_FIXED};
	struct space *s;
	u32 word = 7;
	vaddr_t at;

	start(1);
	r.obj = object;
	ASSERT_EQ(space_create(&s), 0);
	ASSERT_EQ(space_map(s, &r, &at), 0);
	ASSERT_EQ(touch(s, BASE + 5 * PAGE_SIZE, true, &word), FAULT_DONE);
	ASSERT_EQ(touch(s, BASE + 6 * PAGE_SIZE, false, &word), FAULT_DONE);
	ASSERT_EQ(object_set_size(object, 5 * PAGE_SIZE), 0);
	EXPECT_EQ(touch(s, BASE + 5 * PAGE_SIZE, false, &word), FAULT_BUS);
	EXPECT_EQ(touch(s, BASE + 6 * PAGE_SIZE, false, &word), FAULT_BUS);
	EXPECT_EQ(touch(s, BASE + 4 * PAGE_SIZE, false, &word), FAULT_DONE);
	EXPECT_EQ(word, object_content(4));
	end(s);
}

TEST(neighbours_with_equal_rights_are_one_mapping)
{
	struct space *s;

	start(1);
	s = space_with(8);
	EXPECT_EQ(s->nr_vmas, 1);
	ASSERT_EQ(space_protect(s, BASE + 2 * PAGE_SIZE, PAGE_SIZE, PROT_READ), 0);
	EXPECT_EQ(s->nr_vmas, 3);
	ASSERT_EQ(space_protect(s, BASE + 2 * PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
	EXPECT_EQ(s->nr_vmas, 1);
	ASSERT_EQ(space_unmap(s, BASE + 4 * PAGE_SIZE, PAGE_SIZE), 0);
	EXPECT_EQ(s->nr_vmas, 2);
	end(s);
}

TEST(mprotect_makes_no_page_writable_that_a_fork_shares)
{
	struct space *parent, *child;
	struct pt_slot slot;
	u32 word = 1;

	start(1);
	parent = space_with(1);
	ASSERT_EQ(touch(parent, BASE, true, &word), FAULT_DONE);
	ASSERT_EQ(space_protect(parent, BASE, PAGE_SIZE, PROT_READ), 0);
	ASSERT_EQ(space_protect(parent, BASE, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
	EXPECT(entry_allows(parent, BASE, true, &slot)); /* its own: without a fault */
	ASSERT_EQ(space_fork(parent, &child), 0);
	ASSERT_EQ(space_protect(child, BASE, PAGE_SIZE, PROT_READ), 0);
	ASSERT_EQ(space_protect(child, BASE, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
	EXPECT(!entry_allows(child, BASE, true, &slot));
	word = 2;
	ASSERT_EQ(touch(child, BASE, true, &word), FAULT_DONE);
	ASSERT_EQ(touch(parent, BASE, false, &word), FAULT_DONE);
	EXPECT_EQ(word, 1);
	space_put(child);
	end(parent);
}

/* Or nobody would know that it was written. */
TEST(a_clean_shared_page_becomes_writable_by_a_write_only)
{
	struct map_request r = {.addr = BASE,
				.len = PAGE_SIZE,
				.prot = PROT_READ | PROT_WRITE,
				.flags = MAP_SHARED | MAP_FIXED};
	struct page *page;
	struct pt_slot slot;
	struct space *s;
	u32 word = 1;
	vaddr_t at;

	start(1);
	r.obj = object;
	ASSERT_EQ(space_create(&s), 0);
	ASSERT_EQ(space_map(s, &r, &at), 0);
	ASSERT_EQ(touch(s, BASE, false, &word), FAULT_DONE);
	EXPECT(!entry_allows(s, BASE, true, &slot));
	ASSERT_EQ(space_protect(s, BASE, PAGE_SIZE, PROT_READ), 0);
	ASSERT_EQ(space_protect(s, BASE, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
	EXPECT(!entry_allows(s, BASE, true, &slot));
	ASSERT_EQ(touch(s, BASE, true, &word), FAULT_DONE);
	ASSERT_EQ(space_protect(s, BASE, PAGE_SIZE, PROT_READ), 0);
	ASSERT_EQ(space_protect(s, BASE, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
	EXPECT(entry_allows(s, BASE, true, &slot));
	page = object_find_page(object, 0);
	ASSERT(page != NULL);
	ASSERT_EQ(space_discard(s, BASE, PAGE_SIZE, false), 0);
	EXPECT(page_test(page, PG_DIRTY));
	page_put(page);
	end(s);
}

TEST(instructions_are_made_visible_once_per_page)
{
	struct space *s;
	u64 before;
	u32 word = 1;

	start(1);
	s = space_with(1);
	before = sim_icache_syncs;
	ASSERT_EQ(touch(s, BASE, true, &word), FAULT_DONE);
	EXPECT_EQ(sim_icache_syncs, before);
	ASSERT_EQ(space_protect(s, BASE, PAGE_SIZE, PROT_READ | PROT_EXEC), 0);
	EXPECT_EQ(sim_icache_syncs, before + 1);
	ASSERT_EQ(space_protect(s, BASE, PAGE_SIZE, PROT_READ), 0);
	ASSERT_EQ(space_protect(s, BASE, PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC), 0);
	EXPECT_EQ(sim_icache_syncs, before + 1);
	ASSERT_EQ(space_discard(s, BASE, PAGE_SIZE, false), 0);
	ASSERT_EQ(touch(s, BASE, true, &word), FAULT_DONE);
	EXPECT_EQ(sim_icache_syncs, before + 2);
	end(s);
}

TEST(what_was_made_for_a_slot_that_has_changed_is_dropped)
{
	struct fault f = {.va = BASE, .access = FAULT_WRITE};
	u32 word = 1;
	u64 frame, free;

	start(1);
	f.space = space_with(1);
	f.vma = vma_find(&f.space->vmas, BASE);
	ASSERT_EQ(touch(f.space, BASE, true, &word), FAULT_DONE);
	frame = frame_of(f.space, BASE);
	free = page_count_free();
	EXPECT_EQ(fault_anon(&f), FAULT_RETRY);
	EXPECT_EQ(fault_install(&f, anon_alloc(f.space, BASE, PA_ZERO), vma_page_bits(f.vma)),
		  FAULT_RETRY);
	EXPECT_EQ(frame_of(f.space, BASE), frame);
	EXPECT_EQ(page_count_free(), free);
	end(f.space);
}

TEST(joined_mappings_of_a_file_remember_private_pages_of_either)
{
	struct map_request r = {.addr = BASE,
				.len = 2 * PAGE_SIZE,
				.prot = PROT_READ | PROT_WRITE,
				.flags = MAP_PRIVATE | MAP_FIXED};
	struct space *s, *child;
	u32 word = 1;
	vaddr_t at;

	start(1);
	r.obj = object;
	ASSERT_EQ(space_create(&s), 0);
	ASSERT_EQ(space_map(s, &r, &at), 0);
	ASSERT_EQ(space_protect(s, BASE, PAGE_SIZE, PROT_READ), 0);
	ASSERT_EQ(s->nr_vmas, 2);
	ASSERT_EQ(touch(s, BASE + PAGE_SIZE, true, &word), FAULT_DONE);
	ASSERT_EQ(space_protect(s, BASE, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
	ASSERT_EQ(s->nr_vmas, 1);
	ASSERT_EQ(space_fork(s, &child), 0);
	ASSERT_EQ(touch(child, BASE + PAGE_SIZE, false, &word), FAULT_DONE);
	EXPECT_EQ(word, 1);
	space_put(child);
	end(s);
}

static bool base_flushed;

static void note_flush(struct aspace *as, vaddr_t lo, vaddr_t hi)
{
	if (as && lo <= BASE && BASE < hi)
		base_flushed = true;
}

/* Was BASE flushed since the last call? */
static bool flushed(void)
{
	bool was = base_flushed;

	base_flushed = false;
	return was;
}

TEST(whatever_takes_a_right_away_has_flushed_it)
{
	struct space *s, *child;
	u32 word = 1;

	start(1);
	sim_flush = note_flush;
	s = space_with(1);
	ASSERT_EQ(touch(s, BASE, true, &word), FAULT_DONE);
	EXPECT(!flushed());
	ASSERT_EQ(space_fork(s, &child), 0);
	EXPECT(flushed());
	ASSERT_EQ(touch(s, BASE, true, &word), FAULT_DONE);
	EXPECT(flushed()); /* copied: another frame */
	space_put(child);
	flushed();
	ASSERT_EQ(space_protect(s, BASE, PAGE_SIZE, PROT_READ), 0);
	EXPECT(flushed());
	ASSERT_EQ(space_protect(s, BASE, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
	EXPECT(!flushed());
	ASSERT_EQ(space_protect(s, BASE, PAGE_SIZE, PROT_NONE), 0);
	EXPECT(flushed());
	ASSERT_EQ(space_protect(s, BASE, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
	EXPECT(!flushed());
	ASSERT_EQ(space_discard(s, BASE, PAGE_SIZE, false), 0);
	EXPECT(flushed());
	ASSERT_EQ(touch(s, BASE, false, &word), FAULT_DONE);
	EXPECT(!flushed());
	ASSERT_EQ(touch(s, BASE, true, &word), FAULT_DONE);
	EXPECT(flushed()); /* it was the zero page */
	ASSERT_EQ(space_unmap(s, BASE, PAGE_SIZE), 0);
	EXPECT(flushed());
	end(s);
	sim_flush = NULL;
}

TEST(the_rest_of_the_last_page_of_a_shorter_object_is_zero)
{
	struct page *page;

	start(1);
	ASSERT_EQ(object_get_page(object, 0, &page), 0);
	memset(page_to_virt(page), 7, PAGE_SIZE);
	ASSERT_EQ(object_set_size(object, 100), 0);
	EXPECT_EQ(((char *)page_to_virt(page))[99], 7);
	for (unsigned i = 100; i < PAGE_SIZE; i++)
		ASSERT_EQ(((char *)page_to_virt(page))[i], 0);
	page_put(page);
	object_put(object);
}

TEST(what_a_fixed_mapping_replaces_does_not_count)
{
	struct map_request r = {.addr = BASE + 4 * PAGE_SIZE,
				.len = 6 * PAGE_SIZE,
				.prot = PROT_READ | PROT_WRITE,
				.flags = MAP_PRIVATE | MAP_FIXED};
	struct space_limits limits = {
		.as = 10 * PAGE_SIZE, .data = 10 * PAGE_SIZE, .stack = MIB(8)};
	struct space *s;
	vaddr_t at;

	start(1);
	s = space_with(8);
	space_set_limits(s, &limits);
	EXPECT_EQ(space_map(s, &r, &at), 0); /* four pages replaced, two new */
	EXPECT_EQ(s->total_pages, 10);
	r.len += PAGE_SIZE;
	EXPECT_EQ(space_map(s, &r, &at), -12);
	EXPECT_EQ(s->total_pages, 10);
	end(s);
}

TEST(a_stack_that_grows_keeps_the_home_of_its_pages)
{
	struct map_request r = {.addr = GIB(1),
				.len = PAGE_SIZE,
				.prot = PROT_READ | PROT_WRITE,
				.flags = MAP_PRIVATE | MAP_FIXED | MAP_GROWSDOWN};
	struct space *s;
	struct vma *v;
	u32 word = 1;
	vaddr_t at;

	start(1);
	ASSERT_EQ(space_create(&s), 0);
	ASSERT_EQ(space_map(s, &r, &at), 0);
	ASSERT_EQ(touch(s, GIB(1) - MIB(1), true, &word), FAULT_DONE);
	v = vma_find(&s->vmas, GIB(1));
	EXPECT_EQ(v->start, GIB(1) - MIB(1));
	EXPECT_EQ(v->pgoff, v->start >> PAGE_SHIFT);
	EXPECT_EQ(vma_page_index(v, GIB(1)), GIB(1) >> PAGE_SHIFT);
	/* Another thread's or process's access does not make it grow. */
	EXPECT_EQ(mm_fault(s, GIB(1) - MIB(2), FAULT_WRITE | FAULT_REMOTE), FAULT_SEGV_MAPERR);
	EXPECT_EQ(touch(s, GIB(1) - MIB(8), true, &word), FAULT_SEGV_MAPERR); /* over its limit */
	r.addr = GIB(1) - MIB(4);
	r.flags = MAP_PRIVATE | MAP_FIXED;
	ASSERT_EQ(space_map(s, &r, &at), 0);
	EXPECT_EQ(touch(s, r.addr + STACK_GUARD, true, &word), FAULT_SEGV_MAPERR);
	EXPECT_EQ(touch(s, r.addr + STACK_GUARD + PAGE_SIZE, true, &word), FAULT_DONE);
	end(s);
}

TEST(at_the_limit_of_mappings_only_cuts_are_refused)
{
	struct map_request r = {.len = 2 * PAGE_SIZE, .flags = MAP_PRIVATE | MAP_FIXED};
	const vaddr_t last = BASE + (VMA_MAX_COUNT - 1) * 2 * PAGE_SIZE;
	struct space *s;
	vaddr_t at;

	start(1);
	ASSERT_EQ(space_create(&s), 0);
	for (unsigned i = 0; i < VMA_MAX_COUNT; i++) {
		r.addr = BASE + i * 2 * PAGE_SIZE;
		r.prot = i % 2 ? PROT_READ : PROT_NONE;
		ASSERT_EQ(space_map(s, &r, &at), 0);
		if (i % 4096 == 0)
			sim_quiescent();
	}
	ASSERT_EQ(s->nr_vmas, VMA_MAX_COUNT);
	r.addr += GIB(1);
	EXPECT_EQ(space_map(s, &r, &at), -12);
	EXPECT_EQ(space_protect(s, last, PAGE_SIZE, PROT_WRITE), -12);
	EXPECT_EQ(space_protect(s, last, 2 * PAGE_SIZE, PROT_WRITE), 0);
	EXPECT_EQ(space_protect(s, last, 2 * PAGE_SIZE, PROT_NONE), 0); /* joins the one below */
	EXPECT_EQ(s->nr_vmas, VMA_MAX_COUNT - 1);
	EXPECT_EQ(space_protect(s, last + PAGE_SIZE, PAGE_SIZE, PROT_READ), 0);
	EXPECT_EQ(space_unmap(s, BASE, PAGE_SIZE), 0);
	end(s);
}
