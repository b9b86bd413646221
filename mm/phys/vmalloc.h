/* SPDX-License-Identifier: MIT */
/*
 * vmalloc.h - kernel virtual ranges outside the direct map: stacks, large tables, device registers.
 * Every range is followed by an unmapped guard page.
 */
#pragma once

#include <quire/types.h>

/* vmalloc_init - needs slab_init and the final kernel tables. Boot only. */
void vmalloc_init(void);
/* vmalloc - size bytes of page-granular memory, zeroed; virtually contiguous. Sleeps. NULL: short. */
void *vmalloc(size_t size);
/* vfree - unmap, flush all CPUs and free what vmalloc or vmalloc_stack returned; NULL is fine.
 *  needs: interrupts on, no spin lock held; not the stack we run on    fails: no */
void vfree(void *);
/* vmalloc_stack - like vmalloc, preceded by a guard page as well. The stack starts at the top. */
void *vmalloc_stack(size_t size);
/* vmap_mmio - map device registers uncached, any physical address. Sleeps. NULL: short. */
void *vmap_mmio(paddr_t pa, size_t size);
/* vunmap_mmio - the same for what vmap_mmio returned. */
void vunmap_mmio(void *va);
/* vmalloc_usage - bytes of the area, and of those that are given out. */
void vmalloc_usage(u64 *total, u64 *used);
/* vmalloc_describe - what an address in the vmalloc area belongs to, for fault messages: "guard page below a
 * kernel stack" .., NULL if nothing. Takes no lock; the answer is a guess while ranges come and go. */
const char *vmalloc_describe(vaddr_t va);
