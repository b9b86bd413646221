/* SPDX-License-Identifier: MIT */
/*
 * run.c - the stores of store.c for neighbouring pages at once: the checks that are the same for all of them
 * are made once, and what each page costs is a load, a store and its decoding.
 */
#include <quire/assert.h>
#include "mm/pt/internal.h"

/* No entry is like this: a frame number beyond all others. */
#define PTE_UNLIKE ((pte_t){~0ul})

/* How many slots there are from the current one to the end of the window and of the range. */
static unsigned slots_left(const struct ptc *c)
{
	u64 in_range = (c->hi - c->slot_va) >> pt_shift(c->level);
	u64 in_table = PT_ENTRIES - pt_index(c->slot_va, c->level);

	return (unsigned)MIN(in_range, in_table);
}

/* ptc_next goes on n slots behind the current one. */
static void pass(struct ptc *c, unsigned n)
{
	c->va = c->slot_va + ((u64)n << pt_shift(c->level));
}

static bool is_page(pte_t pte, unsigned level)
{
	return arch_pte_form(pte, level) == PTE_LEAF;
}

/* Entry i from the current one on holds no page. If it is a hole: where the run may go on; else 0. */
static unsigned past_holes(const struct ptc *c, pte_t pte, unsigned i)
{
	unsigned here = entry_index(c->entry);

	if (arch_pte_form(pte, c->level) != PTE_NONE)
		return 0;
	return node_next_used(c->node, here + i + 1) - here;
}

/* Slots up to the one with this index have lost rights or their page. */
static void note_run(struct ptc *c, unsigned last)
{
	batch_note(c->batch, c->slot_va, (last + 1ul) << pt_shift(c->level), c->level);
}

/* Most pages of a run have the same bits. These are known of the last that was looked at. */
struct likeness {
	pte_t like; /* the same leaf of frame 0; at first PTE_UNLIKE */
	unsigned bits;
};

static void learn(struct likeness *l, pte_t pte)
{
	l->like = arch_pte_of_frame_0(pte);
	l->bits = arch_pte_few_bits(pte);
}

/* Take pages from this entry on as long as they are like the last, at most max. unseen: nobody uses these tables, so
 * no bit can be set between load and store that anyone will ask for.
 *  returns: how many */
static ALWAYS_INLINE unsigned take_alike(pte_t *entry, const struct likeness *l, u64 *leaves,
					 unsigned max, bool unseen)
{
	unsigned n;
	u64 pa;

	for (n = 0; n < max; n++) {
		pte_t pte = arch_pte_load(entry + n);

		if (unlikely(!arch_pte_alike(pte, l->like, &pa)))
			break;
		leaves[n] = pa | l->bits;
		if (unseen) {
			arch_pte_store(entry + n, (pte_t){0});
			continue;
		}
		pte_t old = arch_pte_xchg(entry + n, (pte_t){0});
		if (unlikely(old.v != pte.v)) /* accessed or written just now */
			leaves[n] = pa | arch_pte_few_bits(old);
	}
	return n;
}

unsigned ptc_take_run(struct ptc *c, u64 *leaves)
{
	unsigned i = 0, n = 0, end = 0, next, slots = slots_left(c), all_bits = 0;
	unsigned max = MIN(c->node->node_used, PTC_RUN_MAX);
	struct likeness l = {PTE_UNLIKE, 0};

	assert_held(&c->node->node_lock);
	do {
		pte_t *entry = c->entry + i;
		unsigned most = MIN(slots - i, max - n), taken;

		taken = c->batch->unseen ? take_alike(entry, &l, leaves + n, most, true)
					 : take_alike(entry, &l, leaves + n, most, false);
		if (taken) {
			n += taken;
			end = i += taken;
			continue;
		}
		pte_t pte = arch_pte_load(entry);
		if (is_page(pte, c->level)) {
			learn(&l, pte);
			all_bits |= l.bits;
		} else {
			if (!(next = past_holes(c, pte, i)))
				break;
			i = next;
		}
	} while (i < slots && n < max);
	node_count(c->node, -(int)n);
	c->seen--; /* ptc_next has counted the first */
	c->stored = true;
	if (all_bits & PTB_READ)
		note_run(c, end - 1);
	pass(c, MIN(i, slots));
	return n;
}

/* What becomes of the pages that are like the last, on both sides. */
struct copies {
	struct likeness was;
	pte_t kept, made; /* of frame 0: in the source, in the copy */
};

static void choose_copies(struct copies *f, pte_t pte, unsigned level)
{
	learn(&f->was, pte);
	f->kept = f->made = arch_pte_wrprotect(f->was.like);
	if (unlikely(f->was.bits & PTB_UFFD_WP))
		f->made = arch_pte_leaf(0, arch_pte_bits(pte) & ~(PTB_WRITE | PTB_UFFD_WP), level);
}

/* Copy pages from this entry on as long as they are like the last, at most max. write: they could be written.
 *  returns: how many */
