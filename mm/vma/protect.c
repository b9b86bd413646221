/* SPDX-License-Identifier: MIT */
/* protect.c - changing the rights of mappings: mprotect. */
#include <quire/assert.h>
#include <uapi/errno.h>
#include "mm/map/map.h"
#include "mm/vma/vma.h"

static u32 rights_of(unsigned prot)
{
	return (prot & PROT_READ ? VM_READ : 0) | (prot & PROT_WRITE ? VM_WRITE : 0) |
	       (prot & PROT_EXEC ? VM_EXEC : 0);
}

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

/* May this mapping get the rights? Those that the file was not opened for are withheld for ever. */
static int check_rights(const struct vma *v, u32 rights)
{
	u32 may = (v->flags & VM_MAYREAD ? VM_READ : 0) | (v->flags & VM_MAYWRITE ? VM_WRITE : 0) |
		  (v->flags & VM_MAYEXEC ? VM_EXEC : 0);

	if (rights & ~may)
		return -EACCES;
	if (rights & ~v->flags & VM_WRITE && !(v->flags & (VM_SHARED | VM_STACK | VM_GROWSDOWN)) &&
	    v->space->data_pages + vma_pages(v) > v->space->limits.data >> PAGE_SHIFT)
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
		err = check_rights(v, rights);
		if (err)
			return err;
		end = MIN(v->end, hi);
		if ((v->flags & VM_RIGHTS) != rights) {
			vma_cut(s, lo, end, spares);
			v = vma_find(&s->vmas, lo);
			set_rights(v, rights);
			vma_merge_around(v);
		}
		lo = end;
	}
	return 0;
}

int space_protect(struct space *s, vaddr_t addr, u64 len, unsigned prot)
{
	struct vma_spares spares;
	vaddr_t end = addr + ALIGN_UP(len, PAGE_SIZE);
	int err;

	if (!IS_ALIGNED(addr, PAGE_SIZE) || prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC))
		return -EINVAL;
	if (!len)
		return 0;
	if (end <= addr || end > USER_TOP)
		return -ENOMEM;
	err = vma_spares_get(s, &spares);
	if (err)
		return err;
	rw_write_lock(&s->lock);
	if (s->nr_vmas + 2 > VMA_MAX_COUNT)
		err = -ENOMEM;
	else
		err = protect_range(s, addr, end, rights_of(prot), &spares);
	rw_write_unlock(&s->lock);
	vma_spares_put(&spares);
	return err;
}
