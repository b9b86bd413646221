/* SPDX-License-Identifier: MIT */
/*
 * node.c - the memory of page tables.
 *
 * A node is one page of 512 entries; its struct page holds the lock, the number of entries in use and where
 * they are, the level, the first address and the table above. A node that was once visible is freed after
 * the flush that made it unreachable for the hardware *and* after a grace period, because the cursor
 * descends without locks; only in a space that nobody can look into any more the flush is enough.
 * All nodes are empty when they are freed, and the page allocator keeps some as they are (PG_BLANK).
 */
#include <quire/assert.h>
#include "kernel/rcu.h"
#include "mm/phys/page_alloc.h"
#include "mm/pt/internal.h"

static bool booting = true;
unsigned pt_leaf_levels = 0x1;

/* Debug: what is freed is an empty table, whatever the hardware has put into entries that are none, and still is when
 * it is taken again. */
static void check_blank(const struct page *node)
{
	for (unsigned i = 0; DEBUG_BUILD && i < PT_ENTRIES; i++)
		assert(arch_pte_form(arch_pte_load(node_table(node) + i), 0) == PTE_NONE);
	(void)node;
}

struct page *node_alloc(unsigned flags)
{
	struct page *node;

	if (booting) {
		node = phys_to_page(phys_early_alloc(PAGE_SIZE, PAGE_SIZE));
		node->refs = 1;
	} else { /* a lockless lookup may hold the frame for a moment: its count is not ours to set */
		node = page_alloc(0, flags | PA_TABLE);
	}
	if (!node)
		return NULL;
	check_blank(node);
	page_account(PAGE_TABLE, 1);
	atomic_store(&node->flags, PAGE_TABLE); /* the buddy lists look at neighbours */
	node->node_used = 0;
	node->node_blocks = 0;
	spin_init(&node->node_lock, RANK_PT_NODE);
	return node;
}

void node_setup(struct page *node, unsigned level, vaddr_t base, struct page *above)
{
	node->node_level = (u8)level;
	node->node_base = base;
	node->node_above = above;
}

void node_free(struct page *node)
{
	check_blank(node);
	page_set(node, PG_BLANK);
	page_free(node, 0);
}

static void free_after_readers(struct rcu_head *head)
{
	node_free(container_of(head, struct page, node_rcu));
}

/* node_free_rcu - give a detached node back once no lockless walker can be inside it. */
void node_free_rcu(struct page *node)
{
	assert(page_test(node, PG_STRAY));
	rcu_call(&node->node_rcu, free_after_readers);
}

/* pt_kernel_boot_done - the final tables are in use and page_array is at its final address. */
void pt_kernel_boot_done(void)
{
	kernel_as.root = phys_to_page(kernel_as.root_pa);
	booting = false;
}
