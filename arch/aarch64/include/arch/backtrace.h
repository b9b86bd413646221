/* SPDX-License-Identifier: MIT */
/*
 * backtrace.h - walking the chain of frame records: each function stores its caller's frame pointer
 * and its return address, and x29 points there. Trap frames hold such a record as well.
 */
#pragma once

#include <quire/types.h>
#include <quire/compiler.h>
#include <arch/layout.h>

struct unwind {
	vaddr_t fp; /* frame record to read next */
	vaddr_t ip; /* return address found last */
};

/* arch_stack_contains - do 16 bytes at fp lie inside a kernel stack of this CPU or thread? No locks. */
bool arch_stack_contains(vaddr_t fp);
/* arch_stack_is_emergency - is it the stack on which stack overflows are reported? */
bool arch_stack_is_emergency(vaddr_t fp);

/* arch_unwind_start - begin with the caller of the calling function. */
static ALWAYS_INLINE void arch_unwind_start(struct unwind *u)
{
	u->fp = (vaddr_t)__builtin_frame_address(0);
	u->ip = 0;
}

/* arch_unwind_next - one frame up; false at the end, or where the chain is damaged. */
static inline bool arch_unwind_next(struct unwind *u)
{
	const vaddr_t *record = (const vaddr_t *)u->fp;

	if (u->fp % sizeof(vaddr_t) || !arch_stack_contains(u->fp) || record[1] < KIMAGE_BASE)
		return false;
	u->ip = record[1];
	/* Callers lie higher, so there are no loops; the emergency stack's lie elsewhere. */
	u->fp = record[0] > u->fp || arch_stack_is_emergency(u->fp) ? record[0] : 0;
	return true;
}
