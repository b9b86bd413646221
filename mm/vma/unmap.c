/* SPDX-License-Identifier: MIT */
/* unmap.c - taking mappings and pages away: munmap, madvise(MADV_DONTNEED), and the end of a space. */
#include <quire/assert.h>
#include <uapi/errno.h>
#include "mm/map/map.h"
#include "mm/obj/object.h"
#include "mm/vma/vma.h"

/* Empty the page tables below the mappings of a list (by obj_link, ascending), in which no fault can be. One cursor
 * for all of them: neighbours share tables. dying: they are all that the space has, and nobody else can look into it
 * any more. Then whole tables are emptied at once, and freed without waiting for readers. */
static void zap_list(struct space *s, const struct list_head *mappings, bool dying)
{
	struct tlb_batch batch;
	struct pt_slot slot;
	vaddr_t done = 0;
	struct vma *v;
	struct ptc c;

	space_note_peak_rss(s);
	tlb_batch_init(&batch, &s->as, TLB_UNMAP);
	batch.unseen = dying;
	ptc_begin(&c, &s->as, 0, 0, PTC_EDIT | PTC_PRUNE | PTC_DEFER | PTC_STAY, &batch);
	list_for_each (v, mappings, obj_link) {
		if (!v->touched || v->end <= done)
			continue;
		vaddr_t start = MAX(v->start, done);

		done = dying ? ALIGN_UP(v->end, PTC_TABLE_SPAN) : v->end;
		/* Only splitting a large slot can need memory, and the edges were cut at mapping bounds. */
		int more = ptc_goto(&c, start, done, &slot);

		while (more > 0) {
			if (likely(slot.kind == PT_PAGE))
				map_retire_run(s, &c);
			else
				map_retire(s, &c, false);
			more = ptc_next(&c, &slot);
		}
	}
	ptc_end(&c);
	tlb_batch_flush(&batch);
}

/* Zap what the mappings of a list show and let go of them. */
static void bury(struct space *s, struct list_head *dead, bool dying)
{
	zap_list(s, dead, dying);
	while (!list_empty(dead)) {
		struct vma *v = list_entry(dead->next, struct vma, obj_link);

		list_del(&v->obj_link);
		vma_drop_object(v);
		if (dying)
			vma_free(v);
		else
			vma_free_rcu(v);
	}
}

int space_unmap_locked(struct space *s, vaddr_t lo, vaddr_t hi)
{
	struct vma_spares spares;
	struct list_head dead;
	struct vma *v;
	int err;

	assert(rw_is_write_held(&s->lock));
	if (vma_is_sealed(s, lo, hi))
		return -EPERM;
	/* A hole in the middle makes two mappings of one. */
	v = vma_find(&s->vmas, lo);
	if (v && v->start < lo && v->end > hi && s->nr_vmas >= VMA_MAX_COUNT)
		return -ENOMEM;
	err = vma_spares_get(s, lo, hi, &spares);
	if (err)
		return err;
	vma_cut(s, lo, hi, &spares);
	list_init(&dead);
	while ((v = vma_find(&s->vmas, lo)) && v->start < hi) {
		vma_unlink(v);
		list_add_tail(&v->obj_link, &dead);
	}
	bury(s, &dead, false);
	return 0;
}

void space_unmap_all(struct space *s)
{
	struct list_head dead;

	assert(!s->users);
	list_init(&dead);
	for (struct vma *v = s->vmas.first; v; v = v->next) {
		vma_leave_object(v);
		list_add_tail(&v->obj_link, &dead);
	}
	s->vmas = (struct vma_tree){.root = RB_ROOT};
	s->nr_vmas = 0;
	s->total_pages = s->data_pages = s->stack_pages = s->locked_pages = 0;
	bury(s, &dead, true);
}

int space_unmap(struct space *s, vaddr_t addr, u64 len)
{
	int err;

	if (!IS_ALIGNED(addr, PAGE_SIZE) || !len || addr > USER_TOP || len > USER_TOP - addr)
		return -EINVAL;
	len = ALIGN_UP(len, PAGE_SIZE);
	rw_write_lock(&s->lock);
	err = space_unmap_locked(s, addr, addr + len);
	rw_write_unlock(&s->lock);
	return err;
}

/* Drop the pages of one mapping; later touches start over from the object or from zeroes. */
static int discard_pages(struct vma *v, vaddr_t lo, vaddr_t hi)
{
	struct tlb_batch batch;
	struct pt_slot slot;
	struct ptc c;
	int err;

	space_note_peak_rss(v->space);
	tlb_batch_init(&batch, &v->space->as, TLB_UNMAP);
	ptc_begin(&c, &v->space->as, lo, hi, PTC_EDIT | PTC_PRUNE, &batch);
	while ((err = ptc_next(&c, &slot)) > 0) {
		if (slot.kind == PT_PAGE)
			map_retire_run(v->space, &c);
		else
			map_retire(v->space, &c, true);
	}
	ptc_end(&c);
	return err;
}

int space_discard(struct space *s, vaddr_t addr, u64 len, bool locked_too)
{
	vaddr_t at = addr, end = addr + ALIGN_UP(len, PAGE_SIZE);
	bool hole = false;
	int err = 0;

	if (!IS_ALIGNED(addr, PAGE_SIZE) || end < addr || (len && end == addr))
		return -EINVAL;
	rw_read_lock(&s->lock);
	for (struct vma *v = vma_find(&s->vmas, at); at < end && !err; v = v->next) {
		hole |= !v || v->start > at;
		if (!v || v->start >= end)
			break;
		at = MAX(at, v->start);
		rw_read_lock(&v->lock);
		if (v->flags & VM_SEALED && !v->obj && !(v->flags & VM_WRITE))
			err = -EPERM;
		else if (v->flags & VM_LOCKED && !locked_too)
			err = -EINVAL;
		/* Faults go on meanwhile. The mark is set before an entry is stored: who has seen a page sees it. */
		else if (READ_ONCE(v->touched))
			err = discard_pages(v, at, MIN(end, v->end));
		rw_read_unlock(&v->lock);
		at = MIN(end, v->end);
	}
	rw_read_unlock(&s->lock);
	if (err)
		return err;
	return hole ? -ENOMEM : 0;
}
