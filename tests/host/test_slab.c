/* SPDX-License-Identifier: MIT */
/* Slab caches and kmalloc: random use against a list of what is live, and the damage they must notice. */
#include "harness.h"
#include "sim.h"

#include "mm/phys/internal.h"
#include "mm/phys/slab_internal.h"

#define MAX_OBJECTS 4000

static struct object {
	void *ptr;
	size_t size;
	u8 fill;
} objects[MAX_OBJECTS];
static unsigned nr_objects;

static void machine(unsigned cpus)
{
	nr_objects = 0;
	sim_machine(cpus, 16);
}

static void object_add(void *ptr, size_t size)
{
	struct object *o = &objects[nr_objects++];

	*o = (struct object){ptr, size, (u8)rng()};
	memset(ptr, o->fill, size);
}

static bool all_bytes(const u8 *p, size_t n, u8 value)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != value)
			return false;
	return true;
}

static void *object_remove(unsigned i)
{
	void *ptr = objects[i].ptr;

	EXPECT(all_bytes(ptr, objects[i].size, objects[i].fill));
	objects[i] = objects[--nr_objects];
	return ptr;
}

/* Pages that are neither free nor in slabs: 0 when nothing leaks. */
static u64 pages_lost(void)
{
	return page_count_total() - page_count_free() - slab_count_pages();
}

static void use_randomly(struct slab_cache *c, size_t align)
{
	unsigned max = (unsigned)MIN(MIB(6) / c->stride, (u64)MAX_OBJECTS);

	for (unsigned step = 0; step < 6000; step++) {
		if (nr_objects < max && rng_below(100) < (step / 1000 % 2 ? 30 : 70)) {
			bool zero = rng_one_in(3);
			void *p = slab_alloc(c, (zero ? PA_ZERO : 0) | PA_ATOMIC);

			ASSERT(p != NULL);
			EXPECT(IS_ALIGNED((u64)p, align));
			EXPECT(!zero || all_bytes(p, c->size, 0));
			object_add(p, c->size);
		} else if (nr_objects) {
			slab_free(c, object_remove((unsigned)rng_below(nr_objects)));
		}
	}
	EXPECT_EQ(slab_check_all(), 0);
	while (nr_objects)
		slab_free(c, object_remove((unsigned)rng_below(nr_objects)));
}

TEST(objects_of_any_size_and_alignment_never_overlap)
{
	static const struct {
		size_t size, align;
	} kinds[] = {{1, 0},    {2, 0},      {8, 0},     {15, 0},    {16, 0},   {24, 8},
		     {40, 64},  {56, 0},     {100, 16},  {128, 128}, {200, 0},  {333, 32},
		     {600, 0},  {1000, 512}, {1500, 0},  {2048, 0},  {3000, 0}, {4096, 0},
		     {5000, 0}, {8192, 0},   {100, 4096}};

	machine(1);
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		bool rcu = i % 3 == 2;
		struct slab_cache *c =
			slab_cache_create("test", kinds[i].size, kinds[i].align, rcu);

		use_randomly(c, kinds[i].align ? kinds[i].align : kinds[i].size < 16 ? 8 : 16);
		sim_quiescent();
		EXPECT_EQ(pages_lost(), 0);
		if (host_test_failed())
			break;
	}
}

TEST(unused_slabs_go_back)
{
	struct slab_cache *c;

	machine(1);
	c = slab_cache_create("test", 64, 0, false);
	for (unsigned i = 0; i < 3000; i++)
		object_add(slab_alloc(c, 0), 64);
	EXPECT(slab_count_pages() >= 3000 / 64);
	while (nr_objects)
		slab_free(c, object_remove((unsigned)rng_below(nr_objects)));
	/* One empty slab, and those whose objects are in the magazine. */
	EXPECT(slab_count_pages() <= (u64)(1 + MAGAZINE_SIZE) << c->order);
	EXPECT_EQ(pages_lost(), 0);
}

TEST(kmalloc_of_any_size_is_usable_and_freed)
{
	machine(1);
	for (unsigned round = 0; round < 3000; round++) {
		size_t size = rng_one_in(8) ? rng_below(KIB(64)) : rng_below(2100);
		void *p = kmalloc(size, rng_one_in(2) ? PA_ATOMIC : 0);

		if (p) {
			EXPECT(IS_ALIGNED((u64)p, size <= 8 ? 8 : 16));
			EXPECT(size <= 2048 || IS_ALIGNED((u64)p, PAGE_SIZE));
			object_add(p, size);
		}
		while (nr_objects && (rng_one_in(2) || nr_objects > 150))
			kfree(object_remove((unsigned)rng_below(nr_objects)));
		if (host_test_failed())
			break;
	}
	while (nr_objects)
		kfree(object_remove(0));
	kfree(NULL);
	EXPECT_EQ(pages_lost(), 0);
	EXPECT_EQ(slab_check_all(), 0);
}

