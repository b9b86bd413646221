/* SPDX-License-Identifier: MIT */
/* anon.c - the first touch of anonymous memory: zeroes, shared while only read. */
#include "mm/fault/internal.h"
#include "mm/map/map.h"
#include "mm/obj/anon.h"
#include "mm/phys/page_alloc.h"

static enum fault_result install_zero(struct fault *f)
{
	struct tlb_batch batch;
	struct pt_slot slot;
	struct ptc c;
	int err;

	tlb_batch_init(&batch, &f->space->as, TLB_COW);
	err = ptc_begin_page(&c, &f->space->as, f->va, PTC_FILL, &batch, &slot);
	if (err > 0 && slot.kind == PT_HOLE)
		map_install_zero(&c, vma_page_bits(f->vma));
	ptc_end(&c);
	if (err < 0)
		return FAULT_OOM;
	return slot.kind == PT_HOLE ? FAULT_DONE : FAULT_RETRY;
}

enum fault_result fault_anon(struct fault *f)
{
	struct page *page;

	if (!(f->access & FAULT_WRITE))
		return install_zero(f);
	page = anon_alloc(f->space, fault_home(f), PA_ZERO);
	if (!page)
		return FAULT_OOM;
	fault_note_anon(f);
	return fault_install(f, page, vma_page_bits(f->vma) | PTB_DIRTY);
}
