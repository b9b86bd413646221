/* SPDX-License-Identifier: MIT */
/*
 * buddy.c - free memory as blocks of 2^order frames, each aligned to its size.
 *
 * There is one list per order. A request takes the smallest block that is large enough and halves it
 * until it fits; the halves not needed go to the lists. A block that comes back looks at its buddy,
 * the block whose number differs in exactly the bit of its size: when that one is free and
 * whole, the two become one block of the next order, and so on upwards.
 *
 *       order 2   [ 8  9 10 11 ]                        frame 10 comes back: its buddy 11 is free,
 *       order 1   [ 8  9 ]  10 [11]   ->  [ 8 9 ][ 10 11 ]  ->  [ 8  9 10 11 ]
 *
 * Invariants, under the lock:
 *  - the first frame of each block in a list has type PAGE_FREE and the block's order; all
 *    other free frames have type PAGE_RESERVED, so nothing but a block can look like one;
 *  - two buddies of one order below PAGE_MAX_ORDER are never both in the lists;
 *  - bit n of `orders` says that list n is not empty; nr_free is the sum over all lists.
 *
 * Lock: buddy.lock, a leaf, interrupts off. The loops under it are bounded by the batch size of the
 * per-CPU caches, except in buddy_give_range, which is for boot.
 *
 * Read next: page_alloc.c, which decides who gets what is in here.
 */
#include "lib/atomic.h"
#include "lib/bits.h"
#include "mm/phys/internal.h"

static struct {
	struct spinlock lock; /* RANK_BUDDY */
	u32 orders;
	u64 nr_free; /* read without the lock for statistics */
	struct list_head lists[PAGE_MAX_ORDER + 1];
	u64 nr_blocks[PAGE_MAX_ORDER + 1]; /* likewise */
} buddy;

/* buddy_init - no memory yet. Boot only. */
void buddy_init(void)
{
	spin_init(&buddy.lock, RANK_BUDDY);
	buddy.orders = 0;
	buddy.nr_free = 0;
	for (unsigned i = 0; i <= PAGE_MAX_ORDER; i++) {
		list_init(&buddy.lists[i]);
		buddy.nr_blocks[i] = 0;
	}
}

/* An unowned frame changes its type; only the poison mark stays. Nobody else writes its flags. */
static void set_unowned_type(struct page *p, enum page_type type)
{
	u32 flags = atomic_load(&p->flags);

	atomic_store(&p->flags, (flags & PG_POISONED) | type);
}

static void block_insert(struct page *p, unsigned order)
{
	set_unowned_type(p, PAGE_FREE);
	p->buddy_order = (u8)order;
	list_add(&p->buddy_link, &buddy.lists[order]);
	buddy.orders |= 1u << order;
	atomic_store(&buddy.nr_blocks[order], buddy.nr_blocks[order] + 1);
}

static void block_remove(struct page *p, unsigned order)
{
	list_del(&p->buddy_link);
	if (list_empty(&buddy.lists[order]))
		buddy.orders &= ~(1u << order);
	atomic_store(&buddy.nr_blocks[order], buddy.nr_blocks[order] - 1);
	set_unowned_type(p, PAGE_RESERVED);
}

/* The buddy of a block, if it is free as one block. A section is either all there or not at all,
 * so only blocks of a section or more can have a buddy without a struct page. */
static struct page *free_buddy(pfn_t pfn, unsigned order)
{
	pfn_t other = pfn ^ (1ul << order);
	struct page *p = pfn_to_page(other);

	if (order >= SECTION_ORDER && !page_exists(other))
		return NULL;
	return page_type(p) == PAGE_FREE && p->buddy_order == order ? p : NULL;
}

static void give_locked(struct page *p, unsigned order)
{
	pfn_t pfn = page_to_pfn(p);
	struct page *other;

	assert_held(&buddy.lock);
	atomic_store(&buddy.nr_free, buddy.nr_free + (1ul << order));
	while (order < PAGE_MAX_ORDER && (other = free_buddy(pfn, order))) {
		block_remove(other, order);
		pfn &= ~(1ul << order);
		order++;
	}
	block_insert(pfn_to_page(pfn), order);
}

