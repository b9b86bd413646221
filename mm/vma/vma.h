/* SPDX-License-Identifier: MIT */
/*
 * vma.h - mappings as a tree: lookup, gaps, splitting and merging.
 *
 * The tree is red-black by address; each node knows the free gap below it and the largest gap in its
 * subtree, so a place for a new mapping is found in one descent. A chain in the same order leads from each to
 * its neighbours. A stack keeps STACK_GUARD bytes free below it, which counts as used for the gap search.
 *
 * vma_tree.c uses nothing but lib/ and runs unchanged in the host tests.
 */
#pragma once

#include "mm/vma/space.h"

#define STACK_GUARD   (256 * PAGE_SIZE)
#define VMA_MAX_COUNT 65530
#define MMAP_MIN_ADDR 0x10000ul

/* --- the tree: needs the space lock for writing, or for reading in vma_find* and vma_gap ---------- */

/* vma_find - the first mapping that ends above va (it may start above va too), or NULL. */
struct vma *vma_find(const struct vma_tree *, vaddr_t va);
/* vma_find_exact - the mapping that contains va, or NULL. Lockless under the space's sequence count
 * and RCU: gives up (NULL) rather than loop. */
struct vma *vma_find_exact(const struct vma_tree *, vaddr_t va);
/* vma_insert - below `next`, which vma_find gives for any address in it: NULL above all others. Must not overlap. */
void vma_insert(struct vma_tree *, struct vma *, struct vma *next);
void vma_remove(struct vma_tree *, struct vma *);
/* vma_resize - new bounds that keep the order of mappings. */
void vma_resize(struct vma *, vaddr_t start, vaddr_t end);
/* vma_gap - the highest page-aligned address with len free bytes inside [lo, hi); 0: none. *next: the mapping above it. */
vaddr_t vma_gap(const struct vma_tree *, u64 len, vaddr_t lo, vaddr_t hi, struct vma **next);
/* vma_guarded_start - the first address that a mapping needs for itself: a stack has a gap below it. */
vaddr_t vma_guarded_start(const struct vma *);
/* vma_append - at the end of the chain alone: such a tree can be walked and given up, but not searched.
 * vma_copy_shape - the chain of `to` holds the copy of each mapping of `from`: make it a tree of the same shape. */
void vma_append(struct vma_tree *, struct vma *);
void vma_copy_shape(struct vma_tree *to, const struct vma_tree *from);
/* vma_check_tree - debug: order, disjointness and gap summaries. */
void vma_check_tree(const struct vma_tree *);

/* --- single mappings (vma.c): the space lock for writing ------------------------------------------- */
/* vma_alloc - NULL: no memory. Bounds are the caller's to set; it refers to nothing and has no flags. */
struct vma *vma_alloc(struct space *);
void vma_free(struct vma *);     /* never linked */
void vma_free_rcu(struct vma *); /* was linked: a lockless lookup may still see it */
/* vma_hold_object - references on its object and name, if any. vma_drop_object: give them back. */
void vma_hold_object(const struct vma *);
void vma_drop_object(struct vma *);
/* vma_join_object - with the references of its own that a linked mapping has, onto the object's list; nothing when it is
 * there. vma_leave_object - off the list; the references are kept, and obj_link is free. */
void vma_join_object(struct vma *);
void vma_leave_object(struct vma *);
/* vma_link / vma_unlink - into and out of the tree, the object's list and the accounts. After unlink
 * no fault is in it or can get in. */
void vma_link(struct vma *, struct vma *next);
void vma_unlink(struct vma *);
/* vma_enter_tree / vma_leave_tree - the tree and the accounts alone: for one that goes to another place. It is
 * write-locked all the while. */
