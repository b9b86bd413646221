/* SPDX-License-Identifier: MIT */
/*
 * rbtree.c - balancing. The invariants of a red-black tree: the root is black, a red node has black
 * children, and every path from a node down to a missing child passes the same number of black
 * nodes. So no path is more than twice as long as another.
 *
 * Left and right are indices into child[], and each case is written once for a direction dir.
 *
 * For readers without the lock (see rbtree.h) every change of a link is a release store, and stores
 * are made in an order in which no node is ever its own descendant; what a node loses for a moment
 * is a subtree, never the way to an end.
 */
#include "lib/rbtree.h"
#include "lib/atomic.h"

static bool is_red(const struct rb_node *n)
{
	return n && n->red;
}

/* The link that leads to n. */
static struct rb_node **link_to(struct rb_root *root, struct rb_node *n)
{
	struct rb_node *p = n->parent;

	return p ? &p->child[n == p->child[1]] : &root->node;
}

static void set_child(struct rb_node *n, int side, struct rb_node *c)
{
	atomic_store_release(&n->child[side], c);
	if (c)
		c->parent = n;
}

/*
 * x goes down to side dir, its child on the other side takes its place:
 *
 *	    x              y
 *	   / \            / \
 *	  a   y    =>    x   c        (dir = 0)
 *	     / \        / \
 *	    b   c      a   b
 *
 * The first store cuts y off x, so the second cannot close a ring.
 */
static void rotate(struct rb_root *root, struct rb_node *x, int dir, rb_augment_fn augment)
{
	struct rb_node *y = x->child[!dir], **link = link_to(root, x);

	y->parent = x->parent;
	set_child(x, !dir, y->child[dir]);
	set_child(y, dir, x);
	atomic_store_release(link, y);
	if (augment) {
		augment(x);
		augment(y);
	}
}

/* node is red; if its parent is red as well, recolour upwards until one or two rotations settle it. */
void rb_insert_fixup(struct rb_root *root, struct rb_node *node, rb_augment_fn augment)
{
	struct rb_node *parent;

	while (is_red(parent = node->parent)) {
		struct rb_node *grand = parent->parent; /* a red node is not the root */
		int dir = parent == grand->child[1];
		struct rb_node *uncle = grand->child[!dir];

		if (is_red(uncle)) {
			parent->red = uncle->red = false;
			grand->red = true;
			node = grand;
			continue;
		}
		if (node == parent->child[!dir]) {
			rotate(root, parent, dir, augment);
			parent = node;
		}
		parent->red = false;
		grand->red = true;
		rotate(root, grand, !dir, augment);
		break;
	}
	root->node->red = false;
}

/* The subtree x on some side of parent lacks one black node against its sibling. */
static void erase_fixup(struct rb_root *root, struct rb_node *x, struct rb_node *parent,
			rb_augment_fn augment)
{
	while (parent && !is_red(x)) {
		int dir = x != parent->child[0];
		struct rb_node *sibling = parent->child[!dir]; /* exists: its side is higher */

		if (sibling->red) {
			sibling->red = false;
			parent->red = true;
			rotate(root, parent, dir, augment);
			sibling = parent->child[!dir];
		}
		if (!is_red(sibling->child[0]) && !is_red(sibling->child[1])) {
			sibling->red = true;
			x = parent;
			parent = x->parent;
			continue;
		}
		if (!is_red(sibling->child[!dir])) {
			sibling->child[dir]->red = false;
			sibling->red = true;
			rotate(root, sibling, !dir, augment);
			sibling = parent->child[!dir];
		}
		sibling->red = parent->red;
		parent->red = false;
		sibling->child[!dir]->red = false;
		rotate(root, parent, dir, augment);
		return;
	}
	if (x)
		x->red = false;
}

/* Puts s, already out of its old place, where node is; node's own links still lead into the tree. */
static void take_place(struct rb_root *root, struct rb_node *node, struct rb_node *s)
{
	struct rb_node **link = link_to(root, node);

	for (int side = 0; side < 2; side++)
		set_child(s, side, node->child[side]);
	s->parent = node->parent;
	s->red = node->red;
	atomic_store_release(link, s);
}

static void augment_after_erase(struct rb_node *lowest, struct rb_node *moved,
				rb_augment_fn augment)
{
	rb_propagate(lowest, augment);
	/* The walk may have ended below the moved node, whose summary is that of its old place. */
	if (moved) {
		augment(moved);
		rb_propagate(moved->parent, augment);
	}
}

void rb_erase(struct rb_root *root, struct rb_node *node, rb_augment_fn augment)
{
	struct rb_node *moved = NULL, *out = node, *orphan, *parent;
	bool lost_black;

	/* A node with two children is replaced by its successor, which has at most one. */
	if (node->child[0] && node->child[1]) {
		for (out = node->child[1]; out->child[0];)
			out = out->child[0];
		moved = out;
	}
	orphan = out->child[!out->child[0]];
	parent = out->parent;
	lost_black = !out->red;

	atomic_store_release(link_to(root, out), orphan);
	if (orphan)
		orphan->parent = parent;
	if (moved) {
		take_place(root, node, moved);
		if (parent == node)
			parent = moved;
	}
	if (augment)
		augment_after_erase(parent, moved, augment);
	if (lost_black)
		erase_fixup(root, orphan, parent, augment);
}

void rb_replace(struct rb_root *root, struct rb_node *old, struct rb_node *new_node)
{
	take_place(root, old, new_node);
}

static struct rb_node *extreme(struct rb_node *n, int side)
{
	while (n && n->child[side])
		n = n->child[side];
	return n;
}

static struct rb_node *neighbour(const struct rb_node *n, int side)
{
	const struct rb_node *p;

	if (n->child[side])
		return extreme(n->child[side], !side);
	while ((p = n->parent) && n == p->child[side])
		n = p;
	return (struct rb_node *)(uintptr_t)p;
}

struct rb_node *rb_first(const struct rb_root *root)
{
	return extreme(root->node, 0);
}

struct rb_node *rb_last(const struct rb_root *root)
{
	return extreme(root->node, 1);
}

struct rb_node *rb_next(const struct rb_node *n)
{
	return neighbour(n, 1);
}

struct rb_node *rb_prev(const struct rb_node *n)
{
	return neighbour(n, 0);
}
