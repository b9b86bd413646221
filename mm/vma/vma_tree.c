/* SPDX-License-Identifier: MIT */
/* vma_tree.c - mappings by address, with the largest free gap of every subtree. Read vma.h. */
#include <quire/assert.h>
#include "lib/atomic.h"
#include "lib/rbtree.h"
#include "mm/vma/vma.h"

static struct vma *of(struct rb_node *node)
{
	return rb_entry_safe(node, struct vma, node);
}

static u64 subtree_gap(const struct rb_node *node)
{
	return node ? rb_entry(node, struct vma, node)->max_gap : 0;
}

static u64 computed_max_gap(const struct vma *v)
{
	u64 left = subtree_gap(v->node.child[0]), right = subtree_gap(v->node.child[1]);

	return MAX(v->gap, MAX(left, right));
}

static bool update_max_gap(struct rb_node *node)
{
	struct vma *v = rb_entry(node, struct vma, node);
	u64 gap = computed_max_gap(v);

	if (v->max_gap == gap)
		return false;
	v->max_gap = gap;
	return true;
}

struct vma *vma_find(const struct vma_tree *t, vaddr_t va)
{
	struct rb_node *node = t->root.node;
	struct vma *best = NULL;

	while (node) {
		struct vma *v = rb_entry(node, struct vma, node);

		if (v->end > va) {
			best = v;
			if (v->start <= va)
				break;
			node = node->child[0];
		} else {
			node = node->child[1];
		}
	}
	return best;
}

struct vma *vma_find_exact(const struct vma_tree *t, vaddr_t va)
{
	struct rb_node *node = atomic_load_acquire(&t->root.node);

	for (unsigned depth = 0; node && depth < RB_MAX_DEPTH; depth++) {
		struct vma *v = rb_entry(node, struct vma, node);

		if (va < READ_ONCE(v->start))
			node = atomic_load_acquire(&node->child[0]);
		else if (va >= READ_ONCE(v->end))
			node = atomic_load_acquire(&node->child[1]);
		else
			return v;
	}
	return NULL;
}

vaddr_t vma_guarded_start(const struct vma *v)
{
	if (!(v->flags & VM_GROWSDOWN))
		return v->start;
	return v->start > STACK_GUARD ? v->start - STACK_GUARD : 0;
}

static u64 gap_below(const struct vma *v)
{
	vaddr_t floor = v->prev ? v->prev->end : 0, start = vma_guarded_start(v);

	return start > floor ? start - floor : 0;
}

static void refresh_gap(struct vma *v)
{
	if (!v)
		return;
	v->gap = gap_below(v);
	rb_propagate(&v->node, update_max_gap);
}

/* Into the chain between its neighbours. */
static void chain(struct vma_tree *t, struct vma *v, struct vma *next)
{
	struct vma *prev = vma_below(t, next);

	v->prev = prev;
	v->next = next;
	*(prev ? &prev->next : &t->first) = v;
	*(next ? &next->prev : &t->last) = v;
}

static void unchain(struct vma_tree *t, struct vma *v)
{
	*(v->prev ? &v->prev->next : &t->first) = v->next;
	*(v->next ? &v->next->prev : &t->last) = v->prev;
}

/* A new leaf v has taken a part of the gap below `next`, which is one of its ancestors: one way up for both. */
static void refresh_above(struct vma *v, struct vma *next)
{
	bool pending = next;

	if (next)
		next->gap = gap_below(next);
	for (struct rb_node *node = v->node.parent; node; node = node->parent) {
		bool changed = update_max_gap(node);

		pending = pending && node != &next->node;
		if (!changed && !pending)
			break;
	}
}

/* Of two neighbours, either the lower has no right child or the upper no left one: that is where a node between
 * them belongs. */
void vma_insert(struct vma_tree *t, struct vma *v, struct vma *next)
{
	struct vma *prev = vma_below(t, next);
	struct rb_node *parent = NULL, **link = &t->root.node;

	if (prev && !prev->node.child[1]) {
		parent = &prev->node;
		link = &parent->child[1];
	} else if (next) {
		parent = &next->node;
		link = &parent->child[0];
	}
	chain(t, v, next);
	v->gap = v->max_gap = gap_below(v);
	rb_link(&v->node, parent, link);
	refresh_above(v, next);
	rb_balance(&t->root, &v->node, update_max_gap);
}

void vma_remove(struct vma_tree *t, struct vma *v)
{
	unchain(t, v);
	rb_erase(&t->root, &v->node, update_max_gap);
	refresh_gap(v->next);
}

void vma_resize(struct vma *v, vaddr_t start, vaddr_t end)
{
	WRITE_ONCE(v->start, start);
	WRITE_ONCE(v->end, end);
	refresh_gap(v);
	refresh_gap(v->next);
}

/* The highest fit for len in the gap [floor, ceiling) clipped to [lo, hi); 0: does not fit. */
static vaddr_t fit(vaddr_t floor, vaddr_t ceiling, u64 len, vaddr_t lo, vaddr_t hi)
{
	floor = MAX(floor, lo);
	ceiling = MIN(ceiling, hi);
	return ceiling > floor && ceiling - floor >= len ? ceiling - len : 0;
}

/* Rightmost descent into subtrees whose largest gap is big enough. */
vaddr_t vma_gap(const struct vma_tree *t, u64 len, vaddr_t lo, vaddr_t hi, struct vma **next)
{
	struct vma *last = t->last, *v;
	vaddr_t at = fit(last ? last->end : 0, ~0ul, len, lo, hi);

	*next = NULL;
	if (at || !last)
		return at;
	/* Start at the mapping that bounds the highest gap that can matter: the first one at or above hi. */
	for (v = vma_find(t, hi - 1) ?: last; v; v = v->prev) {
		vaddr_t start = vma_guarded_start(v);

		/* Nothing in the whole left subtree fits: jump over it. */
		at = fit(start - v->gap, start, len, lo, hi);
		if (v->gap >= len && at) {
			*next = v;
			return at;
		}
		while (v->node.child[0] && subtree_gap(v->node.child[0]) < len) {
			struct rb_node *n = v->node.child[0];

			while (n->child[0])
				n = n->child[0];
			v = of(n);
		}
		if (v->end <= lo)
			return 0;
	}
	return 0;
}

void vma_append(struct vma_tree *t, struct vma *v)
{
	chain(t, v, NULL);
}

static struct rb_node *copy_of(struct rb_node *node)
{
	return node ? &rb_entry(node, struct vma, node)->copy->node : NULL;
}

void vma_copy_shape(struct vma_tree *to, const struct vma_tree *from)
{
	for (const struct vma *v = from->first; v; v = v->next) {
		struct vma *copy = v->copy;

		copy->gap = v->gap;
		copy->max_gap = v->max_gap;
		copy->node = (struct rb_node){
			.child = {copy_of(v->node.child[0]), copy_of(v->node.child[1])},
			.parent = copy_of(v->node.parent),
			.red = v->node.red,
		};
	}
	to->root.node = copy_of(from->root.node);
}

void vma_check_tree(const struct vma_tree *t)
{
	const struct vma *prev = NULL;
	struct rb_node *node;

	rb_for_each (node, &t->root) {
		const struct vma *v = of(node);

		BUG_ON(v->start >= v->end || (prev && prev->end > v->start));
		BUG_ON(v->prev != prev || (prev ? prev->next : t->first) != v);
		BUG_ON(v->gap != gap_below(v));
		BUG_ON(v->max_gap != computed_max_gap(v));
		prev = v;
	}
	BUG_ON(t->last != prev || (prev && prev->next));
}
