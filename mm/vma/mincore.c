/* SPDX-License-Identifier: MIT */
/* mincore.c - what of a range is in memory, and whether all of it is mapped: mincore, msync. They change nothing. */
#include <uapi/errno.h>
#include "lib/string.h"
#include "mm/obj/object.h"
#include "mm/pt/pt.h"
#include "mm/vma/vma.h"

/* Pages that the object has count, mapped or not. */
static void note_object(const struct vma *v, vaddr_t lo, vaddr_t hi, u8 *vec)
{
	u64 first = vma_page_index(v, lo), end = first + ((hi - lo) >> PAGE_SHIFT), at = first;

	while ((at = object_next_page(v->obj, at, end)) < end)
		vec[at++ - first] = 1;
}

static void note_entries(struct space *s, vaddr_t lo, vaddr_t hi, u8 *vec)
{
	struct pt_slot slot;
	struct ptc c;

	ptc_begin(&c, &s->as, lo, hi, PTC_READ, NULL);
	while (ptc_next(&c, &slot) > 0) {
		vaddr_t from = MAX(slot.va, lo), to = MIN(slot.va + slot.size, hi);

		if (slot.kind == PT_PAGE)
			memset(vec + ((from - lo) >> PAGE_SHIFT), 1, (to - from) >> PAGE_SHIFT);
	}
	ptc_end(&c);
}

int space_resident(struct space *s, vaddr_t lo, vaddr_t hi, u8 *vec)
{
	int err = 0;

	memset(vec, 0, (hi - lo) >> PAGE_SHIFT);
	rw_read_lock(&s->lock);
	for (const struct vma *v = vma_find(&s->vmas, lo); lo < hi; v = v->next) {
		vaddr_t end;

		if (!v || v->start > lo) {
			err = -ENOMEM;
			break;
		}
		end = MIN(v->end, hi);
		if (v->obj)
			note_object(v, lo, end, vec);
		note_entries(s, lo, end, vec);
		vec += (end - lo) >> PAGE_SHIFT;
		lo = end;
	}
	rw_read_unlock(&s->lock);
	return err;
}

int space_sync(struct space *s, vaddr_t lo, vaddr_t hi, unsigned flags)
{
	int err = 0;

	rw_read_lock(&s->lock);
	for (const struct vma *v = vma_find(&s->vmas, lo); lo < hi; v = v->next) {
		if (!v || v->start > lo)
			err = -ENOMEM;
		if (!v || v->start >= hi || (err && flags == MS_ASYNC))
			break;
		if (flags & MS_INVALIDATE && v->flags & VM_LOCKED) {
			err = -EBUSY;
			break;
		}
		lo = v->end;
	}
	rw_read_unlock(&s->lock);
	return err;
}
