/* SPDX-License-Identifier: MIT */
/* internal.h - one fault in the making, and the handler for each kind of slot. */
#pragma once

#include "mm/fault/fault.h"
#include "mm/pt/pt.h"
#include "mm/vma/vma.h"

struct fault {
	struct space *space;
	struct vma *vma; /* read-locked throughout */
	vaddr_t va;      /* page-aligned */
	unsigned access; /* FAULT_* */
};

/* fault_home - the address that a new anonymous page is told is its home: anonymous memory that was moved stays at home
 * where it was first. */
static inline vaddr_t fault_home(const struct fault *f)
{
	return f->vma->obj ? f->va : vma_page_index(f->vma, f->va) << PAGE_SHIFT;
}

/* Each handler runs with the VMA read-locked, holds nothing else on return, and answers as mm_fault. */
enum fault_result fault_anon(struct fault *);   /* HOLE in anonymous memory */
enum fault_result fault_object(struct fault *); /* HOLE in the mapping of an object */
enum fault_result fault_present(
	struct fault *); /* PAGE: spurious, accessed/dirty, or copy on write */

/* fault_install - map a page at the fault's address if its slot is a HOLE; takes the reference over
 * in any case. DONE, RETRY (it changed) or OOM (no table). */
enum fault_result fault_install(struct fault *, struct page *, unsigned bits);

/* fault_note_anon - the mapping is about to get a page of its own, whatever its object has. */
static inline void fault_note_anon(struct fault *f)
{
	if (!READ_ONCE(f->vma->has_anon))
		WRITE_ONCE(f->vma->has_anon, true);
}
