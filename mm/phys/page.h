/* SPDX-License-Identifier: MIT */
/*
 * page.h - struct page: what the kernel knows about one 4 KiB frame of memory.
 *
 * All struct pages form one virtual array indexed by frame number (page_array), backed by memory only
 * where there is RAM. A folio is an aligned run of 2^order frames with one owner; its head page carries
 * the state, its tail pages only point back. What a page is used for (its type) selects the
 * union member; only the page's owner may look at it.
 *
 * A struct page is 40 bytes: one per cent of memory. The structs of 2 MiB of frames fill five whole
 * pages, so any 2 MiB aligned piece of RAM (a section) brings its own; page_exists() asks whether
 * the section of a frame did.
 *
 * Life of a frame (type and refs; the union belongs to whoever the type says):
 *
 *   RESERVED 0 --phys_init--> FREE or inside a free block --page_alloc--> KERNEL 1
 *   KERNEL 1 --the caller gives it a purpose--> SLAB, TABLE, ANON, OBJ 1.. --page_put--> 0
 *   any but TAIL, refs 1 --page_free, or the last page_put--> cached on this CPU --drained--> FREE or inside
 *
 * Frames that nobody owns all have type 0 and refs 0, except that the first of a free block says
 * so. That is why filling the free lists at boot touches one struct page in a thousand.
 *
 * page_alloc leaves the union of a single page as its last owner did: a new owner sets every field
 * it will read.
 *
 * Keys: [a] atomic; [b] the buddy lock; [n] the node's own lock; [f] the folio lock.
 */
#pragma once

#include <quire/assert.h>
#include <quire/types.h>
#include <arch/layout.h>
#include "kernel/lock.h"
#include "kernel/rcu.h"
#include "lib/list.h"

enum page_type {
	PAGE_RESERVED, /* nobody's: firmware, kernel image, no RAM, cached, inside a free block */
	PAGE_FREE,     /* head of a free block in the buddy lists */
	PAGE_KERNEL,   /* allocated, owner unknown to mm (stacks, DMA, large kmalloc) */
	PAGE_SLAB,
	PAGE_TABLE, /* page-table node */
	PAGE_ANON,  /* user memory that belongs to processes */
	PAGE_OBJ,   /* user memory that belongs to an object (shmem, file) */
	PAGE_ZERO,  /* the shared zero page */
	PAGE_TAIL,  /* not the first page of a folio or allocation */
	PAGE_TYPES
};

/* Flags live above the type byte. All [a]. */
#define PG_EXCLUSIVE  BIT(8) /* anon: the one entry that maps this page may be made writable */
#define PG_DIRTY      BIT(9) /* content newer than the backing store */
#define PG_REFERENCED BIT(10)
#define PG_LOCKED     BIT(11) /* folio lock: folio_lock() */
#define PG_WAITERS    BIT(12) /* someone sleeps on the folio lock */
#define PG_SWAPCACHE  BIT(13)
#define PG_UPTODATE   BIT(14)
#define PG_STRAY      BIT(15) /* table node: unhooked, its content means nothing any more */
#define PG_ICACHE     BIT(17) /* instruction fetch sees the content: arch_icache_sync was done */
#define PG_POISONED   BIT(16) /* debug: free, and filled with PAGE_POISON */
#define PG_BLANK      BIT(18) /* about to be freed, and an empty page table as it is */
#define PG_TYPE_MASK  0xffu

