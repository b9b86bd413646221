/* SPDX-License-Identifier: MIT */
/*
 * test_space.c - whole address spaces against a model that is nothing but arrays of bytes: mappings of
 * anonymous memory and of an object, mprotect, MADV_DONTNEED, fork trees, copy on write, with
 * accesses simulated as a CPU makes them (look at the entry, fault if it forbids, look again).
 */
#include "lib/atomic.h"
#include <arch/cache.h>
#include "mm/fault/internal.h"
#include "mm/map/map.h"
#include "mm/obj/anon.h"
#include "mm/obj/object.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/slab.h"
#include "mm/pt/internal.h"
#include "mm/vma/vma.h"
#include "tests/host/harness.h"
#include "tests/host/sim.h"

#define PAGES     160
#define BASE      (GIB(1) - 80 * PAGE_SIZE) /* across a bound of the upper tables */
#define MAX_PROCS 6
#define OBJ_PAGES 40

struct mpage {
	bool mapped, file;
	u8 prot;
	u32 content; /* first word of the page */
	u32 index;   /* page of the object */
};

static struct proc {
	struct space *space;
	struct mpage pages[PAGES];
} procs[MAX_PROCS];

static struct object *object;
static bool failing;

static vaddr_t addr(unsigned i)
{
	return BASE + i * PAGE_SIZE;
}

static u32 object_content(u32 index)
{
	return 0xf11e0000 + index;
}

static int fill_page(struct object *obj, u64 index, struct page *page)
{
	(void)obj;
	*(u32 *)page_to_virt(page) = object_content((u32)index);
	return 0;
}

static void release_object(struct object *obj)
{
	free(obj);
}

static const struct object_ops ops = {.name = "test", .fill = fill_page, .release = release_object};

/* --- one access, as the CPU does it ---------------------------------------------------------------- */

static bool entry_allows(struct space *s, vaddr_t va, bool write, struct pt_slot *slot)
{
	unsigned need = PTB_USER | PTB_READ | (write ? PTB_WRITE : 0);

	pt_peek(&s->as, va, slot);
	return slot->kind == PT_PAGE && (slot->bits & need) == need;
}

static enum fault_result touch(struct space *s, vaddr_t va, bool write, u32 *word)
{
	struct pt_slot slot;
	u32 *mem;

	for (unsigned tries = 0; !entry_allows(s, va, write, &slot); tries++) {
		enum fault_result r = mm_fault(s, va, write ? FAULT_WRITE : FAULT_READ);

		if (r != FAULT_DONE)
			return r;
		BUG_ON(tries > 3);
	}
	mem = page_to_virt(pfn_to_page(slot.val + ((va - slot.va) >> PAGE_SHIFT)));
	if (write)
		*mem = *word;
	*word = *mem;
	return FAULT_DONE;
}

/* --- operations on both ------------------------------------------------------------------------------ */

static enum fault_result expected_fault(const struct mpage *m, bool write)
{
	if (!m->mapped)
		return FAULT_SEGV_MAPERR;
	if (write ? !(m->prot & PROT_WRITE) : !m->prot)
		return FAULT_SEGV_ACCERR;
	if (m->file && m->index >= OBJ_PAGES)
		return FAULT_BUS;
	return FAULT_DONE;
}

static void access_page(struct proc *p, unsigned i, bool write)
{
	struct mpage *m = &p->pages[i];
	u32 value = (u32)rng(), word = value;
	enum fault_result r = touch(p->space, addr(i), write, &word);

	if (failing && r == FAULT_OOM)
		return;
	ASSERT_EQ(r, expected_fault(m, write));
	if (r != FAULT_DONE)
		return;
	if (write)
		m->content = value;
	ASSERT_EQ(word, m->content);
}

static void fresh(struct mpage *m)
{
	m->content = m->file ? object_content(m->index) : 0;
}

static void map_range(struct proc *p, unsigned lo, unsigned n, bool file)
{
	unsigned prot = rng() & 7, first = rng_below(OBJ_PAGES + 4);
	struct map_request r = {
		.addr = addr(lo),
		.len = n * PAGE_SIZE - rng_below(PAGE_SIZE),
		.prot = prot,
		.flags = MAP_PRIVATE | MAP_FIXED,
		.obj = file ? object : NULL,
		.pgoff = file ? first : 0,
	};
	vaddr_t at;
	int err = space_map(p->space, &r, &at);

	if (failing && err == -12)
		return;
	ASSERT_EQ(err, 0);
	ASSERT_EQ(at, addr(lo));
	for (unsigned i = lo; i < lo + n; i++) {
		struct mpage *m = &p->pages[i];

		*m = (struct mpage){
			.mapped = true, .file = file, .prot = (u8)prot, .index = first + i - lo};
		fresh(m);
	}
}

