/* SPDX-License-Identifier: MIT */
/*
 * object.c - the index of an object: pages found, made, and taken away.
 *
 * A word of the index is 0 (nothing) or a tagged value: OBJ_PAGE | address of a struct page, or
 * OBJ_SWAP | swap slot once there is a swap area. Lookups take no lock: they read the word inside an RCU
 * reader, try to reference the page and look again.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include "kernel/rcu.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/map/map.h"
#include "mm/obj/object.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/slab.h"
#include "mm/vma/vma.h"

#define OBJ_TAG_MASK 3ul
#define OBJ_PAGE     1ul
#define OBJ_SWAP     2ul

static struct slab_cache *radix_cache, *object_cache;

static u64 word_of(const struct page *page)
{
	return (u64)page | OBJ_PAGE;
}

static struct page *page_of(u64 word)
{
	/* Nothing swaps object pages out in this kernel. */
	assert(!word || (word & OBJ_TAG_MASK) == OBJ_PAGE);
	return (struct page *)(word & ~OBJ_TAG_MASK);
}

static struct radix_node *node_new(void)
{
	return slab_alloc(radix_cache, 0);
}

static void node_reclaim(struct rcu_head *head)
{
	slab_free(radix_cache, container_of((u64(*)[2])head, struct radix_node, reclaim));
}

static void node_drop(struct radix_node *node)
{
	BUILD_ASSERT(sizeof(struct rcu_head) <= sizeof(node->reclaim), "room for the RCU head");
	rcu_call((struct rcu_head *)&node->reclaim, node_reclaim);
}

static const struct radix_ops index_ops = {.alloc = node_new, .free = node_drop};

void object_free(struct object *obj)
{
	slab_free(object_cache, obj);
}

static const struct object_ops plain_ops = {.name = "/dev/zero (deleted)", .release = object_free};

void object_subsystem_init(void)
{
	radix_cache = slab_cache_create("radix", sizeof(struct radix_node), 0, false);
	object_cache = slab_cache_create("object", sizeof(struct object), 0, false);
}

void object_init(struct object *obj, const struct object_ops *ops)
{
	memset(obj, 0, sizeof(*obj));
	obj->ops = ops;
	obj->refs = 1;
	rw_init(&obj->resize, RANK_OBJ_RESIZE);
	spin_init(&obj->index_lock, RANK_OBJ_INDEX);
	spin_init(&obj->vmas_lock, RANK_OBJ_VMAS);
	list_init(&obj->vmas);
	list_init(&obj->all_link);
	radix_init(&obj->index, &index_ops);
}

struct object *object_create(u64 size, const struct object_ops *ops)
{
	struct object *obj = slab_alloc(object_cache, 0);

	if (!obj)
		return NULL;
	object_init(obj, ops ? ops : &plain_ops);
	obj->size = size;
	return obj;
}

void object_get(struct object *obj)
{
	__atomic_fetch_add(&obj->refs, 1, __ATOMIC_RELAXED);
}

static void uncharge(struct object *obj, u64 n)
{
	if (n && obj->ops->uncharge)
		obj->ops->uncharge(obj, n);
}

/* Take the pages from `first` to `last` out of the index. */
static void drop_pages(struct object *obj, u64 first, u64 last)
{
	u64 index = first, word, n = 0;

	for (;;) {
		spin_lock(&obj->index_lock);
		word = radix_next(&obj->index, &index, last);
		if (word) {
			radix_erase(&obj->index, index);
			obj->nr_pages--;
		}
		spin_unlock(&obj->index_lock);
		if (!word)
			break;
		page_put(page_of(word));
		n++;
	}
	uncharge(obj, n);
}

