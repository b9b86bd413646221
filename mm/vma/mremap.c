/* SPDX-License-Identifier: MIT */
/*
 * mremap.c - making mappings longer, shorter, and moving them.
 *
 * A move takes the mapping out of the tree and puts it in again elsewhere; what the page tables hold goes along, entry by
 * entry, with all that it says. Nobody can fault in it meanwhile: the mapping is write-locked, and out of the tree. Its
 * object keeps its size, so a truncation meets each page at its old place or at its new one.
 *
 * Only page tables can be missing in the middle of a move. Then what has been moved goes back. That cannot fail,
 * because no table is detached before the move is over.
 *
 * MREMAP_DONTUNMAP is a move, and a new mapping in the place that was left.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include "mm/map/map.h"
#include "mm/obj/object.h"
#include "mm/vma/vma.h"

/* --- page tables ---------------------------------------------------------------------------------- */

/* What the slots of [from, from + len) hold goes to those from `to` on, which are holes. 0, or -ENOMEM after a part. */
static int move_slots(struct space *s, vaddr_t from, vaddr_t to, u64 len)
{
	struct tlb_batch batch, unused;
	struct pt_slot slot, hole;
	struct ptc src, dst;
	int err;

	tlb_batch_init(&batch, &s->as, TLB_UNMAP);
	tlb_batch_init(&unused, &s->as, TLB_UNMAP);
	ptc_begin(&src, &s->as, from, from + len, PTC_EDIT | PTC_DEFER, &batch);
	ptc_begin(&dst, &s->as, to, to, PTC_FILL | PTC_NOSLEEP, &unused);
	ptc_nest(&src, &dst);
	while ((err = ptc_next(&src, &slot)) > 0) {
		vaddr_t at = slot.va - from + to;

		err = ptc_goto(&dst, at, at + slot.size, &hole);
		if (err == -EAGAIN) {
			ptc_pause(&src);
			err = ptc_make(&dst, at, 0);
		} else if (slot.kind == PT_PAGE) {
			map_move_run(&src, &dst);
		} else {
			map_move(&src, &dst);
		}
		if (err < 0)
			break;
	}
	ptc_end(&src);
	ptc_end(&dst);
	tlb_batch_flush(&batch);
	return err;
}

/* Detach the tables that were left empty. */
static void prune_range(struct space *s, vaddr_t lo, u64 len)
{
	struct tlb_batch batch;
	struct pt_slot slot;
	struct ptc c;

	tlb_batch_init(&batch, &s->as, TLB_UNMAP);
	ptc_begin(&c, &s->as, lo, lo + len, PTC_EDIT | PTC_PRUNE, &batch);
	while (ptc_next(&c, &slot) > 0)
		;
	ptc_end(&c);
}

/* All of a range, or nothing of it. 0 or -ENOMEM */
static int move_pages(struct space *s, vaddr_t from, vaddr_t to, u64 len)
{
	int err;

	WRITE_ONCE(s->as.keep_tables, true);
	err = move_slots(s, from, to, len);
	if (err)
		BUG_ON(move_slots(s, to, from, len));
	WRITE_ONCE(s->as.keep_tables, false);
	prune_range(s, err ? to : from, len);
	return err;
}

/* --- mappings ------------------------------------------------------------------------------------- */

/* The mapping now shows at `to` what it showed, and is len bytes long. */
static void set_place(struct vma *v, vaddr_t to, u64 len)
{
	struct space *s = v->space;

	if (s->vdso - v->start < v->end - v->start)
		s->vdso += to - v->start;
	v->start = to;
	v->end = to + len;
	v->flags &= ~(VM_HEAP | VM_STACK);
	if (!v->obj && !v->has_anon)
		v->pgoff = to >> PAGE_SHIFT;
}

