/* SPDX-License-Identifier: MIT */
/*
 * cursor.c - the walk: from the root to the table that holds the next slot, and along it.
 *
 * Descent is lockless: it follows table entries with acquire loads inside an RCU reader, so no node
 * it stands on can be freed. Having found the right table it locks it (edit modes) and looks at
 * two things again: that the node is not stray (detached meanwhile), and, entry by entry under the lock, what
 * each entry is now. Whatever has changed sends it back to the root: four loads.
 *
 * One window at a time: the node lock of the current slot's table. Leaving it publishes stores, pays
 * the flushes owed (unless deferred), unlocks, frees, and prunes the table if it is empty.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include "kernel/rcu.h"
#include "mm/phys/page_alloc.h"
#include "mm/pt/internal.h"

static bool fills(const struct ptc *c)
{
	return c->mode & PTC_FILL & ~PTC_EDIT;
}

/* Step over the aligned block of `level` at c->va; the last block of all ends the walk. */
static void advance(struct ptc *c, unsigned level)
{
	vaddr_t next = ALIGN_DOWN(c->va, pt_size(level)) + pt_size(level);

	c->va = next > c->va ? next : c->hi;
}

void ptc_begin(struct ptc *c, struct aspace *as, vaddr_t lo, vaddr_t hi, unsigned mode,
	       struct tlb_batch *batch)
{
	assert(lo <= hi && IS_ALIGNED(lo | hi, PAGE_SIZE));
	assert(!(mode & PTC_EDIT) == !batch);
	c->as = as;
	c->batch = batch;
	c->inner = c->outer = NULL;
	c->borrowed = false;
	c->va = lo;
	c->hi = hi;
	c->node = NULL;
	c->entry = NULL;
	c->mode = mode;
	c->stored = false;
	c->nr_stock = 0;
	c->seen = 0;
	if (!(mode & PTC_EDIT))
		rcu_read_lock();
}

void ptc_lock_node(const struct ptc *c, struct page *node)
{
	if (c->outer)
		spin_lock_nested(&node->node_lock);
	else
		spin_lock(&node->node_lock);
}

static void leave_window(struct ptc *c)
{
	struct page *node = c->node;

	if (c->inner && c->inner->node)
		ptc_pause(c->inner);
	c->node = NULL;
	c->entry = NULL;
	if (!node || !(c->mode & PTC_EDIT) || c->borrowed)
		return;
	if (c->stored)
		arch_pt_publish();
	c->stored = false;
	if (!(c->mode & PTC_DEFER) && c->batch->lo < c->batch->hi)
		batch_flush_tlb(c->batch);
	if (c->mode & PTC_PRUNE && !node->node_used)
		prune_empty(c, node);
	else
		spin_unlock(&node->node_lock);
	if (!(c->mode & PTC_DEFER) && tlb_batch_has_work(c->batch))
		tlb_batch_flush(c->batch);
}

void ptc_nest(struct ptc *outer, struct ptc *inner)
{
	assert(!outer->node && !inner->node);
	outer->inner = inner;
	inner->outer = outer;
}

void ptc_pause(struct ptc *c)
{
	if (c->entry)
		c->va = c->slot_va;
	leave_window(c);
}

static void drop_stock(struct ptc *c)
{
	while (c->nr_stock)
		node_free(c->stock[--c->nr_stock]);
}

void ptc_end(struct ptc *c)
{
	leave_window(c);
	if (c->batch && c->batch->nodes && !(c->mode & PTC_DEFER))
		tlb_batch_flush(c->batch);
	drop_stock(c);
	if (!(c->mode & PTC_EDIT))
		rcu_read_unlock();
}

static int fill_stock(struct ptc *c, unsigned n)
{
	assert(n <= PTC_LEVELS);
	while (c->nr_stock < n) {
		struct page *node = node_alloc(0);

		if (!node)
			return -ENOMEM;
		c->stock[c->nr_stock++] = node;
	}
	return 0;
}

/* ptc_stock - make sure that n tables are at hand. Called inside open_window's reader, which it leaves to
 * allocate. 0: they were; 1: they are now, but we slept and everything seen is stale. */
int ptc_stock(struct ptc *c, unsigned n)
{
	int err;

	if (c->nr_stock >= n)
		return 0;
	if (c->mode & PTC_NOSLEEP)
		return -EAGAIN;
	rcu_read_unlock();
	err = fill_stock(c, n);
	rcu_read_lock();
	return err ? err : 1;
}

