/* SPDX-License-Identifier: MIT */
/*
 * mmap.c - making mappings: check everything, find the place, acquire what is needed, then commit.
 * Nothing of the old layout is touched before the last step that can fail.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include "mm/obj/object.h"
#include "mm/vma/vma.h"

static u32 flags_of(const struct map_request *r)
{
	u32 f = r->vm_flags | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;

	f |= r->prot & PROT_READ ? VM_READ : 0;
	f |= r->prot & PROT_WRITE ? VM_WRITE : 0;
	f |= r->prot & PROT_EXEC ? VM_EXEC : 0;
	f |= (r->flags & MAP_TYPE) == MAP_PRIVATE ? 0 : VM_SHARED;
	f |= r->flags & MAP_GROWSDOWN ? VM_GROWSDOWN : 0;
	f |= r->flags & MAP_NORESERVE ? VM_NORESERVE : 0;
	return f & ~r->may;
}

static bool is_free(const struct space *s, vaddr_t addr, u64 len)
{
	struct vma *v = vma_find(&s->vmas, addr);

	return !v || v->start >= addr + len;
}

int space_check_fixed(vaddr_t addr, u64 len)
{
	if (addr > USER_TOP - len)
		return -ENOMEM;
	if (!IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	return addr < MMAP_MIN_ADDR ? -EPERM : 0;
}

/* A hint is followed only where a search could have led, too: not into the gap below a stack. */
static bool hint_fits(const struct space *s, vaddr_t hint, u64 len, vaddr_t below)
{
	struct vma *v = vma_find(&s->vmas, hint);

	return hint && len <= below && hint <= below - len &&
	       (!v || vma_guarded_start(v) >= hint + len);
}

/* Where the mapping goes: the fixed place, the hint if it is free, or the highest gap. */
static int choose_place(const struct space *s, const struct map_request *r, u64 len, vaddr_t *out)
{
	vaddr_t hint = ALIGN_DOWN(r->addr, PAGE_SIZE);

	if (r->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		int err = space_check_fixed(r->addr, len);

		if (!err && r->flags & MAP_FIXED_NOREPLACE && !is_free(s, r->addr, len))
			err = -EEXIST;
		*out = r->addr;
		return err;
	}
	if (hint)
		hint = MAX(hint, MMAP_MIN_ADDR);
	if (hint_fits(s, hint, len, r->below ? r->below : USER_TOP)) {
		*out = hint;
		return 0;
	}
	*out = vma_gap(&s->vmas, len, MMAP_MIN_ADDR, r->below ? r->below : s->mmap_top);
	if (!*out && !r->below) /* above the usual area, beside the stack, there may be room left */
		*out = vma_gap(&s->vmas, len, MMAP_MIN_ADDR, USER_TOP);
	return *out ? 0 : -ENOMEM;
}

/* May the mapping be made, after what it replaces has gone? */
static bool has_room(const struct space *s, const struct vma *v, vaddr_t addr, u64 len)
{
	u64 pages = len >> PAGE_SHIFT;

	for (struct vma *old = vma_find(&s->vmas, addr); old && old->start < addr + len;
	     old = vma_next(old))
		pages -= (MIN(old->end, addr + len) - MAX(old->start, addr)) >> PAGE_SHIFT;
	return s->nr_vmas < VMA_MAX_COUNT && space_may_grow(s, pages, v->flags);
}

static struct vma *make_vma(struct space *s, const struct map_request *r)
{
	struct vma *v = vma_alloc(s);

	if (!v)
		return NULL;
	v->flags = flags_of(r);
	v->obj = r->obj;
	v->name = r->name;
	v->pgoff = r->pgoff;
	return v;
}

/* Put the mapping in. What a fixed mapping replaces goes first; nothing fails after that. 0 or -ENOMEM. */
static int commit(struct space *s, struct vma *v, vaddr_t addr, u64 len)
{
	int err = is_free(s, addr, len) ? 0 : space_unmap_locked(s, addr, addr + len);

	if (err)
		return err;
	v->start = addr;
	v->end = addr + len;
	if (!v->obj)
		v->pgoff = addr >> PAGE_SHIFT;
	vma_hold_object(v);
	vma_link(v);
	vma_merge_around(v);
	return 0;
}

int space_map(struct space *s, const struct map_request *r, vaddr_t *out)
{
	u64 len = ALIGN_UP(r->len, PAGE_SIZE);
	struct vma *v;
	int err;

	if (!r->len)
		return -EINVAL;
	if (!len || len > USER_TOP)
		return -ENOMEM;
	v = make_vma(s, r);
	if (!v)
		return -ENOMEM;
	rw_write_lock(&s->lock);
	err = choose_place(s, r, len, out);
	if (!err && !has_room(s, v, *out, len))
		err = -ENOMEM;
	if (!err)
		err = commit(s, v, *out, len);
	rw_write_unlock(&s->lock);
	if (err)
		vma_free(v);
	return err;
}