TEST(kmalloc_knows_its_limits)
{
	void *p;

	machine(1);
	p = kmalloc(MIB(4), 0);
	EXPECT(p != NULL);
	kfree(p);
	EXPECT(!kmalloc(MIB(4) + 1, 0));
	EXPECT(!kmalloc(~0ul, PA_ATOMIC));
	EXPECT(!kmalloc(~0ul - PAGE_SIZE, PA_ATOMIC));
	p = kmalloc(0, 0);
	EXPECT(p != NULL);
	kfree(p);
	p = kmalloc(2048, PA_ZERO);
	EXPECT(all_bytes(p, 2048, 0));
	kfree(p);
	p = kmalloc(2049, PA_ZERO);
	EXPECT(all_bytes(p, 2049, 0));
	kfree(p);
}

TEST(kfree_of_what_kmalloc_did_not_give_is_caught)
{
	char *big, *small;

	machine(1);
	big = kmalloc(10000, 0);
	small = kmalloc(100, 0);
	EXPECT_PANIC(kfree(big + 16));
	EXPECT_PANIC(kfree(big + 8192));
	kfree(big);
	EXPECT_PANIC(kfree(big));
	if (!DEBUG_BUILD)
		return;
	EXPECT_PANIC(kfree(small + 16));
	kfree(small);
	EXPECT_PANIC(kfree(small));
}

TEST(writing_past_an_object_is_caught)
{
	struct slab_cache *c;
	u8 *p;

	if (!DEBUG_BUILD)
		return;
	for (size_t size = 1; size < 40; size++) {
		machine(1);
		c = slab_cache_create("test", size, 0, size % 2);
		p = slab_alloc(c, 0);
		ASSERT(p != NULL);
		p[size] ^= 1;
		EXPECT_PANIC(slab_free(c, p));
		EXPECT_EQ(slab_check_all(), 1);
		p[size] ^= 1;
		EXPECT_EQ(slab_check_all(), 0);
		slab_free(c, p);
	}
}

TEST(writing_to_a_freed_object_is_caught)
{
	struct slab_cache *c;
	u8 *p;

	if (!DEBUG_BUILD)
		return;
	machine(1);
	c = slab_cache_create("test", 48, 0, false);
	p = slab_alloc(c, 0);
	ASSERT(p != NULL);
	slab_free(c, p);
	p[47] ^= 4;
	EXPECT_EQ(slab_check_all(), 1);
	EXPECT_PANIC((void)!slab_alloc(c, 0));
	p[47] ^= 4;
	EXPECT(slab_alloc(c, 0) == p);
}

TEST(freeing_twice_or_to_the_wrong_cache_is_caught)
{
	struct slab_cache *a, *b;
	char *p;
	int local;

	if (!DEBUG_BUILD)
		return;
	machine(1);
	a = slab_cache_create("a", 48, 0, false);
	b = slab_cache_create("b", 48, 0, true);
	p = slab_alloc(a, 0);
	EXPECT_PANIC(slab_free(b, p));
	EXPECT_PANIC(slab_free(a, p + 8));
	EXPECT_PANIC(slab_free(a, &local));
	slab_free(a, p);
	EXPECT_PANIC(slab_free(a, p));
}

/* In every build: the link in a free object is not believed. */
TEST(a_damaged_free_list_is_caught)
{
	struct slab_cache *c;
	void *p;

	machine(1);
	c = slab_cache_create("test", 1024, 0, true);
	c->magazine_limit = 0;
	p = slab_alloc(c, 0);
	ASSERT(p != NULL);
	slab_free(c, p);
	*slab_link(c, p) = 0x7000;
	p = slab_alloc(c, 0);
	EXPECT_PANIC((void)!slab_alloc(c, 0));
	machine(1);
	c = slab_cache_create("test", 1024, 0, true);
	c->magazine_limit = 0;
	p = slab_alloc(c, 0);
	slab_free(c, p);
	*slab_link(c, p) = SLAB_LINK_END;
	EXPECT_PANIC((void)!slab_alloc(c, 0));
}

TEST(a_damaged_list_of_slabs_does_not_stop_the_check)
{
	struct slab_cache *c;

	if (!DEBUG_BUILD)
		return;
	machine(1);
	c = slab_cache_create("test", 100, 0, false);
	ASSERT(slab_alloc(c, 0) != NULL);
	c->partial.next = (struct list_head *)(DIRECT_BASE + MIB(17));
	EXPECT_EQ(slab_check_all(), 1);
	c->partial.next = NULL;
	EXPECT_EQ(slab_check_all(), 1);
	c->partial.next = &pfn_to_page(MIB(20) >> PAGE_SHIFT)->slab_link;
	EXPECT_EQ(slab_check_all(), 1);
}