static void unmap_range(struct proc *p, unsigned lo, unsigned n)
{
	int err = space_unmap(p->space, addr(lo), n * PAGE_SIZE);

	if (failing && err == -12)
		return;
	ASSERT_EQ(err, 0);
	memset(&p->pages[lo], 0, n * sizeof(struct mpage));
}

static void protect_range(struct proc *p, unsigned lo, unsigned n)
{
	unsigned prot = rng() & 7, i;
	int err = space_protect(p->space, addr(lo), n * PAGE_SIZE, prot);

	for (i = lo; i < lo + n && p->pages[i].mapped; i++)
		;
	if (failing && err == -12 && i == lo + n)
		return; /* nothing was done */
	ASSERT_EQ(err, i == lo + n ? 0 : -12);
	if (failing && err)
		return; /* cannot tell a hole from no memory: the next map makes them equal */
	while (i-- > lo)
		p->pages[i].prot = (u8)prot;
}

static void discard_range(struct proc *p, unsigned lo, unsigned n)
{
	int err = space_discard(p->space, addr(lo), n * PAGE_SIZE);
	bool hole = false;

	for (unsigned i = lo; i < lo + n; i++) {
		hole |= !p->pages[i].mapped;
		fresh(&p->pages[i]);
		if (!p->pages[i].mapped)
			p->pages[i].content = 0;
	}
	ASSERT_EQ(err, hole ? -12 : 0);
}

static void fork_proc(struct proc *p)
{
	struct proc *child = &procs[rng_below(MAX_PROCS)];
	int err;

	if (child->space)
		return;
	err = space_fork(p->space, &child->space);
	if (failing && err == -12) {
		child->space = NULL;
		return;
	}
	ASSERT_EQ(err, 0);
	memcpy(child->pages, p->pages, sizeof(p->pages));
}

static void exit_proc(struct proc *p)
{
	space_put(p->space);
	p->space = NULL;
}

static unsigned alive(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < MAX_PROCS; i++)
		n += procs[i].space != NULL;
	return n;
}

static void random_op(struct proc *p)
{
	unsigned lo = rng_below(PAGES), n = 1 + rng_below(MIN(PAGES - lo, 24));

	switch (rng_below(16)) {
	case 0:
		map_range(p, lo, n, false);
		break;
	case 1:
		map_range(p, lo, n, true);
		break;
	case 2:
		unmap_range(p, lo, n);
		break;
	case 3:
		if (!failing)
			protect_range(p, lo, n);
		break;
	case 4:
		discard_range(p, lo, n);
		break;
	case 5:
		if (rng_one_in(3))
			fork_proc(p);
		break;
	case 6:
		if (rng_one_in(4) && alive() > 1)
			exit_proc(p);
		break;
	default:
		access_page(p, lo, rng_one_in(2));
	}
}

/* Every page of every process reads as the model says. */
static void check_everything(void)
{
	for (unsigned n = 0; n < MAX_PROCS; n++) {
		if (!procs[n].space)
			continue;
		vma_check_tree(&procs[n].space->vmas);
		for (unsigned i = 0; i < PAGES; i++)
			access_page(&procs[n], i, false);
	}
	ASSERT_EQ(sim_locks_held(), 0);
}

static void start(unsigned cpus)
{
	sim_machine(cpus, 64);
	pt_kernel_boot_done();
	anon_init();
	object_subsystem_init();
	space_init();
	memset(procs, 0, sizeof(procs));
	object = calloc(1, sizeof(*object));
	object_init(object, &ops);
	object->size = OBJ_PAGES * PAGE_SIZE;
}

/* The end of a test that made no claims about leaks. */
static void end(struct space *s)
{
	space_put(s);
	object_put(object);
}

/* Slabs keep pages; user pages and tables must all have come back. */
static void finish(u64 anon_before)
{
	for (unsigned i = 0; i < MAX_PROCS; i++)
		if (procs[i].space)
			exit_proc(&procs[i]);
	object_put(object);
	for (unsigned i = 0; i < 4; i++)
		sim_quiescent();
	ASSERT_EQ(sim_rcu_pending(), 0);
	ASSERT_EQ(page_count_free() + slab_count_pages(), anon_before);
}

