/* SPDX-License-Identifier: MIT */
/*
 * page_alloc.c - who gets free memory: per-CPU caches, the reserve, and the checks on what comes back.
 *
 * Nearly all requests are for one page, and nearly all are served from a small stack of free pages
 * that belongs to this CPU, without a lock. Only an empty stack, or a full one on the way back, goes
 * to the buddy lists, for a batch. A page in a stack looks like any unowned frame (type 0, refs 0).
 *
 *      page_alloc ->  [ this CPU's stack ]  <- buddy_take_many    32 at a time, when empty
 *      page_free  ->  [ this CPU's stack ]  -> buddy_give_many    the oldest 32, when full
 *
 * A second, smaller stack holds page tables that came back: they are empty when they are freed (PG_BLANK), and
 * most of them become page tables again, without being cleared.
 *
 * Interrupts. The kernel is not preempted, so the one thing that can come between two steps on
 * a stack is an interrupt handler on the same CPU. Turning interrupts off around each step would
 * cost more than the step; instead a flag says that the stack is in use, and a handler that finds it
 * set goes to the buddy lists itself. The handler always finishes before the interrupted code
 * goes on, so a flag without any atomic operation is enough.
 *
 * The reserve. An allocation for user space is refused while fewer than two reserves are free, an
 * ordinary one below one reserve; PA_ATOMIC takes what there is. Thus the kernel can still make page
 * tables and take locks when user memory has run out, and interrupt handlers longest of all.
 *
 * Locks: none of its own. Read next: page_debug.c.
 */
#include <arch/cpu.h>
#include <arch/page_copy.h>
#include "kernel/lock.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "lib/atomic.h"
#include "mm/phys/internal.h"

#define PAGE_CACHE_SIZE  64
#define PAGE_CACHE_BATCH 32
#define PAGE_CACHE_MIN   8
#define BLANK_CACHE_SIZE 16

struct page_cache {
	u32 count; /* this CPU's; others read it for statistics */
	bool busy; /* the stacks are being changed: interrupts keep away */
	struct page *pages[PAGE_CACHE_SIZE];
	u32 nr_blank; /* as count */
	struct page *blank[BLANK_CACHE_SIZE];
};

static PERCPU struct page_cache page_cache;

static u32 cache_limit; /* constant after phys_percpu_start; 0: caches are off */
static u64 reserve;     /* constant after phys_init; frames */

/* page_set_reserve - see internal.h. About 1/256 of memory: 1 MiB of 256. */
void page_set_reserve(u64 managed)
{
	reserve = MIN(managed / 256, MIB(16) >> PAGE_SHIFT);
	cache_limit = 0;
}

/* page_caches_start - see internal.h. On small machines with many CPUs the stacks together must
 * not hold more than 1/64 of memory: it can be had back, but at the price of asking each CPU. */
void page_caches_start(void)
{
	u64 share = page_count_total() / 64 / nr_cpus;

	cache_limit = (u32)MIN(MAX(share, (u64)PAGE_CACHE_MIN), (u64)PAGE_CACHE_SIZE);
}

/* How many frames this request must leave behind. */
static u64 frames_to_keep(unsigned flags)
{
	if (flags & PA_ATOMIC)
		return 0;
	return flags & PA_USER ? 2 * reserve : reserve;
}

/* Marks this CPU's stack as in use; false when it is already. */
static ALWAYS_INLINE bool cache_enter(struct page_cache *c)
{
	if (unlikely(c->busy))
		return false;
	WRITE_ONCE(c->busy, true);
	barrier();
	return true;
}

static ALWAYS_INLINE void cache_leave(struct page_cache *c)
{
	barrier();
	WRITE_ONCE(c->busy, false);
}

/* The top of this CPU's stack; NULL when it is empty, off or in use. */
static ALWAYS_INLINE struct page *cache_pop(void)
{
	struct page_cache *c = &this_cpu(page_cache);
	struct page *p = NULL;
	u32 n;

	if (!cache_enter(c))
		return NULL;
	n = c->count;
	if (likely(n)) {
		p = c->pages[n - 1];
		atomic_store(&c->count, n - 1);
	}
	cache_leave(c);
	return p;
}

/* False when this CPU's stack is full, off or in use. */
static ALWAYS_INLINE bool cache_push(struct page *p)
{
	struct page_cache *c = &this_cpu(page_cache);
	bool fits = false;
	u32 n;

	if (!cache_enter(c))
		return false;
	n = c->count;
	if (likely(n < cache_limit)) {
		c->pages[n] = p;
		atomic_store(&c->count, n + 1);
		fits = true;
	}
	cache_leave(c);
	return fits;
}

