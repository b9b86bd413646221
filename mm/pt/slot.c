/* SPDX-License-Identifier: MIT */
/*
 * slot.c - the meaning of absent entries, once for both architectures.
 *
 * The codec (arch/pte.h) packs a 5-bit type and a 50-bit offset into a non-present entry; here they
 * become the SWAP, MIGRATE and MARK kinds. A migration entry keeps the page's accessed and dirty bits above the
 * frame number, and says by its type what the entry allowed and whether the page was exclusive.
 */
#include <quire/assert.h>
#include "mm/pt/internal.h"

#define MIGRATE_ACCESSED BIT(48)
#define MIGRATE_DIRTY    BIT(49)
#define MIGRATE_PFN      (BIT(40) - 1)
#define ABSENT_FLAGS     (PTB_UFFD_WP | PTB_SOFT_DIRTY | PTB_EXCL)

static void decode_migrate(unsigned type, u64 offset, struct pt_slot *slot)
{
	slot->kind = PT_MIGRATE;
	slot->val = offset & MIGRATE_PFN;
	slot->bits |= offset & MIGRATE_ACCESSED ? PTB_ACCESSED : 0;
	slot->bits |= offset & MIGRATE_DIRTY ? PTB_DIRTY : 0;
	if (type == ABSENT_MIGRATE_WRITE)
		slot->bits |= PTB_WRITE | PTB_EXCL;
	else if (type == ABSENT_MIGRATE_READ_EXCL)
		slot->bits |= PTB_EXCL;
}

void pt_decode_absent(pte_t pte, struct pt_slot *slot)
{
	unsigned type = arch_pte_absent_type(pte);
	u64 offset = arch_pte_absent_offset(pte);

	slot->bits = (u16)arch_pte_absent_bits(pte);
	switch (type) {
	case ABSENT_HWPOISON:
		slot->kind = PT_MARK;
		slot->val = MARK_HWPOISON | offset << MARK_PFN_SHIFT;
		break;
	case ABSENT_MIGRATE_READ:
	case ABSENT_MIGRATE_READ_EXCL:
	case ABSENT_MIGRATE_WRITE:
		decode_migrate(type, offset, slot);
		break;
	case ABSENT_MARK:
		slot->kind = PT_MARK;
		slot->val = offset;
		break;
	default:
		BUG_ON(type > ABSENT_SWAP_LAST);
		slot->kind = PT_SWAP;
		slot->val = SWAP_VAL(type, offset);
	}
}

static pte_t encode_migrate(u64 pfn, unsigned bits)
{
	unsigned type = ABSENT_MIGRATE_READ;

	if (bits & PTB_WRITE)
		type = ABSENT_MIGRATE_WRITE;
	else if (bits & PTB_EXCL)
		type = ABSENT_MIGRATE_READ_EXCL;
	pfn |= bits & PTB_ACCESSED ? MIGRATE_ACCESSED : 0;
	pfn |= bits & PTB_DIRTY ? MIGRATE_DIRTY : 0;
	return arch_pte_absent(type, pfn, bits & ABSENT_FLAGS & ~PTB_EXCL);
}

pte_t pt_encode_absent(enum pt_kind kind, u64 val, unsigned bits)
{
	switch (kind) {
	case PT_SWAP:
		return arch_pte_absent((unsigned)(val >> SWAP_OFFSET_BITS),
				       val & (BIT(SWAP_OFFSET_BITS) - 1), bits & ABSENT_FLAGS);
	case PT_MIGRATE:
		return encode_migrate(val, bits);
	case PT_MARK:
		if (val & MARK_HWPOISON)
			return arch_pte_absent(ABSENT_HWPOISON, val >> MARK_PFN_SHIFT, 0);
		return arch_pte_absent(ABSENT_MARK, val, 0);
	case PT_HOLE:
	case PT_PAGE:
	case PT_KINDS:
		break;
	}
	return (pte_t){0};
}

const char *pt_kind_name(enum pt_kind kind)
{
	static const char *const names[PT_KINDS] = {"HOLE", "PAGE", "SWAP", "MIGRATE", "MARK"};

	return kind < PT_KINDS ? names[kind] : "?";
}
