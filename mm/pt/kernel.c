/* SPDX-License-Identifier: MIT */
/*
 * kernel.c - kernel mappings, through the same cursor as everybody else's.
 *
 * Kernel leaves are stored once at their final size and never split, because a live leaf of the map the
 * kernel runs on cannot pass through an absent entry. All root entries of the kernel half are made
 * at boot, so that a new space copies them once and never looks again.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include "mm/phys/page_alloc.h"
#include "mm/pt/internal.h"

/* The largest leaf that starts at va and pa and does not reach beyond size. */
static u64 leaf_size(vaddr_t va, paddr_t pa, u64 size)
{
	for (unsigned level = PT_LEVELS - 1; level > 0; level--)
		if (pt_leaf_levels & BIT(level) && IS_ALIGNED(va | pa, pt_size(level)) &&
		    size >= pt_size(level))
			return pt_size(level);
	return PAGE_SIZE;
}

int pt_map_kernel(vaddr_t va, paddr_t pa, u64 size, unsigned bits)
{
	struct tlb_batch batch;
	struct pt_slot slot;
	struct ptc c;
	u64 done = 0;
	int err = 0;

	assert(va >= KERNEL_HALF && IS_ALIGNED(va | pa | size, PAGE_SIZE));
	tlb_batch_init(&batch, &kernel_as, TLB_KERNEL);
	ptc_begin(&c, &kernel_as, va, va, PTC_FILL, &batch);
	while (done < size) {
		u64 step = leaf_size(va + done, pa + done, size - done);

		err = ptc_goto(&c, va + done, va + done + step, &slot);
		if (err < 0)
			break;
		assert(slot.kind == PT_HOLE && slot.size == step);
		ptc_set(&c, PT_PAGE, (pa + done) >> PAGE_SHIFT,
			bits | PTB_GLOBAL | PTB_ACCESSED | PTB_DIRTY);
		done += step;
	}
	ptc_end(&c);
	if (err < 0)
		pt_unmap_kernel(va, va + done, false);
	return err < 0 ? err : 0;
}

void pt_unmap_kernel(vaddr_t lo, vaddr_t hi, bool put_pages)
{
	struct tlb_batch batch;
	struct pt_slot slot;
	struct ptc c;

	tlb_batch_init(&batch, &kernel_as, TLB_KERNEL);
	ptc_begin(&c, &kernel_as, lo, hi, PTC_EDIT | PTC_DEFER, &batch);
	while (ptc_next(&c, &slot) > 0) {
		slot = ptc_take(&c);
		if (put_pages)
			tlb_batch_page(&batch, pfn_to_page(slot.val));
	}
	ptc_end(&c);
	tlb_batch_flush(&batch);
}

/* Make the root entries of [lo, hi) of the kernel half. Boot: memory is there or boot has failed. */
static void make_roots(vaddr_t lo, vaddr_t hi)
{
	struct tlb_batch batch;
	struct ptc c;

	tlb_batch_init(&batch, &kernel_as, TLB_KERNEL);
	ptc_begin(&c, &kernel_as, lo, lo, PTC_FILL, &batch);
	for (vaddr_t va = lo; va < hi; va += pt_size(PT_LEVELS - 1))
		BUG_ON(ptc_make(&c, va, PT_LEVELS - 2) != 0);
	ptc_end(&c);
}

void pt_kernel_init(void)
{
	pt_leaf_levels = arch_pt_leaf_levels();
	kernel_as.refs = 1;
	kernel_as.nr_tables = 1;
	kernel_as.root = node_alloc(0);
	node_setup(kernel_as.root, PT_LEVELS - 1, 0, NULL);
	kernel_as.root_pa = page_to_phys(kernel_as.root);
	make_roots(VMALLOC_BASE, VMALLOC_END);
}
