/* SPDX-License-Identifier: MIT */
/*
 * transition.c - which kinds of slot may become which others. This is the whole state machine:
 *
 *   from \ to   HOLE      PAGE          SWAP       MIGRATE    MARK
 *   HOLE        -         install,dup   dup        dup        mark, dup
 *   PAGE        retire    protect       swap-out   freeze     retire (keep)
 *   SWAP        retire    swap-in       bits       -          retire (keep), poison
 *   MIGRATE     retire    thaw          -          bits       retire (keep)
 *   MARK        mark(0)   install       -          -          bits
 *
 * A move is two at once: the old slot becomes a hole, the hole at the new place what that was.
 * A copy on write is two steps: the old page is retired and flushed, then the new one installed.
 */
#include "mm/map/map.h"
#include "mm/map/transition.h"
#include "lib/atomic.h"

#ifdef QUIRE_DEBUG

static const bool allowed[PT_KINDS][PT_KINDS] = {
	[PT_HOLE] = {[PT_PAGE] = true, [PT_SWAP] = true, [PT_MIGRATE] = true, [PT_MARK] = true},
	[PT_PAGE] = {[PT_HOLE] = true,
		     [PT_PAGE] = true,
		     [PT_SWAP] = true,
		     [PT_MIGRATE] = true,
		     [PT_MARK] = true},
	[PT_SWAP] = {[PT_HOLE] = true, [PT_PAGE] = true, [PT_SWAP] = true, [PT_MARK] = true},
	[PT_MIGRATE] = {[PT_HOLE] = true, [PT_PAGE] = true, [PT_MIGRATE] = true, [PT_MARK] = true},
	[PT_MARK] = {[PT_HOLE] = true, [PT_PAGE] = true, [PT_MARK] = true},
};

static u64 counts[PT_KINDS][PT_KINDS];

void map_check_transition(enum pt_kind from, enum pt_kind to)
{
	if (!allowed[from][to])
		panic("slot transition %s to %s does not exist", pt_kind_name(from),
		      pt_kind_name(to));
	__atomic_fetch_add(&counts[from][to], 1, __ATOMIC_RELAXED);
}

u64 map_transition_count(enum pt_kind from, enum pt_kind to)
{
	return __atomic_load_n(&counts[from][to], __ATOMIC_RELAXED);
}

#endif
