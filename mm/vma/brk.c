/* SPDX-License-Identifier: MIT */
/* brk.c - the heap: one private mapping from brk_start up to the break. */
#include <quire/assert.h>
#include "mm/vma/vma.h"

#define HEAP_FLAGS (VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | VM_HEAP)

/* Is this the heap's mapping, and can it simply be made longer at its end? */
static bool is_heap_ending_at(const struct vma *v, vaddr_t end)
{
	return v && v->end == end && v->flags == (HEAP_FLAGS | v->space->future_locks);
}

static bool start_heap(struct space *s, vaddr_t from, vaddr_t to, struct vma *above)
{
	struct vma *v = vma_alloc(s);

	if (!v)
		return false;
	v->flags = HEAP_FLAGS | s->future_locks;
	v->start = from;
	v->end = to;
	v->pgoff = from >> PAGE_SHIFT;
	vma_link(v, above);
	return true;
}

/* Extend the heap over [from, to), leaving a page free below the next mapping. */
static bool grow_heap(struct space *s, vaddr_t from, vaddr_t to)
{
	struct vma *above = vma_find(&s->vmas, from), *below = vma_below(&s->vmas, above);

	if (above && vma_guarded_start(above) < to + PAGE_SIZE)
		return false;
	if (!space_may_grow(s, (to - from) >> PAGE_SHIFT, HEAP_FLAGS) ||
	    !space_may_lock(s, (to - from) >> PAGE_SHIFT, s->future_locks))
		return false;
	if (!is_heap_ending_at(below, from))
		return s->nr_vmas < VMA_MAX_COUNT && start_heap(s, from, to, above);
	vma_set_bounds(below, below->start, to);
	return true;
}

/* Move the break under the lock. */
static void move_break(struct space *s, vaddr_t new_brk)
{
	vaddr_t old_end = ALIGN_UP(s->brk, PAGE_SIZE), new_end = ALIGN_UP(new_brk, PAGE_SIZE);

	if (new_brk < s->brk_start || new_brk >= USER_TOP - PAGE_SIZE)
		return;
	if (new_brk - s->brk_start > s->limits.data)
		return;
	if (new_end > old_end && !grow_heap(s, old_end, new_end))
		return;
	if (new_end < old_end && space_unmap_locked(s, new_end, old_end))
		return;
	s->brk = new_brk;
}

/* The break is only a number to user space: failure is reported by not moving it. */
vaddr_t space_brk(struct space *s, vaddr_t new_brk)
{
	vaddr_t brk;

	rw_write_lock(&s->lock);
	move_break(s, new_brk);
	brk = s->brk;
	rw_write_unlock(&s->lock);
	return brk;
}