int ptc_supply(struct ptc *c)
{
	assert(!c->node);
	return fill_stock(c, PT_LEVELS - 1);
}

/* By the block's last byte: the end of the last block of all is not a number. */
static bool fits(const struct ptc *c, vaddr_t va, unsigned level)
{
	u64 last = pt_size(level) - 1;

	return c->hi - c->va > last && (va & ~last) >= c->va && (va | last) < c->hi;
}

/* May an empty slot of this level be reported to a filling cursor at va? */
static bool fillable(const struct ptc *c, vaddr_t va, unsigned level)
{
	return level == 0 || (pt_leaf_levels & BIT(level) && fits(c, va, level));
}

enum step { STEP_END, STEP_WINDOW, STEP_AGAIN };

/* Make this table the window, unless it was detached before we had its lock. */
static ALWAYS_INLINE int enter_window(struct ptc *c, struct page *node, unsigned level)
{
	c->borrowed = c->outer && c->outer->node == node;
	if (c->mode & PTC_EDIT && !c->borrowed) {
		ptc_lock_node(c, node);
		if (unlikely(page_test(node, PG_STRAY))) {
			spin_unlock(&node->node_lock);
			return STEP_AGAIN;
		}
	}
	c->node = node;
	c->level = (u8)level;
	c->seen = 0;
	return STEP_WINDOW;
}

/* Hang tables below the empty entry of node for c->va, down to the one that holds its slot of level `last`, which is
 * returned. Each is the only entry of the one above; the walkers get to see all of them with the last store. */
static struct page *chain_tables(struct ptc *c, struct page *node, unsigned last)
{
	struct page *above = node, *top = c->stock[c->nr_stock - 1];

	for (unsigned level = node->node_level; level-- > last;) {
		struct page *table = c->stock[--c->nr_stock];

		node_setup(table, level, ALIGN_DOWN(c->va, pt_size(level + 1)), above);
		if (above != node) {
			unsigned index = pt_index(c->va, level + 1);

			arch_pte_store(node_table(above) + index,
				       arch_pte_table(page_to_phys(table), false));
			above->node_used = 1;
			node_note_blocks(above, node_block(index));
		}
		above = table;
	}
	node_store(node, node_table(node) + pt_index(c->va, node->node_level), (pte_t){0},
		   arch_pte_table(page_to_phys(top), false));
	arch_pt_publish();
	return above;
}

/* Put the missing tables where the entry is empty, down to where a slot can be reported, and open the window there; or
 * another was faster: look again. */
static int make_tables(struct ptc *c, struct page *node, unsigned index)
{
	pte_t *entry = node_table(node) + index;
	unsigned level = node->node_level, last = level - 1;
	struct page *made = NULL;
	int err;

	while (!fillable(c, c->va, last))
		last--;
	err = ptc_stock(c, level - last);
	if (err)
		return err < 0 ? err : STEP_AGAIN;
	ptc_lock_node(c, node);
	if (!page_test(node, PG_STRAY) && arch_pte_form(arch_pte_load(entry), level) == PTE_NONE)
		made = chain_tables(c, node, last);
	spin_unlock(&node->node_lock);
	if (unlikely(!made))
		return STEP_AGAIN;
	__atomic_fetch_add(&c->as->nr_tables, level - last, __ATOMIC_RELAXED);
	return enter_window(c, made, last);
}

/* Go on from the entry for c->va of a table to the one with this index (PT_ENTRIES: its end), or to the end of the
 * range. */
static ALWAYS_INLINE void skip_to(struct ptc *c, unsigned index, unsigned level)
{
	u64 entries = index - pt_index(c->va, level);
	vaddr_t next = ALIGN_DOWN(c->va, pt_size(level)) + (entries << pt_shift(level));

	/* The end of the last table of all is not a number. */
	c->va = next > c->va ? MIN(next, c->hi) : c->hi;
}

/* Where a descent ends: an entry that is no table, as it was when it was read. */
struct spot {
	pte_t *entry;
	pte_t pte;
	unsigned level;
};

