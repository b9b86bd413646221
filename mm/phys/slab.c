/* SPDX-License-Identifier: MIT */
/*
 * slab.c - object caches.
 *
 * A slab is a block of 1 to 8 frames cut into objects of one size. The struct page of its first frame
 * describes it: its cache, how many objects are out, and the place of the first free one; each free
 * object stores the place of the next. Before the slabs stand per-CPU magazines, small stacks of
 * free objects, which serve nearly all requests without a lock, by the rules that page_alloc.c
 * explains for its own.
 *
 *   slab_alloc -> [ magazine ] <- half a magazine at a time <- partial slabs <- page_alloc
 *   slab_free  -> [ magazine ] -> the oldest half           -> their slabs   -> page_free, when a
 *                                                              cache has two without objects in use
 *
 * An object in a magazine counts as in use by its slab.
 *
 * A free object keeps its link in its own first bytes, unless lockless readers may look at
 * it (rcu) or its content is checked (debug builds): then the link has a place of its own behind it.
 * The slabs of an rcu cache go back to the page allocator only after a grace period.
 *
 *   stride:  [ object, `size` bytes | red zone, debug | link, rcu or debug | up to alignment ]
 *
 * Locks: cache->lock, a leaf with interrupts off; page_alloc and page_free are called without it.
 *
 * Read next: slab_debug.c (what the red zone holds), kmalloc.c.
 */
#include "kernel/rcu.h"
#include "lib/atomic.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "mm/phys/internal.h"
#include "mm/phys/slab_internal.h"

struct slab_cache slab_caches[SLAB_MAX_CACHES];
unsigned slab_nr_caches;

static PERCPU struct magazine slab_magazines[SLAB_MAX_CACHES];
static bool magazines_on;

/* The smallest slab that has at least eight objects and wastes at most an eighth, or the largest. */
static unsigned choose_order(u32 stride)
{
	unsigned order = 0;

	for (; order < SLAB_MAX_ORDER; order++) {
		size_t bytes = PAGE_SIZE << order;

		if (bytes / stride >= 8 && bytes % stride <= bytes / 8)
			break;
	}
	return order;
}

/* Large objects are cached sparingly: a magazine holds at most 8 KiB worth of them. */
static u16 choose_magazine_limit(u32 stride)
{
	return (u16)MIN(MAX(8192 / stride, 2u), (u32)MAGAZINE_SIZE);
}

static void choose_layout(struct slab_cache *c, size_t size, size_t align)
{
	size_t end = MAX(size, sizeof(u16));

	if (!align)
		align = size < 16 ? 8 : 16;
	align = MAX(align, (size_t)1 << SLAB_LINK_SHIFT);
	BUG_ON(!size || !is_pow2(align) || align > PAGE_SIZE);
	if (slab_debug_tail())
		end = ALIGN_UP(size, 8) + slab_debug_tail();
	c->link = 0;
	if (c->rcu || slab_debug_tail()) {
		c->link = (u16)ALIGN_UP(end, sizeof(u16));
		end = c->link + sizeof(u16);
	}
	c->size = (u32)size;
	c->stride = (u32)ALIGN_UP(end, align);
	c->order = (u8)choose_order(c->stride);
	c->per_slab = (u16)((PAGE_SIZE << c->order) / c->stride);
	BUG_ON(c->per_slab < 2);
}

/* slab_cache_create - see slab.h. */
struct slab_cache *slab_cache_create(const char *name, size_t size, size_t align, bool rcu)
{
	unsigned index = atomic_fetch_add(&slab_nr_caches, 1);
	struct slab_cache *c = &slab_caches[index];

	if (index >= SLAB_MAX_CACHES)
		panic("slab_cache_create %s: more than %u caches", name, SLAB_MAX_CACHES);
	c->name = name;
	c->rcu = rcu;
	c->magazine = &slab_magazines[index];
	choose_layout(c, size, align);
	spin_init(&c->lock, RANK_SLAB);
	c->nr_empty = c->nr_slabs = 0;
	list_init(&c->partial);
	list_init(&c->full);
	c->magazine_limit = magazines_on ? choose_magazine_limit(c->stride) : 0;
	return c;
}

/* slab_init - see slab.h. */
void slab_init(void)
{
	slab_nr_caches = 0;
	magazines_on = false;
	kmalloc_init();
}

/* slab_magazines_start - see internal.h. */
void slab_magazines_start(void)
{
	magazines_on = true;
	for (unsigned i = 0; i < slab_nr_caches; i++)
		slab_caches[i].magazine_limit = choose_magazine_limit(slab_caches[i].stride);
}

/* --- slabs ----------------------------------------------------------------------------------------- */

