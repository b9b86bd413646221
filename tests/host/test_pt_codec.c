/* SPDX-License-Identifier: MIT */
/* test_pt_codec.c - every kind, bit and level survives the way into a raw entry and back. */
#include <arch/pte.h>
#include "mm/pt/internal.h"
#include "tests/host/harness.h"

#define LEAF_LEVELS 3

static const unsigned page_bits[] = {
	PTB_READ,   PTB_WRITE,   PTB_EXEC,    PTB_USER,       PTB_ACCESSED, PTB_DIRTY,
	PTB_GLOBAL, PTB_SPECIAL, PTB_UFFD_WP, PTB_SOFT_DIRTY, PTB_DEVICE,   PTB_WC,
};

/* What the codec promises to keep of these bits. */
static unsigned kept(enum pt_kind kind, unsigned bits)
{
	if (!ARCH_HAS_SOFT_DIRTY)
		bits &= ~PTB_SOFT_DIRTY;
	if (kind == PT_PAGE && !(bits & PTB_READ))
		bits &= ~PTB_GLOBAL;
	if (kind == PT_MIGRATE && bits & PTB_WRITE)
		bits |= PTB_EXCL; /* only exclusive pages are writable */
	return bits;
}

static void check(enum pt_kind kind, u64 val, unsigned bits, unsigned level)
{
	pte_t pte = pt_encode(kind, val, bits, level);
	struct pt_slot slot;

	ASSERT(arch_pte_form(pte, level) == (kind == PT_PAGE ? PTE_LEAF : PTE_ABSENT));
	pt_decode(pte, level, 0, &slot);
	ASSERT_EQ(slot.kind, kind);
	ASSERT_EQ(slot.val, val);
	ASSERT_EQ(slot.bits, kept(kind, bits));
	ASSERT_EQ(slot.level, level);
	ASSERT(!pt_is_busy(pte, level));
	/* Encoding what was decoded gives the same entry: nothing hides in it. */
	ASSERT_EQ(pt_encode(kind, slot.val, slot.bits, level).v, pte.v);
}

static pfn_t random_pfn(unsigned level)
{
	pfn_t pfn = rng() & (BIT(36) - 1); /* 48-bit physical addresses on both */

	return ALIGN_DOWN(pfn, BIT(level * PT_BITS));
}

TEST(pages_keep_every_combination_of_bits_at_every_level)
{
	for (unsigned level = 0; level < LEAF_LEVELS; level++) {
		for (unsigned set = 0; set < 1u << ARRAY_SIZE(page_bits); set++) {
			unsigned bits = 0;

			for (unsigned i = 0; i < ARRAY_SIZE(page_bits); i++)
				bits |= set >> i & 1 ? page_bits[i] : 0;
			if ((bits & (PTB_DEVICE | PTB_WC)) == (PTB_DEVICE | PTB_WC))
				continue;
			check(PT_PAGE, random_pfn(level), bits, level);
		}
		check(PT_PAGE, 0, PTB_READ, level);
		check(PT_PAGE, 0, 0, level);
	}
}

TEST(bits_are_taken_and_compared_without_decoding)
{
	const unsigned few = PTB_READ | PTB_WRITE | PTB_DIRTY | PTB_SPECIAL | PTB_UFFD_WP;

	for (unsigned set = 0; set < 1u << ARRAY_SIZE(page_bits); set++) {
		pfn_t pfn = random_pfn(0);
		paddr_t found;
		unsigned bits = 0;
		pte_t pte;

		for (unsigned i = 0; i < ARRAY_SIZE(page_bits); i++)
			bits |= set >> i & 1 ? page_bits[i] : 0;
		if ((bits & (PTB_DEVICE | PTB_WC)) == (PTB_DEVICE | PTB_WC))
			continue;
		pte = arch_pte_leaf(pfn, bits, 0);
		ASSERT_EQ(arch_pte_few_bits(pte), arch_pte_bits(pte) & few);
		ASSERT_EQ(arch_pte_wrprotect(pte).v, arch_pte_leaf(pfn, bits & ~PTB_WRITE, 0).v);
		ASSERT_EQ(arch_pte_of_frame_0(pte).v, arch_pte_leaf(0, bits, 0).v);
		ASSERT(arch_pte_alike(pte, arch_pte_of_frame_0(pte), &found));
		ASSERT_EQ(found, pfn << PAGE_SHIFT);
		ASSERT_EQ(arch_pte_leaf_for(arch_pte_of_frame_0(pte), found).v, pte.v);
		ASSERT(!arch_pte_alike(pte, arch_pte_leaf(0, bits ^ PTB_SPECIAL, 0), &found));
	}
}

