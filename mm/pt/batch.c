/* SPDX-License-Identifier: MIT */
/*
 * batch.c - what unhooked entries leave behind: flushes to make, pages and tables to free.
 *
 * A page goes through three owners: the entry, the batch (after ptc_take), and whoever else holds
 * references (after the flush). The flush covers one range, grown by each entry; ranges that grow far
 * apart cost a wider flush, never a missed one. When the batch runs out of room it flushes early.
 */
#include <quire/assert.h>
#include "kernel/percpu.h"
#include "kernel/trace.h"
#include "mm/phys/page_alloc.h"
#include "mm/pt/internal.h"

#define BLOCK_PAGES (PAGE_SIZE / sizeof(struct page *) - 1)

struct batch_block {
	u64 unused;
	struct page *pages[BLOCK_PAGES];
};
BUILD_ASSERT(sizeof(struct batch_block) == PAGE_SIZE, "a block is one page");

static PERCPU u64 flush_counts[TLB_REASONS];

u64 tlb_count(enum tlb_reason reason)
{
	u64 sum = 0;

	for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
		sum += READ_ONCE(cpu_var(flush_counts[reason], cpu));
	return sum;
}

static void use_inline_list(struct tlb_batch *b)
{
	b->list = b->pages;
	b->max_pages = BATCH_INLINE;
}

void tlb_batch_init(struct tlb_batch *b, struct aspace *as, enum tlb_reason reason)
{
	b->as = as;
	b->lo = ~0ul;
	b->hi = 0;
	b->level = PT_LEVELS - 1;
	b->tables_freed = false;
	b->unseen = false;
	b->reason = (u8)reason;
	b->nr_pages = 0;
	b->nodes = NULL;
	b->block = NULL;
	use_inline_list(b);
}

/* batch_note - entries of `level` in [va, va+size) were removed or narrowed. */
void batch_note(struct tlb_batch *b, vaddr_t va, u64 size, unsigned level)
{
	b->lo = MIN(b->lo, va);
	b->hi = MAX(b->hi, va + size);
	b->level = MIN(b->level, (u8)level);
}

/* batch_note_table - a table was detached. */
void batch_note_table(struct tlb_batch *b, struct page *node)
{
	node->node_next = b->nodes;
	b->nodes = node;
	b->tables_freed = true;
	batch_note(b, node->node_base, node_span(node), node->node_level);
}

void batch_flush_tlb(struct tlb_batch *b)
{
	if (b->lo >= b->hi)
		return;
	trace(TRACE_FLUSH, b->lo, b->hi, b->reason, b->tables_freed);
	this_cpu(flush_counts)[b->reason]++;
	arch_tlb_flush_range(b->as, b->lo, b->hi, b->level, b->tables_freed);
	b->lo = ~0ul;
	b->hi = 0;
	b->level = PT_LEVELS - 1;
	b->tables_freed = false;
}

void tlb_batch_flush(struct tlb_batch *b)
{
	struct page *node = b->nodes;

	batch_flush_tlb(b);
	page_put_many(b->list, b->nr_pages);
	b->nr_pages = 0;
	b->nodes = NULL;
	while (node) {
		struct page *next = node->node_next;

		if (b->unseen)
			node_free(node);
		else
			node_free_rcu(node);
		node = next;
	}
	if (!b->block)
		return;
	page_free(virt_to_page(b->block), 0);
	b->block = NULL;
	use_inline_list(b);
}

/* The inline array is full: continue in a page of its own, or make room by flushing now. */
void tlb_batch_grow(struct tlb_batch *b)
{
	struct page *page = b->block ? NULL : page_alloc(0, PA_ATOMIC);

	if (!page) {
		tlb_batch_flush(b);
		return;
	}
	b->block = page_to_virt(page);
	for (unsigned i = 0; i < b->nr_pages; i++)
		b->block->pages[i] = b->pages[i];
	b->list = b->block->pages;
	b->max_pages = BLOCK_PAGES;
}