/* Makes a new slab, all free, on no list. */
static struct page *slab_new(struct slab_cache *c, unsigned flags)
{
	struct page *slab = page_alloc(c->order, (flags & PA_ATOMIC) | PA_NOFAIL_TEST);
	char *base;

	if (!slab)
		return NULL;
	base = page_to_virt(slab);
	for (unsigned i = 0; i < c->per_slab; i++) {
		unsigned next = (i + 1) * c->stride >> SLAB_LINK_SHIFT;

		slab_debug_new(c, base + i * c->stride);
		*slab_link(c, base + i * c->stride) =
			(u16)(i + 1 < c->per_slab ? next : SLAB_LINK_END);
	}
	slab->slab_cache = c;
	slab->slab_free = 0;
	slab->slab_inuse = 0;
	slab->slab_order = c->order;
	list_init(&slab->slab_link);
	atomic_store_release(&slab->flags, PAGE_SLAB);
	return slab;
}

static void slab_release_rcu(struct rcu_head *head)
{
	struct page *slab = container_of(head, struct page, slab_rcu);

	page_free(slab, slab->slab_order);
}

/* Gives the slabs of a list, all free and out of their cache, back. */
static void release_slabs(struct slab_cache *c, struct list_head *slabs)
{
	struct page *slab;

	while ((slab = list_first(slabs, struct page, slab_link))) {
		list_del(&slab->slab_link);
		if (c->rcu)
			rcu_call(&slab->slab_rcu, slab_release_rcu);
		else
			page_free(slab, c->order);
	}
}

/* Adds a slab for the objects that slab_alloc did not find. */
static bool cache_grow(struct slab_cache *c, unsigned flags)
{
	struct page *slab = slab_new(c, flags);
	unsigned long irq;

	if (!slab)
		return false;
	irq = spin_lock_irqsave(&c->lock);
	list_add_tail(&slab->slab_link, &c->partial);
	c->nr_empty++;
	atomic_store(&c->nr_slabs, c->nr_slabs + 1);
	spin_unlock_irqrestore(&c->lock, irq);
	return true;
}

static COLD NOINLINE NORETURN void bad_free_list(struct slab_cache *c, struct page *slab)
{
	panic("slab %s: free list damaged in the slab at frame 0x%lx: link 0x%x, %u of %u in use",
	      c->name, page_to_pfn(slab), slab->slab_free, slab->slab_inuse, c->per_slab);
}

/* Takes one object from a slab of the partial list. */
static void *take_locked(struct slab_cache *c, struct page *slab)
{
	size_t place = (size_t)slab->slab_free << SLAB_LINK_SHIFT;
	void *obj = (char *)page_to_virt(slab) + place;

	assert_held(&c->lock);
	if (unlikely(place + c->stride > PAGE_SIZE << c->order))
		bad_free_list(c, slab);
	slab->slab_free = *slab_link(c, obj);
	if (slab->slab_inuse++ == 0)
		c->nr_empty--;
	if (unlikely((slab->slab_inuse == c->per_slab) != (slab->slab_free == SLAB_LINK_END)))
		bad_free_list(c, slab);
	if (slab->slab_inuse == c->per_slab)
		list_move_tail(&slab->slab_link, &c->full);
	return obj;
}

/* Puts one object back into its slab; a slab that becomes empty and is not needed goes to `spare`. */
static void put_locked(struct slab_cache *c, void *obj, struct list_head *spare)
{
	struct page *slab = page_head(virt_to_page(obj));
	size_t place = (size_t)((char *)obj - (char *)page_to_virt(slab));

	assert_held(&c->lock);
	if (unlikely(page_type(slab) != PAGE_SLAB || slab->slab_cache != c || !slab->slab_inuse))
		panic("slab_free: %p is not an object of %s", obj, c->name);
	if (slab->slab_inuse == c->per_slab)
		list_move_tail(&slab->slab_link, &c->partial);
	*slab_link(c, obj) = slab->slab_free;
	slab->slab_free = (u16)(place >> SLAB_LINK_SHIFT);
	if (--slab->slab_inuse)
		return;
	if (!c->nr_empty) {
		c->nr_empty++;
		list_move_tail(&slab->slab_link, &c->partial);
		return;
	}
	list_move_tail(&slab->slab_link, spare);
	atomic_store(&c->nr_slabs, c->nr_slabs - 1);
}

/* --- magazines ------------------------------------------------------------------------------------- */

static ALWAYS_INLINE void magazine_claim(struct magazine *m)
{
	WRITE_ONCE(m->busy, true);
	barrier();
}

/* Marks this CPU's magazine as in use; NULL when it is already. */
static ALWAYS_INLINE struct magazine *magazine_enter(struct slab_cache *c)
{
	struct magazine *m = &this_cpu(*c->magazine);

	if (unlikely(m->busy))
		return NULL;
	magazine_claim(m);
	return m;
}

