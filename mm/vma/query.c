/* SPDX-License-Identifier: MIT */
/* query.c - questions about a layout that change nothing. */
#include "mm/obj/object.h"
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

unsigned space_list(struct space *s, vaddr_t from, struct space_mapping *out, unsigned max)
{
	unsigned n = 0;

	rw_read_lock(&s->lock);
	for (struct vma *v = vma_find(&s->vmas, from); v && n < max; v = v->next) {
		vma_hold_object(v);
		out[n++] = (struct space_mapping){
			.start = v->start,
			.end = v->end,
			.flags = v->flags,
			.pgoff = v->pgoff,
			.obj = v->obj,
			.name = v->name,
		};
	}
	rw_read_unlock(&s->lock);
	return n;
}

void space_mapping_put(struct space_mapping *m)
{
	if (m->name)
		m->obj->ops->name_put(m->name);
	if (m->obj)
		object_put(m->obj);
}
