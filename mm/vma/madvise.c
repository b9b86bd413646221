/* SPDX-License-Identifier: MIT */
/*
 * madvise.c - advice that is remembered as flags of mappings (what fork does with them, how they will be read), and seals:
 * mappings that nobody may take away or change any more.
 */
#include <uapi/errno.h>
#include "mm/vma/vma.h"

bool vma_is_sealed(const struct space *s, vaddr_t lo, vaddr_t hi)
{
	for (const struct vma *v = vma_find(&s->vmas, lo); v && v->start < hi; v = v->next)
		if (v->flags & VM_SEALED)
			return true;
	return false;
}

/* Make [lo, hi), which lies inside one mapping, a mapping with these flags. 0 or -ENOMEM */
static int set_flags(struct space *s, vaddr_t lo, vaddr_t hi, u32 flags, struct vma_spares *spares)
{
	struct vma *v = vma_find(&s->vmas, lo);

	if (v->flags == flags)
		return 0;
	if (s->nr_vmas + (v->start < lo) + (v->end > hi) > VMA_MAX_COUNT)
		return -ENOMEM;
	v = vma_cut(s, lo, hi, spares);
	rw_write_lock(&v->lock);
	v->flags = flags;
	rw_write_unlock(&v->lock);
	vma_merge_around(v);
	return 0;
}

/* All mappings from lo to hi; holes are passed over, and make it -ENOMEM in the end. */
static int change_range(struct space *s, vaddr_t lo, vaddr_t hi, const struct vma_advice *a)
{
	struct vma_spares spares;
	int err = vma_spares_get(s, lo, hi, &spares);
	bool hole = false;

	if (err)
		return err;
	while (lo < hi && !err) {
		struct vma *v = vma_find(&s->vmas, lo);

		hole |= !v || v->start > lo;
		if (!v || v->start >= hi)
			break;
		lo = MAX(lo, v->start);
		vaddr_t end = MIN(v->end, hi);

		if (a->private_only && (v->obj || v->flags & VM_SHARED))
			err = -EINVAL;
		else
			err = set_flags(s, lo, end, (v->flags & ~a->clear) | a->set, &spares);
		lo = end;
	}
	vma_spares_put(&spares);
	return err ? err : hole ? -ENOMEM : 0;
}

int space_advise(struct space *s, vaddr_t lo, vaddr_t hi, const struct vma_advice *a)
{
	int err;

	rw_write_lock(&s->lock);
	s->fork_advice |= !!(a->set & (VM_DONTFORK | VM_WIPEONFORK));
	err = change_range(s, lo, hi, a);
	rw_write_unlock(&s->lock);
	return err;
}

/* Is user memory without a hole from lo to hi? */
static bool is_whole(const struct space *s, vaddr_t lo, vaddr_t hi)
{
	for (const struct vma *v = vma_find(&s->vmas, lo); lo < hi; v = v->next) {
		if (!v || v->start > lo)
			return false;
		lo = v->end;
	}
	return true;
}

int space_seal(struct space *s, vaddr_t lo, vaddr_t hi)
{
	const struct vma_advice seal = {.set = VM_SEALED};
	int err = -ENOMEM;

	rw_write_lock(&s->lock);
	if (is_whole(s, lo, hi))
		err = change_range(s, lo, hi, &seal);
	rw_write_unlock(&s->lock);
	return err;
}
