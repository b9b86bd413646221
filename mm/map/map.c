/* SPDX-License-Identifier: MIT */
/*
 * map.c - the transitions themselves. Read map.h first.
 *
 * What always holds for a user PAGE slot that is not special:
 *  - the entry owns one reference to its page, counted in mapcount as well;
 *  - writable and private implies the page is exclusive: no other entry maps it;
 *  - an exclusive page names the one space that maps it as its owner, a shared one the family.
 */
#include <quire/assert.h>
#include <arch/cache.h>
#include "lib/atomic.h"
#include "lib/bits.h"
#include "mm/map/map.h"
#include "mm/map/transition.h"
#include "mm/obj/anon.h"
#include "mm/phys/page_alloc.h"

static void rss_add(struct space *space, enum rss_kind kind, s64 pages)
{
	__atomic_fetch_add(&space->rss[kind], pages, __ATOMIC_RELAXED);
}

/* Instructions may be fetched from this page: make what was stored visible to fetch, once. */
static void sync_icache(struct page *page, unsigned bits)
{
	if (!(bits & PTB_EXEC) || page_test(page, PG_ICACHE))
		return;
	arch_icache_sync(page_to_virt(page), PAGE_SIZE);
	page_set(page, PG_ICACHE);
}

void map_install(struct space *space, struct ptc *c, struct page *page, unsigned bits)
{
	bool anon = page_type(page) == PAGE_ANON;

	assert(anon || page_type(page) == PAGE_OBJ);
	assert(!anon || !(bits & PTB_WRITE) || page_test(page, PG_EXCLUSIVE));
	map_check_transition(ptc_kind(c), PT_PAGE);
	sync_icache(page, bits);
	__atomic_fetch_add(&page->mapcount, 1, __ATOMIC_RELAXED);
	rss_add(space, anon ? RSS_ANON : RSS_FILE, 1);
	ptc_set(c, PT_PAGE, page_to_pfn(page), bits);
}

void map_install_run(struct space *space, struct ptc *c, struct page **pages, unsigned n,
		     unsigned bits)
{
	unsigned added = 0;
	u64 stored;

	map_check_transition(PT_HOLE, PT_PAGE);
	for (unsigned i = 0; bits & PTB_EXEC && i < n; i++)
		if (pages[i])
			sync_icache(pages[i], bits);
	stored = ptc_fill_run(c, pages, n, bits);
	for (; stored; stored &= stored - 1) {
		struct page **page = &pages[ctz64(stored)];

		assert(page_type(*page) == PAGE_OBJ);
		__atomic_fetch_add(&(*page)->mapcount, 1, __ATOMIC_RELAXED);
		*page = NULL;
		added++;
	}
	rss_add(space, RSS_FILE, added);
}

void map_install_zero(struct ptc *c, unsigned bits)
{
	map_check_transition(ptc_kind(c), PT_PAGE);
	ptc_set(c, PT_PAGE, page_to_pfn(zero_page), (bits & ~PTB_WRITE) | PTB_SPECIAL);
}

/* So many pages of either kind came (sign 1) or went (-1). */
static void rss_add_both(struct space *space, unsigned anon, unsigned file, int sign)
{
	if (anon)
		rss_add(space, RSS_ANON, sign * (s64)anon);
	if (file)
		rss_add(space, RSS_FILE, sign * (s64)file);
}

/* An entry is gone: its page has one mapping less. Those of objects are counted. */
static ALWAYS_INLINE void unmap_page(struct page *page, u64 leaf, unsigned *files)
{
	u32 flags = atomic_load(&page->flags);

	assert(READ_ONCE(page->mapcount) > 0);
	__atomic_fetch_sub(&page->mapcount, 1, __ATOMIC_RELAXED);
	if (likely((flags & PG_TYPE_MASK) == PAGE_ANON))
		return;
	++*files;
	if (leaf & PTB_DIRTY && !(flags & PG_DIRTY))
		page_set(page, PG_DIRTY);
}

