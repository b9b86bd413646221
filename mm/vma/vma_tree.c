/* SPDX-License-Identifier: MIT */
/* vma_tree.c - mappings by address, with the largest free gap of every subtree. Read vma.h. */
#include <quire/assert.h>
#include <uapi/errno.h>
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
	struct vma *v = of(node);
	u64 gap = computed_max_gap(v);

	if (v->max_gap == gap)
		return false;
	v->max_gap = gap;
	return true;
}

struct vma *vma_find(const struct rb_root *root, vaddr_t va)
{
	struct rb_node *node = root->node;
	struct vma *best = NULL;

	while (node) {
		struct vma *v = of(node);

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

struct vma *vma_find_exact(const struct rb_root *root, vaddr_t va)
{
	struct rb_node *node = atomic_load_acquire(&root->node);

	for (unsigned depth = 0; node && depth < RB_MAX_DEPTH; depth++) {
		struct vma *v = of(node);

		if (va < READ_ONCE(v->start))
			node = atomic_load_acquire(&node->child[0]);
		else if (va >= READ_ONCE(v->end))
			node = atomic_load_acquire(&node->child[1]);
		else
			return v;
	}
	return NULL;
}

struct vma *vma_next(const struct vma *v)
{
	return of(rb_next(&v->node));
}

struct vma *vma_prev(const struct vma *v)
{
	return of(rb_prev(&v->node));
}

vaddr_t vma_guarded_start(const struct vma *v)
{
	if (!(v->flags & VM_GROWSDOWN))
		return v->start;
	return v->start > STACK_GUARD ? v->start - STACK_GUARD : 0;
}

static u64 gap_below(const struct vma *v)
{
	const struct vma *prev = vma_prev(v);
	vaddr_t floor = prev ? prev->end : 0, start = vma_guarded_start(v);

	return start > floor ? start - floor : 0;
}

static void refresh_gap(struct vma *v)
{
	if (!v)
		return;
	v->gap = gap_below(v);
	rb_propagate(&v->node, update_max_gap);
}

void vma_insert(struct rb_root *root, struct vma *v)
{
	struct rb_node **link = &root->node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = &parent->child[v->start >= of(parent)->end];
	}
	v->gap = 0;
	v->max_gap = 0;
	rb_insert(root, &v->node, parent, link, update_max_gap);
	refresh_gap(v);
	refresh_gap(vma_next(v));
}

void vma_remove(struct rb_root *root, struct vma *v)
{
	struct vma *next = vma_next(v);

	rb_erase(root, &v->node, update_max_gap);
	refresh_gap(next);
}

void vma_resize(struct rb_root *root, struct vma *v, vaddr_t start, vaddr_t end)
{
	(void)root;
	WRITE_ONCE(v->start, start);
	WRITE_ONCE(v->end, end);
	refresh_gap(v);
	refresh_gap(vma_next(v));
}

/* The highest fit for len in the gap [floor, ceiling) clipped to [lo, hi); 0: does not fit. */
static vaddr_t fit(vaddr_t floor, vaddr_t ceiling, u64 len, vaddr_t lo, vaddr_t hi)
{
	floor = MAX(floor, lo);
	ceiling = MIN(ceiling, hi);
	return ceiling > floor && ceiling - floor >= len ? ceiling - len : 0;
}

/* Rightmost descent into subtrees whose largest gap is big enough. */
vaddr_t vma_gap(const struct rb_root *root, u64 len, vaddr_t lo, vaddr_t hi)
{
	struct vma *last = of(rb_last(root)), *v;
	vaddr_t at = fit(last ? last->end : 0, ~0ul, len, lo, hi);

	if (at || !last)
		return at;
	/* Start at the mapping that bounds the highest gap that can matter: the first one at or above hi. */
	for (v = vma_find(root, hi - 1) ?: last; v; v = vma_prev(v)) {
		vaddr_t start = vma_guarded_start(v);

		/* Nothing in the whole left subtree fits: jump over it. */
		at = fit(start - v->gap, start, len, lo, hi);
		if (v->gap >= len && at)
			return at;
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

int vma_copy_tree(struct rb_root *to, const struct rb_root *from,
		  struct vma *(*copy)(const struct vma *, void *arg), void *arg)
{
	struct rb_node *s = from->node, **link = &to->node, *d = NULL;

	while (s) {
		struct vma *v = copy(of(s), arg);

		if (!v)
			return -ENOMEM;
		v->gap = of(s)->gap;
		v->max_gap = of(s)->max_gap;
		v->node = (struct rb_node){.parent = d, .red = s->red};
		*link = &v->node;
		d = &v->node;
		/* To the next in pre-order: down where the copy has nothing yet, else up. */
		while (s && !(s->child[0] && !d->child[0]) && !(s->child[1] && !d->child[1])) {
			s = s->parent;
			d = d->parent;
		}
		if (s) {
			bool larger = !(s->child[0] && !d->child[0]);

			link = &d->child[larger];
			s = s->child[larger];
		}
	}
	return 0;
}

void vma_check_tree(const struct rb_root *root)
{
	const struct vma *prev = NULL;
	struct rb_node *node;

	rb_for_each (node, root) {
		const struct vma *v = of(node);

		BUG_ON(v->start >= v->end || (prev && prev->end > v->start));
		BUG_ON(v->gap != gap_below(v));
		BUG_ON(v->max_gap != computed_max_gap(v));
		prev = v;
	}
}
