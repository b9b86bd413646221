/* SPDX-License-Identifier: MIT */
/*
 * pte.h - page-table entries of aarch64, 4 KiB granule, stage 1: the pure codec. (Arm ARM D8.3.)
 *
 * leaf    0 valid, 1 page (4 KiB) or 0 block, 2..4 memory type, 6 AP[1] user, 7 AP[2] read-only,
 *         8..9 shareability, 10 AF, 11 nG, 12..47 frame, 51 DBM = software "writable", 53 PXN,
 *         54 UXN, 55 software dirty, 56 special, 58 uffd-wp. The memory types are entries of MAIR_EL1:
 *         0 normal write-back, 1 device nGnRE, 2 normal uncached (arch_cpu_init).
 * no access (PROT_NONE)   valid = 0, bit 11 = 1; the rest as above
 * absent  0 and 1 zero, 2 exclusive, 3 uffd-wp, 6..10 type, 11 zero, 12..61 offset
 *
 * Dirty and writable share two bits with the hardware, so that a CPU with hardware dirty management
 * (TCR.HD) may clear AP[2] by itself and one without it faults on the first write:
 *
 *      dirty writable | AP[2]=RO  DBM  bit 55
 *        0      0     |    1       0     0
 *        0      1     |    1       1     0
 *        1      0     |    1       0     1
 *        1      1     |    0       1     x
 *
 * The x86_64 file has the same functions in the same order; comparing the two is instructive.
 */
#pragma once

#include "mm/pt/slot.h"

#define PT_LEVELS           4
#define PT_BITS             9
#define PT_LEAF_LEVELS      0x7u /* 4 KiB, 2 MiB, 1 GiB */
#define PT_NEEDS_BBM        1    /* frame and memory type change through absent + flush as well */
#define ARCH_HAS_SOFT_DIRTY 0

#define A64_VALID       BIT(0)
#define A64_PAGE        BIT(1) /* at level 0; at the levels above: a table */
#define A64_ATTR_SHIFT  2
#define A64_ATTR_NORMAL 0ul
#define A64_ATTR_DEVICE 1ul
#define A64_ATTR_NC     2ul
#define A64_USER        BIT(6)
#define A64_RDONLY      BIT(7)
#define A64_INNER       (3ul << 8)
#define A64_AF          BIT(10)
#define A64_NG          BIT(11)
#define A64_FRAME       0x0000fffffffff000ul
#define A64_DBM         BIT(51)
#define A64_PXN         BIT(53)
#define A64_UXN         BIT(54)
#define A64_DIRTY       BIT(55)
#define A64_SPECIAL     BIT(56)
#define A64_UFFD_WP     BIT(58)
#define A64_TABLE_RO    BIT(62) /* APTable[1] */

#define A64_ABSENT_EXCL       BIT(2)
#define A64_ABSENT_UFFD_WP    BIT(3)
#define A64_ABSENT_TYPE_SHIFT 6
#define A64_ABSENT_OFF_SHIFT  12

static inline u64 a64_attr(unsigned bits)
{
	u64 v = 0;

	if (bits & PTB_DEVICE)
		v |= A64_ATTR_DEVICE << A64_ATTR_SHIFT;
	else
		v |= (bits & PTB_WC ? A64_ATTR_NC : A64_ATTR_NORMAL) << A64_ATTR_SHIFT | A64_INNER;
	v |= bits & PTB_WRITE ? A64_DBM : 0;
	v |= (bits & (PTB_WRITE | PTB_DIRTY)) == (PTB_WRITE | PTB_DIRTY) ? 0 : A64_RDONLY;
	v |= bits & PTB_DIRTY ? A64_DIRTY : 0;
	v |= bits & PTB_ACCESSED ? A64_AF : 0;
	v |= bits & PTB_SPECIAL ? A64_SPECIAL : 0;
	v |= bits & PTB_UFFD_WP ? A64_UFFD_WP : 0;
	v |= bits & PTB_USER ? A64_USER : 0;
	v |= (bits & (PTB_EXEC | PTB_USER)) == PTB_EXEC ? 0 : A64_PXN;
	v |= (bits & (PTB_EXEC | PTB_USER)) == (PTB_EXEC | PTB_USER) ? 0 : A64_UXN;
	return v;
}

/* arch_pte_leaf - map frame pfn with the rights and properties in bits at a level. */
static inline pte_t arch_pte_leaf(pfn_t pfn, unsigned bits, unsigned level)
{
	u64 v = a64_attr(bits) | pfn << PAGE_SHIFT | (level ? 0 : A64_PAGE);

	if (!(bits & PTB_READ))
		return (pte_t){v | A64_NG};
	return (pte_t){v | A64_VALID | (bits & PTB_GLOBAL ? 0 : A64_NG)};
}

/* arch_pte_leaf_for - the same leaf for the frame at pa instead of frame 0, of which like was made. */
static inline pte_t arch_pte_leaf_for(pte_t like, paddr_t pa)
{
	return (pte_t){like.v ^ pa};
}

/* arch_pte_table - point to a lower table. ro: nothing below is writable, whatever it says. */
static inline pte_t arch_pte_table(paddr_t pa, bool ro)
{
	return (pte_t){pa | A64_VALID | A64_PAGE | (ro ? A64_TABLE_RO : 0)};
}

