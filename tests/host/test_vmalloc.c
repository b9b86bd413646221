/* SPDX-License-Identifier: MIT */
/*
 * Kernel virtual ranges, on a page-table layer that is one array: what is mapped at each page of the
 * window in which the tests' ranges lie. It fails on demand and counts.
 */
#include "harness.h"
#include "sim.h"

#include <uapi/errno.h>
#include "mm/phys/page_alloc.h"
#include "mm/phys/slab.h"
#include "mm/phys/vmalloc.h"
#include "mm/pt/pt.h"

#define WINDOW_PAGES 65536
#define NOT_MAPPED   (~0ull)

static struct mapping {
	paddr_t pa;
	unsigned bits;
} window[WINDOW_PAGES];
static u64 nr_mapped;
static long map_fails_after; /* calls of pt_map_kernel until one fails; -1: none */

static struct mapping *mapping_at(vaddr_t va)
{
	ASSERT(va >= VMALLOC_BASE && va < VMALLOC_BASE + WINDOW_PAGES * PAGE_SIZE);
	return &window[(va - VMALLOC_BASE) >> PAGE_SHIFT];
}

int pt_map_kernel(vaddr_t va, paddr_t pa, u64 size, unsigned bits)
{
	ASSERT(IS_ALIGNED(va | pa | size, PAGE_SIZE) && size);
	ASSERT_EQ(sim_locks_held(), 0);
	if (map_fails_after >= 0 && map_fails_after-- == 0)
		return -ENOMEM;
	for (u64 done = 0; done < size; done += PAGE_SIZE) {
		struct mapping *m = mapping_at(va + done);

		ASSERT_EQ(m->pa, NOT_MAPPED);
		*m = (struct mapping){pa + done, bits};
		nr_mapped++;
	}
	return 0;
}

void pt_unmap_kernel(vaddr_t lo, vaddr_t hi, bool put_pages)
{
	ASSERT_EQ(sim_locks_held(), 0);
	for (vaddr_t va = lo; va < hi; va += PAGE_SIZE) {
		struct mapping *m = mapping_at(va);

		ASSERT(m->pa != NOT_MAPPED);
		if (put_pages)
			page_put(phys_to_page(m->pa));
		m->pa = NOT_MAPPED;
		nr_mapped--;
	}
}

static void machine(void)
{
	sim_machine(1, 32);
	vmalloc_init();
	for (unsigned i = 0; i < WINDOW_PAGES; i++)
		window[i].pa = NOT_MAPPED;
	nr_mapped = 0;
	map_fails_after = -1;
}

static void expect_nothing_left(void)
{
	EXPECT_EQ(nr_mapped, 0);
	sim_quiescent();
	EXPECT_EQ(page_count_total() - page_count_free(), slab_count_pages());
}

/* Mapped, writable, zeroed, and a guard behind. */
static void check_memory(void *p, size_t size)
{
	static const char zeros[PAGE_SIZE];
	vaddr_t va = (vaddr_t)p;

	ASSERT(p != NULL);
	EXPECT(IS_ALIGNED(va, PAGE_SIZE));
	for (u64 done = 0; done < size; done += PAGE_SIZE) {
		const struct mapping *m = mapping_at(va + done);

		ASSERT(m->pa != NOT_MAPPED);
		EXPECT_EQ(m->bits, PTB_READ | PTB_WRITE);
		EXPECT(!memcmp(phys_to_virt(m->pa), zeros, PAGE_SIZE));
	}
	EXPECT_EQ(mapping_at(va + ALIGN_UP(size, PAGE_SIZE))->pa, NOT_MAPPED);
}

TEST(memory_is_zeroed_and_followed_by_a_guard)
{
	static const size_t sizes[] = {1, 4095, 4096, 4097, 16384, 1000000};
	void *got[ARRAY_SIZE(sizes)];

	machine();
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		got[i] = vmalloc(sizes[i]);
		check_memory(got[i], sizes[i]);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++)
		vfree(got[i]);
	vfree(NULL);
	expect_nothing_left();
}

TEST(stacks_have_a_guard_on_both_sides)
{
	char *a, *b;

	machine();
	a = vmalloc(PAGE_SIZE);
	b = vmalloc_stack(16384);
	check_memory(b, 16384);
	EXPECT_EQ(mapping_at((vaddr_t)b - 1)->pa, NOT_MAPPED);
	EXPECT(b >= a + 3 * PAGE_SIZE);
	vfree(a);
	vfree(b);
	expect_nothing_left();
}

TEST(device_registers_keep_their_offset_and_their_memory)
{
	char *p;

	machine();
	p = vmap_mmio(0xfee00ff0, 32);
	ASSERT(p != NULL);
	EXPECT_EQ((vaddr_t)p % PAGE_SIZE, 0xff0);
	EXPECT_EQ(mapping_at((vaddr_t)p)->pa, 0xfee00000);
	EXPECT_EQ(mapping_at((vaddr_t)p + PAGE_SIZE)->pa, 0xfee01000);
	EXPECT_EQ(mapping_at((vaddr_t)p)->bits, PTB_READ | PTB_WRITE | PTB_DEVICE);
	EXPECT_EQ(nr_mapped, 2);
	EXPECT_PANIC(vfree(p));
	vunmap_mmio(p);
	expect_nothing_left();
	EXPECT(!vmap_mmio(0x1000, 0));
	EXPECT(!vmap_mmio(0x1fff, ~0ul));
}

