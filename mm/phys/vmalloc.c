/* SPDX-License-Identifier: MIT */
/*
 * vmalloc.c - who has which piece of [VMALLOC_BASE, VMALLOC_END), and what is mapped there.
 *
 * Each piece in use is an area: its pages, with a guard page behind them (stacks: one in front, too)
 * that is never mapped. Areas stand in a tree by address; each knows the gap in front of it, and the
 * largest gap in its subtree, so that the lowest gap that is large enough is found in one descent.
 * An area of size zero at the very end, never removed, owns the last gap.
 *
 *      |-- gap --[ pages | guard ]-- gap --[ guard | pages | guard ]---- gap ----[end]
 *
 * An area is taken before its pages are mapped and given back after they are unmapped and flushed,
 * so the page-table layer never sees two users of one address.
 *
 * Lock: vm.lock (RANK_VMALLOC) guards the tree; it is not held while mapping. vmalloc_describe reads
 * the tree without it: areas come from an rcu cache, so whatever it meets is, or was, an area.
 */
#include <uapi/errno.h>
#include "kernel/lock.h"
#include "lib/rbtree.h"
#include "mm/phys/slab.h"
#include "mm/phys/vmalloc.h"
#include "mm/pt/pt.h"

enum area_kind { AREA_END, AREA_MEMORY, AREA_STACK, AREA_MMIO };

struct vm_area {
	struct rb_node node; /* [l] in vm.areas, by start */
	u64 gap;             /* [l] unused bytes between the area before and this one */
	u64 max_gap;         /* [l] the largest gap in this subtree */
	vaddr_t start, end;  /* constant in the tree: everything, guards included */
	vaddr_t lo, hi;      /* constant: what is mapped */
	enum area_kind kind; /* constant */
};

/* Legend: [l] lock. */
static struct {
	struct spinlock lock; /* RANK_VMALLOC */
	struct rb_root areas;
	struct slab_cache *cache;
	u64 used; /* [l] bytes, guards included */
	struct vm_area end;
} vm;

static struct vm_area *area_of(struct rb_node *n)
{
	return rb_entry_safe(n, struct vm_area, node);
}

static u64 max_gap_of(struct rb_node *n)
{
	return n ? area_of(n)->max_gap : 0;
}

/* The summary for lib/rbtree.h. */
static bool update_max_gap(struct rb_node *n)
{
	struct vm_area *a = area_of(n);
	u64 below = MAX(max_gap_of(n->child[0]), max_gap_of(n->child[1]));
	u64 max = MAX(a->gap, below);
	bool changed = max != a->max_gap;

	a->max_gap = max;
	return changed;
}

static void set_gap(struct vm_area *a, u64 gap)
{
	a->gap = gap;
	rb_propagate(&a->node, update_max_gap);
}

/* vmalloc_init - see vmalloc.h. */
void vmalloc_init(void)
{
	spin_init(&vm.lock, RANK_VMALLOC);
	vm.cache = slab_cache_create("vm_area", sizeof(struct vm_area), 0, true);
	vm.end = (struct vm_area){
		.start = VMALLOC_END,
		.end = VMALLOC_END,
		.gap = VMALLOC_END - VMALLOC_BASE,
		.kind = AREA_END,
	};
	vm.areas = RB_ROOT;
	rb_insert(&vm.areas, &vm.end.node, NULL, &vm.areas.node, update_max_gap);
}

/* The area behind the lowest gap of at least size bytes, NULL when there is none. */
static struct vm_area *find_gap(u64 size)
{
	struct rb_node *n = vm.areas.node;

	assert_held(&vm.lock);
	if (max_gap_of(n) < size)
		return NULL;
	for (;;) {
		if (max_gap_of(n->child[0]) >= size)
			n = n->child[0];
		else if (area_of(n)->gap >= size)
			return area_of(n);
		else
			n = n->child[1];
	}
}

/* Links an area whose place is the start of the gap in front of `next`. */
static void area_insert(struct vm_area *a, struct vm_area *next)
{
	struct rb_node **link = &next->node.child[0], *parent = &next->node;

	while (*link) { /* the largest node below next */
		parent = *link;
		link = &parent->child[1];
	}
	set_gap(next, next->start - a->end);
	a->gap = a->max_gap = 0;
	rb_insert(&vm.areas, &a->node, parent, link, update_max_gap);
}

/* Reserves addresses for size bytes of mapping. Sleeps. NULL: no memory, or no gap is large enough. */
static struct vm_area *area_alloc(size_t size, enum area_kind kind)
{
	u64 front = kind == AREA_STACK ? PAGE_SIZE : 0;
	struct vm_area *a, *next;

	if (!size || size >= VMALLOC_END - VMALLOC_BASE)
		return NULL;
	size = ALIGN_UP(size, PAGE_SIZE);
	a = slab_alloc(vm.cache, 0);
	if (!a)
		return NULL;
	a->kind = kind;
	spin_lock(&vm.lock);
	next = find_gap(front + size + PAGE_SIZE);
	if (next) {
		a->start = next->start - next->gap;
		a->lo = a->start + front;
		a->hi = a->lo + size;
		a->end = a->hi + PAGE_SIZE;
		area_insert(a, next);
		vm.used += a->end - a->start;
	}
	spin_unlock(&vm.lock);
	if (next)
		return a;
	slab_free(vm.cache, a);
	return NULL;
}

