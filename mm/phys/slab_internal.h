/* SPDX-License-Identifier: MIT */
/* slab_internal.h - the inside of a slab cache, for slab.c, slab_debug.c and kmalloc.c. */
#pragma once

#include "kernel/lock.h"
#include "kernel/percpu.h"
#include "lib/list.h"
#include "mm/phys/slab.h"

#define SLAB_MAX_CACHES 48
#define SLAB_MAX_ORDER  3
#define MAGAZINE_SIZE   16

/* A place in a slab is stored in 16 bits, in units of 8 bytes from the slab's start. */
#define SLAB_LINK_SHIFT 3
#define SLAB_LINK_END   0xffffu /* no further free object */

/* Free objects of one cache on one CPU. */
struct magazine {
	u32 count;
	bool busy; /* being changed: interrupts keep away (see page_alloc.c) */
	void *objs[MAGAZINE_SIZE];
};

/* [i] constant after creation, [l] lock. */
struct slab_cache {
	const char *name;          /* [i] */
	struct magazine *magazine; /* [i] the per-CPU variable's template */
	u32 size;                  /* [i] bytes the user asked for */
	u32 stride;                /* [i] bytes from one object to the next */
	u16 link;                  /* [i] where in a free object the next one's place is stored */
	u16 per_slab;              /* [i] objects */
	u16 magazine_limit;        /* 0 until per-CPU data exists, then constant */
	u8 order;                  /* [i] frames of a slab, log2 */
	bool rcu;                  /* [i] */
	struct spinlock lock;      /* RANK_SLAB, interrupts off */
	u32 nr_empty;              /* [l] slabs in `partial` without any object in use */
	u32 nr_slabs;              /* [l] read without the lock for statistics */
	struct list_head partial;  /* [l] slabs with a free object */
	struct list_head full;     /* [l] slabs without */
};

extern struct slab_cache slab_caches[SLAB_MAX_CACHES];
extern unsigned slab_nr_caches;

void kmalloc_init(void); /* kmalloc.c: its caches */

static inline u16 *slab_link(const struct slab_cache *c, void *obj)
{
	return (u16 *)((char *)obj + c->link);
}

#ifdef QUIRE_DEBUG
/* slab_debug_tail - bytes that a red zone needs behind each object.
 * slab_debug_new - an object of a new slab: free, never used.
 * slab_debug_alloc, slab_debug_free - check an object that changes hands, and mark it. */
#define slab_debug_tail() 8u
void slab_debug_new(struct slab_cache *, void *obj);
void slab_debug_alloc(struct slab_cache *, void *obj);
void slab_debug_free(struct slab_cache *, void *obj);
#else
#define slab_debug_tail() 0u
static inline void slab_debug_new(struct slab_cache *c, void *obj)
{
	(void)c, (void)obj;
}
static inline void slab_debug_alloc(struct slab_cache *c, void *obj)
{
	(void)c, (void)obj;
}
static inline void slab_debug_free(struct slab_cache *c, void *obj)
{
	(void)c, (void)obj;
}
#endif