TEST(impossible_sizes_are_refused)
{
	machine();
	EXPECT(!vmalloc(0));
	EXPECT(!vmalloc(~0ul));
	EXPECT(!vmalloc(VMALLOC_END - VMALLOC_BASE));
	EXPECT(!vmalloc_stack(VMALLOC_END - VMALLOC_BASE - 2 * PAGE_SIZE));
	expect_nothing_left();
}

TEST(wrong_frees_are_caught)
{
	char *p;

	machine();
	p = vmalloc(3 * PAGE_SIZE);
	EXPECT_PANIC(vfree(p + PAGE_SIZE));
	EXPECT_PANIC(vfree(p + 3 * PAGE_SIZE));
	EXPECT_PANIC(vunmap_mmio(p));
	EXPECT_PANIC(vfree((void *)VMALLOC_END));
	vfree(p);
	EXPECT_PANIC(vfree(p));
}

#define MAX_RANGES 300

static struct range {
	char *p;
	size_t size;
	bool stack;
} ranges[MAX_RANGES];

/* Addresses handed out are apart by their guards, the lowest fitting gap is used, all comes back. */
TEST(random_ranges_never_overlap_and_leave_no_gap_unused)
{
	unsigned n = 0;
	char *p;

	machine();
	for (unsigned step = 0; step < 8000; step++) {
		if (n < MAX_RANGES && rng_below(100) < (step / 1000 % 2 ? 35 : 65)) {
			struct range *r = &ranges[n++];

			r->size = 1 + rng_below(rng_one_in(10) ? KIB(64) : KIB(12));
			r->stack = rng_one_in(3);
			r->p = r->stack ? vmalloc_stack(r->size) : vmalloc(r->size);
			check_memory(r->p, r->size);
			EXPECT_STREQ(vmalloc_describe((vaddr_t)r->p),
				     r->stack ? "kernel stack" : "vmalloc memory");
		} else if (n) {
			unsigned i = (unsigned)rng_below(n);

			vfree(ranges[i].p);
			ranges[i] = ranges[--n];
		}
		if (host_test_failed())
			return;
	}
	while (n)
		vfree(ranges[--n].p);
	expect_nothing_left();
	p = vmalloc(1);
	EXPECT_EQ((vaddr_t)p, VMALLOC_BASE);
	vfree(p);
}

TEST(a_freed_gap_is_used_again)
{
	char *a, *b, *c;

	machine();
	a = vmalloc(4 * PAGE_SIZE);
	b = vmalloc(4 * PAGE_SIZE);
	c = vmalloc(4 * PAGE_SIZE);
	vfree(b);
	b = vmalloc(5 * PAGE_SIZE);
	EXPECT(b > c);
	vfree(b);
	b = vmalloc(4 * PAGE_SIZE);
	EXPECT(b > a && b < c);
}

TEST(every_address_is_described)
{
	vaddr_t a, b, c;

	machine();
	a = (vaddr_t)vmalloc(2 * PAGE_SIZE);
	b = (vaddr_t)vmalloc_stack(4 * PAGE_SIZE);
	c = (vaddr_t)vmap_mmio(0xfec00000, 100);
	EXPECT_STREQ(vmalloc_describe(a), "vmalloc memory");
	EXPECT_STREQ(vmalloc_describe(a + 2 * PAGE_SIZE - 1), "vmalloc memory");
	EXPECT_STREQ(vmalloc_describe(a + 2 * PAGE_SIZE), "guard page behind vmalloc memory");
	EXPECT_STREQ(vmalloc_describe(b - 1), "guard page below a kernel stack");
	EXPECT_STREQ(vmalloc_describe(b), "kernel stack");
	EXPECT_STREQ(vmalloc_describe(b + 4 * PAGE_SIZE), "guard page above a kernel stack");
	EXPECT_STREQ(vmalloc_describe(c), "device registers");
	EXPECT_STREQ(vmalloc_describe(c + PAGE_SIZE), "guard page behind device registers");
	EXPECT(!vmalloc_describe(c + 2 * PAGE_SIZE));
	EXPECT(!vmalloc_describe(VMALLOC_END - 1));
	EXPECT(!vmalloc_describe(VMALLOC_END));
	EXPECT(!vmalloc_describe(0));
	EXPECT(!vmalloc_describe(~0ul));
	vfree((void *)a);
	EXPECT(!vmalloc_describe(a));
}

TEST(failing_at_each_step_leaves_nothing_behind)
{
	unsigned failed = 0;

	machine();
	for (u64 n = 1; n <= 12; n++) {
		void *p;

		alloc_fail_nth(n);
		p = vmalloc(8 * PAGE_SIZE);
		alloc_fail_nth(0);
		failed += !p;
		vfree(p);
		expect_nothing_left();
	}
	EXPECT_EQ(failed, 9); /* the area and eight pages */
	for (long n = 0; n < 8; n++) {
		map_fails_after = n;
		EXPECT(!vmalloc_stack(8 * PAGE_SIZE));
		expect_nothing_left();
	}
	map_fails_after = 0;
	EXPECT(!vmap_mmio(0x1000, 0x1000));
	expect_nothing_left();
	EXPECT(vmap_mmio(0x1000, 0x1000) != NULL);
}
