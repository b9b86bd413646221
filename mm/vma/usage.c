/* SPDX-License-Identifier: MIT */
/*
 * usage.c - counting what the page tables of a range hold, and forgetting what of it was used (usage.h).
 *
 * The walk takes no lock: each slot is a snapshot, and the page behind it may be given away while we look at its
 * counts. They are read once, as numbers, and nothing is done to the page.
 */
#include "mm/vma/usage.h"

#include "kernel/thread.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/map/map.h"
#include "mm/pt/pt.h"
#include "mm/vma/vma.h"

#define PIECE_SLOTS 4096 /* looked at without a pause for others */

static void count_page(const struct pt_slot *slot, struct space_usage *u)
{
	const struct page *page = page_head(pfn_to_page(slot->val));
	u32 mappings = MAX(atomic_load(&page->mapcount), 1u);
	bool dirty = (slot->bits & PTB_DIRTY) || (atomic_load(&page->flags) & PG_DIRTY);

	u->resident += slot->size;
	u->proportional += slot->size / mappings;
	if (dirty)
		u->proportional_dirty += slot->size / mappings;
	*(mappings > 1 ? dirty ? &u->shared_dirty : &u->shared_clean
	  : dirty      ? &u->private_dirty
		       : &u->private_clean) += slot->size;
	if (slot->bits & PTB_ACCESSED)
		u->referenced += slot->size;
	if (page_type(page) == PAGE_ANON) {
		u->anonymous += slot->size;
		u->proportional_anon += slot->size / mappings;
		if (slot->level)
			u->anonymous_huge += slot->size;
	}
}

/* count_piece - some slots of [lo, hi). Returns the address to go on from. */
static vaddr_t count_piece(struct space *s, vaddr_t lo, vaddr_t hi, struct space_usage *u)
{
	struct pt_slot slot;
	struct ptc c;

	ptc_begin(&c, &s->as, lo, hi, PTC_READ, NULL);
	for (unsigned n = 0; n < PIECE_SLOTS; n++) {
		if (ptc_next(&c, &slot) <= 0) {
			lo = hi;
			break;
		}
		lo = slot.va + slot.size;
		if (slot.kind == PT_PAGE && !(slot.bits & PTB_SPECIAL))
			count_page(&slot, u);
		else if (slot.kind == PT_SWAP)
			u->swapped += slot.size;
	}
	ptc_end(&c);
	return lo;
}

void space_usage(struct space *s, vaddr_t lo, vaddr_t hi, struct space_usage *out)
{
	memset(out, 0, sizeof(*out));
	while (lo < hi) {
		lo = count_piece(s, lo, hi, out);
		sched_point();
	}
}

/* All numbers are u64. */
BUILD_ASSERT(sizeof(struct space_usage) % sizeof(u64) == 0, "a struct of numbers");

void space_usage_add(struct space_usage *sum, const struct space_usage *u)
{
	u64 *to = (u64 *)sum;
	const u64 *from = (const u64 *)u;

	for (size_t i = 0; i < sizeof(*u) / sizeof(u64); i++)
		to[i] += from[i];
}

static void clear_accessed(struct vma *v)
{
	struct tlb_batch batch;
	struct pt_slot slot;
	struct ptc c;

	tlb_batch_init(&batch, &v->space->as, TLB_PROTECT);
	rw_read_lock(&v->lock);
	ptc_begin(&c, &v->space->as, v->start, v->end, PTC_EDIT, &batch);
	while (ptc_next(&c, &slot) > 0)
		map_clear_accessed(&c, &slot);
	ptc_end(&c);
	rw_read_unlock(&v->lock);
}

void space_clear_accessed(struct space *s, bool anon, bool objects)
{
	rw_read_lock(&s->lock);
	for (struct vma *v = s->vmas.first; v; v = v->next)
		if (v->obj ? objects : anon)
			clear_accessed(v);
	rw_read_unlock(&s->lock);
}