/* Follow tables from the root towards va. Without a lock; inside an RCU reader. */
static ALWAYS_INLINE struct spot descend(const struct aspace *as, vaddr_t va)
{
	pte_t *table = phys_to_virt(as->root_pa), *entry;

#pragma GCC unroll 3
	for (unsigned level = PT_LEVELS - 1; level; level--) {
		pte_t pte;

		entry = table + pt_index(va, level);
		pte = arch_pte_load(entry);
		if (!arch_pte_is_table(pte, level))
			return (struct spot){entry, pte, level};
		table = phys_to_virt(arch_pte_table_pa(pte));
	}
	entry = table + pt_index(va, 0);
	return (struct spot){entry, arch_pte_load(entry), 0};
}

/* A table that was made for a store that never came. */
static void prune_unused(struct ptc *c, struct page *node)
{
	ptc_lock_node(c, node);
	if (page_test(node, PG_STRAY))
		spin_unlock(&node->node_lock);
	else
		prune_empty(c, node);
}

/* An empty entry for which no window can be opened as it is: pass over it, or make what is missing. */
static NOINLINE int step_over_empty(struct ptc *c, struct page *node)
{
	if (fills(c))
		return make_tables(c, node, pt_index(c->va, node->node_level));
	skip_to(c, node_next_used(node, pt_index(c->va, node->node_level) + 1), node->node_level);
	if (c->mode & PTC_PRUNE && node_seems_empty(node))
		prune_unused(c, node);
	return STEP_AGAIN;
}

/* Can the slot at this entry be reported without changing the tables first? */
static bool reportable(const struct ptc *c, const struct spot *at, enum pte_form form)
{
	if (form == PTE_NONE && fills(c))
		return fillable(c, c->va, at->level);
	if (form ==
	    PTE_NONE) /* in the last table, the window's own scan is the best way over holes */
		return c->mode & PTC_HOLES || (c->mode & PTC_EDIT && at->level == 0);
	return !(c->mode & PTC_EDIT) || at->level == 0 || fits(c, c->va, at->level);
}

/* One descent to c->va: the window is open, or something was done that makes another descent necessary. */
static int try_window(struct ptc *c)
{
	struct spot at = descend(c->as, c->va);
	enum pte_form form = arch_pte_form(at.pte, at.level);
	struct page *node = virt_to_page(at.entry);
	int err;

	if (unlikely(!reportable(c, &at, form))) {
		if (form == PTE_NONE)
			return step_over_empty(c, node);
		err = split_entry(c, node, pt_index(c->va, at.level), c->va);
		return err ? err : STEP_AGAIN;
	}
	return enter_window(c, node, at.level);
}

/* Find and open the window for c->va. 1: c->node is it; 0: nothing left in the range; or -errno. */
static int open_window(struct ptc *c)
{
	int step = STEP_AGAIN;

	rcu_read_lock();
	while (step == STEP_AGAIN)
		step = c->va < c->hi ? try_window(c) : STEP_END;
	rcu_read_unlock();
	return step;
}

/* Readers see neighbouring holes of one table as one slot. */
static void merge_holes(struct ptc *c, struct pt_slot *slot)
{
	pte_t *entry = c->entry;

	while (c->va < c->hi && pt_index(c->va, c->level) != 0 &&
	       arch_pte_form(arch_pte_load(++entry), c->level) == PTE_NONE) {
		advance(c, c->level);
		slot->size += pt_size(c->level);
	}
}

/* The slot of c->va at this entry is the current one from here on. */
static ALWAYS_INLINE void report(struct ptc *c, struct pt_slot *slot, pte_t *entry, pte_t pte,
				 unsigned level)
{
	pt_decode(pte, level, ALIGN_DOWN(c->va, pt_size(level)), slot);
	c->seen += slot->kind != PT_HOLE;
	c->entry = entry;
	c->slot_va = c->va;
	advance(c, level);
}

/* The next slot inside the window, whose level is a constant in the copy for 4 KiB slots. 1: reported; 0: the
 * walk must leave the window to get further. */
static ALWAYS_INLINE int scan_level(struct ptc *c, struct pt_slot *slot, unsigned level)
{
	bool holes = fills(c) || c->mode & PTC_HOLES;
	struct page *node = c->node;

	do {
		unsigned index = pt_index(c->va, level);
		pte_t *entry = node_table(node) + index;
		pte_t pte = arch_pte_load(entry);
		enum pte_form form = arch_pte_form(pte, level);

		if (form == PTE_NONE && !holes) {
			/* All that is used has been seen, and nobody else can add to it: the rest is empty. */
			bool all_seen = c->mode & PTC_EDIT && node->node_used == c->seen;

			skip_to(c, all_seen ? PT_ENTRIES : node_next_used(node, index + 1), level);
			continue;
		}
		if (form == PTE_TABLE || (form == PTE_ABSENT && pt_is_busy(pte, level)))
			return 0;
		if (level && c->mode & PTC_EDIT &&
		    !(form == PTE_NONE ? fillable(c, c->va, level) : fits(c, c->va, level)))
			return 0;
		report(c, slot, entry, pte, level);
		if (form == PTE_NONE && c->mode & PTC_HOLES)
			merge_holes(c, slot);
		return 1;
	} while (c->va < c->hi && pt_index(c->va, level));
	return 0;
}