/* Take a mapping to a free place. 0, or -ENOMEM: it is where it was. */
static int relocate(struct vma *v, vaddr_t to, u64 len)
{
	struct space *s = v->space;
	int err = 0;

	rw_write_lock(&v->lock);
	if (v->obj)
		rw_read_lock(&v->obj->resize);
	vma_leave_tree(v);
	if (v->touched)
		err = move_pages(s, v->start, to, v->end - v->start);
	if (!err)
		set_place(v, to, len);
	vma_enter_tree(v, vma_find(&s->vmas, v->start));
	if (v->obj)
		rw_read_unlock(&v->obj->resize);
	rw_write_unlock(&v->lock);
	return err;
}

/* A mapping of the same kind as v, not yet linked, len bytes that show at start what v shows at `like`. */
static struct vma *copy_of(const struct vma *v, vaddr_t like, vaddr_t start, u64 len)
{
	struct vma *copy = vma_alloc(v->space);

	if (!copy)
		return NULL;
	copy->start = start;
	copy->end = start + len;
	copy->flags = v->flags;
	copy->obj = v->obj;
	copy->name = v->name;
	copy->pgoff = v->obj ? vma_page_index(v, like) : start >> PAGE_SHIFT;
	return copy;
}

static void link_and_merge(struct vma *v)
{
	vma_link(v, vma_find(&v->space->vmas, v->start));
	vma_merge_around(v);
}

/* Old length 0: the object is shown a second time. */
static int duplicate(struct space *s, const struct remap_request *r, vaddr_t to)
{
	const struct vma *v = vma_find(&s->vmas, r->addr);
	struct vma *copy = copy_of(v, r->addr, to, r->new_len);

	if (!copy)
		return -ENOMEM;
	link_and_merge(copy);
	return 0;
}

/* Cut [addr, addr + old_len) out and take it to a free place. */
static int move_mapping(struct space *s, const struct remap_request *r, vaddr_t to)
{
	struct vma *stay = NULL, *v = vma_find(&s->vmas, r->addr);
	struct vma_spares spares;
	int err = vma_spares_get(s, r->addr, r->addr + r->old_len, &spares);

	if (err)
		return err;
	if (r->flags & MREMAP_DONTUNMAP) {
		stay = copy_of(v, r->addr, r->addr, r->old_len);
		if (!stay) {
			vma_spares_put(&spares);
			return -ENOMEM;
		}
		stay->flags &= ~VM_LOCKS;
	}
	v = vma_cut(s, r->addr, r->addr + r->old_len, &spares);
	err = relocate(v, to, r->new_len);
	vma_merge_around(v);
	if (stay && err)
		vma_free(stay);
	else if (stay)
		link_and_merge(stay);
	return err;
}

/* --- the call --------------------------------------------------------------------------------------- */

/* May [addr, addr + old_len) become new_len bytes, wherever they lie? */
static int check_resize(const struct space *s, const struct remap_request *r)
{
	const struct vma *v = vma_find(&s->vmas, r->addr);
	u64 index;

	if (!v || v->start > r->addr)
		return -EFAULT;
	if (!r->old_len && !(v->flags & VM_SHARED))
		return -EINVAL;
	if (r->old_len > v->end - r->addr)
		return -EFAULT;
	index = vma_page_index(v, r->addr);
	if (index + (r->new_len >> PAGE_SHIFT) < index)
		return -EINVAL;
	if (!space_may_lock(s, (r->new_len - r->old_len) >> PAGE_SHIFT, v->flags))
		return -EAGAIN;
	if (!space_may_grow(s, (r->new_len - r->old_len) >> PAGE_SHIFT, v->flags))
		return -ENOMEM;
	return 0;
}

/* To a place that is free: as the request says, or wherever there is one. */
static int move_to(struct space *s, const struct remap_request *r, const struct map_request *where,
		   vaddr_t *out)
{
	struct vma_place place;
	int err;

	if (r->new_len > USER_TOP || s->nr_vmas >= VMA_MAX_COUNT - 3)
		return -ENOMEM;
	err = vma_choose_place(s, where, r->new_len, &place);
	if (err)
		return err;
	*out = place.addr;
	return r->old_len ? move_mapping(s, r, place.addr) : duplicate(s, r, place.addr);
}

