/* SPDX-License-Identifier: MIT */
/* object.c - the first touch of a mapped object: its page, or for a private write a copy of it. */
#include <uapi/errno.h>
#include <arch/page_copy.h>
#include "kernel/trace.h"
#include "mm/fault/internal.h"
#include "mm/map/map.h"
#include "mm/obj/anon.h"
#include "mm/obj/object.h"
#include "mm/phys/page_alloc.h"

/* Install a private copy of the object's page. */
static enum fault_result install_copy(struct fault *f, struct page *page)
{
	struct page *copy = anon_alloc(f->space, fault_home(f), 0);

	if (!copy)
		return FAULT_OOM;
	arch_page_copy(page_to_virt(copy), page_to_virt(page));
	fault_note_anon(f);
	trace(TRACE_COW, f->va, 0, page_to_pfn(page), page_to_pfn(copy));
	return fault_install(f, copy, vma_page_bits(f->vma) | PTB_DIRTY);
}

/* With the object's size held still. The page's reference is used up. */
static enum fault_result map_object_page(struct fault *f, struct page *page)
{
	unsigned bits = vma_page_bits(f->vma);

	if (f->vma->flags & VM_SHARED) {
		if (f->access & FAULT_WRITE)
			bits |= PTB_DIRTY;
		else
			bits &= ~PTB_WRITE; /* the first write faults, and marks it dirty */
		return fault_install(f, page, bits);
	}
	if (!(f->access & FAULT_WRITE))
		return fault_install(f, page, bits & ~PTB_WRITE);
	enum fault_result r = install_copy(f, page);
	page_put(page);
	return r;
}

/* --- fault-around ---------------------------------------------------------------------------------
 * A page that is read is rarely alone: what the object already has in the aligned block around it is mapped
 * too. Not where the mapping is private and writable, because its pages are likely to be written, and a
 * write to a mapped page costs more than one to a hole. Only holes are filled, markers stay. */
#define AROUND_PAGES 16
BUILD_ASSERT(AROUND_PAGES <= PTC_RUN_MAX, "a block is one run");

struct around {
	vaddr_t lo; /* of the first page */
	unsigned n; /* pages */
	struct page *pages[AROUND_PAGES];
};

/* The part of the object's aligned block around the fault that the object and the mapping have. */
static void choose_block(const struct fault *f, u64 nr_pages, struct around *a)
{
	const struct vma *v = f->vma;
	u64 here = vma_page_index(v, f->va), block = ALIGN_DOWN(here, (u64)AROUND_PAGES);
	u64 first = MAX(block, v->pgoff);
	u64 end = MIN(MIN(block + AROUND_PAGES, v->pgoff + vma_pages(v)), nr_pages);

	a->lo = f->va - ((here - first) << PAGE_SHIFT);
	a->n = (unsigned)(end - first);
}

static int install_block(struct fault *f, struct around *a, unsigned bits)
{
	struct tlb_batch batch;
	struct pt_slot slot;
	struct ptc c;
	int err;

	tlb_batch_init(&batch, &f->space->as, TLB_COW);
	ptc_begin(&c, &f->space->as, a->lo, a->lo + a->n * PAGE_SIZE, PTC_FILL, &batch);
	while ((err = ptc_next(&c, &slot)) > 0) {
		unsigned done = (unsigned)((slot.va - a->lo) >> PAGE_SHIFT);

		map_install_run(f->space, &c, a->pages + done, a->n - done, bits);
	}
	ptc_end(&c);
	return err;
}

/* True: the fault is dealt with, as *r says; false: the object does not have the page yet. */
static bool map_around(struct fault *f, u64 nr_pages, enum fault_result *r)
{
	struct around a;
	unsigned here;

	choose_block(f, nr_pages, &a);
	here = (unsigned)((f->va - a.lo) >> PAGE_SHIFT);
	object_find_pages(f->vma->obj, vma_page_index(f->vma, a.lo), a.n, a.pages);
	bool found = a.pages[here];

	if (found) {
		int err = install_block(f, &a, vma_page_bits(f->vma) & ~PTB_WRITE);

		*r = !a.pages[here] ? FAULT_DONE : err ? FAULT_OOM : FAULT_RETRY;
	}
	for (unsigned i = 0; i < a.n; i++)
		if (a.pages[i])
			page_put(a.pages[i]);
	return found;
}

static bool wants_around(const struct fault *f)
{
	return !(f->access & FAULT_WRITE) && f->vma->flags & (VM_READ | VM_EXEC) &&
	       (f->vma->flags & (VM_WRITE | VM_SHARED)) != VM_WRITE;
}

enum fault_result fault_object(struct fault *f)
{
	struct object *obj = f->vma->obj;
	u64 index = vma_page_index(f->vma, f->va);
	enum fault_result r = FAULT_BUS;
	struct page *page;
	int err;

	rw_read_lock(&obj->resize);
	u64 nr_pages = DIV_ROUND_UP(obj->size, PAGE_SIZE);

	if (index < nr_pages && !(wants_around(f) && map_around(f, nr_pages, &r))) {
		err = object_get_page(obj, index, &page);
		if (!err)
			r = map_object_page(f, page);
		else
			r = err == -ENOMEM ? FAULT_OOM : FAULT_BUS;
	}
	rw_read_unlock(&obj->resize);
	return r;
}