/* A page that is an empty page table already, or NULL. */
static ALWAYS_INLINE struct page *blank_pop(void)
{
	struct page_cache *c = &this_cpu(page_cache);
	struct page *p = NULL;

	if (!cache_enter(c))
		return NULL;
	if (likely(c->nr_blank)) {
		p = c->blank[c->nr_blank - 1];
		atomic_store(&c->nr_blank, c->nr_blank - 1);
	}
	cache_leave(c);
	return p;
}

/* Keep such a page for the next table. False: it is to be freed as others are. */
static bool blank_push(struct page *p)
{
	struct page_cache *c = &this_cpu(page_cache);
	bool fits;

	if (!cache_enter(c))
		return false;
	fits = c->nr_blank < cache_limit * BLANK_CACHE_SIZE / PAGE_CACHE_SIZE;
	if (likely(fits)) {
		c->blank[c->nr_blank] = p;
		atomic_store(&c->nr_blank, c->nr_blank + 1);
	}
	cache_leave(c);
	return fits;
}

/* One page from the lists, and a batch for the stack when that is ours to fill. */
static struct page *cache_refill(u64 keep)
{
	struct page_cache *c = &this_cpu(page_cache);
	struct page *p = NULL;
	u32 n;

	if (!cache_limit || !cache_enter(c))
		return buddy_take(0, keep);
	n = c->count;
	if (!n)
		n = buddy_take_many(c->pages, MIN(cache_limit, PAGE_CACHE_BATCH), keep);
	if (n)
		p = c->pages[--n];
	atomic_store(&c->count, n);
	cache_leave(c);
	return p;
}

/* Gives back the pages that lay in the stack longest, to make room for this one. */
static void cache_overflow(struct page *p)
{
	struct page_cache *c = &this_cpu(page_cache);
	u32 n, left;

	if (!cache_limit || !cache_enter(c)) {
		buddy_give(p, 0);
		return;
	}
	n = MIN(c->count, PAGE_CACHE_BATCH);
	left = c->count - n;
	buddy_give_many(c->pages, n);
	for (u32 i = 0; i < left; i++)
		c->pages[i] = c->pages[n + i];
	c->pages[left] = p;
	atomic_store(&c->count, left + 1);
	cache_leave(c);
}

/* page_drain_local_cache - see page_alloc.h. */
void page_drain_local_cache(void)
{
	struct page_cache *c = &this_cpu(page_cache);

	if (!cache_enter(c))
		return;
	buddy_give_many(c->pages, c->count);
	atomic_store(&c->count, 0);
	buddy_give_many(c->blank, c->nr_blank);
	atomic_store(&c->nr_blank, 0);
	cache_leave(c);
}

static void drain_call(void *unused)
{
	(void)unused;
	page_drain_local_cache();
}

/* Takes every CPU's cached pages back; a CPU that is just using its stack keeps it. */
static void drain_all_caches(void)
{
	page_drain_local_cache();
	if (nr_cpus_online > 1 && cpu_irqs_enabled())
		smp_call(&cpus_online, drain_call, NULL);
}

/* Turns a block of unowned frames into an allocation. */
static ALWAYS_INLINE void block_own(struct page *p, unsigned order)
{
	page_unpoison(p, order);
	p->kernel_order = (u8)order;
	atomic_store(&p->flags, PAGE_KERNEL);
	/* A lockless page_try_get may succeed from here on; it then sees the type that is set. */
	atomic_store_release(&p->refs, 1);
}

static void tails_set(struct page *p, unsigned order, enum page_type type)
{
	for (unsigned i = 1; i < 1u << order; i++) {
		p[i].head = p;
		atomic_store(&p[i].flags, type);
	}
}

static NOINLINE struct page *block_clear(struct page *p, unsigned order)
{
	char *va = page_to_virt(p);

	for (size_t done = 0; done < PAGE_SIZE << order; done += PAGE_SIZE)
		arch_page_clear(va + done);
	return p;
}

/* What the stack could not serve. Memory may be short, or lie in pieces in other CPUs' stacks. */
static struct page *take_slow(unsigned order, unsigned flags)
{
	u64 keep = frames_to_keep(flags);
	struct page *p;

	if (order > PAGE_MAX_ORDER)
		return NULL;
	p = order ? buddy_take(order, keep) : cache_refill(keep);
	if (p || flags & PA_ATOMIC)
		return p;
	drain_all_caches();
	return buddy_take(order, keep);
}

static NOINLINE struct page *alloc_slow(unsigned order, unsigned flags)
{
	struct page *p = take_slow(order, flags);

	if (!p)
		return NULL;
	block_own(p, order);
	tails_set(p, order, PAGE_TAIL);
	return flags & (PA_ZERO | PA_TABLE) ? block_clear(p, order) : p;
}