/* Is what the request names the end of its mapping, with free space for the rest behind it? */
static bool can_extend(const struct vma *v, const struct remap_request *r)
{
	vaddr_t end = r->addr + r->new_len;

	if (r->addr + r->old_len != v->end || end < r->addr || end > USER_TOP)
		return false;
	return !v->next || v->next->start >= end;
}

static int grow(struct space *s, const struct remap_request *r, vaddr_t *out)
{
	struct vma *v = vma_find(&s->vmas, r->addr);
	const struct map_request anywhere = {.flags = 0};
	int err = check_resize(s, r);

	if (err)
		return err;
	if (can_extend(v, r)) {
		vma_set_bounds(v, v->start, r->addr + r->new_len);
		vma_merge_around(v);
		return 0;
	}
	return r->flags & MREMAP_MAYMOVE ? move_to(s, r, &anywhere, out) : -ENOMEM;
}

/* MREMAP_FIXED, MREMAP_DONTUNMAP: it will move. What is in the way goes first, then what is cut off. */
static int move_asked(struct space *s, struct remap_request *r, vaddr_t *out)
{
	struct map_request where = {.addr = r->new_addr};
	int err = 0;

	if (!IS_ALIGNED(r->new_addr, PAGE_SIZE) || r->new_len > USER_TOP ||
	    r->new_addr > USER_TOP - r->new_len)
		return -EINVAL;
	if (r->addr + r->old_len > r->new_addr && r->new_addr + r->new_len > r->addr)
		return -EINVAL;
	if (s->nr_vmas + 2 >= VMA_MAX_COUNT - 3)
		return -ENOMEM;
	if (r->flags & MREMAP_FIXED) {
		where.flags = MAP_FIXED;
		err = space_unmap_locked(s, r->new_addr, r->new_addr + r->new_len);
	}
	if (!err && r->old_len > r->new_len) {
		err = space_unmap_locked(s, r->addr + r->new_len, r->addr + r->old_len);
		r->old_len = r->new_len;
	}
	if (!err)
		err = check_resize(s, r);
	if (!err && r->flags & MREMAP_DONTUNMAP &&
	    !space_may_grow(s, r->old_len >> PAGE_SHIFT, vma_find(&s->vmas, r->addr)->flags))
		err = -ENOMEM;
	return err ? err : move_to(s, r, &where, out);
}

static int remap_locked(struct space *s, struct remap_request *r, vaddr_t *out)
{
	const struct vma *v = vma_find(&s->vmas, r->addr);

	if (!v || v->start > r->addr)
		return -EFAULT;
	if (v->flags & VM_SEALED)
		return -EPERM;
	*out = r->addr;
	if (r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))
		return move_asked(s, r, out);
	if (r->new_len > r->old_len)
		return grow(s, r, out);
	if (r->new_len == r->old_len)
		return 0;
	if (r->addr > USER_TOP || r->old_len > USER_TOP - r->addr)
		return -EINVAL;
	return space_unmap_locked(s, r->addr + r->new_len, r->addr + r->old_len);
}

int space_remap(struct space *s, const struct remap_request *request, vaddr_t *out)
{
	struct remap_request r = *request;
	bool moves = r.flags & MREMAP_MAYMOVE;
	int err;

	if (r.flags & MREMAP_FIXED && !moves)
		return -EINVAL;
	if (r.flags & MREMAP_DONTUNMAP && (!moves || r.old_len != r.new_len))
		return -EINVAL;
	r.old_len = ALIGN_UP(r.old_len, PAGE_SIZE);
	r.new_len = ALIGN_UP(r.new_len, PAGE_SIZE);
	if (!IS_ALIGNED(r.addr, PAGE_SIZE) || !r.new_len)
		return -EINVAL;
	rw_write_lock(&s->lock);
	err = remap_locked(s, &r, out);
	rw_write_unlock(&s->lock);
	return err;
}
