/* SPDX-License-Identifier: MIT */
/*
 * radix.h - a sparse array of 64-bit words, for example from page number to what holds the page.
 *
 * A word of 0 means "nothing here"; any other value is the caller's, tagged as it likes. Nodes have
 * 64 slots; a tree is as high as its largest index needs and grows and shrinks by whole levels. A
 * node exists only while something below it is not empty, so an empty array owns no memory.
 *
 * Locks: radix_store and radix_erase need the caller's lock. radix_load, radix_next and
 * radix_preload do not, inside an RCU reader or under that lock: links and values are published with
 * release stores, and a node that left the tree goes to ops->free, which must not reuse it before
 * all readers are done. A reader without the lock sees each word as it was at some moment during the
 * call; words that change meanwhile may be seen either way.
 *
 * Memory: radix_store never allocates half of what it needs. Two ways to use it:
 *
 *	stock NULL: it allocates through ops->alloc, and -ENOMEM means that nothing changed;
 *	with a stock: nothing is allocated under the lock.
 *
 *		struct radix_stock stock = RADIX_STOCK_INIT;
 *	again:
 *		err = radix_preload(tree, &stock, index);         may sleep, may fail: nothing done yet
 *		lock
 *		err = radix_store(tree, index, word, &stock, NULL);
 *		unlock
 *		if (err == -EAGAIN)                               the tree changed since the preload
 *			goto again;
 *		radix_stock_free(tree, &stock);
 *
 *	radix_preload_any reserves for the worst case of one store: that store cannot fail.
 */
#pragma once

#include <quire/types.h>
#include <quire/compiler.h>

#define RADIX_SHIFT     6
#define RADIX_SLOTS     (1u << RADIX_SHIFT)
#define RADIX_MAX_INDEX ((1ull << 52) - 1)
#define RADIX_LEVELS    9 /* enough for RADIX_MAX_INDEX */

/* A store at the largest index into a tree of one node adds a level at a time up to the top, and
 * from the top a path down to the index. */
#define RADIX_STOCK_MAX (2 * (RADIX_LEVELS - 1))

struct radix_node {
	u64 present;               /* [w] slots in use; readers may see it late */
	u64 slot[RADIX_SLOTS];     /* [w] shift 0: values; above: struct radix_node * */
	struct radix_node *parent; /* [w] NULL at the top; links the nodes of a stock */
	u8 shift;                  /* [i] index bits below this node's level */
	u8 offset;                 /* [w] in parent */
	u64 reclaim[2];            /* for ops->free, big enough for an RCU head */
};

struct radix_ops {
	/* A node's memory, aligned to 8, content irrelevant; NULL when there is none. */
	struct radix_node *(*alloc)(void);
	/* Take a node back. Readers may still be looking at all of it but reclaim. */
	void (*free)(struct radix_node *);
};

/* Legend: [w] the caller's lock to write, [i] immutable while in the tree. */
struct radix {
	struct radix_node *top;      /* [w] */
	u64 count;                   /* [w] words that are not 0 */
	const struct radix_ops *ops; /* [i] */
};

struct radix_stock {
	struct radix_node *nodes;
	unsigned count;
};

#define RADIX_STOCK_INIT \
	{                \
		NULL, 0  \
	}

void radix_init(struct radix *, const struct radix_ops *);

/* radix_destroy - free all nodes, whatever is in them. No reader and no writer is left. */
void radix_destroy(struct radix *);

/* radix_load - the word at index, 0 when there is none (or index is too large). */
u64 radix_load(const struct radix *, u64 index);

/* radix_words - where the words from index on are, up to the end of their aligned block of RADIX_SLOTS; NULL when the
 * whole block is empty. To be read with acquire loads, as long as radix_load might be. */
const u64 *radix_words(const struct radix *, u64 index);

/* radix_next - the first word at or after *index and at or before max.
 *  returns: the word, its index in *index; 0 when there is none (*index is left alone)
 *  time:    O(depth), however large the holes; loop with
 *           for (u64 i = 0, w; (w = radix_next(tree, &i, max)); i++) */
u64 radix_next(const struct radix *, u64 *index, u64 max);

/* radix_preload - stock the nodes that a store at index needs in the tree as it now is (mostly none).
 *  sleeps: if ops->alloc does    fails: -ENOMEM, -EINVAL (index > RADIX_MAX_INDEX)
 *  after:  the stock keeps what it has even on failure: radix_stock_free gives it back */
int radix_preload(const struct radix *, struct radix_stock *, u64 index);

/* radix_preload_any - stock RADIX_STOCK_MAX nodes, so that the next store, wherever, cannot fail. */
int radix_preload_any(const struct radix *, struct radix_stock *);

/* radix_stock_free - give back what is left. Harmless on an empty stock. */
void radix_stock_free(const struct radix *, struct radix_stock *);

/* radix_store - put a word that is not 0 at index.
 *  needs:  the caller's lock
 *  old:    set to the word that was there, 0 for none; may be NULL
 *  fails:  -EAGAIN: the stock is too small; -ENOMEM: no stock given and no memory; -EINVAL: index
 *          above RADIX_MAX_INDEX. In each case nothing has changed. Replacing a word cannot fail. */
int radix_store(struct radix *, u64 index, u64 word, struct radix_stock *stock, u64 *old);

/* radix_erase - make the word at index 0 and return what it was. Never fails; the caller's lock. */
u64 radix_erase(struct radix *, u64 index);

static inline bool radix_empty(const struct radix *r)
{
	return !READ_ONCE(r->top);
}
