/* SPDX-License-Identifier: MIT */
/* test_radix.c - lib/radix.c against a flat model, its invariants, and memory that runs out. */
#include "harness.h"

#include <errno.h>

#include "lib/bits.h"
#include "lib/radix.h"

static struct radix_node *node_alloc(void)
{
	return host_alloc(sizeof(struct radix_node));
}

static void node_free(struct radix_node *n)
{
	host_free(n);
}

static const struct radix_ops ops = {node_alloc, node_free};
static struct radix tree;

/* --- the model: a sorted array of what is there --------------------------------------------------- */

#define MODEL_MAX 4096

static struct {
	u64 index, word;
} model[MODEL_MAX];
static unsigned model_count;

/* The position of the first entry at or after index. */
static unsigned model_find(u64 index)
{
	unsigned lo = 0, hi = model_count;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (model[mid].index < index)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static u64 model_load(u64 index)
{
	unsigned at = model_find(index);

	return at < model_count && model[at].index == index ? model[at].word : 0;
}

static void model_store(u64 index, u64 word)
{
	unsigned at = model_find(index);

	if (at == model_count || model[at].index != index) {
		ASSERT(model_count < MODEL_MAX);
		memmove(&model[at + 1], &model[at], (model_count++ - at) * sizeof(*model));
	}
	model[at].index = index;
	model[at].word = word;
}

static void model_erase(u64 index)
{
	unsigned at = model_find(index);

	if (model_load(index))
		memmove(&model[at], &model[at + 1], (--model_count - at) * sizeof(*model));
}

/* --- checks --------------------------------------------------------------------------------------- */

/* A test that failed leaves its tree behind. */
static void start(void)
{
	if (tree.ops)
		radix_destroy(&tree);
	radix_init(&tree, &ops);
	model_count = 0;
	ASSERT_EQ(host_live, 0);
}

static void finish(void)
{
	radix_destroy(&tree);
	EXPECT_EQ(host_live, 0);
	EXPECT(radix_empty(&tree));
}

/* Returns how many words are below n. */
static u64 check_node(const struct radix_node *n, long *nodes)
{
	u64 words = 0;

	++*nodes;
	ASSERT(n->present != 0);
	for (unsigned slot = 0; slot < RADIX_SLOTS; slot++) {
		const struct radix_node *child = (void *)(uintptr_t)n->slot[slot];

		ASSERT_EQ(n->present >> slot & 1, child != NULL);
		if (!child)
			continue;
		if (!n->shift) {
			words++;
			continue;
		}
		ASSERT_EQ(child->shift + RADIX_SHIFT, n->shift);
		ASSERT(child->parent == n);
		ASSERT_EQ(child->offset, slot);
		words += check_node(child, nodes);
	}
	return words;
}

/* Besides the invariants: the tree is as high as its largest index needs, and no node is lost. */
static void check_tree(void)
{
	long nodes = 0;

	ASSERT_EQ(tree.count, model_count);
	if (!model_count) {
		ASSERT(radix_empty(&tree));
	} else {
		unsigned bits = fls64(model[model_count - 1].index);

		ASSERT(!tree.top->parent);
		ASSERT_EQ(tree.top->shift, bits <= 6 ? 0 : (bits - 1) / 6 * 6);
		ASSERT_EQ(check_node(tree.top, &nodes), model_count);
	}
	ASSERT_EQ(host_live, nodes);
}

static void check_content(void)
{
	u64 i = 0, word;
	unsigned n = 0;

	for (unsigned k = 0; k < model_count; k++)
		ASSERT_EQ(radix_load(&tree, model[k].index), model[k].word);
	for (; (word = radix_next(&tree, &i, ~0ull)); i++, n++) {
		ASSERT(n < model_count);
		ASSERT_EQ(i, model[n].index);
		ASSERT_EQ(word, model[n].word);
	}
	ASSERT_EQ(n, model_count);
}

static u64 store(u64 index, u64 word)
{
	u64 old = ~0ull;

	ASSERT_EQ(radix_store(&tree, index, word, NULL, &old), 0);
	model_store(index, word);
	return old;
}

static u64 erase(u64 index)
{
	u64 old = radix_erase(&tree, index);

	model_erase(index);
	return old;
}

/* An index whose slots are the first and last of their nodes, where steps from node to node happen. */
static u64 edge_index(unsigned bits)
{
	u64 index = 0;

	for (unsigned shift = 0; shift < bits; shift += RADIX_SHIFT)
		index |= (u64[]){0, 1, RADIX_SLOTS - 2, RADIX_SLOTS - 1}[rng_below(4)] << shift;
	return index & RADIX_MAX_INDEX;
}

/* Indices of all magnitudes, clustered enough for nodes to fill up and empty. */
static u64 random_index(unsigned bits)
{
	u64 base = rng_one_in(3) ? 0 : (rng_below(6) << rng_below(bits)) & RADIX_MAX_INDEX;

	if (rng_one_in(3))
		return edge_index(bits);
	return (base + rng_below(rng_one_in(2) ? 8 : 200)) & RADIX_MAX_INDEX;
}

static void random_operations(unsigned bits, int rounds)
{
	start();
	for (int i = 0; i < rounds; i++) {
		u64 index = random_index(bits), was = model_load(index), word = rng() | 1;

		ASSERT_EQ(radix_load(&tree, index), was);
		if (model_count > 3000 || (was && rng_one_in(2)) || rng_one_in(3))
			ASSERT_EQ(erase(index), was);
		else
			ASSERT_EQ(store(index, word), was);
		if (i % 16 == 0)
			check_tree();
		if (i % 256 == 0)
			check_content();
	}
	while (model_count) {
		u64 index = model[rng_below(model_count)].index;

		ASSERT(erase(index) != 0);
		if (model_count % 16 == 0)
			check_tree();
	}
	check_tree();
	finish();
}

TEST(random_operations_agree_with_a_flat_model)
{
	for (unsigned bits = 1; bits <= 52; bits += 3)
		random_operations(bits, 4000);
}

TEST(largest_index_is_usable_and_the_next_is_refused)
{
	struct radix_stock stock = RADIX_STOCK_INIT;

	start();
	EXPECT_EQ(store(RADIX_MAX_INDEX, 7), 0);
	EXPECT_EQ(store(0, 8), 0);
	check_tree();
	check_content();
	EXPECT_EQ(radix_store(&tree, RADIX_MAX_INDEX + 1, 1, NULL, NULL), -EINVAL);
	EXPECT_EQ(radix_preload(&tree, &stock, RADIX_MAX_INDEX + 1), -EINVAL);
	EXPECT_EQ(radix_load(&tree, RADIX_MAX_INDEX + 1), 0);
	EXPECT_EQ(radix_load(&tree, ~0ull), 0);
	EXPECT_EQ(radix_erase(&tree, ~0ull), 0);
	check_tree();
	finish();
}

TEST(next_skips_holes_of_any_size_up_to_the_limit)
{
	for (int round = 0; round < 300; round++) {
		start();
		for (int i = 0; i < 30; i++)
			store(random_index(52), rng() | 1);
		for (int i = 0; i < 200; i++) {
			u64 from = rng_one_in(2) ? random_index(52) : rng() >> rng_below(64);
			u64 max = rng_one_in(4) ? ~0ull : from + (rng() >> rng_below(64)),
			    at = from;
			unsigned k = model_find(from);
			u64 word = radix_next(&tree, &at, max);

			if (k < model_count && model[k].index <= max) {
				ASSERT_EQ(word, model[k].word);
				ASSERT_EQ(at, model[k].index);
			} else {
				ASSERT_EQ(word, 0);
				ASSERT_EQ(at, from);
			}
		}
		finish();
	}
}

/* What a reader without the lock meets between the two stores of an erasure: the bit, not the word. */
TEST(next_steps_over_a_slot_that_is_being_erased)
{
	static const u64 indices[] = {5, 6, 63, 64, 4095, 4096, (1 << 18) - 1, 1 << 18};

	start();
	for (size_t k = 0; k < ARRAY_SIZE(indices); k++)
		store(indices[k], 9);
	for (size_t k = 0; k < ARRAY_SIZE(indices); k++) {
		struct radix_node *leaf = tree.top;
		u64 at = indices[k], word;

		while (leaf->shift)
			leaf = (void *)(uintptr_t)leaf->slot[at >> leaf->shift & (RADIX_SLOTS - 1)];
		leaf->slot[at % RADIX_SLOTS] = 0;
		word = radix_next(&tree, &at, ~0ull);
		leaf->slot[indices[k] % RADIX_SLOTS] = 9;
		EXPECT_EQ(word, k + 1 < ARRAY_SIZE(indices) ? 9 : 0);
		EXPECT_EQ(at, indices[MIN(k + 1, ARRAY_SIZE(indices) - 1)]);
	}
	finish();
}

TEST(tree_shrinks_to_what_is_left)
{
	start();
	store(3, 1);
	store(RADIX_MAX_INDEX, 1);
	EXPECT_EQ(host_live, 2 * RADIX_LEVELS - 1);
	erase(RADIX_MAX_INDEX);
	EXPECT_EQ(host_live, 1);
	EXPECT_EQ(tree.top->shift, 0);
	erase(3);
	EXPECT_EQ(host_live, 0);
	finish();
}

TEST(tree_can_be_destroyed_whatever_is_in_it)
{
	start();
	for (int i = 0; i < 500; i++)
		store(random_index(52), 1);
	finish();
	finish();
}

/* --- memory --------------------------------------------------------------------------------------- */

/* A random tree, and an index that is not in it. */
static u64 random_tree(void)
{
	u64 index;

	start();
	for (u64 i = rng_below(12); i > 0; i--)
		store(random_index(1 + (unsigned)rng_below(52)), rng() | 1);
	do {
		index = random_index(1 + (unsigned)rng_below(52));
	} while (model_load(index));
	return index;
}

TEST(store_without_memory_changes_nothing)
{
	unsigned failed = 0;

	for (int round = 0; round < 500; round++) {
		u64 index = random_tree();
		int err = -ENOMEM;

		for (long step = 0; err; step++) {
			host_fail_after(step);
			err = radix_store(&tree, index, 5, NULL, NULL);
			ASSERT_EQ(err, host_fail_hit() ? -ENOMEM : 0);
			if (!err)
				model_store(index, 5);
			failed += err != 0;
			check_tree();
			check_content();
		}
		host_fail_after(-1);
		finish();
	}
	EXPECT(failed > 500);
}

TEST(store_after_preload_allocates_nothing)
{
	for (int round = 0; round < 1000; round++) {
		struct radix_stock stock = RADIX_STOCK_INIT;
		u64 index = random_tree();
		long before = host_live;

		for (long step = 0; host_fail_after(step), radix_preload(&tree, &stock, index);
		     step++)
			ASSERT(host_fail_hit());
		EXPECT_EQ(host_live - before, stock.count);
		EXPECT(stock.count <= RADIX_STOCK_MAX);
		host_fail_after(0);
		ASSERT_EQ(radix_store(&tree, index, 5, &stock, NULL), 0);
		EXPECT(!host_fail_hit());
		host_fail_after(-1);
		EXPECT_EQ(stock.count, 0); /* exactly what was needed */
		radix_stock_free(&tree, &stock);
		model_store(index, 5);
		check_tree();
		check_content();
		finish();
	}
}

TEST(replacing_a_word_needs_no_memory)
{
	start();
	store(1ull << 40, 1);
	host_fail_after(0);
	EXPECT_EQ(store(1ull << 40, 2), 1);
	EXPECT(!host_fail_hit());
	check_content();
	finish();
}

TEST(stock_that_became_too_small_is_refused_before_any_change)
{
	for (int round = 0; round < 1000; round++) {
		struct radix_stock stock = RADIX_STOCK_INIT;
		u64 index = random_tree();
		int err;

		ASSERT_EQ(radix_preload(&tree, &stock, index), 0);
		while (model_count && !rng_one_in(4)) /* others erase before we lock */
			erase(model[rng_below(model_count)].index);
		if (rng_one_in(2))
			store(RADIX_MAX_INDEX, 9);
		if (model_load(index))
			erase(index);
		err = radix_store(&tree, index, 5, &stock, NULL);
		ASSERT(err == 0 || err == -EAGAIN);
		if (err) {
			ASSERT_EQ(radix_preload(&tree, &stock, index), 0);
			ASSERT_EQ(radix_store(&tree, index, 5, &stock, NULL), 0);
		}
		model_store(index, 5);
		radix_stock_free(&tree, &stock);
		check_tree();
		check_content();
		finish();
	}
}

TEST(worst_case_stock_is_enough_for_any_store)
{
	struct radix_stock stock = RADIX_STOCK_INIT;

	for (int round = 0; round < 500; round++) {
		u64 index = rng_one_in(2) ? random_tree() : (random_tree(), RADIX_MAX_INDEX);

		ASSERT_EQ(radix_preload_any(&tree, &stock), 0);
		ASSERT_EQ(radix_store(&tree, index, 5, &stock, NULL), 0);
		radix_stock_free(&tree, &stock);
		finish();
	}
	start();
	store(0, 1);
	ASSERT_EQ(radix_preload_any(&tree, &stock), 0);
	ASSERT_EQ(radix_store(&tree, RADIX_MAX_INDEX, 5, &stock, NULL), 0);
	EXPECT_EQ(stock.count, 0); /* and not one too many */
	finish();
}

TEST(empty_word_is_a_bug_of_the_caller)
{
	start();
	EXPECT_PANIC((void)radix_store(&tree, 1, 0, NULL, NULL));
	finish();
}
