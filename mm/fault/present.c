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
static bool may_reuse(struct fault *f)
{
	struct page *page = pfn_to_page(f->seen.val);

	if (f->vma->flags & VM_SHARED)
		return true;
	if (f->seen.bits & PTB_SPECIAL || page_type(page) != PAGE_ANON)
		return false;
	if (page_test(page, PG_EXCLUSIVE))
		return true;
	if (__atomic_load_n(&page->refs, __ATOMIC_ACQUIRE) != 1)
		return false;
	anon_reclaim(page, f->space);
	return true;
}

/* The page in this window with a reference, so that it can be copied when the window is closed. */
static struct page *hold_seen(const struct fault *f)
{
	struct page *page = pfn_to_page(f->seen.val);

	if (!(f->seen.bits & PTB_SPECIAL))
		page_get(page);
	return page;
}

/* Give the entry what the access needs, without changing the page. If that takes a copy: the page to copy,
 * with a reference unless it is the zero page. */
static struct page *upgrade(struct fault *f)
{
	bool write = f->access & FAULT_WRITE;
	struct page *copy_from = NULL;
	unsigned bits = PTB_ACCESSED;
	struct tlb_batch batch;
	struct pt_slot slot;
	struct ptc c;

	tlb_batch_init(&batch, &f->space->as, TLB_COW);
	if (ptc_begin_page(&c, &f->space->as, f->va, PTC_EDIT, &batch, &slot) > 0 &&
	    ptc_match(&c, &f->seen)) {
		if (write) /* by force also where the mapping does not let the program write */
			bits |= PTB_DIRTY | (f->vma->flags & VM_WRITE ? PTB_WRITE : 0);
		if (write && !(slot.bits & PTB_WRITE) && !may_reuse(f))
			copy_from = hold_seen(f);
		else
			map_grant(&c, bits);
	}
	ptc_end(&c);
	/* The CPU may hold the entry as it was before. A copy will be flushed for when it replaces the page. */
	if (!copy_from)
		pt_flush_spurious(f->va);
	return copy_from;
}

enum fault_result fault_copy(struct fault *f, struct page *src)
{
	struct page *copy = anon_alloc(f->space, fault_home(f), src == zero_page);
	enum fault_result r = FAULT_RETRY;
	struct tlb_batch batch;
	struct pt_slot slot;
	struct ptc c;
	int err;

	if (!copy)
		return FAULT_OOM;
	if (src != zero_page)
		arch_page_copy(page_to_virt(copy), page_to_virt(src));
	if (!READ_ONCE(f->vma->has_anon))
		WRITE_ONCE(f->vma->has_anon, true);
	tlb_batch_init(&batch, &f->space->as, TLB_COW);
	err = ptc_begin_page(&c, &f->space->as, f->va, PTC_FILL, &batch, &slot);
	if (err > 0 && ptc_match(&c, &f->seen)) {
		map_retire(f->space, &c, false);
		map_install(f->space, &c, copy, vma_page_bits(f->vma) | PTB_DIRTY);
		trace(TRACE_COW, f->va, 0, f->seen.val, page_to_pfn(copy));
		r = FAULT_DONE;
	}
	ptc_end(&c);
	if (r != FAULT_DONE)
		page_put(copy);
	return err < 0 ? FAULT_OOM : r;
}

enum fault_result fault_present(struct fault *f)
{
	enum fault_result r;
	struct page *old;

	BUG_ON(!(f->access & FAULT_FORCE) && !entry_allows(f->seen.bits, f->access & ~FAULT_WRITE));
	old = upgrade(f);
	if (!old)
		return FAULT_DONE;
	r = fault_copy(f, old);
	if (old != zero_page)
		page_put(old);
	return r;
}
