/* SPDX-License-Identifier: MIT */
/*
 * vmalloc.h - kernel virtual ranges outside the direct map: stacks, large tables, device registers.
 * Every range is followed by an unmapped guard page.
 */
#pragma once

#include <quire/types.h>

void vmalloc_init(void);
/* vmalloc - size bytes of page-granular memory, zeroed; virtually contiguous. Sleeps. NULL: short. */
void *vmalloc(size_t size);
void vfree(void *);
/* vmalloc_stack - like vmalloc, preceded by a guard page as well. */
void *vmalloc_stack(size_t size);
/* vmap_mmio - map device registers uncached, any physical address. Sleeps. NULL: short. */
void *vmap_mmio(paddr_t pa, size_t size);
void vunmap_mmio(void *va);
/* vmalloc_guard_name - what an address in the vmalloc area belongs to, for fault messages: "guard page of
 * kernel stack ..", NULL if nothing. No locks. */
const char *vmalloc_describe(vaddr_t va);
