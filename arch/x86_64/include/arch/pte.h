/* SPDX-License-Identifier: MIT */
/*
 * pte.h - page-table entries of x86_64: the pure codec. (Intel SDM vol. 3 section 4.5.)
 *
 * leaf    0 P, 1 RW, 2 US, 3 PWT, 4 PCD, 5 A, 6 D, 7 PS (above 4 KiB), 8 G, 9 special, 10 uffd-wp,
 *         11 soft-dirty, 12..51 frame, 63 NX. The PAT is programmed so that PWT alone means write
 *         combining and PWT|PCD uncached (arch_cpu_init).
 * no access (PROT_NONE)   P = 0, G = 1, frame bits inverted, the rest as above
 * absent  0 P = 0, 1 soft-dirty, 2 uffd-wp, 3 exclusive, 4..8 zero, 9..58 offset inverted, 59..63 type
 *
 * A CPU may speculate through a non-present entry as if its frame bits were valid (L1TF), so every
 * non-zero entry with P = 0 stores them inverted. Some CPUs set A or D in non-present entries: those two
 * bits carry nothing there and an entry that has only them is empty.
 *
 * The aarch64 file has the same functions in the same order; comparing the two is instructive.
 */
#pragma once

#include <quire/compiler.h>
#include "mm/pt/slot.h"

#define PT_LEVELS           4
#define PT_BITS             9
#define PT_LEAF_LEVELS      0x7u /* 4 KiB, 2 MiB, 1 GiB (where the CPU has it: arch_pt_leaf_levels) */
#define PT_NEEDS_BBM        0    /* only a change of size passes through absent + flush */
#define ARCH_HAS_SOFT_DIRTY 1

#define X86_P          0x001ul
#define X86_RW         0x002ul
#define X86_US         0x004ul
#define X86_PWT        0x008ul
#define X86_PCD        0x010ul
#define X86_A          0x020ul
#define X86_D          0x040ul
#define X86_PS         0x080ul
#define X86_G          0x100ul
#define X86_SPECIAL    0x200ul
#define X86_UFFD_WP    0x400ul
#define X86_SOFT_DIRTY 0x800ul
#define X86_FRAME      0x000ffffffffff000ul
#define X86_NX         0x8000000000000000ul

#define X86_ABSENT_SOFT_DIRTY 0x2ul
#define X86_ABSENT_UFFD_WP    0x4ul
#define X86_ABSENT_EXCL       0x8ul
#define X86_ABSENT_OFF_SHIFT  9
#define X86_ABSENT_TYPE_SHIFT 59

/* Bits that stand where PTB_* has them: write, user, accessed, dirty and the three software bits. */
#define X86_SAME (X86_RW | X86_US | X86_A | X86_D | X86_SPECIAL | X86_UFFD_WP | X86_SOFT_DIRTY)
BUILD_ASSERT(X86_SAME == (PTB_WRITE | PTB_USER | PTB_ACCESSED | PTB_DIRTY | PTB_SPECIAL |
			  PTB_UFFD_WP | PTB_SOFT_DIRTY),
	     "the codec copies these bits as they are");
BUILD_ASSERT(PTB_WC == X86_PWT && PTB_DEVICE == X86_PCD && PTB_GLOBAL == X86_G &&
		     PTB_READ == X86_P && PTB_EXEC == 1u << 12,
	     "the codec shifts these bits by constants");

static inline u64 x86_attr(unsigned bits)
{
	u64 v = bits & (X86_SAME | X86_PWT | X86_PCD);

	v |= (bits & PTB_DEVICE) >>
	     1; /* uncached is both cache bits, write combining the lower one */
	return v | (u64)(~bits >> 12 & 1) << 63;
}

/* arch_pte_leaf - map frame pfn with the rights and properties in bits at a level. */
static inline pte_t arch_pte_leaf(pfn_t pfn, unsigned bits, unsigned level)
{
	u64 v = x86_attr(bits) | (level ? X86_PS : 0);

	if (!(bits & PTB_READ))
		return (pte_t){v | X86_G | (~(pfn << PAGE_SHIFT) & X86_FRAME)};
	return (pte_t){v | X86_P | (bits & PTB_GLOBAL ? X86_G : 0) | pfn << PAGE_SHIFT};
}

/* arch_pte_leaf_for - the same leaf for the frame at pa instead of frame 0, of which like was made. */
static inline pte_t arch_pte_leaf_for(pte_t like, paddr_t pa)
{
	return (pte_t){like.v ^ pa}; /* also right where frames are stored inverted */
}

/* arch_pte_table - point to a lower table. ro: nothing below is writable, whatever it says. */
static inline pte_t arch_pte_table(paddr_t pa, bool ro)
{
	return (pte_t){pa | X86_P | X86_US | X86_A | (ro ? 0 : X86_RW)};
}