struct page {
	u32 flags; /* [a] type | PG_* */
	u32 refs;  /* [a] 0: free */
	union {
		struct {              /* PAGE_ANON, PAGE_OBJ */
			u32 mapcount; /* [a] entries that map this page */
			u16 pins; /* [a] long and short term pins, saturating; each also holds a ref */
			u8 order; /* folio size, head page */
			u8 unused;
			void *owner; /* anon exclusive: struct space; anon: struct family; obj: struct object */
			u64 index; /* anon: home virtual page number; obj: page number in the object */
			u64 private_data; /* swap slot while PG_SWAPCACHE [f] */
		};
		struct {                             /* PAGE_FREE */
			struct list_head buddy_link; /* [b] */
			u8 buddy_order;              /* [b] */
		};
		struct {                               /* PAGE_SLAB */
			struct slab_cache *slab_cache; /* constant */
			union {
				struct list_head slab_link; /* under the cache's lock */
				struct rcu_head slab_rcu;   /* once off the lists */
			};
			u16 slab_free;  /* cache's lock: first free object, SLAB_LINK_* units */
			u16 slab_inuse; /* cache's lock: objects not in the free list */
			u8 slab_order;  /* constant */
		};
		struct {                           /* PAGE_TABLE */
			struct spinlock node_lock; /* RANK_PT_NODE */
			u16 node_used;             /* [n] entries that are not NONE */
			u8 node_level;             /* constant: 0 holds 4 KiB slots */
			u8 node_unused;
			u32 node_blocks; /* [n] bit i: entries 16i to 16i+15 may be in use */
			union {
				struct {
					vaddr_t node_base; /* constant while linked */
					union {
						struct page *node_above; /* constant while linked */
						struct page
							*node_next; /* chain of detached nodes */
					};
				};
				struct rcu_head
					node_rcu; /* once flushed: readers may still look at it */
			};
		};
		struct { /* PAGE_KERNEL */
			u8 kernel_order;
		};
		struct { /* PAGE_TAIL */
			struct page *head;
		};
	};
};
BUILD_ASSERT(sizeof(struct page) == 40, "page structs of 2 MiB of RAM must fill whole pages");

/* Element n describes frame n. At PAGES_BASE, but for the first steps of mm_init. */
extern struct page *page_array;
extern pfn_t page_max_pfn; /* no RAM at or above */

#define SECTION_SHIFT 21 /* the array has memory behind it in pieces for 2 MiB of frames */
#define SECTION_ORDER (SECTION_SHIFT - PAGE_SHIFT)

static inline struct page *pfn_to_page(pfn_t pfn)
{
	return page_array + pfn;
}
static inline pfn_t page_to_pfn(const struct page *p)
{
	return (pfn_t)(p - page_array);
}
static inline paddr_t page_to_phys(const struct page *p)
{
	return page_to_pfn(p) << PAGE_SHIFT;
}
static inline struct page *phys_to_page(paddr_t pa)
{
	return pfn_to_page(pa >> PAGE_SHIFT);
}

/* The direct map: all RAM, writable except the kernel's text and constants, never executable. */
static inline void *phys_to_virt(paddr_t pa)
{
	return (void *)(DIRECT_BASE + pa);
}
static inline paddr_t virt_to_phys(const void *va) /* direct map addresses only */
{
	return (paddr_t)va - DIRECT_BASE;
}
static inline void *page_to_virt(const struct page *p)
{
	return phys_to_virt(page_to_phys(p));
}
static inline struct page *virt_to_page(const void *va)
{
	return phys_to_page(virt_to_phys(va));
}

static inline enum page_type page_type(const struct page *p)
{
	return (enum page_type)(__atomic_load_n(&p->flags, __ATOMIC_RELAXED) & PG_TYPE_MASK);
}
static inline bool page_test(const struct page *p, u32 flag)
{
	return __atomic_load_n(&p->flags, __ATOMIC_RELAXED) & flag;
}
static inline void page_set(struct page *p, u32 flag)
{
	__atomic_fetch_or(&p->flags, flag, __ATOMIC_RELAXED);
}
static inline void page_clear(struct page *p, u32 flag)
{
	__atomic_fetch_and(&p->flags, ~flag, __ATOMIC_RELAXED);
}
static inline struct page *page_head(struct page *p)
{
	return page_type(p) == PAGE_TAIL ? p->head : p;
}

/* page_order - log2 of the frames that a head page stands for. */
static inline unsigned page_order(const struct page *p)
{
	switch (page_type(p)) {
	case PAGE_ANON:
	case PAGE_OBJ:
		return p->order;
	case PAGE_KERNEL:
		return p->kernel_order;
	case PAGE_SLAB:
		return p->slab_order;
	default:
		return 0;
	}
}

/* page_exists - is there a struct page for this frame (RAM or reserved inside a RAM section)? */
bool page_exists(pfn_t pfn);
