/* SPDX-License-Identifier: MIT */
/* internal.h - shared between the files of mm/pt: raw entries, nodes, and the pieces of the cursor. */
#pragma once

#include <quire/assert.h>
#include <arch/pt.h>
#include <arch/tlb.h>
#include "lib/atomic.h"
#include "mm/pt/batch.h"
#include "mm/pt/pt.h"

BUILD_ASSERT(PTC_LEVELS == PT_LEVELS, "cursor stock is sized by the number of levels");

#define PT_ENTRIES (1u << PT_BITS)

/* Types of absent entries. User space sees them through pagemap: the numbers are Linux's. */
enum absent_type {
	ABSENT_SWAP_LAST = 22, /* 0..22: swap areas */
	ABSENT_HWPOISON = 23,
	ABSENT_MIGRATE_READ = 24,
	ABSENT_MIGRATE_READ_EXCL = 25,
	ABSENT_MIGRATE_WRITE = 26,
	ABSENT_BUSY = 30, /* entry between two sizes: only while its node is locked */
	ABSENT_MARK = 31,
};

static inline unsigned pt_shift(unsigned level)
{
	return PAGE_SHIFT + level * PT_BITS;
}

static inline u64 pt_size(unsigned level)
{
	return 1ul << pt_shift(level);
}

static inline unsigned pt_index(vaddr_t va, unsigned level)
{
	return va >> pt_shift(level) & (PT_ENTRIES - 1);
}

static inline pte_t *node_table(const struct page *node)
{
	return page_to_virt(node);
}

/* node_count - one entry more or less in use. Under the node's lock; walkers read the count without it. */
static inline void node_count(struct page *node, int change)
{
	__atomic_store_n(&node->node_used, (u16)(node->node_used + change), __ATOMIC_RELAXED);
}

static inline bool node_seems_empty(const struct page *node)
{
	return !__atomic_load_n(&node->node_used, __ATOMIC_RELAXED);
}

static inline u64 node_span(const struct page *node)
{
	return pt_size(node->node_level + 1u);
}

/* node.c */
struct page *node_alloc(unsigned flags); /* PA_*; NULL: no memory; content empty, used 0 */
void node_setup(struct page *, unsigned level, vaddr_t base);
void node_free_unused(struct page *); /* never published */
void node_free_rcu(struct page *);    /* after its flush */
extern unsigned pt_leaf_levels;       /* levels at which this machine has leaves */

/* slot.c: the meaning of absent entries */
void pt_decode_absent(pte_t, struct pt_slot *);
pte_t pt_encode_absent(enum pt_kind, u64 val, unsigned bits);

/* pt_decode - what a raw entry (not a table) of `level` at va means. */
static inline void pt_decode(pte_t pte, unsigned level, vaddr_t va, struct pt_slot *slot)
{
	enum pte_form form = arch_pte_form(pte, level);

	assert(form != PTE_TABLE);
	slot->va = va;
	slot->size = pt_size(level);
	slot->level = (u8)level;
	if (likely(form == PTE_LEAF)) {
		slot->kind = PT_PAGE;
		slot->val = arch_pte_pfn(pte);
		slot->bits = (u16)arch_pte_bits(pte);
		return;
	}
	slot->kind = PT_HOLE;
	slot->val = 0;
	slot->bits = 0;
	if (form == PTE_ABSENT)
		pt_decode_absent(pte, slot);
}

/* pt_encode - the raw entry for a kind; the inverse of pt_decode. */
static inline pte_t pt_encode(enum pt_kind kind, u64 val, unsigned bits, unsigned level)
{
	return likely(kind == PT_PAGE) ? arch_pte_leaf(val, bits, level)
				       : pt_encode_absent(kind, val, bits);
}

/* pt_busy - the form an entry has while its node is locked and its size changes: a fault that meets it
 * waits on the node lock. */
static inline pte_t pt_busy(void)
{
	return arch_pte_absent(ABSENT_BUSY, 0, 0);
}

static inline bool pt_is_busy(pte_t pte, unsigned level)
{
	return arch_pte_form(pte, level) == PTE_ABSENT && arch_pte_absent_type(pte) == ABSENT_BUSY;
}

/* cursor.c, split.c, prune.c, store.c */
void ptc_lock_node(const struct ptc *, struct page *node);
int ptc_stock(struct ptc *, unsigned n); /* 0: the stock has n tables; 1: slept, look again; <0 */
int split_entry(struct ptc *, struct page *node, unsigned index, vaddr_t va);
void prune_empty(struct ptc *, vaddr_t base, unsigned level);
void batch_note(struct tlb_batch *, vaddr_t va, u64 size, unsigned level);
void batch_note_table(struct tlb_batch *, struct page *node, vaddr_t base, u64 span);
static inline bool batch_owes(const struct tlb_batch *b, vaddr_t va, u64 size)
{
	return va < b->hi && va + size > b->lo;
}
void batch_flush_tlb(
	struct tlb_batch *); /* the flush alone: what is to be freed stays in the batch */
void node_store(struct page *node, pte_t *entry, pte_t old, pte_t pte);