void object_put(struct object *obj)
{
	if (__atomic_fetch_sub(&obj->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	assert(list_empty(&obj->vmas));
	drop_pages(obj, 0, RADIX_MAX_INDEX);
	obj->ops->release(obj);
}

/* Reference the page that a word of the index names, if it goes on naming it. Inside an RCU reader. */
static ALWAYS_INLINE struct page *hold_page(const u64 *word)
{
	u64 seen;

	while ((seen = atomic_load_acquire(word))) {
		struct page *page = page_of(seen);

		if (!page_try_get(page))
			continue;
		if (atomic_load_acquire(word) == seen)
			return page;
		page_put(page);
	}
	return NULL;
}

struct page *object_find_page(struct object *obj, u64 index)
{
	const u64 *word;
	struct page *page;

	rcu_read_lock();
	word = radix_words(&obj->index, index);
	page = word ? hold_page(word) : NULL;
	rcu_read_unlock();
	return page;
}

void object_find_pages(struct object *obj, u64 index, unsigned n, struct page **out)
{
	const u64 *words;

	assert(n && index / RADIX_SLOTS == (index + n - 1) / RADIX_SLOTS);
	rcu_read_lock();
	words = radix_words(&obj->index, index);
	for (unsigned i = 0; i < n; i++)
		out[i] = words ? hold_page(words + i) : NULL;
	rcu_read_unlock();
}

/* new_page - counted, but not yet in the index. */
static int new_page(struct object *obj, u64 index, struct page **out)
{
	int err = obj->ops->charge ? obj->ops->charge(obj) : 0;
	struct page *page;

	if (err)
		return err;
	page = page_alloc(0, PA_USER | PA_ZERO);
	if (!page) {
		uncharge(obj, 1);
		return -ENOMEM;
	}
	atomic_store(&page->flags, PAGE_OBJ | PG_UPTODATE);
	page_account(PAGE_OBJ, 1);
	page->mapcount = 0;
	page->pins = 0;
	page->order = 0;
	page->owner = obj;
	page->index = index;
	*out = page;
	return 0;
}

/* Put a new page into the index unless somebody was faster. -EEXIST, -ENOMEM. */
static int insert_page(struct object *obj, u64 index, struct page *page)
{
	struct radix_stock stock = RADIX_STOCK_INIT;
	int err = radix_preload_any(&obj->index, &stock);

	if (err)
		return err;
	spin_lock(&obj->index_lock);
	if (radix_load(&obj->index, index))
		err = -EEXIST;
	else
		err = radix_store(&obj->index, index, word_of(page), &stock, NULL);
	if (!err)
		obj->nr_pages++;
	spin_unlock(&obj->index_lock);
	radix_stock_free(&obj->index, &stock);
	return err;
}

int object_get_page(struct object *obj, u64 index, struct page **out)
{
	while (!(*out = object_find_page(obj, index))) {
		struct page *page;
		int err = new_page(obj, index, &page);

		if (err)
			return err;
		err = obj->ops->fill ? obj->ops->fill(obj, index, page) : 0;
		page_get(page); /* one reference for the index, one for the caller */
		if (!err)
			err = insert_page(obj, index, page);
		if (!err) {
			*out = page;
			return 0;
		}
		page_put(page);
		page_put(page);
		uncharge(obj, 1);
		if (err != -EEXIST)
			return err;
	}
	return 0;
}

void object_extend(struct object *obj, u64 size)
{
	if (likely(size <= READ_ONCE(obj->size)))
		return;
	rw_write_lock(&obj->resize);
	if (size > obj->size)
		WRITE_ONCE(obj->size, size);
	rw_write_unlock(&obj->resize);
}

/* --- shrinking ------------------------------------------------------------------------------------ */

/* Unmap what lies at or beyond page `first` from one mapping, private copies included. */
static void unmap_tail(struct vma *v, u64 first)
{
	vaddr_t lo = v->start;
	struct tlb_batch batch;
	struct pt_slot slot;
	struct ptc c;

	if (first > v->pgoff)
		lo += MIN(first - v->pgoff, vma_pages(v)) << PAGE_SHIFT;
	space_note_peak_rss(v->space);
	tlb_batch_init(&batch, &v->space->as, TLB_UNMAP);
	ptc_begin(&c, &v->space->as, lo, v->end, PTC_EDIT | PTC_PRUNE, &batch);
	while (ptc_next(&c, &slot) > 0)
		map_retire(v->space, &c, true);
	ptc_end(&c);
}

/* Unmap the object's own pages from `first` to before `end` from one mapping; private copies stay. */
static void unmap_range(struct vma *v, u64 first, u64 end)
{
	u64 lo = MAX(first, v->pgoff), hi = MIN(end, v->pgoff + vma_pages(v));
	struct tlb_batch batch;
	struct pt_slot slot;
	struct ptc c;

	if (lo >= hi)
		return;
	space_note_peak_rss(v->space);
	tlb_batch_init(&batch, &v->space->as, TLB_UNMAP);
	ptc_begin(&c, &v->space->as, v->start + ((lo - v->pgoff) << PAGE_SHIFT),
		  v->start + ((hi - v->pgoff) << PAGE_SHIFT), PTC_EDIT | PTC_PRUNE, &batch);
	while (ptc_next(&c, &slot) > 0)
		if (slot.kind == PT_PAGE && !(slot.bits & PTB_SPECIAL) &&
		    page_type(pfn_to_page(slot.val)) == PAGE_OBJ)
			map_retire(v->space, &c, true);
	ptc_end(&c);
}

/* Clear bytes [from, to) of one page, if the object has it. */
static void zero_part(struct object *obj, u64 from, u64 to)
{
	struct page *page;

	if (from >= to)
		return;
	page = object_find_page(obj, from >> PAGE_SHIFT);
	if (!page)
		return;
	memset((char *)page_to_virt(page) + (from & ~PAGE_MASK), 0, to - from);
	page_put(page);
}

void object_punch(struct object *obj, u64 from, u64 to)
{
	u64 first = DIV_ROUND_UP(from, PAGE_SIZE), end = to >> PAGE_SHIFT;
	struct vma *v;

	rw_write_lock(&obj->resize);
	if (first <= end) {
		zero_part(obj, from, first << PAGE_SHIFT);
		zero_part(obj, end << PAGE_SHIFT, to);
	} else {
		zero_part(obj, from, to);
	}
	if (first < end) {
		spin_lock(&obj->vmas_lock);
		list_for_each (v, &obj->vmas, obj_link)
			unmap_range(v, first, end);
		spin_unlock(&obj->vmas_lock);
		drop_pages(obj, first, end - 1);
	}
	rw_write_unlock(&obj->resize);
}

u64 object_next_page(struct object *obj, u64 index, u64 end)
{
	u64 found = index;

	rcu_read_lock();
	if (index >= end || !radix_next(&obj->index, &found, end - 1))
		found = end;
	rcu_read_unlock();
	return found;
}

u64 object_next_hole(struct object *obj, u64 index, u64 end)
{
	rcu_read_lock();
	while (index < end && radix_load(&obj->index, index))
		index++;
	rcu_read_unlock();
	return index;
}

/* Faults are kept out by the resize lock, new mappings by vmas_lock; a mapping in the list is alive. */
int object_set_size(struct object *obj, u64 size)
{
	u64 first = DIV_ROUND_UP(size, PAGE_SIZE);
	struct vma *v;

	rw_write_lock(&obj->resize);
	if (size <= obj->size) { /* pages beyond the end may have been allocated in advance */
		WRITE_ONCE(obj->size, size);
		spin_lock(&obj->vmas_lock);
		list_for_each (v, &obj->vmas, obj_link)
			unmap_tail(v, first);
		spin_unlock(&obj->vmas_lock);
		drop_pages(obj, first, RADIX_MAX_INDEX);
		zero_part(obj, size, ALIGN_UP(size, PAGE_SIZE));
	}
	WRITE_ONCE(obj->size, size);
	rw_write_unlock(&obj->resize);
	return 0;
}
