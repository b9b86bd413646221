/* SPDX-License-Identifier: MIT */
/* test_list_rbtree.c - lib/list.h and lib/rbtree.c against flat models, every invariant checked. */
#include "harness.h"

#include "lib/atomic.h"
#include "lib/list.h"
#include "lib/rbtree.h"

/* Every store that a reader without the lock could see is followed by a look at the whole tree. */
static void after_store(void);
#undef atomic_store_release
#define atomic_store_release(p, v) (__atomic_store_n(p, v, __ATOMIC_RELEASE), after_store())
#include "lib/rbtree.c"

/* --- lists ---------------------------------------------------------------------------------------- */

struct item {
	int n;
	struct list_head link;
};

static void expect_order(struct list_head *head, const int *want, int n)
{
	struct item *it;
	struct list_head *back = head->prev;
	int i = 0;

	list_for_each (it, head, link) {
		ASSERT(i < n);
		EXPECT_EQ(it->n, want[i]);
		i++;
	}
	ASSERT_EQ(i, n);
	for (; back != head; back = back->prev)
		EXPECT_EQ(list_entry(back, struct item, link)->n, want[--i]);
	EXPECT_EQ(i, 0);
}

TEST(list_entries_keep_the_order_they_were_added_in)
{
	struct list_head head = LIST_INIT(head);
	struct item it[4];

	for (int i = 0; i < 4; i++)
		it[i].n = i;
	EXPECT(!list_first(&head, struct item, link));
	list_add_tail(&it[1].link, &head);
	list_add(&it[0].link, &head);
	list_add_tail(&it[3].link, &head);
	list_add(&it[2].link, &it[1].link);
	expect_order(&head, (int[]){0, 1, 2, 3}, 4);
	EXPECT_EQ(list_first(&head, struct item, link)->n, 0);
	EXPECT_EQ(list_last(&head, struct item, link)->n, 3);
	list_move_tail(&it[0].link, &head);
	expect_order(&head, (int[]){1, 2, 3, 0}, 4);
}

TEST(list_del_twice_is_harmless)
{
	struct list_head head = LIST_INIT(head);
	struct item a = {.n = 1}, b = {.n = 2};

	list_add_tail(&a.link, &head);
	list_add_tail(&b.link, &head);
	list_del(&a.link);
	list_del(&a.link);
	EXPECT(list_empty(&a.link));
	expect_order(&head, (int[]){2}, 1);
	list_del(&b.link);
	EXPECT(list_empty(&head));
}

TEST(list_can_be_emptied_while_it_is_walked)
{
	struct list_head head = LIST_INIT(head);
	struct item it[5], *pos, *tmp;

	for (int i = 0; i < 5; i++) {
		it[i].n = i;
		list_add_tail(&it[i].link, &head);
	}
	list_for_each_safe (pos, tmp, &head, link)
		if (pos->n % 2)
			list_del(&pos->link);
	expect_order(&head, (int[]){0, 2, 4}, 3);
	list_for_each_safe (pos, tmp, &head, link)
		list_del(&pos->link);
	EXPECT(list_empty(&head));
}

TEST(spliced_list_is_appended_and_left_empty)
{
	struct list_head a = LIST_INIT(a), b = LIST_INIT(b);
	struct item it[4];

	for (int i = 0; i < 4; i++) {
		it[i].n = i;
		list_add_tail(&it[i].link, i < 2 ? &a : &b);
	}
	list_splice_tail(&b, &a);
	EXPECT(list_empty(&b));
	expect_order(&a, (int[]){0, 1, 2, 3}, 4);
	list_splice_tail(&b, &a);
	list_splice_tail(&a, &b);
	expect_order(&b, (int[]){0, 1, 2, 3}, 4);
	EXPECT(list_empty(&a));
}

/* --- trees ---------------------------------------------------------------------------------------- */

#define KEYS 600

/* The summary is what a map of address ranges keeps: the largest value in the subtree. Its nodes can
 * be counted too, for a summary that changes with every change below, while the largest value often
 * stays, and the way up ends early. */