/* The entries that held these are gone: let go of the pages, after the flush unless nobody can use what the TLBs still
 * know. */
static ALWAYS_INLINE void retire_leaves(struct space *space, struct tlb_batch *batch,
					const u64 *leaves, unsigned n, bool unseen)
{
	struct page **room = unseen ? NULL : tlb_batch_room(batch, n), *page;
	struct page *const frames = page_array; /* not read again for each */
	unsigned file = 0, special = 0, n_put = 0;

	map_check_transition(PT_PAGE, PT_HOLE);
	for (const u64 *leaf = leaves; leaf < leaves + n; leaf++) {
		if (unlikely(*leaf & PTB_SPECIAL)) {
			special++;
			continue;
		}
		page = frames + ptc_leaf_pfn(*leaf);
		unmap_page(page, *leaf, &file);
		if (unseen)
			page_put_shared(page);
		else
			room[n_put++] = page;
	}
	if (!unseen)
		tlb_batch_fill(batch, n_put);
	rss_add_both(space, n - special - file, file, -1);
}

void map_replace(struct space *space, struct ptc *c, struct page *page, unsigned bits)
{
	u64 leaf;

	assert(page_type(page) == PAGE_ANON && page_test(page, PG_EXCLUSIVE));
	map_check_transition(PT_PAGE, PT_HOLE);
	map_check_transition(PT_HOLE, PT_PAGE);
	sync_icache(page, bits);
	__atomic_fetch_add(&page->mapcount, 1, __ATOMIC_RELAXED);
	leaf = ptc_replace(c, page_to_pfn(page), bits);
	if (leaf & PTB_SPECIAL) {
		rss_add(space, RSS_ANON, 1);
		return;
	}
	struct page *old = pfn_to_page(ptc_leaf_pfn(leaf));
	unsigned file = 0;

	unmap_page(old, leaf, &file);
	if (file) {
		rss_add(space, RSS_FILE, -1);
		rss_add(space, RSS_ANON, 1);
	}
	page_put_shared(old);
}

void map_retire_run(struct space *space, struct ptc *c)
{
	u64 leaves[PTC_RUN_MAX];
	unsigned n = ptc_take_run(c, leaves);

	if (c->batch->unseen)
		retire_leaves(space, c->batch, leaves, n, true);
	else
		retire_leaves(space, c->batch, leaves, n, false);
}

void map_retire(struct space *space, struct ptc *c, bool keep_marker)
{
	struct pt_slot slot = ptc_take(c);

	if (slot.kind == PT_HOLE)
		return;
	if (slot.kind != PT_PAGE)
		map_check_transition((enum pt_kind)slot.kind, PT_HOLE);
	switch ((enum pt_kind)slot.kind) {
	case PT_PAGE:
		retire_leaves(space, c->batch, &(u64){ptc_leaf(slot.val, slot.bits)}, 1, false);
		break;
	case PT_MARK:
		if (keep_marker)
			ptc_set(c, PT_MARK, slot.val, 0);
		break;
	case PT_SWAP:
	case PT_MIGRATE:
		/* Nothing swaps or migrates in this kernel: such an entry is corruption. */
		panic("%s entry %#lx at %#lx", pt_kind_name((enum pt_kind)slot.kind), slot.val,
		      slot.va);
	case PT_HOLE:
	case PT_KINDS:
		break;
	}
}

