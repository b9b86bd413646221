/* SPDX-License-Identifier: MIT */
/*
 * test_pt_cursor.c - the cursor against a flat model: one element for every 4 KiB of a little more
 * than 2 GiB, and random operations at random levels, allocation failures included. A simulated TLB caches what
 * is accessed; after each operation no cached translation may allow more than its entry does.
 */
#include "lib/atomic.h"
#include "mm/pt/internal.h"
#include "mm/phys/page_alloc.h"
#include "tests/host/harness.h"
#include "tests/host/sim.h"

#define BASE  (GIB(1) - MIB(4))
#define PAGES ((GIB(2) + MIB(8)) >> PAGE_SHIFT)
#define END   (BASE + (PAGES << PAGE_SHIFT))

struct model {
	u64 val;
	u16 bits;
	u8 kind;
};

static struct model model[PAGES];
static struct aspace space;

/* --- the simulated TLB ---------------------------------------------------------------------------- */

#define TLB_ENTRIES 64

static struct {
	vaddr_t va;
	u64 pfn;
	unsigned bits; /* 0: unused */
} tlb[TLB_ENTRIES];

static void flush_tlb(struct aspace *as, vaddr_t lo, vaddr_t hi)
{
	(void)as;
	ASSERT(lo < hi);
	for (unsigned i = 0; i < TLB_ENTRIES; i++)
		if (tlb[i].va >= lo && tlb[i].va < hi)
			tlb[i].bits = 0;
}

static void release(struct aspace *as)
{
	as_destroy(as);
}

static vaddr_t random_page(void);

static void access_some(void)
{
	for (unsigned i = 0; i < 8; i++) {
		vaddr_t va = random_page();
		unsigned n = rng_below(TLB_ENTRIES);
		struct pt_slot slot;

		pt_peek(&space, va, &slot);
		if (slot.kind != PT_PAGE || !(slot.bits & PTB_READ))
			continue;
		tlb[n].va = va;
		tlb[n].pfn = slot.val + ((va - slot.va) >> PAGE_SHIFT);
		tlb[n].bits = slot.bits & PTB_RIGHTS;
	}
}

static void check_tlb(void)
{
	for (unsigned i = 0; i < TLB_ENTRIES; i++) {
		struct pt_slot slot;

		if (!tlb[i].bits)
			continue;
		pt_peek(&space, tlb[i].va, &slot);
		ASSERT_EQ(slot.kind, PT_PAGE);
		ASSERT_EQ(slot.val + ((tlb[i].va - slot.va) >> PAGE_SHIFT), tlb[i].pfn);
		ASSERT_EQ(tlb[i].bits & ~slot.bits, 0);
	}
}

/* --- the model ------------------------------------------------------------------------------------ */

static struct model *at(vaddr_t va)
{
	return &model[(va - BASE) >> PAGE_SHIFT];
}

/* What one page of a slot is. */
static struct model piece(const struct pt_slot *slot, vaddr_t va)
{
	u64 step = (va - slot->va) >> PAGE_SHIFT;
	struct model m = {.kind = slot->kind, .bits = slot->bits, .val = slot->val};

	if (m.kind == PT_PAGE || m.kind == PT_SWAP || m.kind == PT_MIGRATE)
		m.val += step;
	return m;
}

static void expect_slot(const struct pt_slot *slot, vaddr_t lo, vaddr_t hi)
{
	vaddr_t end = MIN(slot->va + slot->size, hi);

	for (vaddr_t va = MAX(slot->va, lo); va < end; va += PAGE_SIZE) {
		struct model m = piece(slot, va);

		ASSERT_EQ(at(va)->kind, m.kind);
		ASSERT_EQ(at(va)->val, m.val);
		ASSERT_EQ(at(va)->bits, m.bits);
	}
}

static void model_store(const struct pt_slot *slot)
{
	for (vaddr_t va = slot->va; va < slot->va + slot->size; va += PAGE_SIZE)
		*at(va) = piece(slot, va);
}

