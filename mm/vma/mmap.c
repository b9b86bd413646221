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
	u32 f = vma_rights(r->prot) | r->vm_flags | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;

	f |= (r->flags & MAP_TYPE) == MAP_PRIVATE ? 0 : VM_SHARED;
	f |= r->flags & MAP_GROWSDOWN ? VM_GROWSDOWN : 0;
	f |= r->flags & MAP_NORESERVE ? VM_NORESERVE : 0;
	f |= r->flags & MAP_LOCKED ? VM_LOCKED : 0;
	return f & ~r->may;
}

int space_check_fixed(vaddr_t addr, u64 len)
{
	if (addr > USER_TOP - len)
		return -ENOMEM;
	if (!IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	return addr < MMAP_MIN_ADDR ? -EPERM : 0;
}

static bool overlaps(const struct vma_place *p, u64 len)
{
	return p->next && p->next->start < p->addr + len;
}

/* A hint is followed only where a search could have led, too: not into the gap below a stack. */
static bool hint_fits(const struct vma *next, vaddr_t hint, u64 len, vaddr_t below)
{
	return len <= below && hint <= below - len &&
	       (!next || vma_guarded_start(next) >= hint + len);
}

static int fixed_place(const struct space *s, const struct map_request *r, u64 len,
		       struct vma_place *out)
{
	int err = space_check_fixed(r->addr, len);

	if (err)
		return err;
	out->addr = r->addr;
	out->next = vma_find(&s->vmas, r->addr);
	return r->flags & MAP_FIXED_NOREPLACE && overlaps(out, len) ? -EEXIST : 0;
}

int vma_choose_place(const struct space *s, const struct map_request *r, u64 len,
		     struct vma_place *out)
{
	vaddr_t hint = ALIGN_DOWN(r->addr, PAGE_SIZE);

	if (r->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
		return fixed_place(s, r, len, out);
	if (hint) {
		out->addr = MAX(hint, MMAP_MIN_ADDR);
		out->next = vma_find(&s->vmas, out->addr);
		if (hint_fits(out->next, out->addr, len, r->below ? r->below : USER_TOP))
			return 0;
	}
	out->addr = vma_gap(&s->vmas, len, MMAP_MIN_ADDR, r->below ? r->below : s->mmap_top,
			    &out->next);
	if (!out->addr && !r->below) /* above the usual area, beside the stack, there may be room */
		out->addr = vma_gap(&s->vmas, len, MMAP_MIN_ADDR, USER_TOP, &out->next);
	return out->addr ? 0 : -ENOMEM;
}

/* May the mapping be made, after what it replaces has gone? */
static bool has_room(const struct space *s, const struct vma *v, const struct vma_place *p, u64 len)
{
	u64 pages = len >> PAGE_SHIFT;
	vaddr_t addr = p->addr;

	for (const struct vma *old = p->next; old && old->start < addr + len; old = old->next)
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

/* What a fixed mapping replaces. 0 or -ENOMEM. */
static int clear_place(struct space *s, struct vma_place *p, u64 len)
{
	int err = space_unmap_locked(s, p->addr, p->addr + len);

	if (!err)
		p->next = vma_find(&s->vmas, p->addr);
	return err;
}

/* Put the mapping in, or make a neighbour longer and give up v. */
static void commit(struct space *s, struct vma *v, const struct vma_place *p, u64 len)
{
	v->start = p->addr;
	v->end = p->addr + len;
	if (!v->obj)
		v->pgoff = p->addr >> PAGE_SHIFT;
	if (vma_extend(s, v, p->next)) {
		vma_free(v);
		return;
	}
	vma_link(v, p->next);
}

/* map_locked - the place is cleared in the last step that can fail. */
static int map_locked(struct space *s, const struct map_request *r, struct vma *v, u64 len,
		      vaddr_t *out)
{
	struct vma_place place;
	int err = vma_choose_place(s, r, len, &place);

	v->flags |= s->future_locks;
	if (!err && !space_may_lock(s, len >> PAGE_SHIFT, v->flags))
		err = -EAGAIN;
	if (!err && !has_room(s, v, &place, len))
		err = -ENOMEM;
	if (!err && overlaps(&place, len))
		err = clear_place(s, &place, len);
	if (err)
		return err;
	commit(s, v, &place, len);
	*out = place.addr;
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
	if (r->flags & MAP_LOCKED)
		s->lock_unlimited = r->lock_unlimited;
	err = map_locked(s, r, v, len, out);
	rw_write_unlock(&s->lock);
	if (err)
		vma_free(v);
	return err;
}
