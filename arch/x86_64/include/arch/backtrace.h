/* SPDX-License-Identifier: MIT */
/*
 * backtrace.h - walking the chain of frame pointers: each function saves its caller's frame pointer
 * right below its return address.
 */
#pragma once

#include <quire/types.h>
#include <quire/compiler.h>
#include <arch/layout.h>

struct unwind {
	vaddr_t fp; /* of the frame that ip is in */
	vaddr_t ip;
};

/* arch_stack_contains - do 16 bytes at fp lie inside a kernel stack of this CPU or thread? No locks. */
bool arch_stack_contains(vaddr_t fp);

/* arch_unwind_here - the frame of the function that this is inlined into. */
static ALWAYS_INLINE void arch_unwind_here(struct unwind *u)
{
	u->fp = (vaddr_t)__builtin_frame_address(0);
	__asm__ volatile("leaq (%%rip), %0" : "=r"(u->ip));
}

/* arch_unwind_next - one frame out. False at the end of the chain or where it is damaged. */
static inline bool arch_unwind_next(struct unwind *u)
{
	const vaddr_t *record = (const vaddr_t *)u->fp;

	if (u->fp % sizeof(vaddr_t) || !arch_stack_contains(u->fp) || record[1] < KIMAGE_BASE)
		return false;
	u->ip = record[1];
	u->fp = record[0] > u->fp ? record[0] : 0; /* callers lie higher: no loops */
	return true;
}