/* Everything the tables say, from raw entries, against the counts that the nodes keep. */
static u64 check_node(const struct page *node, vaddr_t base)
{
	const pte_t *table = node_table(node);
	unsigned used = 0, level = node->node_level;
	u64 nodes = 1;

	ASSERT_EQ(page_type(node), PAGE_TABLE);
	ASSERT(!page_test(node, PG_STRAY));
	ASSERT_EQ(node->node_base, base);
	for (unsigned i = 0; i < PT_ENTRIES; i++) {
		enum pte_form form = arch_pte_form(table[i], level);

		used += form != PTE_NONE;
		ASSERT(form == PTE_NONE || node->node_blocks >> i / BLOCK_ENTRIES & 1);
		ASSERT(!pt_is_busy(table[i], level));
		if (form == PTE_TABLE) {
			struct page *child = phys_to_page(arch_pte_table_pa(table[i]));

			ASSERT_EQ(child->node_level, level - 1);
			ASSERT(child->node_above == node);
			nodes += check_node(child, base + i * pt_size(level));
		}
	}
	ASSERT_EQ(node->node_used, used);
	return nodes;
}

static void check_tables(void)
{
	ASSERT_EQ(check_node(space.root, 0), space.nr_tables);
	ASSERT_EQ(sim_locks_held(), 0);
}

/* --- random ranges -------------------------------------------------------------------------------- */

/* Addresses crowd around few places, among them the bounds of 2 MiB and 1 GiB blocks. */
static vaddr_t random_page(void)
{
	static const vaddr_t centres[] = {GIB(1), GIB(2), GIB(3), GIB(1) + MIB(512),
					  GIB(2) + MIB(6)};
	u64 spread = rng_one_in(4) ? MIB(4) : MIB(1);
	vaddr_t va = centres[rng_below(ARRAY_SIZE(centres))] - spread / 2 + rng_below(spread);

	return MIN(MAX(ALIGN_DOWN(va, PAGE_SIZE), BASE), END - PAGE_SIZE);
}

static void random_range(vaddr_t *lo, vaddr_t *hi)
{
	u64 pages = rng_one_in(8) ? 1 + rng_below(1500) : 1 + rng_below(20);

	*lo = random_page();
	*hi = MIN(*lo + pages * PAGE_SIZE, END);
}

static void random_block(vaddr_t *lo, vaddr_t *hi)
{
	unsigned level = rng_one_in(200) ? 2 : rng_one_in(5) ? 1 : 0;

	*lo = ALIGN_DOWN(random_page(), pt_size(level));
	if (*lo < BASE)
		*lo += pt_size(level);
	*hi = *lo + pt_size(level);
	if (*hi > END)
		*hi = *lo + PAGE_SIZE;
}

/* --- operations: what they report must be the model's, what they do is done to the model too ------- */

static unsigned random_bits(void)
{
	unsigned bits = rng() & (PTB_READ | PTB_WRITE | PTB_EXEC | PTB_ACCESSED | PTB_DIRTY |
				 PTB_SPECIAL | PTB_UFFD_WP);

	return bits & PTB_UFFD_WP ? bits & ~PTB_WRITE : bits;
}

struct op {
	vaddr_t lo, hi;
	struct ptc c;
	struct tlb_batch batch;
};

static void op_begin(struct op *op, unsigned mode)
{
	if (rng_one_in(3))
		mode |= PTC_DEFER;
	tlb_batch_init(&op->batch, &space, TLB_UNMAP);
	ptc_begin(&op->c, &space, op->lo, op->hi, mode, &op->batch);
}

static int op_next(struct op *op, struct pt_slot *slot)
{
	int r = ptc_next(&op->c, slot);

	if (r > 0) {
		ASSERT(slot->va >= op->lo && slot->va + slot->size <= op->hi);
		expect_slot(slot, op->lo, op->hi);
	}
	return r;
}

static void op_end(struct op *op, int r)
{
	ptc_end(&op->c);
	tlb_batch_flush(&op->batch);
	ASSERT(r == 0 || r == -12);
}

static void store_hole(struct op *op, struct pt_slot *slot, enum pt_kind kind, u64 val,
		       unsigned bits)
{
	ptc_set(&op->c, kind, val, bits);
	slot->kind = (u8)kind;
	slot->val = val;
	slot->bits = (u16)bits;
	model_store(slot);
}