struct node {
	unsigned key;
	unsigned value;
	unsigned max;
	unsigned count;
	struct rb_node rb;
};

static struct rb_root root;
static struct node nodes[KEYS];
static bool in_tree[KEYS];
static unsigned augment_calls;
static bool count_nodes = true;

static struct node *node_of(struct rb_node *n)
{
	return rb_entry_safe(n, struct node, rb);
}

static void summary(struct node *n, unsigned *max, unsigned *count)
{
	*max = n->value;
	*count = 1;
	for (int side = 0; side < 2; side++) {
		struct node *c = node_of(n->rb.child[side]);

		if (c) {
			*max = MAX(*max, c->max);
			*count += count_nodes ? c->count : 0;
		}
	}
}

static bool augment(struct rb_node *rb)
{
	struct node *n = node_of(rb);
	unsigned max, count;
	bool changed;

	augment_calls++;
	summary(n, &max, &count);
	changed = max != n->max || count != n->count;
	n->max = max;
	n->count = count;
	return changed;
}

static void insert_with(unsigned key, rb_augment_fn fn)
{
	struct rb_node **link = &root.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = &parent->child[key > node_of(parent)->key];
	}
	nodes[key].key = key;
	nodes[key].value = (unsigned)rng_below(1000);
	nodes[key].max = nodes[key].count = ~0u; /* stale */
	rb_insert(&root, &nodes[key].rb, parent, link, fn);
	in_tree[key] = true;
}

static void erase_with(unsigned key, rb_augment_fn fn)
{
	rb_erase(&root, &nodes[key].rb, fn);
	memset(&nodes[key], 0x5a, sizeof(nodes[key])); /* nobody may look at it any more */
	in_tree[key] = false;
}

/* Returns the number of black nodes on every path down from n. */
static int check_subtree(struct rb_node *n, struct rb_node *parent, unsigned *count, bool augmented)
{
	unsigned max, nodes_below;
	int black[2];

	if (!n)
		return 0;
	ASSERT(n->parent == parent);
	ASSERT(!(n->red && parent && parent->red));
	for (int side = 0; side < 2; side++) {
		struct node *c = node_of(n->child[side]);

		if (c)
			ASSERT((c->key > node_of(n)->key) == (bool)side);
		black[side] = check_subtree(n->child[side], n, count, augmented);
	}
	ASSERT_EQ(black[0], black[1]);
	++*count;
	if (augmented) {
		summary(node_of(n), &max, &nodes_below);
		ASSERT_EQ(node_of(n)->max, max);
		ASSERT_EQ(node_of(n)->count, nodes_below);
	}
	return black[0] + !n->red;
}

static void check_tree(bool augmented)
{
	struct rb_node *pos = rb_first(&root), *back = rb_last(&root);
	unsigned count = 0, present = 0;

	ASSERT(!root.node || !root.node->red);
	check_subtree(root.node, NULL, &count, augmented);
	for (unsigned k = 0; k < KEYS; k++) {
		if (!in_tree[k])
			continue;
		present++;
		ASSERT(pos == &nodes[k].rb);
		pos = rb_next(pos);
	}
	ASSERT(!pos);
	ASSERT_EQ(count, present);
	for (unsigned k = KEYS; k-- > 0;)
		if (in_tree[k]) {
			ASSERT(back == &nodes[k].rb);
			back = rb_prev(back);
		}
	ASSERT(!back);
	ASSERT_EQ(rb_empty(&root), present == 0);
}

static void reset_tree(void)
{
	root = RB_ROOT;
	memset(in_tree, 0, sizeof(in_tree));
}

static void random_operations(unsigned keys, int rounds, rb_augment_fn fn)
{
	reset_tree();
	for (int i = 0; i < rounds; i++) {
		unsigned key = (unsigned)rng_below(keys);

		if (in_tree[key])
			erase_with(key, fn);
		else
			insert_with(key, fn);
		check_tree(fn != NULL);
	}
}

