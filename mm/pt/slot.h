/* SPDX-License-Identifier: MIT */
/*
 * slot.h - what a page-table entry means, whatever the architecture and the level.
 *
 * Above the cursor there are no page tables, only slots: aligned pieces of address space (4 KiB,
 * 2 MiB, 1 GiB, or larger for holes that a reader skips). A slot is exactly one of five kinds:
 *
 *   HOLE     nothing; a touch faults and the mapping (VMA) decides what happens
 *   PAGE     a page is mapped; val is its frame. Without PTB_READ it is kept but not accessible
 *            (mprotect PROT_NONE)
 *   SWAP     the page's content is in swap slot val
 *   MIGRATE  the page of frame val is being moved; wait and look again
 *   MARK     no page, but something to remember: val is a set of MARK_* bits
 *
 * arch/pte.h turns slots into hardware entries and back; mm/map is the only place where a slot
 * changes its kind.
 */
#pragma once

#include <quire/types.h>

enum pt_kind { PT_HOLE, PT_PAGE, PT_SWAP, PT_MIGRATE, PT_MARK, PT_KINDS };

/* Rights and properties. The codec keeps every bit that the kind can carry. Where x86_64 has a bit for the
 * same thing the position is the same, which makes most of its codec one mask. */
#define PTB_READ       0x0001u /* PAGE: accessible at all */
#define PTB_WRITE      0x0002u /* PAGE; MIGRATE: the page was writable */
#define PTB_USER       0x0004u /* PAGE: user mode may use it */
#define PTB_WC         0x0008u /* PAGE: uncached, writes may be combined (frame buffers) */
#define PTB_DEVICE     0x0010u /* PAGE: device registers, uncached and ordered */
#define PTB_ACCESSED   0x0020u /* PAGE, MIGRATE; hardware may set it at any moment */
#define PTB_DIRTY      0x0040u /* PAGE, MIGRATE; hardware may set it at any moment */
#define PTB_GLOBAL     0x0100u /* PAGE: kernel mapping, the same in all spaces */
#define PTB_SPECIAL    0x0200u /* PAGE: not counted, no struct page behind it (zero page, devices) */
#define PTB_UFFD_WP    0x0400u /* PAGE, SWAP, MIGRATE; never together with PTB_WRITE */
#define PTB_SOFT_DIRTY 0x0800u /* PAGE, SWAP, MIGRATE; only where ARCH_HAS_SOFT_DIRTY */
#define PTB_EXEC       0x1000u /* PAGE */
#define PTB_EXCL       0x2000u /* SWAP, MIGRATE: page was exclusive (of a PAGE: PG_EXCLUSIVE) */

#define PTB_RIGHTS (PTB_READ | PTB_WRITE | PTB_EXEC)

/* MARK: what must be remembered about an empty slot. */
#define MARK_UFFD_WP   0x1u /* write-protected by userfaultfd: the next page comes back protected */
#define MARK_POISON    0x2u /* a touch raises SIGBUS */
#define MARK_GUARD     0x4u /* a touch raises SIGSEGV */
#define MARK_HWPOISON  0x8u /* the frame val >> MARK_PFN_SHIFT is broken */
#define MARK_PFN_SHIFT 8

struct pt_slot {
	vaddr_t va; /* first address, aligned to size except for coalesced holes */
	u64 size;   /* bytes */
	u64 val;    /* frame, swap slot or marker set: see enum pt_kind */
	u16 bits;   /* PTB_* */
	u8 level;   /* 0: 4 KiB, 1: 2 MiB, 2: 1 GiB */
	u8 kind;    /* enum pt_kind */
};

/* A swap slot: area number and page in it, 55 bits. */
#define SWAP_AREA_BITS         5
#define SWAP_OFFSET_BITS       50
#define SWAP_VAL(area, offset) ((u64)(area) << SWAP_OFFSET_BITS | (offset))

/* A raw page-table entry; a struct so that nobody does arithmetic on it. */
typedef struct {
	u64 v;
} pte_t;

/* What a raw entry is, before its meaning: the four forms that the codec tells apart. */
enum pte_form { PTE_NONE, PTE_TABLE, PTE_LEAF, PTE_ABSENT };
