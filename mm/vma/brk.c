/* SPDX-License-Identifier: MIT */
/* brk.c - the heap: one private mapping from brk_start up to the break. */
#include <quire/assert.h>
#include "mm/vma/vma.h"

/* Extend the heap over [from, to) with `v`, leaving a page free below the next mapping. */
static bool grow_heap(struct space *s, vaddr_t from, vaddr_t to, struct vma *v)
{
	struct vma *above = vma_find(&s->vmas, from);

	if (above && vma_guarded_start(above) < to + PAGE_SIZE)
		return false;
	v->flags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | VM_HEAP;
	if (s->nr_vmas >= VMA_MAX_COUNT || !space_may_grow(s, (to - from) >> PAGE_SHIFT, v->flags))
		return false;
	v->start = from;
	v->end = to;
	v->pgoff = from >> PAGE_SHIFT;
	vma_link(v);
	vma_merge_around(v);
	return true;
}

/* Move the break under the lock. *v is used up by growing. */
static void move_break(struct space *s, vaddr_t new_brk, struct vma **v, struct vma_spares *spares)
{
	vaddr_t old_end = ALIGN_UP(s->brk, PAGE_SIZE), new_end = ALIGN_UP(new_brk, PAGE_SIZE);

	if (new_brk < s->brk_start || new_brk >= USER_TOP - PAGE_SIZE)
		return;
	if (new_brk - s->brk_start > s->limits.data)
		return;
	if (new_end > old_end) {
		if (!grow_heap(s, old_end, new_end, *v))
			return;
		*v = NULL;
	} else if (new_end < old_end) {
		space_unmap_locked(s, new_end, old_end, spares);
	}
	s->brk = new_brk;
}

/* The break is only a number to user space: failure is reported by not moving it. */
vaddr_t space_brk(struct space *s, vaddr_t new_brk)
{
	struct vma *v = vma_alloc(s);
	struct vma_spares spares;
	vaddr_t brk;

	if (!v || vma_spares_get(s, &spares)) {
		vma_free(v);
		return READ_ONCE(s->brk);
	}
	rw_write_lock(&s->lock);
	move_break(s, new_brk, &v, &spares);
	brk = s->brk;
	rw_write_unlock(&s->lock);
	vma_spares_put(&spares);
	vma_free(v);
	return brk;
}
