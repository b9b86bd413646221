/* SPDX-License-Identifier: MIT */
/*
 * slab_debug.c - red zones, poison, and the check of every object (debug builds).
 *
 * Behind each object stands its red zone, eight bytes that say whether the object is live or free, mixed
 * with the object's address so that a copied object does not bring a valid one along. A write past
 * the end damages it; a second free finds the wrong word. The bytes between the object's end and the
 * red zone (it is aligned to eight) are covered too.
 *
 * Objects that are free hold a pattern, checked when they are handed out again: a write after free
 * shows up there. The objects of rcu caches may be read after they were freed and keep their
 * content, so they have the red zone only.
 */
#include "kernel/printk.h"
#include "lib/string.h"
#include "mm/phys/slab_internal.h"

#ifdef QUIRE_DEBUG

#define ZONE_LIVE   0x5a11c0de11e5a11cul
#define ZONE_FREE   0xf4eef4eef4eef4eeul
#define POISON_BYTE 0x6b
#define PAD_BYTE    0xbb

enum damage { INTACT, DAMAGE_ZONE, DAMAGE_PAD, DAMAGE_POISON };

static const char *const damage_text[] = {
	[INTACT] = "intact",
	[DAMAGE_ZONE] = "red zone overwritten",
	[DAMAGE_PAD] = "written past its end",
	[DAMAGE_POISON] = "written after it was freed",
};

static size_t zone_offset(const struct slab_cache *c)
{
	return ALIGN_UP((size_t)c->size, 8);
}

static u64 *zone_of(const struct slab_cache *c, const void *obj)
{
	return (u64 *)((char *)obj + zone_offset(c));
}

static u64 zone_word(u64 kind, const void *obj)
{
	return kind ^ (u64)obj;
}

static bool all_bytes(const u8 *p, size_t n, u8 value)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != value)
			return false;
	return true;
}

static void mark(struct slab_cache *c, void *obj, u64 kind)
{
	if (kind == ZONE_FREE && !c->rcu)
		memset(obj, POISON_BYTE, c->size);
	memset((u8 *)obj + c->size, PAD_BYTE, zone_offset(c) - c->size);
	*zone_of(c, obj) = zone_word(kind, obj);
}

/* What is wrong with an object whose red zone should hold `kind`. */
static enum damage examine(const struct slab_cache *c, const void *obj, u64 kind)
{
	const u8 *bytes = obj;

	if (*zone_of(c, obj) != zone_word(kind, obj))
		return DAMAGE_ZONE;
	if (!all_bytes(bytes + c->size, zone_offset(c) - c->size, PAD_BYTE))
		return DAMAGE_PAD;
	if (kind == ZONE_FREE && !c->rcu && !all_bytes(bytes, c->size, POISON_BYTE))
		return DAMAGE_POISON;
	return INTACT;
}

/* Is obj where an object of this cache begins? */
static bool is_object(const struct slab_cache *c, const void *obj)
{
	struct page *slab;
	size_t place;

	if ((u64)obj < DIRECT_BASE || !page_exists(virt_to_phys(obj) >> PAGE_SHIFT))
		return false;
	slab = page_head(virt_to_page(obj));
	if (page_type(slab) != PAGE_SLAB || slab->slab_cache != c)
		return false;
	place = (size_t)((const char *)obj - (const char *)page_to_virt(slab));
	return place % c->stride == 0 && place / c->stride < c->per_slab;
}

/* slab_debug_new - see slab_internal.h. */
void slab_debug_new(struct slab_cache *c, void *obj)
{
	if (c->rcu)
		memset(obj, POISON_BYTE, c->size);
	mark(c, obj, ZONE_FREE);
}

/* slab_debug_alloc - see slab_internal.h. */
void slab_debug_alloc(struct slab_cache *c, void *obj)
{
	enum damage damage = examine(c, obj, ZONE_FREE);

	if (damage)
		panic("slab %s: free object %p: %s", c->name, obj, damage_text[damage]);
	mark(c, obj, ZONE_LIVE);
}

/* slab_debug_free - see slab_internal.h. */
void slab_debug_free(struct slab_cache *c, void *obj)
{
	enum damage damage;

	if (!is_object(c, obj))
		panic("slab_free: %p is not an object of %s", obj, c->name);
	if (*zone_of(c, obj) == zone_word(ZONE_FREE, obj))
		panic("slab %s: object %p is freed twice", c->name, obj);
	damage = examine(c, obj, ZONE_LIVE);
	if (damage)
		panic("slab %s: object %p: %s", c->name, obj, damage_text[damage]);
	mark(c, obj, ZONE_FREE);
}

/* The slab of this cache that a list leads to; NULL when the link is damaged. */
static const struct page *slab_of_link(const struct slab_cache *c, const struct list_head *link)
{
	u64 at = (u64)link - offsetof(struct page, slab_link) - PAGES_BASE;
	pfn_t pfn = at / sizeof(struct page);

	if (at % sizeof(struct page) || !page_exists(pfn) ||
	    page_type(pfn_to_page(pfn)) != PAGE_SLAB || pfn_to_page(pfn)->slab_cache != c)
		return NULL;
	return pfn_to_page(pfn);
}

static unsigned check_slab(const struct slab_cache *c, const struct page *slab)
{
	const char *base = page_to_virt(slab);
	unsigned bad = 0;

	for (unsigned i = 0; i < c->per_slab; i++) {
		const char *obj = base + i * c->stride;
		bool free = *zone_of(c, obj) == zone_word(ZONE_FREE, obj);
		enum damage damage = examine(c, obj, free ? ZONE_FREE : ZONE_LIVE);

		if (!damage)
			continue;
		printk_raw("slab %s: %s object %p: %s\n", c->name, free ? "free" : "live", obj,
			   damage_text[damage]);
		bad++;
	}
	return bad;
}

/* Lists may be damaged as well: never more steps than there are slabs, no step to a strange page. */
static unsigned check_list(const struct slab_cache *c, const struct list_head *head)
{
	const struct list_head *link = head->next;
	unsigned bad = 0;

	for (u32 steps = 0; link != head && steps < c->nr_slabs; steps++, link = link->next) {
		const struct page *slab = slab_of_link(c, link);

		if (!slab) {
			printk_raw("slab %s: list of slabs damaged at %p\n", c->name, link);
			return bad + 1;
		}
		bad += check_slab(c, slab);
	}
	return bad;
}

/* slab_check_all - see slab.h. */
unsigned slab_check_all(void)
{
	unsigned bad = 0;

	for (unsigned i = 0; i < MIN(slab_nr_caches, (unsigned)SLAB_MAX_CACHES); i++) {
		bad += check_list(&slab_caches[i], &slab_caches[i].partial);
		bad += check_list(&slab_caches[i], &slab_caches[i].full);
	}
	return bad;
}

#else

/* slab_check_all - see slab.h. */
unsigned slab_check_all(void)
{
	return 0;
}

#endif