static void fill(struct op *op, enum pt_kind kind)
{
	u64 first = ALIGN_DOWN(rng() & (BIT(30) - 1), BIT(18)) | 0;
	unsigned bits = kind == PT_PAGE ? random_bits() : kind == PT_SWAP ? rng() & PTB_UFFD_WP : 0;
	struct pt_slot slot;
	int r;

	op_begin(op, PTC_FILL);
	while ((r = op_next(op, &slot)) > 0) {
		u64 val = first + ((slot.va - BASE) >> PAGE_SHIFT);

		if (slot.kind != PT_HOLE)
			continue;
		/* BASE is 2 MiB short of 1 GiB alignment twice over: keep large frames aligned. */
		val = ALIGN_DOWN(val, BIT(slot.level * PT_BITS));
		if (kind == PT_SWAP)
			val = SWAP_VAL(val % 23, val + 1);
		store_hole(op, &slot, kind, kind == PT_MARK ? 1 + val % 7 : val, bits);
	}
	op_end(op, r);
}

static void take(struct op *op)
{
	struct pt_slot slot, taken;
	int r;

	op_begin(op, PTC_EDIT | (rng_one_in(2) ? PTC_PRUNE : 0));
	while ((r = op_next(op, &slot)) > 0) {
		ASSERT(slot.kind != PT_HOLE && ptc_match(&op->c, &slot));
		if (rng_one_in(8))
			continue;
		taken = ptc_take(&op->c);
		expect_slot(&taken, op->lo, op->hi);
		slot.kind = PT_HOLE;
		slot.val = slot.bits = 0;
		model_store(&slot);
	}
	op_end(op, r);
}

static void change(struct op *op)
{
	unsigned set = random_bits() & ~PTB_UFFD_WP,
		 clear = rng() & (PTB_RIGHTS | PTB_DIRTY) & ~set;
	struct pt_slot slot;
	int r;

	op_begin(op, PTC_EDIT);
	while ((r = op_next(op, &slot)) > 0) {
		if (slot.kind != PT_PAGE || slot.bits & PTB_UFFD_WP)
			continue;
		ASSERT_EQ(ptc_change(&op->c, set, clear), slot.bits);
		slot.bits = (u16)((slot.bits | set) & ~clear);
		model_store(&slot);
		if (rng_one_in(50))
			ptc_pause(&op->c);
	}
	op_end(op, r);
}

static void read_all(vaddr_t lo, vaddr_t hi)
{
	struct pt_slot slot;
	vaddr_t va = lo;
	struct ptc c;

	ptc_begin(&c, &space, lo, hi, PTC_READ | PTC_HOLES, NULL);
	while (ptc_next(&c, &slot) > 0) {
		ASSERT(slot.va <= va && slot.va + slot.size > va);
		expect_slot(&slot, lo, hi);
		va = slot.va + slot.size;
	}
	ptc_end(&c);
	ASSERT(va >= hi);
}

static void random_op(void)
{
	struct op op;

	random_range(&op.lo, &op.hi);
	switch (rng_below(12)) {
	case 0:
	case 1:
	case 2:
		random_block(&op.lo, &op.hi);
		fill(&op, PT_PAGE);
		break;
	case 3:
		random_block(&op.lo, &op.hi);
		fill(&op, PT_MARK);
		break;
	case 4:
		fill(&op, PT_SWAP);
		break;
	case 5:
	case 6:
	case 7:
		if (rng_one_in(2))
			random_block(&op.lo, &op.hi);
		take(&op);
		break;
	case 8:
	case 9:
		change(&op);
		break;
	case 10:
		fill(&op, PT_PAGE);
		break;
	case 11:
		read_all(op.lo, op.hi);
		break;
	}
}

static void start(void)
{
	sim_machine(1, 64);
	memset(model, 0, sizeof(model));
	memset(tlb, 0, sizeof(tlb));
	sim_flush = flush_tlb;
	pt_leaf_levels = PT_LEAF_LEVELS;
	pt_kernel_boot_done();
	ASSERT_EQ(as_init(&space, release), 0);
}

static void finish(void)
{
	struct op op = {.lo = BASE, .hi = END};
	struct pt_slot slot;
	int r;

	op_begin(&op, PTC_EDIT | PTC_PRUNE);
	while ((r = ptc_next(&op.c, &slot)) > 0)
		ptc_take(&op.c);
	op_end(&op, r);
	ASSERT_EQ(r, 0);
	ASSERT_EQ(space.nr_tables, 1);
	as_put(&space);
	sim_quiescent();
	ASSERT_EQ(sim_rcu_pending(), 0);
}