TEST(random_insertions_and_erasures_keep_a_red_black_tree)
{
	for (unsigned keys = 1; keys < 20; keys++)
		random_operations(keys, 2000, NULL);
	random_operations(KEYS, 4000, NULL);
}

TEST(summaries_follow_every_insertion_erasure_and_rotation)
{
	for (unsigned keys = 1; keys < 20; keys++)
		random_operations(keys, 2000, augment);
	random_operations(KEYS, 4000, augment);
}

TEST(summaries_are_right_where_the_way_up_ends_early)
{
	count_nodes = false;
	for (unsigned keys = 1; keys < 20; keys++)
		random_operations(keys, 2000, augment);
	random_operations(KEYS, 4000, augment);
	count_nodes = true;
}

TEST(ascending_and_descending_insertions_stay_balanced)
{
	for (int down = 0; down < 2; down++) {
		reset_tree();
		for (unsigned i = 0; i < KEYS; i++) {
			insert_with(down ? KEYS - 1 - i : i, augment);
			check_tree(true);
		}
		for (unsigned i = 0; i < KEYS; i++) {
			erase_with(i, augment);
			check_tree(true);
		}
	}
}

TEST(a_change_costs_logarithmically_many_summaries)
{
	unsigned worst = 0;

	reset_tree();
	for (unsigned i = 0; i < KEYS; i++) {
		augment_calls = 0;
		insert_with(i, augment);
		worst = MAX(worst, augment_calls);
	}
	/* height <= 2 log2(601) = 18.5; one more for the node, four for two rotations */
	EXPECT(worst <= 24);
}

TEST(changed_value_propagates_as_far_as_it_matters)
{
	reset_tree();
	for (unsigned i = 0; i < KEYS; i++)
		insert_with(i, augment);
	for (int i = 0; i < 3000; i++) {
		struct node *n = &nodes[rng_below(KEYS)];

		n->value = (unsigned)rng_below(1000);
		rb_propagate(&n->rb, augment);
		check_tree(true);
	}
}

TEST(replaced_node_takes_over_place_and_colour)
{
	reset_tree();
	for (unsigned i = 0; i < 50; i++)
		insert_with(i, augment);
	for (unsigned i = 0; i < 50; i++) {
		struct node old = nodes[i], *other = &nodes[100 + i];

		*other = old;
		memset(&other->rb, 0, sizeof(other->rb));
		rb_replace(&root, &nodes[i].rb, &other->rb);
		memset(&nodes[i], 0x5a, sizeof(nodes[i]));
		nodes[i] = *other;
		rb_replace(&root, &other->rb, &nodes[i].rb);
		check_tree(true);
	}
}

static bool watch_stores;
static unsigned stores;

/* The longest way down from n; a way longer than there are nodes goes in circles. */
static unsigned depth_below(const struct rb_node *n, unsigned left)
{
	unsigned a, b;

	if (!n)
		return 0;
	ASSERT(left > 0);
	a = depth_below(n->child[0], left - 1);
	b = depth_below(n->child[1], left - 1);
	return 1 + MAX(a, b);
}

#define WATCHED 24

static void after_store(void)
{
	if (!watch_stores)
		return;
	stores++;
	depth_below(root.node, WATCHED);
	/* Nor does a reader who stands on some node, erased or on the move, go in circles. */
	for (unsigned k = 0; k < WATCHED; k++)
		depth_below(&nodes[k].rb, WATCHED);
}

TEST(child_links_form_no_cycle_between_any_two_stores)
{
	watch_stores = false;
	memset(nodes, 0, sizeof(nodes));
	reset_tree();
	watch_stores = true;
	for (int i = 0; i < 5000; i++) {
		unsigned key = (unsigned)rng_below(WATCHED);

		if (!in_tree[key]) {
			insert_with(key, NULL);
			continue;
		}
		rb_erase(&root, &nodes[key].rb, NULL);
		depth_below(&nodes[key].rb, WATCHED);
		nodes[key].rb.child[0] = nodes[key].rb.child[1] = NULL; /* a grace period later */
		in_tree[key] = false;
	}
	watch_stores = false;
	EXPECT(stores > 10000);
}