TEST(rcu_objects_keep_content_and_memory_until_readers_are_gone)
{
	struct slab_cache *c;
	u64 *seen[500], pages;

	machine(2);
	c = slab_cache_create("test", 512, 0, true);
	for (u64 i = 0; i < ARRAY_SIZE(seen); i++) {
		seen[i] = slab_alloc(c, 0);
		seen[i][0] = i;
		seen[i][63] = ~i;
	}
	pages = page_count_free();
	for (u64 i = 0; i < ARRAY_SIZE(seen); i++)
		slab_free(c, seen[i]);
	EXPECT(sim_rcu_pending() > 10);
	EXPECT_EQ(page_count_free(), pages);
	for (u64 i = 0; i < ARRAY_SIZE(seen); i++) {
		EXPECT_EQ(seen[i][0], i);
		EXPECT_EQ(seen[i][63], ~i);
		EXPECT_EQ(page_type(page_head(virt_to_page(seen[i]))), PAGE_SLAB);
	}
	sim_quiescent();
	EXPECT_EQ(sim_rcu_pending(), 0);
	EXPECT(page_count_free() > pages);
	EXPECT_EQ(pages_lost(), 0);
}

TEST(allocation_failing_at_each_step_leaves_nothing_behind)
{
	struct slab_cache *c;
	unsigned failures = 0;

	machine(1);
	c = slab_cache_create("test", 200, 0, false);
	for (u64 n = 1; n <= 200; n++) {
		void *got[150];

		alloc_fail_nth(n);
		for (unsigned i = 0; i < ARRAY_SIZE(got); i++) {
			got[i] = i % 2 ? slab_alloc(c, PA_ZERO) : kmalloc(i * 37, 0);
			failures += !got[i];
		}
		for (unsigned i = 0; i < ARRAY_SIZE(got); i++) {
			if (!got[i])
				continue;
			if (i % 2)
				slab_free(c, got[i]);
			else
				kfree(got[i]);
		}
		alloc_fail_nth(0);
		EXPECT_EQ(pages_lost(), 0);
	}
	EXPECT_EQ(failures, 150);
	EXPECT_EQ(slab_check_all(), 0);
}

TEST(running_out_of_pages_is_null_and_recoverable)
{
	struct slab_cache *c;
	void **list = NULL, **p;
	unsigned n = 0;

	machine(1);
	c = slab_cache_create("test", 256, 0, false);
	while ((p = slab_alloc(c, PA_ATOMIC))) {
		*p = list;
		list = p;
		n++;
	}
	EXPECT(n > MIB(16) / 512);
	EXPECT(!kmalloc(2048, PA_ATOMIC));
	while ((p = list)) {
		list = *p;
		slab_free(c, p);
	}
	EXPECT_EQ(pages_lost(), 0);
	EXPECT(page_count_free() > page_count_total() - 64);
}

TEST(objects_freed_on_another_cpu_are_not_lost)
{
	struct slab_cache *c;

	machine(4);
	c = slab_cache_create("test", 96, 0, false);
	for (unsigned round = 0; round < 20000; round++) {
		unsigned cpu = (unsigned)rng_below(4);

		/* This thread plays every CPU in turn. */
		sim_percpu_offset = percpu_offset[cpu];
		if (nr_objects < 500 && rng_one_in(2))
			object_add(slab_alloc(c, PA_ATOMIC), 96);
		else if (nr_objects)
			slab_free(c, object_remove((unsigned)rng_below(nr_objects)));
	}
	sim_percpu_offset = 0;
	EXPECT_EQ(slab_check_all(), 0);
	EXPECT_EQ(pages_lost(), 0);
}

static struct slab_cache *irq_cache;
static void *irq_objects[64];
static unsigned irq_nr, irq_count;

static void interrupt(void)
{
	irq_count++;
	for (unsigned i = 0; i < 3; i++) {
		if (irq_nr < ARRAY_SIZE(irq_objects) && irq_count % 16 < 9) {
			void *p = slab_alloc(irq_cache, PA_ATOMIC);

			if (p)
				irq_objects[irq_nr++] = p;
		} else if (irq_nr) {
			slab_free(irq_cache, irq_objects[--irq_nr]);
		}
	}
}

TEST(interrupts_may_allocate_and_free_objects_at_any_point)
{
	machine(1);
	irq_nr = irq_count = 0;
	irq_cache = slab_cache_create("test", 80, 0, false);
	sim_interrupts(interrupt, 20);
	for (unsigned step = 0; irq_count < 20000 && step < 3000000; step++) {
		if (nr_objects < 300 && rng_one_in(2)) {
			void *p = slab_alloc(irq_cache, PA_ATOMIC);

			ASSERT(p != NULL);
			object_add(p, 80);
		} else if (nr_objects) {
			slab_free(irq_cache, object_remove((unsigned)rng_below(nr_objects)));
		}
		if (host_test_failed())
			break;
	}
	sim_interrupts(NULL, 0);
	EXPECT(irq_count > 1000);
	while (irq_nr)
		slab_free(irq_cache, irq_objects[--irq_nr]);
	while (nr_objects)
		slab_free(irq_cache, object_remove(0));
	EXPECT_EQ(slab_check_all(), 0);
	EXPECT_EQ(pages_lost(), 0);
}
