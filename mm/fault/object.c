/* SPDX-License-Identifier: MIT */
/* object.c - the first touch of a mapped object: its page, or for a private write a copy of it. */
#include <uapi/errno.h>
#include "mm/fault/internal.h"
#include "mm/obj/object.h"
#include "mm/phys/page_alloc.h"

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
	enum fault_result r = fault_copy(f, page);
	page_put(page);
	return r;
}

enum fault_result fault_object(struct fault *f)
{
	struct object *obj = f->vma->obj;
	u64 index = vma_page_index(f->vma, f->va);
	enum fault_result r = FAULT_BUS;
	struct page *page;
	int err;

	rw_read_lock(&obj->resize);
	if (index < DIV_ROUND_UP(obj->size, PAGE_SIZE)) {
		err = object_get_page(obj, index, &page);
		if (!err)
			r = map_object_page(f, page);
		else if (err == -ENOMEM)
			r = FAULT_OOM;
	}
	rw_read_unlock(&obj->resize);
	return r;
}
