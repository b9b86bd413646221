/* SPDX-License-Identifier: MIT */
/*
 * split.c - one large entry becomes a table of 512 smaller ones that mean the same.
 *
 * A live leaf changes its size through an absent entry and a flush, on both architectures: while
 * entries of two sizes for one address are cached, what the CPU does is undefined (Arm ARM D8.16.1
 * break-before-make; Intel SDM vol. 3 section 4.10.2.3 on mixed page sizes). Meanwhile the entry has the
 * BUSY form, and whoever meets it waits on the node lock. Absent entries are in no TLB and are
 * replaced directly.
 */
#include <quire/assert.h>
#include "mm/pt/internal.h"

/* What piece i of 512 of a larger slot holds. */
static u64 piece_val(const struct pt_slot *slot, unsigned i, unsigned piece_level)
{
	u64 frames = (u64)i << piece_level * PT_BITS;

	switch ((enum pt_kind)slot->kind) {
	case PT_PAGE:
	case PT_SWAP:
	case PT_MIGRATE:
		return slot->val + frames;
	case PT_MARK:
		return slot->val & MARK_HWPOISON ? slot->val + (frames << MARK_PFN_SHIFT)
						 : slot->val;
	case PT_HOLE:
	case PT_KINDS:
		break;
	}
	return 0;
}

static void fill_table(struct page *table, const struct pt_slot *slot)
{
	unsigned level = table->node_level;
	pte_t *entries = node_table(table);

	for (unsigned i = 0; i < PT_ENTRIES; i++)
		arch_pte_store(&entries[i],
			       pt_encode((enum pt_kind)slot->kind, piece_val(slot, i, level),
					 slot->bits, level));
	table->node_used = PT_ENTRIES;
	node_note_blocks(table, ~0u);
}

/* split_entry - split the leaf or absent entry `index` of node, which holds va. Descends no further.
 *  returns: 0: done, or overtaken: look again; -ENOMEM; -EAGAIN without stock under PTC_NOSLEEP */
int split_entry(struct ptc *c, struct page *node, unsigned index, vaddr_t va)
{
	unsigned level = node->node_level;
	pte_t *entry = node_table(node) + index;
	struct page *table;
	struct pt_slot slot;
	enum pte_form form;
	int err = ptc_stock(c, 1);

	if (err)
		return err < 0 ? err : 0;
	ptc_lock_node(c, node);
	form = arch_pte_form(arch_pte_load(entry), level);
	if (page_test(node, PG_STRAY) || form == PTE_NONE || form == PTE_TABLE)
		goto unlock;
	assert(c->as != &kernel_as);
	pt_decode(arch_pte_xchg(entry, pt_busy()), level, ALIGN_DOWN(va, pt_size(level)), &slot);
	if (form == PTE_LEAF && slot.bits & PTB_READ) {
		batch_note(c->batch, slot.va, slot.size, level);
		batch_flush_tlb(c->batch);
	}
	table = c->stock[--c->nr_stock];
	node_setup(table, level - 1, slot.va, node);
	fill_table(table, &slot);
	arch_pt_publish();
	arch_pte_store(entry, arch_pte_table(page_to_phys(table), false));
	arch_pt_publish();
	__atomic_fetch_add(&c->as->nr_tables, 1, __ATOMIC_RELAXED);
unlock:
	spin_unlock(&node->node_lock);
	return 0;
}
