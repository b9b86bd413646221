/* SPDX-License-Identifier: MIT */
/*
 * vma.c - one mapping: its memory, its links and accounts, cutting and joining.
 *
 * Whoever changes a field that a fault reads holds the VMA's lock for writing at that moment, which
 * waits until no fault is inside. Lockless lookups may find a mapping at any time; they take its
 * lock, and then see `detached` or the new bounds.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include "mm/obj/object.h"
#include "mm/phys/slab.h"
#include "mm/pt/slot.h"
#include "mm/vma/vma.h"

static struct slab_cache *vma_cache;

void vma_init(void)
{
	vma_cache = slab_cache_create("vma", sizeof(struct vma), 0, false);
}

struct vma *vma_alloc(struct space *space)
{
	struct vma *v = slab_alloc(vma_cache, 0);

	if (!v)
		return NULL;
	v->flags = 0;
	v->detached = v->has_anon = v->touched = false;
	v->space = space;
	v->obj = NULL;
	v->name = NULL;
	v->pgoff = 0;
	rw_init(&v->lock, RANK_VMA);
	list_init(&v->obj_link);
	return v;
}

void vma_free(struct vma *v)
{
	if (v)
		slab_free(vma_cache, v);
}

static ALWAYS_INLINE void hold_object(const struct vma *v)
{
	if (v->obj)
		object_get(v->obj);
	if (v->name)
		v->obj->ops->name_get(v->name);
}

void vma_hold_object(const struct vma *v)
{
	hold_object(v);
}

void vma_drop_object(struct vma *v)
{
	if (v->name)
		v->obj->ops->name_put(v->name);
	if (v->obj)
		object_put(v->obj);
}

static void free_after_readers(struct rcu_head *head)
{
	vma_free(container_of(head, struct vma, rcu));
}

void vma_free_rcu(struct vma *v)
{
	rcu_call(&v->rcu, free_after_readers);
}

/* --- links and accounts --------------------------------------------------------------------------- */

static ALWAYS_INLINE void account(const struct vma *v, s64 pages)
{
	struct space *s = v->space;

	s->total_pages += (u64)pages;
	if (unlikely(v->flags & VM_LOCKED))
		s->locked_pages += (u64)pages;
	s->peak_pages = MAX(s->peak_pages, s->total_pages);
	if (v->flags & (VM_STACK | VM_GROWSDOWN))
		s->stack_pages += (u64)pages;
	else if ((v->flags & (VM_WRITE | VM_SHARED)) == VM_WRITE)
		s->data_pages += (u64)pages;
}

void vma_join_object(struct vma *v)
{
	if (!v->obj || !list_empty(&v->obj_link))
		return;
	hold_object(v);
	spin_lock(&v->obj->vmas_lock);
	list_add_tail(&v->obj_link, &v->obj->vmas);
	spin_unlock(&v->obj->vmas_lock);
}

void vma_leave_object(struct vma *v)
{
	if (!v->obj)
		return;
	spin_lock(&v->obj->vmas_lock);
	list_del(&v->obj_link);
	spin_unlock(&v->obj->vmas_lock);
}

void vma_enter_tree(struct vma *v, struct vma *next)
{
	struct space *s = v->space;

	assert(rw_is_write_held(&s->lock));
	seq_write_begin(&s->seq);
	vma_insert(&s->vmas, v, next);
	seq_write_end(&s->seq);
	s->nr_vmas++;
	account(v, (s64)vma_pages(v));
}

void vma_leave_tree(struct vma *v)
{
	struct space *s = v->space;

	assert(rw_is_write_held(&s->lock));
	seq_write_begin(&s->seq);
	vma_remove(&s->vmas, v);
	seq_write_end(&s->seq);
	s->nr_vmas--;
	account(v, -(s64)vma_pages(v));
}

void vma_link(struct vma *v, struct vma *next)
{
	/* Before there can be a fault: a truncation that walks the object's list must miss no page. */
	vma_join_object(v);
	vma_enter_tree(v, next);
}

static void unlink_from_space(struct vma *v)
{
	rw_write_lock(&v->lock);
	v->detached = true;
	rw_write_unlock(&v->lock);
	vma_leave_tree(v);
}

void vma_unlink(struct vma *v)
{
	unlink_from_space(v);
	vma_leave_object(v);
}

void vma_set_bounds(struct vma *v, vaddr_t start, vaddr_t end)
{
	struct space *s = v->space;

	rw_write_lock(&v->lock);
	account(v, -(s64)vma_pages(v));
	if (v->obj) /* a truncation works out from start and pgoff which pages have to go */
		spin_lock(&v->obj->vmas_lock);
	seq_write_begin(&s->seq);
	v->pgoff += (u64)((s64)(start - v->start) >> PAGE_SHIFT); /* it may grow downwards */
	vma_resize(v, start, end);
	seq_write_end(&s->seq);
	if (v->obj)
		spin_unlock(&v->obj->vmas_lock);
	account(v, (s64)vma_pages(v));
	rw_write_unlock(&v->lock);
}

