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

	return (unsigned)MIN(MIN(in_range, in_table), (u64)PTC_RUN_MAX);
}

/* The run is n slots: ptc_next goes on behind them. */
static void pass(struct ptc *c, unsigned n)
{
	c->va = c->slot_va + ((u64)n << pt_shift(c->level));
}

static bool is_page(pte_t pte, unsigned level)
{
	return arch_pte_form(pte, level) == PTE_LEAF;
}

unsigned ptc_run(struct ptc *c, struct pt_leaf *seen)
{
	unsigned n = 0, left = slots_left(c), level = c->level;

	pte_t like = arch_pte_load(c->entry);
	unsigned bits = arch_pte_bits(like);

	for (; n < left; n++) {
		pte_t pte = arch_pte_load(c->entry + n);

		if (!is_page(pte, level))
			break;
		if (!arch_pte_alike(pte, like)) {
			like = pte;
			bits = arch_pte_bits(pte);
		}
		seen[n] = (struct pt_leaf){arch_pte_pfn(pte), bits};
	}
	c->seen += n - 1;
	pass(c, n);
	return n;
}

unsigned ptc_hole_run(struct ptc *c)
{
	unsigned n = 0, left = slots_left(c), level = c->level;

	while (n < left && arch_pte_form(arch_pte_load(c->entry + n), level) == PTE_NONE)
		n++;
	pass(c, n);
	return n;
}

unsigned ptc_take_run(struct ptc *c, struct pt_leaf *taken)
{
	unsigned n = 0, left = slots_left(c), level = c->level, all_bits = 0;
	pte_t *entry = c->entry;

	assert_held(&c->node->node_lock);
	for (; n < left && is_page(arch_pte_load(entry + n), level); n++) {
		pte_t pte = arch_pte_xchg(entry + n, (pte_t){0});

		taken[n] = (struct pt_leaf){arch_pte_pfn(pte), arch_pte_last_bits(pte)};
		all_bits |= taken[n].bits;
	}
	node_count(c->node, -(int)n);
	c->seen--; /* ptc_next has counted the first */
	c->stored = true;
	if (all_bits & PTB_READ)
		batch_note(c->batch, c->slot_va, (u64)n << pt_shift(level), level);
	pass(c, n);
	return n;
}

void ptc_clear_run(struct ptc *c, unsigned n, unsigned clear)
{
	unsigned level = c->level, lost = 0;

	assert_held(&c->node->node_lock);
	for (unsigned i = 0; i < n; i++) {
		pte_t old = arch_pte_load(c->entry + i);
		unsigned bits;

		assert(is_page(old, level));
		do {
			bits = arch_pte_bits(old);
			if (!(bits & clear))
				break;
		} while (!arch_pte_cas(c->entry + i, &old,
				       arch_pte_leaf(arch_pte_pfn(old), bits & ~clear, level)));
		lost |= bits & PTB_READ ? bits & clear : 0;
	}
	c->stored = true;
	if (lost & (PTB_RIGHTS | PTB_USER | PTB_DIRTY))
		batch_note(c->batch, c->slot_va, (u64)n << pt_shift(level), level);
}

void ptc_set_run(struct ptc *c, const struct pt_leaf *leaves, unsigned n)
{
	unsigned level = c->level, set = 0, bits = 0;
	pte_t like = {0};

	assert_held(&c->node->node_lock);
	assert(pt_index(c->slot_va, level) + n <= PT_ENTRIES);
	if (unlikely(batch_owes(c->batch, c->slot_va, (u64)n << pt_shift(level))))
		batch_flush_tlb(c->batch);
	for (unsigned i = 0; i < n; i++) {
		assert(arch_pte_form(arch_pte_load(c->entry + i), level) == PTE_NONE);
		assert((leaves[i].bits & (PTB_UFFD_WP | PTB_WRITE)) != (PTB_UFFD_WP | PTB_WRITE));
		if (!leaves[i].bits)
			continue;
		if (leaves[i].bits != bits) {
			bits = leaves[i].bits;
			like = arch_pte_leaf(0, bits, level);
		}
		arch_pte_store(c->entry + i, arch_pte_leaf_for(like, leaves[i].val));
		set++;
	}
	node_count(c->node, (int)set);
	c->stored = true;
}
