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

/* Is this entry a page like the last? Then *pfn is its frame. */
static ALWAYS_INLINE bool same_again(pte_t pte, const struct likeness *l, u64 *pfn)
{
	return likely(arch_pte_alike(pte, l->like, pfn));
}

unsigned ptc_take_run(struct ptc *c, struct pt_leaf *taken)
{
	unsigned i = 0, n, next, slots = slots_left(c), level = c->level, all_bits = 0;
	struct pt_leaf *leaf = taken, *end = taken + MIN(c->node->node_used, PTC_RUN_MAX);
	struct likeness l = {PTE_UNLIKE, 0};
	pte_t *entry = c->entry;

	assert_held(&c->node->node_lock);
	do {
		pte_t pte = arch_pte_load(entry + i), old;

		if (!same_again(pte, &l, &leaf->val)) {
			if (!is_page(pte, level)) {
				if (!(next = past_holes(c, pte, i)))
					break;
				i = next;
				continue;
			}
			leaf->val = arch_pte_pfn(pte);
			l.like = arch_pte_of_frame_0(pte);
			l.bits = arch_pte_few_bits(pte);
			all_bits |= l.bits;
		}
		leaf->bits = (u16)l.bits;
		leaf->index = (u16)i;
		old = arch_pte_xchg(entry + i, (pte_t){0});
		if (unlikely(old.v != pte.v)) /* accessed or written just now */
			leaf->bits = (u16)arch_pte_few_bits(old);
		leaf++;
		i++;
	} while (i < slots && leaf < end);
	n = (unsigned)(leaf - taken);
	node_count(c->node, -(int)n);
	c->seen--; /* ptc_next has counted the first */
	c->stored = true;
	if (all_bits & PTB_READ)
		note_run(c, taken[n - 1].index);
	pass(c, MIN(i, slots));
	return n;
}

/* What becomes of the pages that are like the last, on both sides. */
struct copies {
	struct likeness was;
	pte_t kept, made; /* of frame 0: in the source, in the copy */
};

static ALWAYS_INLINE void choose_copies(struct copies *f, pte_t pte, unsigned level)
{
	f->was.like = arch_pte_of_frame_0(pte);
	f->was.bits = arch_pte_few_bits(pte);
	f->kept = f->made = arch_pte_wrprotect(f->was.like);
	if (unlikely(f->was.bits & PTB_UFFD_WP))
		f->made = arch_pte_leaf(0, arch_pte_bits(pte) & ~(PTB_WRITE | PTB_UFFD_WP), level);
}

unsigned ptc_dup_run(struct ptc *src, struct ptc *dst, struct pt_leaf *pages)
{
	unsigned i = 0, n, next, slots = slots_left(src), level = src->level, all_bits = 0;
	unsigned unseen = src->node->node_used - src->seen + 1u; /* the first has been counted */
	struct pt_leaf *leaf = pages, *end = pages + MIN(unseen, (unsigned)PTC_RUN_MAX);
	unsigned here = entry_index(src->entry);
	struct copies f = {.was = {PTE_UNLIKE, 0}};
	u32 blocks = 0;

	assert_held(&src->node->node_lock);
	assert_held(&dst->node->node_lock);
	assert(dst->level == level && entry_index(dst->entry) == here &&
	       dst->batch->lo >= dst->batch->hi);
	do {
		pte_t pte = arch_pte_load(src->entry + i);

		if (!same_again(pte, &f.was, &leaf->val)) {
			if (!is_page(pte, level)) {
				if (!(next = past_holes(src, pte, i)))
					break;
				i = next;
				continue;
			}
			leaf->val = arch_pte_pfn(pte);
			choose_copies(&f, pte, level);
			all_bits |= f.was.bits;
		}
		leaf->bits = (u16)f.was.bits;
		if (f.was.bits & PTB_WRITE &&
		    !arch_pte_cas(src->entry + i, &pte, arch_pte_leaf_for(f.kept, leaf->val)))
			continue; /* accessed or written just now */
		assert(arch_pte_form(arch_pte_load(dst->entry + i), level) == PTE_NONE);
		arch_pte_store(dst->entry + i, arch_pte_leaf_for(f.made, leaf->val));
		blocks |= node_block(here + i);
		leaf++;
		i++;
	} while (i < slots && leaf < end);
	n = (unsigned)(leaf - pages);
	node_note_blocks(dst->node, blocks);
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

void ptc_set_run(struct ptc *c, const struct pt_leaf *leaves, unsigned n)
{
	const struct pt_leaf *leaf = leaves, *end = leaves + n;
	unsigned level = c->level, here = entry_index(c->entry), slots;
	pte_t *entry = c->entry, like = {0};
	u32 blocks = 0;

	if (!n)
		return;
	slots = end[-1].index + 1u;
	assert_held(&c->node->node_lock);
	assert(here + slots <= PT_ENTRIES);
	if (unlikely(batch_owes(c->batch, c->slot_va, (u64)slots << pt_shift(level))))
		batch_flush_tlb(c->batch);
	for (unsigned bits = ~0u; leaf < end; leaf++) {
		assert(arch_pte_form(arch_pte_load(entry + leaf->index), level) == PTE_NONE);
		assert((leaf->bits & (PTB_UFFD_WP | PTB_WRITE)) != (PTB_UFFD_WP | PTB_WRITE));
		if (leaf->bits != bits) {
			bits = leaf->bits;
			like = arch_pte_leaf(0, bits, level);
		}
		blocks |= node_block(here + leaf->index);
		arch_pte_store(entry + leaf->index, arch_pte_leaf_for(like, leaf->val));
	}
	node_note_blocks(c->node, blocks);
	node_count(c->node, (int)n);
	c->stored = true;
}

unsigned ptc_hole_run(struct ptc *c)
{
	unsigned n = 0, left = MIN(slots_left(c), PTC_RUN_MAX), level = c->level;

	while (n < left && arch_pte_form(arch_pte_load(c->entry + n), level) == PTE_NONE)
		n++;
	pass(c, n);
	return n;
}
