/* SPDX-License-Identifier: MIT */
/*
 * pt.h - the cursor: the only way to look at page tables or to change them.
 *
 * A cursor walks a range of one address space and reports slots (slot.h). While it reports a slot of
 * an edit mode it holds a window: the lock of the one table node that holds the slot's entry. The
 * functions that act on the current slot need that window and cannot fail. Everything that can fail
 * or sleep happens in ptc_begin, ptc_next, ptc_goto and ptc_make, with no window held.
 *
 *	struct ptc c;
 *	struct pt_slot slot;
 *	int err;
 *
 *	ptc_begin(&c, as, lo, hi, PTC_EDIT, &batch);
 *	while ((err = ptc_next(&c, &slot)) > 0)
 *		...look at slot, call one map_* transition...
 *	ptc_end(&c);
 *
 * Levels. The range selects the level: in edit modes a reported slot lies wholly inside the range,
 * and a larger leaf, swap entry or marker that straddles an edge is split first. Ask for an
 * aligned empty 2 MiB with PTC_FILL and one 2 MiB slot comes back.
 *
 * Flushing. Whoever removes or narrows a live entry owes the TLBs a flush; the cursor records it in
 * the batch and pays before the window is unlocked. With PTC_DEFER the caller pays, by
 * tlb_batch_flush, before it drops the lock that keeps faults out of the range (the VMA lock held
 * for writing), or because the space is dying. Pages given to the batch are freed after the flush.
 *
 * Read modes hold no lock: each slot is a snapshot. Between ptc_begin and ptc_end of a reader the
 * caller must not sleep (RCU keeps the nodes).
 *
 * Read next: cursor.c (the walk), store.c (the stores), run.c, split.c, prune.c, batch.c.
 */
#pragma once

#include "mm/pt/aspace.h"
#include "mm/pt/slot.h"

#define PTC_LEVELS     4
#define PTC_TABLE_SPAN (PAGE_SIZE << 9) /* what one table of 4 KiB slots covers, bytes */

/* Cursor modes. */
#define PTC_READ    0x00u
#define PTC_EDIT    0x01u /* report what is there, under its window */
#define PTC_FILL    0x03u /* EDIT, and empty slots are reported and tables made for them */
#define PTC_PRUNE   0x04u /* EDIT: a table left empty is detached and freed */
#define PTC_HOLES   0x08u /* READ: report holes too; neighbours in one table come as one */
#define PTC_NOSLEEP 0x10u /* never allocate: -EAGAIN where a table would have to be made */
#define PTC_DEFER   0x20u /* the caller flushes the batch */
#define PTC_STAY    0x40u /* EDIT: the window outlives the end of the range, for a ptc_goto nearby */

struct tlb_batch;

struct ptc {
	struct aspace *as;
	struct tlb_batch *batch;   /* NULL when reading */
	struct ptc *inner, *outer; /* see ptc_nest */
	vaddr_t va, hi;            /* still to be visited */
	struct page *node;         /* the window (locked in edit modes), or NULL */
	pte_t *entry;              /* of the current slot; NULL before the first */
	unsigned mode;
	u8 level;      /* of the window's slots */
	bool borrowed; /* the window is outer's, and so is its lock */
	bool stored;   /* entries were stored that are not published yet */
	u8 nr_stock;
	u16 seen; /* EDIT: used entries of the window that were reported: beyond these all others are unseen */
	struct page *stock[PTC_LEVELS]; /* tables ready for use */
	vaddr_t slot_va;                /* of the current slot */
};

/* ptc_begin - aim a cursor at [lo, hi): page-aligned, lo <= hi.
 *  locks: none taken yet    fails: no    batch: NULL for readers, else initialised by the caller */
void ptc_begin(struct ptc *, struct aspace *, vaddr_t lo, vaddr_t hi, unsigned mode,
	       struct tlb_batch *);

/* ptc_begin_page - ptc_begin for the one page at va, and ptc_next, for edit modes. Whatever it returns, ptc_end follows. */
int ptc_begin_page(struct ptc *, struct aspace *, vaddr_t va, unsigned mode, struct tlb_batch *,
		   struct pt_slot *);

/* ptc_next - move to the next slot in the range.
 *  returns: 1 and the slot; 0 at the end; -ENOMEM; -EAGAIN with PTC_NOSLEEP
 *  sleeps:  edit modes without PTC_NOSLEEP, when a table must be made, with no window held
 *  locks:   on 1 in edit modes the slot's window is held, else nothing (but see PTC_STAY) */
int ptc_next(struct ptc *, struct pt_slot *);

/* ptc_goto - re-aim at [lo, hi) and report its first slot; as ptc_next. Cheap within one window. */
int ptc_goto(struct ptc *, vaddr_t lo, vaddr_t hi, struct pt_slot *);

/* ptc_holds - is va in the window that is open now? */
bool ptc_holds(const struct ptc *, vaddr_t va);

/* ptc_make - make the tables that a later ptc_goto to a slot of `level` at va will need.
 *  needs: no window held by any cursor of this thread    sleeps: yes    returns: 0 or -ENOMEM */
int ptc_make(struct ptc *, vaddr_t va, unsigned level);

/* ptc_supply - allocate what the next ptc_goto may need to make, for one with PTC_NOSLEEP. As ptc_make otherwise. */
int ptc_supply(struct ptc *);