static int scan_window(struct ptc *c, struct pt_slot *slot)
{
	return c->level ? scan_level(c, slot, c->level) : scan_level(c, slot, 0);
}

int ptc_next(struct ptc *c, struct pt_slot *slot)
{
	for (;;) {
		if (c->node) {
			/* At a table's end the index has wrapped: the window is done. */
			if (!(c->entry && pt_index(c->va, c->level) == 0) && c->va < c->hi &&
			    scan_window(c, slot))
				return 1;
			if (c->va >= c->hi && c->mode & PTC_STAY)
				return 0;
			leave_window(c);
		}
		if (c->va >= c->hi)
			return 0;
		int err = open_window(c);
		if (err <= 0)
			return err;
	}
}

/* What most editors ask for, without the general walk: the window is in a table of the last level, and the first slot of the
 * range is there. False: it is not, or there is more to do; ptc_next will, in the window if it is open. */
static ALWAYS_INLINE bool first_slot(struct ptc *c, struct pt_slot *slot)
{
	int step = STEP_AGAIN;
	struct spot at;

	rcu_read_lock();
	at = descend(c->as, c->va);
	if (likely(at.level == 0))
		step = enter_window(c, virt_to_page(at.entry), 0);
	rcu_read_unlock();
	if (unlikely(step != STEP_WINDOW))
		return false;
	at.pte = arch_pte_load(at.entry);
	if (arch_pte_form(at.pte, 0) == PTE_NONE && !fills(c))
		return false;
	report(c, slot, at.entry, at.pte, 0);
	return true;
}

int ptc_begin_page(struct ptc *c, struct aspace *as, vaddr_t va, unsigned mode,
		   struct tlb_batch *batch, struct pt_slot *slot)
{
	assert(mode & PTC_EDIT);
	ptc_begin(c, as, va, va + PAGE_SIZE, mode, batch);
	return first_slot(c, slot) ? 1 : ptc_next(c, slot);
}

bool ptc_holds(const struct ptc *c, vaddr_t va)
{
	return c->node && va - c->node->node_base < node_span(c->node);
}

int ptc_goto(struct ptc *c, vaddr_t lo, vaddr_t hi, struct pt_slot *slot)
{
	assert(lo < hi && IS_ALIGNED(lo | hi, PAGE_SIZE));
	if (!ptc_holds(c, lo))
		leave_window(c);
	if (lo < c->va) /* back to what was seen */
		c->seen = 0;
	c->entry = NULL;
	c->va = lo;
	c->hi = hi;
	return !c->node && first_slot(c, slot) ? 1 : ptc_next(c, slot);
}

int ptc_make(struct ptc *c, vaddr_t va, unsigned level)
{
	unsigned mode = c->mode;
	int err;

	leave_window(c);
	c->mode = (mode | PTC_FILL) & ~PTC_NOSLEEP;
	c->va = ALIGN_DOWN(va, pt_size(level));
	c->hi = c->va + pt_size(level);
	err = open_window(c);
	if (err > 0)
		leave_window(c);
	drop_stock(
		c); /* another was faster: nothing is to be made later, under somebody's window */
	c->mode = mode;
	return err < 0 ? err : 0;
}

void pt_peek(struct aspace *as, vaddr_t va, struct pt_slot *slot)
{
	struct spot at;

	rcu_read_lock();
	while (at = descend(as, va), unlikely(pt_is_busy(at.pte, at.level))) {
		struct page *node = virt_to_page(at.entry);

		spin_lock(&node->node_lock); /* until it is one size or the other */
		spin_unlock(&node->node_lock);
	}
	pt_decode(at.pte, at.level, ALIGN_DOWN(va, pt_size(at.level)), slot);
	rcu_read_unlock();
}

void pt_flush_spurious(vaddr_t va)
{
	arch_tlb_flush_local(va);
}