void vma_enter_tree(struct vma *, struct vma *next);
void vma_leave_tree(struct vma *);
/* vma_set_bounds - move an edge of a linked mapping; write-locks it while it changes. */
void vma_set_bounds(struct vma *, vaddr_t start, vaddr_t end);
/* vma_split - cut at addr: `spare` (from vma_alloc) becomes the upper part. Cannot fail. */
void vma_split(struct vma *, vaddr_t addr, struct vma *spare);
/* vma_extend - instead of linking v, make the mapping below it or the one from `next` on longer, if it is continued by v,
 * or joined by it to the other. False: v is to be linked. */
bool vma_extend(struct space *, const struct vma *v, struct vma *next);
/* vma_merge_around - join this mapping with neighbours that are its continuation. Returns the mapping that
 * now covers it. */
struct vma *vma_merge_around(struct vma *);
/* vma_page_bits - the PTB_* bits with which this mapping's pages are mapped. */
unsigned vma_page_bits(const struct vma *);

/* vma_below - the mapping below `next`, NULL standing for the end of the chain. */
static inline struct vma *vma_below(const struct vma_tree *t, const struct vma *next)
{
	return next ? next->prev : t->last;
}

/* vma_rights - the VM_* rights that PROT_* ask for. */
BUILD_ASSERT(VM_READ == PROT_READ && VM_WRITE == PROT_WRITE && VM_EXEC == PROT_EXEC,
	     "the same bits");
static inline u32 vma_rights(unsigned prot)
{
	return prot & VM_RIGHTS;
}

static inline u64 vma_pages(const struct vma *v)
{
	return (v->end - v->start) >> PAGE_SHIFT;
}

/* vma_page_index - the object's page number behind va. */
static inline u64 vma_page_index(const struct vma *v, vaddr_t va)
{
	return v->pgoff + ((va - v->start) >> PAGE_SHIFT);
}

void vma_init(void);
void space_init(void);

/* --- pieces of the system calls, shared between the files of this folder --------------------------- */
struct vma_spares { /* for at most two splits */
	struct vma *v[2];
};
/* vma_spares_get - those that making lo and hi edges of mappings takes. Space lock for writing. 0 or -ENOMEM */
int vma_spares_get(struct space *, vaddr_t lo, vaddr_t hi, struct vma_spares *);
void vma_spares_put(struct vma_spares *);
/* vma_cut - make lo and hi edges of mappings. Returns the first mapping that ends above lo. */
struct vma *vma_cut(struct space *, vaddr_t lo, vaddr_t hi, struct vma_spares *);
/* space_unmap_locked - as space_unmap with the space lock held for writing. -ENOMEM, -EPERM (sealed): nothing is changed. */
int space_unmap_locked(struct space *, vaddr_t lo, vaddr_t hi);
/* space_unmap_all - the last user has left: away with all mappings. Nobody can look anything up any more, so the tree is
 * not kept in order on the way. */
void space_unmap_all(struct space *);
/* Where a mapping is to go: its address, and the first mapping that ends above that. */
struct vma_place {
	vaddr_t addr;
	struct vma *next;
};
/* vma_choose_place - where len bytes go: the fixed place, what lies there or not, the hint if it is free, or the highest
 * gap. Of the request addr, flags and below count. Space lock for writing. 0 or as mmap(2) */
int vma_choose_place(const struct space *, const struct map_request *, u64 len, struct vma_place *);
/* space_may_grow - do `pages` more fit into RLIMIT_AS and, as vm_flags say, RLIMIT_DATA? */
bool space_may_grow(const struct space *, u64 pages, u32 vm_flags);
/* vma_is_sealed - is something sealed in [lo, hi)? */
bool vma_is_sealed(const struct space *, vaddr_t lo, vaddr_t hi);
/* space_may_lock - if vm_flags say that memory is locked: do `pages` more fit into RLIMIT_MEMLOCK? */
bool space_may_lock(const struct space *, u64 pages, u32 vm_flags);
/* space_grow_stack - make the stack above va cover it. 0, -ENOMEM (limits), -EFAULT (no stack there). */
int space_grow_stack(struct space *, vaddr_t va);
