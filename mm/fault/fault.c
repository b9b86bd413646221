/* SPDX-License-Identifier: MIT */
/*
 * fault.c - the driver: which mapping, is the access allowed, what is in the slot, who handles it.
 *
 *   slot     mapping     access        handler
 *   HOLE     anonymous   read          fault_anon: the zero page
 *   HOLE     anonymous   write         fault_anon: a new page
 *   HOLE     object      any           fault_object: the object's page, or a private copy of it
 *   PAGE     any         allowed       fault_present: spurious; set accessed and dirty
 *   PAGE     private     write         fault_present: reuse if exclusive or sole, else copy
 *   PAGE     shared      write         fault_present: make it writable
 *   MARK     any         any           guard: SIGSEGV; poison: SIGBUS
 *
 * What is in the slot is at first what the hardware says it found, which is nearly always so. A handler acquires what
 * it needs without locks on the page tables, and stores only if the slot is of the kind that was expected; otherwise
 * the whole fault starts over, with a look at the slot. The mapping is read-locked from the decision to the store,
 * so its rights cannot change in between.
 */
#include <quire/assert.h>
#include "kernel/trace.h"
#include "kernel/rcu.h"
#include "mm/fault/internal.h"
#include "mm/map/map.h"
#include "mm/phys/page_alloc.h"

/* The mapping of va without any space-wide lock. NULL: none, or it was changing: take the slow way. */
static struct vma *lock_vma_fast(struct space *s, vaddr_t va)
{
	struct vma *v;
	u32 seq;

	rcu_read_lock();
	v = NULL;
	if (seq_try_read_begin(&s->seq, &seq)) {
		v = vma_find_exact(&s->vmas, va);
		if (v && !rw_try_read_lock(&v->lock))
			v = NULL;
	}
	/* Asked once the lock is held: a fork that has copied this mapping keeps faults out of it. */
	if (v && (seq_read_retry(&s->seq, seq) || v->detached || va < v->start || va >= v->end)) {
		rw_read_unlock(&v->lock);
		v = NULL;
	}
	rcu_read_unlock();
	return v;
}

static struct vma *lock_vma_slow(struct space *s, vaddr_t va)
{
	struct vma *v;

	rw_read_lock(&s->lock);
	v = vma_find(&s->vmas, va);
	if (v && v->start > va)
		v = NULL;
	if (v)
		rw_read_lock(&v->lock);
	rw_read_unlock(&s->lock);
	return v;
}

/* The mapping of va, read-locked; a stack is grown to it. NULL: nothing is mapped there. */
static struct vma *lock_vma(struct space *s, vaddr_t va, unsigned access)
{
	struct vma *v = lock_vma_fast(s, va);

	if (!v)
		v = lock_vma_slow(s, va);
	while (!v && !(access & FAULT_REMOTE) && space_grow_stack(s, va) == 0)
		v = lock_vma_slow(s, va);
	return v;
}

/* What is forced must be in the mapping's power, and never shows in what others map. */
static bool allowed_by_force(const struct vma *v, unsigned access)
{
	if (access & FAULT_WRITE)
		return v->flags & VM_WRITE || (v->flags & (VM_MAYWRITE | VM_SHARED)) == VM_MAYWRITE;
	return v->flags & VM_MAYREAD;
}

static bool allowed(const struct vma *v, unsigned access)
{
	if (unlikely(access & FAULT_FORCE))
		return allowed_by_force(v, access);
	if (access & FAULT_WRITE)
		return v->flags & VM_WRITE;
	if (access & FAULT_EXEC)
		return v->flags & VM_EXEC;
	return v->flags & VM_RIGHTS;
}

static enum fault_result fault_mark(const struct fault *f)
{
	struct pt_slot slot;

	pt_peek(&f->space->as, f->va, &slot);
	if (slot.kind != PT_MARK)
		return FAULT_RETRY;
	return slot.val & MARK_GUARD ? FAULT_SEGV_MAPERR : FAULT_BUS;
}

/* The kind of slot that is expected. */
static enum pt_kind expected_kind(const struct fault *f)
{
	struct pt_slot slot;

	if (f->access & FAULT_ABSENT)
		return PT_HOLE;
	if (f->access & FAULT_PRESENT)
		return PT_PAGE;
	pt_peek(&f->space->as, f->va, &slot);
	return (enum pt_kind)slot.kind;
}

static enum fault_result handle(struct fault *f)
{
	enum pt_kind kind;

	if (!allowed(f->vma, f->access))
		return FAULT_SEGV_ACCERR;
	if (!READ_ONCE(f->vma->touched))
		WRITE_ONCE(f->vma->touched, true);
	kind = expected_kind(f);
	switch (kind) {
	case PT_HOLE:
		return f->vma->obj ? fault_object(f) : fault_anon(f);
	case PT_PAGE:
		return fault_present(f);
	case PT_MARK:
		return fault_mark(f);
	case PT_SWAP:
	case PT_MIGRATE:
	case PT_KINDS:
		break;
	}
	/* Nothing swaps or migrates in this kernel: such an entry is corruption. */
	panic("%s entry at %#lx", pt_kind_name(kind), f->va);
}

enum fault_result mm_fault(struct space *s, vaddr_t va, unsigned access)
{
	struct fault f = {.space = s, .va = ALIGN_DOWN(va, PAGE_SIZE), .access = access};
	enum fault_result r;

	do {
		f.vma = lock_vma(s, f.va, access);
		if (!f.vma)
			return FAULT_SEGV_MAPERR;
		r = handle(&f);
		rw_read_unlock(&f.vma->lock);
		f.access &= ~(FAULT_PRESENT | FAULT_ABSENT);
	} while (r == FAULT_RETRY);
	return r;
}

enum fault_result fault_install(struct fault *f, struct page *page, unsigned bits)
{
	struct tlb_batch batch;
	struct pt_slot slot;
	struct ptc c;
	int err;

	tlb_batch_init(&batch, &f->space->as, TLB_COW);
	err = ptc_begin_page(&c, &f->space->as, f->va, PTC_FILL, &batch, &slot);
	if (err > 0 && slot.kind == PT_HOLE)
		map_install(f->space, &c, page, bits);
	else
		err = err < 0 ? err : 0;
	ptc_end(&c);
	if (err > 0)
		return FAULT_DONE;
	page_put(page);
	return err < 0 ? FAULT_OOM : FAULT_RETRY;
}