static ALWAYS_INLINE unsigned dup_alike(pte_t *src, pte_t *dst, const struct copies *f, u64 *leaves,
					unsigned max, bool write)
{
	unsigned n;
	u64 pa;

	for (n = 0; n < max; n++) {
		pte_t pte = arch_pte_load(src + n), old = pte;

		if (unlikely(!arch_pte_alike(pte, f->was.like, &pa)))
			break;
		if (write && !arch_pte_cas(src + n, &old, arch_pte_leaf_for(f->kept, pa)))
			break; /* accessed or written just now */
		leaves[n] = pa | f->was.bits;
		assert(arch_pte_form(arch_pte_load(dst + n), 0) == PTE_NONE);
		arch_pte_store(dst + n, arch_pte_leaf_for(f->made, pa));
	}
	return n;
}

unsigned ptc_dup_run(struct ptc *src, struct ptc *dst, u64 *leaves)
{
	unsigned i = 0, n = 0, next, slots = slots_left(src), level = src->level, all_bits = 0;
	unsigned ahead = src->node->node_used - src->seen + 1u; /* the first has been counted */
	unsigned max = MIN(ahead, (unsigned)PTC_RUN_MAX), here = entry_index(src->entry);
	struct copies f = {.was = {PTE_UNLIKE, 0}};

	assert_held(&src->node->node_lock);
	assert_held(&dst->node->node_lock);
	assert(dst->level == level && entry_index(dst->entry) == here &&
	       dst->batch->lo >= dst->batch->hi);
	do {
		pte_t *from = src->entry + i, *to = dst->entry + i;
		unsigned most = MIN(slots - i, max - n), copied;

		copied = f.was.bits & PTB_WRITE ? dup_alike(from, to, &f, leaves + n, most, true)
						: dup_alike(from, to, &f, leaves + n, most, false);
		if (copied) {
			node_note_blocks(dst->node, node_blocks_of(here + i, copied));
			n += copied;
			i += copied;
			continue;
		}
		pte_t pte = arch_pte_load(from);
		if (is_page(pte, level)) {
			choose_copies(&f, pte, level);
			all_bits |= f.was.bits;
		} else {
			if (!(next = past_holes(src, pte, i)))
				break;
			i = next;
		}
	} while (i < slots && n < max);
	node_count(dst->node, (int)n);
	src->seen += n - 1;
	src->stored = dst->stored = true;
	if ((all_bits & (PTB_READ | PTB_WRITE)) == (PTB_READ | PTB_WRITE))
		note_run(src, i - 1);
	pass(src, MIN(i, slots));
	return n;
}

unsigned ptc_move_run(struct ptc *src, struct ptc *dst)
{
	unsigned i = 0, n = 0, next, last = 0, here = entry_index(dst->entry);
	unsigned slots = MIN(slots_left(src), PT_ENTRIES - here), level = src->level;
	unsigned most = MIN(src->node->node_used, PTC_RUN_MAX);
	u32 blocks = 0;

	assert_held(&src->node->node_lock);
	assert_held(&dst->node->node_lock);
	assert(dst->level == level && dst->batch->lo >= dst->batch->hi);
	do {
		if (!is_page(arch_pte_load(src->entry + i), level)) {
			if (!(next = past_holes(src, arch_pte_load(src->entry + i), i)))
				break;
			i = next;
			continue;
		}
		assert(arch_pte_form(arch_pte_load(dst->entry + i), level) == PTE_NONE);
		arch_pte_store(dst->entry + i, arch_pte_xchg(src->entry + i, (pte_t){0}));
		blocks |= node_block(here + i);
		last = i++;
		n++;
	} while (i < slots && n < most);
	node_note_blocks(dst->node, blocks);
	node_count(dst->node, (int)n);
	node_count(src->node, -(int)n);
	src->seen--; /* ptc_next has counted the first */
	src->stored = dst->stored = true;
	note_run(src, last);
	pass(src, MIN(i, slots));
	return n;
}

u64 ptc_fill_run(struct ptc *c, struct page *const *pages, unsigned n, unsigned bits)
{
	unsigned level = c->level;
	pte_t *entry = c->entry, like = arch_pte_leaf(0, bits, level);
	u64 stored = 0;

	n = MIN(n, slots_left(c));
	assert_held(&c->node->node_lock);
	assert(n <= PTC_RUN_MAX);
	assert((bits & (PTB_UFFD_WP | PTB_WRITE)) != (PTB_UFFD_WP | PTB_WRITE));
	if (unlikely(batch_owes(c->batch, c->slot_va, (u64)n << pt_shift(level))))
		batch_flush_tlb(c->batch);
	for (unsigned i = 0; i < n; i++) {
		if (!pages[i] || arch_pte_form(arch_pte_load(entry + i), level) != PTE_NONE)
			continue;
		arch_pte_store(entry + i, arch_pte_leaf_for(like, page_to_phys(pages[i])));
		stored |= 1ul << i;
	}
	if (stored) {
		node_note_blocks(c->node, node_blocks_of(entry_index(entry), n));
		node_count(c->node, (int)popcount64(stored));
		c->stored = true;
	}
	pass(c, n);
	return stored;
}
