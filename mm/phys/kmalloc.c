/* SPDX-License-Identifier: MIT */
/*
 * kmalloc.c - memory by the byte: the nearest slab cache for small sizes, whole pages for large ones.
 *
 * kfree needs no size: the struct page behind an address tells what it belongs to.
 */
#include "lib/bits.h"
#include "lib/string.h"
#include "mm/phys/slab_internal.h"

#define KMALLOC_MAX_SLAB 2048
#define KMALLOC_CLASSES  11

static const struct {
	u16 size;
	const char *name;
} classes[KMALLOC_CLASSES] = {
	{8, "kmalloc-8"},     {16, "kmalloc-16"},   {32, "kmalloc-32"},   {64, "kmalloc-64"},
	{96, "kmalloc-96"},   {128, "kmalloc-128"}, {192, "kmalloc-192"}, {256, "kmalloc-256"},
	{512, "kmalloc-512"}, {1024, "kmalloc-1k"}, {2048, "kmalloc-2k"},
};

static struct slab_cache *caches[KMALLOC_CLASSES]; /* constant after kmalloc_init */
static u8 class_of[KMALLOC_MAX_SLAB / 8 + 1];      /* by size in units of 8 bytes, rounded up */

/* kmalloc_init - see slab_internal.h. */
void kmalloc_init(void)
{
	unsigned next = 0;

	for (unsigned i = 0; i < KMALLOC_CLASSES; i++) {
		caches[i] = slab_cache_create(classes[i].name, classes[i].size, 0, false);
		while (next <= classes[i].size / 8u)
			class_of[next++] = (u8)i;
	}
}

static void *kmalloc_pages(size_t size, unsigned flags)
{
	struct page *p;

	if (size > PAGE_SIZE << PAGE_MAX_ORDER)
		return NULL;
	p = page_alloc(ilog2_up(DIV_ROUND_UP(size, PAGE_SIZE)), flags);
	return p ? page_to_virt(p) : NULL;
}

/* kmalloc - see slab.h. */
void *kmalloc(size_t size, unsigned flags)
{
	if (unlikely(size > KMALLOC_MAX_SLAB))
		return kmalloc_pages(size, flags);
	return slab_alloc(caches[class_of[(size + 7) / 8]], flags);
}

/* kfree - see slab.h. */
void kfree(void *ptr)
{
	struct page *p;

	if (!ptr)
		return;
	p = page_head(virt_to_page(ptr));
	if (likely(page_type(p) == PAGE_SLAB)) {
		slab_free(p->slab_cache, ptr);
		return;
	}
	if (page_type(p) != PAGE_KERNEL || page_to_virt(p) != ptr)
		panic("kfree: %p was not allocated by kmalloc", ptr);
	page_free(p, p->kernel_order);
}