static ALWAYS_INLINE void magazine_leave(struct magazine *m)
{
	barrier();
	WRITE_ONCE(m->busy, false);
}

/* One object from the slabs that there are, and up to half a magazine more. NULL when there is none. */
static void *magazine_refill(struct slab_cache *c)
{
	struct magazine *m = c->magazine_limit ? magazine_enter(c) : NULL;
	unsigned want = m ? c->magazine_limit / 2u : 0;
	void *obj = NULL;
	unsigned long irq = spin_lock_irqsave(&c->lock);
	struct page *slab;

	while ((slab = list_first(&c->partial, struct page, slab_link))) {
		if (!obj)
			obj = take_locked(c, slab);
		else if (m && m->count < want)
			m->objs[m->count++] = take_locked(c, slab);
		else
			break;
	}
	spin_unlock_irqrestore(&c->lock, irq);
	if (m)
		magazine_leave(m);
	return obj;
}

/* The magazine is full, off or in use: give back its older half and this object, or just this one. */
static NOINLINE void free_slow(struct slab_cache *c, void *obj)
{
	struct magazine *m = c->magazine_limit ? magazine_enter(c) : NULL;
	unsigned n = m ? (m->count + 1u) / 2 : 0;
	struct list_head spare = LIST_INIT(spare);
	unsigned long irq = spin_lock_irqsave(&c->lock);

	for (unsigned i = 0; i < n; i++)
		put_locked(c, m->objs[i], &spare);
	put_locked(c, obj, &spare);
	spin_unlock_irqrestore(&c->lock, irq);
	if (m) {
		for (unsigned i = n; i < m->count; i++)
			m->objs[i - n] = m->objs[i];
		m->count -= n;
		magazine_leave(m);
	}
	release_slabs(c, &spare);
}

/* --- the interface --------------------------------------------------------------------------------- */

/* hand_out - the last step for an object that was taken from the cache. */
static ALWAYS_INLINE void *hand_out(struct slab_cache *c, void *obj, unsigned flags)
{
	slab_debug_alloc(c, obj);
	return flags & PA_ZERO ? memset(obj, 0, c->size) : obj;
}

/* Nothing in the magazine, the magazine in use, or allocations are being made to fail. */
static NOINLINE void *alloc_slow(struct slab_cache *c, unsigned flags)
{
	void *obj;

	if (!(flags & PA_NOFAIL_TEST) && alloc_should_fail())
		return NULL;
	while (!(obj = magazine_refill(c)))
		if (!cache_grow(c, flags))
			return NULL;
	return hand_out(c, obj, flags);
}

/* slab_alloc - see slab.h. */
void *slab_alloc(struct slab_cache *c, unsigned flags)
{
	struct magazine *m = &this_cpu(*c->magazine);
	void *obj;
	u32 n;

	if (!(flags & PA_ATOMIC))
		lock_assert_may_sleep();
	if (unlikely(m->busy || atomic_load(&alloc_fail_left)))
		return alloc_slow(c, flags);
	magazine_claim(m);
	n = m->count;
	if (unlikely(!n)) {
		magazine_leave(m);
		return alloc_slow(c, flags);
	}
	obj = m->objs[n - 1];
	m->count = n - 1;
	magazine_leave(m);
	return hand_out(c, obj, flags);
}

/* slab_free - see slab.h. */
void slab_free(struct slab_cache *c, void *obj)
{
	struct magazine *m = &this_cpu(*c->magazine);
	u32 n;

	slab_debug_free(c, obj);
	if (unlikely(m->busy)) {
		free_slow(c, obj);
		return;
	}
	magazine_claim(m);
	n = m->count;
	if (unlikely(n >= c->magazine_limit)) {
		magazine_leave(m);
		free_slow(c, obj);
		return;
	}
	m->objs[n] = obj;
	m->count = n + 1;
	magazine_leave(m);
}

/* slab_count_pages - see slab.h. */
u64 slab_count_pages(void)
{
	u64 n = 0;

	for (unsigned i = 0; i < slab_nr_caches; i++)
		n += (u64)atomic_load(&slab_caches[i].nr_slabs) << slab_caches[i].order;
	return n;
}

/* slab_dump - see slab.h. */
void slab_dump(void (*print)(const char *fmt, ...))
{
	for (unsigned i = 0; i < slab_nr_caches; i++) {
		const struct slab_cache *c = &slab_caches[i];
		u32 slabs = atomic_load(&c->nr_slabs);

		if (slabs)
			print("slab %-16s %5u bytes, %u slabs of %u objects, %lu KiB\n", c->name,
			      c->size, slabs, c->per_slab, (u64)slabs * 4 << c->order);
	}
}
