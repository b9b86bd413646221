/* SPDX-License-Identifier: MIT */
/*
 * test_concurrent.c - what lib/ promises to readers without a lock, with real threads under the thread
 * sanitizer: rbtree descents below a seqcount, radix loads, seqcounts and reference counts.
 */
#include "harness.h"

#include <pthread.h>

#include "lib/atomic.h"
#include "lib/radix.h"
#include "lib/rbtree.h"
#include "lib/refcount.h"
#include "lib/seqcount.h"

#define READERS 3
#define ROUNDS  30000

static bool stop;

/* A generator of a thread's own: rng() belongs to the test's thread. */
static u64 next(u64 *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return *state >> 20;
}

static void with_readers(void *(*reader)(void *), void (*writer)(void))
{
	pthread_t threads[READERS];

	atomic_store(&stop, false);
	for (long i = 0; i < READERS; i++)
		ASSERT(!pthread_create(&threads[i], NULL, reader, (void *)(i + 1)));
	writer();
	atomic_store(&stop, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
}

/* --- seqcount ------------------------------------------------------------------------------------- */

static struct seqcount seq = SEQCOUNT_INIT;
static u64 pair[2];

static void *pair_reader(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		u64 a, b;
		u32 s;

		do {
			s = seq_read_begin(&seq);
			a = atomic_load(&pair[0]);
			b = atomic_load(&pair[1]);
		} while (seq_read_retry(&seq, s));
		EXPECT(a == b);
		if (seq_try_read_begin(&seq, &s)) {
			a = atomic_load(&pair[1]);
			b = atomic_load(&pair[0]);
			EXPECT(seq_read_retry(&seq, s) || a == b);
		}
	}
	return NULL;
}

static void pair_writer(void)
{
	for (u64 i = 0; i < 10 * ROUNDS; i++) {
		seq_write_begin(&seq);
		atomic_store(&pair[0], i);
		atomic_store(&pair[1], i);
		seq_write_end(&seq);
	}
}

TEST(readers_of_a_seqcount_believe_consistent_pairs_only)
{
	with_readers(pair_reader, pair_writer);
}

/* --- rbtree --------------------------------------------------------------------------------------- */

#define KEYS 200

struct item {
	u64 key;
	struct rb_node rb;
};

static struct item items[KEYS];
static bool present[KEYS];
static struct rb_root root;
static unsigned given_up;

/* A descent as rbtree.h allows it. Odd keys are always in the tree. */
static bool find_without_lock(u64 key, bool *found)
{
	struct rb_node *n = atomic_load_acquire(&root.node);
	int steps = 0;

	*found = false;
	while (n && !*found) {
		u64 here = rb_entry(n, struct item, rb)->key;

		if (++steps > RB_MAX_DEPTH)
			return false;
		if (here == key)
			*found = true;
		else
			n = atomic_load_acquire(&n->child[key > here]);
	}
	return true;
}

static void *tree_reader(void *arg)
{
	u64 state = (u64)(uintptr_t)arg;

	while (!atomic_load(&stop)) {
		u64 key = next(&state) % (KEYS / 2) * 2 + 1;
		bool found;
		u32 s = seq_read_begin(&seq);

		if (!find_without_lock(key, &found))
			atomic_inc(&given_up);
		else if (!seq_read_retry(&seq, s))
			EXPECT(found);
	}
	return NULL;
}

static void tree_toggle(u64 key)
{
	struct rb_node **link = &root.node, *parent = NULL;

	seq_write_begin(&seq);
	if (present[key]) {
		rb_erase(&root, &items[key].rb, NULL);
	} else {
		while (*link) {
			parent = *link;
			link = &parent->child[key > rb_entry(parent, struct item, rb)->key];
		}
		rb_insert(&root, &items[key].rb, parent, link, NULL);
	}
	seq_write_end(&seq);
	present[key] = !present[key];
}

static void tree_writer(void)
{
	for (int i = 0; i < ROUNDS; i++)
		tree_toggle(rng_below(KEYS / 2) * 2);
}

TEST(descents_without_lock_end_and_find_what_is_there)
{
	root = RB_ROOT;
	for (u64 k = 0; k < KEYS; k++) {
		items[k].key = k;
		present[k] = false;
		if (k % 2)
			tree_toggle(k);
	}
	with_readers(tree_reader, tree_writer);
	note("%u descents were given up", given_up);
}

