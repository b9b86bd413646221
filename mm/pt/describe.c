/* SPDX-License-Identifier: MIT */
/* describe.c - the page-table path of an address in words, for panics: no locks, nothing assumed. */
#include "mm/pt/internal.h"

static const char *const size_names[PT_LEVELS] = {"4 KiB", "2 MiB", "1 GiB", "512 GiB"};

static void describe_slot(const struct pt_slot *slot, pte_t pte, void (*print)(const char *, ...))
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
		{PTB_READ, "read"},
		{PTB_WRITE, "write"},
		{PTB_EXEC, "exec"},
		{PTB_USER, "user"},
		{PTB_ACCESSED, "accessed"},
		{PTB_DIRTY, "dirty"},
		{PTB_GLOBAL, "global"},
		{PTB_SPECIAL, "special"},
		{PTB_UFFD_WP, "uffd-wp"},
		{PTB_EXCL, "exclusive"},
		{PTB_DEVICE, "device"},
		{PTB_WC, "write-combining"},
		{PTB_SOFT_DIRTY, "soft-dirty"},
	};

	print("  %s slot: %s %#lx (entry %#lx)", size_names[slot->level],
	      pt_kind_name((enum pt_kind)slot->kind), slot->val, pte.v);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (slot->bits & names[i].bit)
			print(" %s", names[i].name);
	print("\n");
}

void pt_describe(struct aspace *as, vaddr_t va, void (*print)(const char *fmt, ...))
{
	struct page *node = as->root;

	print("page tables of %#lx, root %#lx:\n", va, as->root_pa);
	while (node) {
		unsigned level = node->node_level, index = pt_index(va, level);
		pte_t pte = arch_pte_load(node_table(node) + index);
		struct pt_slot slot;
		paddr_t pa;

		if (arch_pte_form(pte, level) != PTE_TABLE) {
			if (pt_is_busy(pte, level)) {
				print("  %s slot: between two sizes\n", size_names[level]);
				return;
			}
			pt_decode(pte, level, ALIGN_DOWN(va, pt_size(level)), &slot);
			describe_slot(&slot, pte, print);
			return;
		}
		pa = arch_pte_table_pa(pte);
		print("  %s entry %u: table at %#lx\n", size_names[level], index, pa);
		node = page_exists(pa >> PAGE_SHIFT) ? phys_to_page(pa) : NULL;
	}
	print("  the table is not in memory\n");
}
