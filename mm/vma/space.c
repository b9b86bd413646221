/* SPDX-License-Identifier: MIT */
/*
 * space.c - the life of an address space: created empty, forked, emptied by its last user, freed when
 * the last CPU has unloaded its root.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include "lib/refcount.h"
#include "mm/map/map.h"
#include "mm/obj/anon.h"
#include "mm/obj/object.h"
#include "mm/phys/slab.h"
#include "mm/vma/vma.h"

static struct slab_cache *space_cache;

/* The page tables are no longer loaded anywhere. */
static void space_release(struct aspace *as)
{
	struct space *s = container_of(as, struct space, as);

	as_destroy(as);
	slab_free(space_cache, s);
}

static void join_family(struct space *s, struct family *f)
{
	s->family = f;
	spin_lock(&f->lock);
	list_add_tail(&s->family_link, &f->spaces);
	spin_unlock(&f->lock);
}

static void leave_family(struct space *s)
{
	spin_lock(&s->family->lock);
	list_del(&s->family_link);
	spin_unlock(&s->family->lock);
	family_put(s->family);
}

/* A space whose family reference is given to it. */
static int space_alloc(struct family *family, struct space **out)
{
	struct space *s = slab_alloc(space_cache, PA_ZERO);
	int err;

	if (!s)
		return -ENOMEM;
	err = as_init(&s->as, space_release);
	if (err) {
		slab_free(space_cache, s);
		return err;
	}
	rw_init(&s->lock, RANK_SPACE);
	s->users = 1;
	s->mmap_top = USER_TOP;
	s->limits =
		(struct space_limits){.as = ~0ul, .data = ~0ul, .stack = MIB(8), .memlock = MIB(8)};
	join_family(s, family);
	*out = s;
	return 0;
}

int space_create(struct space **out)
{
	struct family *family = family_create();
	int err;

	if (!family)
		return -ENOMEM;
	err = space_alloc(family, out);
	if (err)
		family_put(family);
	return err;
}

void space_get(struct space *s)
{
	__atomic_fetch_add(&s->users, 1, __ATOMIC_RELAXED);
}

bool space_try_get(struct space *s)
{
	return refcount_try_get(&s->users);
}

u64 space_rss(const struct space *s)
{
	s64 pages = READ_ONCE(s->rss[RSS_ANON]) + READ_ONCE(s->rss[RSS_FILE]);

	return (u64)MAX(pages, 0);
}

u64 space_peak_rss(const struct space *s)
{
	return MAX(READ_ONCE(s->hiwater_rss), space_rss(s));
}

void space_note_peak_rss(struct space *s)
{
	WRITE_ONCE(s->hiwater_rss, space_peak_rss(s));
}

void space_reset_peak_rss(struct space *s)
{
	WRITE_ONCE(s->hiwater_rss, space_rss(s));
}

/* Debug: every account must have returned to zero with the last page. */
static void check_accounts(const struct space *s)
{
	for (unsigned i = 0; i < RSS_KINDS; i++)
		assert(s->rss[i] == 0);
	assert(s->total_pages == 0 && s->stack_pages == 0 && s->data_pages == 0);
	assert(s->nr_vmas == 0 && s->as.nr_tables == 1);
	(void)s;
}