/* arch_pte_absent - a non-present entry: 5-bit type, 50-bit offset and PTB_{UFFD_WP,SOFT_DIRTY,EXCL}. */
static inline pte_t arch_pte_absent(unsigned type, u64 offset, unsigned bits)
{
	u64 v = (u64)type << X86_ABSENT_TYPE_SHIFT;

	v |= (~offset & (BIT(SWAP_OFFSET_BITS) - 1)) << X86_ABSENT_OFF_SHIFT;
	v |= bits & PTB_SOFT_DIRTY ? X86_ABSENT_SOFT_DIRTY : 0;
	v |= bits & PTB_UFFD_WP ? X86_ABSENT_UFFD_WP : 0;
	v |= bits & PTB_EXCL ? X86_ABSENT_EXCL : 0;
	return (pte_t){v};
}

/* arch_pte_form - which of the four forms an entry of a table at `level` has. */
static inline enum pte_form arch_pte_form(pte_t pte, unsigned level)
{
	if (pte.v & X86_P)
		return level && !(pte.v & X86_PS) ? PTE_TABLE : PTE_LEAF;
	if (!(pte.v & ~(X86_A | X86_D)))
		return PTE_NONE;
	return pte.v & X86_G ? PTE_LEAF : PTE_ABSENT;
}

/* arch_pte_is_table - arch_pte_form's first question alone, for the descent. */
static inline bool arch_pte_is_table(pte_t pte, unsigned level)
{
	return level && (pte.v & (X86_P | X86_PS)) == X86_P;
}

static inline paddr_t arch_pte_table_pa(pte_t pte)
{
	return pte.v & X86_FRAME;
}

static inline bool arch_pte_table_ro(pte_t pte)
{
	return !(pte.v & X86_RW);
}

/* arch_pte_pfn / arch_pte_bits - frame and bits of a leaf. */
static inline pfn_t arch_pte_pfn(pte_t pte)
{
	return ((pte.v & X86_P ? pte.v : ~pte.v) & X86_FRAME) >> PAGE_SHIFT;
}

static inline unsigned arch_pte_bits(pte_t pte)
{
	u64 present = pte.v & X86_P, bits = pte.v & X86_SAME;

	bits |= present | (pte.v & present << 8); /* without access, bit 8 does not mean global */
	bits |= (pte.v & (X86_PWT | X86_PCD)) & ~(pte.v >> 1 & X86_PWT);
	bits |= (~pte.v >> 63) << 12;
	return (unsigned)bits;
}

/* arch_pte_of_frame_0 - the same leaf for frame 0. */
static inline pte_t arch_pte_of_frame_0(pte_t pte)
{
	return (pte_t){pte.v & X86_P ? pte.v & ~X86_FRAME : pte.v | X86_FRAME};
}

/* arch_pte_alike - a leaf has the same bits as one of its level for frame 0. *pa: then its frame's address. */
static inline bool arch_pte_alike(pte_t pte, pte_t like, paddr_t *pa)
{
	u64 differ = pte.v ^ like.v;

	*pa = differ;
	return !(differ & ~X86_FRAME);
}

/* arch_pte_few_bits - of arch_pte_bits only READ, WRITE, DIRTY, SPECIAL and UFFD_WP. */
static inline unsigned arch_pte_few_bits(pte_t pte)
{
	return (unsigned)(pte.v & (X86_P | X86_RW | X86_D | X86_SPECIAL | X86_UFFD_WP));
}

/* arch_pte_wrprotect - the same leaf without PTB_WRITE. */
static inline pte_t arch_pte_wrprotect(pte_t pte)
{
	return (pte_t){pte.v & ~X86_RW};
}

/* arch_pte_absent_type / _offset / _bits - the parts of an absent entry. */
static inline unsigned arch_pte_absent_type(pte_t pte)
{
	return (unsigned)(pte.v >> X86_ABSENT_TYPE_SHIFT);
}

static inline u64 arch_pte_absent_offset(pte_t pte)
{
	return ~pte.v >> X86_ABSENT_OFF_SHIFT & (BIT(SWAP_OFFSET_BITS) - 1);
}

static inline unsigned arch_pte_absent_bits(pte_t pte)
{
	unsigned bits = 0;

	bits |= pte.v & X86_ABSENT_SOFT_DIRTY ? PTB_SOFT_DIRTY : 0;
	bits |= pte.v & X86_ABSENT_UFFD_WP ? PTB_UFFD_WP : 0;
	bits |= pte.v & X86_ABSENT_EXCL ? PTB_EXCL : 0;
	return bits;
}
