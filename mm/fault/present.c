/* SPDX-License-Identifier: MIT */
/*
 * present.c - a fault on a mapped page: nothing is missing, only a right or a bit.
 *
 * A write to a private page that is not writable:
 *   exclusive                    -> it is ours alone: make it writable
 *   shared, one reference left   -> the others are gone: exclusive again, make it writable
 *   else                         -> copy
 * The reference count decides, never the number of mappings: any reference that cannot be explained (a pipe,
 * another process) forces the copy.
 */
#include <quire/assert.h>
#include <arch/page_copy.h>
#include "kernel/trace.h"
#include "mm/fault/internal.h"
#include "mm/map/map.h"
#include "mm/obj/anon.h"
#include "mm/phys/page_alloc.h"

/* Does the entry already allow what was tried? Then the CPU used a stale copy of it, or it is one that
 * leaves the accessed and dirty bits to software. */
static bool entry_allows(unsigned bits, unsigned access)
{
	unsigned need = PTB_READ;

	need |= access & FAULT_WRITE ? PTB_WRITE : 0;
	need |= access & FAULT_EXEC ? PTB_EXEC : 0;
	return (bits & need) == need;
}

/* May the page in this window be written in place? Makes it exclusive when it is provably ours. */
static bool may_reuse(struct fault *f, const struct pt_slot *slot)
{
	struct page *page = pfn_to_page(slot->val);

	if (f->vma->flags & VM_SHARED)
		return true;
	if (slot->bits & PTB_SPECIAL || page_type(page) != PAGE_ANON)
		return false;
	if (page_test(page, PG_EXCLUSIVE))
		return true;
	if (__atomic_load_n(&page->refs, __ATOMIC_ACQUIRE) != 1)
		return false;
	anon_reclaim(page, f->space);
	return true;
}

/* Put a copy of the page in this window into its place. Nobody can write to it meanwhile through an anonymous page's
 * other entries; so the copy is made in the window, and the old page needs no reference of ours. */
static void replace(struct fault *f, struct ptc *c, const struct pt_slot *slot, struct page *copy)
{
	struct page *old = pfn_to_page(slot->val);

	if (old == zero_page)
		arch_page_clear(page_to_virt(copy));
	else
		arch_page_copy(page_to_virt(copy), page_to_virt(old));
	fault_note_anon(f);
	trace(TRACE_COW, f->va, 0, slot->val, page_to_pfn(copy));
	map_replace(f->space, c, copy, vma_page_bits(f->vma) | PTB_DIRTY);
}

/* Give the page in this window the right that the access needs: in place, or with a copy, for which there is a spare
 * page or this CPU has one at hand. False: it has not. */
static bool upgrade(struct fault *f, struct ptc *c, const struct pt_slot *slot, struct page **spare)
{
	bool write = f->access & FAULT_WRITE;

	BUG_ON(!(f->access & FAULT_FORCE) && !entry_allows(slot->bits, f->access & ~FAULT_WRITE));
	if (!write || slot->bits & PTB_WRITE || may_reuse(f, slot)) {
		unsigned bits = PTB_ACCESSED;

		if (write) /* by force also where the mapping does not let the program write */
			bits |= PTB_DIRTY | (f->vma->flags & VM_WRITE ? PTB_WRITE : 0);
		map_grant(c, bits);
		pt_flush_spurious(f->va); /* the CPU may hold the entry as it was before */
		return true;
	}
	if (!*spare)
		*spare = anon_alloc(f->space, fault_home(f), PA_CACHED);
	if (!*spare)
		return false;
	replace(f, c, slot, *spare);
	*spare = NULL;
	return true;
}

/* FAULT_OOM: it takes a spare page, or a table. */
static enum fault_result try_upgrade(struct fault *f, struct page **spare)
{
	enum fault_result r = FAULT_RETRY;
	struct tlb_batch batch;
	struct pt_slot slot;
	struct ptc c;
	int err;

	tlb_batch_init(&batch, &f->space->as, TLB_COW);
	err = ptc_begin_page(&c, &f->space->as, f->va, PTC_EDIT, &batch, &slot);
	if (err > 0 && slot.kind == PT_PAGE)
		r = upgrade(f, &c, &slot, spare) ? FAULT_DONE : FAULT_OOM;
	else if (err < 0)
		r = FAULT_OOM;
	ptc_end(&c);
	return r;
}

enum fault_result fault_present(struct fault *f)
{
	struct page *spare = NULL;
	enum fault_result r = try_upgrade(f, &spare);

	if (likely(r != FAULT_OOM))
		return r;
	spare = anon_alloc(f->space, fault_home(f), 0);
	if (!spare)
		return FAULT_OOM;
	r = try_upgrade(f, &spare);
	if (spare)
		page_put(spare);
	return r;
}