void space_put(struct space *s)
{
	if (__atomic_fetch_sub(&s->users, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	space_unmap_all(s);
	check_accounts(s);
	leave_family(s);
	as_put(&s->as);
}

void space_set_limits(struct space *s, const struct space_limits *limits)
{
	rw_write_lock(&s->lock);
	s->limits = *limits;
	rw_write_unlock(&s->lock);
}

bool space_may_grow(const struct space *s, u64 pages, u32 vm_flags)
{
	if (s->total_pages + pages > s->limits.as >> PAGE_SHIFT)
		return false;
	if ((vm_flags & (VM_WRITE | VM_SHARED | VM_STACK | VM_GROWSDOWN)) == VM_WRITE)
		return s->data_pages + pages <= s->limits.data >> PAGE_SHIFT;
	return true;
}

/* --- fork ----------------------------------------------------------------------------------------- */

/* A window of the parent's and inside it one of the child's, which go along over all mappings. */
struct dup {
	struct ptc src, dst;
	struct space *child;
	vaddr_t lo, hi; /* to be copied; empty: 0, 0 */
};

/* Repeat the parent's slot, and the pages behind it, in the child. 0, or -EAGAIN: the child lacks a table. */
static int dup_slot(struct dup *d, const struct pt_slot *slot)
{
	struct pt_slot hole;
	int err = ptc_goto(&d->dst, slot->va, slot->va + slot->size, &hole);

	if (err < 0)
		return err;
	if (likely(slot->kind == PT_PAGE))
		map_dup_run(&d->src, d->child, &d->dst);
	else
		map_dup(&d->src, slot, d->child, &d->dst);
	return 0;
}

/* Copy what was gathered. */
static int dup_range(struct dup *d)
{
	struct pt_slot slot;
	int err = 0;

	if (!d->hi)
		return 0;
	if (!ptc_holds(&d->src, d->lo)) {
		/* The child will need tables as well: better now than under the parent's lock. */
		ptc_pause(&d->src);
		err = ptc_supply(&d->dst);
	}
	if (!err)
		err = ptc_goto(&d->src, d->lo, d->hi, &slot);
	d->lo = d->hi = 0;
	while (err > 0) {
		err = dup_slot(d, &slot);
		if (err == -EAGAIN) {
			ptc_pause(&d->src);
			err = ptc_supply(&d->dst);
		}
		if (!err)
			err = ptc_next(&d->src, &slot);
	}
	return err;
}

/* Note this mapping's pages for copying. Neighbours become one range when there is nothing between them but holes of
 * the same table. */
static int dup_gather(struct dup *d, const struct vma *v, bool wanted)
{
	bool joins = wanted && v->start < ALIGN_UP(d->hi, PTC_TABLE_SPAN);
	int err = joins || !v->touched ? 0 : dup_range(d);

	if (wanted) {
		d->lo = d->hi ? d->lo : v->start;
		d->hi = v->end;
	}
	return err;
}

/* A mapping's copy at the end of the child's chain, still without pages. */
static int dup_vma(struct vma *v, struct space *child)
{
	struct vma *copy = v->copy = vma_alloc(child);

	if (!copy)
		return -ENOMEM;
	copy->start = v->start;
	copy->end = v->end;
	copy->flags = v->flags & ~VM_LOCKS; /* locks are not inherited */
	copy->pgoff = v->pgoff;
	copy->obj = v->obj;
	copy->name = v->name;
	vma_join_object(copy);
	vma_append(&child->vmas, copy);
	return 0;
}

/* The mappings, as a tree of the same shape. Without memory the child is left with a part of the chain. */
static int dup_mappings(struct space *parent, struct space *child)
{
	for (struct vma *v = parent->vmas.first; v; v = v->next) {
		int err = dup_vma(v, child);

		if (err)
			return err;
	}
	vma_copy_shape(&child->vmas, &parent->vmas);
	return 0;
}

/* Wait until nobody is in a fault any more. The layout's sequence count is odd, and its lock held: nobody
 * gets into another. */
static void drain_faults(struct space *s)
{
	/* Whoever comes from outside counts itself first and then looks at the sequence count; so the other way
	 * round here. */
	smp_mb();
	if (atomic_load_acquire(&s->users) == 1)
		return; /* the only thread is here */
	for (struct vma *v = s->vmas.first; v; v = v->next) {
		rw_write_lock(&v->lock);
		rw_write_unlock(&v->lock);
	}
}

/* Copy the pages of every private mapping as of one moment, the final flush: what other threads of the parent
 * stored before it reaches the child, through writable entries or stale ones, and later stores wait until
 * we are done. So nothing may fault in a mapping that has been copied while others have not: the
 * slow way in waits for the space lock, and the odd sequence count closes the fast one. */
static int dup_pages(struct space *parent, struct space *child)
{
	struct tlb_batch src_batch, dst_batch;
	struct dup d;
	int err = 0;

	d.child = child;
	d.lo = d.hi = 0;
	tlb_batch_init(&src_batch, &parent->as, TLB_FORK);
	tlb_batch_init(&dst_batch, &child->as, TLB_FORK);
	seq_write_begin(&parent->seq);
	drain_faults(parent);
	ptc_begin(&d.src, &parent->as, 0, 0, PTC_EDIT | PTC_DEFER | PTC_STAY, &src_batch);
	ptc_begin(&d.dst, &child->as, 0, 0, PTC_FILL | PTC_NOSLEEP, &dst_batch);
	ptc_nest(&d.src, &d.dst);
	for (struct vma *v = parent->vmas.first; v && !err; v = v->next) {
		struct vma *copy = v->copy;

		copy->has_anon = v->has_anon && !(v->flags & VM_WIPEONFORK);
		copy->touched = v->touched &&
				!(v->flags & (VM_SHARED | VM_WIPEONFORK | VM_DONTFORK)) &&
				(!v->obj || v->has_anon);
		err = dup_gather(&d, v, copy->touched);
	}
	if (!err)
		err = dup_range(&d);
	ptc_end(&d.src);
	ptc_end(&d.dst);
	tlb_batch_flush(&src_batch);
	seq_write_end(&parent->seq);
	return err;
}

/* What the parent keeps for itself. Its pages were not copied. */
static void drop_unwanted(struct space *child)
{
	struct vma *v = child->vmas.first, *next;

	for (; v; v = next) {
		next = v->next;
		if (!(v->flags & VM_DONTFORK))
			continue;
		vma_unlink(v);
		vma_drop_object(v);
		vma_free_rcu(v);
	}
}

static void copy_layout(struct space *from, struct space *to)
{
	to->mmap_top = from->mmap_top;
	to->brk_start = from->brk_start;
	to->brk = from->brk;
	to->stack_top = from->stack_top;
	to->vdso = from->vdso;
	to->arg_start = from->arg_start;
	to->arg_end = from->arg_end;
	to->env_start = from->env_start;
	to->env_end = from->env_end;
	to->program = from->program;
	to->limits = from->limits;
	to->fork_advice = from->fork_advice;
	to->barriers = READ_ONCE(from->barriers);
	to->nr_vmas = from->nr_vmas;
	to->total_pages = to->peak_pages = from->total_pages;
	to->data_pages = from->data_pages;
	to->stack_pages = from->stack_pages;
}

int space_fork(struct space *parent, struct space **out)
{
	struct space *child;
	int err;

	family_get(parent->family);
	err = space_alloc(parent->family, &child);
	if (err) {
		family_put(parent->family);
		return err;
	}
	rw_write_lock(&parent->lock);
	rw_write_lock_nested(&child->lock);
	copy_layout(parent, child);
	err = dup_mappings(parent, child);
	if (!err)
		err = dup_pages(parent, child);
	if (!err && unlikely(parent->fork_advice))
		drop_unwanted(child);
	rw_write_unlock(&child->lock);
	rw_write_unlock(&parent->lock);
	if (err) {
		space_put(child);
		return err;
	}
	*out = child;
	return 0;
}

void space_init(void)
{
	space_cache = slab_cache_create("space", sizeof(struct space), 0, false);
	vma_init();
}
