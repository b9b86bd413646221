/* SPDX-License-Identifier: MIT */
/*
 * Several CPUs in the page allocator and the slab caches at once, for ThreadSanitizer: allocation here
 * and freeing there, references taken without locks, readers of freed objects, memory running short.
 */
#include "harness.h"
#include "sim.h"

#include <sched.h>

#include "kernel/rcu.h"
#include "lib/atomic.h"
#include "mm/phys/internal.h"
#include "mm/phys/slab.h"

#define CPUS  4
#define STEPS 6000

/* A thread's own random numbers: the harness has one generator. */
static u32 next_random(u32 *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* Places through which memory passes from CPU to CPU. */
#define BOXES 64
static void *boxes[BOXES];

static void check_all_free(void)
{
	sim_quiescent();
	EXPECT_EQ(page_count_total() - page_count_free(), slab_count_pages());
	EXPECT_EQ(slab_check_all(), 0);
}

static void page_worker(unsigned cpu, void *arg)
{
	u32 seed = cpu + 1;

	(void)arg;
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned order = next_random(&seed) % 16 ? 0 : next_random(&seed) % 6;
		struct page *p = page_alloc(order, next_random(&seed) % 2 ? PA_ATOMIC : 0);

		if (p)
			*(u64 *)page_to_virt(p) = page_to_pfn(p);
		p = atomic_xchg(&boxes[next_random(&seed) % BOXES], p);
		if (p) {
			EXPECT_EQ(*(u64 *)page_to_virt(p), page_to_pfn(p));
			*(u64 *)page_to_virt(p) = 0;
			page_put(p);
		}
		if (step % 512 == 0)
			EXPECT(page_count_free() <= page_count_total() + CPUS * 64);
	}
}

static void empty_boxes_of_pages(void)
{
	for (unsigned i = 0; i < BOXES; i++) {
		if (boxes[i])
			page_put(boxes[i]);
		boxes[i] = NULL;
	}
}

TEST(pages_may_be_freed_by_any_cpu)
{
	sim_machine(CPUS, 32);
	sim_run(CPUS, page_worker, NULL);
	empty_boxes_of_pages();
	EXPECT_EQ(page_count_free(), page_count_total());
}

TEST(cpus_that_compete_for_the_last_pages_lose_none)
{
	sim_machine(CPUS, 1);
	sim_run(CPUS, page_worker, NULL);
	empty_boxes_of_pages();
	EXPECT_EQ(page_count_free(), page_count_total());
}

/* Each CPU hoards until nothing is left, which makes all of them ask the others for their stacks. */
static void hoarder(unsigned cpu, void *arg)
{
	struct list_head hoard = LIST_INIT(hoard);
	struct page *p;

	(void)cpu, (void)arg;
	for (unsigned round = 0; round < 6; round++) {
		while ((p = page_alloc(0, PA_USER)))
			list_add(page_to_virt(p), &hoard);
		while (!list_empty(&hoard)) {
			struct list_head *first = hoard.next;

			list_del(first);
			page_free(virt_to_page(first), 0);
		}
	}
}

TEST(hoarding_cpus_find_each_others_cached_pages)
{
	sim_machine(CPUS, 2);
	sim_run(CPUS, hoarder, NULL);
	EXPECT_EQ(page_count_free(), page_count_total());
	while (page_alloc(0, 0))
		continue;
	EXPECT_EQ(page_count_free(), page_count_total() / 256);
}

/* One page that everybody looks up without a lock, and that is replaced all the time. */
static void *published;

static void reference_worker(unsigned cpu, void *arg)
{
	(void)arg;
	for (unsigned step = 0; step < STEPS; step++) {
		struct page *p = atomic_load_acquire(&published);

		if (cpu == 0) {
			struct page *fresh = page_alloc(0, 0);

			ASSERT(fresh != NULL);
			atomic_store((u64 *)page_to_virt(fresh), page_to_pfn(fresh));
			p = atomic_xchg(&published, fresh);
			if (p)
				page_put(p);
		} else if (p && page_try_get(p)) {
			/* Ours if it is still the published one, somebody's page in any case. */
			if (atomic_load_acquire(&published) == p)
				EXPECT_EQ(atomic_load((u64 *)page_to_virt(p)), page_to_pfn(p));
			page_put(p);
		}
	}
}

TEST(lockless_references_never_revive_a_free_page)
{
	sim_machine(CPUS, 2);
	published = NULL;
	sim_run(CPUS, reference_worker, NULL);
	page_put(published);
	EXPECT_EQ(page_count_free(), page_count_total());
}

