/* SPDX-License-Identifier: MIT */
/*
 * radix.c - the sparse array. Head comment, locks and contracts: radix.h.
 *
 * Invariants under the writer's lock: bit i of present is set exactly when slot[i] is not 0; no node
 * has present == 0; the top has more than slot 0 in use unless it is a leaf. A word is stored before
 * its bit in present, and a bit cleared before its word, so that readers who follow a bit to an empty
 * slot (or miss a bit) met a change in progress; radix_next treats that as a hole.
 */
#include "lib/radix.h"
#include "lib/atomic.h"
#include "lib/bits.h"
#include "lib/string.h"
#include <quire/assert.h>
#include <uapi/errno.h>

BUILD_ASSERT(RADIX_LEVELS *RADIX_SHIFT >= 52, "levels for every index");

static unsigned slot_of(u64 index, unsigned shift)
{
	return index >> shift & (RADIX_SLOTS - 1);
}

/* The shift of a top node that has a slot for index. */
static unsigned top_shift_for(u64 index)
{
	unsigned shift = 0;

	while (index >> shift >= RADIX_SLOTS)
		shift += RADIX_SHIFT;
	return shift;
}

static struct radix_node *child_at(const struct radix_node *n, unsigned slot)
{
	return (struct radix_node *)(uintptr_t)atomic_load_acquire(&n->slot[slot]);
}

static void set_slot(struct radix_node *n, unsigned slot, u64 word)
{
	atomic_store_release(&n->slot[slot], word);
	atomic_store_release(&n->present, n->present | 1ull << slot);
}

static void clear_slot(struct radix_node *n, unsigned slot)
{
	atomic_store_release(&n->present, n->present & ~(1ull << slot));
	atomic_store_release(&n->slot[slot], 0);
}

static void set_child(struct radix_node *n, unsigned slot, struct radix_node *child)
{
	child->parent = n;
	child->offset = (u8)slot;
	set_slot(n, slot, (uintptr_t)child);
}

void radix_init(struct radix *r, const struct radix_ops *ops)
{
	*r = (struct radix){.ops = ops};
}

/* Takes the tree apart from the leaves up: a node is freed once nothing is left below it. */
void radix_destroy(struct radix *r)
{
	struct radix_node *n = r->top;

	while (n) {
		struct radix_node *up = n->parent;

		if (n->shift && n->present) {
			unsigned slot = ctz64(n->present);

			n->present &= n->present - 1;
			n = child_at(n, slot);
			continue;
		}
		r->ops->free(n);
		n = up;
	}
	r->top = NULL;
	r->count = 0;
}

/* The leaf that has a slot for index, NULL when there is none. */
static struct radix_node *find_leaf(const struct radix *r, u64 index)
{
	struct radix_node *n = atomic_load_acquire(&r->top);

	if (!n || index >> n->shift >= RADIX_SLOTS)
		return NULL;
	while (n && n->shift)
		n = child_at(n, slot_of(index, n->shift));
	return n;
}

u64 radix_load(const struct radix *r, u64 index)
{
	struct radix_node *leaf = find_leaf(r, index);

	return leaf ? atomic_load_acquire(&leaf->slot[slot_of(index, 0)]) : 0;
}

const u64 *radix_words(const struct radix *r, u64 index)
{
	struct radix_node *leaf = find_leaf(r, index);

	return leaf ? &leaf->slot[slot_of(index, 0)] : NULL;
}

/* The subtree at path[level] holds nothing at or after *index: move *index to the start of the next
 * subtree and return the lowest node that has a slot for it, NULL at the end of the tree. */
static struct radix_node *leave_subtree(struct radix_node *const *path, unsigned level,
					unsigned top_level, u64 *index)
{
	unsigned shift = (level + 1) * RADIX_SHIFT;

	*index = ((*index >> shift) + 1) << shift;
	/* Slot 0 means that the step went beyond this node as well. */
	while (++level <= top_level)
		if (slot_of(*index, level * RADIX_SHIFT))
			return path[level];
	return NULL;
}

u64 radix_next(const struct radix *r, u64 *index, u64 max)
{
	struct radix_node *path[RADIX_LEVELS];
	struct radix_node *n = atomic_load_acquire(&r->top);
	unsigned top_level;
	u64 i = *index;

	if (!n || i >> n->shift >= RADIX_SLOTS)
		return 0;
	top_level = n->shift / RADIX_SHIFT;
	while (n && i <= max) {
		unsigned shift = n->shift, slot = slot_of(i, shift);
		u64 rest = atomic_load_acquire(&n->present) >> slot, word;

		path[shift / RADIX_SHIFT] = n;
		if (!rest) {
			n = leave_subtree(path, shift / RADIX_SHIFT, top_level, &i);
			continue;
		}
		if (!(rest & 1)) {
			i = ((i >> shift) + ctz64(rest)) << shift;
			continue;
		}
		word = atomic_load_acquire(&n->slot[slot]);
		if (word && !shift) {
			*index = i;
			return word;
		}
		if (word) {
			n = (struct radix_node *)(uintptr_t)word;
			continue;
		}
		/* Erased this moment: step over the slot, or out of the node behind the last one. */
		if (slot == RADIX_SLOTS - 1)
			n = leave_subtree(path, shift / RADIX_SHIFT, top_level, &i);
		else
			i = ((i >> shift) + 1) << shift;
	}
	return 0;
}