/* page_alloc - see page_alloc.h. */
struct page *page_alloc(unsigned order, unsigned flags)
{
	struct page *p;

	if (DEBUG_BUILD && !(flags & (PA_ATOMIC | PA_CACHED)))
		lock_assert_may_sleep();
	if (!(flags & PA_NOFAIL_TEST) && alloc_should_fail())
		return NULL;
	if (flags & PA_TABLE && likely(p = blank_pop())) {
		block_own(p, 0);
		return p;
	}
	if (unlikely(order) || unlikely(!(p = cache_pop())))
		return flags & PA_CACHED ? NULL : alloc_slow(order, flags);
	block_own(p, 0);
	return flags & (PA_ZERO | PA_TABLE) ? block_clear(p, 0) : p;
}

static COLD NOINLINE NORETURN void bad_free(struct page *p, unsigned order)
{
	pfn_t pfn = page_to_pfn(p);

	panic("page_free: frame 0x%lx order %u: type %u%s, %u references, allocated as order %u",
	      pfn, order, page_type(p), buddy_contains(pfn) ? " (free already)" : "", p->refs,
	      page_order(p));
}

/* Has a page that comes back an owner to come back from? */
static ALWAYS_INLINE bool free_is_valid(const struct page *p, unsigned order)
{
	unsigned type = page_type(p);

	if (type - PAGE_KERNEL > PAGE_OBJ - PAGE_KERNEL)
		return false;
	return !DEBUG_BUILD || page_order(p) == order;
}

static NOINLINE void free_slow(struct page *p, unsigned order)
{
	if (!order) {
		cache_overflow(p);
		return;
	}
	tails_set(p, order, PAGE_RESERVED);
	page_poison(p, order);
	buddy_give(p, order);
}

/* The last reference is gone, and the page is one that can be freed. */
static ALWAYS_INLINE void free_block(struct page *p, unsigned order)
{
	bool blank;

	page_account(page_type(p), -(s64)(1ul << order));
	blank = page_test(p, PG_BLANK);
	atomic_store(&p->flags, PAGE_RESERVED);
	if (blank && likely(blank_push(p)))
		return;
	if (!order)
		page_poison(p, 0);
	if (unlikely(order) || unlikely(!cache_push(p)))
		free_slow(p, order);
}

/* One reference fewer; true for the last. */
static ALWAYS_INLINE bool give_up(struct page *p)
{
	u32 refs = __atomic_fetch_sub(&p->refs, 1, __ATOMIC_ACQ_REL);

	if (unlikely(!refs))
		panic("page_put: frame 0x%lx has no references", page_to_pfn(p));
	return refs == 1;
}

static ALWAYS_INLINE void free_last(struct page *p)
{
	unsigned order = page_order(p);

	if (unlikely(!free_is_valid(p, order)))
		bad_free(p, order);
	free_block(p, order);
}

static ALWAYS_INLINE void put(struct page *p)
{
	if (give_up(p))
		free_last(p);
}

/* page_put_last - see page_alloc.h. */
void page_put_last(struct page *p)
{
	free_last(p);
}

/* page_free - see page_alloc.h. Not one more thing than giving up the owner's reference: a lockless lookup that
 * came upon the frame by an old trace may hold another for a moment, and is then the one to free it. */
void page_free(struct page *p, unsigned order)
{
	if (unlikely(!free_is_valid(p, order) || !atomic_load(&p->refs)))
		bad_free(p, order);
	if (give_up(p))
		free_block(p, order);
}

/* page_put - see page_alloc.h. */
void page_put(struct page *p)
{
	put(p);
}

/* page_put_many - see page_alloc.h. */
void page_put_many(struct page *const *pages, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		put(pages[i]);
}

/* page_count_free - see page_alloc.h. A snapshot: pages may be moving between the lists and a cache. */
u64 page_count_free(void)
{
	u64 n = buddy_count_free();

	if (!cache_limit)
		return n;
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
		n += atomic_load(&cpu_var(page_cache, cpu).count) +
		     atomic_load(&cpu_var(page_cache, cpu).nr_blank);
	return n;
}

/* Only the types whose owners account for them mean anything. */
PERCPU s64 page_type_counts[PAGE_TYPES];

/* page_count_type - see page_alloc.h. */
u64 page_count_type(enum page_type type)
{
	s64 n = 0;

	for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
		n += atomic_load(&cpu_var(page_type_counts, cpu)[type]);
	return (u64)MAX(n, 0);
}
