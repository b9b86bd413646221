/* SPDX-License-Identifier: MIT */
/*
 * store.c - every store into a page table goes through this file (and split.c, prune.c for tables).
 *
 * What is asserted here, always under the node's lock:
 *  - the number of used entries equals the entries that are not NONE;
 *  - a live leaf is removed or narrowed only by an atomic operation that harvests its accessed and
 *    dirty bits, and the flush it owes is recorded in the same breath;
 *  - a new leaf is stored only where no leaf is, and after the flush of what was there before;
 *  - an entry that points to a table is never overwritten.
 */
#include <quire/assert.h>
#include "mm/pt/internal.h"

/* node_store - put pte where old is (both sides known under the lock) and keep the count. */
void node_store(struct page *node, pte_t *entry, pte_t old, pte_t pte)
{
	unsigned level = node->node_level;

	assert_held(&node->node_lock);
	assert(!page_test(node, PG_STRAY));
	if (arch_pte_form(pte, level) == PTE_NONE)
		node_count(node, -1);
	else
		node_note_blocks(node, node_block(entry_index(entry)));
	if (arch_pte_form(old, level) == PTE_NONE)
		node_count(node, 1);
	assert(node->node_used <= PT_ENTRIES);
	arch_pte_store(entry, pte);
}

void ptc_set(struct ptc *c, enum pt_kind kind, u64 val, unsigned bits)
{
	pte_t old = arch_pte_load(c->entry);
	vaddr_t va = ALIGN_DOWN(c->slot_va, pt_size(c->level));

	assert(arch_pte_form(old, c->level) == PTE_NONE ||
	       arch_pte_form(old, c->level) == PTE_ABSENT);
	assert(kind == PT_PAGE || kind == PT_SWAP || kind == PT_MIGRATE || kind == PT_MARK);
	assert((bits & (PTB_UFFD_WP | PTB_WRITE)) != (PTB_UFFD_WP | PTB_WRITE));
	if (unlikely(kind == PT_PAGE && batch_owes(c->batch, va, pt_size(c->level))))
		batch_flush_tlb(c->batch);
	node_store(c->node, c->entry, old, pt_encode(kind, val, bits, c->level));
	c->stored = true;
}

struct pt_slot ptc_take(struct ptc *c)
{
	struct pt_slot slot;
	pte_t old = arch_pte_xchg(c->entry, (pte_t){0});

	assert_held(&c->node->node_lock);
	pt_decode(old, c->level, ALIGN_DOWN(c->slot_va, pt_size(c->level)), &slot);
	if (slot.kind == PT_HOLE)
		return slot;
	node_count(c->node, -1);
	c->seen--;
	c->stored = true;
	if (slot.kind == PT_PAGE && slot.bits & PTB_READ)
		batch_note(c->batch, slot.va, slot.size, c->level);
	return slot;
}

u64 ptc_replace(struct ptc *c, pfn_t pfn, unsigned bits)
{
	pte_t old = arch_pte_xchg(c->entry, (pte_t){0});

	assert_held(&c->node->node_lock);
	assert(arch_pte_form(old, c->level) == PTE_LEAF);
	if (arch_pte_few_bits(old) & PTB_READ) {
		batch_note(c->batch, c->slot_va, pt_size(c->level), c->level);
		batch_flush_tlb(c->batch);
	}
	arch_pte_store(c->entry, arch_pte_leaf(pfn, bits, c->level));
	c->stored = true;
	return ptc_leaf(arch_pte_pfn(old), arch_pte_few_bits(old));
}

/* Could the TLB hold something that the new bits no longer allow? */
static bool narrows(unsigned old, unsigned new)
{
	unsigned lost = old & ~new;

	return old & PTB_READ && lost & (PTB_RIGHTS | PTB_USER | PTB_DIRTY);
}

unsigned ptc_change(struct ptc *c, unsigned set, unsigned clear)
{
	pte_t old = arch_pte_load(c->entry), pte;
	struct pt_slot slot;
	unsigned bits;

	assert_held(&c->node->node_lock);
	do {
		pt_decode(old, c->level, ALIGN_DOWN(c->slot_va, pt_size(c->level)), &slot);
		assert(slot.kind != PT_HOLE);
		bits = (slot.bits | set) & ~clear;
		assert((bits & (PTB_UFFD_WP | PTB_WRITE)) != (PTB_UFFD_WP | PTB_WRITE));
		pte = pt_encode(slot.kind, slot.val, bits, c->level);
	} while (!arch_pte_cas(c->entry, &old, pte));
	c->stored = true;
	if (slot.kind == PT_PAGE && narrows(slot.bits, bits))
		batch_note(c->batch, slot.va, slot.size, c->level);
	return slot.bits;
}

enum pt_kind ptc_kind(const struct ptc *c)
{
	struct pt_slot now;

	pt_decode(arch_pte_load(c->entry), c->level, c->slot_va, &now);
	return (enum pt_kind)now.kind;
}

bool ptc_match(const struct ptc *c, const struct pt_slot *seen)
{
	const unsigned ignore = PTB_ACCESSED | PTB_DIRTY;
	struct pt_slot now;

	pt_decode(arch_pte_load(c->entry), c->level, seen->va, &now);
	/* Where a hole is, tables may have been made meanwhile: it is still a hole. */
	if (seen->kind == PT_HOLE)
		return now.kind == PT_HOLE;
	return now.kind == seen->kind && now.level == seen->level && now.val == seen->val &&
	       (now.bits & ~ignore) == (seen->bits & ~ignore);
}