/* Gives the addresses back; nothing is mapped there any more. */
static void area_free(struct vm_area *a)
{
	struct vm_area *next;

	spin_lock(&vm.lock);
	vm.used -= a->end - a->start;
	next = area_of(rb_next(&a->node));
	rb_erase(&vm.areas, &a->node, update_max_gap);
	set_gap(next, a->gap + (a->end - a->start) + next->gap);
	spin_unlock(&vm.lock);
	slab_free(vm.cache, a);
}

/* The area that maps va, for those who free; NULL when va is in none. */
static struct vm_area *area_find(vaddr_t va)
{
	struct rb_node *n;

	spin_lock(&vm.lock);
	n = vm.areas.node;
	while (n && !(va >= area_of(n)->lo && va < area_of(n)->hi))
		n = n->child[va >= area_of(n)->end];
	spin_unlock(&vm.lock);
	return area_of(n);
}

/* Fills an area with zeroed pages; on failure it is empty again. */
static int map_pages(struct vm_area *a)
{
	vaddr_t va;

	for (va = a->lo; va < a->hi; va += PAGE_SIZE) {
		struct page *p = page_alloc(0, PA_ZERO);

		if (!p)
			goto unmap;
		if (pt_map_kernel(va, page_to_phys(p), PAGE_SIZE, PTB_READ | PTB_WRITE)) {
			page_free(p, 0);
			goto unmap;
		}
	}
	return 0;
unmap:
	pt_unmap_kernel(a->lo, va, true);
	return -ENOMEM;
}

static void *alloc_memory(size_t size, enum area_kind kind)
{
	struct vm_area *a;

	a = area_alloc(size, kind);
	if (!a)
		return NULL;
	if (map_pages(a)) {
		area_free(a);
		return NULL;
	}
	return (void *)a->lo;
}

/* vmalloc - see vmalloc.h. */
void *vmalloc(size_t size)
{
	return alloc_memory(size, AREA_MEMORY);
}

/* vmalloc_stack - see vmalloc.h. */
void *vmalloc_stack(size_t size)
{
	return alloc_memory(size, AREA_STACK);
}

/* vmap_mmio - see vmalloc.h. */
void *vmap_mmio(paddr_t pa, size_t size)
{
	u64 offset = pa & ~PAGE_MASK;
	struct vm_area *a;

	if (!size || size + offset < size)
		return NULL;
	a = area_alloc(size + offset, AREA_MMIO);
	if (!a)
		return NULL;
	if (pt_map_kernel(a->lo, pa - offset, a->hi - a->lo, PTB_READ | PTB_WRITE | PTB_DEVICE)) {
		area_free(a);
		return NULL;
	}
	return (void *)(a->lo + offset);
}

static void release(void *ptr, bool mmio)
{
	vaddr_t va = (vaddr_t)ptr;
	struct vm_area *a;

	if (!ptr)
		return;
	a = area_find(va);
	if (!a || (a->kind == AREA_MMIO) != mmio || (mmio ? va & PAGE_MASK : va) != a->lo)
		panic("%s: nothing is mapped at %p", mmio ? "vunmap_mmio" : "vfree", ptr);
	pt_unmap_kernel(a->lo, a->hi, !mmio);
	area_free(a);
}

/* vfree - see vmalloc.h. */
void vfree(void *ptr)
{
	release(ptr, false);
}

/* vunmap_mmio - see vmalloc.h. */
void vunmap_mmio(void *ptr)
{
	release(ptr, true);
}

static const char *describe_part(const struct vm_area *a, vaddr_t va)
{
	static const char *const text[][3] = {
		[AREA_END] = {NULL, NULL, NULL},
		[AREA_MEMORY] = {"vmalloc memory", "vmalloc memory",
				 "guard page behind vmalloc memory"},
		[AREA_STACK] = {"guard page below a kernel stack", "kernel stack",
				"guard page above a kernel stack"},
		[AREA_MMIO] = {"device registers", "device registers",
			       "guard page behind device registers"},
	};

	return text[READ_ONCE(a->kind)][va < READ_ONCE(a->lo) ? 0 : va < READ_ONCE(a->hi) ? 1 : 2];
}

/* vmalloc_describe - see vmalloc.h. */
const char *vmalloc_describe(vaddr_t va)
{
	const struct rb_node *n = READ_ONCE(vm.areas.node);

	if (va < VMALLOC_BASE || va >= VMALLOC_END)
		return NULL;
	for (unsigned depth = 0; n && depth < RB_MAX_DEPTH; depth++) {
		const struct vm_area *a = container_of(n, const struct vm_area, node);

		if (va >= READ_ONCE(a->start) && va < READ_ONCE(a->end))
			return describe_part(a, va);
		n = READ_ONCE(n->child[va >= READ_ONCE(a->start)]);
	}
	return NULL;
}

/* vmalloc_usage - see vmalloc.h. */
void vmalloc_usage(u64 *total, u64 *used)
{
	*total = VMALLOC_END - VMALLOC_BASE;
	*used = READ_ONCE(vm.used);
}