/* How many nodes a store at index adds. Without the lock, an estimate. */
static unsigned nodes_missing(const struct radix *r, u64 index)
{
	const struct radix_node *n = atomic_load_acquire(&r->top);
	unsigned shift = top_shift_for(index), levels = shift / RADIX_SHIFT;

	if (!n)
		return levels + 1;
	/* New tops, then a path of its own below the highest, since index is not in its slot 0. */
	if (shift > n->shift)
		return (shift - n->shift) / RADIX_SHIFT + levels;
	while (n->shift) {
		const struct radix_node *child = child_at(n, slot_of(index, n->shift));

		if (!child)
			return n->shift / RADIX_SHIFT;
		n = child;
	}
	return 0;
}

static int stock_fill(const struct radix *r, struct radix_stock *stock, unsigned count)
{
	while (stock->count < count) {
		struct radix_node *n = r->ops->alloc();

		if (!n)
			return -ENOMEM;
		n->parent = stock->nodes;
		stock->nodes = n;
		stock->count++;
	}
	return 0;
}

static struct radix_node *stock_take(struct radix_stock *stock, unsigned shift)
{
	struct radix_node *n = stock->nodes;

	stock->nodes = n->parent;
	stock->count--;
	memset(n, 0, sizeof(*n));
	n->shift = (u8)shift;
	return n;
}

int radix_preload(const struct radix *r, struct radix_stock *stock, u64 index)
{
	if (index > RADIX_MAX_INDEX)
		return -EINVAL;
	return stock_fill(r, stock, nodes_missing(r, index));
}

int radix_preload_any(const struct radix *r, struct radix_stock *stock)
{
	return stock_fill(r, stock, RADIX_STOCK_MAX);
}

void radix_stock_free(const struct radix *r, struct radix_stock *stock)
{
	while (stock->count) {
		struct radix_node *n = stock->nodes;

		stock->nodes = n->parent;
		stock->count--;
		r->ops->free(n);
	}
}

/* Builds the path to index and returns its leaf; the stock is large enough. */
static struct radix_node *make_leaf(struct radix *r, u64 index, struct radix_stock *stock)
{
	struct radix_node *n = r->top, *child;
	unsigned shift = top_shift_for(index);

	if (!n) {
		n = stock_take(stock, shift);
		atomic_store_release(&r->top, n);
	}
	while (n->shift < shift) {
		struct radix_node *above = stock_take(stock, n->shift + RADIX_SHIFT);

		set_child(above, 0, n);
		atomic_store_release(&r->top, above);
		n = above;
	}
	for (; n->shift; n = child) {
		unsigned slot = slot_of(index, n->shift);

		child = child_at(n, slot);
		if (!child) {
			child = stock_take(stock, n->shift - RADIX_SHIFT);
			set_child(n, slot, child);
		}
	}
	return n;
}

int radix_store(struct radix *r, u64 index, u64 word, struct radix_stock *stock, u64 *old)
{
	struct radix_stock own = RADIX_STOCK_INIT;
	struct radix_node *leaf;
	unsigned missing;
	u64 was;

	assert(word != 0);
	if (index > RADIX_MAX_INDEX)
		return -EINVAL;
	missing = nodes_missing(r, index);
	if (!stock) {
		stock = &own;
		if (stock_fill(r, stock, missing)) {
			radix_stock_free(r, stock);
			return -ENOMEM;
		}
	}
	if (stock->count < missing)
		return -EAGAIN;

	leaf = make_leaf(r, index, stock);
	was = leaf->slot[slot_of(index, 0)];
	set_slot(leaf, slot_of(index, 0), word);
	if (!was)
		r->count++;
	if (old)
		*old = was;
	return 0;
}

/* Frees n and its ancestors as far as they are empty. */
static void prune(struct radix *r, struct radix_node *n)
{
	while (n && !n->present) {
		struct radix_node *up = n->parent;

		if (up)
			clear_slot(up, n->offset);
		else
			atomic_store_release(&r->top, NULL);
		r->ops->free(n);
		n = up;
	}
}

/* Takes levels off the top that have nothing but slot 0; readers inside them still get through. */
static void shrink(struct radix *r)
{
	struct radix_node *top;

	while ((top = r->top) && top->shift && top->present == 1) {
		struct radix_node *child = child_at(top, 0);

		child->parent = NULL;
		atomic_store_release(&r->top, child);
		r->ops->free(top);
	}
}

u64 radix_erase(struct radix *r, u64 index)
{
	struct radix_node *leaf = find_leaf(r, index);
	unsigned slot = slot_of(index, 0);
	u64 was = leaf ? leaf->slot[slot] : 0;

	if (!was)
		return 0;
	clear_slot(leaf, slot);
	r->count--;
	prune(r, leaf);
	shrink(r);
	return was;
}
