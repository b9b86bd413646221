/* SPDX-License-Identifier: MIT */
/*
 * rbtree.h - intrusive red-black trees with an optional per-subtree summary.
 *
 * The tree knows nothing of keys. A caller descends by itself, remembers the last node and the empty
 * link it arrived at, and hands both to rb_insert:
 *
 *	struct rb_node **link = &root->node, *parent = NULL;
 *
 *	while (*link) {
 *		parent = *link;
 *		link = &parent->child[key > rb_entry(parent, struct item, node)->key];
 *	}
 *	rb_insert(root, &new->node, parent, link, NULL);
 *
 * Augmentation: a caller that keeps a summary of each subtree in its nodes (the largest gap, the
 * largest end) passes a function that recomputes one node's summary from the node and its two
 * children. It is called bottom-up for every node whose subtree changed.
 *
 * Locks: writers exclude each other. A reader may descend without a lock, under a seqcount (or
 * equivalent) that tells it afterwards whether to believe what it saw, if nodes are freed by RCU:
 *  - child and root links are single release stores, so that a new node is complete before it is
 *    linked, made in an order in which child links never form a cycle;
 *  - an erased node keeps links into the tree, so a reader standing on it finds its way to an end; it
 *    may be inserted again at once;
 *  - a descent may miss nodes that exist while a rotation is under way, and meets others twice when
 *    rotations keep overtaking it: it must give up after RB_MAX_DEPTH steps and try again;
 *  - parent, red and rb_next/rb_prev are for lock holders only.
 */
#pragma once

#include <quire/types.h>
#include <quire/compiler.h>

struct rb_node {
	struct rb_node *child[2]; /* smaller, larger */
	struct rb_node *parent;   /* NULL at the root */
	bool red;
};

struct rb_root {
	struct rb_node *node;
};

#define RB_ROOT          \
	(struct rb_root) \
	{                \
		NULL     \
	}

/* No path is longer: a red-black tree of 2^63 nodes has at most this many levels. */
#define RB_MAX_DEPTH 128

#define rb_entry(p, t, m) container_of(p, t, m)

/* rb_entry_safe - as rb_entry, NULL for NULL. */
#define rb_entry_safe(p, t, m)                               \
	({                                                   \
		__typeof__(p) rb_ptr = (p);                  \
		rb_ptr ? rb_entry(rb_ptr, t, m) : (t *)NULL; \
	})

/* rb_for_each - visit every node in order; pos is a struct rb_node *. pos may not be erased inside. */
#define rb_for_each(pos, root) for ((pos) = rb_first(root); (pos); (pos) = rb_next(pos))

/* Recompute node's summary; true when it changed. Called with the tree consistent below node. */
typedef bool (*rb_augment_fn)(struct rb_node *node);

static inline bool rb_empty(const struct rb_root *root)
{
	return !READ_ONCE(root->node);
}

/* rb_propagate - node's own data changed: bring its summary and those of its ancestors up to date.
 * Stops at the first ancestor that does not change. */
static ALWAYS_INLINE void rb_propagate(struct rb_node *node, rb_augment_fn augment)
{
	while (node && augment(node))
		node = node->parent;
}

/* rb_link, rb_balance - the two steps of rb_insert; a caller that takes them by itself has brought the summaries of the
 * node and its ancestors up to date in between. */
static inline void rb_link(struct rb_node *node, struct rb_node *parent, struct rb_node **link)
{
	__atomic_store_n(&node->child[0], NULL, __ATOMIC_RELAXED);
	__atomic_store_n(&node->child[1], NULL, __ATOMIC_RELAXED);
	node->parent = parent;
	node->red = true;
	__atomic_store_n(link, node, __ATOMIC_RELEASE);
}

void rb_insert_fixup(struct rb_root *, struct rb_node *node, rb_augment_fn augment);
static inline void rb_balance(struct rb_root *root, struct rb_node *node, rb_augment_fn augment)
{
	if (!node->parent || node->parent->red)
		rb_insert_fixup(root, node, augment);
}

/* rb_insert - link node, which is in no tree, at *link below parent, and rebalance.
 *  needs:  link is &root->node (parent NULL) or one of parent's child links, and is empty
 *  fails:  no     sleeps: no
 *  time:   O(log n); augment (may be NULL) runs O(log n) times */
static ALWAYS_INLINE void rb_insert(struct rb_root *root, struct rb_node *node,
				    struct rb_node *parent, struct rb_node **link,
				    rb_augment_fn augment)
{
	rb_link(node, parent, link);
	if (augment) {
		augment(node);
		rb_propagate(parent, augment);
	}
	rb_balance(root, node, augment);
}

/* rb_erase - unlink node, which is in this tree, and rebalance. Never fails; O(log n). */
void rb_erase(struct rb_root *, struct rb_node *node, rb_augment_fn augment);

/* rb_replace - put new_node, with the same key and summary, where old is; old is in no tree then. */
void rb_replace(struct rb_root *, struct rb_node *old, struct rb_node *new_node);

/* In-order traversal; NULL at the end. */
struct rb_node *rb_first(const struct rb_root *);
struct rb_node *rb_last(const struct rb_root *);
struct rb_node *rb_next(const struct rb_node *);
struct rb_node *rb_prev(const struct rb_node *);
