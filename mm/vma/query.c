/* SPDX-License-Identifier: MIT */
/* query.c - questions about a layout that change nothing. */
#include "mm/vma/vma.h"

struct object *space_shared_object(struct space *s, vaddr_t va, u64 *pgoff)
{
	struct object *obj = NULL;
	struct vma *v;

	rw_read_lock(&s->lock);
	v = vma_find(&s->vmas, va);
	if (v && v->start <= va && (v->flags & VM_SHARED)) {
		obj = v->obj;
		*pgoff = v->pgoff + ((va - v->start) >> PAGE_SHIFT);
	}
	rw_read_unlock(&s->lock);
	return obj;
}
