/* SPDX-License-Identifier: MIT */
/*
 * slab.h - small kernel objects. A cache hands out objects of one size from whole slabs; kmalloc
 * picks one of the power-of-two (and 96, 192) caches. Debug builds poison freed objects, put red
 * zones around live ones and name the cache when one is damaged.
 */
#pragma once

#include <quire/types.h>
#include "mm/phys/page_alloc.h"

struct slab_cache;

/* slab_cache_create - objects of `size` bytes aligned to `align` (0: natural). Panics only at boot.
 * `rcu`: a freed object's memory stays an object of this cache until a grace period has passed. */
struct slab_cache *slab_cache_create(const char *name, size_t size, size_t align, bool rcu);
void *slab_alloc(struct slab_cache *, unsigned flags) MUST_CHECK; /* PA_ZERO, PA_ATOMIC; NULL: short */
void slab_free(struct slab_cache *, void *);

void *kmalloc(size_t size, unsigned flags) MUST_CHECK; /* up to 4 MiB; above a page: whole pages */
void kfree(void *); /* NULL is fine */
void slab_init(void);
u64 slab_count_pages(void);
void slab_check_all(void); /* debug: verify every canary; usable at panic, takes no lock */