/* arch_pte_absent - a non-present entry: 5-bit type, 50-bit offset and PTB_{UFFD_WP,EXCL}. */
static inline pte_t arch_pte_absent(unsigned type, u64 offset, unsigned bits)
{
	u64 v = (u64)type << A64_ABSENT_TYPE_SHIFT;

	v |= offset << A64_ABSENT_OFF_SHIFT;
	v |= bits & PTB_UFFD_WP ? A64_ABSENT_UFFD_WP : 0;
	v |= bits & PTB_EXCL ? A64_ABSENT_EXCL : 0;
	return (pte_t){v};
}

/* arch_pte_form - which of the four forms an entry of a table at `level` has. */
static inline enum pte_form arch_pte_form(pte_t pte, unsigned level)
{
	if (pte.v & A64_VALID)
		return level && (pte.v & A64_PAGE) ? PTE_TABLE : PTE_LEAF;
	if (!pte.v)
		return PTE_NONE;
	return pte.v & A64_NG ? PTE_LEAF : PTE_ABSENT;
}

/* arch_pte_is_table - arch_pte_form's first question alone, for the descent. */
static inline bool arch_pte_is_table(pte_t pte, unsigned level)
{
	return level && (pte.v & (A64_VALID | A64_PAGE)) == (A64_VALID | A64_PAGE);
}

static inline paddr_t arch_pte_table_pa(pte_t pte)
{
	return pte.v & A64_FRAME;
}

static inline bool arch_pte_table_ro(pte_t pte)
{
	return pte.v & A64_TABLE_RO;
}

/* arch_pte_pfn / arch_pte_bits - frame and bits of a leaf. */
static inline pfn_t arch_pte_pfn(pte_t pte)
{
	return (pte.v & A64_FRAME) >> PAGE_SHIFT;
}

static inline unsigned arch_pte_bits(pte_t pte)
{
	u64 v = pte.v, valid = v & A64_VALID, attr = v >> A64_ATTR_SHIFT & 7;
	u64 user = v >> 6 & 1, dirty = v >> 55 | (v >> 51 & ~v >> 7);
	u64 bits = valid;

	bits |= v >> 50 & PTB_WRITE;   /* 51 */
	bits |= v >> 4 & PTB_USER;     /* 6 */
	bits |= v >> 5 & PTB_ACCESSED; /* 10 */
	bits |= v >> 47 & PTB_SPECIAL; /* 56 */
	bits |= v >> 48 & PTB_UFFD_WP; /* 58 */
	bits |= (dirty & 1) << 6;
	bits |= (valid & ~(v >> 11)) << 8;       /* global */
	bits |= (~(v >> (53 + user)) & 1) << 12; /* executable: PXN is 53, UXN 54 */
	bits |= attr == A64_ATTR_DEVICE ? PTB_DEVICE : 0;
	bits |= attr == A64_ATTR_NC ? PTB_WC : 0;
	return (unsigned)bits;
}

/* arch_pte_of_frame_0 - the same leaf for frame 0. */
static inline pte_t arch_pte_of_frame_0(pte_t pte)
{
	return (pte_t){pte.v & ~A64_FRAME};
}

/* arch_pte_alike - a leaf has the same bits as one of its level for frame 0. *pa: then its frame's address. */
static inline bool arch_pte_alike(pte_t pte, pte_t like, paddr_t *pa)
{
	u64 differ = pte.v ^ like.v;

	*pa = differ;
	return !(differ & ~A64_FRAME);
}

/* arch_pte_few_bits - of arch_pte_bits only READ, WRITE, DIRTY, SPECIAL and UFFD_WP. */
static inline unsigned arch_pte_few_bits(pte_t pte)
{
	u64 v = pte.v, dirty = v >> 55 | (v >> 51 & ~v >> 7);

	return (unsigned)((v & A64_VALID) | (v >> 50 & PTB_WRITE) | (v >> 47 & PTB_SPECIAL) |
			  (v >> 48 & PTB_UFFD_WP) | (dirty & 1) << 6);
}

/* arch_pte_wrprotect - the same leaf without PTB_WRITE. */
static inline pte_t arch_pte_wrprotect(pte_t pte)
{
	u64 v = pte.v, hardware_dirty = v >> 51 & ~v >> 7 & 1;

	return (pte_t){(v & ~A64_DBM) | A64_RDONLY | hardware_dirty << 55};
}

/* arch_pte_absent_type / _offset / _bits - the parts of an absent entry. */
static inline unsigned arch_pte_absent_type(pte_t pte)
{
	return pte.v >> A64_ABSENT_TYPE_SHIFT & 0x1f;
}

static inline u64 arch_pte_absent_offset(pte_t pte)
{
	return pte.v >> A64_ABSENT_OFF_SHIFT & (BIT(SWAP_OFFSET_BITS) - 1);
}

static inline unsigned arch_pte_absent_bits(pte_t pte)
{
	unsigned bits = 0;

	bits |= pte.v & A64_ABSENT_UFFD_WP ? PTB_UFFD_WP : 0;
	bits |= pte.v & A64_ABSENT_EXCL ? PTB_EXCL : 0;
	return bits;
}
