/* SPDX-License-Identifier: MIT */
/* stack.c - mappings that grow downwards when touched below their start. */
#include <uapi/errno.h>
#include "mm/vma/vma.h"

/* Locks: none held; takes the space lock for writing and the mapping's. */
int space_grow_stack(struct space *s, vaddr_t va)
{
	vaddr_t start = ALIGN_DOWN(va, PAGE_SIZE);
	struct vma *v, *prev;
	int err = -EFAULT;
	u64 pages;

	rw_write_lock(&s->lock);
	v = vma_find(&s->vmas, va);
	if (!v)
		goto unlock;
	err = 0;
	if (v->start <= va) /* another thread was faster */
		goto unlock;
	err = -EFAULT;
	if (!(v->flags & VM_GROWSDOWN) || start < MMAP_MIN_ADDR)
		goto unlock;
	err = -ENOMEM;
	prev = v->prev;
	pages = (v->start - start) >> PAGE_SHIFT;
	/* A program that jumps over the gap must not land in a neighbour (unless it is a stack's own
	 * PROT_NONE guard, which traps by itself, or another stack). */
	if (prev && prev->flags & VM_RIGHTS && !(prev->flags & VM_GROWSDOWN) &&
	    start - prev->end < STACK_GUARD)
		goto unlock;
	if (v->end - start > s->limits.stack || !space_may_grow(s, pages, v->flags) ||
	    !space_may_lock(s, pages, v->flags))
		goto unlock;
	vma_set_bounds(v, start, v->end);
	err = 0;
unlock:
	rw_write_unlock(&s->lock);
	return err;
}