/* --- cutting and joining -------------------------------------------------------------------------- */

void vma_split(struct vma *v, vaddr_t addr, struct vma *upper)
{
	assert(addr > v->start && addr < v->end);
	upper->start = addr;
	upper->end = v->end;
	upper->flags = v->flags;
	upper->pgoff = vma_page_index(v, addr);
	upper->obj = v->obj;
	upper->name = v->name;
	/* First both, then one: a truncation that walks the object's list must miss no page. */
	vma_join_object(upper);
	vma_set_bounds(v, v->start, addr);
	/* Now, because a fault in the upper part may have been under way until the bounds changed. */
	upper->has_anon = READ_ONCE(v->has_anon);
	upper->touched = READ_ONCE(v->touched);
	vma_link(upper, v->next);
}

static ALWAYS_INLINE bool continues(const struct vma *low, const struct vma *high)
{
	return low->end == high->start && low->flags == high->flags && low->obj == high->obj &&
	       low->name == high->name && vma_page_index(low, low->end) == high->pgoff;
}

/* Join high into low. The pages stay where they are: only the bounds change. */
static void merge_pair(struct vma *low, struct vma *high)
{
	vaddr_t end = high->end;

	unlink_from_space(high); /* the last fault in it is over */
	if (READ_ONCE(high->has_anon))
		WRITE_ONCE(low->has_anon, true);
	if (READ_ONCE(high->touched))
		WRITE_ONCE(low->touched, true);
	vma_set_bounds(low, low->start, end);
	vma_leave_object(high);
	vma_drop_object(high);
	vma_free_rcu(high);
}

bool vma_extend(struct space *s, const struct vma *v, struct vma *next)
{
	struct vma *prev = vma_below(&s->vmas, next);
	bool low = prev && continues(prev, v), high = next && continues(v, next);

	if (low)
		vma_set_bounds(prev, prev->start, v->end);
	else if (high)
		vma_set_bounds(next, v->start, next->end);
	if (low && high)
		merge_pair(prev, next);
	return low || high;
}

struct vma *vma_merge_around(struct vma *v)
{
	struct vma *prev = v->prev, *next = v->next;

	if (next && continues(v, next))
		merge_pair(v, next);
	if (prev && continues(prev, v)) {
		merge_pair(prev, v);
		return prev;
	}
	return v;
}

/* find_from - as vma_find, when v is what it gave for an address not above va. */
static struct vma *find_from(const struct space *s, struct vma *v, vaddr_t va)
{
	return !v || v->end > va ? v : vma_find(&s->vmas, va);
}

static bool needs_cut(const struct vma *v, vaddr_t at)
{
	return v && v->start < at;
}

int vma_spares_get(struct space *space, vaddr_t lo, vaddr_t hi, struct vma_spares *s)
{
	struct vma *first = vma_find(&space->vmas, lo);
	bool cuts[2] = {needs_cut(first, lo), needs_cut(find_from(space, first, hi), hi)};

	for (unsigned i = 0; i < 2; i++)
		s->v[i] = cuts[i] ? vma_alloc(space) : NULL;
	if (!!s->v[0] == cuts[0] && !!s->v[1] == cuts[1])
		return 0;
	vma_spares_put(s);
	return -ENOMEM;
}

void vma_spares_put(struct vma_spares *s)
{
	vma_free(s->v[0]);
	vma_free(s->v[1]);
	s->v[0] = s->v[1] = NULL;
}

/* The mapping that begins at addr now, if v reaches beyond it. */
static struct vma *cut_at(struct vma *v, vaddr_t addr, struct vma **spare)
{
	struct vma *upper = *spare;

	if (!needs_cut(v, addr))
		return v;
	vma_split(v, addr, upper);
	*spare = NULL;
	return upper;
}

struct vma *vma_cut(struct space *space, vaddr_t lo, vaddr_t hi, struct vma_spares *s)
{
	struct vma *first = cut_at(vma_find(&space->vmas, lo), lo, &s->v[0]);

	cut_at(find_from(space, first, hi), hi, &s->v[1]);
	return first;
}

unsigned vma_page_bits(const struct vma *v)
{
	unsigned bits = PTB_USER | PTB_ACCESSED;

	if (v->flags & VM_RIGHTS)
		bits |= PTB_READ;
	if (v->flags & VM_WRITE)
		bits |= PTB_WRITE;
	if (v->flags & VM_EXEC)
		bits |= PTB_EXEC;
	return bits;
}
