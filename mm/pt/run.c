/* SPDX-License-Identifier: MIT */
/*
 * run.c - the stores of store.c for neighbouring pages at once: the checks that are the same for all of them
 * are made once, and what each page costs is a load, a store and its decoding.
 */
#include <quire/assert.h>
#include "mm/pt/internal.h"

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

unsigned ptc_take_run(struct ptc *c, struct pt_leaf *taken)
{
	unsigned n = 0, i = 0, next, left = slots_left(c), level = c->level, all_bits = 0;
	unsigned most = MIN(c->node->node_used, PTC_RUN_MAX);
	pte_t *entry = c->entry;

	assert_held(&c->node->node_lock);
	do {
		pte_t pte = arch_pte_load(entry + i);

		if (likely(is_page(pte, level))) {
			unsigned bits;

			pte = arch_pte_xchg(entry + i, (pte_t){0});
			bits = arch_pte_last_bits(pte);
			taken[n++] = (struct pt_leaf){arch_pte_pfn(pte), (u16)bits, (u16)i};
			all_bits |= bits;
			i++;
		} else if ((next = past_holes(c, pte, i))) {
			i = next;
		} else {
			break;
		}
	} while (i < left && n < most);
	node_count(c->node, -(int)n);
	c->seen--; /* ptc_next has counted the first */
	c->stored = true;
	if (all_bits & PTB_READ)
		note_run(c, taken[n - 1].index);
	pass(c, MIN(i, left));
	return n;
}

unsigned ptc_clear_run(struct ptc *c, unsigned clear, struct pt_leaf *was)
{
	unsigned n = 0, i = 0, next, left = slots_left(c), level = c->level, bits = 0, lost = 0;
	unsigned most = MIN(c->node->node_used - c->seen + 1u, (unsigned)PTC_RUN_MAX);
	pte_t like = {0}, cleared = {0};

	assert_held(&c->node->node_lock);
	do {
		pte_t *entry = c->entry + i, pte = arch_pte_load(entry);

		if (unlikely(!is_page(pte, level))) {
			if (!(next = past_holes(c, pte, i)))
				break;
			i = next;
			continue;
		}
		if (!arch_pte_alike(pte, like)) {
			like = pte;
			bits = arch_pte_bits(pte);
			cleared = arch_pte_leaf(0, bits & ~clear, level);
			lost |= bits & PTB_READ ? bits & clear : 0;
		}
		was[n] = (struct pt_leaf){arch_pte_pfn(pte), (u16)bits, (u16)i};
		if (bits & clear &&
		    !arch_pte_cas(entry, &pte, arch_pte_leaf_for(cleared, was[n].val)))
			continue;
		n++;
		i++;
	} while (i < left && n < most);
	c->seen += n - 1;
	c->stored = true;
	if (lost & (PTB_RIGHTS | PTB_USER | PTB_DIRTY))
		note_run(c, was[n - 1].index);
	pass(c, MIN(i, left));
	return n;
}

void ptc_set_run(struct ptc *c, const struct pt_leaf *leaves, unsigned n)
{
	unsigned level = c->level, bits = 0, first = entry_index(c->entry), last;
	pte_t like = {0};

	if (!n)
		return;
	last = first + leaves[n - 1].index;
	assert_held(&c->node->node_lock);
	assert(last < PT_ENTRIES);
	if (unlikely(batch_owes(c->batch, c->slot_va, (last - first + 1ul) << pt_shift(level))))
		batch_flush_tlb(c->batch);
	node_note_blocks(c->node, first, last);
	for (unsigned i = 0; i < n; i++) {
		pte_t *entry = c->entry + leaves[i].index;

		assert(arch_pte_form(arch_pte_load(entry), level) == PTE_NONE);
		assert((leaves[i].bits & (PTB_UFFD_WP | PTB_WRITE)) != (PTB_UFFD_WP | PTB_WRITE));
		if (leaves[i].bits != bits || !i) {
			bits = leaves[i].bits;
			like = arch_pte_leaf(0, bits, level);
		}
		arch_pte_store(entry, arch_pte_leaf_for(like, leaves[i].val));
	}
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
