/* SPDX-License-Identifier: MIT */
/* internal.h - shared between the files of mm/pt: raw entries, nodes, and the pieces of the cursor. */
#pragma once

#include <quire/assert.h>
#include <arch/pt.h>
#include <arch/tlb.h>
#include "lib/atomic.h"
#include "lib/bits.h"
#include "mm/pt/batch.h"
#include "mm/pt/pt.h"

BUILD_ASSERT(PTC_LEVELS == PT_LEVELS, "cursor stock is sized by the number of levels");
BUILD_ASSERT(PTC_TABLE_SPAN == PAGE_SIZE << PT_BITS,
	     "pt.h does not see the architecture's geometry");
BUILD_ASSERT(PTC_RUN_MAX <= BATCH_INLINE, "a batch can make room for a run");

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

#define BLOCK_ENTRIES (PT_ENTRIES / 32) /* entries that one bit of node_blocks stands for */

static inline unsigned entry_index(const pte_t *entry)
{
	return (uintptr_t)entry / sizeof(*entry) % PT_ENTRIES;
}

/* node_block - the bit of node_blocks for an entry. */
static inline u32 node_block(unsigned index)
{
	return 1u << index / BLOCK_ENTRIES;
}

/* node_blocks_of - the bits for n entries, n > 0. */
static inline u32 node_blocks_of(unsigned index, unsigned n)
{
	return (node_block(index + n - 1) << 1) - node_block(index);
}

/* node_note_blocks - entries of these blocks were stored, or are about to be, under the same lock. Bits are never taken
 * back while the table is linked: a table that has become sparse is still searched where it was full. */
static inline void node_note_blocks(struct page *node, u32 blocks)
{
	__atomic_store_n(&node->node_blocks, node->node_blocks | blocks, __ATOMIC_RELAXED);
}

/* node_next_used - the first entry from index i on that is in use; PT_ENTRIES: none. */
static inline unsigned node_next_used(const struct page *node, unsigned i)
{
	const pte_t *table = node_table(node);
	u32 blocks = __atomic_load_n(&node->node_blocks, __ATOMIC_RELAXED);

	while (i < PT_ENTRIES) {
		u32 ahead = blocks >> i / BLOCK_ENTRIES;
		unsigned end;

		if (!ahead)
			return PT_ENTRIES;
		if (!(ahead & 1))
			i = (i / BLOCK_ENTRIES + ctz64(ahead)) * BLOCK_ENTRIES;
		end = ALIGN_DOWN(i, BLOCK_ENTRIES) + BLOCK_ENTRIES;
		while (i < end) {
			if (i % 8 == 0 && pte_eight_are_zero(&table[i]))
				i += 8;
			else if (pte_is_zero(arch_pte_load(&table[i])))
				i++;
			else
				return i;
		}
	}
	return PT_ENTRIES;
}

static inline u64 node_span(const struct page *node)
{
	return pt_size(node->node_level + 1u);
}

/* node.c */
struct page *node_alloc(unsigned flags); /* PA_*; NULL: no memory; content empty, used 0 */
void node_setup(struct page *, unsigned level, vaddr_t base, struct page *above);
void node_free(struct page *);     /* empty; never published, or nobody can look any more */
void node_free_rcu(struct page *); /* empty, after its flush */
extern unsigned pt_leaf_levels;    /* levels at which this machine has leaves */

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
void prune_empty(struct ptc *, struct page *node);
void batch_note(struct tlb_batch *, vaddr_t va, u64 size, unsigned level);
void batch_note_table(struct tlb_batch *, struct page *node);
static inline bool batch_owes(const struct tlb_batch *b, vaddr_t va, u64 size)
{
	return va < b->hi && va + size > b->lo;
}
void batch_flush_tlb(
	struct tlb_batch *); /* the flush alone: what is to be freed stays in the batch */
void node_store(struct page *node, pte_t *entry, pte_t old, pte_t pte);
