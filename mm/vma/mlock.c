/* SPDX-License-Identifier: MIT */
/*
 * mlock.c - memory that is to stay: mlock and its relatives.
 *
 * Nothing takes a page away from a process here, so a lock is a flag of the mapping, an account, and a limit. What makes
 * it felt is the caller's next step: all pages of a locked mapping are made present (space_next_locked tells which).
 * CAP_IPC_LOCK lifts the limit for what is locked later, too: stacks that grow, memory under MCL_FUTURE.
 */
#include <uapi/errno.h>
#include "mm/vma/vma.h"

bool space_may_lock(const struct space *s, u64 pages, u32 vm_flags)
{
	if (!(vm_flags & VM_LOCKED) || s->lock_unlimited)
		return true;
	return s->locked_pages + pages <= s->limits.memlock >> PAGE_SHIFT;
}

static void set_locks(struct vma *v, u32 locks)
{
	s64 pages = (s64)vma_pages(v);

	rw_write_lock(&v->lock);
	if (v->flags & VM_LOCKED)
		v->space->locked_pages -= (u64)pages;
	v->flags = (v->flags & ~VM_LOCKS) | locks;
	if (locks)
		v->space->locked_pages += (u64)pages;
	rw_write_unlock(&v->lock);
}

/* One mapping after the other; a hole ends it, what is done stays done. */
static int lock_range(struct space *s, vaddr_t lo, vaddr_t hi, u32 locks, struct vma_spares *spares)
{
	while (lo < hi) {
		struct vma *v = vma_find(&s->vmas, lo);
		vaddr_t end;

		if (!v || v->start > lo)
			return -ENOMEM;
		end = MIN(v->end, hi);
		if ((v->flags & VM_LOCKS) != locks) {
			if (s->nr_vmas + (v->start < lo) + (v->end > end) > VMA_MAX_COUNT)
				return -ENOMEM;
			v = vma_cut(s, lo, end, spares);
			set_locks(v, locks);
			vma_merge_around(v);
		}
		lo = end;
	}
	return 0;
}

/* How many pages of a range are locked. */
static u64 locked_in(const struct space *s, vaddr_t lo, vaddr_t hi)
{
	u64 bytes = 0;

	for (const struct vma *v = vma_find(&s->vmas, lo); v && v->start < hi; v = v->next)
		if (v->flags & VM_LOCKED)
			bytes += MIN(v->end, hi) - MAX(v->start, lo);
	return bytes >> PAGE_SHIFT;
}

static int lock_locked(struct space *s, vaddr_t lo, vaddr_t hi, u32 locks)
{
	struct vma_spares spares;
	int err;

	if (locks && !space_may_lock(s, ((hi - lo) >> PAGE_SHIFT) - locked_in(s, lo, hi), locks))
		return -ENOMEM;
	if (hi < lo)
		return -EINVAL;
	err = vma_spares_get(s, lo, hi, &spares);
	if (!err) {
		err = lock_range(s, lo, hi, locks, &spares);
		vma_spares_put(&spares);
	}
	return err;
}

int space_lock(struct space *s, vaddr_t addr, u64 len, u32 locks, bool unlimited)
{
	vaddr_t lo = ALIGN_DOWN(addr, PAGE_SIZE);
	int err;

	len = ALIGN_UP(len + (addr - lo), PAGE_SIZE);
	rw_write_lock(&s->lock);
	if (locks)
		s->lock_unlimited = unlimited;
	err = lock_locked(s, lo, lo + len, locks);
	rw_write_unlock(&s->lock);
	return err;
}

int space_lock_all(struct space *s, bool now, u32 locks, u32 future, bool unlimited)
{
	int err = 0;

	rw_write_lock(&s->lock);
	if (locks | future)
		s->lock_unlimited = unlimited;
	if (now && locks && !unlimited && s->total_pages > s->limits.memlock >> PAGE_SHIFT)
		err = -ENOMEM;
	else
		s->future_locks = future;
	for (struct vma *v = s->vmas.first; v && now && !err; v = v->next) {
		if ((v->flags & VM_LOCKS) != locks)
			set_locks(v, locks);
		v = vma_merge_around(v);
	}
	rw_write_unlock(&s->lock);
	return err;
}

bool space_next_locked(struct space *s, vaddr_t *lo, vaddr_t *hi, bool *write)
{
	struct vma *v;
	bool found;

	rw_read_lock(&s->lock);
	v = vma_find(&s->vmas, *lo);
	while (v && (v->flags & VM_LOCKS) != VM_LOCKED)
		v = v->next;
	found = *lo < *hi && v && v->start < *hi;
	if (found) {
		*lo = MAX(*lo, v->start);
		*hi = MIN(*hi, v->end);
		*write = (v->flags & (VM_WRITE | VM_SHARED)) == VM_WRITE;
	}
	rw_read_unlock(&s->lock);
	return found;
}