/* --- radix ---------------------------------------------------------------------------------------- */

/* Freed nodes wait until no reader is left, as RCU would make them wait. */
static struct radix_node *limbo;

static struct radix_node *node_alloc(void)
{
	return host_alloc(sizeof(struct radix_node));
}

static void node_free_later(struct radix_node *n)
{
	memcpy(n->reclaim, &limbo, sizeof(limbo));
	limbo = n;
}

static void limbo_empty(void)
{
	while (limbo) {
		struct radix_node *n = limbo;

		memcpy(&limbo, n->reclaim, sizeof(limbo));
		host_free(n);
	}
}

static const struct radix_ops radix_ops = {node_alloc, node_free_later};
static struct radix tree;

/* A word tells its index, so that a reader who went astray notices. */
static u64 word_for(u64 index)
{
	return index << 8 | 1;
}

static u64 wide_index(u64 random)
{
	static const unsigned shifts[] = {0, 6, 12, 24, 40, 51};

	return ((random & 3) << shifts[random / 4 % 6]) & RADIX_MAX_INDEX;
}

static void *radix_reader(void *arg)
{
	u64 state = (u64)(uintptr_t)arg;

	while (!atomic_load(&stop)) {
		bool met = false;
		u64 index = wide_index(next(&state)), word = radix_load(&tree, index), i = 0,
		    last = 0;

		EXPECT(!word || word == word_for(index));
		EXPECT(radix_load(&tree, 70) == word_for(70)); /* never erased */
		for (; (word = radix_next(&tree, &i, RADIX_MAX_INDEX)); i++) {
			EXPECT(word == word_for(i) && (i > last || i == 0));
			last = i;
			met |= i == 70;
		}
		EXPECT(met); /* whatever comes and goes around it */
	}
	return NULL;
}

static void radix_writer(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		u64 index = wide_index(rng() >> 3);

		if (index == 70)
			continue;
		if (!radix_erase(&tree, index))
			EXPECT(!radix_store(&tree, index, word_for(index), NULL, NULL));
	}
}

TEST(radix_readers_without_lock_see_whole_words_of_their_index)
{
	radix_init(&tree, &radix_ops);
	EXPECT(!radix_store(&tree, 70, word_for(70), NULL, NULL));
	with_readers(radix_reader, radix_writer);
	radix_destroy(&tree);
	limbo_empty();
	EXPECT_EQ(host_live, 0);
}

/* --- reference counts ----------------------------------------------------------------------------- */

static u32 refs;
static unsigned freed;

static void *ref_holder(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		if (!refcount_try_get(&refs))
			break;
		refcount_get(&refs);
		if (refcount_put(&refs))
			atomic_inc(&freed);
		if (refcount_put(&refs))
			atomic_inc(&freed);
	}
	return NULL;
}

static void ref_owner(void)
{
	EXPECT(freed == 0 || !refcount_read(&refs));
	if (refcount_put(&refs))
		atomic_inc(&freed);
}

TEST(last_reference_is_put_exactly_once)
{
	for (int round = 0; round < 20; round++) {
		refcount_init(&refs);
		freed = 0;
		with_readers(ref_holder, ref_owner);
		EXPECT_EQ(freed, 1);
		EXPECT(!refcount_try_get(&refs));
	}
}

TEST(counts_saturate_instead_of_wrapping)
{
	u32 count = REFCOUNT_SATURATED - 1;

	refcount_get(&count);
	EXPECT_EQ(count,
		  REFCOUNT_PARKED); /* far from both ends, as racing threads go on counting */
	count = REFCOUNT_SATURATED - 1;
	EXPECT(refcount_try_get(&count));
	EXPECT_EQ(count, REFCOUNT_PARKED);
	for (int i = 0; i < 10; i++) {
		EXPECT(!refcount_put(&count));
		EXPECT(refcount_try_get(&count));
		EXPECT(count >= REFCOUNT_SATURATED);
	}
}

TEST(counts_below_zero_are_caught)
{
	u32 count = 0;

	EXPECT_PANIC(EXPECT(refcount_put(&count)));
	EXPECT_PANIC(refcount_get(&count));
	EXPECT(!refcount_try_get(&count));
}
