/* SPDX-License-Identifier: MIT */
/*
 * slab.h - small kernel objects. A cache hands out objects of one size from whole slabs; kmalloc
 * picks one of the power-of-two (and 96, 192) caches. Debug builds poison freed objects, put red
 * zones behind live ones and name the cache when one is damaged.
 *
 * Read next: slab.c, kmalloc.c, slab_debug.c.
 */
#pragma once

#include <quire/types.h>
#include "mm/phys/page_alloc.h"

struct slab_cache;

/* slab_cache_create - a cache that is never destroyed; panics when there are too many.
 *  size, align: bytes; align a power of two up to 4096, 0: 16, or 8 for objects below 16
 *  rcu:   an object that was freed may be handed out again at once, but its memory stays an object
 *         of this cache (and keeps its content until then) until a grace period has passed: lockless
 *         readers may look at it and must find out whether it is still the one they wanted
 *  sleeps: no */
struct slab_cache *slab_cache_create(const char *name, size_t size, size_t align, bool rcu);

/* slab_alloc - one object, its content undefined unless PA_ZERO; NULL when memory is short.
 *  sleeps: unless PA_ATOMIC. Any context with PA_ATOMIC. */
void *slab_alloc(struct slab_cache *, unsigned flags) MUST_CHECK;
/* slab_free - give an object back to the cache it came from. Any context. */
void slab_free(struct slab_cache *, void *);

/* kmalloc - size bytes, up to 4 MiB; above 2 KiB whole blocks of pages, aligned to their size. Smaller
 * ones are aligned to 16 (to 8 below 16 bytes). NULL: short, or too large. As slab_alloc otherwise. */
void *kmalloc(size_t size, unsigned flags) MUST_CHECK;
void kfree(void *); /* NULL is fine. Any context. */

/* slab_init - no caches but those behind kmalloc. Needs page_alloc; boot only, before any other is made. */
void slab_init(void);

/* slab_count_pages - frames that slabs hold, of all caches. */
u64 slab_count_pages(void);

/* slab_check_all - debug: look at every object of every cache and print what is damaged.
 *  returns: the number of damaged objects; always 0 in release builds. Usable at panic: takes no lock,
 *  follows no pointer it has not checked. Elsewhere the caches must be quiet. */
unsigned slab_check_all(void);

/* slab_dump - one line for each cache that has slabs: name, object size, objects in use, pages. */
void slab_dump(void (*print)(const char *fmt, ...));