/* Takes a block of `order` out of a list where there is a block of at least that order. */
static struct page *take_locked(unsigned order)
{
	unsigned from = ctz64(buddy.orders & ~low_mask(order));
	struct page *p = list_first(&buddy.lists[from], struct page, buddy_link);

	assert(p->buddy_order == from && page_type(p) == PAGE_FREE);
	block_remove(p, from);
	while (from > order) {
		from--;
		block_insert(p + (1ul << from), from);
	}
	atomic_store(&buddy.nr_free, buddy.nr_free - (1ul << order));
	return p;
}

/* buddy_take - see internal.h. */
struct page *buddy_take(unsigned order, u64 keep)
{
	unsigned long irq = spin_lock_irqsave(&buddy.lock);
	struct page *p = NULL;

	if (buddy.orders >> order && buddy.nr_free >= keep + (1ul << order))
		p = take_locked(order);
	spin_unlock_irqrestore(&buddy.lock, irq);
	return p;
}

/* buddy_take_many - see internal.h. Small blocks are used up first, and a block that is wanted whole
 * is taken whole: the frames inside it need no work at all. A larger block is split only for a
 * batch that has nothing yet: topping batches up would leave crumbs for the next one to start with. */
unsigned buddy_take_many(struct page **out, unsigned n, u64 keep)
{
	unsigned long irq = spin_lock_irqsave(&buddy.lock);
	unsigned got = 0;

	while (got < n && buddy.nr_free > keep) {
		u64 want = MIN((u64)(n - got), buddy.nr_free - keep);
		unsigned smallest = ctz64(buddy.orders), order = MIN(smallest, ilog2(want));
		struct page *p;

		if (got && order < smallest)
			break;
		p = take_locked(order);
		for (unsigned i = 1u << order; i-- > 0;)
			out[got++] = p + i;
	}
	spin_unlock_irqrestore(&buddy.lock, irq);
	return got;
}

/* buddy_give - see internal.h. */
void buddy_give(struct page *p, unsigned order)
{
	unsigned long irq = spin_lock_irqsave(&buddy.lock);

	give_locked(p, order);
	spin_unlock_irqrestore(&buddy.lock, irq);
}

/* buddy_give_many - see internal.h. */
void buddy_give_many(struct page **pages, unsigned n)
{
	unsigned long irq = spin_lock_irqsave(&buddy.lock);

	for (unsigned i = 0; i < n; i++)
		give_locked(pages[i], 0);
	spin_unlock_irqrestore(&buddy.lock, irq);
}

/* buddy_give_range - see internal.h. */
void buddy_give_range(pfn_t lo, pfn_t hi)
{
	while (lo < hi) {
		unsigned order = MIN(ilog2(hi - lo), (unsigned)PAGE_MAX_ORDER);

		if (lo)
			order = MIN(order, ctz64(lo));
		buddy_give(pfn_to_page(lo), order);
		lo += 1ul << order;
	}
}

/* buddy_contains - see internal.h. */
bool buddy_contains(pfn_t pfn)
{
	unsigned long irq = spin_lock_irqsave(&buddy.lock);
	bool found = false;

	for (unsigned order = 0; order <= PAGE_MAX_ORDER && !found; order++) {
		pfn_t first = pfn & ~low_mask(order);

		found = page_exists(first) && page_type(pfn_to_page(first)) == PAGE_FREE &&
			pfn_to_page(first)->buddy_order >= order;
	}
	spin_unlock_irqrestore(&buddy.lock, irq);
	return found;
}

/* buddy_count_free - see internal.h. */
u64 buddy_count_free(void)
{
	return atomic_load(&buddy.nr_free);
}

/* buddy_count_blocks - see internal.h. */
u64 buddy_count_blocks(unsigned order)
{
	return atomic_load(&buddy.nr_blocks[order]);
}