static void run_random(unsigned ops_count, unsigned fail_one_in)
{
	u64 before;

	start(1);
	before = page_count_free() + slab_count_pages();
	ASSERT_EQ(space_create(&procs[0].space), 0);
	for (unsigned i = 0; i < ops_count; i++) {
		struct proc *p = &procs[rng_below(MAX_PROCS)];

		if (!p->space)
			continue;
		failing = fail_one_in && rng_one_in(fail_one_in);
		if (failing)
			alloc_fail_nth(1 + rng_below(6));
		random_op(p);
		alloc_fail_nth(0);
		failing = false;
		if (rng_one_in(32))
			sim_quiescent();
		if (rng_one_in(300))
			check_everything();
	}
	check_everything();
	finish(before);
}

TEST(spaces_behave_like_arrays_of_bytes)
{
	run_random(30000, 0);
}

TEST(running_out_of_memory_anywhere_changes_nothing_and_leaks_nothing)
{
	run_random(20000, 3);
}

/* --- single claims ------------------------------------------------------------------------------------ */

static struct space *space_with(unsigned pages)
{
	struct map_request r = {.addr = BASE,
				.len = pages * PAGE_SIZE,
				.prot = PROT_READ | PROT_WRITE,
				.flags = MAP_PRIVATE | MAP_FIXED};
	struct space *s;
	vaddr_t at;

	ASSERT_EQ(space_create(&s), 0);
	ASSERT_EQ(space_map(s, &r, &at), 0);
	return s;
}

static u64 frame_of(struct space *s, vaddr_t va)
{
	struct pt_slot slot;

	pt_peek(&s->as, va, &slot);
	return slot.kind == PT_PAGE ? slot.val : 0;
}

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
	ASSERT_EQ(space_discard(s, BASE, PAGE_SIZE), 0);
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
	ASSERT_EQ(space_discard(s, BASE, PAGE_SIZE), 0);
	ASSERT_EQ(touch(s, BASE, true, &word), FAULT_DONE);
	EXPECT_EQ(sim_icache_syncs, before + 2);
	end(s);
}

TEST(what_was_made_for_a_slot_that_has_changed_is_dropped)
{
	struct fault f = {.va = BASE, .access = FAULT_WRITE, .seen = {.kind = PT_HOLE}};
	u32 word = 1;
	u64 frame, free;

	start(1);
	f.space = space_with(1);
	f.vma = vma_find(&f.space->vmas, BASE);
	ASSERT_EQ(touch(f.space, BASE, true, &word), FAULT_DONE);
	frame = frame_of(f.space, BASE);
	free = page_count_free();
	EXPECT_EQ(fault_copy(&f, zero_page), FAULT_RETRY);
	EXPECT_EQ(fault_install(&f, anon_alloc(f.space, BASE, true), vma_page_bits(f.vma)),
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
	ASSERT_EQ(space_discard(s, BASE, PAGE_SIZE), 0);
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

/* --- threads ------------------------------------------------------------------------------------------- */

#define CPUS 4

static void race_worker(unsigned cpu, void *arg)
{
	struct space *s = arg;
	u64 state = cpu + 1;

	for (unsigned i = 0; i < 3000; i++) {
		unsigned page = (state = state * 6364136223846793005ul + 1) >> 33 & 15;
		struct map_request r = {.addr = addr(page),
					.len = 2 * PAGE_SIZE,
					.prot = PROT_READ | PROT_WRITE,
					.flags = MAP_PRIVATE | MAP_FIXED};
		struct space *child;
		vaddr_t at;

		switch (state >> 50 & 15) {
		case 0:
			BUG_ON(space_map(s, &r, &at) != 0);
			break;
		case 1:
			BUG_ON(space_unmap(s, addr(page), PAGE_SIZE) != 0);
			break;
		case 2:
			space_protect(s, addr(page), PAGE_SIZE,
				      PROT_READ | (state >> 60 & PROT_WRITE));
			break;
		case 3:
			space_discard(s, addr(page), PAGE_SIZE);
			break;
		case 4:
			if (i % 8 == 0 && space_fork(s, &child) == 0)
				space_put(child);
			break;
		default:
			mm_fault(s, addr(page), state >> 61 & 1 ? FAULT_WRITE : FAULT_READ);
		}
		if (i % 8 == 0)
			sim_quiescent();
	}
}

TEST(threads_that_map_protect_fork_and_fault_at_once_leave_the_accounts_right)
{
	struct space *s;

	start(CPUS);
	ASSERT_EQ(space_create(&s), 0);
	sim_run(CPUS, race_worker, s);
	vma_check_tree(&s->vmas);
	end(s); /* asserts that every account has returned to zero */
}