static void run_random(unsigned ops, unsigned fail_one_in)
{
	start();
	for (unsigned i = 0; i < ops; i++) {
		if (fail_one_in && rng_one_in(fail_one_in))
			alloc_fail_nth(1 + rng_below(4));
		random_op();
		alloc_fail_nth(0);
		check_tlb();
		access_some();
		if (rng_one_in(64))
			sim_quiescent();
		if (rng_one_in(200))
			check_tables();
	}
	check_tables();
	read_all(BASE, END);
	finish();
}

TEST(random_operations_agree_with_a_flat_model)
{
	run_random(20000, 0);
}

TEST(allocation_failing_anywhere_leaves_the_tables_as_the_model_says)
{
	run_random(10000, 3);
}

/* --- single claims -------------------------------------------------------------------------------- */

static unsigned count_slots(vaddr_t lo, vaddr_t hi, u64 *size)
{
	struct op op = {.lo = lo, .hi = hi};
	struct pt_slot slot;
	unsigned n = 0;

	op_begin(&op, PTC_FILL);
	while (ptc_next(&op.c, &slot) > 0) {
		*size = slot.size;
		n++;
	}
	op_end(&op, 0);
	return n;
}

TEST(the_range_selects_the_level)
{
	u64 size;

	start();
	EXPECT_EQ(count_slots(GIB(1), GIB(2), &size), 1);
	EXPECT_EQ(size, GIB(1));
	EXPECT_EQ(count_slots(GIB(2), GIB(2) + MIB(2), &size), 1);
	EXPECT_EQ(size, MIB(2));
	EXPECT_EQ(count_slots(GIB(2), GIB(2) + KIB(12), &size), 3);
	EXPECT_EQ(size, KIB(4));
	finish();
}

TEST(a_page_in_the_last_gigabyte_of_all_does_not_fill_it)
{
	struct op op = {.lo = -GIB(1), .hi = -GIB(1) + PAGE_SIZE};
	struct pt_slot slot;

	start();
	op_begin(&op, PTC_FILL);
	ASSERT_EQ(ptc_next(&op.c, &slot), 1);
	EXPECT_EQ(slot.size, PAGE_SIZE);
	op_end(&op, 0);
	op_begin(&op, PTC_EDIT | PTC_PRUNE);
	EXPECT_EQ(ptc_next(&op.c, &slot), 0);
	op_end(&op, 0);
	finish();
}

TEST(an_empty_gigabyte_is_marked_by_one_entry_and_splits_when_part_of_it_is_touched)
{
	struct op op = {.lo = GIB(1), .hi = GIB(2)};
	u64 tables;

	start();
	fill(&op, PT_MARK);
	tables = space.nr_tables;
	EXPECT_EQ(tables, 2); /* the root and the table that holds the entry */
	op.lo = GIB(1) + MIB(4) + KIB(8);
	op.hi = op.lo + PAGE_SIZE;
	take(&op);
	EXPECT_EQ(space.nr_tables, tables + 2);
	read_all(BASE, END);
	finish();
}

TEST(a_nosleep_cursor_refuses_to_make_tables_until_they_are_made_for_it)
{
	struct tlb_batch batch;
	struct pt_slot slot;
	struct ptc c;

	start();
	tlb_batch_init(&batch, &space, TLB_UNMAP);
	ptc_begin(&c, &space, GIB(1), GIB(1), PTC_FILL | PTC_NOSLEEP, &batch);
	EXPECT_EQ(ptc_goto(&c, GIB(1), GIB(1) + PAGE_SIZE, &slot), -11);
	EXPECT_EQ(ptc_make(&c, GIB(1), 0), 0);
	EXPECT_EQ(ptc_goto(&c, GIB(1), GIB(1) + PAGE_SIZE, &slot), 1);
	EXPECT_EQ(slot.kind, PT_HOLE);
	ptc_end(&c);
	finish();
}

/* A hole is seen at the level at which the tables end; to fill it one goes further down. */
TEST(a_hole_is_the_same_hole_when_tables_have_been_made_for_it)
{
	struct tlb_batch batch;
	struct pt_slot seen, slot;
	struct ptc c;

	start();
	pt_peek(&space, GIB(1), &seen);
	EXPECT_EQ(seen.kind, PT_HOLE);
	EXPECT(seen.level > 0);
	tlb_batch_init(&batch, &space, TLB_COW);
	ptc_begin(&c, &space, GIB(1), GIB(1) + PAGE_SIZE, PTC_FILL, &batch);
	ASSERT_EQ(ptc_next(&c, &slot), 1);
	EXPECT(ptc_match(&c, &seen));
	ptc_set(&c, PT_MARK, MARK_GUARD, 0);
	EXPECT(!ptc_match(&c, &seen));
	ptc_take(&c);
	ptc_end(&c);
	finish();
}