/* ptc_nest - work with two windows at once (fork, moves): inner's window lies inside outer's. Whenever outer
 * leaves its window inner leaves its own first, so locks are always taken outer, then inner. Who may be
 * outer to whom is fixed: the parent's space to the child's. In one space only moves do this, one at a time under the
 * space lock; where both are in the same table inner borrows the window. They make no table under outer's window (a pruner goes from a table to those below). */
void ptc_nest(struct ptc *outer, struct ptc *inner);

/* ptc_pause - give the window up; the current slot will be reported again by ptc_next. */
void ptc_pause(struct ptc *);

/* ptc_end - give the window and the unused stock up. Must be called after every ptc_begin. */
void ptc_end(struct ptc *);

/* ptc_set - store a kind into the current slot, which must not hold a PAGE. If a flush is still owed for
 * its address (the old page of a COW), the flush happens first.
 *  needs: the window; val and bits as struct pt_slot says for the kind */
void ptc_set(struct ptc *, enum pt_kind, u64 val, unsigned bits);

/* ptc_take - empty the current slot and return what it held, with the final accessed and dirty bits. */
struct pt_slot ptc_take(struct ptc *);

/* ptc_change - set and clear PTB_* bits of the current slot, atomically against the hardware.
 *  returns: the old bits. Losing rights or dirtiness is recorded for flushing; gaining is not (a
 *  stale entry that forbids too much costs a spurious fault, which flushes it). */
unsigned ptc_change(struct ptc *, unsigned set, unsigned clear);

/* --- runs: neighbouring pages at once ---------------------------------------------------------------------
 * A run is the current slot, which holds a PAGE, and the next PAGEs in the same window and range, at most
 * PTC_RUN_MAX. Holes between them are passed over; what is neither ends the run. ptc_next goes on behind it. */
#define PTC_RUN_MAX 64

/* A page of a run is told in one word: the address of its frame, and below PAGE_SHIFT of its PTB_* bits READ, WRITE,
 * DIRTY, SPECIAL and UFFD_WP. */
static inline pfn_t ptc_leaf_pfn(u64 leaf)
{
	return leaf >> PAGE_SHIFT;
}
static inline u64 ptc_leaf(pfn_t pfn, unsigned bits)
{
	return pfn << PAGE_SHIFT |
	       (bits & (PTB_READ | PTB_WRITE | PTB_DIRTY | PTB_SPECIAL | PTB_UFFD_WP));
}

/* ptc_take_run - ptc_take of each slot of the run.
 *  returns: how many, in leaves what they were */
unsigned ptc_take_run(struct ptc *, u64 *leaves);
/* ptc_dup_run - write-protect each slot of the run, and store the same, without UFFD_WP, into the holes at the same
 * places of dst's window, whose current slot is the one for src's. The new entries own nothing yet: the caller takes
 * what they need before it leaves the window.
 *  returns: how many, in leaves what they were */
unsigned ptc_dup_run(struct ptc *src, struct ptc *dst, u64 *leaves);
/* ptc_move_run - take each slot of the run, as far as dst's window reaches, and store it as it is, with all that the
 * hardware has noted in it, into the hole at the same distance from dst's current slot.
 *  returns: how many */
unsigned ptc_move_run(struct ptc *src, struct ptc *dst);
/* ptc_fill_run - ptc_set of PAGEs with the same bits into those of the current slot and the n - 1 behind it that are
 * holes and for which there is a page. ptc_next goes on behind them, or at the next window if they do not end in
 * this one. n: at most PTC_RUN_MAX, inside what the cursor's user may fill
 *  returns: bit i: the i-th was stored */
u64 ptc_fill_run(struct ptc *, struct page *const *pages, unsigned n, unsigned bits);

/* ptc_replace - ptc_take and ptc_set of another PAGE, with the flush in between if one is owed.
 *  returns: what was there, as a run tells it */
u64 ptc_replace(struct ptc *, pfn_t pfn, unsigned bits);

/* ptc_kind - what the current slot holds now. */
enum pt_kind ptc_kind(const struct ptc *);

/* ptc_match - does the current slot still hold what was seen (accessed and dirty bits aside)? */
bool ptc_match(const struct ptc *, const struct pt_slot *seen);

/* pt_peek - a snapshot of the slot at va, no lock held. Any context that may spin. */
void pt_peek(struct aspace *, vaddr_t va, struct pt_slot *);

/* pt_flush_spurious - the local CPU faulted on an access that the entry allows: drop its stale copy. */
void pt_flush_spurious(vaddr_t va);

/* --- kernel mappings --------------------------------------------------------------------------------
 * pt_map_kernel maps [va, va+size) to physical pa with the largest leaves that fit. The range must be
 * empty. Sleeps (not at boot). 0 or -ENOMEM, then nothing is mapped.
 * pt_unmap_kernel empties [lo, hi) and flushes all CPUs; put_pages: then drops a reference to each frame
 * that was mapped. The range must have been mapped by whole calls of pt_map_kernel. */
int pt_map_kernel(vaddr_t va, paddr_t pa, u64 size, unsigned bits);
void pt_unmap_kernel(vaddr_t lo, vaddr_t hi, bool put_pages);

/* pt_kernel_init - boot: an empty kernel_as whose tables come from the boot allocator. */
void pt_kernel_init(void);
/* pt_kernel_boot_done - from here on tables come from the page allocator. */
void pt_kernel_boot_done(void);

/* pt_describe - print the page-table path of va in words, for panics. Takes no lock. */
void pt_describe(struct aspace *, vaddr_t va, void (*print)(const char *fmt, ...));
/* pt_kind_name - "HOLE", "PAGE" .. */
const char *pt_kind_name(enum pt_kind);