void map_protect(struct ptc *c, const struct pt_slot *slot, unsigned rights, bool shared)
{
	struct page *page;
	bool may_write;

	if (slot->kind != PT_PAGE)
		return; /* absent entries get their rights when they are filled */
	page = pfn_to_page(slot->val);
	if (slot->bits & (PTB_SPECIAL | PTB_UFFD_WP))
		may_write = false;
	else if (shared)
		may_write = slot->bits & PTB_DIRTY;
	else
		may_write = page_type(page) == PAGE_ANON && page_test(page, PG_EXCLUSIVE);
	if (!may_write)
		rights &= ~PTB_WRITE;
	if ((slot->bits & PTB_RIGHTS) == rights)
		return;
	map_check_transition(PT_PAGE, PT_PAGE);
	if (!(slot->bits & PTB_SPECIAL))
		sync_icache(page, rights);
	ptc_change(c, rights, PTB_RIGHTS & ~rights);
}

void map_grant(struct ptc *c, unsigned bits)
{
	map_check_transition(PT_PAGE, PT_PAGE);
	ptc_change(c, bits, 0);
}

void map_clear_accessed(struct ptc *c, const struct pt_slot *slot)
{
	if (slot->kind != PT_PAGE || slot->bits & PTB_SPECIAL)
		return;
	page_clear(pfn_to_page(slot->val), PG_REFERENCED);
	if (!(slot->bits & PTB_ACCESSED))
		return;
	map_check_transition(PT_PAGE, PT_PAGE);
	ptc_change(c, 0, PTB_ACCESSED);
}

/* A private page gets a second owner: if it was exclusive it belongs to the family from now on. Those of objects are
 * counted. */
static ALWAYS_INLINE void dup_page(struct page *page, struct family *family, unsigned *files)
{
	u32 kind = atomic_load(&page->flags) & (PG_TYPE_MASK | PG_EXCLUSIVE);

	assert(READ_ONCE(page->pins) == 0);
	page_get(page);
	if (unlikely(kind != PAGE_ANON)) {
		if (kind & PG_EXCLUSIVE)
			anon_share(page, family);
		else
			++*files;
	}
	__atomic_fetch_add(&page->mapcount, 1, __ATOMIC_RELAXED);
}

void map_dup_run(struct ptc *src, struct space *child, struct ptc *dst)
{
	u64 leaves[PTC_RUN_MAX];
	unsigned file = 0, special = 0, n = ptc_dup_run(src, dst, leaves);
	struct page *const frames = page_array; /* not read again for each */
	struct family *family = child->family;

	map_check_transition(PT_HOLE, PT_PAGE);
	for (const u64 *leaf = leaves; leaf < leaves + n; leaf++) {
		if (unlikely(*leaf & PTB_SPECIAL))
			special++;
		else
			dup_page(frames + ptc_leaf_pfn(*leaf), family, &file);
	}
	rss_add_both(child, n - special - file, file, 1);
}

void map_dup(struct ptc *src, const struct pt_slot *slot, struct space *child, struct ptc *dst)
{
	map_check_transition(PT_HOLE, (enum pt_kind)slot->kind);
	switch ((enum pt_kind)slot->kind) {
	case PT_PAGE:
		map_dup_run(src, child, dst);
		break;
	case PT_MARK:
		if (slot->val & ~MARK_UFFD_WP)
			ptc_set(dst, PT_MARK, slot->val & ~MARK_UFFD_WP, 0);
		break;
	case PT_SWAP:
	case PT_MIGRATE:
		panic("%s entry %#lx at %#lx", pt_kind_name((enum pt_kind)slot->kind), slot->val,
		      slot->va);
	case PT_HOLE:
	case PT_KINDS:
		break;
	}
}

void map_move(struct ptc *src, struct ptc *dst)
{
	struct pt_slot slot = ptc_take(src);

	map_check_transition((enum pt_kind)slot.kind, PT_HOLE);
	map_check_transition(PT_HOLE, (enum pt_kind)slot.kind);
	ptc_set(dst, (enum pt_kind)slot.kind, slot.val, slot.bits);
}

void map_move_run(struct ptc *src, struct ptc *dst)
{
	map_check_transition(PT_PAGE, PT_HOLE);
	map_check_transition(PT_HOLE, PT_PAGE);
	ptc_move_run(src, dst);
}
