/* SPDX-License-Identifier: MIT */
/* protect.c - changing the rights of mappings: mprotect. */
#include <quire/assert.h>
#include <uapi/errno.h>
#include "mm/map/map.h"
#include "mm/vma/vma.h"

/* Bring the entries of a write-locked mapping into line with its new rights. */
static void protect_pages(struct vma *v)
{
	unsigned rights = vma_page_bits(v) & PTB_RIGHTS;
	struct tlb_batch batch;
	struct pt_slot slot;
	struct ptc c;

	tlb_batch_init(&batch, &v->space->as, TLB_PROTECT);
	ptc_begin(&c, &v->space->as, v->start, v->end, PTC_EDIT | PTC_DEFER, &batch);
	while (ptc_next(&c, &slot) > 0)
		map_protect(&c, &slot, rights, v->flags & VM_SHARED);
	ptc_end(&c);
	tlb_batch_flush(&batch);
}

/* Private memory that becomes writable counts as data. */
static void account_rights(struct vma *v, u32 old, u32 new)
{
	s64 pages = (s64)vma_pages(v);

	if (v->flags & (VM_SHARED | VM_STACK | VM_GROWSDOWN))
		return;
	if (new & ~old & VM_WRITE)
		v->space->data_pages += (u64)pages;
	else if (old & ~new &VM_WRITE)
		v->space->data_pages -= (u64)pages;
}

static void set_rights(struct vma *v, u32 rights)
{
	rw_write_lock(&v->lock);
	account_rights(v, v->flags, rights);
	v->flags = (v->flags & ~VM_RIGHTS) | rights;
	protect_pages(v);
	rw_write_unlock(&v->lock);
}

/* May these pages of the mapping get the rights? Those that the file was not opened for are withheld for
 * ever. */
static int check_rights(const struct vma *v, u64 pages, u32 rights)
{
	u32 may = (v->flags & VM_MAYREAD ? VM_READ : 0) | (v->flags & VM_MAYWRITE ? VM_WRITE : 0) |
		  (v->flags & VM_MAYEXEC ? VM_EXEC : 0);

	if (rights & ~may)
		return -EACCES;
	if (rights & ~v->flags & VM_WRITE && !(v->flags & (VM_SHARED | VM_STACK | VM_GROWSDOWN)) &&
	    v->space->data_pages + pages > v->space->limits.data >> PAGE_SHIFT)
		return -ENOMEM;
	return 0;
}

/* One mapping after the other from lo to hi; a hole or a refusal ends it, what is done stays done. */
static int protect_range(struct space *s, vaddr_t lo, vaddr_t hi, u32 rights,
			 struct vma_spares *spares)
{
	int err = 0;

	while (lo < hi) {
		struct vma *v = vma_find(&s->vmas, lo);
		vaddr_t end;

		if (!v || v->start > lo)
			return -ENOMEM;
		if (v->flags & VM_SEALED)
			return -EPERM;
		end = MIN(v->end, hi);
		err = check_rights(v, (end - lo) >> PAGE_SHIFT, rights);
		if (err)
			return err;
		if ((v->flags & VM_RIGHTS) != rights) {
			if (s->nr_vmas + (v->start < lo) + (v->end > end) > VMA_MAX_COUNT)
				return -ENOMEM;
			v = vma_cut(s, lo, end, spares);
			set_rights(v, rights);
			vma_merge_around(v);
		}
		lo = end;
	}
	return 0;
}

/* PROT_GROWSDOWN: begin where the stack that lies there begins. Nothing grows upwards here. */
static int extend_range(struct space *s, vaddr_t *lo, vaddr_t hi, unsigned prot)
{
	struct vma *v = vma_find(&s->vmas, *lo);

	if (!(prot & (PROT_GROWSDOWN | PROT_GROWSUP)))
		return 0;
	if (!v || v->start >= hi || (v->start > *lo && prot & PROT_GROWSUP))
		return -ENOMEM;
	if (prot & PROT_GROWSUP || !(v->flags & VM_GROWSDOWN))
		return -EINVAL;
	*lo = v->start;
	return 0;
}

int space_protect(struct space *s, vaddr_t addr, u64 len, unsigned prot)
{
	const unsigned both = PROT_GROWSDOWN | PROT_GROWSUP;
	vaddr_t end = addr + ALIGN_UP(len, PAGE_SIZE);
	struct vma_spares spares;
	int err;

	if ((prot & both) == both || !IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	if (!len)
		return 0;
	if (end <= addr)
		return -ENOMEM;
	if (prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM | both))
		return -EINVAL;
	rw_write_lock(&s->lock);
	err = extend_range(s, &addr, end, prot);
	if (!err)
		err = vma_spares_get(s, addr, end, &spares);
	if (!err) {
		err = protect_range(s, addr, end, vma_rights(prot), &spares);
		vma_spares_put(&spares);
	}
	rw_write_unlock(&s->lock);
	return err;
}