static struct slab_cache *cache;

static void slab_worker(unsigned cpu, void *arg)
{
	u32 seed = cpu + 1;

	(void)arg;
	for (unsigned step = 0; step < STEPS; step++) {
		u64 *p = slab_alloc(cache, next_random(&seed) % 2 ? PA_ATOMIC : PA_ZERO);

		ASSERT(p != NULL);
		for (unsigned i = 0; i < 8; i++)
			p[i] = (u64)p + i;
		p = atomic_xchg(&boxes[next_random(&seed) % BOXES], p);
		for (unsigned i = 0; p && i < 8; i++)
			EXPECT_EQ(p[i], (u64)p + i);
		if (p)
			slab_free(cache, p);
		if (step % 1024 == 0)
			EXPECT(slab_count_pages() > 0);
	}
}

TEST(objects_may_be_freed_by_any_cpu)
{
	sim_machine(CPUS, 32);
	cache = slab_cache_create("test", 64, 0, false);
	sim_run(CPUS, slab_worker, NULL);
	for (unsigned i = 0; i < BOXES; i++) {
		if (boxes[i])
			slab_free(cache, boxes[i]);
		boxes[i] = NULL;
	}
	check_all_free();
}

static void kmalloc_worker(unsigned cpu, void *arg)
{
	u32 seed = cpu + 1;

	(void)arg;
	for (unsigned step = 0; step < STEPS; step++) {
		u32 size = 8 + next_random(&seed) % (step % 16 ? 500 : 20000);
		u32 *p = kmalloc(size, PA_ATOMIC);

		if (p)
			p[0] = size;
		p = atomic_xchg(&boxes[next_random(&seed) % BOXES], p);
		if (p)
			EXPECT(p[0] >= 8 && p[0] < 20008);
		kfree(p);
	}
}

TEST(kmalloc_and_kfree_on_different_cpus)
{
	sim_machine(CPUS, 32);
	sim_run(CPUS, kmalloc_worker, NULL);
	for (unsigned i = 0; i < BOXES; i++) {
		kfree(boxes[i]);
		boxes[i] = NULL;
	}
	check_all_free();
}

/* An object of an rcu cache has a count that is zero while it is free: readers that find it in a box
 * may look at it, and take a reference only when it still lives. The count survives freeing because
 * nobody but its owners writes it. */
struct counted {
	u64 refs; /* [a] */
	u64 key;  /* [a] */
	u64 pad[6];
};

static void counted_put(struct counted *o)
{
	if (atomic_fetch_sub(&o->refs, 1) == 1)
		slab_free(cache, o);
}

static bool counted_try_get(struct counted *o)
{
	u64 refs = atomic_load(&o->refs);

	do {
		if (!refs)
			return false;
	} while (!atomic_cas(&o->refs, &refs, refs + 1));
	return true;
}

static void publish(u32 box)
{
	struct counted *o = slab_alloc(cache, 0);

	ASSERT(o != NULL);
	atomic_store(&o->key, box);
	atomic_store_release(&o->refs, 1);
	o = atomic_xchg(&boxes[box], o);
	if (o)
		counted_put(o);
}

static void rcu_worker(unsigned cpu, void *arg)
{
	u32 seed = cpu + 1;

	(void)arg;
	for (unsigned step = 0; step < STEPS; step++) {
		u32 box = next_random(&seed) % BOXES;
		struct counted *o;

		rcu_read_lock();
		o = atomic_load_acquire(&boxes[box]);
		if (o && counted_try_get(o)) {
			if (atomic_load_acquire(&boxes[box]) == o)
				EXPECT_EQ(atomic_load(&o->key), box);
			counted_put(o);
		}
		rcu_read_unlock();
		if (next_random(&seed) % 3 == 0)
			publish(box);
		if (step % 64 == 0)
			sim_quiescent();
	}
}

TEST(readers_may_look_at_freed_rcu_objects)
{
	sim_machine(CPUS, 32);
	cache = slab_cache_create("test", sizeof(struct counted), 0, true);
	sim_run(CPUS, rcu_worker, NULL);
	for (unsigned i = 0; i < BOXES; i++) {
		if (boxes[i])
			counted_put(boxes[i]);
		boxes[i] = NULL;
	}
	check_all_free();
	EXPECT_EQ(sim_rcu_pending(), 0);
}
