/* SPDX-License-Identifier: MIT */
/* anon.c - making anonymous pages and moving them between exclusive and shared. Read anon.h. */
#include <quire/assert.h>
#include <arch/page_copy.h>
#include "lib/atomic.h"
#include "mm/obj/anon.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/slab.h"

struct page *zero_page;
static struct slab_cache *family_cache;

void anon_init(void)
{
	family_cache = slab_cache_create("family", sizeof(struct family), 0, false);
	zero_page = page_alloc(0, PA_ZERO);
	BUG_ON(!zero_page);
	zero_page->flags = PAGE_ZERO | PG_ICACHE;
}

struct family *family_create(void)
{
	struct family *f = slab_alloc(family_cache, 0);

	if (!f)
		return NULL;
	f->refs = 1;
	spin_init(&f->lock, RANK_OBJ_VMAS);
	list_init(&f->spaces);
	return f;
}

void family_get(struct family *f)
{
	__atomic_fetch_add(&f->refs, 1, __ATOMIC_RELAXED);
}

void family_put(struct family *f)
{
	if (__atomic_fetch_sub(&f->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	assert(list_empty(&f->spaces));
	slab_free(family_cache, f);
}

struct page *anon_alloc(struct space *space, vaddr_t va, unsigned flags)
{
	struct page *page = page_alloc(0, PA_USER | flags);

	if (!page)
		return NULL;
	atomic_store(&page->flags, PAGE_ANON | PG_EXCLUSIVE | PG_UPTODATE);
	page_account(PAGE_ANON, 1);
	page->mapcount = 0;
	page->pins = 0;
	page->order = 0;
	page->owner = space;
	page->index = va >> PAGE_SHIFT;
	return page;
}

void anon_share(struct page *page, struct family *family)
{
	assert(page_type(page) == PAGE_ANON && READ_ONCE(page->mapcount) == 1);
	page->owner = family;
	page_clear(page, PG_EXCLUSIVE);
}

void anon_reclaim(struct page *page, struct space *space)
{
	assert(page_type(page) == PAGE_ANON && READ_ONCE(page->mapcount) == 1);
	page->owner = space;
	page_set(page, PG_EXCLUSIVE);
}
