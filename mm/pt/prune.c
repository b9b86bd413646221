/* SPDX-License-Identifier: MIT */
/*
 * prune.c - detaching tables that have become empty.
 *
 * The only place that holds two node locks of one path: the parent's, then the child's. Under both it
 * checks again that the child is empty and not stray, and so still hangs there, clears the parent's entry and marks
 * the child stray, which tells everyone who found it without a lock to start over. The memory goes
 * into the batch: freed after the flush, and after a grace period.
 */
#include <quire/assert.h>
#include "kernel/rcu.h"
#include "mm/pt/internal.h"

static void unhook(struct ptc *c, struct page *parent, struct page *child)
{
	pte_t *entry = node_table(parent) + pt_index(child->node_base, parent->node_level);
	pte_t pte = arch_pte_load(entry);

	assert(phys_to_page(arch_pte_table_pa(pte)) == child);
	node_store(parent, entry, pte, (pte_t){0});
	page_set(child, PG_STRAY);
	__atomic_fetch_sub(&c->as->nr_tables, 1, __ATOMIC_RELAXED);
	batch_note_table(c->batch, child);
}

/* Detach a table from the one above, which is locked, if it is still there and empty. */
static bool detach(struct ptc *c, struct page *parent, struct page *child)
{
	bool detached;

	spin_lock_nested(&child->node_lock);
	detached = !page_test(child, PG_STRAY) && child->node_used == 0 &&
		   !READ_ONCE(c->as->keep_tables);
	if (detached)
		unhook(c, parent, child);
	spin_unlock(&child->node_lock);
	return detached;
}

/* prune_empty - detach a table that is empty, then each above that is left empty by that. The root stays.
 *  needs: the table's lock, which is released; no window held by this cursor */
void prune_empty(struct ptc *c, struct page *node)
{
	assert(c->as != &kernel_as);
	rcu_read_lock();
	while (node->node_used == 0 && node->node_above) {
		struct page *child = node;

		/* Read while the table is locked and linked: afterwards another may detach it first. */
		node = child->node_above;
		spin_unlock(&child->node_lock);
		ptc_lock_node(c, node);
		if (!detach(c, node, child))
			break;
	}
	spin_unlock(&node->node_lock);
	rcu_read_unlock();
}
