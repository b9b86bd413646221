/* SPDX-License-Identifier: MIT */
/*
 * map.h - the transitions: every way in which a slot changes what it is.
 *
 * A transition changes the entry through the cursor and, in the same step, everything that must agree
 * with it: the page's reference and map counts, the exclusive flag, the dirty bit of an object page, the
 * space's account of resident pages. Nothing else calls ptc_set, ptc_take or ptc_change on user
 * memory. Which transitions exist is a table in transition.c; debug builds check each one against it.
 *
 * All of them need the slot's window and the VMA's lock (reading is enough for one page's fault), sleep
 * never and fail never.
 */
#pragma once

#include "mm/pt/batch.h"
#include "mm/pt/pt.h"
#include "mm/vma/space.h"

/* map_install - HOLE or MARK to PAGE: map `page`, whose reference the entry takes over.
 *  bits: from vma_page_bits, narrowed as the caller sees fit */
void map_install(struct space *, struct ptc *, struct page *, unsigned bits);

/* map_install_run - the same for the current slot and the n - 1 behind it, as far as they are holes of this window, with
 * pages of an object; NULL for one that stays. What is mapped becomes NULL in pages. n: at most PTC_RUN_MAX */
void map_install_run(struct space *, struct ptc *, struct page **pages, unsigned n, unsigned bits);

/* map_install_zero - HOLE or MARK to PAGE: map the shared zero page, read-only and uncounted. */
void map_install_zero(struct ptc *, unsigned bits);

/* map_replace - PAGE to PAGE, copy on write: map `page`, as map_install does, in place of the one that is there, whose
 * reference is dropped. Nobody sees the new one before the old one is flushed. */
void map_replace(struct space *, struct ptc *, struct page *, unsigned bits);

/* map_retire - any kind to HOLE. The page's reference is dropped when the batch flushes.
 *  keep_marker: a marker stays a marker (the slot will be refaulted; only in mappings of objects) */
void map_retire(struct space *, struct ptc *, bool keep_marker);

/* map_retire_run - the same for the run of pages that begins with the current slot. */
void map_retire_run(struct space *, struct ptc *);

/* map_protect - PAGE or absent kinds stay what they are and get `rights` (PTB_READ|WRITE|EXEC). Write is
 * granted only where a write fault would grant it without a copy: exclusive pages, shared mappings
 * whose page is dirty already; never over uffd-wp. */
void map_protect(struct ptc *, const struct pt_slot *, unsigned rights, bool shared);

/* map_grant - the fault path found that this access is allowed: set rights, accessed and dirty bits. */
void map_grant(struct ptc *, unsigned bits);

/* map_clear_accessed - PAGE stays what it is and counts as not used. Stale TLB entries are left. */
void map_clear_accessed(struct ptc *, const struct pt_slot *);

/* map_dup - fork: make the child's empty slot mean what the parent's does. Private pages lose their
 * exclusivity and both sides their write permission.
 *  needs: both windows, the parent's outside the child's */
void map_dup(struct ptc *src, const struct pt_slot *, struct space *child, struct ptc *dst);

/* map_dup_run - the same for the run of pages that begins with the current slot of src. In the child all its slots
 * are holes of dst's window. */
void map_dup_run(struct ptc *src, struct space *child, struct ptc *dst);

/* map_move - an absent slot that means something goes to the hole that is dst's current slot, with all that it says.
 *  needs: both windows, src's outside; no faults in either range until the batch of src is flushed */
void map_move(struct ptc *src, struct ptc *dst);

/* map_move_run - the same for the run of pages that begins with the current slot of src. Pages keep their counts, their
 * owner, exclusivity, rights, accessed and dirty bits. */
void map_move_run(struct ptc *src, struct ptc *dst);

/* Debug builds: how often each transition happened since boot. */
u64 map_transition_count(enum pt_kind from, enum pt_kind to);