/* Pages in a few places of one table. */
static const u16 places[] = {0, 1, 40, 300};

static unsigned bits_at(unsigned place)
{
	return PTB_READ | (place == 40 ? PTB_DIRTY : PTB_WRITE);
}

static void store_at(unsigned place, enum pt_kind kind)
{
	struct op op = {.lo = GIB(1) + place * PAGE_SIZE, .hi = GIB(1) + (place + 1) * PAGE_SIZE};
	struct pt_slot slot;

	tlb_batch_init(&op.batch, &space, TLB_UNMAP);
	ptc_begin(&op.c, &space, op.lo, op.hi, PTC_FILL, &op.batch);
	ASSERT_EQ(ptc_next(&op.c, &slot), 1);
	ptc_set(&op.c, kind, kind == PT_PAGE ? 1000 + place : SWAP_VAL(1, place),
		kind == PT_PAGE ? bits_at(place) : 0);
	ptc_end(&op.c);
}

static void start_with_places(void)
{
	start();
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++)
		store_at(places[i], PT_PAGE);
}

TEST(a_run_passes_over_holes_and_ends_at_what_is_no_page)
{
	struct op op = {.lo = GIB(1), .hi = GIB(1) + MIB(4)};
	u64 run[PTC_RUN_MAX];
	struct pt_slot slot;

	start_with_places();
	store_at(310, PT_SWAP);
	store_at(320, PT_PAGE);
	op_begin(&op, PTC_EDIT | PTC_PRUNE);
	ASSERT_EQ(ptc_next(&op.c, &slot), 1);
	ASSERT_EQ(ptc_take_run(&op.c, run), ARRAY_SIZE(places));
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		EXPECT_EQ(ptc_leaf_pfn(run[i]), 1000 + places[i]);
		EXPECT_EQ(run[i], ptc_leaf(1000 + places[i], bits_at(places[i])));
	}
	ASSERT_EQ(ptc_next(&op.c, &slot), 1);
	EXPECT_EQ(slot.kind, PT_SWAP);
	ptc_take(&op.c);
	ASSERT_EQ(ptc_next(&op.c, &slot), 1);
	EXPECT_EQ(slot.va, GIB(1) + 320 * PAGE_SIZE);
	EXPECT_EQ(ptc_take_run(&op.c, run), 1);
	EXPECT_EQ(ptc_next(&op.c, &slot), 0);
	op_end(&op, 0);
	finish();
}

TEST(a_run_is_copied_to_the_same_places_and_both_sides_lose_the_right_to_write)
{
	struct op op = {.lo = GIB(1), .hi = GIB(1) + 310 * PAGE_SIZE};
	u64 run[PTC_RUN_MAX];
	struct tlb_batch batch;
	struct pt_slot slot;
	struct ptc dst;

	start_with_places();
	tlb_batch_init(&op.batch, &space, TLB_FORK);
	tlb_batch_init(&batch, &space, TLB_FORK);
	ptc_begin(&op.c, &space, op.lo, op.hi, PTC_EDIT | PTC_DEFER, &op.batch);
	ptc_begin(&dst, &space, op.lo, op.lo, PTC_FILL | PTC_NOSLEEP, &batch);
	ptc_nest(&op.c, &dst);
	ASSERT_EQ(ptc_supply(&dst), 0);
	ASSERT_EQ(ptc_next(&op.c, &slot), 1);
	ASSERT_EQ(ptc_goto(&dst, GIB(2), GIB(2) + PAGE_SIZE, &slot), 1);
	ASSERT_EQ(ptc_dup_run(&op.c, &dst, run), ARRAY_SIZE(places));
	EXPECT_EQ(op.batch.lo, op.lo); /* the right to write is owed a flush */
	EXPECT(op.batch.hi > GIB(1) + 300 * PAGE_SIZE);
	EXPECT_EQ(ptc_next(&op.c, &slot), 0);
	ptc_end(&op.c);
	ptc_end(&dst);
	tlb_batch_flush(&op.batch);
	for (unsigned i = 0; i < 2 * ARRAY_SIZE(places); i++) {
		unsigned place = places[i / 2];

		pt_peek(&space, GIB(1 + i % 2) + place * PAGE_SIZE, &slot);
		EXPECT_EQ(slot.val, 1000 + place);
		EXPECT_EQ(slot.bits, bits_at(place) & ~PTB_WRITE);
	}
	check_tables();
	finish();
}

