/* SPDX-License-Identifier: MIT */
/*
 * test_pt_threads.c - several CPUs work on the same few tables at once, under ThreadSanitizer: windows
 * exclude each other, tables are detached while others descend into them, and nothing is lost.
 */
#include "lib/atomic.h"
#include "mm/pt/internal.h"
#include "tests/host/harness.h"
#include "tests/host/sim.h"

#define CPUS   4
#define BASE   GIB(1)
#define BLOCKS 4 /* 2 MiB each, so that there are tables to come and go */
#define PAGES  6 /* used in each block */
#define ROUNDS 20000

static struct aspace space;
static u64 stored, taken;

static void release(struct aspace *as)
{
	as_destroy(as);
}

/* Every CPU stores its own frames: the value says who and where. */
static u64 value(unsigned cpu, vaddr_t va)
{
	return (u64)cpu << 24 | (va >> PAGE_SHIFT & 0xffffff);
}

static u64 next_random(u64 *state)
{
	*state = *state * 6364136223846793005ul + 1442695040888963407ul;
	return *state >> 33;
}

static vaddr_t pick(u64 *state)
{
	return BASE + next_random(state) % BLOCKS * MIB(2) + next_random(state) % PAGES * PAGE_SIZE;
}

static void check_value(const struct pt_slot *slot)
{
	BUG_ON((slot->val & 0xffffff) != (slot->va >> PAGE_SHIFT & 0xffffff));
	BUG_ON(slot->val >> 24 >= CPUS);
}

static void store_one(unsigned cpu, vaddr_t va)
{
	struct tlb_batch batch;
	struct pt_slot slot;
	struct ptc c;

	tlb_batch_init(&batch, &space, TLB_UNMAP);
	ptc_begin(&c, &space, va, va + PAGE_SIZE, PTC_FILL, &batch);
	if (ptc_next(&c, &slot) > 0 && slot.kind == PT_HOLE) {
		ptc_set(&c, PT_PAGE, value(cpu, va), PTB_READ | PTB_WRITE);
		atomic_inc(&stored);
	}
	ptc_end(&c);
}

static void take_range(vaddr_t lo, vaddr_t hi)
{
	struct tlb_batch batch;
	struct pt_slot slot;
	struct ptc c;

	tlb_batch_init(&batch, &space, TLB_UNMAP);
	ptc_begin(&c, &space, lo, hi, PTC_EDIT | PTC_PRUNE, &batch);
	while (ptc_next(&c, &slot) > 0) {
		check_value(&slot);
		slot = ptc_take(&c);
		BUG_ON(slot.kind != PT_PAGE);
		atomic_inc(&taken);
	}
	ptc_end(&c);
}

static void toggle(vaddr_t va)
{
	struct tlb_batch batch;
	struct pt_slot slot;
	struct ptc c;

	tlb_batch_init(&batch, &space, TLB_PROTECT);
	ptc_begin(&c, &space, va, va + PAGE_SIZE, PTC_EDIT, &batch);
	if (ptc_next(&c, &slot) > 0) {
		unsigned old = ptc_change(&c, 0, PTB_WRITE);

		BUG_ON(old != slot.bits);
		ptc_change(&c, old & PTB_WRITE, 0);
	}
	ptc_end(&c);
}

static void worker(unsigned cpu, void *arg)
{
	u64 state = 77 + cpu;

	(void)arg;
	for (unsigned i = 0; i < ROUNDS; i++) {
		vaddr_t va = pick(&state);
		struct pt_slot slot;

		switch (next_random(&state) % 5) {
		case 0:
		case 1:
			store_one(cpu, va);
			break;
		case 2:
			take_range(ALIGN_DOWN(va, MIB(2)), ALIGN_DOWN(va, MIB(2)) + MIB(2));
			break;
		case 3:
			toggle(va);
			break;
		default:
			pt_peek(&space, va, &slot);
			if (slot.kind == PT_PAGE)
				check_value(&slot);
		}
		if (i % 16 == 0)
			sim_quiescent();
	}
}

TEST(cpus_that_fill_take_and_prune_the_same_tables_lose_nothing)
{
	sim_machine(CPUS, 64);
	pt_leaf_levels = PT_LEAF_LEVELS;
	pt_kernel_boot_done();
	ASSERT_EQ(as_init(&space, release), 0);
	stored = taken = 0;
	sim_run(CPUS, worker, NULL);
	take_range(BASE, BASE + GIB(1));
	EXPECT_EQ(stored, taken);
	EXPECT(stored > ROUNDS / 8);
	EXPECT_EQ(space.nr_tables, 1);
	as_put(&space);
}
