/* SPDX-License-Identifier: MIT */
/*
 * batch.h - unhook, flush, free: in that order, by construction.
 *
 * A batch belongs to one operation on one address space. Transitions put into it what an unhooked
 * entry leaves behind (a page reference, an empty table); the cursor notes which addresses the TLBs
 * may still translate. tlb_batch_flush flushes them once and only then lets go of the rest.
 */
#pragma once

#include <quire/compiler.h>
#include "mm/pt/aspace.h"

enum tlb_reason { /* why a flush was needed; counted per CPU */
		  TLB_UNMAP,
		  TLB_PROTECT,
		  TLB_COW,
		  TLB_FORK,
		  TLB_SPLIT,
		  TLB_KERNEL,
		  TLB_REASONS
};

#define BATCH_INLINE 64

struct batch_block;

struct tlb_batch {
	struct aspace *as;
	vaddr_t lo, hi; /* to flush; empty when lo >= hi */
	u8 level;       /* smallest leaf that was unhooked */
	bool tables_freed;
	bool unseen; /* nobody else can walk these tables, and nobody runs with them again: no grace period before
		      * they are freed, and no flush before their pages are */
	u8 reason;                 /* enum tlb_reason */
	u16 nr_pages, max_pages;   /* in list */
	struct page *nodes;        /* detached tables, by node_next */
	struct page **list;        /* pages[], or block's */
	struct batch_block *block; /* more room, one page at a time */
	struct page *pages[BATCH_INLINE];
};

void tlb_batch_init(struct tlb_batch *, struct aspace *, enum tlb_reason);
/* tlb_batch_grow - make room for at least BATCH_INLINE pages more. May flush right now. */
void tlb_batch_grow(struct tlb_batch *);

/* tlb_batch_room - where to put up to n pages, n at most BATCH_INLINE, of which one reference is to be dropped after
 * the flush. May flush right now to make room. tlb_batch_fill - that many were put there. */
static inline struct page **tlb_batch_room(struct tlb_batch *b, unsigned n)
{
	if (unlikely(b->nr_pages + n > b->max_pages))
		tlb_batch_grow(b);
	return b->list + b->nr_pages;
}
static inline void tlb_batch_fill(struct tlb_batch *b, unsigned n)
{
	b->nr_pages = (u16)(b->nr_pages + n);
}

/* tlb_batch_page - one page. */
static inline void tlb_batch_page(struct tlb_batch *b, struct page *page)
{
	*tlb_batch_room(b, 1) = page;
	tlb_batch_fill(b, 1);
}

/* tlb_batch_flush - do all that is owed. Spins for other CPUs: interrupts on, node locks are fine. */
void tlb_batch_flush(struct tlb_batch *);
/* tlb_batch_has_work - is anything owed? */
static inline bool tlb_batch_has_work(const struct tlb_batch *b)
{
	return b->lo < b->hi || b->nr_pages || b->nodes || b->block;
}
/* tlb_count - flushes this machine has made for a reason. */
u64 tlb_count(enum tlb_reason);