TEST(swap_entries_keep_area_offset_and_flags)
{
	const u64 max = BIT(SWAP_OFFSET_BITS) - 1;

	for (unsigned level = 0; level < LEAF_LEVELS; level++)
		for (unsigned area = 0; area <= ABSENT_SWAP_LAST; area++)
			for (unsigned flags = 0; flags < 8; flags++) {
				unsigned bits = (flags & 1 ? PTB_UFFD_WP : 0) |
						(flags & 2 ? PTB_SOFT_DIRTY : 0) |
						(flags & 4 ? PTB_EXCL : 0);

				/* Slot 0 of an area is its header and never in an entry; the last of
				 * 2^50 is beyond any device. Either may look like nothing. */
				check(PT_SWAP, SWAP_VAL(area, 1), bits, level);
				check(PT_SWAP, SWAP_VAL(area, max - 1), bits, level);
				check(PT_SWAP, SWAP_VAL(area, 1 + rng_below(max - 1)), bits, level);
			}
}

TEST(flags_of_a_swap_entry_do_not_change_what_it_names)
{
	for (unsigned i = 0; i < 1000; i++) {
		u64 val = SWAP_VAL(rng_below(ABSENT_SWAP_LAST + 1), 1 + rng_below(BIT(50) - 1));
		struct pt_slot plain, flagged;

		pt_decode(pt_encode(PT_SWAP, val, 0, 0), 0, 0, &plain);
		pt_decode(pt_encode(PT_SWAP, val, PTB_EXCL, 0), 0, 0, &flagged);
		ASSERT_EQ(plain.val, flagged.val);
		ASSERT_EQ(flagged.bits, PTB_EXCL);
	}
}

TEST(migration_entries_keep_frame_rights_and_history)
{
	for (unsigned level = 0; level < LEAF_LEVELS; level++)
		for (unsigned set = 0; set < 64; set++) {
			unsigned bits = (set & 1 ? PTB_WRITE : 0) | (set & 2 ? PTB_EXCL : 0) |
					(set & 4 ? PTB_ACCESSED : 0) | (set & 8 ? PTB_DIRTY : 0) |
					(set & 16 ? PTB_UFFD_WP : 0) |
					(set & 32 ? PTB_SOFT_DIRTY : 0);

			check(PT_MIGRATE, random_pfn(level), bits, level);
		}
}

TEST(markers_keep_their_set_at_every_level)
{
	for (unsigned level = 0; level < LEAF_LEVELS; level++) {
		for (u64 marks = 1; marks < 8; marks++)
			check(PT_MARK, marks, 0, level);
		check(PT_MARK, MARK_HWPOISON | random_pfn(level) << MARK_PFN_SHIFT, 0, level);
	}
}

TEST(nothing_is_a_hole_and_a_table_is_a_table)
{
	struct pt_slot slot;

	for (unsigned level = 0; level < PT_LEVELS; level++) {
		pt_decode((pte_t){0}, level, 0, &slot);
		ASSERT_EQ(slot.kind, PT_HOLE);
		ASSERT_EQ(slot.bits, 0);
	}
	for (unsigned i = 0; i < 10000; i++) {
		pte_t pte = {rng()};

		for (unsigned level = 0; level < PT_LEVELS; level++)
			ASSERT_EQ(arch_pte_is_table(pte, level),
				  arch_pte_form(pte, level) == PTE_TABLE);
	}
	for (unsigned level = 1; level < PT_LEVELS; level++) {
		paddr_t pa = random_pfn(0) << PAGE_SHIFT;

		ASSERT(arch_pte_form(arch_pte_table(pa, false), level) == PTE_TABLE);
		ASSERT_EQ(arch_pte_table_pa(arch_pte_table(pa, false)), pa);
		ASSERT(!arch_pte_table_ro(arch_pte_table(pa, false)));
		ASSERT(arch_pte_table_ro(arch_pte_table(pa, true)));
		ASSERT(pt_is_busy(pt_busy(), level));
	}
}

/* Absent entries are visible to user space through pagemap, and known to debuggers. */
TEST(marker_entries_have_their_documented_values)
{
	if (!PT_NEEDS_BBM) {
		EXPECT_EQ(pt_encode(PT_MARK, MARK_UFFD_WP, 0, 0).v, 0xfffffffffffffc00);
		EXPECT_EQ(pt_encode(PT_MARK, MARK_POISON, 0, 0).v, 0xfffffffffffffa00);
		EXPECT_EQ(arch_pte_absent(0, 0, 0).v, 0x07fffffffffffe00);
	} else {
		EXPECT_EQ(pt_encode(PT_MARK, MARK_UFFD_WP, 0, 0).v, 0x17c0);
		EXPECT_EQ(pt_encode(PT_MARK, MARK_POISON, 0, 0).v, 0x27c0);
	}
}

/* A CPU may speculate through the frame bits of a non-present entry (L1TF): on x86_64 those must not be the
 * frame of the page it stands for. */
TEST(inaccessible_entries_do_not_name_their_frame)
{
	if (PT_NEEDS_BBM)
		return;
	for (unsigned i = 0; i < 1000; i++) {
		pfn_t pfn = random_pfn(0);
		u64 none = pt_encode(PT_PAGE, pfn, 0, 0).v,
		    migrate = pt_encode(PT_MIGRATE, pfn, 0, 0).v;

		ASSERT((none >> PAGE_SHIFT & (BIT(40) - 1)) != pfn);
		ASSERT((migrate >> PAGE_SHIFT & (BIT(40) - 1)) != pfn);
	}
}