TEST(a_new_page_is_stored_only_after_the_old_one_was_flushed)
{
	struct op op = {.lo = GIB(1), .hi = GIB(1) + PAGE_SIZE};
	struct pt_slot slot;

	start();
	fill(&op, PT_PAGE);
	tlb_batch_init(&op.batch, &space, TLB_COW);
	ptc_begin(&op.c, &space, op.lo, op.hi, PTC_EDIT, &op.batch);
	ASSERT_EQ(ptc_next(&op.c, &slot), 1);
	tlb[0].va = op.lo;
	tlb[0].bits = PTB_READ;
	ptc_change(&op.c, PTB_READ, 0);
	ptc_take(&op.c);
	EXPECT_EQ(tlb[0].bits, PTB_READ); /* not yet */
	ptc_set(&op.c, PT_PAGE, 77, PTB_READ | PTB_WRITE);
	EXPECT_EQ(tlb[0].bits, 0);
	ptc_end(&op.c);
	finish();
}

static unsigned locks_at_flush, nr_flushes;

static void note_flush(struct aspace *as, vaddr_t lo, vaddr_t hi)
{
	flush_tlb(as, lo, hi);
	locks_at_flush = sim_locks_held();
	nr_flushes++;
}

/* Else another CPU could find the slot empty and fill it, while a third still uses what was there. */
TEST(the_flush_is_over_before_the_window_is_unlocked)
{
	struct op op = {.lo = GIB(1), .hi = GIB(1) + PAGE_SIZE};
	struct pt_slot slot;

	start();
	fill(&op, PT_PAGE);
	sim_flush = note_flush;
	nr_flushes = 0;
	tlb_batch_init(&op.batch, &space, TLB_UNMAP);
	ptc_begin(&op.c, &space, op.lo, op.hi, PTC_EDIT, &op.batch);
	ASSERT_EQ(ptc_next(&op.c, &slot), 1);
	ptc_change(&op.c, PTB_READ, 0);
	ptc_take(&op.c);
	EXPECT_EQ(ptc_next(&op.c, &slot), 0);
	EXPECT_EQ(nr_flushes, 1);
	EXPECT_EQ(locks_at_flush, 1);
	ptc_end(&op.c);
	finish();
}

static void take_one(vaddr_t va, u64 size, struct tlb_batch *batch)
{
	struct pt_slot slot;
	struct ptc c;

	ptc_begin(&c, &space, va, va + size, PTC_FILL | PTC_DEFER, batch);
	ASSERT_EQ(ptc_next(&c, &slot), 1);
	ASSERT_EQ(slot.size, size);
	ptc_set(&c, PT_PAGE, 512, PTB_READ | PTB_USER);
	ptc_take(&c);
	ptc_end(&c);
}

TEST(a_batch_steps_by_the_smallest_leaf_in_it)
{
	struct tlb_batch batch;

	start();
	tlb_batch_init(&batch, &space, TLB_UNMAP);
	take_one(GIB(1), PAGE_SIZE, &batch);
	take_one(GIB(1) + MIB(2), MIB(2), &batch);
	tlb_batch_flush(&batch);
	EXPECT_EQ(sim_flush_level, 0);
	take_one(GIB(1) + MIB(2), MIB(2), &batch);
	tlb_batch_flush(&batch);
	EXPECT_EQ(sim_flush_level, 1);
	finish();
}

TEST(storing_over_a_live_page_panics)
{
	struct op op = {.lo = GIB(1), .hi = GIB(1) + PAGE_SIZE};
	struct pt_slot slot;

	start();
	fill(&op, PT_PAGE);
	tlb_batch_init(&op.batch, &space, TLB_COW);
	ptc_begin(&op.c, &space, op.lo, op.hi, PTC_EDIT, &op.batch);
	ASSERT_EQ(ptc_next(&op.c, &slot), 1);
	EXPECT_PANIC(ptc_set(&op.c, PT_PAGE, 77, PTB_READ));
	ptc_end(&op.c);
	finish();
}
