/* SPDX-License-Identifier: MIT */
/*
 * prune.c - detaching tables that have become empty.
 *
 * The only place that holds two node locks of one path: the parent's, then the child's. Under both it
 * checks again that the child is empty and still hangs there, clears the parent's entry and marks
 * the child stray, which tells everyone who found it without a lock to start over. The memory goes
 * into the batch: freed after the flush, and after a grace period.
 */
#include <quire/assert.h>
#include "kernel/rcu.h"
#include "mm/pt/internal.h"

/* The node of `level` on the path to va, without a lock; NULL when the path ends above it. */
static struct page *find_node(struct aspace *as, vaddr_t va, unsigned level)
{
	struct page *node = as->root;

	while (node->node_level > level) {
		pte_t pte = arch_pte_load(node_table(node) + pt_index(va, node->node_level));

		if (arch_pte_form(pte, node->node_level) != PTE_TABLE)
			return NULL;
		node = phys_to_page(arch_pte_table_pa(pte));
	}
	return node;
}

/* Unhook the table at parent's entry for base if it is empty. True: done, and the parent is empty now. */
static bool detach_child(struct ptc *c, struct page *parent, vaddr_t base)
{
	unsigned level = parent->node_level;
	pte_t *entry = node_table(parent) + pt_index(base, level);
	pte_t pte = arch_pte_load(entry);
	struct page *child;
	bool detached;

	if (page_test(parent, PG_STRAY) || arch_pte_form(pte, level) != PTE_TABLE)
		return false;
	child = phys_to_page(arch_pte_table_pa(pte));
	spin_lock_nested(&child->node_lock);
	detached = child->node_used == 0;
	if (detached) {
		node_store(parent, entry, pte, (pte_t){0});
		page_set(child, PG_STRAY);
	}
	spin_unlock(&child->node_lock);
	if (!detached)
		return false;
	__atomic_fetch_sub(&c->as->nr_tables, 1, __ATOMIC_RELAXED);
	batch_note_table(c->batch, child, base, pt_size(level));
	return parent->node_used == 0;
}

/* prune_empty - the table of `level` at base was seen empty: detach it, then each ancestor that is left
 * empty by that. The root stays. Needs: no window held by this cursor. */
void prune_empty(struct ptc *c, vaddr_t base, unsigned level)
{
	bool more = true;

	assert(c->as != &kernel_as);
	rcu_read_lock();
	for (level++; more && level < PT_LEVELS; level++) {
		struct page *parent = find_node(c->as, base, level);

		if (!parent)
			break;
		base = ALIGN_DOWN(base, pt_size(level));
		ptc_lock_node(c, parent);
		more = detach_child(c, parent, base);
		spin_unlock(&parent->node_lock);
	}
	rcu_read_unlock();
}
